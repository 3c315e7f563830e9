"""Watching a journal's origin and the other mirrors: is it silent, does it shrink, does it tell two stories?

At each look, for each watched address:
1. its checkpoint must be signed by the log; else it counts as no answer;
2. it must not be smaller than what this address served before: else *shrunk*;
3. it must agree with what this mirror cosigned: same root at the same size, or one a prefix of the other, proven
   with the tiles of whichever has the larger tree; else *fork*, with evidence that convinces a stranger.
The origin is *silent* when nothing signed by the log came here for `silent_minutes`, by push, by pull or by a look.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kulla.journal.errors import JournalError, MissingError, NoteError, ProofError
from kulla.journal.merkle import consistency_proof, subtree_root
from kulla.journal.note import Verifier
from kulla.journal.store import LogFolder
from kulla.journal.tiles import Fetch, TileReader
from kulla.mirror.alarms import Alarms
from kulla.mirror.evidence import Evidence
from kulla.mirror.logcopy import LogCopy
from kulla.mirror.notes import SignedCheckpoint, open_checkpoint
from kulla.mirror.options import Watch
from kulla.mirror.source import MAX_NOTE, Source, SourceFailed

log = logging.getLogger("kulla.mirror")


@dataclass
class Watched:
    """One log: its copy here, how long nothing was heard, what each address last served."""

    origin: str
    hash: str
    key: Verifier
    copy: LogCopy
    heard: float = field(default_factory=time.monotonic)
    heard_at: float = 0.0  # time.time() of it; 0 before the first
    seen: dict[str, SignedCheckpoint] = field(default_factory=dict)  # by address
    faults: dict[str, str] = field(default_factory=dict)


class Watcher:
    """Looks at intervals, in a thread of its own."""

    def __init__(
        self,
        home: Path,
        watch: Watch | None,
        logs: list[Watched],
        alarms: Alarms,
        status: Callable[[], dict[str, Any]],
    ) -> None:
        """`status` gives what the file status.json shall hold."""
        self._files, self._watch, self._logs, self._alarms = LogFolder(home), watch, logs, alarms
        self._status = status
        self._sources = (
            [Source(url, watch.tls) for url in (watch.origin, *watch.others) if url] if watch else []
        )
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._load()

    # --- what others tell ---------------------------------------------------------------------------------------

    def heard(self, origin_hash: str) -> None:
        """Something signed by this log came here."""
        for item in self._logs:
            if item.hash == origin_hash:
                item.heard, item.heard_at = time.monotonic(), time.time()

    def forked(self, item: Watched, evidence: Evidence, where: str) -> None:
        """Raise the alarm of a proven fork."""
        self._alarms.raise_one(
            "fork",
            f"{item.origin} has signed two stories; the second was seen {where}. Keep the evidence, tell the other"
            " operators and the journal's owner, and cosign nothing that you do not understand.",
            evidence,
        )

    def diverged(self, copy: LogCopy, source: Source, sentence: str) -> None:
        """What was pulled cannot be cosigned: look for the proof of a fork, or at least say so."""
        (item,) = [item for item in self._logs if item.copy is copy]
        with contextlib.suppress(SourceFailed, JournalError):
            theirs = open_checkpoint(source.get(f"/{item.hash}/checkpoint", MAX_NOTE), item.key)
            evidence = contradiction(copy, theirs, source.fetch(f"/{item.hash}"))
            if evidence is not None:
                self.forked(item, evidence, f"at {source.host}")
                return
        self._alarms.raise_one("unproven", sentence, about=f"{source.url} {copy.size}")

    # --- the thread ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to look, if operator.json has a section `watch`."""
        if self._watch is not None:
            self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(1)

    def _run(self) -> None:
        assert self._watch is not None  # noqa: S101 - started only with one
        while not self._stop.is_set():
            try:
                self.look()
            except Exception as error:
                # A thread that died would look like a quiet world.
                log.error("ALARM: watching failed: %s", type(error).__name__)
            self._stop.wait(self._watch.every_s)

    def look(self) -> None:
        """One round: every log at every address, then the silence, then the status file."""
        for item in self._logs:
            for source in self._sources:
                try:
                    self._look_at(item, source)
                    item.faults.pop(source.url, None)
                except (SourceFailed, MissingError) as error:
                    item.faults[source.url] = str(error)
            self._silence(item)
        self._save()

    # --- the three questions ------------------------------------------------------------------------------------

    def _look_at(self, item: Watched, source: Source) -> None:
        prefix = f"/{item.hash}"
        note = source.get(f"{prefix}/checkpoint", MAX_NOTE)
        try:
            theirs = open_checkpoint(note, item.key)
        except NoteError as error:
            raise SourceFailed(f"{source.host} serves a checkpoint that does not hold: {error}") from None
        is_origin = self._watch is not None and source.url == self._watch.origin
        if is_origin:
            item.heard, item.heard_at = time.monotonic(), time.time()
        before = item.seen.get(source.url)
        if before is not None and theirs.checkpoint.size < before.checkpoint.size:
            self._alarms.raise_one(
                "shrunk",
                f"{source.host} served {before.checkpoint.size} entries of {item.origin}, and now"
                f" {theirs.checkpoint.size}: it was set back, or somebody shows an old state.",
                Evidence("shrunk", before.note.decode(), theirs.note.decode()),
            )
        else:
            item.seen[source.url] = theirs
        try:
            evidence = contradiction(item.copy, theirs, source.fetch(prefix))
        except ProofError:
            self._alarms.raise_one(
                "unproven",
                f"{source.host} serves a checkpoint of {theirs.checkpoint.size} entries of {item.origin} with tiles"
                " that do not lead to it.",
                about=theirs.note.decode(),
            )
            return
        if evidence is not None:
            self.forked(item, evidence, f"at {source.host}")

    def _silence(self, item: Watched) -> None:
        if self._watch is None or self._watch.silent_s is None:
            return
        quiet = time.monotonic() - item.heard
        standing = self._alarms.is_open("silent")
        if quiet > self._watch.silent_s:
            if standing:
                return
            self._alarms.raise_one(
                "silent",
                f"Nothing signed by {item.origin} came here for {self._watch.silent_s / 60:g} minutes.",
                about=f"{item.origin} {item.heard}",
            )
        elif standing and item.heard_at:  # a restart of ours is no sign of life
            self._alarms.over("silent", f"{item.origin} is heard again.")

    # --- what is remembered -------------------------------------------------------------------------------------

    def state(self) -> list[dict[str, Any]]:
        """What is watched, for the status."""
        return [
            {
                "origin": item.origin,
                "heard_s_ago": round(time.monotonic() - item.heard, 1) if item.heard_at else None,
                "watched": [
                    {
                        "address": source.url,
                        "size": item.seen[source.url].checkpoint.size if source.url in item.seen else None,
                        "fault": item.faults.get(source.url),
                    }
                    for source in self._sources
                ],
            }
            for item in self._logs
        ]

    def _save(self) -> None:
        seen = {i.hash: {url: c.note.decode() for url, c in i.seen.items()} for i in self._logs}
        try:
            self._files.replace("watched.json", (json.dumps(seen, indent=1) + "\n").encode())
            self._files.replace("status.json", (json.dumps(self._status(), indent=2) + "\n").encode())
        except OSError as error:
            log.error("ALARM: status.json cannot be written: %s", error.strerror)

    def _load(self) -> None:
        with contextlib.suppress(MissingError, ValueError, AttributeError):
            seen = json.loads(self._files.read("watched.json"))
            for item in self._logs:
                for url, note in seen.get(item.hash, {}).items():
                    with contextlib.suppress(NoteError):
                        item.seen[url] = open_checkpoint(note.encode(), item.key)


