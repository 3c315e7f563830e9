"""Reading a log folder from entry to entry, believing nothing that does not lead to the checkpoint's root.

1. The checkpoint is taken from the caller, who has checked its signatures.
2. Each tile is followed up to its root (journal.tiles.TileReader).
3. Each segment gives its leaves; they must be the tile's. So every sealed payload is authenticated.
4. The payload is opened with the segment's key and decoded; rows of tables that moved come in those of today.

Whoever stole the checkpoint key can have mirrors cosign what nobody can read. Such an entry must not stop a rebuild:
with `odd` it is named and passed over.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from kulla.journal.checkpoint import Checkpoint
from kulla.journal.entry import Payload, decode_payload
from kulla.journal.errors import FormatError, JournalError
from kulla.journal.ids import now_ms
from kulla.journal.log import reader
from kulla.journal.merkle import leaf_hash
from kulla.journal.segment import Segment, opener, parse_segment
from kulla.journal.store import LogFolder, segment_path
from kulla.record.errors import RebuildError
from kulla.record.upcasters import settled

SegmentKey = Callable[[bytes], bytes]
"""header -> segment key: with the holders' rebuild key, or by asking the keeper."""

Odd = Callable[[int, str], None]
"""(index, sentence): takes an entry that cannot be read"""


@dataclass(frozen=True, slots=True)
class Found:
    """One authentic entry."""

    index: int
    leaf_hash: bytes
    payload: Payload


def walk(
    folder: LogFolder, checkpoint: Checkpoint, segment_key: SegmentKey, start: int = 0, odd: Odd | None = None
) -> Iterator[list[Found]]:
    """The entries [start, checkpoint.size) in order, one list for each segment; memory of one segment.

    Raises RebuildError naming the first entry that is missing or not what the checkpoint's root says, and, without
    `odd`, the first that does not open or is no payload.
    """
    tiles = reader(folder, checkpoint)
    at = start
    try:
        for first, following in folder.segments(start):
            if first > at or at >= checkpoint.size:
                break  # a gap, or payloads that no checkpoint covers yet
            segment = parse_segment(folder.read(segment_path(first, following)))
            hashes = [leaf_hash(leaf) for leaf in segment.leaves()]
            bounds = (segment.first, segment.next) == (first, following) and following <= checkpoint.size
            if not bounds or hashes != tiles.leaf_hashes(first, following):
                raise RebuildError(
                    f"The payloads of entries {first} to {following - 1} are not those of the tree."
                )
            if found := list(_readable(segment, hashes, segment_key, at, odd)):
                yield found
            at = following
    except JournalError as error:
        raise RebuildError(f"From entry {at} on the journal cannot be read: {error}") from error
    if at < checkpoint.size:
        raise RebuildError(f"The payloads of the entries from {at} on are missing.")


def _readable(
    segment: Segment, hashes: list[bytes], segment_key: SegmentKey, at: int, odd: Odd | None
) -> Iterator[Found]:
    open_one, broken = None, ""
    try:
        open_one = opener(segment_key(segment.header), segment.header)
    except FormatError as error:
        if odd is None:
            raise
        broken = str(error)
    for index, hashed, sealed in zip(range(segment.first, segment.next), hashes, segment.sealed, strict=True):
        if index < at:
            continue
        try:
            if open_one is None:
                raise FormatError(broken)
            payload = decode_payload(open_one(index, sealed))
            if (rows := settled(payload.rows)) is not payload.rows:
                payload = replace(payload, rows=rows)
            yield Found(index, hashed, payload)
        except (FormatError, RebuildError) as error:
            if odd is None:
                raise
            odd(index, str(error))


def last_time(folder: LogFolder, checkpoint: Checkpoint, segment_key: SegmentKey) -> int:
    """When the journal's last entry was recorded, in ms since 1970 UTC; now, if it cannot be read.

    Raises RebuildError as `walk` does.
    """
    if checkpoint.size:
        for last in walk(folder, checkpoint, segment_key, checkpoint.size - 1, odd=lambda _index, _why: None):
            return last[-1].payload.at_ms
    return now_ms()
