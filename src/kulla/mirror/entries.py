"""Reading the body of `add-entries` (tlog-mirror), package by package, as it arrives.

Every entry of a Kulla journal is 65 bytes: version 0x01, SHA-256 of the sealed payload, SHA-256 of the claims.
So a package of n entries is n frames of 67 bytes, which lets its form be checked by slices and not entry by entry.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from kulla.mirror.messages import Body, Refused

ENTRY = 65
FRAME = 2 + ENTRY
PACKAGE = 256
MAX_HASHES = 63
MAX_ORIGIN = 255


class Truncated(Exception):
    """The body ended inside a package (or between two)."""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the packages."""

    origin: str
    start: int
    end: int
    ticket: bytes


@dataclass(frozen=True, slots=True)
class Package:
    """Entries [start, end) with the proof that the subtree [rounded, end) is in the checkpoint's tree."""

    rounded: int
    start: int
    end: int
    entries: list[bytes]
    proof: list[bytes]


def _exactly(body: Body, count: int) -> bytes:
    data = body.read(count)
    if len(data) < count:
        raise Truncated
    return data


def read_head(body: Body) -> Head:
    """Origin, interval and ticket. Raises Refused 400 if they cannot be read."""
    try:
        size = int.from_bytes(_exactly(body, 2), "big")
        if size > MAX_ORIGIN:
            raise Refused(400, f"The origin is longer than {MAX_ORIGIN} bytes.")
        origin = _exactly(body, size).decode()
        start, end, ticket_size = struct.unpack(">QQH", _exactly(body, 18))
        ticket = _exactly(body, ticket_size)
    except (Truncated, UnicodeDecodeError):
        raise Refused(400, "The head of the upload cannot be read.") from None
    if start > end:
        raise Refused(400, "The upload starts behind its end.")
    return Head(origin, start, end, ticket)


def intervals(start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The canonical sequence of packages for [start, end): (rounded, start, end) of each."""
    if start == end:
        return
    for rounded in range(start - start % PACKAGE, end, PACKAGE):
        yield rounded, max(start, rounded), min(end, rounded + PACKAGE)


def read_package(body: Body, rounded: int, start: int, end: int) -> Package:
    """The next package. Raises Truncated at the end of the body and Refused 422 on what is no journal entry."""
    count = end - start
    # Lengths first: entries of another size would put every later byte in the wrong place.
    data = _exactly(body, count * FRAME)
    if data[0::FRAME] != bytes(count) or data[1::FRAME] != bytes([ENTRY]) * count:
        raise Refused(422, "An entry of this journal has exactly 65 bytes.")
    if data[2::FRAME] != b"\x01" * count:
        raise Refused(422, "Only entries of version 1 are known here.")
    hashes = _exactly(body, 1)[0]
    if hashes > MAX_HASHES:
        raise Refused(422, f"A subtree consistency proof has at most {MAX_HASHES} hashes.")
    proof = _exactly(body, hashes * 32)
    return Package(
        rounded,
        start,
        end,
        [data[i : i + ENTRY] for i in range(2, len(data), FRAME)],
        [proof[i : i + 32] for i in range(0, len(proof), 32)],
    )