def contradiction(copy: LogCopy, theirs: SignedCheckpoint, fetch: Fetch) -> Evidence | None:
    """The proof that `theirs` contradicts what this mirror cosigned, or None when they agree.

    `fetch` gives tiles of their tree. Raises ProofError when those do not lead to their root, MissingError and
    SourceFailed when they cannot be had.
    """
    ours = copy.mirrored
    if ours is None or 0 in {ours.checkpoint.size, theirs.checkpoint.size}:
        return None
    mine, other = ours.checkpoint, theirs.checkpoint
    if mine.size == other.size:
        return None if mine.root == other.root else Evidence("fork", ours.note.decode(), theirs.note.decode())
    small, large = (ours, theirs) if mine.size < other.size else (theirs, ours)
    tiles = fetch if large is theirs else copy.store.read
    size, whole = small.checkpoint.size, large.checkpoint
    reader = TileReader(tiles, whole.size, whole.root)
    try:
        root = subtree_root(reader, 0, size)
        if root == small.checkpoint.root:
            return None
        proof = tuple(consistency_proof(reader, size, whole.size))
    except (ProofError, MissingError):
        raise
    except JournalError as error:
        raise ProofError(str(error)) from None
    return Evidence("fork", small.note.decode(), large.note.decode(), root, proof)
