"""Reading the ties between persons. Every call of a page asks here, so ties are remembered until a record changes them.

Whether a tie holds is decided at each reading: its dates, the ward's 18th birthday, custody and court limits, and
that both live (of an estate: that the person has died). Death and age end a tie as facts, without a record.
"""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import UUID

from kulla.keeper.errors import Refusal
from kulla.keeper.families.links import (
    ESTATE,
    FULL_AGE,
    GUARDIANSHIP,
    MANDATE,
    OF_ESTATE,
    REPRESENTED,
    Body,
    Link,
)
from kulla.keeper.families.rules import Rules
from kulla.keeper.people import People
from kulla.keeper.register import Register, Row
from kulla.keeper.vault import Vault

CACHED = 100_000
_LINKS = """
SELECT 'guardianship', NULL, guardian, ward, relation, scopes, custody, since, until, limits, adult, sealed
  FROM guardianship WHERE {guardian} = ?1
UNION ALL SELECT 'mandate', id, representative, person, '', scopes, 1, NULL, until, '', 0, NULL
  FROM mandate WHERE {representative} = ?1 AND confirmed IS NOT NULL AND ended IS NULL
UNION ALL SELECT 'estate', id, heir, dead, '', scopes, 1, NULL, until, '', 0, sealed
  FROM estate WHERE {heir} = ?1 AND ended IS NULL
ORDER BY 4, 3
"""
_OF_ACTOR = _LINKS.format(guardian="guardian", representative="representative", heir="heir")
_OF_PERSON = _LINKS.format(guardian="ward", representative="person", heir="dead")
_NAMED = ("guardian", "ward", "person", "representative", "dead", "heir")
_TIES = ("guardian", "guardianship", "mandate", "estate")  # how the kinds of records about ties begin
_PASSING = frozenset({"session", "session_ended", "grant", "grant_revoked", "notice", "credential"})

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True)
class Facts:
    """What ends ties by itself: the day of full age (None: not known, then nobody is a child), death."""

    of_age: date | None
    dead: bool


class _Remembered(Generic[Key, Value]):
    """Values until they are dropped. What was read while something was dropped is not kept: it may be older."""

    def __init__(self) -> None:
        self._values: dict[Key, Value] = {}
        self._lock = threading.Lock()
        self._drops = 0

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        with self._lock:
            if key in self._values:
                return self._values[key]
            drops = self._drops
        value = make()
        with self._lock:
            if drops == self._drops:
                if len(self._values) >= CACHED:
                    self._values.clear()
                self._values[key] = value
        return value

    def drop(self, key: Key) -> None:
        with self._lock:
            self._drops += 1
            self._values.pop(key, None)


