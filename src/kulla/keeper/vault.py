"""Sealing under data keys: fields, claims, and the register's own personal values.

Forms (the first byte is the version):
    field, ticket key   0x01 ‖ key mark (8) ‖ nonce (12) ‖ ciphertext ‖ tag
    register's own      0x01 ‖ data key id (16) ‖ nonce (12) ‖ ciphertext ‖ tag
    claims              0x02, see journal.wire
The key mark is an HMAC of the data key's id for this service: blobs of one person in two services share nothing.
"""

import hashlib
import hmac
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from kulla.journal import wire
from kulla.keeper.committer import Committer
from kulla.keeper.errors import RecordsBroken
from kulla.keeper.keys import KeyRing, WrappedKey, expand, open_box, seal_box
from kulla.keeper.register import Register

VERSION = b"\x01"
MARK = 8
IDENTITY = "identity"  # retention classes: what the register itself keeps …
SERVICES = "services"  # … and what services seal
CACHED = 100_000

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Cache(Generic[Key, Value]):
    """The values used last, for many threads."""

    def __init__(self, limit: int = CACHED) -> None:
        self._limit = limit
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value, made if it is not there. `make` may run twice when two threads ask at once."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            self._values[key] = value
            if len(self._values) > self._limit:
                self._values.popitem(last=False)
        return value

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._values.clear()

    def drop(self, key: Key) -> None:
        """Forget one value."""
        with self._lock:
            self._values.pop(key, None)


@dataclass(frozen=True)
class ServiceKey:
    """One data key as a service's blobs use it."""

    mark: bytes
    fields: bytes
    tickets: bytes


