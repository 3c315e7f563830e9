"""What goes to mirrors for one checkpoint: request bodies of tlog-witness and tlog-mirror, made once for all.

A delivery speaks of one tree: the published one, or the published one with a staged round on top. Its parts are
cached, because the mirrors mostly need the same bytes.
"""

import hashlib
import struct
import threading
from collections.abc import Iterator

from .checkpoint import Checkpoint
from .errors import MissingError
from .log import Staged, published, read_leaves
from .merkle import consistency_proof, subtree_consistency_proof, subtree_root
from .note import Verifier, b64
from .store import LogFolder, segment_path
from .tiles import WIDTH, TileReader, encode_bundle

MAX_PACKAGES = 32  # of 256 entries in one add-entries request


class Delivery:
    """The checkpoint `note` (with the log's signature) and all that a mirror may need to cosign it."""

    def __init__(self, folder: LogFolder, note: str, checkpoint: Checkpoint, staged: Staged | None) -> None:
        self.folder = folder
        self.note = note
        self.checkpoint = checkpoint
        self.staged = staged
        self.size = checkpoint.size
        self.first = staged.first if staged else checkpoint.size
        self._reader = TileReader(self._fetch, checkpoint.size, checkpoint.root)
        self._lock = threading.Lock()
        # What mirrors that keep up need; what others need is made for each.
        self._checkpoint_body: bytes | None = None
        self._entries_body: bytes | None = None

    @classmethod
    def of_staged(cls, folder: LogFolder, staged: Staged) -> "Delivery":
        """A staged round."""
        return cls(folder, staged.note, staged.checkpoint, staged)

    @classmethod
    def of_published(cls, folder: LogFolder, key: Verifier) -> "Delivery | None":
        """What the folder has published; None when that is nothing. For mirrors that are behind."""
        checkpoint = published(folder, key)
        note = folder.read_checkpoint_note()
        return cls(folder, note, checkpoint, None) if note and checkpoint.size else None

    @property
    def origin_hash(self) -> str:
        """How mirrors name the log in addresses."""
        return hashlib.sha256(self.checkpoint.origin.encode()).hexdigest()

    def _fetch(self, path: str) -> bytes:
        if self.staged and path in self.staged.tiles:
            return self.staged.tiles[path]
        return self.folder.read(path)

    def segments(self, start: int, end: int) -> Iterator[tuple[int, int, bytes]]:
        """(first, next, bytes) of the segments with payloads of entries [start, end), in order."""
        for first, following in self.folder.segments(start):
            if first >= min(end, self.first):
                break
            yield first, following, self.folder.read(segment_path(first, following))
        if self.staged and self.staged.first < end:
            yield self.staged.first, self.staged.next, self.staged.segment

    def add_checkpoint(self, old: int) -> bytes:
        """The body of add-checkpoint for a mirror whose pending checkpoint has size `old`. Raises ProofError."""
        with self._lock:
            if old != self.first or self._checkpoint_body is None:
                proof = consistency_proof(self._reader, old, self.size)
                lines = [f"old {old}", *(b64(h) for h in proof), "", ""]
                body = "\n".join(lines).encode() + self.note.encode()
                if old != self.first:
                    return body
                self._checkpoint_body = body
            return self._checkpoint_body

    def entries_end(self, start: int) -> int:
        """Where a request that begins at `start` ends: at most 32 packages further."""
        return min(self.size, start - start % WIDTH + MAX_PACKAGES * WIDTH)

    def add_entries(self, start: int, ticket: bytes = b"") -> bytes:
        """The body of add-entries from entry `start`, at most 32 packages. Raises MissingError, ProofError."""
        with self._lock:
            if start == self.first and not ticket:
                if self._entries_body is None:
                    self._entries_body = self._entries(start, b"")
                return self._entries_body
            return self._entries(start, ticket)

    def _entries(self, start: int, ticket: bytes) -> bytes:
        origin = self.checkpoint.origin.encode()
        parts = [
            struct.pack(">H", len(origin)),
            origin,
            struct.pack(">QQH", start, self.size, len(ticket)),
            ticket,
        ]
        end = self.entries_end(start)
        while start < end:
            rounded = start - start % WIDTH
            stop = min(end, rounded + WIDTH)
            proof = subtree_consistency_proof(self._reader, rounded, stop, self.size)
            parts += [encode_bundle(self._leaves(start, stop)), bytes([len(proof)]), *proof]
            start = stop
        return b"".join(parts)

    def root_at(self, size: int) -> bytes:
        """The root that this tree had at an earlier size. Raises ProofError."""
        with self._lock:
            return subtree_root(self._reader, 0, size)

    def _leaves(self, start: int, end: int) -> list[bytes]:
        leaves: list[bytes] = []
        if start < self.first:
            leaves += read_leaves(self.folder, start, min(end, self.first), self.first)
        if end > self.first:
            if self.staged is None:
                raise MissingError(f"Entry {end - 1} is not in the log folder.")
            leaves += self.staged.leaves[max(0, start - self.first) : end - self.first]
        return leaves
