"""Re-reading everything that a mirror holds. Whatever is not as it was signed is named with its file.

1. The checkpoint: signed by the log and, for an operator's home, cosigned by this mirror. So `pending`, if there.
2. Entry bundles, the tree made of them, every full tile of every level, the signed root (journal/check.py).
3. Partial tiles that are left from earlier sizes: prefixes of the full ones.
4. Segments: each gives exactly the entries that were recorded, together they cover every entry once.
5. Merged files: index and length; a segment that stands singly beside them has the same bytes.
6. Key copies: every frame's hash, numbers without a gap, nothing torn; tombstones likewise.
7. In a bucket: what must be locked is locked.
Reads in pieces: memory does not grow with the journal. May run beside the mirror.
"""

from __future__ import annotations

import datetime
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from kulla.journal.check import check_folder
from kulla.journal.errors import JournalError, MissingError
from kulla.journal.note import Verifier, b64
from kulla.journal.policy import Policy
from kulla.journal.store import LogStore, merged_path, segment_path
from kulla.journal.tiles import HASH, WIDTH, decode_bundle, parse_tile_path, tile_path
from kulla.mirror.frames import HEAD, read_frames
from kulla.mirror.notes import open_checkpoint

Progress = Callable[[str, int, int], None]
MAX_PROBLEMS = 200