class Vault:
    """Opens keys from the register, makes those that are missing, seals and opens."""

    def __init__(self, register: Register, ring: KeyRing, committer: Committer | None) -> None:
        self._register, self._ring, self._committer = register, ring, committer
        self._making = threading.RLock()
        self._first_uses = [
            threading.Lock() for _ in range(64)
        ]  # many people's first uses share a round of commits
        self._system: dict[str, bytes] = {}
        self._keys: Cache[tuple[UUID, str], list[tuple[bytes, bytes]]] = Cache()
        self._services: Cache[tuple[UUID, str], list[ServiceKey]] = Cache()

    @property
    def caches(self) -> "tuple[Cache[Any, Any], ...]":
        """What is kept of people's keys."""
        return (self._keys, self._services)

    # System keys ---------------------------------------------------------------------------------------

    def system(self, name: str) -> bytes:
        """A system key by its name. Raises RecordsBroken when there is none."""
        if name not in self._system:
            row = self._register.one("SELECT wrapped FROM system_key WHERE name = ?", name)
            if row is None:
                raise RecordsBroken(f"The system key {name} is missing.")
            self._system[name] = self._ring.unwrap_system(name, row[0])
        return self._system[name]

    def ensure_system(self, name: str) -> bytes:
        """A system key, made at its first use. Raises Refusal("copies_unavailable") when that fails."""
        if name in self._system:
            return self._system[name]
        with self._making:
            if self._register.one("SELECT 1 FROM system_key WHERE name = ?", name) is None:
                if self._committer is None:
                    raise RecordsBroken(f"The system key {name} is missing.")
                self._committer.commit(new_system_key(self._ring, name))
            return self.system(name)

    def system_names(self, prefix: str) -> list[str]:
        """Names of system keys that begin so."""
        rows = self._register.rows("SELECT name FROM system_key WHERE name >= ? ORDER BY name", prefix)
        return [name for (name,) in rows if name.startswith(prefix)]

    # Data keys -----------------------------------------------------------------------------------------

    def new_data_key(self, person: UUID, retention: str) -> tuple[dict[str, Any], bytes]:
        """(record body, key) of a fresh data key; the caller commits it with its id as the record's id."""
        year = datetime.now(UTC).year
        self._year(year)
        key, opened = self._ring.make_data_key(person, retention, year)
        return {"type": "data_key", **vars(key)}, opened

    def data_keys(self, person: UUID, retention: str) -> list[tuple[bytes, bytes]]:
        """(id, key) of all data keys of a person in a class, oldest first; may be none."""
        return self._keys.get((person, retention), lambda: self._read_keys(person, retention))

    def _read_keys(self, person: UUID, retention: str) -> list[tuple[bytes, bytes]]:
        rows = self._register.rows(
            "SELECT id, year, wrapped, commitment FROM data_key WHERE person = ? AND retention = ? ORDER BY year, id",
            person.bytes,
            retention,
        )
        keys = []
        for key_id, year, wrapped, commitment in rows:
            self._year(year)
            keys.append(
                (
                    key_id,
                    self._ring.open_data_key(
                        WrappedKey(key_id, person, retention, year, wrapped, commitment)
                    ),
                )
            )
        if not keys:
            raise RecordsBroken("This person's data key is gone.")
        return keys

    def services_keys(self, person: UUID) -> list[tuple[bytes, bytes]]:
        """Data keys for what services seal, made at the first use. Raises Refusal("copies_unavailable"), RecordsBroken.

        "Never made" and "destroyed" differ by a record of their own, `services_key_made`, which no erasure destroys:
        a key is made only where there is no such record and the person's identity key stands.
        """
        with self._first_uses[person.int % len(self._first_uses)]:
            row = self._register.one(
                "SELECT EXISTS (SELECT 1 FROM data_key WHERE person = ?1 AND retention = ?2) "
                "OR EXISTS (SELECT 1 FROM services_key_made WHERE person = ?1)",
                *(person.bytes, SERVICES),
            )
            if row is not None and not row[0] and self._committer is not None:
                self.data_keys(person, IDENTITY)
                body, _ = self.new_data_key(person, SERVICES)
                made = {"type": "services_key_made", "person": person}
                self._committer.commit(body, made, ids=[body["id"], os.urandom(16)])
        return self.data_keys(person, SERVICES)

    def _year(self, year: int) -> None:
        if not self._ring.has_year(year):
            self.ensure_system(f"year:{year}")
            row = self._register.one("SELECT wrapped FROM system_key WHERE name = ?", f"year:{year}")
            if row is None:
                raise RecordsBroken("The key-encrypting key of a year is missing.")
            self._ring.add_year(year, row[0])

    # The register's own values -------------------------------------------------------------------------

    def seal_own(self, person: UUID, purpose: str, value: object) -> bytes:
        """A value of the register about a person, sealed for one purpose ("profile", "credential", …)."""
        key_id, key = self.data_keys(person, IDENTITY)[-1]
        return seal_own(key_id, key, person, purpose, value)

    def open_own(self, person: UUID, purpose: str, blob: bytes) -> Any:
        """What `seal_own` was given. Raises RecordsBroken."""
        key_id = blob[1:17]
        key = next((key for known, key in self.data_keys(person, IDENTITY) if known == key_id), None)
        if blob[:1] != VERSION or key is None:
            raise RecordsBroken("A sealed value of the register does not belong here.")
        opened = open_box(expand(key, f"own {purpose}"), blob[17:], _own_data(person, purpose, key_id))
        return wire.decode(wire.unpad(opened))

    # Services' values ----------------------------------------------------------------------------------

    def seal_field(self, cell: "Cell", text: str) -> bytes:
        """A text for one cell of a service's table."""
        key = self._sealing_key(cell.person, cell.service)
        return VERSION + key.mark + seal_box(key.fields, wire.pad(text.encode()), cell.associated(key.mark))

    def open_field(self, cell: "Cell", blob: bytes) -> str:
        """What `seal_field` was given. Raises RecordsBroken, also for a blob of another cell."""
        key = self._service_key(cell.person, cell.service, blob)
        opened = open_box(key.fields, blob[1 + MARK :], cell.associated(key.mark))
        return wire.unpad(opened).decode()

    def mint_ticket(
        self, person: UUID, pseudonym: UUID, service: str, commit: Callable[[bytes], bytes]
    ) -> dict[str, bytes]:
        """A one-time sealing key with a holder commitment; `commit` gives the commitment for a salt."""
        key = self._sealing_key(person, service)
        ticket_id, once, salt = os.urandom(16), os.urandom(32), os.urandom(32)
        wrapped = (
            VERSION
            + key.mark
            + seal_box(key.tickets, once + salt, _ticket_data(ticket_id, service, pseudonym))
        )
        return {"id": ticket_id, "commitment": commit(salt), "key": once, "wrapped": wrapped}

    def open_claims(self, person: UUID, pseudonym: UUID, service: str, blob: bytes) -> tuple[str, bytes]:
        """(claims, holder salt) of claims sealed with a ticket. Raises RecordsBroken."""
        try:
            ticket_id, wrapped, rest = wire.split_sealed_claims(blob)
            key = self._service_key(person, service, wrapped)
            opened = open_box(key.tickets, wrapped[1 + MARK :], _ticket_data(ticket_id, service, pseudonym))
            return wire.open_with_ticket(ticket_id, opened[:32], wrapped, rest).decode(), opened[32:]
        except (wire.WireError, UnicodeDecodeError) as error:
            raise RecordsBroken("Sealed claims do not open.") from error

    def _service_key(self, person: UUID, service: str, blob: bytes) -> ServiceKey:
        mark = blob[1 : 1 + MARK]
        for key in self._service_keys(person, service):
            if blob[:1] == VERSION and hmac.compare_digest(key.mark, mark):
                return key
        raise RecordsBroken("A sealed field was not sealed for this person in this service.")

    def _sealing_key(self, person: UUID, service: str) -> ServiceKey:
        def make() -> list[ServiceKey]:
            self.services_keys(person)
            return self._derive(person, service)

        return self._services.get((person, service), make)[-1]

    def _service_keys(self, person: UUID, service: str) -> list[ServiceKey]:
        return self._services.get((person, service), lambda: self._derive(person, service))

    def _derive(self, person: UUID, service: str) -> list[ServiceKey]:
        marks = self.system("key_marks")
        keys = []
        for key_id, key in self.data_keys(person, SERVICES):
            mark = hmac.digest(marks, wire.length_prefixed(service, key_id), hashlib.sha256)[:MARK]
            keys.append(ServiceKey(mark, expand(key, f"fields {service}"), expand(key, f"tickets {service}")))
        return keys


