"""Following another copy of the journal: a new mirror catches up, and one that pulls stays level.

1. The other side's checkpoint must be signed by the log.
2. Its segments are read, merged files whole, and give the entries: nothing else is taken from it.
3. They are stored and the tree is made of them; at the size of what was pending here its root must be that one's.
4. Only when the tree's root is the signed one does this mirror cosign. What led to another root is forgotten.

So the other side cannot make this mirror believe anything that the log did not sign, and needs no trust.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kulla.journal.errors import JournalError, MissingError, NoteError, ProofError
from kulla.journal.merged import split_merged
from kulla.journal.note import Verifier
from kulla.journal.segment import parse_segment
from kulla.journal.store import merged_path, segment_path
from kulla.journal.wire import WireError, decode, encode
from kulla.mirror.frames import StorageFailed, frame
from kulla.mirror.keycopy import PAGE, Conflict, Gap, KeyCopy
from kulla.mirror.logcopy import LogCopy
from kulla.mirror.messages import Refused
from kulla.mirror.notes import open_checkpoint
from kulla.mirror.source import MAX_NOTE, MAX_OBJECT, Source, SourceFailed
from kulla.mirror.tombstones import Tombstones

log = logging.getLogger("kulla.mirror")

BATCH_BYTES = 32 * 1024 * 1024
BATCH_ENTRIES = 65_536
RETRY_S = (0.5, 2.0, 8.0, 30.0)
MAX_LIST = 4 * 1024 * 1024
Piece = tuple[str, int, int, bytes]  # path, first, next, bytes


class Diverged(Exception):
    """What the other side gave does not lead to a signed checkpoint that continues ours."""


def follow(
    copy: LogCopy,
    source: Source,
    name: str,
    key: Verifier,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Take everything up to the other side's checkpoint, and cosign it. Gives the number of new entries.

    `name` is the hash of the origin; `progress(done, total)` counts entries. Raises SourceFailed, Diverged,
    StorageFailed, OSError, Refused (another follow is under way).
    """
    try:
        target = open_checkpoint(source.get(f"/{name}/checkpoint", MAX_NOTE), key)
    except NoteError as error:
        raise SourceFailed(f"{source.host} serves a checkpoint that does not hold: {error}") from None
    except MissingError as error:
        raise SourceFailed(str(error)) from None
    end, begin = target.checkpoint.size, copy.size
    if end <= begin:
        return 0
    tick = progress or (lambda _done, _total: None)
    try:
        with copy.following():
            at = begin
            for objects, leaves in _batches(_pieces(source, name, at, end)):
                copy.extend(objects, leaves, at)
                at += len(leaves)
                tick(at - begin, end - begin)
            copy.accept(target)
    except MissingError as error:
        raise SourceFailed(str(error)) from None
    except JournalError as error:
        raise Diverged(f"What {source.host} gives cannot be cosigned: {error}") from None
    return end - begin


def _pieces(source: Source, name: str, at: int, end: int) -> Iterator[Piece]:
    """Merged files and segments from entry `at` to `end`, in order. Raises SourceFailed, MissingError, ProofError."""
    merged = dict(_listed(source.get(f"/{name}/merged?from={at}", MAX_LIST, signed=True)))
    singles: dict[int, int] = {}
    while at < end:
        if merged.get(at, end + 1) <= end:
            path, following = merged_path(at, merged[at]), merged[at]
        else:
            if at not in singles:
                singles = dict(_listed(source.get(f"/{name}/segments?from={at}", MAX_LIST, signed=True)))
            following = singles.get(at, 0)
            if not at < following <= end:
                raise ProofError(f"it has no payloads from entry {at} on.")
            path = segment_path(at, following)
        yield path, at, following, _patiently(source, f"/{name}/{path}")
        at = following


def _patiently(source: Source, path: str) -> bytes:
    """One object; a host that goes away for a moment must not cost hours of catching up."""
    for wait in RETRY_S:
        try:
            return source.get(path, MAX_OBJECT, signed=True)
        except SourceFailed as error:
            log.warning("%s It is asked again in %g seconds.", error, wait)
            time.sleep(wait)
    return source.get(path, MAX_OBJECT, signed=True)


def _listed(body: bytes) -> list[tuple[int, int]]:
    try:
        spans = [line.split(" ")[0].split("-") for line in body.decode("ascii").splitlines()]
        return [(int(first), int(following)) for first, following in spans]
    except ValueError:
        raise ProofError("its list of segments cannot be read.") from None


