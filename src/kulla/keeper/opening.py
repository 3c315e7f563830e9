"""Who may read what, at what cost. The one door through which personal values leave the keeper.

Citizens read themselves and their wards: free, not logged. Officials of an office read anyone, and for each person in
each call one look is on the log before the answer: cost 0 with a grant for their office and today, else 10 of the
budgets. The operator reads nobody. Tries beyond a budget, and citizens' tries at strangers, are logged as refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from kulla.keeper.budgets import DAY_MS, Budgets
from kulla.keeper.committer import Committer
from kulla.keeper.errors import RecordsBroken, Refusal
from kulla.keeper.looks import Look, Looks, look
from kulla.keeper.people import FIELDS, People
from kulla.keeper.register import Register
from kulla.keeper.sessions import CITIZEN, OPERATOR, Live
from kulla.keeper.vault import Cell, Vault

COST = 10
GRANT_DAYS = 400  # how far ahead an appointment can be


@dataclass(frozen=True)
class Item:
    """One thing to be opened; `kind` is sealed, register or claims."""

    kind: str
    pseudonym: UUID
    service: str
    name: str  # as the citizen reads it in the log: "phone", "claims", "table.column"
    table: str = ""
    column: str = ""
    row: UUID | None = None
    blob: bytes = b""


class Opening:
    """Decides, logs, opens."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        people: People,
        committer: Committer,
        *,
        looks: Looks,
        budgets: Budgets,
        clock: Callable[[], int],
    ) -> None:
        self._register, self._vault, self._people = register, vault, people
        self._committer, self._looks, self._budgets, self._clock = committer, looks, budgets, clock

    def open(self, session: Live, items: Sequence[Item], purpose: str) -> list[dict[str, Any]]:
        """One answer for each item. Raises Refusal("budget", until_ms) when officials may open nothing of it,
        "role", "log_unconfirmed", "log_failed"."""
        if not session.is_citizen:
            self._official(session)
        persons = self._persons(items)
        refused: dict[UUID, str] = {}
        entries: list[Look] = []
        until = 0
        for person, theirs in _by_person(items, persons).items():
            cost, allowed, when = self._price(session, person)
            until = max(until, when)
            if not allowed:
                refused[person] = "not_yours" if session.is_citizen else "budget"
            if not session.is_citizen or not allowed:
                entries.append(
                    self._look("open", session, person, theirs, purpose=purpose, cost=cost, allowed=allowed)
                )
        if entries:
            self._looks.add(entries)
        if until and len(refused) == len(entries):
            raise Refusal("budget", "The budget for looking at people's data is spent.", until_ms=until)
        return [self._answer(item, session, persons.get(item), refused) for item in items]

    def _price(self, session: Live, person: UUID) -> tuple[int, bool, int]:
        """(cost, allowed, when there is budget again)."""
        if session.is_citizen:
            return 0, self._people.acts_for(session.person, person), 0
        if self._granted(session.office, person):
            return 0, True, 0
        until = self._budgets.take(session.person, session.office, COST)
        return (COST, True, 0) if until is None else (COST, False, until)

    def _answer(
        self, item: Item, session: Live, person: UUID | None, refused: dict[UUID, str]
    ) -> dict[str, Any]:
        if person is None:
            return {"refused": "unknown_person"}
        if person in refused:
            return {"refused": refused[person]}
        try:
            if item.kind == "register":
                text = self._people.field(person, item.name)
                return {"text": text} if text else {"refused": "no_value"}
            if item.kind == "claims":
                text, salt = self._vault.open_claims(person, item.pseudonym, item.service, item.blob)
                return {"text": text, "holder_salt": salt} if session.is_citizen else {"text": text}
            return {"text": self._vault.open_field(self._cell(item, person), item.blob)}
        except (RecordsBroken, UnicodeDecodeError):
            return {"refused": "broken"}

    @staticmethod
    def _cell(item: Item, person: UUID) -> Cell:
        if item.row is None:
            raise RecordsBroken("A sealed field has no row.")
        return Cell(item.table, item.column, item.row, person, item.pseudonym, item.service)

    def _persons(self, items: Sequence[Item]) -> dict[Item, UUID]:
        found = {}
        for item in items:
            try:
                found[item] = self._people.person(item.pseudonym, item.service)
            except Refusal:
                continue
        return found

    # Finding and granting ------------------------------------------------------------------------------

    def find(self, session: Live, identifier_type: str, identifier: str, service: str) -> UUID | None:
        """The pseudonym of the one with exactly this identifier. Costs 10 whether or not there is one."""
        self._official(session)
        canonical = self._people.normalise(identifier_type, identifier)
        person = self._people.by_identifier(identifier_type, canonical)
        self._pay("find", session, person, service, "find")
        return self._people.pseudonym(person, service) if person else None

    def grant(
        self, session: Live, pseudonym: UUID, service: str, *, office: UUID, day: date, ref: UUID
    ) -> None:
        """Let an office look at a person on one day at no cost.

        Citizens for themselves and wards. Officials for their own office: cost 10, unless they paid for this person
        within a day (they just found them) or this very grant stands already.
        """
        person = self._people.person(pseudonym, service)
        today = self._people.today()
        if not today - timedelta(days=1) <= day <= today + timedelta(days=GRANT_DAYS):
            raise Refusal("bad_day", "A grant is for a day from yesterday to a year ahead.")
        if self._register.one("SELECT 1 FROM office WHERE id = ?", office.bytes) is None:
            raise Refusal("unknown_office", "There is no such office.")
        row = self._register.one("SELECT person, office, day FROM access_grant WHERE ref = ?", ref.bytes)
        if row == (person.bytes, office.bytes, day.isoformat()):
            return
        if session.is_citizen:
            if not self._people.acts_for(session.person, person):
                raise Refusal("not_yours", "This is not you, nor anyone you act for.")
        else:
            if session.office != office:
                raise Refusal("role", "Officials make grants for their own office only.")
            self._official(session)
            moved = row is not None and row[0] == person.bytes and row[1] == office.bytes
            if not moved and not self._looks.paid_since(session.person, person, self._clock() - DAY_MS):
                self._pay("grant", session, person, service, "grant")
        self._committer.commit(
            {"type": "grant", "ref": ref, "person": person, "office": office, "day": day.isoformat()}
        )

    def revoke_grant(self, ref: UUID) -> None:
        """Take a grant back; unknown ones are fine."""
        if self._register.one("SELECT 1 FROM access_grant WHERE ref = ?", ref.bytes):
            self._committer.commit({"type": "grant_revoked", "ref": ref})

    def may_act_for(self, session: Live, person: UUID) -> bool:
        """Whether a session may get tickets for a person: one's own, wards; officials for anyone."""
        if session.is_citizen:
            return self._people.acts_for(session.person, person)
        return session.role != OPERATOR

    def _pay(self, kind: str, session: Live, person: UUID | None, service: str, purpose: str) -> None:
        until = self._budgets.take(session.person, session.office, COST)
        self._looks.add(
            [
                self._look(
                    kind,
                    session,
                    person,
                    [],
                    purpose=purpose,
                    cost=COST,
                    allowed=until is None,
                    service=service,
                )
            ]
        )
        if until is not None:
            raise Refusal("budget", "The budget for looking at people's data is spent.", until_ms=until)

    def _official(self, session: Live) -> None:
        if session.role in {CITIZEN, OPERATOR} or session.office is None:
            raise Refusal("role", "Only officials of an office may do this.")
        if self._looks.overdue:
            raise Refusal(
                "log_unconfirmed", "The journal is behind with the log of looks: nothing is opened now."
            )

    def _granted(self, office: UUID | None, person: UUID) -> bool:
        if office is None:
            return False
        row = self._register.one(
            "SELECT 1 FROM access_grant WHERE person = ? AND office = ? AND day = ? LIMIT 1",
            *(person.bytes, office.bytes, self._people.today().isoformat()),
        )
        return row is not None

    @staticmethod
    def _look(
        kind: str,
        session: Live,
        person: UUID | None,
        items: Sequence[Item],
        *,
        purpose: str,
        cost: int,
        allowed: bool,
        service: str = "",
    ) -> Look:
        return look(
            kind,
            official=session.person,
            office=session.office,
            role=session.role,
            sid=session.sid,
            person=person,
            service=service or items[0].service,
            purpose=purpose,
            fields=sorted({item.name for item in items}),
            cost=cost,
            allowed=allowed,
        )


def _by_person(items: Sequence[Item], persons: dict[Item, UUID]) -> dict[UUID, list[Item]]:
    grouped: dict[UUID, list[Item]] = {}
    for item in items:
        if item in persons:
            grouped.setdefault(persons[item], []).append(item)
    return grouped


def register_item(pseudonym: UUID, service: str, field: str) -> Item:
    """An item of the register. Raises Refusal("bad_request") for a field that the register does not give out."""
    if field not in FIELDS:
        raise Refusal("bad_request", "The register has no field of this name.")
    return Item("register", pseudonym, service, field)
