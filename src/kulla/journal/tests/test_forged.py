"""Every forgery is refused in the step that is meant to refuse it, and every step has forgeries."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kulla.journal import merkle, tiles
from kulla.journal.check import CheckStep, check_folder
from kulla.journal.checkpoint import Checkpoint
from kulla.journal.note import sign_note
from kulla.journal.store import LogFolder, segment_path
from kulla.journal.tests.demo import DemoJournal
from kulla.journal.tests.forged import INDEX, RECEIPTS, ROUNDS, Case
from kulla.journal.tests.forged_copies import COPIES, LATER, Copy, damage
from kulla.journal.verify import ReceiptInvalid, Step, verify_against, verify_receipt


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    demo = DemoJournal(tmp_path_factory.mktemp("journal"))
    for count in ROUNDS:
        demo.round(count)
    return Case.of(demo)


@pytest.fixture(scope="module")
def whole(case: Case) -> Copy:
    return Copy.of(case)


def test_the_good_ones_hold(case: Case, whole: Copy) -> None:
    """Else a verifier that refuses everything would pass all that follows."""
    verified = verify_receipt(case.text, case.policy)
    assert (verified.index, verified.size, len(verified.witnesses)) == (INDEX, sum(ROUNDS), 2)
    assert verify_against(verified, case.policy, whole.fetch).size == sum(ROUNDS) + LATER
    same = replace(whole, files={**whole.files, "checkpoint": case.good.proof.checkpoint_note.encode()})
    for path in ("tile/0/002", "tile/1/000", "tile/2/000.p/1"):
        del same.files[path]
    for path in ("tile/0/002.p/193", "tile/1/000.p/2"):
        same.files[path] = case.journal.folder.read(path)
    assert verify_against(verified, case.policy, same.fetch).size == sum(ROUNDS)


@pytest.mark.parametrize("name", RECEIPTS)
def test_a_forged_receipt_is_refused_in_its_step(case: Case, name: str) -> None:
    step, forge = RECEIPTS[name]
    forged = forge(case)
    assert (forged.text, forged.policy) != (case.text, case.policy)
    with pytest.raises(ReceiptInvalid) as refused:
        verify_receipt(forged.text, forged.policy)
    assert refused.value.step is step, refused.value.sentence
    assert refused.value.sentence.endswith(".") and "\n" not in refused.value.sentence


@pytest.mark.parametrize("name", COPIES)
def test_a_forged_copy_is_refused_in_its_step(case: Case, whole: Copy, name: str) -> None:
    copy = replace(whole, files=dict(whole.files))
    step = damage(copy, name)
    assert copy.files != whole.files
    with pytest.raises(ReceiptInvalid) as refused:
        verify_against(verify_receipt(case.text, case.policy), case.policy, copy.fetch)
    assert refused.value.step is step, refused.value.sentence
    assert refused.value.sentence.endswith(".") and "\n" not in refused.value.sentence


def test_a_rollback_is_called_one(case: Case, whole: Copy) -> None:
    copy = replace(whole, files=dict(whole.files))
    damage(copy, "a journal that was rolled back")
    with pytest.raises(ReceiptInvalid, match="ends at entry 300, but mirrors have signed 705"):
        verify_against(verify_receipt(case.text, case.policy), case.policy, copy.fetch)


def test_every_step_has_a_forgery() -> None:
    """A step that is added without one fails here."""
    assert {step for step, _ in (*RECEIPTS.values(), *COPIES.values())} == set(Step)


# --- A whole folder ---------------------------------------------------------------------------------------------


def change(path: str, how: Callable[[bytes], bytes]) -> Callable[[DemoJournal], None]:
    def do(journal: DemoJournal) -> None:
        journal.folder.replace(path, how(journal.folder.read(path)))

    return do


def swap(path: str, other: str) -> Callable[[DemoJournal], None]:
    return lambda journal: journal.folder.replace(path, journal.folder.read(other))


def flip(at: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def signed(size: int, root: bytes) -> Callable[[DemoJournal], None]:
    def do(journal: DemoJournal) -> None:
        body = Checkpoint(journal.signer.name, size, root).body()
        note = journal.cosigned(sign_note(body, journal.signer.sign), body)
        journal.folder.write_checkpoint_note(note)

    return do


def forge_leaf_and_tile(journal: DemoJournal) -> None:
    """CVE-2026-56865: leaf and level-0 tile agree, so only the way up to the root tells."""
    entries = tiles.decode_bundle(journal.folder.read("tile/entries/001"))
    entries[45] = b"\x01" + bytes(64)
    journal.folder.replace("tile/entries/001", tiles.encode_bundle(entries))
    journal.folder.replace("tile/0/001", b"".join(merkle.leaf_hash(entry) for entry in entries))


S = CheckStep
FOLDERS: dict[str, tuple[set[CheckStep], Callable[[DemoJournal], None]]] = {
    "a checkpoint changed after signing": ({S.CHECKPOINT}, change("checkpoint", flip(30))),
    "no checkpoint": ({S.CHECKPOINT}, lambda journal: journal.folder.remove("checkpoint")),
    "a checkpoint of a larger tree than there is": ({S.ENTRIES}, signed(2000, bytes(32))),
    "a second checkpoint of this size": ({S.ROOT}, signed(705, bytes(32))),
    "a checkpoint of a shorter tree that never was": ({S.ROOT}, signed(512, bytes(32))),
    "a wrong leaf": ({S.TILES, S.ROOT}, change("tile/entries/001", flip(500))),
    "a truncated bundle": ({S.ENTRIES}, change("tile/entries/001", lambda data: data[:-67])),
    "a bundle cut in an entry": ({S.ENTRIES}, change("tile/entries/001", lambda data: data[:-1])),
    "an over-long bundle": ({S.ENTRIES}, change("tile/entries/001", lambda data: data + data[:67])),
    "a bundle swapped for another's": ({S.TILES, S.ROOT}, swap("tile/entries/001", "tile/entries/000")),
    "a wrong tile": ({S.TILES}, change("tile/0/001", flip(40))),
    "a wrong tile above": ({S.TILES}, change("tile/1/000.p/2", flip(40))),
    "a tile swapped for another's": ({S.TILES}, swap("tile/0/001", "tile/0/000")),
    "a truncated tile": ({S.TILES}, change("tile/0/001", lambda data: data[:-32])),
    "an over-long tile": ({S.TILES}, change("tile/0/001", lambda data: data + bytes(32))),
    "an over-long partial tile": ({S.TILES}, change("tile/0/002.p/193", lambda data: data + bytes(32))),
    "a leaf and its tile changed consistently": ({S.TILES, S.ROOT}, forge_leaf_and_tile),
    "another payload": ({S.SEGMENTS}, change(segment_path(300, 305), flip(600))),
    "a truncated segment": ({S.SEGMENTS}, change(segment_path(300, 305), lambda data: data[:-1])),
    "an over-long segment": ({S.SEGMENTS}, change(segment_path(300, 305), lambda data: data + b"\0")),
    "no payloads": ({S.SEGMENTS}, lambda journal: journal.folder.remove(segment_path(300, 305))),
}


@pytest.fixture
def journal(tmp_path: Path) -> DemoJournal:
    demo = DemoJournal(tmp_path / "journal")
    for count in ROUNDS:
        demo.round(count)
    return demo


@pytest.mark.parametrize("name", FOLDERS)
def test_a_damaged_folder_fails_in_its_steps(journal: DemoJournal, name: str) -> None:
    assert check_folder(journal.folder.path, journal.policy).failed == set()
    steps, harm = FOLDERS[name]
    harm(journal)
    report = check_folder(LogFolder(journal.folder.path).path, journal.policy)
    assert report.failed == steps, report.problems
    assert report.problems


def test_every_step_of_a_folders_check_has_damage_of_its_own() -> None:
    alone = {step for steps, _ in FOLDERS.values() if len(steps) == 1 for step in steps}
    assert alone == set(CheckStep)
