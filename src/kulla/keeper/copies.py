"""The key copies: three mirror operators hold every record; a record counts when two of them have it.

One thread for each copy sends whatever that copy lacks, oldest first, over one kept connection. A dead or slow
copy delays nobody, and is caught up by the same loop when it comes back. A copy that holds another record
under a number of ours is never overwritten: it raises an alarm (this disk was set back, another keeper of the same
root key wrote, or the copy was changed). At a start, when a quorum of copies agrees on that other record, ours never
counted: the committer sets our end aside and takes theirs.
"""

import base64
import hashlib
import http.client
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kulla.journal import tls, wire
from kulla.keeper.config import Copy
from kulla.keeper.errors import DiskFull, KeeperError, RecordsBroken
from kulla.keeper.records import Record, RecordFile, parse

log = logging.getLogger("kulla.keeper")
TIMEOUT_S = 5.0
RETRY_S = (0.1, 0.25, 0.5, 1.0, 2.0)
BATCH = 2 << 20
FORK_REACH = 1000  # how many of our last records may turn out to be a dead end
NEXT_TYPE = "text/x.kulla.next"


class CopyUnreachable(KeeperError):
    """A copy does not answer, or answers something else than agreed."""


class CopyConflict(KeeperError):
    """A copy holds another record under one of our numbers."""


class CopyConnection:
    """Signed requests to one copy over one kept connection. For one thread."""

    def __init__(self, copy: Copy, signer: Ed25519PrivateKey) -> None:
        parts = urlsplit(copy.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise CopyUnreachable(f"The address of {copy.name} is not an http address.")
        self._http: http.client.HTTPConnection
        if parts.scheme == "https":
            try:
                context = tls.to_mirrors(os.environ)
            except tls.TlsFilesError as error:
                raise CopyUnreachable(str(error)) from None
            self._http = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=TIMEOUT_S, context=context
            )
        else:
            self._http = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)
        self._base = parts.path.rstrip("/")
        self._signer = signer
        self._name = copy.name

    def put(self, batch: "Batch") -> int:
        """Give records; the number that the copy expects next (also when some before are missing).

        Raises CopyUnreachable, CopyConflict.
        """
        status, kind, answer = self._ask("POST", "/keycopy/put", batch.body, batch.digest)
        if status == 200 or (status == 409 and kind == NEXT_TYPE):
            try:
                return int(answer.decode("ascii"))
            except ValueError as error:
                raise CopyUnreachable(f"{self._name} gave an answer that is no number.") from error
        if status == 409:
            raise CopyConflict(f"{self._name} holds another record under a number of ours.")
        raise CopyUnreachable(f"{self._name} refused the records (status {status}).")

    def records(self, start: int) -> list[Record]:
        """Some records from `start` on; none past the end. Raises CopyUnreachable, RecordsBroken."""
        status, _, answer = self._ask("GET", f"/keycopy/records?from={start}", b"")
        if status != 200:
            raise CopyUnreachable(f"{self._name} does not give its records (status {status}).")
        try:
            records = [parse(bytes(raw)) for _, _, raw in wire.decode(answer)]
        except (wire.WireError, TypeError, ValueError) as error:
            raise CopyUnreachable(f"{self._name} gave an answer that cannot be read.") from error
        if [record.seq for record in records] != list(range(start, start + len(records))):
            raise RecordsBroken(f"{self._name} gave records out of their order.")
        return records

    def tombstones(self) -> list[dict[str, Any]]:
        """Every tombstone there, as mirror/destroying.py describes it. Raises CopyUnreachable."""
        status, _, answer = self._ask("GET", "/keycopy/tombstones", b"")
        try:
            items: list[Any] = list(wire.decode(answer)) if status == 200 else [None]
            if all(isinstance(each, dict) for each in items):
                return items
        except (wire.WireError, TypeError) as error:
            raise CopyUnreachable(f"{self._name} gave an answer that cannot be read.") from error
        raise CopyUnreachable(f"{self._name} does not give its tombstones (status {status}).")

    def object(self, note: bytes) -> int:
        """Send an objection; the status that came back. Raises CopyUnreachable."""
        return self._ask("POST", "/keycopy/object", note)[0]

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _ask(self, method: str, path: str, body: bytes, digest: str = "") -> tuple[int, str, bytes]:
        target, now = self._base + path, int(time.time())
        digest = digest or hashlib.sha256(body).hexdigest()
        text = f"kulla-request/1\n{method}\n{target}\n{now}\n{digest}\n"
        signature = base64.b64encode(self._signer.sign(text.encode())).decode()
        headers = {"Kulla-Signature": signature, "Kulla-Time": str(now), "Content-Type": "application/cbor"}
        for attempt in (1, 2):
            try:
                self._http.request(method, target, body or None, headers)
                response = self._http.getresponse()
                return response.status, response.headers.get_content_type(), response.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
                self._http.close()  # an idle connection was closed; every call here may be repeated
                if attempt == 2:
                    raise CopyUnreachable(f"{self._name} does not answer.") from error
            except (OSError, http.client.HTTPException) as error:
                self._http.close()
                raise CopyUnreachable(f"{self._name} does not answer.") from error
        raise AssertionError("unreachable")


