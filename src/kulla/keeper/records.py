"""Records: every change of the register, sealed and chained, in one append-only file.

A record: 0x01 ‖ seq (u64) ‖ record id (16) ‖ hash of the record before (32) ‖ SHA-256 of the box (32) ‖ box.
The box is AES-256-GCM under the root key over padded CBOR. The hash of a record covers its head only (which
covers the box by its hash): when a tombstone takes a box away, the record is *blank* and the chain still verifies.
A blank record is its head alone; in this file, which keeps its length, the box is overwritten with zeros.
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
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kulla.journal import wire
from kulla.journal.ids import now_ms
from kulla.keeper import turns
from kulla.keeper.errors import DiskFull, RecordsBroken
from kulla.keeper.keys import NONCE, RootKey, open_box

log = logging.getLogger("kulla.keeper")
VERSION = 1
HEAD = struct.Struct(">BQ16s32s32s")
START = bytes(32)
WRITTEN = "written"
BLANKED = "blanked"  # the kind of record that a blank one counts as
STEP = 256  # records between two marks of where they stand
MARK = struct.Struct(">Q32s")  # a record's offset, and the hash of the one before it
CHECKED = 64 << 20  # bytes at the file's end that are read and checked at every start
CHUNK = 1 << 20


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

    @property
    def blank(self) -> bool:
        """Whether the box was destroyed. Who takes records from elsewhere must find a tombstone that says so."""
        return len(self.raw) == HEAD.size


def parse(raw: bytes) -> Record:
    """A record whose box has the hash that its head says, or a blank one. Raises RecordsBroken."""
    if len(raw) < HEAD.size:
        raise RecordsBroken("A record is cut off.")
    version, seq, record_id, before, digest = HEAD.unpack_from(raw)
    if version != VERSION:
        raise RecordsBroken("A record was written by a newer keeper.")
    if raw.count(0, HEAD.size) == len(raw) - HEAD.size:
        return Record(seq, record_id, before, raw[: HEAD.size])
    if hashlib.sha256(raw[HEAD.size :]).digest() != digest:
        raise RecordsBroken(f"Record {seq} was changed.")
    return Record(seq, record_id, before, raw)


class Sealer:
    """Seals and opens records under the root key."""

    def __init__(self, root: RootKey) -> None:
        self._key = root.derive("records")
        self._cipher = AESGCM(self._key)

    @staticmethod
    def prepare(body: dict[str, Any]) -> bytes:
        """What a record will hold. The time of writing goes into it: see rebuild.py for why. Raises WireError."""
        return wire.encode({**body, WRITTEN: now_ms()})

    def seal(self, seq: int, record_id: bytes, before: bytes, body: dict[str, Any]) -> Record:
        """A new record."""
        return self.seal_prepared(seq, record_id, before, self.prepare(body))

    def seal_prepared(self, seq: int, record_id: bytes, before: bytes, prepared: bytes) -> Record:
        """A new record of what `prepare` gave."""
        nonce = turns.random(NONCE)
        box = nonce + self._cipher.encrypt(nonce, wire.pad(prepared), _associated(seq, record_id, before))
        head = HEAD.pack(VERSION, seq, record_id, before, hashlib.sha256(box).digest())
        return Record(seq, record_id, before, head + box)

    def open(self, record: Record) -> dict[str, Any]:
        """The body; of a blank record its kind alone. Raises RecordsBroken when another root key sealed it."""
        if record.blank:
            return {"type": BLANKED, WRITTEN: 0}
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

    A file of any size opens quickly and takes little memory: where every 256th record stands is kept in a file
    beside it (`.index`, derived, may be deleted), and only the last 64 MiB are read and checked when opening. What is
    older was checked when it was written and is checked again whenever it is read.
    """

    def __init__(self, path: Path, checked: int = CHECKED) -> None:
        new = not path.exists()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if new:
            _sync_folder(path.parent)
        self._index = os.open(_index_path(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._marks: array[int] = array("Q")  # offsets of the records 1, 257, 513, …
        self._recent: OrderedDict[int, int] = (
            OrderedDict()
        )  # number: offset, of where reads are likely to begin
        self._cuts = 0  # how often the end was set aside
        self._end = 0
        self.last = 0  # number of the last record; 0 when there is none
        self.last_hash = START
        self._lock = threading.Lock()
        self._path = path
        self._blanking = threading.Lock()
        self._note_path = path.with_name(f"{path.name}.blanking")
        self._finish_blanking()
        self._open(checked)

    def append(self, records: Sequence[Record]) -> None:
        """Write records that continue the chain; durable on return.

        Raises RecordsBroken; DiskFull, after which it may be tried again; OSError, after which nothing is certain:
        what a failed fdatasync has left on the disk shows only when the file is opened anew.
        """
        before, seq = self.last_hash, self.last
        hashes = [before]
        for record in records:
            if record.seq != seq + 1 or record.before != before:
                raise RecordsBroken(f"Record {record.seq} does not continue the chain.")
            before, seq = record.hash, record.seq
            hashes.append(before)
        data = b"".join(part for each in records for part in (struct.pack(">I", len(each.raw)), each.raw))
        try:
            view, written = memoryview(data), 0
            while written < len(data):
                written += os.pwrite(self._fd, view[written:], self._end + written)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
                raise
            os.ftruncate(self._fd, self._end)
            raise DiskFull("The keeper's disk is full: nothing can be changed now.") from error
        os.fdatasync(self._fd)
        with self._lock:
            self._remember(self.last + 1, self._end)
            for number, record in enumerate(records):
                self._note(record.seq, self._end, hashes[number])
                self._end += 4 + len(record.raw)
            self.last, self.last_hash = seq, before

    def read(self, start: int, limit: int = 1 << 20) -> list[Record]:
        """Records from `start` on: at least one if there is one, then as many as fit into `limit` bytes."""
        try:
            return self._read(start, limit)
        except RecordsBroken:
            with self._blanking:  # a box that was just being overwritten is read again when it is blank
                return self._read(start, limit)

    def blank(self, seqs: Sequence[int], step: Callable[[str], None] = lambda _step: None) -> None:
        """Destroy the boxes of these records; durable on return. Again: what is left to do.

        They are overwritten in place, since a nation's file is too large to write anew for one person. Which ones is
        written down first, so that a crash in between is made good at the next start. What was set aside of this
        file goes too, since it may hold the same records. `step` is told of each step, for tests of crashes.
        """
        with self._blanking:
            with self._lock:
                offsets = [self._offset(seq) for seq in sorted(set(seqs)) if 0 < seq <= self.last]
            plan = [
                b"".join((struct.pack(">Q", at), os.pread(self._fd, 4 + HEAD.size, at))) for at in offsets
            ]
            data = b"".join(plan)
            _write_note(self._note_path, hashlib.sha256(data).digest() + data)
            step("noted")
            self._finish_blanking(step)
        for path in self._path.parent.glob(f"{self._path.name}.torn-*"):
            log.warning("%s may hold what was destroyed: it was removed", path.name)
            path.unlink()

    def _finish_blanking(self, step: Callable[[str], None] = lambda _step: None) -> None:
        """Overwrite what the note names, then take the note away. A note that is not whole names nothing."""
        if not self._note_path.exists():
            return
        raw = self._note_path.read_bytes()
        digest, data = raw[:32], raw[32:]
        size = 8 + 4 + HEAD.size
        if hashlib.sha256(data).digest() == digest and len(data) % size == 0:
            for at in range(0, len(data), size):
                offset = struct.unpack_from(">Q", data, at)[0]
                front = data[at + 8 : at + size]
                length = struct.unpack_from(">I", front)[0] - HEAD.size
                if os.pread(self._fd, len(front), offset) != front:
                    log.error("ALARM: a record to be blanked stands no more where it stood")
                    continue
                os.pwrite(self._fd, bytes(length), offset + len(front))
                step("overwritten")
            os.fsync(self._fd)
            step("synced")
        self._note_path.unlink()
        _sync_folder(self._path.parent)

    def _read(self, start: int, limit: int) -> list[Record]:
        with self._lock:
            if start < 1 or start > self.last:
                return []
            first, end, cuts = self._offset(start), self._end, self._cuts
        data = os.pread(self._fd, min(limit, end - first), first)
        records, offset = [], 0
        while len(data) - offset >= 4:
            (length,) = struct.unpack_from(">I", data, offset)
            if len(data) - offset < 4 + length:
                break
            records.append(parse(data[offset + 4 : offset + 4 + length]))
            offset += 4 + length
        if not records:
            (length,) = struct.unpack(">I", os.pread(self._fd, 4, first))
            records, offset = [parse(os.pread(self._fd, length, first + 4))], 4 + length
        with self._lock:
            if cuts == self._cuts:
                self._remember(records[-1].seq + 1, first + offset)
        return records

    def set_aside_after(self, seq: int) -> None:
        """Move everything after record `seq` into a file beside this one. For the appending thread."""
        with self._lock:
            if not 0 < seq < self.last:
                return
            before, end = self._offset(seq), self._offset(seq + 1)
            raw = os.pread(self._fd, end - before - 4, before + 4)
            self._move_away(end, self._end)
            del self._marks[(seq - 1) // STEP + 1 :]
            os.ftruncate(self._index, len(self._marks) * MARK.size)
            self._recent.clear()
            self._cuts += 1
            self._end, self.last, self.last_hash = end, seq, parse(raw).hash

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)
        os.close(self._index)

    def _offset(self, seq: int) -> int:
        """Where a record that is there begins (or the end, one after the last). With the lock held."""
        if seq > self.last:
            return self._end
        if seq in self._recent:
            return self._recent[seq]
        mark = (seq - 1) // STEP
        offset = self._marks[mark]
        for _ in range(mark * STEP + 1, seq):
            offset += 4 + struct.unpack(">I", os.pread(self._fd, 4, offset))[0]
        return offset

    def _remember(self, seq: int, offset: int) -> None:
        self._recent[seq] = offset
        if len(self._recent) > 32:
            self._recent.popitem(last=False)

    def _note(self, seq: int, offset: int, before: bytes) -> None:
        """Mark every 256th record. The index is no promise: it is checked against the file when opening."""
        if (seq - 1) % STEP == 0:
            try:
                os.pwrite(self._index, MARK.pack(offset, before), len(self._marks) * MARK.size)
            except OSError:
                log.warning("the index of %s cannot be written; the next start takes longer", self._path.name)
            self._marks.append(offset)

    def _move_away(self, start: int, stop: int) -> None:
        aside = self._path.with_name(f"{self._path.name}.torn-{time.time_ns()}")
        with aside.open("wb") as file:
            for offset in range(start, stop, CHUNK):
                file.write(os.pread(self._fd, min(CHUNK, stop - offset), offset))
            file.flush()
            os.fsync(file.fileno())
        os.ftruncate(self._fd, start)
        os.fsync(self._fd)

    def _open(self, checked: int) -> None:
        size = os.fstat(self._fd).st_size
        self._trust_index(size - checked)
        os.ftruncate(self._index, len(self._marks) * MARK.size)
        with self._path.open("rb") as file:
            file.seek(self._end)
            for offset, raw in _frames(file, self._end, size):
                try:
                    record = parse(raw)
                except RecordsBroken:
                    break
                if record.seq != self.last + 1 or record.before != self.last_hash:
                    break
                self._note(record.seq, offset, record.before)
                self._end, self.last, self.last_hash = offset + 4 + len(raw), record.seq, record.hash
        if self._end < size:
            lost = size - self._end
            self._move_away(self._end, size)
            log.warning("%s: %d bytes after record %d set aside", self._path.name, lost, self.last)

    def _trust_index(self, limit: int) -> None:
        """Begin behind the last marked record before `limit`, if it stands where the index says."""
        marks = list(MARK.iter_unpack(_whole(os.pread(self._index, os.fstat(self._index).st_size, 0))))
        known = [offset for offset, _ in marks if offset < limit]
        if len(known) < 2 or known != sorted(known):
            return
        number, (offset, before) = len(known) - 1, marks[len(known) - 1]
        try:
            (length,) = struct.unpack(">I", os.pread(self._fd, 4, offset))
            record = parse(os.pread(self._fd, min(length, limit + CHUNK), offset + 4))
        except (RecordsBroken, struct.error):
            return
        if record.seq != number * STEP + 1 or record.before != before:
            return
        self._marks = array("Q", known)
        self._end, self.last, self.last_hash = offset + 4 + length, record.seq, record.hash


def _index_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.index")


def _whole(data: bytes) -> bytes:
    return data[: len(data) - len(data) % MARK.size]


def _frames(file: BinaryIO, offset: int, size: int) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) of each whole frame from `offset` on, where `file` stands."""
    while size - offset >= 4:
        (length,) = struct.unpack(">I", file.read(4))
        if length > size - offset - 4:
            return
        yield offset, file.read(length)
        offset += 4 + length


def _write_note(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
