"""Who may read what, at what cost. The one door through which personal values leave the keeper.

Citizens read themselves and their wards: free, not logged. Officials of an office read anyone, and for each person in
each call one look is on the log before the answer: cost 0 with a grant for their office and today, else 10 of the
budgets. The operator reads nobody. Tries beyond a budget, and citizens' tries at strangers, are logged as refused.
A protected person opens to an official with a second official's release only, and the contact is told (protected.py).
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kulla.keeper.errors import RecordsBroken, Refusal
from kulla.keeper.families.rules import IDENTITY
from kulla.keeper.families.store import Families
from kulla.keeper.grants import Grants
from kulla.keeper.looks import Look
from kulla.keeper.metering import COST, Meter, entry
from kulla.keeper.people import FIELDS, People
from kulla.keeper.protected import HIDDEN, Protected
from kulla.keeper.roles import READERS
from kulla.keeper.sessions import Live
from kulla.keeper.vault import Cell, Vault

TRIED_S = 3600.0
TRIED_LIMIT = 100_000


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
        vault: Vault,
        people: People,
        families: Families,
        protected: Protected,
        grants: Grants,
        meter: Meter,
    ) -> None:
        self._vault, self._people, self._families, self._protected = vault, people, families, protected
        self._grants, self._meter = grants, meter
        self._tried: OrderedDict[tuple[UUID, UUID], float] = OrderedDict()
        self._paid: OrderedDict[tuple[UUID, UUID], float] = OrderedDict()  # tries at protected persons
        self._lock = threading.Lock()

    def open(self, session: Live, items: Sequence[Item], purpose: str) -> list[dict[str, Any]]:
        """One answer for each item. Raises Refusal("budget", until_ms) when officials may open nothing of it,
        "role", "log_unconfirmed", "log_failed"."""
        if not session.is_citizen:
            self._meter.official(session)
        persons = self._persons(items)
        refused: dict[UUID, str] = {}
        entries: list[Look] = []
        until = 0
        grouped = _by_person(items, persons)
        for person, theirs in grouped.items():
            closed = not session.is_citizen and self._protected.closed(session, person, purpose)
            price = self._price_of_asking(session, person) if closed else self._price(session, person, theirs)
            cost, allowed, when = price
            until = max(until, when)
            if not allowed:
                short = "budget" if when or not closed else "protected"
                refused[person] = "not_yours" if session.is_citizen else short
            if (allowed and not session.is_citizen) or (not allowed and self._first_try(session, person)):
                what = {"service": theirs[0].service, "purpose": purpose}
                names = [item.name for item in theirs]
                entries.append(entry("open", session, person, names, **what, cost=cost, allowed=allowed))
        if entries:
            self._meter.looks.add(entries)
        if not session.is_citizen:
            for person in grouped.keys() - refused.keys():
                if self._protected.is_protected(person) and not self._protected.looked(session, person):
                    refused[person] = "protected"
        if until and len(refused) == len(grouped):
            raise Refusal("budget", "The budget for looking at people's data is spent.", until_ms=until)
        return [self._answer(item, session, persons.get(item), refused) for item in items]

    def _first_try(self, session: Live, person: UUID) -> bool:
        """Whether a refused try is to be logged: once an hour for each who tries and each person.

        Otherwise whoever has one session could fill a person's page, and the journal, with tries.
        """
        key, now = (session.person, person), time.monotonic()
        with self._lock:
            last = self._tried.pop(key, None)
            again = last is not None and now - last < TRIED_S
            self._tried[key] = last if again and last is not None else now
            if len(self._tried) > TRIED_LIMIT:
                self._tried.popitem(last=False)
        return not again

    def _price(self, session: Live, person: UUID, items: Sequence[Item]) -> tuple[int, bool, int]:
        """(cost, allowed, when there is budget again). Of citizens each item is asked again, see `_theirs`."""
        if session.is_citizen:
            return 0, any(self._theirs(session, person, item) for item in items), 0
        if self._grants.holds(session.office, person):
            return 0, True, 0
        until = self._meter.budgets.take(session.person, session.office, COST)
        return (COST, True, 0) if until is None else (COST, False, until)

    def _price_of_asking(self, session: Live, person: UUID) -> tuple[int, bool, int]:
        """The same for one who is protected and not released: as much as for anyone, once an hour. A refusal that cost
        nothing, or that came while there is no budget, would sort out who is protected among all pseudonyms."""
        if self._grants.holds(session.office, person) or self._paid_lately(session, person):
            return 0, False, 0
        until = self._meter.budgets.take(session.person, session.office, COST)
        if until is not None:
            return COST, False, until
        with self._lock:
            self._paid[session.person, person] = time.monotonic()
            while len(self._paid) > TRIED_LIMIT:
                self._paid.popitem(last=False)
        return COST, False, 0

    def _paid_lately(self, session: Live, person: UUID) -> bool:
        """Whether this official has paid for this person within the hour: found, opened, or tried to open them."""
        with self._lock:
            at = self._paid.get((session.person, person))
        if at is not None and time.monotonic() - at < TRIED_S:
            return True
        hour_ago = int(time.time() * 1000) - int(TRIED_S * 1000)
        return self._meter.looks.paid_since(session.person, person, hour_ago)

    def pay_for_asking(self, session: Live, person: UUID, service: str) -> None:
        """A question about a release costs like a look, whether or not the person is protected, unless this official
        may look today or has paid for the person within the hour. Raises Refusal("role", "log_unconfirmed", "budget").
        """
        self._meter.official(session)
        if not self._grants.holds(session.office, person) and not self._paid_lately(session, person):
            self._meter.pay("find", session, person, service, "asking")
            self._protected.found(session, person)

    def _theirs(self, session: Live, person: UUID, item: Item) -> bool:
        """Whether a citizen may read this: one's own, or of somebody whom they act for in this service. The pages of
        identity show wards by name only: they belong to no scope."""
        if session.person == person:
            return True
        if item.service == IDENTITY and (item.kind, item.name) != ("register", "name"):
            return False
        return self._families.acts_for(session.person, person, item.service)

    def _answer(
        self, item: Item, session: Live, person: UUID | None, refused: dict[UUID, str]
    ) -> dict[str, Any]:
        if person is None:
            return {"refused": "unknown_person"}
        others = session.is_citizen and not self._theirs(session, person, item)
        if others or person in refused:
            return {"refused": "not_yours" if others else refused[person]}
        try:
            if item.kind == "register":
                # A hidden address looks as if there were none.
                hidden = item.name in HIDDEN and self._protected.hides_address(person)
                text = "" if hidden else self._people.field(person, item.name)
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

    def look_at(
        self, session: Live, person: UUID, fields: Sequence[str], *, service: str, purpose: str
    ) -> None:
        """An official's look at things that the keeper itself holds about a person: the same rules, price and log as
        `open`. Again within an hour for the same purpose it is logged and costs nothing.

        Raises Refusal("role", "log_unconfirmed", "log_failed", "budget", "protected").
        """
        self._meter.official(session)
        closed = self._protected.closed(session, person, purpose)
        hour_ago = int(time.time() * 1000) - int(TRIED_S * 1000)
        again = self._meter.looks.looked_since(session.person, person, hour_ago, purpose)
        cost, allowed, until = 0, not closed, 0
        if allowed and not again and not self._grants.holds(session.office, person):
            until = self._meter.budgets.take(session.person, session.office, COST) or 0
            cost, allowed = COST, not until
        if allowed or self._first_try(session, person):
            what = {"service": service, "purpose": purpose}
            noted = entry("open", session, person, fields, **what, cost=cost, allowed=allowed)
            self._meter.looks.add([noted])
        if until:
            raise Refusal("budget", "The budget for looking at people's data is spent.", until_ms=until)
        if closed:  # the try is the question: a colleague finds it among the decisions
            self._protected.ask(session, person, service, purpose)
        elif not self._protected.is_protected(person) or self._protected.looked(session, person):
            return
        raise Refusal("protected", "This person is protected: a second official must release the look.")

    # Finding -------------------------------------------------------------------------------------------

    def find(self, session: Live, identifier_type: str, identifier: str, service: str) -> UUID | None:
        """The pseudonym of the one with exactly this identifier. Costs 10 whether or not there is one."""
        person = self.search(session, identifier_type, identifier, "find", service)
        return self._people.pseudonym(person, service) if person else None

    def search(
        self, session: Live, identifier_type: str, identifier: str, purpose: str, service: str = "identity"
    ) -> UUID | None:
        """The same for parts of the keeper, which need no pseudonym."""
        self._meter.official(session)
        canonical = self._people.normalise(identifier_type, identifier)
        person = self._people.by_identifier(identifier_type, canonical)
        self._meter.pay("find", session, person, service, purpose)
        self._protected.found(session, person)
        return person

    def may_act_for(self, session: Live, person: UUID, service: str) -> bool:
        """Whether a session may get tickets for a person in a service: one's own, wards; officials for anyone."""
        if session.is_citizen:
            return self._families.acts_for(session.person, person, service)
        return session.role in READERS


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
