"""Looking at suspects again, at one moment: rows, graves, outbox and the journal's end in one short snapshot.

What differs then differs: the journal is read up to exactly that moment, and entries that still wait in the outbox are
taken from the snapshot. Each difference is told with the entry that says otherwise.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from kulla.journal.entry import Image, Payload
from kulla.journal.policy import Policy
from kulla.journal.store import LogFolder
from kulla.record import images, readiness, tables
from kulla.record.checked import newest_checkpoint
from kulla.record.comparing.expected import Expected
from kulla.record.comparing.pace import Pace
from kulla.record.comparing.pieces import Tell, read_journal
from kulla.record.errors import RebuildError
from kulla.record.models import Entry, Grave, Outbox
from kulla.record.walking import Found, SegmentKey, walk

AT_ONCE = 500  # SQLite limits the variables of a statement
Said = tuple[Image, str]  # what an entry says of a row, and which one


@contextmanager
def snapshot() -> Iterator[None]:
    """Every query inside sees the tables as they are at the first. Short: the portal goes on meanwhile."""
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


@dataclass
class Judge:
    """Tells differences of suspects."""

    expected: Expected
    folder: LogFolder
    policy: Policy
    segment_key: SegmentKey
    pace: Pace
    tell: Tell
    differing: dict[str, int] = field(default_factory=dict)

    def all(self) -> None:
        """Every suspect; each is forgotten when it was looked at."""
        while some := self.expected.suspects(AT_ONCE):
            self._some(some)
            self.expected.clear(some)
            self.expected.keep()
            self.pace.rest()

    def too_many_entries(self) -> None:
        """Entries that the list has and the journal has not, beyond the journal's end at this moment."""
        with snapshot():
            applied = readiness.applied()
            beyond = list(Entry.objects.filter(index__gte=applied).values_list("uuid", "index")[:AT_ONCE])
        for uuid, index in beyond:
            self.tell(f"record_entry tells of an entry {uuid} at {index}, but the journal ends at {applied}.")

    def _some(self, suspects: list[tuple[int, bytes]]) -> None:
        by_table: dict[str, list[UUID]] = {}
        for number, raw in suspects:
            by_table.setdefault(self.expected.names[number], []).append(UUID(bytes=raw))
        shapes = images.shapes()
        have: dict[tuple[str, UUID], dict[str, Any]] = {}
        waiting: dict[tuple[str, UUID], Said] = {}
        with snapshot():
            applied = readiness.applied()
            existing = set(connection.introspection.table_names(include_views=True))
            for table, some in by_table.items():
                have.update(_rows(shapes[table], some) if table in existing else {})
            every = {UUID(bytes=raw) for _, raw in suspects}
            graves = dict(Grave.objects.filter(key__in=every).values_list("key", "table"))
            for row in Outbox.objects.values("uuid", "at_ms", "kind", "images").iterator():
                for image in images.parse_lines(row["images"]):
                    place = (image.table, image.key)
                    if image.key in every and (place not in waiting or waiting[place][0].rev < image.rev):
                        waiting[place] = (
                            image,
                            _name("waiting in the outbox", row["kind"], row["uuid"], row["at_ms"]),
                        )
        read_journal(self.expected, self.folder, self.policy, self.segment_key, applied, self.pace, self.tell)
        told = lru_cache(maxsize=4)(self._segment)  # by the segment's bounds
        for table, keys in by_table.items():
            for key in keys:
                said = self._said(table, key, waiting.get((table, key)), told)
                for sentence in _judge(table, key, have.get((table, key)), said, graves.get(key)):
                    self.differing[table] = self.differing.get(table, 0) + 1
                    self.tell(sentence)

    def _said(
        self, table: str, key: UUID, waiting: Said | None, told: Callable[[tuple[int, int]], list[Found]]
    ) -> Said | None:
        known = self.expected.of(self.expected.numbers[table], key.bytes)
        if known is None or (waiting and waiting[0].rev > known[0]):
            return waiting
        index = known[1]
        (payload,) = [entry.payload for entry in told(self.folder.segment_at(index)) if entry.index == index]
        (image,) = [row for row in payload.rows if (row.table, row.key, row.rev) == (table, key, known[0])][
            :1
        ]
        return image, _named(index, payload)

    def _segment(self, bounds: tuple[int, int]) -> list[Found]:
        checkpoint = newest_checkpoint(self.folder, self.policy)
        for found in walk(
            self.folder, checkpoint, self.segment_key, bounds[0], odd=lambda _index, _why: None
        ):
            return found
        raise RebuildError(f"Entry {bounds[0]} of the journal cannot be read any more.")


def _rows(shape: images.Shape, keys: list[UUID]) -> dict[tuple[str, UUID], dict[str, Any]]:
    fields = [field.attname for field in shape.model._meta.concrete_fields]
    rows = shape.model._base_manager.filter(pk__in=keys).values_list(*fields)
    found = (images.canonical_row(shape, row) for row in rows)
    return {(shape.table, row["id"]): row for row in found}


def _judge(
    table: str, key: UUID, have: dict[str, Any] | None, said: Said | None, grave: str | None
) -> Iterator[str]:
    """Sentences about one row; none when it is as it should be."""
    image, name = said or (None, "")
    if image is None:
        if have is not None:
            yield f"{table} {key} was added behind the journal's back: no entry holds it."
        if grave is not None:
            yield f"The grave of {table} {key} was added behind the journal's back: no entry deleted such a row."
        return
    if image.columns is None:
        if have is not None:
            yield f"{table} {key} was brought back behind the journal's back: {name} deleted it."
        if grave is None:
            yield f"The grave of {table} {key} was taken away behind the journal's back: {name} deleted the row."
        return
    want = tables.current(image)
    if have is None:
        yield f"{table} {key} was deleted behind the journal's back: {name} holds it."
    elif have != want:
        yield f"{table} {key} was changed behind the journal's back: {_differing(have, want, name)}"
    if grave is not None:
        yield f"The grave of {table} {key} was added behind the journal's back: {name} holds the row."


def _named(index: int, payload: Payload) -> str:
    return _name(str(index), payload.kind, payload.uuid, payload.at_ms)


def _name(place: str, kind: str, uuid: UUID, at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"entry {place} ({kind}, {uuid}, {at})"


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
