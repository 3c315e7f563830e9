"""The one writer of the journal: takes the outbox, stages, has the mirrors cosign, publishes, moves the rows.

One round:
1. All outbox rows of one database snapshot become payloads. (A reader that remembers the last id loses rows that
   commit late; this one remembers nothing.)
2. `journal.log.stage` gives indexes, seals, signs and makes the round durable as one file.
3. The mirrors store and cosign. Without a quorum the same round is tried again; nothing else happens meanwhile.
4. `journal.log.publish` writes tiles and the cosigned checkpoint.
5. One transaction inserts record_entry and record_checkpoint, deletes the outbox rows, raises `applied`.
6. The staged file is removed.
A crash anywhere leaves the staged file, and the next start continues with the same steps 3 to 6.
"""

import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import Error, close_old_connections, connection

from kulla.journal import log as journal_log
from kulla.journal.delivery import Delivery
from kulla.journal.entry import Payload, encode_payload
from kulla.journal.errors import (
    FormatError,
    JournalBusy,
    JournalError,
    MirrorAhead,
    MirrorError,
    PolicyError,
    SequencerFenced,
)
from kulla.journal.log import Staged
from kulla.journal.mirror_client import MirrorClient, clients_of, nudge, push_all
from kulla.journal.note import Signer, split_note
from kulla.journal.policy import Policy
from kulla.journal.store import LogFolder
from kulla.journal.tls import TlsFilesError, to_mirrors
from kulla.record import applying, effects, images, looks, readiness, reconcile, triggers
from kulla.record.errors import RecordError
from kulla.record.signals import committed, received

log = logging.getLogger("kulla.record")

POLL_S = 0.05  # entries of other worker processes are found by looking
PAUSE_S = 0.02  # between two rounds: lets entries gather, so that an fsync is shared
RETRY_S = 0.2  # before a round that found no quorum is tried again
NUDGE_S = 1.0  # how often mirrors that are behind are reminded in quiet moments
CATCH_UP_S = 30.0  # how long a mirror may take to store a rebuilt journal before it is asked again
QUORUM_S = 2.0  # how long a round waits for two mirrors before it is tried again
AT_MOST = 20_000  # entries of a round, and their bytes: one segment must fit into a mirror's request
AT_MOST_BYTES = 24 << 20

Taken = tuple[UUID, bytes, bytes]  # uuid, payload, hash of the claims


def take_outbox() -> list[Taken]:
    """Every committed outbox row at this moment as a payload, oldest first.

    One that cannot be written as a payload is left where it is and named in the log: it must not stop the others.
    """
    taken: list[Taken] = []
    octets = 0
    for payload, claims_hash in _waiting():
        try:
            data = encode_payload(payload)
        except (FormatError, ValueError, KeyError, TypeError):
            _unwritable(payload.uuid)
            continue
        octets += len(data)
        if octets > AT_MOST_BYTES and taken:
            break
        taken.append((payload.uuid, data, claims_hash))
    return taken


def waiting() -> list[Payload]:
    """Every committed outbox row at this moment as a payload, oldest first; at most as many as one round takes."""
    return [payload for payload, _ in _waiting()]


