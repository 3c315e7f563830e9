"""Records: every change of the register, sealed and chained, in one append-only file.

A record: 0x01 ‖ seq (u64) ‖ record id (16) ‖ hash of the record before (32) ‖ SHA-256 of the box (32) ‖ box.
The box is AES-256-GCM under the root key over padded CBOR. The hash of a record covers its head only (which
covers the box by its hash): when a tombstone one day takes a box away, the chain still verifies.
Sequence numbers start at 1. In the file each record stands after its length as u32.

The file is what the register is derived from; the key copies hold the same bytes.
"""

import errno
import hashlib
import logging
import os
import struct
import threading
import time
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kulla.journal import wire
from kulla.journal.ids import now_ms
from kulla.keeper.errors import DiskFull, RecordsBroken
from kulla.keeper.keys import RootKey, open_box, seal_box

log = logging.getLogger("kulla.keeper")
VERSION = 1
HEAD = struct.Struct(">BQ16s32s32s")
START = bytes(32)
WRITTEN = "written"


@dataclass(frozen=True)
class Record:
    """A record as bytes, with what its head says."""

    seq: int
    id: bytes
    before: bytes
    raw: bytes

    @property
    def hash(self) -> bytes:
        """What the next record refers to."""
        return hashlib.sha256(self.raw[: HEAD.size]).digest()


def parse(raw: bytes) -> Record:
    """A record whose box has the hash that its head says. Raises RecordsBroken."""
    if len(raw) < HEAD.size:
        raise RecordsBroken("A record is cut off.")
    version, seq, record_id, before, digest = HEAD.unpack_from(raw)
    if version != VERSION:
        raise RecordsBroken("A record was written by a newer keeper.")
    if hashlib.sha256(raw[HEAD.size :]).digest() != digest:
        raise RecordsBroken(f"Record {seq} was changed.")
    return Record(seq, record_id, before, raw)


class Sealer:
    """Seals and opens records under the root key."""

    def __init__(self, root: RootKey) -> None:
        self._key = root.derive("records")

    def seal(self, seq: int, record_id: bytes, before: bytes, body: dict[str, Any]) -> Record:
        """A new record. The time of writing goes into it: see rebuild.py for why."""
        inside = wire.pad(wire.encode({**body, WRITTEN: now_ms()}))
        box = seal_box(self._key, inside, _associated(seq, record_id, before))
        head = HEAD.pack(VERSION, seq, record_id, before, hashlib.sha256(box).digest())
        return Record(seq, record_id, before, head + box)

    def open(self, record: Record) -> dict[str, Any]:
        """The body. Raises RecordsBroken when it was not sealed under this root key."""
        box = record.raw[HEAD.size :]
        opened = open_box(self._key, box, _associated(record.seq, record.id, record.before))
        try:
            body: dict[str, Any] = wire.decode(wire.unpad(opened))
        except wire.WireError as error:
            raise RecordsBroken(f"Record {record.seq} does not have the agreed form.") from error
        return body


def _associated(seq: int, record_id: bytes, before: bytes) -> bytes:
    return wire.length_prefixed("kulla-record/1", str(seq), record_id, before)


class RecordFile:
    """The append-only file. Appending is for one thread; reading for many.

    Durability: `append` returns after fdatasync of the file. What does not continue the chain (the torn end of a
    crash, or a damaged disk) is set aside when opening; whatever of it counted comes back from the copies.
    """

    def __init__(self, path: Path) -> None:
        new = not path.exists()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if new:
            _sync_folder(path.parent)
        self._offsets: array[int] = array("Q")
        self._end = 0
        self.last_hash = START
        self._lock = threading.Lock()
        self._path = path
        self._scan(path)

    @property
    def last(self) -> int:
        """Sequence number of the last record; 0 when there is none."""
        return len(self._offsets)

    def append(self, records: Sequence[Record]) -> None:
        """Write records that continue the chain; durable on return.

        Raises RecordsBroken; DiskFull, after which it may be tried again; OSError, after which nothing is certain:
        what a failed fdatasync has left on the disk shows only when the file is opened anew.
        """
        before, seq = self.last_hash, self.last
        for record in records:
            if record.seq != seq + 1 or record.before != before:
                raise RecordsBroken(f"Record {record.seq} does not continue the chain.")
            before, seq = record.hash, record.seq
        data = b"".join(struct.pack(">I", len(record.raw)) + record.raw for record in records)
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(self._fd, data[written:], self._end + written)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
                raise
            os.ftruncate(self._fd, self._end)
            raise DiskFull("The keeper's disk is full: nothing can be changed now.") from error
        os.fdatasync(self._fd)
        with self._lock:
            for record in records:
                self._offsets.append(self._end)
                self._end += 4 + len(record.raw)
            self.last_hash = before

    def read(self, start: int, limit: int = 1 << 20) -> list[Record]:
        """Records from `start` on: at least one if there is one, then as many as fit into `limit` bytes."""
        with self._lock:
            if start < 1 or start > self.last:
                return []
            first = self._offsets[start - 1]
            stop, end = start, self._end
            while stop <= self.last:
                end = self._offsets[stop] if stop < self.last else self._end
                stop += 1
                if stop <= self.last and end - first > limit:
                    break
        data = os.pread(self._fd, end - first, first)
        records, offset = [], 0
        while offset < len(data):
            (length,) = struct.unpack_from(">I", data, offset)
            records.append(parse(data[offset + 4 : offset + 4 + length]))
            offset += 4 + length
        return records

    def set_aside_after(self, seq: int) -> None:
        """Move everything after record `seq` into a file beside this one. For the appending thread."""
        with self._lock:
            if not 0 < seq < self.last:
                return
            before, end = self._offsets[seq - 1], self._offsets[seq]
            raw = os.pread(self._fd, end - before - 4, before + 4)
            self._move_away(end, self._end)
            del self._offsets[seq:]
            self._end, self.last_hash = end, parse(raw).hash

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def _move_away(self, start: int, stop: int) -> None:
        aside = self._path.with_name(f"{self._path.name}.torn-{time.time_ns()}")
        with aside.open("wb") as file:
            file.write(os.pread(self._fd, stop - start, start))
            file.flush()
            os.fsync(file.fileno())
        os.ftruncate(self._fd, start)
        os.fsync(self._fd)

    def _scan(self, path: Path) -> None:
        size = os.fstat(self._fd).st_size
        with path.open("rb") as file:
            for offset, raw in _frames(file.read, size):
                try:
                    record = parse(raw)
                except RecordsBroken:
                    break
                if record.seq != self.last + 1 or record.before != self.last_hash:
                    break
                self._offsets.append(offset)
                self._end = offset + 4 + len(raw)
                self.last_hash = record.hash
        if self._end < size:
            self._move_away(self._end, size)
            log.warning("%s: %d bytes after record %d set aside", path.name, size - self._end, self.last)


def _frames(read: Any, size: int) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) of each whole frame."""
    offset = 0
    while size - offset >= 4:
        (length,) = struct.unpack(">I", read(4))
        raw = read(min(length, size - offset - 4))
        if len(raw) < length:
            return
        yield offset, raw
        offset += 4 + length


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
