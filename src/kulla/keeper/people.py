"""Persons: identifiers, profiles, pseudonyms. Nothing here decides who may read; see opening.py."""

import hashlib
import hmac
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from kulla.journal.ids import now_ms, uuid7
from kulla.journal.wire import holder_commitment, length_prefixed
from kulla.keeper import identifiers as kinds
from kulla.keeper import numbers
from kulla.keeper.errors import Refusal
from kulla.keeper.identifiers import PUBLIC, REFERENCE, Identifiers
from kulla.keeper.keys import keyed_uuid
from kulla.keeper.register import Register
from kulla.keeper.vault import IDENTITY, Cache, Vault, seal_own

NUMBER, STAFF = kinds.NUMBER, kinds.STAFF
ALIVE, DEAD, ABROAD = "alive", "dead", "moved_abroad"
PSEUDONYM = "pseudonym:"  # names of the system keys, one a service
_SERVICE = re.compile(r"[a-z][a-z0-9_]{0,31}")
MAX_SERVICES = 40  # each costs a rebuild one pseudonym for everybody
FIELDS = ("name", "birth_date", "number", "phone", "email", "language")

Body = dict[str, Any]


class People:
    """Who is who."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        scheme: numbers.Scheme,
        time_zone: str,
        services: tuple[str, ...] = (),
    ) -> None:
        """`services`: all that there may be; empty means any."""
        self._register, self._vault, self._services = register, vault, services
        self.kinds = Identifiers(scheme)
        self.updating = threading.RLock()  # held from update_body to its commit: no change loses another
        self.zone = ZoneInfo(time_zone)
        self._persons: Cache[UUID, tuple[UUID, str] | None] = Cache()
        self._pseudonyms: Cache[tuple[UUID, str], UUID] = Cache()
        # A telephone number or e-mail address that the person has changed since the register told one; accounts knows.
        self.reached: Callable[[UUID, str], str | None] = lambda _person, _channel: None

    @property
    def caches(self) -> tuple[Cache[Any, Any], ...]:
        """What is kept of people."""
        return (self._persons, self._pseudonyms)

    def today(self) -> date:
        """The local day of this country."""
        return datetime.now(self.zone).date()

    # Identifiers ---------------------------------------------------------------------------------------

    def normalise(self, identifier_type: str, identifier: str) -> str:
        """The canonical form. Raises Refusal("bad_identifier")."""
        return self.kinds.normalise(identifier_type, identifier)

    def mark(self, identifier_type: str, canonical: str) -> bytes:
        """The HMAC under which an identifier is looked up."""
        return hmac.digest(
            self._vault.system("lookup"), length_prefixed(identifier_type, canonical), hashlib.sha256
        )

    def by_identifier(self, identifier_type: str, canonical: str) -> UUID | None:
        """The person with exactly this identifier."""
        mark = self.mark(identifier_type, canonical)
        row = self._register.one("SELECT person FROM identifier WHERE mark = ?", mark)
        return UUID(bytes=row[0]) if row else None

    def holders(self, marks: Sequence[bytes]) -> dict[bytes, bytes]:
        """Mark: person (as the tables keep ids), of those marks that belong to somebody."""
        found: dict[bytes, bytes] = {}
        for start in range(0, len(marks), 500):
            group = marks[start : start + 500]
            places = ", ".join("?" * len(group))
            found.update(
                self._register.rows(f"SELECT mark, person FROM identifier WHERE mark IN ({places})", *group)  # noqa: S608
            )
        return found

    def sign_in_marks(self, text: str) -> list[bytes]:
        """The marks that what was typed at sign-in may stand for: always as many, so that all texts go one way."""
        return [
            self.mark("none", text[:64]) if canonical is None else self.mark(kind, canonical)
            for kind, canonical in self.kinds.typed(text)
        ]

    def account_mark(self, text: str) -> bytes:
        """The name under which tries to sign in with this text are counted: one for all its spellings."""
        return self.mark("account", self.kinds.account(text))

    def by_marks(self, marks: Iterable[bytes]) -> UUID | None:
        """The first person that one of these marks belongs to."""
        rows = [self._register.one("SELECT person FROM identifier WHERE mark = ?", mark) for mark in marks]
        return next((UUID(bytes=row[0]) for row in rows if row), None)

    def identifiers(self, person: UUID) -> list[tuple[str, str]]:
        """(kind, canonical form) of all that this person is known by; may be empty."""
        return known_identifiers(self.profile(person))

    def identifier_bodies(self, person: UUID, kind: str, text: str, *, remove: bool = False) -> list[Body]:
        """The changes that give a person one more identifier, or take one away; hold `updating` until they count.

        Raises Refusal("bad_identifier", "identifier_taken", "unknown_person").
        """
        canonical = self.normalise(kind, text)
        mark, holder = self.mark(kind, canonical), self.by_identifier(kind, canonical)
        known = self.identifiers(person)
        if holder not in {None, person} or (remove and holder != person):
            raise Refusal("identifier_taken", "This identifier belongs to somebody else.")
        change = (
            {"type": "identifier_removed"} if remove else {"type": "identifier_added", "identifier": kind}
        )
        changed = [each for each in known if each != (kind, canonical)]
        changed += [] if remove else [(kind, canonical)]
        changes: dict[str, Any] = {"identifiers": [list(each) for each in changed]}
        if kind == NUMBER:
            changes["number"] = "" if remove else canonical
        bodies: list[Body] = [self.update_body(person, changes)]
        if remove or holder is None:
            bodies.append({**change, "person": person, "mark": mark})
        return bodies

    # Profiles ------------------------------------------------------------------------------------------

    def new(
        self, profile: dict[str, Any], identifiers: list[tuple[str, str]]
    ) -> tuple[UUID, list[tuple[bytes, Body]]]:
        """A new person and the (record id, body) that make them: a data key, then the person.

        `profile` has first_name, last_name, birth_date (ISO), sex, number, phone, email, language, address, and may
        have place, status, death_date (ISO).
        """
        person, (key_id, key), entry = self.make(profile, identifiers)
        return person, [(key_id, key), (person.bytes, {"type": "people", "people": [entry]})]

    def make(
        self,
        profile: dict[str, Any],
        identifiers: list[tuple[str, str]],
        known_marks: Sequence[bytes] = (),
    ) -> tuple[UUID, tuple[bytes, Body], list[Any]]:
        """(person, data key record, entry of a record "people") of somebody new. The data key for services is made
        at its first use. Ids grow with time, so that the register's tables grow at their ends."""
        person = uuid7()
        key, opened = self._vault.new_data_key(person, IDENTITY)
        profile = {**profile, "identifiers": [list(each) for each in identifiers]}
        if not profile["number"]:
            profile["holder"] = holder_text(person, identifiers)
        sealed = seal_own(key["id"], opened, person, "profile", profile)
        found = known_marks or [self.mark(*each) for each in identifiers]
        marks = [[kind, mark] for (kind, _), mark in zip(identifiers, found, strict=True)]
        return person, (key["id"], key), [person, sealed, marks]

    def update_body(self, person: UUID, changes: Mapping[str, Any], source: str = "") -> Body:
        """The record that changes some fields of a profile; hold `updating` until it counts.

        Raises Refusal("unknown_person").
        """
        profile = {**self.profile(person), **changes}
        sealed = self._vault.seal_own(person, "profile", profile)
        body = {"type": "profile", "person": person, "profile": sealed, "source": source}
        return {**body, "changed": sorted(changes)}

    def death_bodies(self, person: UUID, day: str, source: str = "") -> list[Body]:
        """The changes that record a death; `day` is ISO or "" when it is not known."""
        changes = {"status": DEAD, "death_date": day}
        return [
            self.update_body(person, changes, source),
            {"type": "person_died", "person": person, "at": now_ms()},
        ]

    def revival_bodies(self, person: UUID, source: str = "") -> list[Body]:
        """The changes that take back a death that was recorded by mistake."""
        changes = {"status": ALIVE, "death_date": ""}
        return [self.update_body(person, changes, source), {"type": "person_lives", "person": person}]

    def is_dead(self, person: UUID) -> bool:
        """Whether a death is recorded."""
        row = self._register.one("SELECT status FROM person_status WHERE person = ?", person.bytes)
        return row is not None and row[0] == DEAD

    def profile(self, person: UUID) -> dict[str, Any]:
        """What the register knows. Raises Refusal("unknown_person")."""
        row = self._register.one("SELECT profile FROM person WHERE id = ?", person.bytes)
        if row is None:
            raise Refusal("unknown_person", "The register does not have this person.")
        profile: dict[str, Any] = self._vault.open_own(person, "profile", row[0])
        return profile

    def field(self, person: UUID, name: str) -> str:
        """One field as text; empty when it is not known."""
        profile = self.profile(person)
        if name == "name":
            return full_name(profile)
        if name in {"phone", "email"} and (changed := self.reached(person, name)) is not None:
            return changed
        return str(profile.get(name) or "")

    def commitment(self, person: UUID) -> tuple[str, str, str]:
        """(number, name, birth date): what a holder commitment commits to.

        Whoever entered the register without a national number keeps the text they were first known by, such as
        "passport ALB BA1234567", whatever documents follow; my data shows it.
        """
        profile = self.profile(person)
        return profile.get("holder") or profile["number"], full_name(profile), profile["birth_date"]

    def mint(self, person: UUID, service: str, count: int) -> list[dict[str, bytes]]:
        """Tickets for a person in a service."""
        number, name, born = self.commitment(person)
        pseudonym = self.pseudonym(person, service)
        return [
            self._vault.mint_ticket(
                person, pseudonym, service, lambda salt: holder_commitment(salt, number, name, born)
            )
            for _ in range(count)
        ]

    def count(self) -> int:
        """How many persons there are."""
        row = self._register.one("SELECT count(*) FROM person")
        return int(row[0]) if row else 0

    # Pseudonyms ----------------------------------------------------------------------------------------

    def pseudonym(self, person: UUID, service: str) -> UUID:
        """The person's name in one service. Raises Refusal("bad_service", "copies_unavailable")."""
        return self._pseudonyms.get((person, service), lambda: self._give(person, service))

    def person(self, pseudonym: UUID, service: str) -> UUID:
        """Who is behind a pseudonym of this service. Raises Refusal("unknown_person")."""
        found = self._persons.get(pseudonym, lambda: self._find(pseudonym))
        if found is None or found[1] != service:
            self._persons.drop(pseudonym)
            raise Refusal("unknown_person", "Nobody has this pseudonym in this service.")
        return found[0]

    def check_service(self, service: str) -> None:
        """Raise Refusal("bad_service") for what is no service, or cannot be a service's name."""
        if not _SERVICE.fullmatch(service) or (self._services and service not in self._services):
            raise Refusal("bad_service", "There is no service of this name.")

    def _give(self, person: UUID, service: str) -> UUID:
        self.check_service(service)
        name = PSEUDONYM + service
        known = self._vault.system_names(PSEUDONYM)
        if name not in known and len(known) >= MAX_SERVICES:
            raise Refusal("bad_service", "There are too many services.")
        pseudonym = keyed_uuid(self._vault.ensure_system(name), person.bytes)
        if self._register.one("SELECT 1 FROM pseudonym WHERE pseudonym = ?", pseudonym.bytes) is None:
            row = (pseudonym.bytes, service, person.bytes)
            self._register.note("INSERT OR REPLACE INTO pseudonym VALUES (?, ?, ?)", [row])
        return pseudonym

    def _find(self, pseudonym: UUID) -> tuple[UUID, str] | None:
        row = self._register.one("SELECT person, service FROM pseudonym WHERE pseudonym = ?", pseudonym.bytes)
        return (UUID(bytes=row[0]), row[1]) if row else None