def _waiting() -> Iterator[tuple[Payload, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT uuid, at_ms, kind, person, office, actor, claims, claims_hash, effects, images"
            " FROM record_outbox ORDER BY at_ms, uuid"
        )
        rows = cursor.fetchall()
    for uuid, at_ms, kind, person, office, actor, claims, claims_hash, after, lines in rows[:AT_MOST]:
        try:
            payload = Payload(
                _uuid(uuid),
                at_ms,
                kind,
                _uuid(office) if office else None,
                _uuid(person) if person else None,
                bytes.fromhex(actor[4:]) if actor.startswith("hex:") else actor,
                bytes(claims),
                images.parse_lines(lines),
                effects.to_journal(after, actor),
            )
        except (FormatError, ValueError, KeyError, TypeError):
            _unwritable(uuid)
            continue
        yield payload, bytes(claims_hash)


def _unwritable(uuid: object) -> None:
    log.exception("The entry %s in the outbox cannot be written to the journal.", uuid)


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


class Sequencer:
    """Rounds on one journal folder. The caller holds the folder's lock."""

    def __init__(
        self,
        folder: LogFolder,
        signer: Signer,
        policy: Policy,
        recipients: Sequence[bytes],
        segment_key: Callable[[bytes], bytes],
    ) -> None:
        self.folder = folder
        self.signer = signer
        self.policy = policy
        self.recipients = recipients
        self.segment_key = segment_key
        self.clients = clients_of(policy, signer, tls=to_mirrors(os.environ))
        self._staged: Staged | None = None
        self._nudged = 0.0
        self.level = False

    def step(self) -> int:
        """One round, or one try to finish the round that stands; how many entries were received."""
        if self._staged is None:
            self._staged = journal_log.load_staged(self.folder, self.signer.verifier)
        if self._staged is not None:
            return self._finish(self._staged)
        if not self.level:
            self._prepare()
            return 0
        taken = take_outbox()
        if not taken:
            return 0
        self._staged = journal_log.stage(self.folder, self.signer, taken, self.recipients)
        return self._finish(self._staged)

    def close(self) -> None:
        """End the connections to the mirrors."""
        for client in self.clients:
            client.close()

    def rest(self) -> None:
        """Wait for the next entry; meanwhile a mirror that is behind may catch up."""
        if self._staged is not None:
            time.sleep(RETRY_S)
            return
        if time.monotonic() - self._nudged > NUDGE_S:
            self._nudged = time.monotonic()
            nudge(self.clients, self.folder, self.signer)
        committed.wait(POLL_S)

    def _finish(self, staged: Staged) -> int:
        note = push_all(self.clients, self.folder, staged, self.policy, QUORUM_S)
        if note is None:
            log.warning("No two mirrors have confirmed entries %d to %d yet.", staged.first, staged.next - 1)
            return 0
        journal_log.publish(self.folder, staged, note, self.policy)
        if not applying.apply_round(staged, note):
            self.level = False  # the tables were restored from an older copy: reconcile brings the rest
        journal_log.clear_staged(self.folder, staged)
        self._staged = None
        received.set()
        return len(staged.uuids)

    def _prepare(self) -> None:
        """Before the first round: the triggers stand, the checkpoint has its quorum, the tables are level."""
        if missing := triggers.missing():
            reconcile.close(f"The triggers of {', '.join(missing)} are missing: run kulla migrate.")
            raise RecordError(f"The triggers of {', '.join(missing)} are missing: run kulla migrate.")
        checkpoint = journal_log.published(self.folder, self.signer.verifier)
        note = self.folder.read_checkpoint_note()
        if note is not None:
            try:
                self.policy.check(note)
            except PolicyError:
                # rebuilt from one mirror: two have to confirm again what it held
                note = self._cosign_again(note)
        reconcile.level(self.folder, checkpoint, note, self.segment_key)
        readiness.forget()
        self.level = True

    def _cosign_again(self, note: str) -> str:
        """The published checkpoint with a quorum of cosignatures. Raises PolicyError while too few answer."""
        delivery = Delivery.of_published(self.folder, self.signer.verifier)
        results: queue.SimpleQueue[tuple[MirrorClient, str | MirrorError]] = queue.SimpleQueue()
        waiting = sum(client.submit(delivery, results) for client in self.clients) if delivery else 0
        lines = {}
        for _ in range(waiting):
            try:
                client, answer = results.get(timeout=CATCH_UP_S)
            except queue.Empty:
                break
            if isinstance(answer, str):
                lines[client.name] = answer
                if self.policy.satisfied_by(set(lines)):
                    break
        text, signatures = split_note(note)
        own = "".join(line for name, _, _, line in signatures if name == self.signer.name)
        cosigned = f"{text}\n{own}{''.join(lines.values())}"
        try:
            self.policy.check(cosigned)
        except PolicyError:
            reconcile.close(reconcile.WAITS)
            raise
        self.folder.write_checkpoint_note(cosigned)
        return cosigned


# --- threads ----------------------------------------------------------------------------------------------------


class Threads:
    """The sequencer and its two companions in this process."""

    def __init__(self, keeper: Callable[[], Any]) -> None:
        self.keeper = keeper
        self.stopping = threading.Event()
        self.leading = threading.Event()
        self.threads = [
            threading.Thread(target=self._lead, name="sequencer", daemon=True),
            threading.Thread(
                target=self._beside, args=(effects.run_due, received, 0.5), name="effects", daemon=True
            ),
            threading.Thread(target=self._beside, args=(looks.poll, None, 0.25), name="looks", daemon=True),
        ]

    def _lead(self) -> None:
        folder = LogFolder(settings.KULLA_JOURNAL_DIR)
        while not self.stopping.is_set():
            try:
                with folder.lock():
                    self.leading.set()
                    self._rounds(_from_settings(folder, self.keeper))
            except JournalBusy:
                self.stopping.wait(1)  # another worker leads; take over when it ends
            except (JournalError, RecordError, TlsFilesError, OSError) as error:
                log.error("The sequencer does not run: %s", error)
                self.stopping.wait(1)
            finally:
                self.leading.clear()

    def _rounds(self, sequencer: Sequencer) -> None:
        try:
            self._rounds_until_stopped(sequencer)
        finally:
            sequencer.close()
            connection.close()

    def _rounds_until_stopped(self, sequencer: Sequencer) -> None:
        while not self.stopping.is_set():
            committed.clear()
            try:
                if sequencer.step() == 0:
                    sequencer.rest()
                else:
                    time.sleep(PAUSE_S)
            except (MirrorAhead, SequencerFenced) as error:
                log.critical("%s", error)
                reconcile.close(f"Writing is closed: {error}.")
                sequencer.level = False
                self.stopping.wait(1)
            except (JournalError, RecordError, Error, OSError):
                log.exception("A round of the sequencer failed; it is tried again.")
                connection.close()
                self.stopping.wait(1)

    def _beside(
        self, work: Callable[[Callable[[], Any]], int], bell: threading.Event | None, every_s: float
    ) -> None:
        while not self.stopping.is_set():
            if bell is None:
                self.stopping.wait(every_s)
            elif bell.wait(every_s):
                bell.clear()
            if not self.leading.is_set():
                continue
            try:
                close_old_connections()
                work(self.keeper)
            except Exception:
                # A keeper's surprise must not end the thread that notices depend on.
                log.exception("Work beside the sequencer failed; it is tried again.")
                connection.close()
                self.stopping.wait(1)
        connection.close()


_threads: Threads | None = None


def _from_settings(folder: LogFolder, keeper: Callable[[], Any]) -> Sequencer:
    if said := readiness.restored_past():
        raise RecordError(f"{said} It has no sequencer.")
    policy = Policy.parse(settings.KULLA_POLICY.read_bytes())
    key = Ed25519PrivateKey.from_private_bytes(
        bytes.fromhex(settings.KULLA_CHECKPOINT_KEY.read_text().strip())
    )
    recipients = [bytes.fromhex(text) for text in settings.KULLA_RECIPIENTS]
    if not recipients:
        raise RecordError("portal/recipients.json names nobody who could ever read the journal.")

    def segment_key(header: bytes) -> bytes:
        found: bytes = keeper().segment_key(header, "reconcile")
        return found

    signer = Signer(policy.logs[0].verifier.name, key)
    if signer.vkey != policy.logs[0].vkey:
        raise RecordError("portal/keys/checkpoint.key is not the key of the journal that the policy names.")
    return Sequencer(folder, signer, policy, recipients, segment_key)


def start(keeper: Callable[[], Any]) -> Threads:
    """Start the threads of this process; the one that gets the journal's lock leads. `keeper` gives the client."""
    global _threads  # noqa: PLW0603  (one set of threads a process)
    _threads = Threads(keeper)
    for thread in _threads.threads:
        thread.start()
    return _threads


def stop(timeout: float = 5) -> None:
    """End the threads of this process after the round at hand."""
    global _threads  # noqa: PLW0603
    if _threads is None:
        return
    _threads.stopping.set()
    committed.set()
    for thread in _threads.threads:
        thread.join(timeout)
    _threads = None


def is_leader() -> bool:
    """Whether this process writes the journal (and so runs the timed jobs)."""
    return _threads is not None and _threads.leading.is_set()


def wait_until_empty(timeout: float = 30) -> bool:
    """Wait until no entry waits in the outbox; False when it took longer."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT 1 FROM record_outbox)")
            if not cursor.fetchone()[0]:
                return True
        time.sleep(0.05)
    return False