def _batches(pieces: Iterator[Piece]) -> Iterator[tuple[dict[str, bytes], list[bytes]]]:
    """(files to store, leaves) for about 32 MiB at a time; the next piece is fetched while one is worked on."""
    objects: dict[str, bytes] = {}
    leaves: list[bytes] = []
    size = 0
    with ThreadPoolExecutor(1, thread_name_prefix="follow") as ahead:
        coming = ahead.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = ahead.submit(next, pieces, None)
            path, first, following, data = piece
            objects[path] = data
            leaves += _leaves(path, first, following, data)
            size += len(data)
            if size >= BATCH_BYTES or len(leaves) >= BATCH_ENTRIES:
                yield objects, leaves
                objects, leaves, size = {}, [], 0
    if leaves:
        yield objects, leaves


def _leaves(path: str, first: int, following: int, data: bytes) -> list[bytes]:
    inside = (
        split_merged(data, first, following) if path.startswith("merged/") else [(first, following, data)]
    )
    leaves: list[bytes] = []
    for start, end, part in inside:
        segment = parse_segment(part)
        if (segment.first, segment.next) != (start, end):
            raise ProofError(f"{path} holds other entries than its name says.")
        leaves += segment.leaves()
    return leaves


def follow_keycopy(copy: KeyCopy, source: Source) -> int:
    """Take the records that the other side's key copy has beyond ours. Gives how many.

    They are opaque to a mirror; the keeper proves them when it reads. Raises SourceFailed, Conflict, StorageFailed.
    """
    begin = copy.next
    while True:
        at = copy.next
        try:
            page = decode(source.get(f"/keycopy/records?from={at}", 2 * PAGE, signed=True))
            records = [(int(seq), bytes(record_id), bytes(record)) for seq, record_id, record in page]
            if not records:
                return at - begin
            if any(len(record_id) != 16 for _, record_id, _ in records):
                raise ValueError
            copy.put(records)
        except (MissingError, WireError, Gap, TypeError, ValueError):
            raise SourceFailed(f"{source.host} gives records that cannot be read.") from None


def follow_tombstones(
    stones: Tombstones, source: Source, officers: Mapping[str, Ed25519PublicKey], now: int
) -> tuple[int, int]:
    """Take the other side's tombstones with their objections; (how many were new, how many a hold kept back).

    One under a legal hold is left: its notes are not served, and without them it would be carried out here. `now` in
    ms. Raises SourceFailed, TombstoneRefused (an officer is unknown here), StorageFailed.
    """
    frames, held = [], 0
    try:
        for item in decode(source.get("/keycopy/tombstones", MAX_LIST, signed=True)):
            if item.get("held"):
                held += 1
                continue
            frames.append(frame(encode([1, int(item["received"]), bytes(item["tombstone"])])))
            frames += [frame(encode([2, now, item["id"], bytes(note)])) for note in item["objections"]]
    except (MissingError, WireError, KeyError, TypeError, ValueError, AttributeError):
        raise SourceFailed(f"{source.host} gives tombstones that cannot be read.") from None
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "tombstones.log"
        path.write_bytes(b"".join(frames))
        return stones.take_over(path, officers, now), held


class Puller:
    """Follows in a thread of its own, every `every_s` seconds."""

    def __init__(
        self,
        source: Source,
        every_s: float,
        logs: list[tuple[str, Verifier, LogCopy]],
        keycopy: KeyCopy | None,
        heard: Callable[[str], None],
        diverged: Callable[[LogCopy, Source, str], None],
    ) -> None:
        """`heard(origin hash)` after each answer that holds, `diverged(copy, source, sentence)` at a Diverged."""
        self._source, self._every, self._logs, self._keycopy = source, every_s, logs, keycopy
        self._heard, self._diverged = heard, diverged
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.fault: str | None = None
        self.at = 0.0

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="pull", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop after the request at hand."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(0.5)

    def state(self) -> dict[str, Any]:
        """For the status."""
        ago = round(time.monotonic() - self.at, 1) if self.at else None
        return {"from": self._source.url, "level_s_ago": ago, "fault": self.fault}

    def _run(self) -> None:
        while not self._stop.is_set():
            fault = None
            try:
                self.once()
                self.at = time.monotonic()
            except (SourceFailed, Conflict, Refused) as error:
                fault = str(error)
            except (StorageFailed, OSError) as error:
                log.error("ALARM: the disk refused: %s", type(error).__name__)
                fault = "The store refuses."
            except Exception as error:
                log.error("fault while pulling: %s", type(error).__name__)
                fault = f"It failed ({type(error).__name__})."
            if fault and fault != self.fault:
                log.warning("pulling failed: %s", fault)
            self.fault = fault
            self._stop.wait(self._every)

    def once(self) -> None:
        """One round. Raises what `follow` and `follow_keycopy` raise, but for Diverged, which is an alarm."""
        for name, key, copy in self._logs:
            try:
                follow(copy, self._source, name, key)
            except Diverged as error:
                self._diverged(copy, self._source, str(error))
                raise SourceFailed(str(error)) from None
            self._heard(name)
        if self._keycopy is not None:
            with contextlib.suppress(Gap):
                follow_keycopy(self._keycopy, self._source)
