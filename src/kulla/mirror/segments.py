"""The sealed payloads that a log copy holds.

A segment gives, beside its payloads, the entries (leaves) that belong to them: the mirror takes an entry only if
the segment stored here gives that very entry, so both its hashes are covered.

Segments up to the copy's next entry are immutable. Later ones wait for their entries and may be replaced, since a
portal that was lost between sealing and signing seals the same entries anew.
"""

from __future__ import annotations

from kulla.journal.errors import FormatError, JournalError, MissingError
from kulla.journal.segment import MAX_ENTRIES, parse_segment
from kulla.journal.store import merged_path, parse_segment_path, segment_path
from kulla.mirror.messages import Refused
from kulla.mirror.stores import Store

MAX_SEGMENT = 64 * 1024 * 1024
MAX_AHEAD = 262_144


def parse_path(path: str) -> tuple[int, int]:
    """(first, end) of a segment's path (from "segment/" on). Raises Refused 404 for any other path."""
    try:
        first, end = parse_segment_path(path)
    except FormatError:
        raise Refused(404, "There is no segment under this address.") from None
    if end - first > MAX_ENTRIES or end >= 1 << 63:
        raise Refused(404, "There is no segment under this address.")
    return first, end


def leaves_of(data: bytes, first: int, end: int) -> list[bytes]:
    """The entries that a segment's bytes give. Raises Refused 422 if they are not that segment."""
    try:
        segment = parse_segment(data)
    except JournalError as error:
        raise Refused(422, f"The segment cannot be read: {error}") from None
    if (segment.first, segment.next) != (first, end) or len(segment.sealed) != end - first:
        raise Refused(422, "The segment holds other entries than its address says.")
    return segment.leaves()


class Segments:
    """The segments of one log copy. The copy's lock guards all that changes; reading needs none."""

    def __init__(self, store: Store, next_entry: int) -> None:
        """Read the segments that entries from `next_entry` on may need; older ones are not touched."""
        self._store = store
        self._waiting: dict[tuple[int, int], list[bytes]] = {}
        # Catching up from another mirror that broke off leaves more ahead of the entries than a push may: away with it.
        for folder in store.names("merged"):
            for first, end in store.merged(folder):
                if end > next_entry and not store.drop(merged_path(first, end)):
                    store.remove(merged_path(first, end))
        for first, end in store.segments(next_entry):
            if first > next_entry + MAX_AHEAD:
                store.remove(segment_path(first, end))
            else:
                self._waiting[first, end] = leaves_of(store.read(segment_path(first, end)), first, end)

    def put(self, first: int, end: int, data: bytes, leaves: list[bytes], next_entry: int) -> None:
        """Store a segment that gives these entries, durable on return. Raises Refused 409, OSError."""
        path = segment_path(first, end)
        if self.read(first, end) == data:
            if end > next_entry:
                self._waiting[first, end] = leaves
            return
        if first < next_entry:
            raise Refused(409, f"Entries below {next_entry} stand; their segments do not change.")
        if first > next_entry + MAX_AHEAD:
            raise Refused(409, f"The segment lies too far ahead of entry {next_entry}.")
        overlapping = [(a, b) for a, b in self._waiting if a < end and first < b]
        if any(a < next_entry for a, _ in overlapping):
            raise Refused(409, "A segment with entries that stand covers a part of this one.")
        self._store.replace(path, data)
        for old in overlapping:
            if old != (first, end):
                self._store.remove(segment_path(*old))
                del self._waiting[old]
        self._waiting[first, end] = leaves

    def covered(self, start: int, entries: list[bytes]) -> int:
        """How many of the entries from `start` on have their payload here, counted up to the first gap."""
        count = 0
        for (first, end), leaves in sorted(self._waiting.items()):
            here = start + count
            if not first <= here < end:
                continue
            wanted = entries[count : count + end - here]
            stored = leaves[here - first : here - first + len(wanted)]
            if stored != wanted:
                return count + next(i for i, (a, b) in enumerate(zip(stored, wanted, strict=True)) if a != b)
            count += len(wanted)
            if count == len(entries):
                break
        return count

    def forget_below(self, next_entry: int) -> None:
        """Drop from memory what no coming entry needs."""
        for key in [key for key in self._waiting if key[1] <= next_entry]:
            del self._waiting[key]

    def read(self, first: int, end: int) -> bytes | None:
        """A stored segment's bytes, or None."""
        try:
            return self._store.read(segment_path(first, end))
        except MissingError:
            return None