class Families:
    """Who acts for whom."""

    def __init__(
        self, register: Register, vault: Vault, people: People, home: Path, clock: Callable[[], int]
    ) -> None:
        """`home`: the folder of keeper.json; `clock` gives milliseconds since 1970 UTC."""
        self._register, self._vault, self._people, self._clock = register, vault, people, clock
        self.rules = Rules(home / "services.json")
        self._of_actor: _Remembered[UUID, tuple[Link, ...]] = _Remembered()
        self._of_person: _Remembered[UUID, tuple[Link, ...]] = _Remembered()
        self._facts: _Remembered[UUID, Facts] = _Remembered()
        register.on_change.append(self._changed)

    def today(self) -> date:
        """The local day of this country."""
        return datetime.fromtimestamp(self._clock() / 1000, self._people.zone).date()

    # For whom somebody acts ----------------------------------------------------------------------------

    def links(self, actor: UUID) -> list[Link]:
        """Every tie of a person to others that holds today, by ward; also those without custody."""
        return self._holding(self._of_actor.get(actor, lambda: self._read(_OF_ACTOR, actor)))

    def links_to(self, person: UUID) -> list[Link]:
        """Every tie of others to this person that holds today."""
        return self._holding(self._of_person.get(person, lambda: self._read(_OF_PERSON, person)))

    def wards_in(self, actor: UUID, service: str) -> list[tuple[UUID, str]]:
        """(ward, relation) of everyone this person acts for in a service today, each once."""
        found: dict[UUID, str] = {}
        for link in self.links(actor):
            if self.rules.allows(link, service):
                found.setdefault(link.person, link.relation)
        return list(found.items())

    def wards(self, actor: UUID, scope: str | None = None) -> list[tuple[UUID, str]]:
        """(ward, relation) of everyone this person acts for today in a scope (None: in any)."""
        found: dict[UUID, str] = {}
        for link in self.links(actor):
            if _in_scope(link, scope):
                found.setdefault(link.person, link.relation)
        return list(found.items())

    def guardians(self, person: UUID, scope: str | None = None) -> list[UUID]:
        """Who acts for this person today in a scope (None: in any), each once."""
        return list(dict.fromkeys(link.actor for link in self.links_to(person) if _in_scope(link, scope)))

    def guardians_in(self, person: UUID, service: str) -> list[UUID]:
        """Who acts for this person in a service today, each once."""
        found = [link.actor for link in self.links_to(person) if self.rules.allows(link, service)]
        return list(dict.fromkeys(found))

    def acts_for(self, actor: UUID, person: UUID, service: str) -> bool:
        """Whether it is the person, or somebody who acts for them in this service today."""
        return actor == person or any(
            link.actor == actor and self.rules.allows(link, service) for link in self.links_to(person)
        )

    def readers(self, person: UUID, service: str) -> list[UUID]:
        """Who is told what a service has to say about a person: a child's guardians, an adult and who acts for them,
        the heirs of the dead. The person alone when there is nobody else."""
        facts, others = self.facts(person), self.guardians_in(person, service)
        itself = [] if others and (facts.dead or self.under_age(person)) else [person]
        return [*itself, *others]

    # Facts about one person ----------------------------------------------------------------------------

    def facts(self, person: UUID) -> Facts:
        """What ends ties by itself. An unknown person has died, so that nothing holds."""
        return self._facts.get(person, lambda: self.read_facts(person))

    def under_age(self, person: UUID) -> bool:
        """Whether a living person's 18th birthday is still to come."""
        facts = self.facts(person)
        return not facts.dead and facts.of_age is not None and self.today() < facts.of_age

    def is_dead(self, person: UUID) -> bool:
        """Whether the register says that the person has died."""
        return self.facts(person).dead

    def read_facts(self, person: UUID) -> Facts:
        """The same, read anew and not remembered: for whoever goes through all."""
        try:
            profile = self._people.profile(person)
        except Refusal:
            return Facts(None, dead=True)
        return Facts(_of_age(profile), dead=self._people.is_dead(person))

    def guardians_before(self, person: UUID) -> list[UUID]:
        """Who was this person's guardian with custody, whether or not age has ended it."""
        links, today = self._read(_OF_PERSON, person), self.today()
        found = [
            link.actor for link in links if link.kind == GUARDIANSHIP and link.custody and link.on(today)
        ]
        return [guardian for guardian in found if not self.facts(guardian).dead]

    # The court's words ---------------------------------------------------------------------------------

    def seal_details(self, person: UUID, details: dict[str, str]) -> bytes:
        """What only people read about a tie (words, court, decision), sealed under the key of its ward or dead."""
        return self._vault.seal_own(person, "tie", details)

    def details(self, link: Link) -> dict[str, str]:
        """What `seal_details` was given; {} when there is nothing."""
        if link.sealed is None:
            return {}
        opened: dict[str, str] = self._vault.open_own(link.person, "tie", link.sealed)
        return opened

    def stands(self, body: Body) -> bool:
        """Whether a guardianship with exactly these words (but the court's) is in the register already."""
        row = self._register.one(
            "SELECT relation, scopes, custody, since, until, limits, adult FROM guardianship "
            "WHERE guardian = ? AND ward = ?",
            *(body["guardian"].bytes, body["ward"].bytes),
        )
        wanted = (
            body["relation"],
            ",".join(body["scopes"]),
            int(body["custody"]),
            body["since"],
            body["until"],
        )
        return row == (*wanted, body["limits"], int(body["adult"]))

    # Inside --------------------------------------------------------------------------------------------

    def _holding(self, links: tuple[Link, ...]) -> list[Link]:
        if not links:
            return []
        today = self.today()
        return [link for link in links if link.on(today) and self._holds(link, today)]

    def _holds(self, link: Link, today: date) -> bool:
        person = self.facts(link.person)
        if self.facts(link.actor).dead or person.dead != (link.kind == ESTATE):
            return False
        if link.kind == GUARDIANSHIP and not link.adult:
            return person.of_age is not None and today < person.of_age
        return True

    def _read(self, sql: str, person: UUID) -> tuple[Link, ...]:
        return tuple(_link(row) for row in self._register.rows(sql, person.bytes))

    def _changed(self, body: Body) -> None:
        kind = body["type"]
        if kind in _PASSING:
            return
        named = {value for name in _NAMED if isinstance(value := body.get(name), UUID)}
        if kind.startswith(_TIES):
            for person in named:
                self._of_actor.drop(person)
                self._of_person.drop(person)
        else:
            for person in named:
                self._facts.drop(person)


def _in_scope(link: Link, scope: str | None) -> bool:
    return bool(link.open_scopes) if scope is None else scope in link.open_scopes


def _of_age(profile: dict[str, Any]) -> date | None:
    """The 18th birthday; who was born on 29 February has it on 1 March."""
    try:
        born = date.fromisoformat(str(profile.get("birth_date")))
    except ValueError:
        return None
    try:
        return born.replace(year=born.year + FULL_AGE)
    except ValueError:
        return date(born.year + FULL_AGE, 3, 1)


def _link(row: Row) -> Link:
    kind, tie, actor, person, relation, scopes, custody, since, until, limits, adult, sealed = row
    said: str = {MANDATE: REPRESENTED, ESTATE: OF_ESTATE}.get(kind) or relation
    return Link(
        kind,
        UUID(bytes=actor),
        UUID(bytes=person),
        said,
        frozenset(scopes.split(",")),
        custody=bool(custody),
        since=date.fromisoformat(since) if since else None,
        until=date.fromisoformat(until) if until else None,
        limits=limits,
        adult=bool(adult),
        id=UUID(bytes=tie) if tie else None,
        sealed=sealed,
    )
