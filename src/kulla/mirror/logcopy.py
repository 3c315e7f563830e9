"""One log's copy: a pending checkpoint, the entries on the way to it, and the checkpoint this mirror cosigned.

In the folder: `pending` (note signed by the log), `tile/…` and `segment/…` as the log has them, `next` (how far an
unfinished upload came), `checkpoint` (log's signature and ours). Order on disk: segments, pending, tiles and
bundles, then `checkpoint`, each durable before the next begins; so at any moment `checkpoint` speaks only of what
stands, and what lies beyond it is checked again or overwritten by the same bytes.

tlog-mirror and tlog-witness (C2SP) are followed to the letter; comments name what they leave open.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kulla.journal.checkpoint import Checkpoint, parse_checkpoint
from kulla.journal.errors import JournalError, ProofError
from kulla.journal.merkle import (
    EMPTY_ROOT,
    leaf_hash,
    root_hash,
    verify_consistency,
    verify_subtree_consistency,
)
from kulla.journal.note import CosignerKey, Verifier
from kulla.journal.tiles import (
    HASH,
    WIDTH,
    Edge,
    new_bundles,
    outdated_partials,
    tile_path,
)
from kulla.mirror.edges import earlier_files, load_edge, partial_files, read_note
from kulla.mirror.entries import PACKAGE, Head, Package
from kulla.mirror.evidence import Evidence
from kulla.mirror.messages import Refused
from kulla.mirror.notes import SignedCheckpoint
from kulla.mirror.segments import Segments, leaves_of
from kulla.mirror.stores import FolderStore, Store, is_partial

log = logging.getLogger("kulla.mirror")

RECENT = 8
MAX_EXCESS = 8192
SIZE_TYPE = "text/x.tlog.size"
INFO_TYPE = "text/x.tlog.mirror-info"
GZIP = {"Accept-Encoding": "gzip"}


class CopyDamaged(Exception):
    """What lies in the folder is not what this mirror cosigned: a person has to look."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An `add-entries` request whose head was accepted: what its packages are checked against."""

    head: Head
    target: SignedCheckpoint
    before: list[bytes]  # hashes of the entries between the first package's rounded start and upload_start

    def check(self, package: Package) -> list[bytes]:
        """The package's leaf hashes, proven to be in the target's tree. Raises Refused 422."""
        hashes = [leaf_hash(entry) for entry in package.entries]
        row = self.before + hashes if package.start == self.head.start else hashes
        target = self.target.checkpoint
        try:
            verify_subtree_consistency(
                package.rounded, package.end, target.size, package.proof, root_hash(row), target.root
            )
        except ProofError as error:
            raise Refused(422, f"Entries {package.start} to {package.end - 1}: {error}") from None
        return hashes


