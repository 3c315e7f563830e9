"""The journal's own client against real mirrors: the dead, the late, the one that restarts, the second sequencer."""

import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from kulla.journal import log
from kulla.journal.delivery import Delivery
from kulla.journal.errors import MirrorAhead, SequencerFenced
from kulla.journal.mirror_client import MirrorClient, clients_of, nudge, push_all
from kulla.journal.note import Signer
from kulla.journal.policy import Policy
from kulla.journal.store import LogFolder
from kulla.mirror.testkit import RunningMirror, make_policy, start_mirrors, stop_mirrors
from kulla.mirror.tests.client import ORIGIN, RECIPIENT, Client

CLAIMS = hashlib.sha256(b"claims").digest()


class Sequencer:
    def __init__(self, folder: Path, signer: Signer, running: list[RunningMirror]) -> None:
        self.folder, self.signer = LogFolder(folder), signer
        self.policy = Policy.parse(make_policy(signer.vkey, running, 2))
        self.clients: list[MirrorClient] = clients_of(self.policy, signer, timeout=2)

    def stage(self, count: int) -> log.Staged:
        entries = [(uuid.uuid4(), os.urandom(30), CLAIMS) for _ in range(count)]
        return log.stage(self.folder, self.signer, entries, [RECIPIENT])

    def send(self, staged: log.Staged) -> str | None:
        note = push_all(self.clients, self.folder, staged, self.policy, 5)
        if note:
            log.publish(self.folder, staged, note, self.policy)
            log.clear_staged(self.folder, staged)
        return note

    def round(self, count: int) -> None:
        assert self.send(self.stage(count)), [client.error for client in self.clients]

    def close(self) -> None:
        for client in self.clients:
            client.close()


@pytest.fixture
def signer() -> Signer:
    return Signer.generate(ORIGIN)


@pytest.fixture
def running(tmp_path: Path, signer: Signer) -> Iterator[list[RunningMirror]]:
    mirrors = start_mirrors(tmp_path, 3, ORIGIN, signer)
    yield mirrors
    stop_mirrors(mirrors)


@pytest.fixture
def sequencer(tmp_path: Path, signer: Signer, running: list[RunningMirror]) -> Iterator[Sequencer]:
    sequencer = Sequencer(tmp_path / "journal", signer, running)
    yield sequencer
    sequencer.close()


def sizes(running: list[RunningMirror], signer: Signer) -> list[int]:
    out = []
    for mirror in running:
        client = Client(mirror.port)
        hashed = hashlib.sha256(signer.name.encode()).hexdigest()
        note = client.send("GET", f"/{hashed}/checkpoint")
        out.append(int(note.text.split("\n")[1]) if note.status == 200 else 0)
        client.close()
    return out


def wait_for(running: list[RunningMirror], signer: Signer, size: int) -> None:
    until = time.monotonic() + 10
    while sizes(running, signer) != [size] * len(running):
        assert time.monotonic() < until, sizes(running, signer)
        time.sleep(0.05)


def test_rounds_of_all_sizes(sequencer: Sequencer, running: list[RunningMirror], signer: Signer) -> None:
    for count in (1, 254, 1, 1, 3, 1000, 1):
        sequencer.round(count)
    wait_for(running, signer, 1261)


def test_a_dead_mirror_changes_nothing_and_catches_up(
    sequencer: Sequencer, running: list[RunningMirror], signer: Signer
) -> None:
    sequencer.round(5)
    wait_for(running, signer, 5)
    running[2].kill()
    for count in (10, 9000, 700):
        sequencer.round(count)
    running[2].start()
    sequencer.round(3)
    nudge(sequencer.clients, sequencer.folder, signer)
    wait_for(running, signer, 9718)


def test_an_empty_mirror_gets_everything(
    sequencer: Sequencer, running: list[RunningMirror], signer: Signer
) -> None:
    for count in (300, 20_000, 5):
        sequencer.round(count)
    running[1].kill()
    shutil.rmtree(running[1].home / "mirror")
    running[1].start()
    nudge(sequencer.clients, sequencer.folder, signer)  # notices that the mirror is behind only after a round
    sequencer.round(1)
    wait_for(running, signer, 20_306)


def test_no_quorum_no_note_and_the_same_round_later(
    sequencer: Sequencer, running: list[RunningMirror], signer: Signer
) -> None:
    sequencer.round(5)
    for mirror in running[:2]:
        mirror.kill()
    staged = sequencer.stage(4)
    assert sequencer.send(staged) is None
    running[0].start()
    assert sequencer.send(staged)
    running[1].start()
    sequencer.round(2)
    wait_for(running, signer, 11)


def test_a_second_sequencer_is_stopped(
    tmp_path: Path, sequencer: Sequencer, running: list[RunningMirror], signer: Signer
) -> None:
    sequencer.round(5)
    wait_for(running, signer, 5)
    shutil.copytree(tmp_path / "journal", tmp_path / "copy")
    second = Sequencer(tmp_path / "copy", signer, running)
    sequencer.round(3)
    wait_for(running, signer, 8)
    with pytest.raises(SequencerFenced):
        second.send(second.stage(3))
    second.close()
    # One that merely stands behind is told that it does.
    third = Sequencer(tmp_path / "third", signer, running)
    with pytest.raises(MirrorAhead):
        third.send(third.stage(3))
    third.close()
    sequencer.round(1)
    wait_for(running, signer, 9)


def test_a_round_lost_after_the_pending_checkpoint_comes_back_from_a_mirror(
    tmp_path: Path, sequencer: Sequencer, running: list[RunningMirror], signer: Signer
) -> None:
    """What rebuild does: pending note and segment of one mirror are enough to go on."""
    sequencer.round(5)
    wait_for(running, signer, 5)
    shutil.copytree(tmp_path / "journal", tmp_path / "rebuilt")
    staged = sequencer.stage(7)
    hashed = hashlib.sha256(signer.name.encode()).hexdigest()
    client = Client(running[0].port)
    target = f"/{hashed}/segment/000000/5-12"
    assert client.signed(signer.key, "PUT", target, staged.segment).status == 200
    body = submission(sequencer, staged)
    assert client.send("POST", "/add-checkpoint", body).status == 200
    rebuilt = Sequencer(tmp_path / "rebuilt", signer, running)
    note = client.signed(signer.key, "GET", f"/{hashed}/pending").text
    segment = client.signed(signer.key, "GET", target).body
    client.close()
    again = log.adopt(rebuilt.folder, note, segment, staged.uuids, signer.verifier)
    assert rebuilt.send(again)
    rebuilt.round(1)
    wait_for(running, signer, 13)
    rebuilt.close()


def submission(sequencer: Sequencer, staged: log.Staged) -> bytes:
    return Delivery.of_staged(sequencer.folder, staged).add_checkpoint(staged.first)
