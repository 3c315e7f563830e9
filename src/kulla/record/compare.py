"""Comparing the tables with the journal: what a thief changed behind its back is named.

1. The checkpoint must satisfy the policy, every payload must lead to its root (walking.py).
2. The newest image of every row goes into a scratch SQLite file, so memory stays flat.
3. Every row of every kept table must be exactly its newest image; every image must have its row or its grave.
4. record_entry, which pages read, must say of each entry what the journal says.
All of it against one snapshot of the tables; rows of entries that still wait in the outbox are taken from there.
"""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import cbor2
from django.db import connection, transaction

from kulla.journal.checkpoint import Checkpoint, parse_checkpoint
from kulla.journal.entry import Image
from kulla.journal.errors import JournalError
from kulla.journal.note import split_note
from kulla.journal.policy import Policy
from kulla.journal.store import LogFolder
from kulla.record import images, readiness, tables
from kulla.record.errors import RebuildError
from kulla.record.models import Entry, Outbox
from kulla.record.walking import Found, SegmentKey, walk

_CHUNK = 2_000
_WAITING = -1  # stands for the index of an entry that is not in the journal yet


def compare(
    *,
    journal: Path,
    policy: Policy,
    segment_key: SegmentKey,
    progress: Callable[[str, int, int], None] = lambda _step, _done, _total: None,
) -> list[str]:
    """Each difference between the tables and the journal as one sentence; [] when there is none.

    Writes nothing, and the portal may go on meanwhile: one snapshot of the tables is compared.
    Raises RebuildError when the journal itself does not hold.
    """
    folder = LogFolder(journal)
    note = folder.read_checkpoint_note()
    if note is None:
        raise RebuildError(f"{journal} holds no journal.")
    try:
        policy.check(note)
    except JournalError as error:
        raise RebuildError(f"The journal's checkpoint does not hold: {error}") from error
    checkpoint = parse_checkpoint(split_note(note)[0])
    with (
        _snapshot(),
        tempfile.TemporaryDirectory(prefix="kulla-compare-") as scratch,
        closing(_Expected(Path(scratch) / "expected.sqlite3")) as expected,
    ):
        applied = readiness.applied()
        if applied > checkpoint.size:
            # the portal goes on while we look: what it published after our first look is there now
            checkpoint = _later(folder, policy, applied)
        waiting = set()
        for row in Outbox.objects.values("uuid", "at_ms", "kind", "images"):
            waiting.add(row["uuid"])
            for image in images.parse_lines(row["images"]):
                expected.put(image, _WAITING, row["at_ms"], row["kind"], row["uuid"])
        differences: list[str] = []

        def odd(index: int, why: str) -> None:
            differences.append(f"Entry {index} of the journal cannot be read: {why}")

        for found in walk(folder, checkpoint, segment_key, odd=odd):
            here = [entry for entry in found if entry.index < applied or entry.payload.uuid not in waiting]
            for entry in here:
                for image in entry.payload.rows:
                    payload = entry.payload
                    expected.put(image, entry.index, payload.at_ms, payload.kind, payload.uuid)
            differences += _check_entries(here)
            progress("compare", found[-1].index + 1, checkpoint.size)
        for shape in images.shapes().values():
            differences += _check_table(shape, expected)
        differences += expected.not_seen()
        differences += _too_many_entries(checkpoint.size)
    return differences


@contextmanager
def _snapshot() -> Iterator[None]:
    """Every query inside sees the tables as they are at the first: the portal may go on meanwhile."""
    if connection.vendor == "postgresql":
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")  # Django's own would be IMMEDIATE and keep every writer waiting
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def _later(folder: LogFolder, policy: Policy, applied: int) -> Checkpoint:
    note = folder.read_checkpoint_note() or ""
    try:
        checkpoint = policy.check(note).checkpoint
    except JournalError as error:
        raise RebuildError(f"The journal's checkpoint does not hold: {error}") from error
    if applied > checkpoint.size:
        raise RebuildError(
            f"The tables say that they hold {applied} entries; the journal has {checkpoint.size}."
        )
    return checkpoint


