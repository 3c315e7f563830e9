"""Staging and publishing: the same files whatever happens in between, and never two stories of one size."""

import hashlib
import os
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kulla.journal import log, merkle, segment
from kulla.journal.errors import FormatError, JournalError, NoteError, PolicyError, StagedError
from kulla.journal.note import CosignerKey, Signer, sign_note
from kulla.journal.policy import Policy
from kulla.journal.store import LogFolder, segment_path

SIGNER = Signer.generate("demo.example/journal")
REBUILD = X25519PrivateKey.generate()
RECIPIENTS = [REBUILD.public_key().public_bytes_raw()]


def entries(count: int, tag: str = "") -> list[tuple[uuid.UUID, bytes, bytes]]:
    return [
        (uuid.uuid4(), f"payload {tag}{i}".encode(), hashlib.sha256(f"claims {tag}{i}".encode()).digest())
        for i in range(count)
    ]


def round_of(folder: LogFolder, count: int, tag: str = "") -> log.Staged:
    staged = log.stage(folder, SIGNER, entries(count, tag), RECIPIENTS)
    log.publish(folder, staged, staged.note)
    log.clear_staged(folder, staged)
    return staged


def files(folder: LogFolder) -> dict[str, bytes]:
    return {str(p.relative_to(folder.path)): p.read_bytes() for p in folder.path.rglob("*") if p.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> LogFolder:
    return LogFolder(tmp_path / "journal")


def test_rounds_add_up_to_one_tree(folder: LogFolder) -> None:
    leaves: list[bytes] = []
    for count in [1, 2, 253, 1, 600, 3]:
        staged = round_of(folder, count)
        leaves += staged.leaves
    checkpoint = log.published(folder, SIGNER.verifier)
    assert (checkpoint.size, checkpoint.origin) == (860, "demo.example/journal")
    assert checkpoint.root == merkle.root_hash([merkle.leaf_hash(leaf) for leaf in leaves])
    assert log.read_leaves(folder, 0, 860, 860) == leaves
    assert log.read_leaves(folder, 100, 300, 860) == leaves[100:300]
    assert log.reader(folder, checkpoint).leaf_hashes(855, 860) == [merkle.leaf_hash(x) for x in leaves[855:]]
    assert sorted(p.name for p in folder.path.glob("tile/*/*.p")) == [
        "000.p",
        "003.p",
        "003.p",
    ]  # old ones are gone
    found = [segment.parse_segment(folder.read(segment_path(*s))) for s in folder.segments()]
    assert [leaf for s in found for leaf in s.leaves()] == leaves
    opened = segment.decrypt_all(segment.open_segment_key(found[1].header, REBUILD), found[1])
    assert opened == [b"payload 0", b"payload 1"]


def test_a_staged_round_survives_and_is_never_replaced(folder: LogFolder) -> None:
    round_of(folder, 300)
    staged = log.stage(folder, SIGNER, entries(7), RECIPIENTS)
    before = files(folder)
    with pytest.raises(StagedError, match="staged already"):
        log.stage(folder, SIGNER, entries(7), RECIPIENTS)
    assert files(folder) == before
    assert log.published(folder, SIGNER.verifier).size == 300
    assert log.load_staged(LogFolder(folder.path), SIGNER.verifier) == staged
    with pytest.raises(StagedError, match="not been published"):
        log.clear_staged(folder, staged)


STEPS = ["segment", "tile", "checkpoint"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("done", [False, True], ids=["lost", "stored though reported lost"])
def test_a_crash_while_publishing_is_repaired_by_the_same_function(
    folder: LogFolder, step: str, done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_of(folder, 250)
    staged = log.stage(folder, SIGNER, entries(20), RECIPIENTS)
    real: Callable[..., None] = LogFolder._write

    def failing(self: LogFolder, to_write: dict[Path, bytes]) -> None:
        hit = [p for p in to_write if step in str(p.relative_to(folder.path))]
        if done:
            real(self, to_write)
        elif hit:
            real(self, {p: d for p, d in to_write.items() if p not in hit})
        if hit:
            raise OSError(5, "Input/output error")
        if not done:
            real(self, to_write)

    monkeypatch.setattr(LogFolder, "_write", failing)
    with pytest.raises(OSError, match="Input/output"):
        log.publish(folder, staged, staged.note)
    monkeypatch.undo()
    again = log.load_staged(LogFolder(folder.path), SIGNER.verifier)
    assert again is not None
    assert (again.note, again.segment, again.uuids) == (staged.note, staged.segment, staged.uuids)
    log.publish(folder, again, again.note)
    log.publish(folder, again, again.note)
    assert folder.exists(log.STAGED)
    assert log.load_staged(folder, SIGNER.verifier) is not None  # published, not cleared: still readable
    log.clear_staged(folder, again)
    assert log.load_staged(folder, SIGNER.verifier) is None
    assert log.published(folder, SIGNER.verifier) == staged.checkpoint
    assert log.read_leaves(folder, 250, 270, 270) == list(staged.leaves)
    assert round_of(folder, 3).first == 270


def test_a_failed_stage_leaves_nothing(folder: LogFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    round_of(folder, 3)
    before = files(folder)

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        log.stage(folder, SIGNER, entries(2), RECIPIENTS)
    assert files(folder) == before


def test_what_is_not_the_staged_checkpoint_is_not_published(folder: LogFolder) -> None:
    mirror = CosignerKey.generate("m.example")
    policy = Policy.parse(f"log {SIGNER.vkey}\nwitness m {mirror.vkey}\nquorum m\n")
    staged = log.stage(folder, SIGNER, entries(2), RECIPIENTS)
    other = sign_note(staged.checkpoint.body().replace("\n2\n", "\n3\n"), SIGNER.sign)
    with pytest.raises(StagedError, match="not the staged one"):
        log.publish(folder, staged, other)
    with pytest.raises(PolicyError, match="quorum"):
        log.publish(folder, staged, staged.note, policy)
    assert folder.read_checkpoint_note() is None
    cosigned = staged.note + mirror.cosign(staged.checkpoint.body(), 1)
    log.publish(folder, staged, cosigned, policy)
    assert folder.read_checkpoint_note() == cosigned


def test_damage_is_named(folder: LogFolder) -> None:
    round_of(folder, 3)
    staged = log.stage(folder, SIGNER, entries(2), RECIPIENTS)
    data = bytearray(folder.read(log.STAGED))
    data[-1] ^= 1
    folder.replace(log.STAGED, bytes(data))
    with pytest.raises(StagedError, match="damaged"):
        log.load_staged(folder, SIGNER.verifier)
    folder.remove(log.STAGED)
    with pytest.raises(NoteError):
        log.published(folder, Signer.generate("demo.example/journal").verifier)
    folder.write_checkpoint_note(folder.read("checkpoint").decode().replace("\n3\n", "\n4\n"))
    with pytest.raises(NoteError):
        log.stage(folder, SIGNER, entries(1), RECIPIENTS)
    assert staged.first == 3
    with pytest.raises(JournalError, match="32 bytes"):
        log.stage(LogFolder(folder.path / "new"), SIGNER, [(uuid.uuid4(), b"", b"short")], RECIPIENTS)


def test_a_lost_round_is_adopted_again_from_what_a_mirror_keeps(folder: LogFolder, tmp_path: Path) -> None:
    round_of(folder, 5)
    staged = log.stage(folder, SIGNER, entries(2), RECIPIENTS)
    folder.remove(log.STAGED)
    wrong = log.stage(folder, SIGNER, entries(2, "other"), RECIPIENTS)
    folder.remove(log.STAGED)
    with pytest.raises(StagedError, match="do not give the root"):
        log.adopt(folder, staged.note, wrong.segment, staged.uuids, SIGNER.verifier)
    with pytest.raises(StagedError, match="one size"):
        log.adopt(folder, staged.note, staged.segment, staged.uuids[:1], SIGNER.verifier)
    with pytest.raises(FormatError):
        log.adopt(folder, staged.note, b"", staged.uuids, SIGNER.verifier)
    assert not folder.exists(log.STAGED)
    assert log.adopt(folder, staged.note, staged.segment, staged.uuids, SIGNER.verifier) == staged
    assert log.load_staged(folder, SIGNER.verifier) == staged
