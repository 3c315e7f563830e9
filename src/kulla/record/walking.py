"""Reading a log folder from entry to entry, believing nothing that does not lead to the checkpoint's root.

1. The checkpoint is taken from the caller, who has checked its signatures.
2. Each tile is followed up to its root (journal.tiles.TileReader).
3. Each segment gives its leaves; they must be the tile's. So every sealed payload is authenticated.
4. The payload is opened with the segment's key and decoded.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kulla.journal.checkpoint import Checkpoint
from kulla.journal.entry import Payload, decode_payload
from kulla.journal.errors import JournalError
from kulla.journal.log import reader
from kulla.journal.merkle import leaf_hash
from kulla.journal.segment import decrypt_all, parse_segment
from kulla.journal.store import LogFolder, segment_path
from kulla.record.errors import RebuildError

SegmentKey = Callable[[bytes], bytes]
"""header -> segment key: with the holders' rebuild key, or by asking the keeper."""


@dataclass(frozen=True, slots=True)
class Found:
    """One authentic entry."""

    index: int
    leaf_hash: bytes
    payload: Payload


def walk(
    folder: LogFolder, checkpoint: Checkpoint, segment_key: SegmentKey, start: int = 0
) -> Iterator[list[Found]]:
    """The entries [start, checkpoint.size) in order, one list for each segment; memory of one segment.

    Raises RebuildError naming the first entry that is missing or not what the checkpoint's root says.
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
            payloads = decrypt_all(segment_key(segment.header), segment)
            yield [
                Found(index, hashed, decode_payload(data))
                for index, hashed, data in zip(range(first, following), hashes, payloads, strict=True)
                if index >= at
            ]
            at = following
    except JournalError as error:
        raise RebuildError(f"From entry {at} on the journal cannot be read: {error}") from error
    if at < checkpoint.size:
        raise RebuildError(f"The payloads of the entries from {at} on are missing.")


def last_time(folder: LogFolder, checkpoint: Checkpoint, segment_key: SegmentKey) -> int:
    """When the journal's last entry was recorded, in ms since 1970 UTC; 0 for an empty one. Raises RebuildError."""
    if not checkpoint.size:
        return 0
    (last,) = walk(folder, checkpoint, segment_key, checkpoint.size - 1)
    return last[-1].payload.at_ms
