"""Checking a whole log folder, the journal's or a mirror's: every byte up to the signed root.

1. CHECKPOINT: it is signed by a journal of the policy (a mirror's copy carries only that mirror's cosignature, so
   no quorum is asked for here).
2. ENTRIES: the entry bundles read, so that the tree can be built anew from them alone.
3. TILES: every stored tile of every level is equal to the new one.
4. ROOT: the new root is equal to the checkpoint's. So a leaf changed together with its tiles is found.
5. SEGMENTS: every segment's sealed payloads and claims hashes must give exactly the entries of its interval, and the
   segments together cover every entry once.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from .checkpoint import Checkpoint
from .errors import JournalError, MissingError
from .log import read_leaves
from .merkle import EMPTY_ROOT, leaf_hash
from .policy import Policy
from .segment import parse_segment
from .store import LogFolder, LogStore, segment_path
from .tiles import HASH, WIDTH, Edge, parse_tile_path, tile_path

CHUNK = 64 * WIDTH  # entries that are held in memory
MAX_PROBLEMS = 100

Progress = Callable[[int, int], None]


class CheckStep(IntEnum):
    """What of a folder can be wrong, in the order of checking."""

    CHECKPOINT = 1
    ENTRIES = 2
    TILES = 3
    ROOT = 4
    SEGMENTS = 5


@dataclass
class CheckReport:
    """What was found. The folder is whole exactly when `problems` is empty; `failed` says in which steps."""

    origin: str = ""
    size: int = 0
    cosigned: dict[str, int] = field(default_factory=dict)
    tiles: int = 0
    segments: int = 0
    problems: list[str] = field(default_factory=list)
    failed: set[CheckStep] = field(default_factory=set)

    def problem(self, step: CheckStep, sentence: str) -> None:
        """Note a problem; after a hundred the rest would say nothing new."""
        self.failed.add(step)
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(sentence)


def check_folder(
    path: str | os.PathLike[str] | LogStore, policy: Policy | str | bytes, progress: Progress | None = None
) -> CheckReport:
    """Check a log folder against a policy (parsed or its text).

    `progress(done, total)` counts entries twice, once for the tree and once for the segments. Problems are
    sentences in the report; raises PolicyError only for a policy that cannot be read.
    """
    policy = policy if isinstance(policy, Policy) else Policy.parse(policy)
    report = CheckReport()
    folder = path if isinstance(path, LogStore) else LogFolder(path)
    try:
        checkpoint = _checkpoint(folder, policy, report)
    except (JournalError, UnicodeDecodeError) as e:
        report.problem(CheckStep.CHECKPOINT, f"The checkpoint does not hold: {e}")
        return report
    report.origin, report.size = checkpoint.origin, checkpoint.size
    tick = progress or (lambda _done, _total: None)
    if _check_tree(folder, checkpoint, report, tick):
        _check_segments(folder, checkpoint.size, report, tick)
    tick(2 * checkpoint.size, 2 * checkpoint.size)
    return report


def _checkpoint(folder: LogStore, policy: Policy, report: CheckReport) -> Checkpoint:
    note = folder.read_checkpoint_note()
    if note is None:
        raise MissingError("there is none.")
    checked = policy.check_signed(note)
    report.cosigned.update(checked.cosigned)
    return checked.checkpoint


def _check_tree(folder: LogStore, checkpoint: Checkpoint, report: CheckReport, tick: Progress) -> bool:
    """Whether every entry could be read and hashed to the root."""
    size, edge = checkpoint.size, Edge(0, ())
    while edge.size < size:
        try:
            leaves = read_leaves(folder, edge.size, min(edge.size + CHUNK, size), size)
        except JournalError as e:
            report.problem(CheckStep.ENTRIES, f"The entries from {edge.size} on cannot be read: {e}")
            return False
        tiles, edge = edge.append([leaf_hash(leaf) for leaf in leaves])
        for path, tile in tiles.items():
            if ".p/" not in path:
                _check_tile(folder, path, tile, report)
        tick(edge.size, 2 * size)
    for level, partial in enumerate(edge.partials):
        if partial:
            path = tile_path(level, size // WIDTH ** (level + 1), len(partial) // HASH)
            _check_tile(folder, path, partial, report)
    if (edge.root() if size else EMPTY_ROOT) != checkpoint.root:
        report.problem(
            CheckStep.ROOT, f"The {size} entries do not lead to the root of the signed checkpoint."
        )
        return False
    return True


def _check_tile(folder: LogStore, path: str, tile: bytes, report: CheckReport) -> None:
    report.tiles += 1
    try:
        stored = folder.read(path)
    except MissingError:
        level, n, width = parse_tile_path(path)
        try:  # a partial tile may be gone once the full one is there
            stored = folder.read(tile_path(level, n))[: width * HASH] if width < WIDTH else b""
        except MissingError:
            stored = b""
        if not stored:
            report.problem(CheckStep.TILES, f"{path} is missing.")
            return
    if stored != tile:
        report.problem(CheckStep.TILES, f"{path} is not what the entries below it give.")


def _check_segments(folder: LogStore, size: int, report: CheckReport, tick: Progress) -> None:
    at = 0
    for first, following in folder.segments():
        if first >= size:
            break  # a mirror may hold payloads that no checkpoint covers yet
        path = segment_path(first, following)
        if first != at:
            which = "twice" if first < at else "nowhere"
            report.problem(
                CheckStep.SEGMENTS,
                f"The payloads of entries {min(at, first)} to {max(at, first) - 1} are stored {which}.",
            )
        at = following
        report.segments += 1
        try:
            segment = parse_segment(folder.read(path))
            stored = read_leaves(folder, first, following, size)
        except JournalError as e:
            report.problem(CheckStep.SEGMENTS, f"{path} cannot be read: {e}")
            continue
        if (segment.first, segment.next) != (first, following):
            report.problem(CheckStep.SEGMENTS, f"{path} holds other entries than its name says.")
        else:
            _compare(path, first, segment.leaves(), stored, report)
        tick(size + min(following, size), 2 * size)
    if at < size:
        report.problem(CheckStep.SEGMENTS, f"The payloads of entries {at} to {size - 1} are stored nowhere.")


def _compare(
    path: str, first: int, given: Sequence[bytes], stored: Sequence[bytes], report: CheckReport
) -> None:
    if given != stored:
        for index, (a, b) in enumerate(zip(given, stored, strict=False), first):
            if a != b:
                report.problem(
                    CheckStep.SEGMENTS,
                    f"{path}: the payload of entry {index} is not the one that the journal recorded.",
                )
