"""Recording one fact: the changed rows and one outbox row in one transaction.

Statements of an entry that inserts one kept row on PostgreSQL: BEGIN, open, INSERT, outbox, COMMIT.
"""

import hashlib
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID, uuid5

from django.db import Error, IntegrityError, connection, transaction

from kulla import keeper_client
from kulla.journal.entry import MAX_PAYLOAD, Claims
from kulla.keeper_client import Ticket
from kulla.record import images as images_of
from kulla.record import kinds, readiness, sqlite_capture
from kulla.record.effects import Effect, pack
from kulla.record.errors import AlreadyRecorded, OutboxFull, ReadOnly, RecordError
from kulla.record.images import Shape
from kulla.record.kept import db_uuids
from kulla.record.signals import committed

_NAMESPACE = UUID("6b756c6c-6100-5000-8000-656e74727900")  # "kulla" and "entry" in hex; frozen


class Actor(Protocol):
    """Who acts: the keeper's attestation for this session and service (registry.actor.Actor has it)."""

    @property
    def attestation(self) -> bytes:
        """What the keeper signed when the actor entered the service."""
        ...


@dataclass
class Entry:
    """An open entry. `claims` and `after` may still be set while it is open."""

    uuid: UUID
    kind: str
    claims: Sequence[tuple[str, str]] | None = None
    after: list[Effect] = field(default_factory=list)


def entry_id(owner: UUID, idempotency_key: str) -> UUID:
    """The id of the entry that this form makes for this person or office: the same form, the same entry."""
    return uuid5(_NAMESPACE, f"{owner.hex}:{idempotency_key}")


_open = threading.local()


@contextmanager
def entry(
    kind: str,
    *,
    key: UUID,
    person: UUID | None = None,
    office: UUID | None = None,
    actor: Actor | str,
    ticket: Ticket | None = None,
    claims: Sequence[tuple[str, str]] | None = None,
    after: Iterable[Effect] = (),
) -> Iterator[Entry]:
    """Record one fact. Everything inside commits together with its outbox row, or nothing does.

    kind: declared by a service. key: the entry's id, see `entry_id`. actor: the actor, or "job:<name>".
    claims: the receipt's lines (name, text), sealed with `ticket` for its holder. after: what the keeper is
    asked to do once the entry is received.

    Raises AlreadyRecorded when an entry with this id exists, OutboxFull and ReadOnly before anything is
    written, RecordError for a mistake in the calling code; whatever the body raises rolls it all back.
    """
    declared = kinds.find(kind)
    if getattr(_open, "uuid", None) is not None:
        raise RecordError(f"The entry {kind} was opened inside another one; one fact is one entry.")
    readiness.check()
    opened = Entry(key, kind, claims, list(after))
    _open.uuid = key
    try:
        with transaction.atomic(durable=True):
            begin(key)
            yield opened
            _finish(opened, declared, person=person, office=office, actor=actor, ticket=ticket)
    except (AlreadyRecorded, OutboxFull, ReadOnly):
        raise
    except Exception as error:
        # The same form sent twice at once: the second one meets the first one's rows before its id does.
        if is_recorded(key):
            raise AlreadyRecorded(key) from error
        raise
    finally:
        _open.uuid = None
    committed.set()


def is_recorded(uuid: UUID) -> bool:
    """Whether an entry with this id is committed. False when the connection is in a broken transaction."""
    if connection.needs_rollback:
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute(_EXISTS, db_uuids(uuid, uuid))
            return bool(cursor.fetchone()[0])
    except Error:  # the database is away: what the caller met says more
        return False


_EXISTS = (
    "SELECT EXISTS (SELECT 1 FROM record_entry WHERE uuid = %s)"
    " OR EXISTS (SELECT 1 FROM record_outbox WHERE uuid = %s)"
)
_OPEN = _EXISTS + ", (SELECT closed FROM record_state WHERE id = 1)"  # noqa: S608
_TELL_TRIGGERS = ", set_config('kulla.entry', %s, true), set_config('kulla.images', '', true)"


