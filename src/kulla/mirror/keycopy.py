"""The key copy: the keeper's records, in the order it gave them, opaque to us.

Sequence numbers start at 1 and have no gaps. A record that stands is never changed; the only removal will be by
a tombstone (see tombstones.py). Files: `records-<first seq>.log`, a new one every 64 MiB, so that a later removal
rewrites one file and not all. Frame body: `u64 big-endian seq ‖ 16 bytes record id ‖ record`.
"""

from __future__ import annotations

import bisect
import struct
import threading
from array import array
from collections.abc import Sequence
from pathlib import Path

from kulla.mirror.frames import FrameFile, StorageFailed

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

        Records that already stand with the same bytes are fine. Raises Gap, Conflict (then nothing of the call
        is stored) and StorageFailed.
        """
        with self._lock:
            expected = self.next
            new: list[bytes] = []
            for seq, record_id, record in records:
                body = struct.pack(">Q", seq) + record_id + record
                if seq < self.next:
                    if self._body(seq) != body:
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