@dataclass(frozen=True)
class Cell:
    """Where a sealed field stands. It opens nowhere else."""

    table: str
    column: str
    row: UUID
    person: UUID
    pseudonym: UUID
    service: str

    def associated(self, mark: bytes) -> bytes:
        """The associated data (formats.md): version, table, column, row, pseudonym, key."""
        return wire.length_prefixed(
            VERSION, self.table, self.column, self.row.bytes, self.pseudonym.bytes, mark
        )


def new_system_key(ring: KeyRing, name: str, secret: bytes | None = None) -> dict[str, Any]:
    """The record body of a system key, random unless given."""
    return {"type": "system_key", "name": name, "wrapped": ring.wrap_system(name, secret or os.urandom(32))}


def seal_own(key_id: bytes, key: bytes, person: UUID, purpose: str, value: object) -> bytes:
    """Seal a register's value under a key that may not be committed yet."""
    box = seal_box(
        expand(key, f"own {purpose}"), wire.pad(wire.encode(value)), _own_data(person, purpose, key_id)
    )
    return VERSION + key_id + box


def _own_data(person: UUID, purpose: str, key_id: bytes) -> bytes:
    return wire.length_prefixed("kulla-own/1", person.bytes, purpose, key_id)


def _ticket_data(ticket_id: bytes, service: str, pseudonym: UUID) -> bytes:
    return wire.length_prefixed("kulla-ticket/1", ticket_id, service, pseudonym.bytes)
