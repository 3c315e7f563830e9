"""The key copy: the keeper's records, in the order it gave them, opaque to us.

Sequence numbers start at 1 and have no gaps. A record that stands is never changed; the only removal is by
a tombstone (see destroying.py). Files: `records-<first seq>.log`, a new one every 64 MiB, so that a removal
rewrites one file and not all. Frame body: `u64 big-endian seq ‖ 16 bytes record id ‖ record`.

A record of version 1 begins with a head of 89 bytes, which ends with the SHA-256 of what follows, the sealed box; the
keeper's chain is over the heads. A *blank* record is the head alone: the box is destroyed and the chain still verifies.
"""

from __future__ import annotations

import bisect
import contextlib
import hashlib
import logging
import os
import struct
import threading
from array import array
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from kulla.mirror.frames import FrameFile, StorageFailed, frame

log = logging.getLogger("kulla.mirror")

HEADS = {1: 89}  # bytes of a record's head, by the record's version
FRONT = 24  # bytes of a frame's body before the record
FILE_SIZE = 64 * 1024 * 1024
PAGE = 8 * 1024 * 1024
MAX_RECORD = 4 * 1024 * 1024

Record = tuple[int, bytes, bytes]


class Gap(Exception):
    """Records are missing before the first one sent; `.next` is the sequence number that must come."""

    def __init__(self, next_seq: int) -> None:
        super().__init__(f"next is {next_seq}")
        self.next = next_seq


class Conflict(Exception):
    """Another record already stands under this sequence number."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"Another record already stands under number {seq}.")


def blank(record: bytes) -> bytes:
    """The record without its box. Raises ValueError for one whose form this program does not know."""
    head = HEADS.get(record[0] if record else -1)
    if head is None or len(record) < head:
        raise ValueError("a record of another version")
    return record[:head]


def _same(stands: bytes, came: bytes) -> bool:
    """Whether two bodies under one number are one record; the one or the other may be blank."""
    if stands == came:
        return True
    shorter, longer = sorted((stands, came), key=len)
    with contextlib.suppress(ValueError):
        if shorter[FRONT:] == blank(longer[FRONT:]) and shorter[:FRONT] == longer[:FRONT]:
            return hashlib.sha256(longer[len(shorter) :]).digest() == shorter[-32:]
    return False


class KeyCopy:
    """The records of one keeper in one folder. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        """Open what stands there. Raises StorageFailed if the files do not follow each other."""
        self._folder = folder
        self._lock = threading.Lock()
        self._files: list[FrameFile] = []
        self._firsts: list[int] = []
        self._offsets: list[array[int]] = []
        self.next = 1
        for path in folder.glob("records-*.log.blank"):
            path.unlink()  # a blanking that a crash ended: it begins again
        for path in sorted(folder.glob("records-*.log")):
            self._open(path)

    def _open(self, path: Path) -> None:
        file = FrameFile(path)
        offsets = array("Q")
        first = self.next
        for offset, body in file.bodies():
            if struct.unpack_from(">Q", body)[0] != self.next:
                raise StorageFailed(f"{path.name} does not continue at {self.next}")
            offsets.append(offset)
            self.next += 1
        self._files.append(file)
        self._firsts.append(first)
        self._offsets.append(offsets)

    def put(self, records: Sequence[Record]) -> int:
        """Store records, durable on return. Returns the next expected sequence number.

        Records that already stand with the same bytes are fine, and so are those that stand blank: they stay as they
        are. Raises Gap, Conflict (then nothing of the call is stored) and StorageFailed.
        """
        with self._lock:
            expected = self.next
            new: list[bytes] = []
            for seq, record_id, record in records:
                body = struct.pack(">Q", seq) + record_id + record
                if seq < self.next:
                    if not _same(self._body(seq), body):
                        raise Conflict(seq)
                elif seq != expected:
                    raise Gap(expected if new else self.next)
                else:
                    new.append(body)
                    expected += 1
            if new:
                file = self._file_to_append()
                self._offsets[-1].extend(file.append(new))
                self.next = expected
            elif self._files:
                file = self._files[-1]
            else:
                return self.next
            next_seq = self.next
        file.sync()
        return next_seq

    def page(self, start: int) -> list[Record]:
        """Records from `start` on, at most 8 MiB of them; empty at the end."""
        out: list[Record] = []
        size = 0
        with self._lock:
            for seq in range(max(start, 1), self.next):
                body = self._body(seq)
                size += len(body) + 16
                if out and size > PAGE:
                    break
                out.append((seq, body[8:24], body[24:]))
        return out

    def blank(self, ids: Collection[bytes], step: Callable[[str], None] = lambda _step: None) -> int:
        """Destroy the boxes of the records with these ids; durable on return. Gives how many were not blank yet.

        Each file that holds one is written anew beside itself, synced, and put in its place: after a crash at any
        moment it stands as before or as after. What a torn end had left aside goes too, since it may hold the same
        records. `step` is told of each step, for tests of crashes. Raises StorageFailed, OSError.
        """
        count = 0
        for number in range(len(self._files)):
            with self._lock:
                full = self._full(number, ids)
                if full:
                    self._rewrite(number, full, step)
                    count += len(full)
        if ids:
            for path in self._folder.glob("records-*.torn-*"):
                log.warning("%s may hold what was destroyed: it was removed", path.name)
                path.unlink()
        return count

    def _full(self, number: int, ids: Collection[bytes]) -> set[int]:
        """Offsets of the records in one file that are to be blank and are not. With the lock held."""
        file, full = self._files[number], set()
        for offset in self._offsets[number]:
            length, record_id, version = file.front_at(offset)
            if record_id in ids and length != FRONT + HEADS.get(version, -1):
                full.add(offset)
        return full

    def _rewrite(self, number: int, full: set[int], step: Callable[[str], None]) -> None:
        file, offsets = self._files[number], array("Q")
        anew = file.path.with_name(f"{file.path.name}.blank")
        with os.fdopen(
            os.open(anew, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb"
        ) as out:
            for offset in self._offsets[number]:
                body = file.body_at(offset)
                if offset in full:
                    try:
                        body = body[:FRONT] + blank(body[FRONT:])
                    except ValueError:
                        raise StorageFailed("a record of a version that this program cannot blank") from None
                offsets.append(out.tell())
                out.write(frame(body))
            step("written")
            out.flush()
            os.fsync(out.fileno())
        step("synced")
        file.replaced_by(anew)
        self._offsets[number] = offsets
        step("replaced")

    def _body(self, seq: int) -> bytes:
        number = bisect.bisect_right(self._firsts, seq) - 1
        return self._files[number].body_at(self._offsets[number][seq - self._firsts[number]])

    def _file_to_append(self) -> FrameFile:
        if not self._files or self._files[-1].end >= FILE_SIZE:
            if self._files:
                # Older files are closed for good before a newer one begins: only the last can have a torn end.
                self._files[-1].sync()
            self._open(self._folder / f"records-{self.next:020d}.log")
        return self._files[-1]

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            for file in self._files:
                file.close()
