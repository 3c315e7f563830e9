"""Everything is destroyed but two operators and the holders' keys; everything acknowledged comes back.

A seeded mix of every action goes over HTTP; then all is killed at once, the portal, the keeper and one operator
are deleted, and `kulla rebuild` has to bring back each row byte for byte and each record of the keeper.
"""
# ruff: noqa: S608 - the names of tables come from the database's own list

import contextlib
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests import journeys
from tests.country import KULLA, Country, clean_env, run_kulla
from tests.journeys import NoTime
from tests.person import Person

STEPS = 28
# Kinds that no page makes within a test's time; their own tests stand in the service.
NOT_OVER_HTTP = {
    "appointment.no_show": "only after the appointment's time has begun",
    "appointment.ended": "a job's, on the day after",
    "practitioner.added": "no page yet: offices are administered by command",
    "office.opened": "made with the demo country",
    "appointment.undone": "recorded by `kulla undo`",
    "hours.undone": "recorded by `kulla undo`",
    "office.undone": "recorded by `kulla undo`",
}
KINDS = ("gp", "dentist", "laboratory", "ent", "neurology", "dermatology", "cardiology", "paediatrics")


class Mix:
    """People who do something at random, again and again."""

    def __init__(self, country: Country, seed: int) -> None:
        self.country = country
        self.chance = random.Random(seed)
        self.citizens = {who: country.sign_in(who) for who in ("citizen", "guardian", "stranger")}
        self.clerk = country.sign_in("clerk")
        self.diary = journeys.open_all_day(self.clerk, self.chance).rsplit("/", 2)[-2]
        self.receipts: list[tuple[str, str]] = []
        self.done: dict[str, int] = {}

    def step(self) -> None:
        """One act of one person."""
        acts: list[Callable[[], None]] = [self.book] * 6 + [self.cancel, self.cancel, self.book_for_child]
        act = self.chance.choice(acts)
        with contextlib.suppress(NoTime):
            act()
            self.done[act.__name__] = self.done.get(act.__name__, 0) + 1

    def _someone(self) -> tuple[str, Person]:
        return self.chance.choice(sorted(self.citizens.items()))

    def book(self) -> None:
        who, person = self._someone()
        free = [kind for kind in KINDS if (who, kind) not in self.done]
        kind = self.chance.choice(free or ["gp"])
        journeys.hold_a_time(person, kind, chance=self.chance)
        page = journeys.send(person, reason=self.chance.choice(["", "Kontroll", "Ç’është kjo?"]))
        if journeys.RECEIPT.match(page.path):
            self.receipts.append((who, page.url))

    def book_for_child(self) -> None:
        who = self.chance.choice(["citizen", "guardian"])
        journeys.hold_a_time(self.citizens[who], self.chance.choice(KINDS), chance=self.chance)
        page = journeys.send(self.citizens[who], ward=True)
        if journeys.RECEIPT.match(page.path):
            self.receipts.append((who, page.url))

    def cancel(self) -> None:
        who, person = self._someone()
        mine = journeys.my_appointments(person)
        if not mine:
            return
        person.open(self.chance.choice(mine))
        assert person.page is not None
        if any("/cancel" in href for href, _ in person.page.links):
            person.click("/cancel")
            page = person.submit("cancel")
            self.receipts.append((who, page.url))

    def office(self) -> None:
        """What the reception does: books by telephone, marks who came, cancels."""
        accounts = self.country.accounts()
        local = datetime.now(ZoneInfo("Europe/Tirane"))
        number = accounts["neighbour1"].number
        first = journeys.phone_book(
            self.clerk, number, practitioner=self.diary, first=True, reason="Telefonatë"
        )
        self.country.db.settle()
        if (local + timedelta(minutes=10)).date() == local.date():  # else the first free time is tomorrow's
            journeys.arrive(self.clerk)
        other = journeys.phone_book(self.clerk, accounts["neighbour2"].number, practitioner=self.diary)
        self.country.db.settle()
        journeys.office_cancel(self.clerk, other.url)
        assert first.status == 200


def keeper_rows(home: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the keeper's register; what it derives anew at each start is left out."""
    path = home / "keeper" / "register.sqlite3"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: sorted(db.execute(f"SELECT * FROM {table}").fetchall(), key=repr)
            for table in tables
            if table not in {"meta", "ended_here", "pseudonym"}
        }


def lose(country: Country, operator: int) -> None:
    """Portal, keeper and one operator are gone."""
    for name in ("portal", "keeper", f"operators/{operator}", "run"):
        shutil.rmtree(country.home / name)
    country.db.empty()


