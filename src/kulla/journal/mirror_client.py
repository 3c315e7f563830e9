"""Sending checkpoints to mirrors (C2SP tlog-mirror, and Kulla's signed segment uploads) and counting the quorum.

One `MirrorClient` has one thread and one kept connection, so a dead or slow mirror delays nobody. For a round it
sends (1) the segment, (2) add-checkpoint, (3) add-entries, whose answer is the cosignature. A mirror that is
behind gets the segments and entries it lacks, in requests of at most 32 packages.

A mirror may claim that it knows more than this journal, or something else. That stops the sequencer only when the
mirror can show the log's own signature for it; otherwise the mirror is merely refused, for one operator alone
must not be able to stop the country.
"""

import contextlib
import hashlib
import http.client
import queue
import ssl
import threading
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from .checkpoint import parse_checkpoint, parse_size
from .delivery import Delivery
from .errors import (
    JournalError,
    MirrorAhead,
    MirrorError,
    MirrorRefused,
    MirrorUnreachable,
    NoteError,
    SequencerFenced,
)
from .log import Staged
from .note import Signer, open_note, parse_vkey, unb64
from .note import b64 as _b64
from .policy import Policy
from .store import LogFolder, segment_path
from .tls import sentence as tls_sentence

CONNECT_TIMEOUT = 5.0  # seconds, also for each read
MAX_ANSWER = 1 << 20  # bytes

AHEAD = "it knows more than this journal: run kulla rebuild"
FENCED = "it holds another checkpoint of this journal: another sequencer has written"


