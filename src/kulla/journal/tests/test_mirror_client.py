"""Mirrors as real processes: quorum, dead, slow, lagging and lying ones, and two sequencers on one journal."""

import hashlib
import http.server
import importlib
import os
import shutil
import signal
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kulla.journal import log
from kulla.journal.check import check_folder
from kulla.journal.delivery import Delivery
from kulla.journal.errors import MirrorAhead, MirrorRefused, MirrorUnreachable, SequencerFenced
from kulla.journal.mirror_client import MirrorClient, clients_of, nudge, push_all
from kulla.journal.note import CosignerKey, Signer
from kulla.journal.policy import Policy
from kulla.journal.store import LogFolder

# The room above this one: imported by name, since only these tests may know it.
testkit: Any = importlib.import_module("kulla.mirror.testkit")

ORIGIN = "test.kulla.example/journal"
RECIPIENTS = [X25519PrivateKey.generate().public_key().public_bytes_raw()]


class Country:
    """A journal folder, its key, and three running mirrors."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.signer = Signer.generate(ORIGIN)
        self.mirrors = testkit.start_mirrors(path / "operators", 3, ORIGIN, self.signer)
        self.policy = Policy.parse(testkit.make_policy(self.signer.vkey, self.mirrors, 2))
        self.folder = LogFolder(path / "journal")
        self.clients = self.new_clients()

    def new_clients(self) -> list[MirrorClient]:
        return clients_of(self.policy, self.signer, timeout=5)

    def stage(self, count: int, folder: LogFolder | None = None) -> log.Staged:
        entries = [(uuid.uuid4(), b"payload", hashlib.sha256(b"").digest()) for _ in range(count)]
        return log.stage(folder or self.folder, self.signer, entries, RECIPIENTS)

    def push(self, staged: log.Staged, folder: LogFolder | None = None, timeout: float = 10) -> str | None:
        return push_all(self.clients, folder or self.folder, staged, self.policy, timeout)

    def round(self, count: int) -> str:
        staged = self.stage(count)
        note = self.push(staged)
        assert note is not None, [str(c.error) for c in self.clients]
        log.publish(self.folder, staged, note, self.policy)
        log.clear_staged(self.folder, staged)
        return note

    def settle(self, size: int, clients: list[MirrorClient] | None = None) -> None:
        until, quiet = time.monotonic() + 20, time.monotonic() + 1
        while time.monotonic() < until and any(c.size != size or c.busy for c in clients or self.clients):
            time.sleep(0.01)
            if (
                time.monotonic() > quiet
            ):  # a mirror that was too slow for its round is reminded, as in quiet moments
                quiet = time.monotonic() + 1
                nudge(clients or self.clients, self.folder, self.signer)
        assert [c.size for c in clients or self.clients] == [size] * len(clients or self.clients)

    def copy_of(self, number: int) -> Path:
        name = hashlib.sha256(ORIGIN.encode()).hexdigest()
        return Path(self.mirrors[number].home) / "mirror" / name


@pytest.fixture
def country(tmp_path: Path) -> Iterator[Country]:
    made = Country(tmp_path)
    yield made
    for client in made.clients:
        client.close()
    testkit.stop_mirrors(made.mirrors)


def test_rounds_are_cosigned_and_stored_by_every_mirror(country: Country) -> None:
    for count in (1, 300, 2, 700):
        note = country.round(count)
    checked = country.policy.check(note)
    assert checked.checkpoint.size == 1003
    assert len(checked.cosigned) >= 2
    country.settle(1003)
    for number in range(3):
        assert check_folder(country.copy_of(number), country.policy).problems == []
    assert check_folder(country.folder.path, country.policy).problems == []


def test_a_dead_mirror_changes_nothing_and_catches_up_in_bounded_requests(country: Country) -> None:
    country.round(5)
    country.settle(5)
    country.mirrors[1].kill()
    for count in (4000, 4000, 4000, 10):  # more than 32 packages behind
        assert len(country.policy.check(country.round(count)).cosigned) == 2
    assert isinstance(country.clients[1].error, MirrorUnreachable)
    assert str(country.clients[1].error) == "operator-2: it does not answer"
    country.mirrors[1].start()
    country.round(1)
    country.settle(12_016)
    assert check_folder(country.copy_of(1), country.policy).problems == []


def test_a_mirror_catches_up_in_quiet_moments_too(country: Country) -> None:
    country.mirrors[2].kill()
    country.round(600)
    country.mirrors[2].start()
    country.settle(600, country.clients[:2])
    nudge(country.clients, country.folder, country.signer)
    country.settle(600)
    assert check_folder(country.copy_of(2), country.policy).problems == []


def test_restarted_mirrors_are_reached_again_without_an_error(country: Country) -> None:
    country.round(3)
    country.settle(3)
    for mirror in country.mirrors:
        mirror.kill()
        mirror.start()
    country.round(3)
    country.settle(6)
    assert [c.error for c in country.clients] == [None] * 3


def test_a_silent_mirror_delays_nobody(country: Country) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        slow = country.clients[0]
        country.clients[0] = MirrorClient(
            slow.name, f"http://127.0.0.1:{port}", slow.verifier.vkey, country.signer, timeout=30
        )
        started = time.monotonic()
        for _ in range(5):
            country.round(2)
        assert time.monotonic() - started < 5
        assert country.clients[0].busy


def test_mirrors_that_are_still_busy_are_asked_again_when_they_become_free(country: Country) -> None:
    country.round(3)
    country.settle(3)
    for mirror in country.mirrors[:2]:
        os.kill(mirror.pid, signal.SIGSTOP)
    staged = country.stage(2)
    assert country.push(staged, timeout=0.3) is None
    assert [c.busy for c in country.clients] == [True, True, False]

    def wake() -> None:
        for mirror in country.mirrors[:2]:
            os.kill(mirror.pid, signal.SIGCONT)

    timer = threading.Timer(0.3, wake)
    timer.start()
    note = country.push(staged, timeout=4)
    timer.join()
    assert note is not None
    assert country.policy.check(note).checkpoint.size == 5


def test_without_a_quorum_the_round_waits_and_nothing_is_lost(country: Country) -> None:
    country.round(3)
    for mirror in country.mirrors[:2]:
        mirror.kill()
    staged = country.stage(2)
    assert country.push(staged, timeout=1) is None
    assert country.push(staged, timeout=1) is None
    assert log.published(country.folder, country.signer.verifier).size == 3
    country.mirrors[0].start()
    again = log.load_staged(country.folder, country.signer.verifier)
    assert again == staged
    country.clients = country.new_clients()
    note = country.push(again)
    assert note is not None
    log.publish(country.folder, again, note, country.policy)
    assert log.published(country.folder, country.signer.verifier).size == 5


def test_a_round_that_was_stored_although_its_answer_was_lost_is_simply_sent_again(country: Country) -> None:
    country.round(3)
    staged = country.stage(4)
    assert country.push(staged) is not None
    # Everything after the mirrors' answers was lost with the process: a new one sends the same round again.
    country.clients = country.new_clients()
    again = log.load_staged(country.folder, country.signer.verifier)
    assert again is not None
    note = country.push(again)
    assert note is not None
    log.publish(country.folder, again, note, country.policy)
    log.clear_staged(country.folder, again)
    country.round(1)
    country.settle(8)


def test_a_crash_between_add_checkpoint_and_add_entries_is_picked_up(country: Country) -> None:
    country.round(3)
    country.settle(3)
    staged = country.stage(4)
    delivery = Delivery.of_staged(country.folder, staged)
    for client in country.clients:
        assert client._put_segment(delivery, staged.first, staged.next, staged.segment)
        client._add_checkpoint(delivery)
    country.clients = country.new_clients()
    assert country.push(staged) is not None
    country.settle(7)


def test_a_second_sequencer_on_the_same_journal_is_fenced(country: Country) -> None:
    country.round(3)
    country.settle(3)
    shutil.copytree(country.folder.path, country.path / "second")
    second = LogFolder(country.path / "second")
    country.round(2)
    country.settle(5)
    for count in (2, 9):
        fenced = country.stage(count, second)
        with pytest.raises(SequencerFenced, match="another sequencer has written"):
            country.push(fenced, second)
        country.clients = country.new_clients()
        second.remove(log.STAGED)
    country.round(1)
    country.settle(6)
    assert log.published(second, country.signer.verifier).size == 3


def test_a_journal_restored_from_an_old_copy_is_told_that_the_mirrors_know_more(country: Country) -> None:
    country.round(3)
    shutil.copytree(country.folder.path, country.path / "old")
    old = LogFolder(country.path / "old")
    country.round(20)
    country.settle(23)
    staged = country.stage(2, old)
    country.clients = country.new_clients()
    with pytest.raises(MirrorAhead, match="run kulla rebuild"):
        country.push(staged, old)
    time.sleep(0.2)
    with pytest.raises(MirrorAhead):  # and it stays so
        country.push(staged, old)


# --- mirrors that lie -------------------------------------------------------------------------------------------


class Liar:
    """Answers every request with what `answers` holds for its method and last path element."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str, bytes]] = {}
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                what = self.path.rpartition("/")[2] if self.command != "PUT" else "PUT"
                status, kind, body = liar.answers.get(what, (404, "text/plain", b"no\n"))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = _answer  # noqa: N815

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def liar() -> Iterator[Liar]:
    made = Liar()
    yield made
    made.close()