def begin(key: UUID) -> None:
    """Tell the triggers which entry is open, and learn in the same statement whether it may be."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_OPEN + _TELL_TRIGGERS, [key, key, str(key)])
        else:
            cursor.execute(_OPEN, db_uuids(key, key))
        exists, closed = cursor.fetchone()[:2]
        if exists:
            raise AlreadyRecorded(key)
        if closed:
            raise ReadOnly(closed)
        if connection.vendor == "sqlite":
            sqlite_capture.open_entry(cursor, key)


def _finish(
    opened: Entry,
    declared: kinds.Kind,
    *,
    person: UUID | None,
    office: UUID | None,
    actor: Actor | str,
    ticket: Ticket | None = None,
    shapes: Mapping[str, Shape] | None = None,
) -> None:
    said = opened.claims
    if said is not None:  # what the actor adds to every receipt, such as that it was done at a counter
        said = [*said, *getattr(actor, "also_claims", ())]
    sealed, digest = _seal(said, ticket)
    given = actor if isinstance(actor, str) else "hex:" + actor.attestation.hex()
    if isinstance(actor, str) and not actor.startswith("job:"):
        raise RecordError(f"An actor is an Actor or 'job:<name>', not {actor!r}.")
    now = time.time_ns() // 1_000_000
    head: list[Any] = [*db_uuids(opened.uuid), now, opened.kind, declared.service, *db_uuids(person, office)]
    values = [*head, given, sealed, digest, pack(opened.after)]
    columns = "uuid, at_ms, kind, service, person, office, actor, claims, claims_hash, effects, images"
    nothing = "" if declared.allow_empty else None
    marks = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            images = "coalesce(nullif(current_setting('kulla.images', true), ''), %s)"
            try:
                cursor.execute(
                    f"INSERT INTO record_outbox ({columns}) VALUES ({marks}, {images})"  # noqa: S608
                    " RETURNING octet_length(images)",
                    [*values, nothing],
                )
            except IntegrityError as error:
                raise _explain(error, opened) from error
            _check_length(opened, cursor.fetchone()[0])
            return
        lines = sqlite_capture.close_entry(cursor, shapes or images_of.shapes())
        if not lines and not declared.allow_empty:
            raise _empty(opened)
        _check_length(opened, len(lines.encode()))
        cursor.execute(
            f"INSERT INTO record_outbox ({columns}) VALUES ({marks}, %s)",  # noqa: S608
            [*values, lines],
        )


def _check_length(opened: Entry, octets: int) -> None:
    # The payload (CBOR) is shorter than these lines of JSON; claims, actor and keys get the rest of its limit.
    if octets > MAX_PAYLOAD - 64 * 1024:
        raise RecordError(
            f"The entry {opened.kind} changes too many rows at once ({octets} bytes): split it into several."
        )


def finish_migration(opened: Entry, shapes: Mapping[str, Shape]) -> None:
    """End an entry inside a migration's own transaction, which goes on to change tables afterwards."""
    touched = "SELECT EXISTS (SELECT 1 FROM record_touched)"
    if connection.vendor == "postgresql":
        touched = "SELECT current_setting('kulla.images', true) <> ''"
    with connection.cursor() as cursor:
        cursor.execute(touched)
        if cursor.fetchone()[0]:
            kind = kinds.find(opened.kind)
            _finish(opened, kind, person=None, office=None, actor="job:migrate", shapes=shapes)
        if connection.vendor == "postgresql":
            # Deferred checks run now: a table with waiting trigger events cannot be altered.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            cursor.execute("SELECT set_config('kulla.entry', '', true)")
        else:
            cursor.execute("DELETE FROM record_open")


def _explain(error: IntegrityError, opened: Entry) -> Exception:
    state = getattr(error.__cause__, "sqlstate", "")
    if state == "23505":
        return AlreadyRecorded(opened.uuid)
    return _empty(opened) if state == "23502" else error


def _empty(opened: Entry) -> RecordError:
    return RecordError(
        f"The entry {opened.kind} changed no kept row: change one inside it,"
        " or declare the kind with allow_empty."
    )


def _seal(lines: Sequence[tuple[str, str]] | None, ticket: Ticket | None) -> tuple[bytes, bytes]:
    """The sealed claims and the SHA-256 of the plain ones; nothing and the hash of nothing without claims."""
    if lines is None:
        return b"", hashlib.sha256(b"").digest()
    if ticket is None:
        raise RecordError("Claims need a ticket: a receipt belongs to somebody.")
    plain = Claims((*lines, ("holder", ticket.commitment.hex())), os.urandom(16)).encode()
    return keeper_client.seal_claims(ticket, plain), hashlib.sha256(plain).digest()
