"""The 18th birthday, by a clock that the test sets; and what a page costs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from kulla.keeper.config import load
from kulla.keeper.core import Keeper
from kulla.keeper.errors import Refusal
from kulla.keeper.families import page
from kulla.keeper.families.tests.conftest import AGRON, PEOPLE, member, tie, write_services
from kulla.keeper.sessions import Live
from kulla.keeper.testkit import ARTA, BESA, DRITAN, OFFICE_1, Member, RunningKeeper, keeper, row

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NEARLY = member("Era Hoxha", date(2008, 11, 23), "f", 301)  # 18 in two days
LONG_AGO = member("Noel Hoxha", date(2001, 1, 5), "m", 302)
LEAP = member("Lis Hoxha", date(2008, 2, 29), "m", 303)


class Clock:
    """Milliseconds that the test moves."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> int:
        return int(self.at.timestamp() * 1000)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKeeper]:
    """A country whose keeper is opened by the tests themselves; its key copies run."""
    rows = [row(each) for each in PEOPLE]
    rows += [row(each, guardian=ARTA) for each in (NEARLY, LONG_AGO, LEAP)]
    with keeper(tmp_path_factory.mktemp("age"), rows, start=False) as running:
        write_services(running.keeper_home)
        with running.administered() as admin:
            tie(admin, AGRON, NEARLY, custody=False)
            tie(admin, DRITAN, NEARLY, scopes=["school"])
        running.stop()
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(stopped: RunningKeeper, clock: Clock) -> Iterator[Keeper]:
    with Keeper(load(Path(stopped.keeper_home) / "keeper.json"), clock) as inside:
        assert inside.wait_ready(10)
        inside.serve()
        yield inside


def who(inside: Keeper, known: Member) -> UUID:
    found = inside.people.by_identifier("number", known.number)
    assert found
    return found


def subjects(inside: Keeper, known: Member) -> list[str]:
    return [notice["template"] for notice in inside.notices.inbox(who(inside, known))]


def test_on_the_birthday_guardianship_ends_and_everybody_is_told_once(opened: Keeper, clock: Clock) -> None:
    era, arta = who(opened, NEARLY), who(opened, ARTA)
    assert opened.coming_of_age.run() == 0, "nobody is told of a child born years ago"
    assert era in dict(opened.families.wards(arta))
    clock.at = NOON + 2 * DAY
    assert era not in dict(opened.families.wards(arta))
    assert opened.coming_of_age.run() == 1
    assert opened.coming_of_age.run() == 0
    assert subjects(opened, NEARLY) == ["came_of_age"]
    assert subjects(opened, ARTA) == subjects(opened, DRITAN) == ["ward_came_of_age"]
    assert subjects(opened, AGRON) == [], "without custody nothing is told"


def test_a_restart_tells_nobody_again(opened: Keeper, clock: Clock) -> None:
    clock.at = NOON + 3 * DAY
    assert opened.coming_of_age.run() == 0
    assert subjects(opened, NEARLY) == ["came_of_age"]


def test_who_is_born_on_a_leap_day_is_of_age_on_the_first_of_march(opened: Keeper, clock: Clock) -> None:
    clock.at = datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert opened.families.under_age(who(opened, LEAP))
    clock.at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert not opened.families.under_age(who(opened, LEAP))


def test_at_a_counter_nobody_appoints_a_representative_or_becomes_one(opened: Keeper) -> None:
    """The clerk sits beside: also the code of an offer is not shown."""
    arta = Live("sid", who(opened, ARTA), "citizen", None, "sq", 0, assisted=OFFICE_1)
    alone = replace(arta, assisted=None)
    made = opened.mandates.offer(alone, ["health"], opened.families.today())
    calls: list[Any] = [
        lambda: opened.mandates.offer(arta, ["health"], opened.families.today()),
        lambda: opened.mandates.look(arta, made.code),
        lambda: opened.mandates.accept(arta, made.code),
        lambda: opened.mandates.confirm(arta, made.id),
        lambda: opened.mandates.end(arta, made.id),
    ]
    for call in calls:
        with pytest.raises(Refusal) as caught:
            call()
        assert caught.value.code == "assisted"
    parts = opened.families, opened.mandates, opened.people, arta.person
    [shown] = page.family(*parts, assisted=True)["given"]
    assert shown["code"] == ""
    assert page.family(*parts, assisted=False)["given"][0]["code"] == made.code


def test_a_child_neither_appoints_nor_represents(opened: Keeper) -> None:
    besa = Live("sid", who(opened, BESA), "citizen", None, "sq", 0)
    for call in (
        lambda: opened.mandates.offer(besa, ["health"], opened.families.today()),
        lambda: opened.mandates.look(besa, "0000-0000-0000"),
    ):
        with pytest.raises(Refusal) as caught:
            call()
        assert caught.value.code == "not_adult"


def test_a_page_asks_the_register_once_and_then_not_at_all(
    opened: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    rows, one = opened.register.rows, opened.register.one

    def counted(call: Any) -> Any:
        def count(sql: str, *values: object) -> Any:
            asked.append(sql)
            return call(sql, *values)

        return count

    arta, besa = who(opened, ARTA), who(opened, BESA)
    opened.families.acts_for(arta, besa, "appointments")
    opened.families.wards_in(arta, "appointments")
    monkeypatch.setattr(opened.register, "rows", counted(rows))
    monkeypatch.setattr(opened.register, "one", counted(one))
    for _ in range(10):
        assert opened.families.acts_for(arta, besa, "appointments")
        assert besa in dict(opened.families.wards_in(arta, "appointments"))
    assert asked == []
    body = {"type": "guardian_ended", "guardian": arta, "ward": besa}
    opened.committer.commit(body)
    assert not opened.families.acts_for(arta, besa, "appointments"), "a record changes it at once"
    assert besa not in dict(opened.families.wards_in(arta, "appointments"))
