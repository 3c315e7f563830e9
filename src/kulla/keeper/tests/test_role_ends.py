"""Officials are told 30 and 7 days before a role ends, once each, and so is the nearest administrator."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from kulla.keeper.core import Keeper
from kulla.keeper.delivery.texts_offices import TEXTS
from kulla.keeper.tests.offices_kit import Land, land


@pytest.fixture
def country(tmp_path: Path) -> Iterator[Land]:
    with land(tmp_path, people=12) as found:
        yield found


def told(keeper: Keeper, person: UUID, kind: str) -> list[str]:
    """The texts of this kind in somebody's inbox, newest first."""
    subject = {TEXTS[kind][language]["subject"] for language in ("sq", "en")}
    rows = keeper.register.rows(
        "SELECT sealed FROM notice WHERE person = ? AND template = ? ORDER BY at DESC",
        *(person.bytes, f"keeper/{kind}/0"),
    )
    found = [keeper.vault.open_own(person, "notice", row[0]) for row in rows]
    assert all(each[0] in subject for each in found)
    return [str(each[1]) for each in found]


def test_the_end_of_a_role_is_told_at_30_and_at_7_days_once_each(country: Land) -> None:
    """The nearest administrator reads it too; the one above is left alone; the telephone rings."""
    keeper = country.keeper
    above = country.official("admin", "state")
    admin = country.official("admin", "agency")
    clerk = country.official("receptionist", "branch_1", days=100)
    sent: list[str] = []
    send = keeper.delivery.send
    keeper.delivery.send = lambda person, kind, *a, **k: sent.append(kind) or send(person, kind, *a, **k)  # type: ignore[method-assign, func-returns-value]
    day = keeper.role_ends._day(keeper.offices.held(clerk.person)[0])

    def counts() -> tuple[int, int, int]:
        keeper.role_ends.run()
        mine, over = told(keeper, clerk.person, "role_ending"), told(keeper, admin.person, "roles_ending")
        return len(mine), len(over), len(told(keeper, above.person, "roles_ending"))

    assert counts() == (0, 0, 0)
    country.later(71)
    assert counts() == (1, 1, 0)
    assert counts() == (1, 1, 0)
    country.later(1)
    assert counts() == (1, 1, 0), "the next day tells it again"
    assert day in told(keeper, clerk.person, "role_ending")[0]
    assert "Branch_1" in told(keeper, admin.person, "roles_ending")[0]
    assert keeper.people.field(clerk.person, "name") not in told(keeper, admin.person, "roles_ending")[0]
    country.later(22)
    assert counts() == (2, 2, 0)
    country.later(5)
    assert counts() == (2, 2, 0)
    assert "role_ending" in sent
    country.later(5)
    assert counts() == (2, 2, 0), "a role that has ended is told of"


def test_a_renewed_role_is_told_of_again_and_a_short_one_not_at_once(country: Land) -> None:
    keeper = country.keeper
    admin = country.official("admin", "agency")
    clerk = country.official("receptionist", "branch_1", days=40)
    short = country.official("receptionist", "branch_2", days=20)
    country.later(11)
    keeper.role_ends.run()
    assert len(told(keeper, clerk.person, "role_ending")) == 1
    assert told(keeper, short.person, "role_ending") == []
    keeper.administration.renew(admin, keeper.offices.held(clerk.person)[0].id, 90)
    country.later(4)
    keeper.role_ends.run()
    assert len(told(keeper, clerk.person, "role_ending")) == 1
    assert len(told(keeper, short.person, "role_ending")) == 1  # its seven days
    country.later(60)
    keeper.role_ends.run()
    assert len(told(keeper, clerk.person, "role_ending")) == 2


def test_a_restart_tells_nothing_twice_and_forgets_nobody(country: Land) -> None:
    """The operator and the last administrators of the state are told as well."""
    keeper = country.keeper
    operator = country.official("operator", None, days=60)
    first = country.official("admin", "state", days=60)
    second = country.official("admin", "state", days=62)
    country.later(31)
    keeper.role_ends.run()
    assert len(told(keeper, operator.person, "operator_ending")) == 1
    assert len(told(keeper, first.person, "role_ending")) == 1
    assert told(keeper, second.person, "role_ending") == []
    assert len(told(keeper, second.person, "roles_ending")) == 1, "the other administrator can renew it"
    again = country.restart()
    again.role_ends.run()
    assert len(told(again, operator.person, "operator_ending")) == 1
    assert len(told(again, first.person, "role_ending")) == 1
    again = country.restart()
    country.later(24)  # it stood still: of the second role it tells the seven days only
    again.role_ends.run()
    assert len(told(again, first.person, "role_ending")) == 2
    assert len(told(again, second.person, "role_ending")) == 1