@pytest.mark.both_engines
@pytest.mark.parametrize("seed", [1912])
def test_everything_acknowledged_comes_back(
    make_country: Callable[..., Country], tmp_path: Path, seed: int
) -> None:
    country = make_country(seed=seed).up()
    mix = Mix(country, seed)
    mix.office()
    for _ in range(STEPS):
        mix.step()
    country.db.settle()
    recorded = {kind for _, kind in country.db.entries()}
    declared = country.db.kinds()
    assert recorded | set(NOT_OVER_HTTP) >= declared, f"nobody did {declared - recorded - set(NOT_OVER_HTTP)}"
    proofs = {url: mix.citizens[who].open(url) for who, url in mix.receipts}
    proof = Path(tmp_path / "receipt.txt")
    who, url = mix.receipts[0]
    proof.write_bytes(mix.citizens[who].open(f"{url}receipt.tlog-proof").body)
    tables = country.db.kept()
    assert sum(len(rows) for rows in tables.values()) > STEPS
    records = keeper_rows(country.home)
    accounts = country.accounts()

    country.kill_all()
    lose(country, 3)
    sources = [str(country.home / "operators" / number) for number in "12"]
    said = run_kulla(
        "rebuild", "--home", str(country.home), "--keys", str(country.home / "holders"),
        "--from", sources[0], "--from", sources[1], timeout=180, **country.env,
    ).stdout  # fmt: skip
    assert "%" in said or " of " in said, f"no progress shown:\n{said}"

    again = country.db.kept()
    for table, rows in tables.items():
        assert again.get(table) == rows, f"{table} came back different"
    assert again.keys() == tables.keys()
    assert keeper_rows(country.home).keys() == records.keys()
    for table, rows in keeper_rows(country.home).items():
        assert rows == records[table], f"the keeper's {table} came back different"

    country.up()  # operator 3 is gone for good: two are the quorum
    for who in ("citizen", "stranger"):
        person = country.sign_in(accounts[who])
        for owner, url in mix.receipts:
            if owner == who:
                page = person.open(url)
                assert journeys.is_received(page), f"{url} is not received any more: {page.text[:300]}"
                assert page.text == proofs[url].text or page.status == 200
        mix.citizens[who] = person
    country.sign_in(accounts["clerk"])  # with the second factor that he had
    run_kulla("verify", str(proof), "--policy", str(country.home / "policy"))
    fresh = journeys.book(mix.citizens["stranger"], "ophthalmology", chance=mix.chance)
    journeys.wait_received(mix.citizens["stranger"], fresh)
    no_difference = run_kulla("rebuild", "--home", str(country.home), "--compare", check=False, **country.env)
    assert no_difference.returncode == 0, no_difference.stdout


def test_one_operator_brings_back_what_it_has_and_states_the_gap(
    make_country: Callable[..., Country],
) -> None:
    country = make_country().up()
    citizen = country.sign_in("citizen")
    before = journeys.wait_received(citizen, journeys.book(citizen, "gp"))
    country.db.settle()
    country.kill_all()
    lose(country, 3)
    shutil.rmtree(country.home / "operators" / "2")
    said = run_kulla(
        "rebuild", "--home", str(country.home), "--keys", str(country.home / "holders"),
        "--from", str(country.home / "operators" / "1"), timeout=120,
    ).stdout  # fmt: skip
    assert "one" in said.lower(), said
    assert any(word in said.lower() for word in ("missing", "gap", "may")), f"the gap is not stated:\n{said}"
    entries = {entry for entry, _ in country.db.entries()}
    assert journeys.receipt_id(before) in entries


@pytest.mark.both_engines
def test_compare_names_a_row_that_was_changed_behind_the_journal(
    make_country: Callable[..., Country],
) -> None:
    country = make_country().up()
    citizen = country.sign_in("citizen")
    journeys.wait_received(citizen, journeys.book(citizen, "gp"))
    country.db.settle()
    clean = run_kulla("rebuild", "--home", str(country.home), "--compare", check=False, **country.env)
    assert clean.returncode == 0, clean.stdout
    changed = country.db.tamper("appointments_appointment", "minutes", 7)
    named = run_kulla("rebuild", "--home", str(country.home), "--compare", check=False, **country.env)
    assert named.returncode == 1
    assert changed in named.stdout, f"the changed row {changed} is not named:\n{named.stdout}"


@pytest.mark.both_engines
def test_compare_beside_a_living_country_is_quiet_and_names_the_keepers_rows_too(
    make_country: Callable[..., Country],
) -> None:
    """People book and cancel while it runs at half a core; then a thief changes the keeper's register."""
    country = make_country().up()
    mix = Mix(country, 5)
    command = [*KULLA, "rebuild", "--home", str(country.home), "--compare", "--load", "0.5"]
    for _ in range(3):
        running = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**clean_env(), **country.env}
        )
        for _ in range(4):
            mix.step()
        said = running.communicate(timeout=120)[0]
        assert running.returncode == 0, said
    assert "Portal: " in said and " a second" in said and "Keeper: " in said, said
    with contextlib.closing(sqlite3.connect(country.home / "keeper" / "register.sqlite3", timeout=20)) as db:
        db.execute("DELETE FROM session")
        db.commit()
    named = run_kulla("rebuild", "--home", str(country.home), "--compare", check=False, **country.env)
    assert named.returncode == 1
    assert "behind the records' back" in named.stdout, named.stdout