class LogCopy:
    """The copy of one log. Thread-safe: one lock, never held while a client's bytes are awaited."""

    def __init__(self, place: Path | Store, log_key: Verifier, cosigner: CosignerKey) -> None:
        """Read the state and check that the tiles carry the cosigned root. Raises CopyDamaged, StorageFailed."""
        self.on_fork: Callable[[Evidence], None] = lambda _evidence: None
        self._store: Store = FolderStore(place) if isinstance(place, Path) else place
        self._log_key, self._cosigner = log_key, cosigner
        self._lock = threading.Lock()
        self._followed = False
        self._edge, self._bundle = Edge(0, ()), b""
        try:
            self._mirrored = read_note(self._store, "checkpoint", log_key, cosigner.verifier)
            pending = read_note(self._store, "pending", log_key) or self._mirrored
            if pending and self._mirrored and pending.checkpoint.size < self._mirrored.checkpoint.size:
                pending = self._mirrored
            self._pending = pending
            self._load_mirrored()
            self._recent = {note.checkpoint.size: note for note in (self._mirrored, pending) if note}
            self._resume()
            self._segments = Segments(self._store, self._edge.size)
        except (JournalError, Refused) as error:
            raise CopyDamaged(f"The copy in {self._store.where} is damaged: {error}") from error

    # --- reading ------------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Entries under the checkpoint that this mirror cosigned."""
        return self._mirrored.checkpoint.size if self._mirrored else 0

    @property
    def next_entry(self) -> int:
        """The first entry that is not stored here."""
        return self._edge.size

    @property
    def mirrored(self) -> SignedCheckpoint | None:
        """The checkpoint that this mirror cosigned."""
        return self._mirrored

    @property
    def checkpoint_note(self) -> bytes | None:
        """The mirror checkpoint with the log's signature and ours."""
        return self._mirrored.note if self._mirrored else None

    @property
    def pending_note(self) -> bytes | None:
        """The pending checkpoint with the log's signature."""
        return self._pending.note if self._pending else None

    @property
    def store(self) -> Store:
        """Where it lies (for reading)."""
        return self._store

    @property
    def segments(self) -> Segments:
        """The stored payloads (for reading)."""
        return self._segments

    # --- segments -----------------------------------------------------------------------------------------------

    def put_segment(self, first: int, end: int, data: bytes) -> None:
        """Store a segment, durable on return. Raises Refused."""
        leaves = leaves_of(data, first, end)
        with self._lock:
            self._refuse_while_following()
            self._segments.put(first, end, data, leaves, self._edge.size)

    # --- add-checkpoint -----------------------------------------------------------------------------------------

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], new: SignedCheckpoint) -> None:
        """Move the pending checkpoint on; durable on return. `new` carries the log's verified signature.

        Raises Refused 400, 409 (text/x.tlog.size) or 422, in tlog-witness's order.
        """
        size, root = new.checkpoint.size, new.checkpoint.root
        if old_size > size:
            raise Refused(400, "The old size is greater than the checkpoint's.")
        with self._lock:
            self._refuse_while_following()
            have = (
                self._pending.checkpoint
                if self._pending
                else Checkpoint(new.checkpoint.origin, 0, EMPTY_ROOT)
            )
            if old_size != have.size:
                raise Refused(409, f"{have.size}\n", content_type=SIZE_TYPE)
            if size == 0 and root != EMPTY_ROOT:
                raise Refused(422, "A checkpoint of size 0 must have the root of the empty tree.")
            if old_size == 0 and proof:
                raise Refused(422, "From size 0 the consistency proof must be empty.")
            if old_size == size and have.root != root:
                log.error(
                    "ALARM: two checkpoints of size %d with different roots; the second was refused", size
                )
                if self._pending is not None:
                    self.on_fork(Evidence("fork", self._pending.note.decode(), new.note.decode()))
                raise Refused(422, f"Another root is already pending for size {size}.")
            try:
                verify_consistency(old_size, size, have.root, root, proof)
            except ProofError as error:
                log.error("ALARM: a signed checkpoint of size %d does not continue size %d", size, old_size)
                raise Refused(422, str(error)) from None
            if self._pending is None or size > have.size:
                self._store.replace("pending", new.note)
                self._pending = new
                self._recent[size] = new
                while len(self._recent) > RECENT:
                    del self._recent[min(self._recent)]

    # --- add-entries --------------------------------------------------------------------------------------------

    def begin(self, head: Head) -> Upload:
        """Accept the head of an upload. Raises Refused 409 (text/x.tlog.mirror-info) or 422."""
        with self._lock:
            self._refuse_while_following()
            if self._pending is None:
                raise Refused(422, "No checkpoint of this log has come here yet: add one first.")
            target = self._target(head.end)
            excess = min(head.end, self._edge.size) - head.start
            if target is None or head.start > self._edge.size or excess > MAX_EXCESS:
                raise self._info(409, head.end)
            before: list[bytes] = []
            if head.start % PACKAGE and head.start < head.end:
                before = self._stored_leaves(head.start // PACKAGE, head.start % PACKAGE)
            return Upload(head, target, before)

    def save(self, upload: Upload, packages: Sequence[Package]) -> None:
        """Store checked packages as pending entries, durable on return. Raises Refused 409 or 422.

        Whatever comes before an entry whose payload is missing is stored; a package in which one is missing
        is not, nor are those behind it.
        """
        with self._lock:
            self._refuse_while_following()
            if packages[0].start > self._edge.size:  # what came before was forgotten meanwhile
                raise self._info(409, upload.head.end)
            entries: list[bytes] = []
            ends = []
            for package in packages:
                # Entries that another upload brought meanwhile are skipped: both were proven to be the same.
                entries += package.entries[max(0, self._edge.size - package.start) :]
                ends.append(package.end)
            if not entries:
                return
            start = self._edge.size
            covered = start + self._segments.covered(start, entries)
            stop = max((end for end in ends if end <= covered), default=start)
            if stop > start:
                self._append(entries[: stop - start])
                if stop < upload.head.end:
                    # Where an upload of several requests goes on after a restart.
                    reached = Checkpoint(self._log_key.name, stop, self._edge.root())
                    self._store.replace("next", reached.body().encode())
                self._segments.forget_below(stop)
            if stop < ends[-1]:
                raise Refused(
                    422, f"The payload of entry {covered} is not stored here: send its segment first."
                )

    def finish(self, upload: Upload) -> bytes:
        """Cosign the upload's checkpoint if everything up to it stands here; the cosignature line(s).

        Raises Refused 202 or 409 (text/x.tlog.mirror-info), and 500 if our own tree has another root.
        """
        size = upload.head.end
        with self._lock:
            self._refuse_while_following()
            if self._edge.size < size:
                raise self._info(202, size)
            if size < self.size:
                raise self._info(409, size)
            if self._mirrored is None or size > self.size:
                self._commit(upload.target)
            assert self._mirrored is not None  # noqa: S101 - committed above or before
            return self._mirrored.cosignature.encode()

    def _commit(self, target: SignedCheckpoint) -> None:
        size = target.checkpoint.size
        # Every package was proven to be in this tree already. That our own root agrees is the last look at what
        # was really written down, before a signature makes it a promise.
        try:
            if self._edge.size > size:
                root = target.checkpoint.root
                self._store.replace_many(earlier_files(self._store, self._edge, self._bundle, size, root))
            elif self._edge.root() != target.checkpoint.root:
                raise ProofError("The entries stored here do not give this root.")
        except JournalError:
            log.error(
                "ALARM: our tree of size %d has another root than the checkpoint; nothing was signed", size
            )
            self._forget_uncommitted()
            raise Refused(500, "The entries stored here do not give this root; send them again.") from None
        cosigned = target.cosigned(self._cosigner, int(time.time()))
        self._store.replace("checkpoint", cosigned.note)
        # Partial files of tiles that are full now: tlog-tiles allows removing them. A crash leaves some; harmless.
        for folder in outdated_partials(self.size, size):
            self._store.remove(folder)
        self._mirrored = cosigned
        for old in [old for old in self._recent if old < size]:
            del self._recent[old]

    # --- following another copy (following.py) --------------------------------------------------------------------

    @contextlib.contextmanager
    def following(self) -> Iterator[None]:
        """While this is held, nothing is taken from pushes. What was not cosigned at its end is forgotten."""
        with self._lock:
            if self._followed:
                raise Refused(503, "This mirror is being brought up to date already.")
            self._followed = True
            # What an unfinished upload left is read again from the other copy: it was never signed for.
            self._forget_uncommitted()
        try:
            yield
        finally:
            with self._lock:
                if self._edge.size != self.size:
                    self._forget_uncommitted()
                self._followed = False

    def extend(self, objects: dict[str, bytes], leaves: Sequence[bytes], start: int) -> None:
        """Store segments or merged files (by path) and append the entries that they give; durable on return.

        Proven only by `accept`. Raises ProofError (a gap, or no continuation of `pending`), StorageFailed, OSError.
        """
        with self._lock:
            if start != self._edge.size or not self._followed:
                raise ProofError(
                    f"The entries from {self._edge.size} on must come next, not those from {start}."
                )
            edge, stop = self._edge, 0
            full: dict[str, bytes] = {}
            pending = self._pending.checkpoint if self._pending else None
            if pending and start < pending.size <= start + len(leaves):
                stop = pending.size - start
                full, edge = edge.append([leaf_hash(leaf) for leaf in leaves[:stop]])
                if edge.root() != pending.root:
                    raise ProofError(
                        f"It does not continue the checkpoint of size {pending.size} that came here."
                    )
            tiles, edge = edge.append([leaf_hash(leaf) for leaf in leaves[stop:]])
            files = full | tiles | new_bundles(start, self._bundle, leaves)
            n, width = divmod(edge.size, WIDTH)
            bundle = files[tile_path("entries", n, width)] if width else b""
            # Partial tiles on the way are nobody's: those at the end are written by `accept`.
            self._store.replace_many(objects | {p: data for p, data in files.items() if not is_partial(p)})
            self._edge, self._bundle = edge, bundle

    def accept(self, target: SignedCheckpoint) -> None:
        """Cosign `target` if the entries taken by `extend` lead to its root; durable. Raises ProofError, Refused."""
        with self._lock:
            if (self._edge.size, self._edge.root()) != (target.checkpoint.size, target.checkpoint.root):
                raise ProofError(
                    f"The entries do not lead to the signed checkpoint of {target.checkpoint.size}."
                )
            self._store.replace_many(partial_files(self._edge, self._bundle))
            if self._pending is None or target.checkpoint.size > self._pending.checkpoint.size:
                self._store.replace("pending", target.note)
                self._pending = target
                self._recent[target.checkpoint.size] = target
            if target.checkpoint.size > self.size:
                self._commit(target)

    # --- inside (the lock is held) ------------------------------------------------------------------------------

    def _refuse_while_following(self) -> None:
        if self._followed:
            raise Refused(503, "This mirror is being brought up to date from another one; try again later.")

    def _target(self, size: int) -> SignedCheckpoint | None:
        if size < self.size:
            return None
        if self._mirrored and size == self.size:
            return self._mirrored
        return self._recent.get(size)

    def _info(self, status: int, wanted: int) -> Refused:
        """The three lines of text/x.tlog.mirror-info; the ticket is empty, since we remember recent sizes."""
        pending = self._pending.checkpoint.size if self._pending else 0
        size = wanted if self._target(wanted) else pending
        return Refused(status, f"{size}\n{self._edge.size}\n\n", content_type=INFO_TYPE, headers=GZIP)

    def _stored_leaves(self, tile: int, width: int) -> list[bytes]:
        """The hashes of the first `width` leaves of a level-0 tile; they stand here."""
        at_edge = tile == self._edge.size // WIDTH
        data = self._edge.partials[0] if at_edge else self._store.read(tile_path(0, tile))
        return [data[i : i + HASH] for i in range(0, width * HASH, HASH)]

    def _append(self, entries: list[bytes]) -> None:
        """Write tiles and bundles for these entries, durable on return. A failure leaves the edge as it was."""
        files, edge = self._edge.append([leaf_hash(entry) for entry in entries])
        bundles = new_bundles(self._edge.size, self._bundle, entries)
        self._store.replace_many(files | bundles)
        n, width = divmod(edge.size, WIDTH)
        self._bundle = bundles[tile_path("entries", n, width)] if width else b""
        self._edge = edge

    def _load(self, size: int, root: bytes) -> None:
        self._edge, self._bundle = load_edge(self._store, size, root)

    def _load_mirrored(self) -> None:
        checkpoint = self._mirrored.checkpoint if self._mirrored else None
        self._load(checkpoint.size if checkpoint else 0, checkpoint.root if checkpoint else EMPTY_ROOT)

    def _resume(self) -> None:
        """Take up an unfinished upload where its last answer left it, if that is on the way to `pending`."""
        try:
            reached = parse_checkpoint(self._store.read("next").decode())
            if self._pending and self.size < reached.size <= self._pending.checkpoint.size:
                self._load(reached.size, reached.root)
        except (JournalError, UnicodeDecodeError):
            return

    def _forget_uncommitted(self) -> None:
        self._store.remove("next")
        self._load_mirrored()
        self._segments = Segments(self._store, self._edge.size)