def full_name(profile: dict[str, Any]) -> str:
    """First and last name with one space."""
    return f"{profile['first_name']} {profile['last_name']}".strip()


def known_identifiers(profile: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(kind, canonical form) in a profile; the first keepers wrote the number alone."""
    if "identifiers" in profile:
        return [(kind, canonical) for kind, canonical in profile["identifiers"]]
    number = profile["number"]
    return [(NUMBER if number[:1].isupper() or number[:1].isdigit() else STAFF, number)] if number else []


def holder_text(person: UUID, identifiers: list[tuple[str, str]]) -> str:
    """What stands in receipts for the number of someone who has none."""
    named = [f"{kind} {canonical}" for kind, canonical in identifiers if kind in (*PUBLIC, REFERENCE)]
    return named[0] if named else f"{REFERENCE} {person}"


def derive_pseudonyms(register: Register, vault: Vault) -> None:
    """Fill the table from pseudonym to person for all persons and services (after a rebuild)."""
    for name in vault.system_names(PSEUDONYM):
        service, key = name.removeprefix(PSEUDONYM), vault.system(name)
        after = b""
        while persons := [
            row[0]
            for row in register.rows("SELECT id FROM person WHERE id > ? ORDER BY id LIMIT 10000", after)
        ]:
            rows = [(keyed_uuid(key, person).bytes, service, person) for person in persons]
            register.note("INSERT OR REPLACE INTO pseudonym VALUES (?, ?, ?)", rows)
            after = persons[-1]