@dataclass
class Audit:
    """What was found. All is well exactly when `problems` is empty."""

    problems: list[str] = field(default_factory=list)
    entries: int = 0
    tiles: int = 0
    segments: int = 0
    merged: int = 0
    records: int = 0

    def problem(self, sentence: str) -> None:
        """Note one; after two hundred the rest would say nothing new."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(sentence)


def policy_of(log: Verifier, cosigner: Verifier | None) -> Policy:
    """A policy of this log and, if given, this mirror alone."""
    lines = [f"log {_vkey(log)}"]
    if cosigner is not None:
        lines += [f"witness mirror {_vkey(cosigner)}", "quorum mirror"]
    else:
        lines += ["quorum none"]
    return Policy.parse("\n".join([*lines, ""]))


def _vkey(key: Verifier) -> str:
    return f"{key.name}+{key.key_id.hex()}+{b64(bytes([key.kind]) + key.public)}"


def audit_log(
    store: LogStore, policy: Policy, found: Audit, progress: Progress, *, own: str | None = None
) -> None:
    """Audit one log's copy. `own`: the cosigner's name that its checkpoint must bear. Raises StorageFailed, OSError."""
    report = check_folder(store, policy, lambda done, total: progress("tree and segments", done, total))
    found.entries += report.size
    found.tiles += report.tiles
    found.segments += report.segments
    for problem in report.problems:
        found.problem(problem)
    if own is not None and not report.cosigned and not report.problems:
        found.problem(f"checkpoint is not cosigned by {own}.")
    try:
        pending = store.read("pending")
        open_checkpoint(pending, policy.logs[0].verifier)
    except MissingError:
        pass
    except JournalError as error:
        found.problem(f"pending does not hold: {error}")
    _partials(store, report.size, found, progress)
    _merged_files(store, found, progress)
    locked_until = getattr(store, "locked_until", None)
    if locked_until is not None:
        _locks(store, locked_until, report.size, found, progress)


def _tree(store: LogStore, rel: str, depth: int = 12) -> Iterator[str]:
    """Every file below a folder of the layout. A name without "x" and suffix is a file, but for levels."""
    for name in sorted(store.names(rel)):
        path = f"{rel}/{name}"
        if depth and (rel == "tile" or name.startswith("x") or name.endswith(".p")):
            yield from _tree(store, path, depth - 1)
        elif not name.startswith("."):
            yield path


def _partials(store: LogStore, size: int, found: Audit, progress: Progress) -> None:
    count = 0
    for path in _tree(store, "tile"):
        try:
            level, n, width = parse_tile_path(path)
        except JournalError:
            found.problem(f"{path} is no file of a journal.")
            continue
        span = WIDTH if level == "entries" else WIDTH ** (int(level) + 1)
        if width == WIDTH or (n + 1) * span > size:
            continue  # full ones were compared; those at the edge too, or no signature covers them yet
        count += 1
        progress("older partial tiles", count, 0)
        try:
            if not _is_prefix(level, store.read(path), store.read(tile_path(level, n)), width):
                found.problem(f"{path} is not the beginning of its full tile.")
        except JournalError as error:
            found.problem(f"{path}: {error}")


def _is_prefix(level: int | str, part: bytes, whole: bytes, width: int) -> bool:
    if level == "entries":
        return decode_bundle(part) == decode_bundle(whole)[:width]
    return part == whole[: width * HASH]


def _merged_files(store: LogStore, found: Audit, progress: Progress) -> None:
    files = [(folder, file) for folder in sorted(store.names("merged")) for file in store.merged(folder)]
    for done, (folder, file) in enumerate(files, 1):
        path = merged_path(*file)
        try:
            index = store.index_of(*file)
            if len(store.part(path, index.size - 1, 2)) != 1:
                raise MissingError("it does not end where its index says.")
            single = set(store.names(f"segment/{folder}"))
            for (first, following), (offset, length) in index.inside.items():
                inside = store.part(path, offset, length) if f"{first}-{following}" in single else None
                if inside is not None and store.get(segment_path(first, following)) != inside:
                    found.problem(
                        f"{path}: the segment {first}-{following} in it differs from the single one."
                    )
        except JournalError as error:
            found.problem(f"{path} is damaged: {error}")
        found.merged += 1
        progress("merged files", done, len(files))


def _locks(
    store: LogStore,
    locked_until: Callable[[str], datetime.datetime | None],
    size: int,
    found: Audit,
    progress: Progress,
) -> None:
    """In a bucket: the checkpoint, full tiles and bundles, segments and merged files must be under lock."""
    paths = ["checkpoint"]
    paths += [path for path in _tree(store, "tile") if ".p/" not in path]
    for kind in ("segment", "merged"):
        for folder in store.names(kind):
            paths += [f"{kind}/{folder}/{name}" for name in store.names(f"{kind}/{folder}")]
    now = datetime.datetime.now(datetime.UTC)
    with ThreadPoolExecutor(16) as pool:
        for done, (path, until) in enumerate(zip(paths, pool.map(locked_until, paths), strict=True), 1):
            if size and (until is None or until < now):
                found.problem(f"{path} is not under lock (or its lock has ended): it can be deleted.")
            progress("locks", done, len(paths))


def audit_keycopy(folder: Path, found: Audit, progress: Progress, *, running: bool = False) -> None:
    """Audit one key copy. While its mirror is `running`, an unfinished frame at the very end is no fault."""
    files = sorted(folder.glob("records-*.log"))
    expected = 1
    for done, path in enumerate(files, 1):
        last = done == len(files)
        expected = _frames(path, expected, found, may_end_torn=running and last)
        progress("key copy", done, len(files))
    found.records += expected - 1
    tombstones = folder / "tombstones.log"
    if tombstones.exists():
        _frames(tombstones, None, found, may_end_torn=running)
    for torn in sorted(folder.glob("*.torn-*")):
        found.problem(f"{torn.name} was cut off when the mirror started: look whether records were lost.")


def _frames(path: Path, expected: int | None, found: Audit, *, may_end_torn: bool) -> int:
    end = 0
    for offset, body in read_frames(path):
        end = offset + HEAD + len(body)
        if expected is not None:
            seq = struct.unpack_from(">Q", body)[0] if len(body) >= 24 else -1
            if seq != expected:
                found.problem(f"{path.name}: record {expected} is missing at byte {offset}.")
                return expected
            expected += 1
    size = path.stat().st_size
    if end < size and not may_end_torn:
        found.problem(f"{path.name} is damaged at byte {end} of {size}.")
    return expected or 0
