"""Looking through the records for those that name a person: all of them opened, a few at a time, in the background."""

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kulla.keeper.kinds import Body
from kulla.keeper.records import RecordFile, Sealer

PACKED = "people"  # the one kind that holds many persons
OWN_KINDS = {"erasure_begun", "erasure_drawn", "erasure_stone_done", "erasure_stopped", "erased"}
# Without these nobody is found and nothing opens: they must be gone before a person counts as erased.
VITAL = {"people", "person", "profile", "data_key", "identifier_added", "identifier_removed"}
PAUSE_S = 0.002  # after each megabyte of records, for those who wait for the keeper


@dataclass(frozen=True)
class Found:
    """A record that names the person. `body` only of one that holds other persons too."""

    seq: int
    id: bytes
    kind: str
    body: Body | None = None


def names(value: object, needles: Collection[bytes], texts: Collection[str] = ()) -> bool:
    """Whether one of these ids or marks stands anywhere in a value."""
    if isinstance(value, Mapping):
        return any(names(inner, needles, texts) for inner in value.values())
    if isinstance(value, list | tuple):
        return any(names(inner, needles, texts) for inner in value)
    if isinstance(value, UUID):
        return value.bytes in needles
    if isinstance(value, bytes):
        return value in needles
    return isinstance(value, str) and value in texts


def find(
    file: RecordFile, sealer: Sealer, start: int, end: int, needles: Collection[bytes]
) -> Iterator[Found]:
    """The records from `start` to `end` that name one of these; memory is bounded by one read. Raises RecordsBroken."""
    texts = {text for each in needles if len(each) == 16 for text in (str(UUID(bytes=each)), each.hex())}
    at = start
    while at <= end and (records := file.read(at)):
        for record in records:
            at = record.seq + 1
            if record.blank or record.seq > end:
                continue
            body = sealer.open(record)
            kind = str(body.get("type", ""))
            if kind in OWN_KINDS or not names(body, needles, texts):
                continue
            shared = kind == PACKED and len(body["people"]) > 1
            yield Found(record.seq, record.id, kind, body if shared else None)
        time.sleep(PAUSE_S)


def others(body: Body, person: UUID) -> list[UUID]:
    """The other persons in a record that holds many."""
    entries: list[Any] = body["people"]
    return [each for each, _, _ in entries if each != person]
