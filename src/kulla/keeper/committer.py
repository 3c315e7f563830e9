"""Writing records: many changes share one append, one round to the copies and one transaction (group commit).

A change counts in this order: (1) sealed and chained, (2) on this disk, (3) on two of three copies, (4) in the
register. Whoever asked waits for all of it. (2) comes before (3), so that no copy ever holds a record that this
disk could number anew.

When the copies do not answer in time the asker is refused, but the record stays: it was sent and may count later,
so it may be stored although it was reported lost. Until it counts, other changes are refused at once.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from kulla.journal.wire import WireError
from kulla.keeper import turns
from kulla.keeper.copies import Copies
from kulla.keeper.errors import DiskFull, RecordsBroken, Refusal
from kulla.keeper.kinds import Body
from kulla.keeper.records import Record, RecordFile, Sealer
from kulla.keeper.register import Register

log = logging.getLogger("kulla.keeper")
QUORUM_S = 3.5  # shorter than the callers' patience of 5 s, so that they hear why
FULL_S = 0.5  # between two tries on a full disk
MAX_BATCH = 2000
BUSY_S = 0.2  # after a round others are likely to follow: only then is it worth waiting for them
SLICE_S = 0.004  # so much longer a change waits that does not want to gather others
MAX_BODY = 64 * 1024  # bytes; far above any honest change, far below what a key copy takes
GRACE_S = 2.0  # how long a start waits for the third copy, in case only that one has our last record


@dataclass
class _Change:
    bodies: Sequence[tuple[bytes, Body, bytes]]  # record id, body, and the body as it will be sealed
    urgent: bool
    done: "Future[None]"
    until: float
    patience_s: float = QUORUM_S
    gather_until: float = 0.0  # so long it may wait for others to share its round
    make: "Callable[[], Sequence[Body]] | None" = None  # gives the bodies when it is written


def _unavailable() -> Refusal:
    return Refusal("copies_unavailable", "Two key copies do not answer: nothing can be changed now.")


def _prepare(body: Body) -> bytes:
    try:
        prepared = Sealer.prepare(body)
    except WireError as error:
        raise Refusal("bad_request", "This change cannot be written as a record.") from error
    if len(prepared) > MAX_BODY:
        raise Refusal("too_long", "This change is too large for a record.")
    return prepared


def new_id() -> bytes:
    """A random record id."""
    return turns.random(16)


class Committer:
    """One thread that writes; any number that ask."""

    def __init__(
        self,
        file: RecordFile,
        sealer: Sealer,
        copies: Copies,
        register: Register,
        made_anew: Callable[[], None],
    ) -> None:
        """`made_anew` is called when the register was derived from its first record on, before anything else is."""
        self._made_anew = made_anew
        self._file, self._sealer, self._copies, self._register = file, sealer, copies, register
        self._applied, self._applied_hash = register.applied
        self._queue: queue.SimpleQueue[_Change | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._stopping = False
        self._appending = threading.Lock()
        self._grace_until = time.monotonic() + GRACE_S
        self.ready = threading.Event()
        self.failed = False
        self.disk_full = False
        self._wrote = 0.0
        # Whether valid tombstones cover all of these record ids; without them a blank record is a damaged one.
        self.covers: Callable[[Sequence[bytes]], bool] = lambda _ids: False
        # At a start: whether the register holds what was erased, so that it is to be made anew.
        self.set_back: Callable[[], bool] = lambda: False

    def start(self) -> None:
        """Start the thread. `ready` is set once everything on file counts and is in the register."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what was asked and stop."""
        self._stopping = True
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(QUORUM_S + 2)

    def commit(
        self,
        *bodies: Body,
        ids: Sequence[bytes] | None = None,
        urgent: bool = False,
        gather_s: float = 0.0,
    ) -> None:
        """Make changes count, all in one batch and in this order; returns when they do.

        `ids` names the records (else random). `urgent` changes only take something away (a session's end): they
        are written even while the copies are silent, and the caller does not wait for them. `gather_s`: so long it
        may wait for others to share its round, while the keeper is busy.
        A body that has no form or is too large is refused before it is numbered: once written, a record is for ever.
        Raises Refusal("copies_unavailable", "bad_request", "too_long").
        """
        done = self.submit(*bodies, ids=ids, urgent=urgent, gather_s=gather_s)
        if not urgent:
            self.wait(done)

    def submit(
        self,
        *bodies: Body,
        ids: Sequence[bytes] | None = None,
        urgent: bool = False,
        patience_s: float = QUORUM_S,
        gather_s: float = 0.0,
    ) -> "Future[None]":
        """`commit` for whoever has more to prepare meanwhile; pass what it gives to `wait`.

        `patience_s`: how long the copies may take. Only for a keeper that nobody else waits for.
        """
        prepared = [_prepare(body) for body in bodies]
        named = list(zip(ids or [new_id() for _ in bodies], bodies, prepared, strict=True))
        now = time.monotonic()
        change = _Change(named, urgent, Future(), now + QUORUM_S, patience_s, now + gather_s)
        self._queue.put(change)
        return change.done

    def commit_made(self, make: Callable[[], Sequence[Body]]) -> None:
        """Make changes count that `make` derives from the register at the moment of writing: nothing comes between.

        Raises Refusal("copies_unavailable", "bad_request", "too_long"), and what `make` raises.
        """
        change = _Change([], False, Future(), time.monotonic() + QUORUM_S, make=make)
        self._queue.put(change)
        self.wait(change.done)

    def wait(self, done: "Future[None]", patience_s: float = QUORUM_S) -> None:
        """Return when the changes count. Raises Refusal("copies_unavailable")."""
        turns.end()
        try:
            done.result(0 if self.failed else 2 * patience_s)
        except TimeoutError as error:
            raise _unavailable() from error

    def settle(self) -> None:
        """Return once nothing waits to count; else whoever looks a person up may miss one. Raises Refusal."""
        until = time.monotonic() + QUORUM_S
        while self.waiting:
            if time.monotonic() > until:
                raise _unavailable()
            time.sleep(0.01)

    @property
    def waiting(self) -> int:
        """Records on this disk that do not count yet."""
        return self._file.last - self._applied

    def _run(self) -> None:
        held: list[_Change] = []  # asked for before the copies have answered
        while not self._stopping:
            changes: list[_Change] = []
            try:
                if not self.ready.is_set():
                    self._start_up()  # pauses
                elif self.waiting and self._copies.safe >= self._file.last:
                    self._apply_rest()
                changes = held + self._take()
                held = []
                if changes and self.ready.is_set():
                    self._write(changes)
                    self.disk_full = bool(self.disk_full and self.waiting)
                elif changes:
                    now = time.monotonic()
                    self._refuse([change for change in changes if change.until <= now])
                    held = [change for change in changes if change.until > now]
            except DiskFull:
                # Asked again later: what counts already is put into the register when there is room.
                if not self.disk_full:
                    log.exception("ALARM: the keeper's disk is full or fails")
                self.disk_full = True
                self._refuse([change for change in changes if not change.done.done()])
                time.sleep(FULL_S)
            except Exception:
                # The disk failed, or a bug: nothing more is written until a restart has looked at the file anew.
                log.exception("ALARM: the keeper cannot write records any more")
                self.failed = True
                break
        self._refuse(held)
        self._refuse_rest()

    def adopt(self, records: list[Record]) -> None:
        """Take over records that a copy holds beyond our end, before the first write of this start.

        Raises RecordsBroken when they were not sealed under our root key, do not continue our chain, or come too
        late: then other records have taken their numbers, and they never counted.
        """
        with self._appending:
            new = [record for record in records if record.seq > self._file.last]
            if new and self.ready.is_set():
                raise RecordsBroken("A copy holds records that never counted.")
            for record in new:
                self._sealer.open(record)
            blank = [record.id for record in new if record.blank]
            if blank and not self.covers(blank):
                raise RecordsBroken("A copy holds a blank record that no valid tombstone covers.")
            self._file.append(new)

    def _start_up(self) -> None:
        """Ready once a quorum was asked for what we lack (all, within the grace) and holds what we have."""
        self._leave_dead_end()
        grace = max(0.0, self._grace_until - time.monotonic())
        self._copies.wait_joined(min(0.2, grace), all_of_them=True)
        if grace and not self._copies.wait_joined(0, all_of_them=True):
            return
        if self._copies.wait_joined(0.2) and self._copies.wait(self._file.last, 0.2):
            with self._appending:
                self._check_register()
                anew = self._applied == 0
                self._apply_rest()
                if self.set_back():
                    self._register.clear()
                    self._applied, anew = 0, True
                    self._apply_rest()
                if anew:
                    self._made_anew()
                self.ready.set()

    def _leave_dead_end(self) -> None:
        """When a quorum of copies holds another record than we after a number, ours never counted and never will.

        It happens when a second keeper with our root key has run, such as a copy of this home started beside it.
        What we had is set aside in a file; what the copies have is taken over as at any start.
        """
        after = self._copies.forked_after()
        if after is not None:
            log.error(
                "ALARM: records after %d never counted: another keeper wrote; ours are set aside", after
            )
            with self._appending:
                self._file.set_aside_after(after)
            self._copies.join_again()
            time.sleep(0.1)

    def _check_register(self) -> None:
        """The register must hold the beginning of this very chain, else it is derived anew."""
        if self._applied and (
            self._applied > self._file.last or self._file.read(self._applied)[0].hash != self._applied_hash
        ):
            log.error("ALARM: the register does not belong to the records; it is made anew from them")
            self._register.clear()
            self._applied = 0

    def _take(self) -> list[_Change]:
        """Everything asked for by now; waits a little for the first, and for others as long as all agree to it."""
        changes: list[_Change] = []
        size = 0
        try:
            change = self._queue.get(timeout=0.2)
            while change is not None:
                changes.append(change)
                size += len(change.bodies)
                if size >= MAX_BATCH:
                    break
                change = self._next(changes)
        except queue.Empty:
            pass
        return changes

    def _next(self, changes: list[_Change]) -> _Change | None:
        """The next change. Raises queue.Empty when there is none and nobody wants to wait for one."""
        now = time.monotonic()
        left = min(change.gather_until for change in changes) - now
        if left > 0 and now - self._wrote <= BUSY_S:
            # Asleep and not in the queue's wait: there each change that comes in would wake this thread at once.
            time.sleep(min(left, SLICE_S))
            if self._queue.empty():
                return self._next(changes)
        return self._queue.get_nowait()

    def _write(self, changes: list[_Change]) -> None:
        if self.waiting:
            self._refuse([change for change in changes if not change.urgent])
            changes = [change for change in changes if change.urgent]
        changes = self._made(changes)
        if not changes:
            return
        records, bodies = self._seal(changes)
        with self._appending:
            self._file.append(records)
        self._copies.push()
        waits = any(not change.urgent for change in changes)
        patience = max(change.patience_s for change in changes)
        if self._copies.wait(self._file.last, patience if waits else 0.5):
            if self._applied == records[0].seq - 1:
                self._register.apply(records, bodies)
                self._applied = records[-1].seq
            else:
                self._apply_rest()
            self._wrote = time.monotonic()
            for change in changes:
                change.done.set_result(None)
        else:
            log.warning("records up to %d wait for a second key copy", self._file.last)
            self._refuse(changes)

    def _made(self, changes: list[_Change]) -> list[_Change]:
        """Of the changes that are derived from the register only one at a time, and first: it sees all before it."""
        makers = [change for change in changes if change.make is not None]
        for later in makers[1:]:
            self._queue.put(later)
        rest = [change for change in changes if change.make is None]
        for change in makers[:1]:
            try:
                bodies = list(change.make()) if change.make else []
                change.bodies = [(new_id(), body, _prepare(body)) for body in bodies]
            except Exception as error:
                change.done.set_exception(error)
                continue
            if not bodies:
                change.done.set_result(None)
                continue
            rest.insert(0, change)
        return rest

    def _seal(self, changes: list[_Change]) -> tuple[list[Record], list[Body]]:
        records: list[Record] = []
        bodies: list[Body] = []
        before, seq = self._file.last_hash, self._file.last
        with turns.portion():
            for record_id, body, prepared in (each for change in changes for each in change.bodies):
                seq += 1
                record = self._sealer.seal_prepared(seq, record_id, before, prepared)
                records.append(record)
                bodies.append(body)
                before = record.hash
        return records, bodies

    def _apply_rest(self) -> None:
        """Put into the register what counts by now and is not there."""
        while self._applied < self._file.last:
            records = self._file.read(self._applied + 1)
            self._register.apply(records, None)
            self._applied = records[-1].seq

    def _refuse(self, changes: list[_Change]) -> None:
        for change in changes:
            change.done.set_exception(_unavailable())

    def _refuse_rest(self) -> None:
        while True:
            try:
                change = self._queue.get_nowait()
            except queue.Empty:
                return
            if change is not None:
                self._refuse([change])