class MirrorClient:
    """One mirror: `name` as in the policy, its submission URL and cosigner vkey, and the journal's signer."""

    def __init__(
        self,
        name: str,
        url: str,
        vkey: str,
        signer: Signer,
        timeout: float = CONNECT_TIMEOUT,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.name = name
        self.url = url
        self.verifier = parse_vkey(vkey)
        self.size = 0  # the last size it cosigned for us
        self.cosigned_at = 0.0  # and when (time.time())
        self.error: MirrorError | None = None  # of the last push, None when it went well
        self._signer = signer
        self._timeout = timeout
        self._tls = tls  # for https: whose certificates we believe, and ours
        self._parts = urlsplit(url.rstrip("/"))
        self._connection: http.client.HTTPConnection | None = None
        self._pending: int | None = None  # the size of its pending checkpoint, as far as we know
        self._work: queue.SimpleQueue[tuple[Delivery, queue.SimpleQueue[_Result]] | None] = (
            queue.SimpleQueue()
        )
        self._busy = threading.Event()
        self._guard = threading.Lock()  # one push at a time
        self._thread: threading.Thread | None = None

    # --- one push, in the caller's thread ---

    def push(self, delivery: Delivery) -> str:
        """Bring this mirror to the delivery's checkpoint. Gives its verified cosignature line(s).

        Raises MirrorUnreachable, MirrorRefused, MirrorAhead, SequencerFenced, or MirrorError for a fault of ours.
        """
        with self._guard:
            try:
                lines = self._push(delivery)
            except MirrorError as e:
                self.error, self._pending = e, None
                raise
            except JournalError as e:  # our own folder is damaged: the sentence says where
                self.error, self._pending = MirrorError(self.name, str(e)), None
                raise self.error from e
            self.error, self.size, self.cosigned_at = None, delivery.size, time.time()
            return lines

    def _push(self, delivery: Delivery) -> str:
        # The segment always goes before add-checkpoint: so each signed checkpoint can be rebuilt from mirrors alone.
        stored = delivery.staged is None or self._put_newest(delivery)
        if not stored:  # the mirror lags too far behind to take it, or it holds another one
            older = Delivery.of_published(delivery.folder, self._signer.verifier)
            if older is not None:
                with contextlib.suppress(MirrorRefused):
                    self._push(older)
            stored = self._put_newest(delivery)
        if not stored and delivery.size not in self._prove_divergence(delivery):
            raise MirrorRefused(self.name, 409, "it does not take the new segment")
        self._add_checkpoint(delivery)
        return self._add_entries(delivery, stored)

    def _put_newest(self, delivery: Delivery) -> bool:
        staged = delivery.staged
        return staged is None or self._put_segment(delivery, staged.first, staged.next, staged.segment)

    def _put_segment(self, delivery: Delivery, first: int, following: int, data: bytes) -> bool:
        path = f"{self._parts.path}/{delivery.origin_hash}/{segment_path(first, following)}"
        status, _, body = self._request("PUT", path, data, signed=True)
        if status not in {200, 409}:
            raise self._refusal(status, body)
        return status == 200

    def _add_checkpoint(self, delivery: Delivery) -> None:
        old = delivery.first if self._pending is None else min(self._pending, delivery.size)
        for _ in range(5):
            path = f"{self._parts.path}/add-checkpoint"
            status, kind, body = self._request("POST", path, delivery.add_checkpoint(old))
            if status == 200:
                self._pending = delivery.size
                return
            if status == 409 and kind == "text/x.tlog.size":
                old = self._size(body.removesuffix(b"\n"))
                if old <= delivery.size:
                    continue
                if delivery.staged is None:  # catching up, while a newer, staged checkpoint is pending there
                    self._pending = old
                    return
            if status in {409, 422}:
                self._prove_divergence(delivery)
            raise self._refusal(status, body)
        raise MirrorRefused(self.name, 409, "its pending checkpoint changes all the time")

    def _add_entries(self, delivery: Delivery, newest_stored: bool) -> str:
        start, ticket = delivery.first, b""
        sent = {delivery.first} if newest_stored else set()
        path = f"{self._parts.path}/add-entries"
        for _ in range(delivery.size // 8192 + 100):
            status, kind, body = self._request("POST", path, delivery.add_entries(start, ticket))
            if status == 200:
                return self._cosignature(delivery, body)
            if status not in {202, 409} or kind != "text/x.tlog.mirror-info":
                raise self._refusal(status, body)
            size, following, ticket = self._info(body)
            if size != delivery.size or following == start:
                self._prove_divergence(delivery)
                raise MirrorRefused(
                    self.name, status, "it does not take the entries of the checkpoint it was given"
                )
            start = min(following, delivery.size)
            for first, after, data in delivery.segments(start, delivery.entries_end(start)):
                if first not in sent:
                    self._put_segment(delivery, first, after, data)
                    sent.add(first)
        raise MirrorRefused(self.name, 202, "it never comes to an end")

    def _cosignature(self, delivery: Delivery, body: bytes) -> str:
        text = delivery.checkpoint.body()
        try:
            note = open_note(text + "\n" + body.decode("utf-8"), [self.verifier])
        except (NoteError, UnicodeDecodeError) as e:
            raise MirrorRefused(self.name, 200, f"its cosignature is not good: {e}") from e
        return "".join(s.line for s in note.signatures)

    def _prove_divergence(self, delivery: Delivery) -> set[int]:
        """Ask for the checkpoints that this mirror holds. Gives the sizes of those that agree with ours.

        Raises MirrorAhead or SequencerFenced if one that our own log key signed is larger than the delivery's or
        differs from ours. While catching up (no staged round) nothing is asked: the round itself will tell.
        """
        agreeing: set[int] = set()
        if delivery.staged is None:
            return agreeing
        base = f"{self._parts.path}/{delivery.origin_hash}"
        for path, signed in ((f"{base}/pending", True), (f"{base}/checkpoint", False)):
            status, _, body = self._request("GET", path, b"", signed=signed)
            if status != 200:
                continue
            try:
                theirs = parse_checkpoint(open_note(body, [self._signer.verifier]).text)
            except NoteError:
                continue
            if theirs.origin != delivery.checkpoint.origin:
                continue
            if theirs.size > delivery.size:
                raise MirrorAhead(self.name, AHEAD)
            if theirs.root != delivery.root_at(theirs.size):
                raise SequencerFenced(self.name, FENCED)
            agreeing.add(theirs.size)
        return agreeing

    # --- HTTP ---

    def _request(self, method: str, path: str, body: bytes, signed: bool = False) -> tuple[int, str, bytes]:
        headers = {"Content-Type": "application/octet-stream"} if body else {}
        if signed:
            stamp = str(int(time.time()))
            text = f"kulla-request/1\n{method}\n{path}\n{stamp}\n{hashlib.sha256(body).hexdigest()}\n"
            headers["Kulla-Time"] = stamp
            headers["Kulla-Signature"] = _b64(self._signer.key.sign(text.encode()))
        fresh = self._connection is None
        try:
            return self._exchange(method, path, body, headers)
        except (OSError, http.client.HTTPException) as e:
            self._disconnect()
            words = tls_sentence(e)
            if words is not None or fresh or isinstance(e, TimeoutError):
                raise MirrorUnreachable(self.name, words or "it does not answer") from e
        try:  # the kept connection may have been closed meanwhile; every request may safely come twice
            return self._exchange(method, path, body, headers)
        except (OSError, http.client.HTTPException) as e:
            self._disconnect()
            raise MirrorUnreachable(self.name, "it does not answer") from e

    def _exchange(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, str, bytes]:
        if self._connection is None:
            host, port = self._parts.hostname or "", self._parts.port
            if self._parts.scheme == "https":
                self._connection = http.client.HTTPSConnection(
                    host, port, timeout=self._timeout, context=self._tls
                )
            else:
                self._connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
            self._connection.connect()  # http.client sets TCP_NODELAY
        self._connection.request(method, path, body or None, headers)
        response = self._connection.getresponse()
        data = response.read(MAX_ANSWER + 1)
        if len(data) > MAX_ANSWER:
            raise http.client.HTTPException("the answer is too long")
        if response.will_close:
            self._disconnect()
        return response.status, (response.getheader("Content-Type") or "").partition(";")[0].strip(), data

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _refusal(self, status: int, body: bytes) -> MirrorRefused:
        said = body[:300].decode("utf-8", "replace").strip()
        sentence = (
            "".join(c if c.isprintable() else " " for c in said) or "no reason given"
        )  # it goes to our log
        return MirrorRefused(self.name, status, f"it refuses with {status}: {sentence}")

    def _size(self, text: bytes) -> int:
        try:
            return parse_size(text.decode("ascii"))
        except (NoteError, UnicodeDecodeError) as e:
            raise MirrorRefused(self.name, 409, "it answers with a size that is none") from e

    def _info(self, body: bytes) -> tuple[int, int, bytes]:
        lines = body.split(b"\n")
        if len(lines) != 4 or lines[3]:
            raise MirrorRefused(self.name, 409, "its answer is not the three lines that it should be")
        try:
            return self._size(lines[0]), self._size(lines[1]), unb64(lines[2].decode("ascii"))
        except (NoteError, UnicodeDecodeError) as e:
            raise MirrorRefused(self.name, 409, "its ticket is malformed") from e

    # --- its thread ---

    @property
    def busy(self) -> bool:
        """Whether its thread works on a push."""
        return self._busy.is_set()

    def submit(self, delivery: Delivery, results: "queue.SimpleQueue[_Result]") -> bool:
        """Let its thread push and put (client, lines or error) into `results`. False if it is still busy."""
        if self.busy:
            return False
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name=f"mirror {self.name}", daemon=True)
            self._thread.start()
        self._busy.set()
        self._work.put((delivery, results))
        return True

    def close(self) -> None:
        """End its thread and connection once its current push is over."""
        if self._thread is not None and self._thread.is_alive():
            self._work.put(None)
        else:
            self._disconnect()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            delivery, results = work
            answer: str | MirrorError
            try:
                answer = self.push(delivery)
            except MirrorError as e:
                answer = e
            except Exception as e:  # a thread that died would look like a dead mirror for ever
                answer = self.error = MirrorError(self.name, f"sending failed: {type(e).__name__}")
            self._busy.clear()
            results.put((self, answer))
        self._disconnect()


_Result = tuple[MirrorClient, "str | MirrorError"]


def clients_of(
    policy: Policy, signer: Signer, timeout: float = CONNECT_TIMEOUT, tls: ssl.SSLContext | None = None
) -> list[MirrorClient]:
    """A client for each witness of the policy that has a URL. `tls`: for those under https."""
    return [MirrorClient(w.name, w.url, w.vkey, signer, timeout, tls) for w in policy.witnesses if w.url]


def push_all(
    clients: Sequence[MirrorClient], folder: LogFolder, staged: Staged, policy: Policy, timeout: float = 10.0
) -> str | None:
    """Send a staged round to all mirrors at once; the cosigned note as soon as the policy's quorum is reached.

    None if it was not within `timeout` seconds: call again with the same round. A mirror still busy with an
    earlier one is left alone. Raises MirrorAhead or SequencerFenced if a mirror proves either: then stop.
    """
    for client in clients:
        if isinstance(client.error, MirrorAhead | SequencerFenced):  # proven; it came after the last quorum
            raise client.error
    delivery = Delivery.of_staged(folder, staged)
    results: queue.SimpleQueue[_Result] = queue.SimpleQueue()
    deadline = time.monotonic() + timeout
    unasked, waiting = list(clients), 0
    lines: dict[str, str] = {}
    while not policy.satisfied_by(set(lines)):
        # A mirror that is busy with an earlier round is asked when it becomes free.
        busy = [client for client in unasked if not client.submit(delivery, results)]
        waiting += len(unasked) - len(busy)
        unasked = busy
        left = deadline - time.monotonic()
        if left <= 0 or not (waiting or unasked):
            return None
        try:
            client, answer = results.get(timeout=min(left, 0.02) if unasked else left)
        except queue.Empty:
            continue
        waiting -= 1
        if isinstance(answer, MirrorAhead | SequencerFenced):
            raise answer
        if isinstance(answer, str):
            lines[client.name] = answer
    return staged.note + "".join(lines.values())


def nudge(clients: Sequence[MirrorClient], folder: LogFolder, signer: Signer) -> None:
    """Let mirrors that are behind catch up with what is published, in the background. For quiet moments."""
    delivery = Delivery.of_published(folder, signer.verifier)
    if delivery is None:
        return
    for client in clients:
        if client.size < delivery.size or client.error is not None:
            client.submit(delivery, queue.SimpleQueue())