@dataclass(frozen=True)
class Batch:
    """Records as a copy takes them, with the digest that each request signs: made once for all copies."""

    body: bytes
    digest: str

    @classmethod
    def of(cls, records: Sequence[Record]) -> "Batch":
        """The batch of these records."""
        body = wire.encode([[record.seq, record.id, record.raw] for record in records])
        return cls(body, hashlib.sha256(body).hexdigest())


class Batches:
    """What the copies' threads send: the same records for all that stand at the same number."""

    def __init__(self, file: RecordFile) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._made: OrderedDict[tuple[int, int], Batch] = OrderedDict()

    def get(self, start: int) -> Batch:
        """The records from `start` on that fit into one request. Raises RecordsBroken."""
        with self._lock:
            key = (start, self._file.last)
            if key not in self._made:
                self._made[key] = Batch.of(self._file.read(start, BATCH))
                if len(self._made) > 2:
                    self._made.popitem(last=False)
            return self._made[key]

    def forget(self) -> None:
        """Our end was set aside: what was made of it is no longer ours."""
        with self._lock:
            self._made.clear()


@dataclass
class State:
    """What is known of one copy. `next` is the number it expects; `joined` once it was asked for what we lack."""

    name: str
    next: int = 0
    joined: bool = False
    ok: bool = False
    conflict: bool = False
    fork: tuple[int, bytes] | None = None  # last common number, hash of the copy's next record
    again: threading.Event = field(default_factory=threading.Event, repr=False)
    wanted: threading.Event = field(default_factory=threading.Event, repr=False)