OK = (200, "text/plain", b"")
SIZE, INFO = "text/x.tlog.size", "text/x.tlog.mirror-info"


def test_a_liar_is_refused_but_cannot_stop_the_journal(liar: Liar, tmp_path: Path) -> None:
    signer, cosigner = Signer.generate(ORIGIN), CosignerKey.generate("liar.example")
    folder = LogFolder(tmp_path)
    entries = [(uuid.uuid4(), b"payload", bytes(32))]
    staged = log.stage(folder, signer, entries, RECIPIENTS)
    log.publish(folder, staged, staged.note)
    log.clear_staged(folder, staged)
    staged = log.stage(folder, signer, entries, RECIPIENTS)
    body = staged.checkpoint.body()
    good = cosigner.cosign(body, 1).encode()
    stranger = CosignerKey.generate("liar.example").cosign(body, 1).encode()
    forged = (
        body.replace("\n2\n", "\n9\n") + "\n" + Signer.generate(ORIGIN).sign(body.replace("\n2\n", "\n9\n"))
    )

    def push(**answers: tuple[int, str, bytes]) -> str:
        liar.answers = {"PUT": OK, "add-checkpoint": OK, "add-entries": (200, "text/plain", good)}
        liar.answers |= {name.replace("_", "-"): answer for name, answer in answers.items()}
        client = MirrorClient("liar", f"http://127.0.0.1:{liar.server.server_port}", cosigner.vkey, signer)
        try:
            return client.push(Delivery.of_staged(folder, staged))
        finally:
            client.close()

    assert push() == good.decode()
    lies: list[dict[str, tuple[int, str, bytes]]] = [
        {"add_checkpoint": (409, SIZE, b"9\n")},
        {"add_checkpoint": (409, SIZE, b"9\n"), "pending": (200, "text/plain", forged.encode())},
        {"add_checkpoint": (409, SIZE, b"1\n")},
        {"add_checkpoint": (409, SIZE, b"-1\n")},
        {"add_checkpoint": (409, SIZE, b"\xff\n")},
        {"add_checkpoint": (409, "text/plain", b"1\n")},
        {"add_checkpoint": (422, "text/plain", b"no\n")},
        {"add_checkpoint": (403, "text/plain", b"\xff\n")},
        {"PUT": (409, "text/plain", b"no\n")},
        {"PUT": (500, "text/plain", b"no\n")},
        {"add_entries": (200, "text/plain", b"")},
        {"add_entries": (200, "text/plain", stranger)},
        {"add_entries": (200, "text/plain", good.replace(b"A", b"B"))},
        {"add_entries": (200, "text/plain", b"\xff" * 100)},
        {"add_entries": (202, INFO, b"2\n1\n\n")},
        {"add_entries": (202, INFO, b"2\n0\n\n")},
        {"add_entries": (409, INFO, b"9\n0\n\n")},
        {"add_entries": (409, INFO, b"2\n0\n")},
        {"add_entries": (409, INFO, b"2\n0\n!\n")},
        {"add_entries": (404, "text/plain", b"<html>")},
    ]
    for lie in lies:
        with pytest.raises(MirrorRefused):
            push(**lie)
    with pytest.raises(MirrorRefused, match=r"it refuses with 403: a  b$"):
        push(add_checkpoint=(403, "text/plain", b"a\r\nb\n"))
    with pytest.raises(MirrorUnreachable):
        push(add_entries=(200, "text/plain", b"x" * (1 << 21)))

    truth = body.replace("\n2\n", "\n9\n")
    shown = (truth + "\n" + signer.sign(truth)).encode()
    with pytest.raises(MirrorAhead):
        push(add_checkpoint=(409, SIZE, b"9\n"), pending=(200, "text/plain", shown))
    other = log.stage(LogFolder(tmp_path / "other"), signer, entries * 2, RECIPIENTS)
    with pytest.raises(SequencerFenced):
        push(PUT=(409, "text/plain", b""), checkpoint=(200, "text/plain", other.note.encode()))
