"""The answers: newest act first, each an entry of its own, so that a run can be broken off and repeated.

1. One pass over the journal finds the acts (scan.py); those that an answer stands for are passed over.
2. An act that a later entry depends on is left for a person, with these entries; nothing of it is touched.
3. Else one entry: the act's rows are locked and must still be as the pass saw them; the service's function changes
   them; a row of record_undone says which entry answers which. It commits whole or not at all.
A dry run does the same inside one transaction that is rolled back: what it prints is what would happen. Whoever
writes the very same rows waits until it has ended (on SQLite, every writer).
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from kulla.journal.entry import Payload
from kulla.journal.policy import Policy
from kulla.journal.store import LogFolder
from kulla.record import entries, images, kinds, sequencer
from kulla.record.checked import newest_checkpoint
from kulla.record.entries import Entry, entry, entry_id
from kulla.record.errors import AlreadyRecorded, OutboxFull
from kulla.record.kept import as_uuid, db_uuids
from kulla.record.models import Undone, UndoRun
from kulla.record.undoing import about, scan
from kulla.record.undoing.about import Act, Left
from kulla.record.undoing.actors import Matches
from kulla.record.walking import SegmentKey, walk

HOME = as_uuid("6b756c6c-6100-5000-8000-756e646f0000")  # runs belong to nobody
NAMED = 20  # dependent entries that are named for each act; the others are counted
FULL_S = 60.0
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Wanted:
    """What is to be undone, and who asked. Times in ms since 1970 UTC; `until_ms` is the first that is not."""

    by: str
    actor: str
    since_ms: int
    until_ms: int | None = None
    kind: str = ""

    def __call__(self, payload: Payload, matches: Matches) -> bool:
        """Whether this entry is one of them."""
        return (
            payload.at_ms >= self.since_ms
            and (self.until_ms is None or payload.at_ms < self.until_ms)
            and self.kind in ("", payload.kind)
            and matches(payload)
        )


@dataclass
class Done:
    """How many acts were answered now, were left for a person, had been answered before."""

    answered: int = 0
    left: int = 0
    before: int = 0


def undo(
    *,
    journal: Path,
    policy: Policy,
    segment_key: SegmentKey,
    wanted: Wanted,
    matches: Matches,
    say: Callable[[str], None],
    dry_run: bool = False,
    scratch: Path | None = None,
    progress: Progress = lambda _step, _done, _total: None,
) -> Done:
    """Answer the acts. `say` takes one line each.

    scratch: where a file of about the tables' size may lie meanwhile (default: the system's temporary folder, which may
    be memory). Raises RebuildError when the journal does not hold, and what `record.entry` raises when nothing may be
    written; what was answered until then stays, and a repeated run goes on.
    """
    with (
        tempfile.TemporaryDirectory(prefix="kulla-undo-", dir=scratch) as folder,
        closing(scan.Scratch(Path(folder) / "scratch.sqlite3", lambda p: wanted(p, matches))) as found,
    ):
        _read(found, LogFolder(journal), policy, segment_key, progress)
        done = Done(before=found.count(scan.ANSWERED))
        work = _Work(found, wanted, say, done)
        if dry_run:
            with transaction.atomic():
                for act in found.open_acts():
                    work.one(act, _rehearse)
                transaction.set_rollback(True)
        else:
            for act in found.open_acts():
                work.one(act, _commit)
        return done


def _read(
    scratch: scan.Scratch, folder: LogFolder, policy: Policy, segment_key: SegmentKey, progress: Progress
) -> None:
    """The whole journal, then what waits. The outbox is read first: what moves meanwhile is found in the journal."""
    waiting = {payload.uuid: payload for payload in sequencer.waiting()}
    checkpoint = newest_checkpoint(folder, policy)
    for found in walk(folder, checkpoint, segment_key, odd=lambda _index, _why: None):
        for each in found:
            scratch.add(each.payload, each.index)
            waiting.pop(each.payload.uuid, None)
        progress("read", found[-1].index + 1, checkpoint.size)
    for payload in waiting.values():
        scratch.add(payload, None)
    scratch.finish()


Entering = Callable[[str, Act, Callable[[Entry], str]], str]


@dataclass
class _Work:
    """One run on its way."""

    scratch: scan.Scratch
    wanted: Wanted
    say: Callable[[str], None]
    done: Done
    run: UUID | None = None

    def one(self, act: Act, entering: Entering) -> None:
        """Answer one act, or leave it and say why."""
        place = "waiting in the outbox" if act.index is None else str(act.index)
        name = f"entry {place} ({act.kind}, {act.uuid}, {_moment(act.at_ms)})"
        try:
            said = self._answer(act, entering)
        except Left as reason:
            self.scratch.mark(act.uuid, scan.LEFT)
            self.done.left += 1
            self.say(f"left for a person: {name}: {reason}")
            self._dependents(act)
            return
        self.scratch.mark(act.uuid, scan.ANSWERED)
        self.done.answered += 1
        self.say(f"answered: {name}: {said}")

    def _dependents(self, act: Act) -> None:
        some, total = self.scratch.later(act.uuid, NAMED)
        for each in some:
            place = "waiting" if each.index is None else f"entry {each.index}"
            self.say(
                f"  later: {place} ({each.kind}, {each.uuid}, {_moment(each.at_ms)}) at {each.table} {each.key}"
            )
        if total > len(some):
            self.say(f"  and {total - len(some)} more.")

    def _answer(self, act: Act, entering: Entering) -> str:
        kind, function = about.of(act.kind)
        kinds.find(kind)
        if self.scratch.later(act.uuid, 1)[1]:
            raise Left("later entries depend on it.")
        if unknown := {change.table for change in act.changes} - images.shapes().keys():
            raise Left(f"this Kulla does not know {', '.join(sorted(unknown))}.")
        run: UUID | None = self.run
        became: list[tuple[str, UUID, int]] = []

        def body(opened: Entry) -> str:
            for change in act.changes:
                if _rev(change.table, change.key) != self.scratch.rev(change.table, change.key):
                    raise Left("its rows have changed since the journal was read: run this again.")
            said = function(act, opened)
            nonlocal run
            run = run or self._new_run()
            Undone.objects.create(
                home=act.person or act.office or HOME, run_id=run, entry=act.uuid, answer=opened.uuid
            )
            became.extend((c.table, c.key, _rev(c.table, c.key)) for c in act.changes)
            return said

        try:
            said = entering(kind, act, body)
        except AlreadyRecorded:
            return "another run has just answered it."
        except IntegrityError as error:
            raise Left(f"the tables refuse it: {str(error).splitlines()[0]}") from error
        self.run = run
        for each in became:
            self.scratch.became(*each)
        return said

    def _new_run(self) -> UUID:
        made = UndoRun.objects.create(
            home=HOME,
            by=self.wanted.by,
            actor=self.wanted.actor,
            since_ms=self.wanted.since_ms,
            until_ms=self.wanted.until_ms,
            entry_kind=self.wanted.kind,
        )
        return UUID(str(made.pk))


def _commit(kind: str, act: Act, body: Callable[[Entry], str]) -> str:
    """In an entry; while the outbox is full it waits for the portal's sequencer."""
    until = time.monotonic() + FULL_S
    while True:
        try:
            with entry(
                kind,
                key=entry_id(act.uuid, "undo"),
                person=act.person,
                office=act.office,
                actor="job:undo",
            ) as opened:
                said = body(opened)
        except OutboxFull:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
            continue
        return said