class Copies:
    """Keeps all copies at the end of the record file, and tells how far two of three are."""

    def __init__(
        self,
        copies: Sequence[Copy],
        signer: Ed25519PrivateKey,
        file: RecordFile,
        adopt: Callable[[list[Record]], None],
    ) -> None:
        """`adopt` takes records that a copy has and this disk lacks (it was set back, or lost its end)."""
        self._file = file
        self._batches = Batches(file)
        self._adopt = adopt
        self._changed = threading.Condition()
        self._stopped = False
        self._states = [State(copy.name) for copy in copies]
        self._quorum = len(copies) // 2 + 1
        self._threads = [
            threading.Thread(
                target=self._run, args=(state, CopyConnection(copy, signer)), name=copy.name, daemon=True
            )
            for state, copy in zip(self._states, copies, strict=True)
        ]

    def start(self) -> None:
        """Start a thread for each copy."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the threads; what a copy lacks now it gets at the next start."""
        self._stopped = True
        self.push()
        self.join_again()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(TIMEOUT_S)

    def push(self) -> None:
        """New records stand in the file."""
        for state in self._states:
            state.wanted.set()

    @property
    def safe(self) -> int:
        """The last record that a quorum of copies holds."""
        return sorted((state.next - 1 for state in self._states), reverse=True)[self._quorum - 1]

    def wait(self, seq: int, timeout_s: float) -> bool:
        """Whether a quorum holds record `seq`, waiting at most so long."""
        with self._changed:
            return (
                self._changed.wait_for(lambda: self._stopped or self.safe >= seq, timeout_s)
                and self.safe >= seq
            )

    def wait_joined(self, timeout_s: float, *, all_of_them: bool = False) -> bool:
        """Whether a quorum (or all) of the copies have been asked for what this disk lacks."""
        needed = len(self._states) if all_of_them else self._quorum

        def joined() -> bool:
            # One in conflict has been asked; it gives us nothing and counts for nothing but this.
            settled = [state.joined or (all_of_them and state.conflict) for state in self._states]
            return sum(settled) >= needed

        with self._changed:
            return self._changed.wait_for(lambda: self._stopped or joined(), timeout_s) and joined()

    def forked_after(self) -> int | None:
        """The last number that this disk shares with a quorum of copies, which all go on with one other record."""
        with self._changed:
            forks = [state.fork for state in self._states if state.fork is not None]
        agreed = [fork for fork in forks if forks.count(fork) >= self._quorum]
        return agreed[0][0] if agreed else None

    def join_again(self) -> None:
        """Let the copies that were in conflict try again."""
        self._batches.forget()
        with self._changed:
            for state in self._states:
                state.fork = None  # found before our end was moved
        for state in self._states:
            state.again.set()

    def status(self) -> list[dict[str, object]]:
        """For the operator's page."""
        last = self._file.last
        return [
            {
                "name": state.name,
                "ok": state.ok and not state.conflict,
                "behind": max(0, last + 1 - max(state.next, 1)),
                "conflict": state.conflict,
            }
            for state in self._states
        ]

    def _run(self, state: State, connection: CopyConnection) -> None:
        failures = 0
        while not self._stopped:
            try:
                if not state.joined:
                    self._join(state, connection)
                while not self._stopped and state.next <= self._file.last:
                    self._note(state, next=connection.put(self._batches.get(state.next)))
                self._note(state, ok=True)
                failures = 0
            except (CopyConflict, RecordsBroken) as error:
                log.error("ALARM: %s", error)
                fork = None if state.joined else self._fork(connection)
                self._note(state, ok=False, conflict=True, next=0, joined=False, fork=fork)
                state.again.wait()  # a person must look; a restart tries again
                state.again.clear()
                self._note(state, conflict=False, fork=None)
            except (CopyUnreachable, DiskFull) as error:
                if failures == 0:
                    log.warning("%s It is caught up when it comes back.", error)
                self._note(state, ok=False)
                state.wanted.wait(RETRY_S[min(failures, len(RETRY_S) - 1)])
                failures += 1
                continue
            if state.next > self._file.last:
                # Woken by push; now and then it asks anyway, so that the operator sees a dead copy.
                state.wanted.wait(60)
            state.wanted.clear()
        connection.close()

    def _fork(self, connection: CopyConnection) -> tuple[int, bytes] | None:
        """Where this copy's chain leaves ours; None when it does not, or does not say so."""
        try:
            for seq in range(self._file.last, max(0, self._file.last - FORK_REACH), -1):
                theirs = connection.records(seq)
                if theirs and theirs[0].hash == self._file.read(seq)[0].hash:
                    after = theirs[1:] or connection.records(seq + 1)
                    return (seq, after[0].hash) if after else None
        except KeeperError:
            log.exception("a copy in conflict does not give its records")
        return None

    def _join(self, state: State, connection: CopyConnection) -> None:
        """Take over what this copy has beyond our end; then find out where the copy stands."""
        while records := connection.records(self._file.last + 1):
            self._adopt(records)
        last = self._file.read(self._file.last)
        self._note(state, next=connection.put(Batch.of(last)) if last else 1, joined=True)

    def _note(self, state: State, **changes: object) -> None:
        with self._changed:
            for name, value in changes.items():
                setattr(state, name, value)
            self._changed.notify_all()
