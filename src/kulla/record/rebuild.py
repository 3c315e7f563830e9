"""Bringing the portal back: journal folder and tables from mirrors' copies and the holders' rebuild key.

1. Choose the copy (sources.py): the longest that the journal signed; the others must be its prefixes.
2. Check all of it: every tile to the root, every segment to the tree (journal.check).
3. Copy it into the portal's journal folder, with every cosignature that the copies carry.
4. Make empty tables, open every payload, load every row with its highest rev, deletions included.
5. Note where the tables stand. The sequencer finds them level and opens writes once two mirrors have confirmed.
"""

import gc
import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.core.management import call_command
from django.db import connection, transaction

from kulla.journal import log as journal_log
from kulla.journal.check import check_folder
from kulla.journal.checkpoint import Checkpoint
from kulla.journal.entry import decode_payload
from kulla.journal.errors import FormatError
from kulla.journal.policy import Policy
from kulla.journal.segment import decrypt_all, open_segment_key, parse_segment
from kulla.journal.store import LogFolder
from kulla.record import indexes, readiness, reconcile, triggers
from kulla.record.applying import note_checkpoint, schedule_again
from kulla.record.effects import AGAIN_MS
from kulla.record.errors import RebuildError
from kulla.record.loading import Loader
from kulla.record.sources import Chosen, choose
from kulla.record.walking import Found, Odd, last_time, walk

Progress = Callable[[str, int, int], None]
"""(step, done, total)"""


@dataclass
class Report:
    """What was brought back. `sentences` says what the operator must know, such as a possible gap."""

    size: int
    rows: dict[str, int] = field(default_factory=dict)
    cosigned: dict[str, int] = field(default_factory=dict)
    quorum: bool = False
    sentences: list[str] = field(default_factory=list)


