"""Persons: identifiers, profiles, pseudonyms. Nothing here decides who may read; see opening.py."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from kulla.journal.wire import holder_commitment, length_prefixed
from kulla.keeper import numbers
from kulla.keeper.errors import Refusal
from kulla.keeper.keys import keyed_uuid
from kulla.keeper.register import Register
from kulla.keeper.vault import IDENTITY, SERVICES, Cache, Vault, seal_own

NUMBER = "number"  # the national number
STAFF = "staff"  # an official's sign-in name where it is no national number
PSEUDONYM = "pseudonym:"  # names of the system keys, one a service
_SERVICE = re.compile(r"[a-z][a-z0-9_]{0,31}")
_STAFF_NAME = re.compile(r"[a-z0-9][a-z0-9._@\-]{2,63}")
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
        self._register, self._vault, self._scheme, self._services = register, vault, scheme, services
        self.zone = ZoneInfo(time_zone)
        self._persons: Cache[UUID, tuple[UUID, str] | None] = Cache()
        self._pseudonyms: Cache[tuple[UUID, str], UUID] = Cache()

    def today(self) -> date:
        """The local day of this country."""
        return datetime.now(self.zone).date()

    # Identifiers ---------------------------------------------------------------------------------------

    def normalise(self, identifier_type: str, identifier: str) -> str:
        """The canonical form. Raises Refusal("bad_identifier")."""
        if identifier_type == NUMBER:
            try:
                return self._scheme.normalise(identifier)
            except numbers.BadNumber as error:
                raise Refusal("bad_identifier", str(error)) from error
        if identifier_type == STAFF and _STAFF_NAME.fullmatch(identifier.strip().lower()):
            return identifier.strip().lower()
        raise Refusal("bad_identifier", "This identifier does not have the right form.")

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

    def sign_in_marks(self, text: str) -> list[bytes]:
        """The marks that what was typed at sign-in may stand for; never empty, so that all texts go one way."""
        marks = []
        for kind in (NUMBER, STAFF):
            try:
                marks.append(self.mark(kind, self.normalise(kind, text)))
            except Refusal:
                marks.append(self.mark("none", text[:64]))
        return marks

    def by_marks(self, marks: Iterable[bytes]) -> UUID | None:
        """The first person that one of these marks belongs to."""
        rows = [self._register.one("SELECT person FROM identifier WHERE mark = ?", mark) for mark in marks]
        return next((UUID(bytes=row[0]) for row in rows if row), None)

    # Profiles ------------------------------------------------------------------------------------------

    def new(
        self, profile: dict[str, Any], identifiers: list[tuple[str, str]]
    ) -> tuple[UUID, list[tuple[bytes, Body]]]:
        """A new person and the (record id, body) that make them: two data keys, then the person.

        `profile` has first_name, last_name, birth_date (ISO), sex, number, phone, email, language, address.
        """
        person = uuid4()
        keys = [self._vault.new_data_key(person, retention) for retention in (IDENTITY, SERVICES)]
        own = keys[0]
        sealed = seal_own(own["id"], self._vault.open_new(own), person, "profile", profile)
        marks = [[kind, self.mark(kind, canonical)] for kind, canonical in identifiers]
        body = {"type": "person", "person": person, "profile": sealed, "identifiers": marks}
        return person, [(key["id"], key) for key in keys] + [(person.bytes, body)]

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
        return str(profile.get(name) or "")

    def commitment(self, person: UUID) -> tuple[str, str, str]:
        """(number, name, birth date): what a holder commitment commits to."""
        profile = self.profile(person)
        return profile["number"], full_name(profile), profile["birth_date"]

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


def derive_pseudonyms(register: Register, vault: Vault) -> None:
    """Fill the table from pseudonym to person for all persons and services (after a rebuild)."""
    persons = [row[0] for row in register.rows("SELECT id FROM person")]
    for name in vault.system_names(PSEUDONYM):
        service, key = name.removeprefix(PSEUDONYM), vault.system(name)
        rows = [(keyed_uuid(key, person).bytes, service, person) for person in persons]
        register.note("INSERT OR REPLACE INTO pseudonym VALUES (?, ?, ?)", rows)