def _rehearse(kind: str, act: Act, body: Callable[[Entry], str]) -> str:
    """As `_commit`, in a savepoint that leaves no entry."""
    opened = Entry(entry_id(act.uuid, "undo"), kind)
    with transaction.atomic():
        entries.begin(opened.uuid)
        said = body(opened)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # what is checked at a commit is checked now; the check for an outbox row is told that it is done
                cursor.execute("SELECT set_config('kulla.demanded', txid_current()::text, true)")
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
                cursor.execute(
                    "SELECT set_config('kulla.demanded', '', true), set_config('kulla.entry', '', true)"
                )
            else:
                connection.check_constraints({change.table for change in act.changes})
                cursor.execute("DELETE FROM record_touched")
                cursor.execute("DELETE FROM record_open")
    return said


def _rev(table: str, key: UUID) -> int:
    """The rev of a row, or of its grave; 0 for neither. The row is held until the transaction ends."""
    lock = " FOR UPDATE" if connection.vendor == "postgresql" else ""
    (given,) = db_uuids(key)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT rev FROM "{images.shapes()[table].table}" WHERE id = %s{lock}', [given])  # noqa: S608
        row = cursor.fetchone()
        if row is None:
            cursor.execute("SELECT rev FROM record_grave WHERE key = %s", [given])
            row = cursor.fetchone()
    return int(row[0]) if row else 0


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