@dataclass
class Until:
    """A past point: the first `size` entries, or all that was recorded before `at_ms`.

    Only whole rounds count, since a round is what the tables were at one moment: rows agree with each other then, as
    they need not between two entries of one round. So it may be a little earlier, never later.
    """

    size: int | None = None
    at_ms: int | None = None
    last_ms: int = 0  # when the last entry that counts was recorded, once it was loaded

    def ends_before(self, found: Sequence[Found]) -> bool:
        """Whether this round is beyond the point."""
        if self.size is not None:
            return found[-1].index >= self.size
        return any(entry.payload.at_ms >= (self.at_ms or 0) for entry in found)

    def in_words(self, size: int) -> str:
        """What these tables show."""
        last = datetime.fromtimestamp(self.last_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return (
            f"These tables show the first {size} entries of the journal, up to {last}, and take nothing new."
        )


def _silent(_step: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def rebuild(
    *,
    mirrors: Sequence[Path],
    rebuild_key: bytes,
    policy: Policy,
    journal: Path,
    progress: Progress = _silent,
    pass_over: bool = False,
    until: Until | None = None,
) -> Report:
    """Rebuild journal folder and tables. The database must be empty (or hold no entry); the portal must not run.

    mirrors: operators' folders, or their copies of the journal. rebuild_key: the holders' X25519 private key, raw.
    journal: the portal's journal folder, empty or absent. Entries that nobody can read are passed over and named in
    the report; rows of tables that this Kulla does not know only with `pass_over`, since a newer Kulla may know them.
    until: the tables as they stood at a past point; they stay closed for ever (see `Until`).
    Raises RebuildError; then nothing was kept.
    """
    origin_hash = hashlib.sha256(policy.logs[0].verifier.name.encode()).hexdigest()
    chosen = choose(mirrors, policy, origin_hash)
    source, checkpoint = chosen.copy.folder, chosen.copy.checkpoint
    found = check_folder(source.path, policy, lambda done, total: progress("check", done, total))
    if found.problems:
        raise RebuildError(f"The copy in {source.path} is damaged: {found.problems[0]}")
    if (journal / "checkpoint").exists():
        raise RebuildError(f"{journal} holds a journal already; move it away first.")
    private = X25519PrivateKey.from_private_bytes(rebuild_key)

    def segment_key(header: bytes) -> bytes:
        return open_segment_key(header, private)

    folder = _copy(source, journal, checkpoint, chosen.note, progress)
    if until is None:
        _adopt(folder, chosen, policy, segment_key)
    report = Report(
        checkpoint.size, cosigned=chosen.cosigned, quorum=chosen.quorum, sentences=chosen.sentences
    )
    odd = _PassedOver(report.sentences)
    note = chosen.note if chosen.quorum else None
    report.rows = load(folder, checkpoint, segment_key, note, progress, odd, pass_over=pass_over, until=until)
    odd.close()
    if until is not None:
        report.size = readiness.applied()
        report.sentences.append(until.in_words(report.size))
    return report


@dataclass
class _PassedOver:
    """Names the first entries that were passed over, and counts the others."""

    sentences: list[str]
    count: int = 0

    def __call__(self, index: int, why: str) -> None:
        """Take one."""
        self.count += 1
        if self.count <= _NAMED:
            self.sentences.append(f"Entry {index} was passed over: {why}")

    def close(self) -> None:
        """Say how many were not named."""
        if self.count > _NAMED:
            self.sentences.append(f"{self.count - _NAMED} more were passed over.")


_NAMED = 20


def load(
    folder: LogFolder,
    checkpoint: Checkpoint,
    segment_key: Callable[[bytes], bytes],
    note: str | None,
    progress: Progress = _silent,
    odd: Odd | None = None,
    *,
    pass_over: bool = False,
    until: Until | None = None,
) -> dict[str, int]:
    """Migrate the database and fill its empty tables from the journal; table -> rows.

    note: the cosigned checkpoint, None while it lacks the quorum. odd, pass_over, until: see `rebuild`.
    Raises RebuildError when tables are not empty, or when no entry at all can be read with this key.
    """
    call_command("migrate", interactive=False, verbosity=0)
    if readiness.applied():
        raise RebuildError("The database holds entries already: rebuild into an empty one.")
    if connection.vendor == "sqlite":
        connection.disable_constraint_checking()  # not possible inside a transaction
    gc.disable()  # millions of small objects and no cycles: a fifth of the time
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            triggers.drop()
            put_aside = indexes.put_aside(cursor)
            loader = Loader(cursor, checkpoint.size, odd if pass_over else None)
            read = 0
            since = last_time(folder, checkpoint, segment_key) - AGAIN_MS
            reached = checkpoint.size if until is None else 0
            for found in walk(folder, checkpoint, segment_key, odd=odd):
                if until is not None:
                    if until.ends_before(found):
                        read += 1  # it opens
                        break
                    reached, until.last_ms = found[-1].index + 1, found[-1].payload.at_ms
                read += len(found)
                loader.add(found)
                if until is None:
                    schedule_again(entry.payload for entry in found if entry.payload.at_ms >= since)
                progress("rows", found[-1].index + 1, checkpoint.size)
            if checkpoint.size and not read:
                raise RebuildError(
                    "No entry of this journal opens with this rebuild key: is it another journal's?"
                )
            rows = loader.finish()
            put_aside.bring_back()
            if note is not None and checkpoint.size:
                note_checkpoint(cursor, checkpoint.size, note)
            closed = reconcile.WAITS if note is None and checkpoint.size else ""  # the sequencer opens
            if until is not None:
                closed = until.in_words(reached)
            cursor.execute(
                "UPDATE record_state SET applied = %s, closed = %s WHERE id = 1", [reached, closed]
            )
            connection.check_constraints()
            triggers.install()
    finally:
        gc.enable()
        if connection.vendor == "sqlite":
            connection.enable_constraint_checking()
    readiness.forget()
    return rows


def _copy(
    source: LogFolder, journal: Path, checkpoint: Checkpoint, note: str, progress: Progress
) -> LogFolder:
    """The copy's tiles and segments in the portal's folder; the checkpoint last."""
    folder = LogFolder(journal)
    files = [
        path
        for name in ("tile", "segment", "merged")
        for path in sorted((source.path / name).rglob("*"))
        if path.is_file()
    ]
    for done, path in enumerate(files, 1):
        relative = path.relative_to(source.path)
        beyond = relative.parts[0] == "segment" and int(path.name.partition("-")[2]) > checkpoint.size
        if not beyond and not path.name.startswith("."):
            target = journal / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        progress("copy", done, len(files))
    os.sync()  # the checkpoint must not be on disk before what it speaks of
    folder.write_checkpoint_note(note)
    return folder


def _adopt(folder: LogFolder, chosen: Chosen, policy: Policy, segment_key: Callable[[bytes], bytes]) -> None:
    """Stage again the signed round that a mirror holds beyond its checkpoint; the sequencer finishes it."""
    if chosen.copy.pending is None:
        return
    note, data = chosen.copy.pending
    segment = parse_segment(data)
    try:
        payloads = decrypt_all(segment_key(segment.header), segment)
        uuids = [decode_payload(payload).uuid for payload in payloads]
    except FormatError:
        # Somebody's that cannot be read. The mirror was told of it, so it stays; no outbox row waits for these ids.
        uuids = [UUID(int=index) for index in range(segment.first, segment.next)]
    journal_log.adopt(folder, note, data, uuids, policy.logs[0].verifier)
