"""The sections of what families and offices hold about a person. Accounts and the counter add their own."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from kulla.keeper.kinds.offices import NO_END
from kulla.keeper.my_data.sections import Rows

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper
    from kulla.keeper.my_data import MyData


def add_all(keeper: "Keeper", my_data: "MyData") -> None:
    """Add or replace them."""
    own = Areas(keeper)
    for name in ("roles", "mandates", "work"):
        my_data.add_section(name, getattr(own, name))


class Areas:
    """One method a section."""

    def __init__(self, keeper: "Keeper") -> None:
        self._keeper = keeper

    def roles(self, person: UUID) -> Rows:
        """Offices in which the person is or was an official."""
        rows = self._rows(
            "SELECT role, office, since, until, ended FROM role WHERE person = ? ORDER BY since", person
        )
        return [
            {"role": role, "office": self._office(office), "since_ms": since}
            | ({"until_ms": until} if until != NO_END else {})
            | ({"ended_ms": ended} if ended else {})
            for role, office, since, until, ended in rows
        ]

    def mandates(self, person: UUID) -> Rows:
        """Mandates that were offered, given or taken, also those that ended."""
        rows = self._rows(
            "SELECT person, representative, scopes, until, offered, confirmed, ended FROM mandate "
            "WHERE person = ? OR representative = ? ORDER BY offered",
            *(person, person),
        )
        found: Rows = []
        for giver, taker, scopes, until, offered, confirmed, ended in rows:
            mine = giver == person.bytes
            other = taker if mine else giver
            row: dict[str, Any] = {
                "acts": "acts for you" if mine else "you act",
                "at_ms": offered,
                "until": until,
            }
            row |= {"name": self._keeper.people.field(UUID(bytes=other), "name")} if other else {}
            row |= {"scopes": [scope for scope in scopes.replace(",", " ").split() if scope]}
            row |= {"confirmed_ms": confirmed} if confirmed else {}
            found.append(row | ({"ended_ms": ended} if ended else {}))
        return found

    def work(self, person: UUID) -> Rows:
        """What the person asked and answered as an official. Whom it was about is not theirs."""
        asked = self._rows("SELECT kind, by_role, at FROM approval WHERE by = ? ORDER BY at DESC", person)
        rows: Rows = [{"kind": kind, "role": role, "at_ms": at} for kind, role, at in asked]
        said = self._rows(
            "SELECT kind, role, approval_answer.at, yes FROM approval_answer JOIN approval USING (id) "
            "WHERE approval_answer.by = ? ORDER BY approval_answer.at DESC",
            person,
        )
        return rows + [
            {"kind": kind, "role": role, "at_ms": at, "yes": bool(yes)} for kind, role, at, yes in said
        ]

    def _rows(self, sql: str, *people: UUID) -> list[tuple[Any, ...]]:
        return self._keeper.register.rows(sql, *(person.bytes for person in people))

    def _office(self, office: bytes) -> str:
        return self._keeper.office_name(UUID(bytes=office))
