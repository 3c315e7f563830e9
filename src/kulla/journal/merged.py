"""Merged segments: many small segments of a log in one file, each kept byte for byte.

A journal writes a segment at each checkpoint, so a busy year makes hundreds of millions of small files. Every
segment has its own key, and its payloads are sealed to its own header: joining payloads would need the keys. So a
merged file holds whole segments, one after the other, behind an index:

    "KMRG" ‖ version 0x01 ‖ first u64 ‖ next u64 ‖ count u32
    count × (next u64 ‖ length u32)           the segments without a gap: each begins where the one before ends
    SHA-256 of all bytes above, 32 bytes
    count segments (journal/segment.py), as they were

All numbers are big-endian. Path: merged/<first // 65536>/<first>-<next>, all its segments begin in that folder.
`LogStore` (store.py) finds and gives the segments inside as if they were files, so no reader knows the difference.
"""

import hashlib
import itertools
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .errors import FormatError

MAGIC = b"KMRG\x01"
MAX_INSIDE = 65_536
MAX_MERGED = 256 * 1024 * 1024  # bytes

_FIXED = struct.Struct(">5sQQI")
_ITEM = struct.Struct(">QI")

Part = Callable[[int, int], bytes]
"""Gives `length` bytes from `offset` of the file (fewer at its end)."""


@dataclass(frozen=True)
class MergedIndex:
    """What a merged file holds: (first, next) of each segment -> (offset, length)."""

    first: int
    next: int
    inside: dict[tuple[int, int], tuple[int, int]]
    size: int  # of the whole file, in bytes


def encode_merged(segments: Sequence[tuple[int, int, bytes]]) -> bytes:
    """The file for consecutive segments (first, next, bytes). Raises FormatError for a gap or too much."""
    if not 0 < len(segments) <= MAX_INSIDE:
        raise FormatError(f"A merged file holds 1 to {MAX_INSIDE} segments.")
    if any(a[1] != b[0] for a, b in itertools.pairwise(segments)):
        raise FormatError("Segments that are merged must follow each other.")
    head = _FIXED.pack(MAGIC, segments[0][0], segments[-1][1], len(segments))
    head += b"".join([_ITEM.pack(following, len(data)) for _, following, data in segments])
    whole = b"".join([head, hashlib.sha256(head).digest(), *(data for _, _, data in segments)])
    if len(whole) > MAX_MERGED:
        raise FormatError(f"A merged file has at most {MAX_MERGED} bytes.")
    return whole


def read_index(part: Part, first: int, following: int) -> MergedIndex:
    """The index of the merged file with this name. Raises FormatError when it is damaged."""
    fixed = part(0, _FIXED.size)
    if len(fixed) < _FIXED.size:
        raise FormatError("A merged file breaks off.")
    magic, start, end, count = _FIXED.unpack(fixed)
    if magic != MAGIC or (start, end) != (first, following) or not 0 < count <= MAX_INSIDE:
        raise FormatError("A merged file's head is not what its name says.")
    length = _FIXED.size + count * _ITEM.size
    head = part(0, length + 32)
    if len(head) != length + 32 or hashlib.sha256(head[:length]).digest() != head[length:]:
        raise FormatError("A merged file's index is damaged.")
    inside: dict[tuple[int, int], tuple[int, int]] = {}
    at, offset = start, length + 32
    for after, size in _ITEM.iter_unpack(head[_FIXED.size : length]):
        if after <= at:
            raise FormatError("A merged file's index contradicts itself.")
        inside[at, after] = offset, size
        at, offset = after, offset + size
    if at != end:
        raise FormatError("A merged file's index contradicts itself.")
    return MergedIndex(first, following, inside, offset)


def split_merged(data: bytes, first: int, following: int) -> list[tuple[int, int, bytes]]:
    """(first, next, bytes) of each segment in a whole merged file. Raises FormatError."""
    index = read_index(lambda offset, length: data[offset : offset + length], first, following)
    if index.size != len(data):
        raise FormatError("A merged file does not end where its index says.")
    return [(a, b, data[offset : offset + length]) for (a, b), (offset, length) in index.inside.items()]
