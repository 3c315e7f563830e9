"""Old segments are merged into larger files, so that a mirror of many years stays countable.

For each folder of 65,536 entries that the cosigned checkpoint has passed:
1. each segment is read and must give the entries that the bundles record; a damaged one is named and left alone;
2. they are written, byte for byte, into a merged file of about 32 MiB (journal/merged.py), durably;
3. the merged file is read again, and each segment in it compared with the single one;
4. only then are the single ones removed. Where a lock forbids it (S3), they stay until it ends.
A crash after any of these steps leaves every segment readable, and the next run goes on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from kulla.journal.errors import JournalError
from kulla.journal.log import read_leaves
from kulla.journal.merged import MAX_INSIDE, encode_merged, split_merged
from kulla.journal.segment import parse_segment
from kulla.journal.store import SEGMENTS_PER_FOLDER, LogStore, merged_path, segment_path
from kulla.mirror.frames import StorageFailed
from kulla.mirror.logcopy import LogCopy
from kulla.mirror.stores import Store

log = logging.getLogger("kulla.mirror")

TARGET = 32 * 1024 * 1024  # bytes of a merged file, roughly
EVERY_S = 600.0

Span = tuple[int, int]


@dataclass
class Merged:
    """What a run did."""

    merged: int = 0  # segments
    files: int = 0
    removed: int = 0
    damaged: int = 0


def merge(store: Store, size: int, target: int = TARGET, stop: threading.Event | None = None) -> Merged:
    """Merge what lies below the cosigned `size`. Raises StorageFailed, OSError."""
    done = Merged()
    for folder in sorted((name for name in store.names("segment") if name.isdigit()), key=int):
        if (int(folder) + 1) * SEGMENTS_PER_FOLDER > size or (stop is not None and stop.is_set()):
            break
        _clear(store, folder, done)
        inside = _inside(store, folder)
        single = [span for span in _single(store, folder) if span not in inside and span[1] <= size]
        for group in _groups(store, single, target):
            _merge_group(store, group, size, done)
    return done


def _single(store: Store, folder: str) -> list[Span]:
    spans = [name.split("-") for name in store.names(f"segment/{folder}")]
    return sorted((int(s[0]), int(s[1])) for s in spans if len(s) == 2 and s[0].isdigit() and s[1].isdigit())


def _inside(store: Store, folder: str) -> set[Span]:
    return {span for file in store.merged(folder) for span in store.index_of(*file).inside}


def _groups(store: Store, spans: list[Span], target: int) -> Iterator[list[Span]]:
    """Runs of segments that follow each other, each about `target` bytes long."""
    group: list[Span] = []
    octets = 0
    for span in spans:
        size = store.size(segment_path(*span))
        if group and (group[-1][1] != span[0] or octets + size > target or len(group) == MAX_INSIDE):
            yield group
            group, octets = [], 0
        group.append(span)
        octets += size
    if group:
        yield group


def _merge_group(store: Store, group: list[Span], size: int, done: Merged) -> None:
    parts: list[tuple[int, int, bytes]] = []
    for first, following in group:
        data = store.read(segment_path(first, following))
        try:
            if parse_segment(data).leaves() != read_leaves(cast(LogStore, store), first, following, size):
                raise JournalError("it gives other entries than were recorded.")
        except JournalError as error:
            log.error("ALARM: segment %d-%d is damaged and was not merged: %s", first, following, error)
            done.damaged += 1
            _write(store, parts, done)
            parts = []
            continue
        parts.append((first, following, data))
    _write(store, parts, done)


def _write(store: Store, parts: list[tuple[int, int, bytes]], done: Merged) -> None:
    if len(parts) < 2:
        return
    first, following = parts[0][0], parts[-1][1]
    store.put_many({merged_path(first, following): encode_merged(parts)})
    if split_merged(store.read(merged_path(first, following)), first, following) != parts:
        raise StorageFailed(f"the merged file {first}-{following} does not read as it was written")
    done.files += 1
    done.merged += len(parts)
    for a, b, _ in parts:
        if not store.drop(segment_path(a, b)):
            return  # under a lock, and so are those after it
        done.removed += 1


def _clear(store: Store, folder: str, done: Merged) -> None:
    """Remove single segments that a crash, or a lock that has ended meanwhile, left beside their merged copy."""
    standing = set(_single(store, folder))
    for file in store.merged(folder):
        left = standing.intersection(store.index_of(*file).inside)
        if not left:
            continue
        inside = {(a, b): data for a, b, data in split_merged(store.read(merged_path(*file)), *file)}
        if any(store.read(segment_path(*span)) != inside[span] for span in left):
            log.error("ALARM: merged file %d-%d differs from single segments; all were left alone", *file)
            done.damaged += 1
            continue
        for span in sorted(left):
            if not store.drop(segment_path(*span)):
                return
            done.removed += 1


class Upkeep:
    """Merges in a thread of its own, a while after the start and every ten minutes."""

    def __init__(self, copies: list[LogCopy], every_s: float = EVERY_S) -> None:
        self._copies, self._every = copies, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the folder at hand."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(1)

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            for copy in self._copies:
                try:
                    done = merge(copy.store, copy.size, stop=self._stop)
                except (JournalError, StorageFailed, OSError) as error:
                    log.error("ALARM: merging old segments failed: %s", error)
                    continue
                if done.files or done.removed:
                    log.info(
                        "%d segments merged into %d files, %d removed", done.merged, done.files, done.removed
                    )
