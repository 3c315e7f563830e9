"""An append-only file of checked frames: `u32 big-endian length ‖ SHA-256(body) ‖ body`.

A frame counts once `sync` returned. A crash can leave only the end torn; opening cuts that off (and keeps what was
cut beside the file, since a damaged disk looks the same as a crash and the bytes may be wanted).
"""

from __future__ import annotations

import hashlib
import logging
import os
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from kulla.journal.store import sync_folder

log = logging.getLogger("kulla.mirror")

HEAD = 4 + 32
MAX_FRAME = 16 * 1024 * 1024


class StorageFailed(Exception):
    """The disk refused a write or a sync. Nothing more is written until the program is started anew."""


def frame(body: bytes) -> bytes:
    """The bytes that stand in the file for one body."""
    return struct.pack(">I", len(body)) + hashlib.sha256(body).digest() + body


def read_frames(path: Path) -> Iterator[tuple[int, bytes]]:
    """(offset, body) of each whole frame, in order; ends silently at the first that is torn or damaged."""
    with path.open("rb") as file:
        offset = 0
        while True:
            head = file.read(HEAD)
            if len(head) < HEAD:
                return
            (length,) = struct.unpack_from(">I", head)
            if length > MAX_FRAME:
                return
            body = file.read(length)
            if len(body) < length or hashlib.sha256(body).digest() != head[4:]:
                return
            yield offset, body
            offset += HEAD + length


class FrameFile:
    """One such file, open for appending. Thread-safe; syncs of several threads at once are shared."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. `bodies` gives what stands in it; call it once before appending."""
        self.path = path
        new = not path.exists()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if new:
            sync_folder(path.parent)
        self.end = os.fstat(self._fd).st_size
        self._synced = 0
        self._write_lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self._failed = False

    def bodies(self) -> Iterator[tuple[int, bytes]]:
        """(offset, body) of every frame; after the last whole one the torn rest is cut off."""
        whole = 0
        for offset, body in read_frames(self.path):
            yield offset, body
            whole = offset + HEAD + len(body)
        if whole < self.end:
            torn = os.pread(self._fd, self.end - whole, whole)
            keep = self.path.with_name(f"{self.path.name}.torn-{time.time_ns()}")
            keep.write_bytes(torn)
            os.ftruncate(self._fd, whole)
            os.fsync(self._fd)
            log.warning("%s ended in %d torn bytes; they were set aside", self.path.name, self.end - whole)
            self.end = whole

    def append(self, bodies: Iterable[bytes]) -> list[int]:
        """Write frames at the end (not yet durable). Returns their offsets. Raises StorageFailed."""
        with self._write_lock:
            self._refuse_if_failed()
            offsets, data, end = [], bytearray(), self.end
            for body in bodies:
                offsets.append(end + len(data))
                data += frame(body)
            try:
                _write_all(self._fd, data, end)
            except OSError as error:
                self._failed = True
                raise StorageFailed(type(error).__name__) from error
            self.end = end + len(data)
            return offsets

    def sync(self) -> None:
        """Make everything appended so far durable. Raises StorageFailed.

        Whoever waits here while another syncs finds its bytes already durable: one sync serves many.
        """
        upto = self.end
        with self._sync_lock:
            if self._synced >= upto:
                return
            self._refuse_if_failed()
            end = self.end
            try:
                os.fdatasync(self._fd)
            except OSError as error:
                # The kernel may have dropped the pages: a second try that succeeds would prove nothing.
                self._failed = True
                raise StorageFailed(type(error).__name__) from error
            self._synced = end

    def body_at(self, offset: int) -> bytes:
        """The body of the frame at `offset`. Raises StorageFailed if it no longer matches its hash."""
        head = os.pread(self._fd, HEAD, offset)
        if len(head) == HEAD:
            (length,) = struct.unpack_from(">I", head)
            body = os.pread(self._fd, length, offset + HEAD) if length <= MAX_FRAME else b""
            if len(body) == length and hashlib.sha256(body).digest() == head[4:]:
                return body
        raise StorageFailed(f"damaged frame at {offset}")

    def replaced_by(self, path: Path) -> None:
        """Put another file of frames in this one's place, in one step: `path` is whole and durable, and goes.

        Whoever syncs or reads meanwhile meets the one or the other. Raises OSError; then this one stands as it was.
        """
        with self._write_lock, self._sync_lock:
            self._refuse_if_failed()
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                path.replace(self.path)
                os.dup2(fd, self._fd, inheritable=False)
                self.end = self._synced = os.fstat(fd).st_size
            finally:
                os.close(fd)
            sync_folder(self.path.parent)

    def front_at(self, offset: int) -> tuple[int, bytes, int]:
        """(length of the body, its bytes 8 to 24, its byte 24 or -1) of the frame at `offset`, without checking it.

        For the key copy, whose bodies begin with number, id and the record's version.
        """
        front = os.pread(self._fd, HEAD + 25, offset)
        version = front[HEAD + 24] if len(front) > HEAD + 24 else -1
        return struct.unpack_from(">I", front)[0], front[HEAD + 8 : HEAD + 24], version

    def close(self) -> None:
        """Close the file; what was appended but not synced is in the kernel's hands."""
        os.close(self._fd)

    def _refuse_if_failed(self) -> None:
        if self._failed:
            raise StorageFailed("after an earlier failure")


def _write_all(fd: int, data: bytearray, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written
