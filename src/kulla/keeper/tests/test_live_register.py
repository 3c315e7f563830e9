"""A live register over real HTTP: its changes are applied, and nothing that it did not say to this very request."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kulla.keeper.admin import open_keeper
from kulla.keeper.errors import ConfigError
from kulla.keeper.importing import signing
from kulla.keeper.importing.live import Forged, Silent
from kulla.keeper.testkit import ARTA, BESA, DRITAN, RunningKeeper, start_keeper, stop_keeper
from kulla.keeper_client import connect
from kulla.mirror.testkit import free_port


def person(serial: int, **values: str) -> dict[str, Any]:
    row = {"number": f"J01105{serial:03}A", "first_name": "Mira", "last_name": "Dervishi"}
    return {"people": {**row, "birth_date": "1990-11-05", "sex": "m", **values}}


@dataclass
class Country:
    """A keeper, and a register beside it."""

    running: RunningKeeper
    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None
    changes: list[dict[str, Any]] = field(default_factory=list)

    def write(self, mischief: str = "") -> None:
        facts = {"name": "civil-registry", "changes": self.changes, "mischief": mischief}
        (self.folder / "next.json").write_text(json.dumps(facts))
        (self.folder / "next.json").rename(self.folder / "data.json")

    def start_register(self, keeper_key: str) -> None:
        arguments = ["--data", str(self.folder / "data.json"), "--key", str(self.folder / "register.key")]
        arguments += ["--keeper", keeper_key, "--port", str(self.port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kulla.keeper.importing.standin", *arguments], stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        assert int(self.process.stdout.readline()) == self.port

    def stop_register(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(5)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    folder = tmp_path_factory.mktemp("live")
    key, port = signing.make_key(folder / "register.key").hex(), free_port()
    live = {"name": "civil-registry", "url": f"http://127.0.0.1:{port}/kulla", "key": key, "every_s": 0.2}
    running = start_keeper(folder / "country", start=False, live_register=live)
    found = Country(running, folder, port)
    found.write()
    with open_keeper(running.keeper_home) as admin:
        found.start_register(admin.live_register.public_key.hex())
    yield found
    found.stop_register()
    stop_keeper(running)


def test_changes_are_applied_once_and_the_cursor_is_a_record(country: Country) -> None:
    country.changes += [person(1), person(2), {"families": {"ward": BESA.number, "guardian": DRITAN.number}}]
    country.write()
    with open_keeper(country.running.keeper_home) as admin:
        report = admin.live_register.poll()
        assert (report.added, report.families, report.bad) == (2, 1, [])
        assert admin.live_register.cursor == 3
        before = admin._keeper.records.last
        assert admin.live_register.poll().added == 0
        assert admin._keeper.records.last == before, "nothing new writes nothing"
    with open_keeper(country.running.keeper_home) as admin:
        assert admin.live_register.cursor == 3, "after a restart it goes on where it was"


def test_more_than_an_answer_holds_comes_in_several(country: Country) -> None:
    country.changes += [person(n, reference=f"R-{n}") for n in range(10, 999)]
    country.changes += [person(n % 989 + 10, address=f"Rruga {n}") for n in range(2000)]
    country.write()
    with open_keeper(country.running.keeper_home) as admin:
        report = admin.live_register.poll()
        assert admin.live_register.cursor == len(country.changes)
        known = admin._keeper.people
        one = known.by_identifier("number", "J01105031A")
        assert one is not None
        assert known.profile(one)["address"] == "Rruga 1999", "the last change counts"
    assert (report.added, report.bad) == (989, []), "a person may change again and again"
    assert report.changed == 2000


@pytest.mark.parametrize(
    ("mischief", "sentence"),
    [
        ("unsigned", "not signed"),
        ("other_key", "not signed"),
        ("tamper", "not signed"),
        ("replay", "another request"),
        ("other_request", "another request"),
        ("old_time", "another time"),
        ("back", "cursor goes back"),
        ("garbage", "agreed form"),
        ("long", "longer than agreed"),
    ],
)
def test_what_the_register_did_not_say_to_this_request_is_refused_with_an_alarm(
    country: Country, mischief: str, sentence: str
) -> None:
    serial = 1 + sum(map(len, mischief.split()))
    with open_keeper(country.running.keeper_home) as admin:
        admin.live_register.poll()
        assert admin.live_register.alarms == []
        cursor, people = admin.live_register.cursor, admin.people()
        country.changes.append(person(serial, number=f"J01106{serial:03}A", birth_date="1990-11-06"))
        country.write(mischief)
        with pytest.raises(Forged, match=sentence):
            admin.live_register.poll()
        assert (admin.live_register.cursor, admin.people()) == (cursor, people)
        assert admin.live_register.alarms == ["live_register_forged"]
        country.write()
        assert admin.live_register.poll().added + admin.live_register.poll().already <= 1
        assert admin.live_register.cursor == cursor + 1
        assert admin.live_register.alarms == ["live_register_forged"], "an attack stays to be seen"


def test_a_register_that_is_silent_or_refuses_us_raises_another_alarm(country: Country) -> None:
    with open_keeper(country.running.keeper_home) as admin:
        country.write("silent")
        with pytest.raises(Silent, match="503"):
            admin.live_register.poll()
        assert admin.live_register.alarms == ["live_register_silent"]
        country.write()
        admin.live_register.poll()
        assert admin.live_register.alarms == []
        key = admin.live_register.public_key.hex()
    country.stop_register()
    try:
        with (
            open_keeper(country.running.keeper_home) as admin,
            pytest.raises(Silent, match="does not answer"),
        ):
            admin.live_register.poll()
        country.start_register(other_key())
        with open_keeper(country.running.keeper_home) as admin, pytest.raises(Silent, match="403"):
            admin.live_register.poll()
    finally:
        country.stop_register()
        country.start_register(key)


def other_key() -> str:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()


def test_bad_rows_are_named_the_others_go_in_and_it_goes_on(country: Country) -> None:
    with open_keeper(country.running.keeper_home) as admin:
        admin.live_register.poll()
        rows: list[Any] = [
            {"number": 7},
            "row",
            {"number": "J0110X001A"},
            {"number": ARTA.number, "sex": "m"},
        ]
        country.changes += [{"people": row} for row in rows] + [
            person(5, number="J01107005A", birth_date="1990-11-07")
        ]
        country.write()
        report = admin.live_register.poll()
        assert (report.added, [line for line, _ in report.bad]) == (1, [1, 2, 3, 4])
        assert admin.live_register.cursor == len(country.changes)
        assert admin.live_register.alarms == ["live_register_bad_rows"]


def test_a_keeper_that_runs_asks_by_itself_and_a_death_ends_sessions(country: Country) -> None:
    running = country.running
    running.start()
    client = connect(running.socket)
    try:
        dritan = client.sign_in(DRITAN.number, DRITAN.password, network="192.0.2.7", device="a test")
        country.changes.append({"people": {"number": DRITAN.number, "died": "2026-01-02"}})
        country.write()
        until = time.monotonic() + 10
        while time.monotonic() < until:
            if client.status()["records"] and dritan.sid in client.revoked(0)[1]:
                break
            time.sleep(0.1)
        assert dritan.sid in client.revoked(0)[1]
        country.write("other_key")
        until = time.monotonic() + 10
        while "live_register_forged" not in client.status()["alarms"] and time.monotonic() < until:
            time.sleep(0.1)
        assert "live_register_forged" in client.status()["alarms"]
        assert "ALARM" in running.log()
        assert "Dervishi" not in running.log()
    finally:
        country.write()
        client.close()
        running.stop()


@pytest.mark.parametrize(
    "live",
    [{"name": "x", "url": "ftp://x/", "key": "ab" * 32}, {"name": "x", "url": "http://x/", "key": "ab"}, {}],
)
def test_settings_of_a_register_that_cannot_be_asked_are_refused(
    tmp_path: Path, live: dict[str, str]
) -> None:
    from kulla.keeper.config import load

    copies = [{"name": "a", "url": "http://b"}]
    settings = {"origin": "x", "socket": "s", "root_key": "k", "copies": copies, "live_register": live}
    (tmp_path / "keeper.json").write_text(json.dumps(settings))
    with pytest.raises(ConfigError):
        load(tmp_path / "keeper.json")