class _Expected:
    """The newest image of every row, in a scratch file."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("BEGIN")
        self._db.execute(
            "CREATE TABLE expected (tbl TEXT, key BLOB, rev INTEGER, columns BLOB, said TEXT, seen INTEGER DEFAULT 0,"
            " PRIMARY KEY (tbl, key)) WITHOUT ROWID"
        )

    def close(self) -> None:
        """Forget everything."""
        self._db.close()

    def put(self, image: Image, index: int, at_ms: int, kind: str, uuid: UUID) -> None:
        """Take an image; of one row the highest rev stays."""
        columns = None if image.columns is None else cbor2.dumps(tables.current(image))
        place = "waiting in the outbox" if index == _WAITING else str(index)
        at = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        self._db.execute(
            "INSERT INTO expected (tbl, key, rev, columns, said) VALUES (?, ?, ?, ?, ?) ON CONFLICT (tbl, key)"
            " DO UPDATE SET rev = excluded.rev, columns = excluded.columns, said = excluded.said"
            " WHERE excluded.rev > rev",
            [image.table, image.key.bytes, image.rev, columns, f"entry {place} ({kind}, {uuid}, {at})"],
        )

    def take(self, table: str, key: UUID) -> tuple[bytes | None, str] | None:
        """What the journal says of a row: (columns, the entry that says so); None for nothing."""
        row: tuple[bytes | None, str] | None = self._db.execute(
            "UPDATE expected SET seen = 1 WHERE tbl = ? AND key = ? RETURNING columns, said",
            [table, key.bytes],
        ).fetchone()
        return row

    def not_seen(self) -> Iterator[str]:
        """A sentence for each row that the journal has and the tables lack."""
        for table, key, said in self._db.execute(
            "SELECT tbl, key, said FROM expected WHERE seen = 0 AND columns IS NOT NULL ORDER BY tbl, key"
        ):
            yield f"{table} {UUID(bytes=key)} was deleted behind the journal's back: {said} holds it."


def _check_table(shape: images.Shape, expected: _Expected) -> Iterator[str]:
    fields = [field.attname for field in shape.model._meta.concrete_fields]
    place = fields.index("id")
    rows = shape.model._base_manager.order_by("pk").values_list(*fields)
    for values in rows.iterator(chunk_size=_CHUNK):
        key = values[place]
        said = expected.take(shape.table, key)
        if said is None:
            yield f"{shape.table} {key} was added behind the journal's back: no entry holds it."
        elif said[0] is None:
            yield f"{shape.table} {key} was brought back behind the journal's back: {said[1]} deleted it."
        else:
            have, want = images.canonical_row(shape, values), cbor2.loads(said[0])
            if have != want:
                yield f"{shape.table} {key} was changed behind the journal's back: {_differing(have, want, said[1])}"


def _differing(have: dict[str, Any], want: dict[str, Any], said: str) -> str:
    parts = [
        f"{name} is {_short(value)}, {said} says {_short(want.get(name))}"
        for name, value in have.items()
        if value != want.get(name)
    ]
    return "; ".join(parts) + "."


def _short(value: Any) -> str:
    """A value for a sentence; sealed bytes say nothing, so only how many."""
    if isinstance(value, bytes):
        return f"{len(value)} sealed bytes"
    text = str(value) if isinstance(value, UUID) else repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _check_entries(found: list[Found]) -> Iterator[str]:
    if not found:
        return
    told = {
        row.uuid: row for row in Entry.objects.filter(index__gte=found[0].index, index__lte=found[-1].index)
    }
    for entry in found:
        payload, row = entry.payload, told.pop(entry.payload.uuid, None)
        if row is None:
            yield f"record_entry lacks entry {entry.index} ({payload.kind}, {payload.uuid})."
            continue
        have = (
            row.index,
            row.at_ms,
            row.kind,
            row.person,
            row.office,
            bytes(row.leaf_hash),
            bytes(row.claims),
        )
        want = (
            *(entry.index, payload.at_ms, payload.kind, payload.person, payload.office),
            *(entry.leaf_hash, payload.claims),
        )
        if have != want:
            yield f"record_entry was changed: entry {entry.index} ({payload.kind}, {payload.uuid}) is told otherwise."
    for row in told.values():
        yield f"record_entry tells of an entry {row.uuid} at {row.index} that the journal does not hold."


def _too_many_entries(size: int) -> Iterator[str]:
    """Entries beyond the journal's end: the snapshot's last entry was published before `size` was read."""
    for uuid, index in Entry.objects.filter(index__gte=size).values_list("uuid", "index"):
        yield f"record_entry tells of an entry {uuid} at {index}, but the journal ends at {size}."
