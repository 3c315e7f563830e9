"""The full check finds every kind of damage, also where two files were changed to agree with each other."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kulla.journal import merkle, tiles
from kulla.journal.check import check_folder
from kulla.journal.note import Signer
from kulla.journal.store import LogFolder, segment_path
from kulla.journal.tests.demo import DemoJournal

SIZE = 1000


@pytest.fixture
def journal(tmp_path: Path) -> DemoJournal:
    demo = DemoJournal(tmp_path / "journal")
    for count in (300, 5, 695):
        demo.round(count)
    return demo


def problems(journal: DemoJournal) -> list[str]:
    return check_folder(journal.folder.path, journal.policy).problems


def flip(folder: LogFolder, path: str, at: int) -> None:
    data = bytearray(folder.read(path))
    data[at] ^= 1
    folder.replace(path, bytes(data))


def test_a_whole_folder_is_whole(journal: DemoJournal) -> None:
    said: list[tuple[int, int]] = []
    report = check_folder(journal.folder.path, journal.policy, lambda done, total: said.append((done, total)))
    assert report.problems == []
    assert (report.size, report.segments, report.tiles) == (SIZE, 3, 5)
    assert report.cosigned == {"operator-1": 1_795_000_000, "operator-2": 1_795_000_001}
    assert said[-1] == (2 * SIZE, 2 * SIZE)
    assert said == sorted(said)


def test_a_mirrors_copy_needs_no_quorum_but_the_logs_signature(journal: DemoJournal) -> None:
    journal.folder.write_checkpoint_note(journal.note.rsplit("— ", 1)[0])
    assert problems(journal) == []
    journal.folder.write_checkpoint_note(journal.note.replace("— demo", "— dema"))
    assert problems(journal)[0].startswith("The checkpoint does not hold")
    other = check_folder(
        journal.folder.path, f"log {Signer.generate('demo.kulla.example/journal').vkey}\nquorum none\n"
    )
    assert len(other.problems) == 1
    journal.folder.remove("checkpoint")
    assert problems(journal) == ["The checkpoint does not hold: there is none."]


@pytest.mark.parametrize(
    ("path", "at", "sentence"),
    [
        ("tile/0/001", 40, "tile/0/001 is not what the entries below it give."),
        ("tile/0/003.p/232", 0, "tile/0/003.p/232 is not what the entries below it give."),
        ("tile/1/000.p/3", 95, "tile/1/000.p/3 is not what the entries below it give."),
        ("tile/entries/002", 500, "tile/0/002 is not what the entries below it give."),
        ("tile/entries/002", 0, "cannot be read"),
        (segment_path(300, 305), 600, "the payload of entry 301 is not the one that the journal recorded."),
        (segment_path(300, 305), 0, "cannot be read"),
        (segment_path(300, 305), 12, "cannot be read"),
        ("checkpoint", 30, "The checkpoint does not hold"),
    ],
)
def test_changed_bytes_are_named(journal: DemoJournal, path: str, at: int, sentence: str) -> None:
    flip(journal.folder, path, at)
    assert any(sentence in p for p in problems(journal)), problems(journal)


def test_an_entry_forged_together_with_its_tile_is_found(journal: DemoJournal) -> None:
    """CVE-2026-56865: leaf and level-0 tile agree, so only the way up to the root tells."""
    folder = journal.folder

    def forge(n: int, at: int) -> bytes:
        bundle = tiles.decode_bundle(folder.read(tiles.tile_path("entries", n)))
        bundle[at] = b"\x01" + bytes(64)
        folder.replace(tiles.tile_path("entries", n), tiles.encode_bundle(bundle))
        level0 = b"".join(merkle.leaf_hash(leaf) for leaf in bundle)
        folder.replace(tiles.tile_path(0, n), level0)
        return merkle.root_hash([level0[i : i + 32] for i in range(0, len(level0), 32)])

    above = forge(1, 60)
    found = problems(journal)
    assert found == [
        "tile/1/000.p/3 is not what the entries below it give.",
        f"The {SIZE} entries do not lead to the root of the signed checkpoint.",
    ]
    level1 = folder.read("tile/1/000.p/3")
    folder.replace("tile/1/000.p/3", level1[:32] + above + level1[64:])
    assert problems(journal) == [f"The {SIZE} entries do not lead to the root of the signed checkpoint."]


def remove(path: str) -> Callable[[LogFolder], None]:
    return lambda folder: folder.remove(path)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (remove("tile/0/002"), "tile/0/002 is missing."),
        (remove("tile/1/000.p"), "tile/1/000.p/3 is missing."),
        (remove("tile/entries/001"), "The entries from 0 on cannot be read"),
        (remove(segment_path(300, 305)), "The payloads of entries 300 to 304 are stored nowhere."),
        (remove(segment_path(305, 1000)), "The payloads of entries 305 to 999 are stored nowhere."),
        (
            lambda folder: folder.replace(segment_path(300, 301), folder.read(segment_path(300, 305))),
            "segment/000000/300-301 holds other entries than its name says.",
        ),
    ],
)
def test_missing_and_misplaced_files_are_named(
    journal: DemoJournal, damage: Callable[[LogFolder], None], sentence: str
) -> None:
    damage(journal.folder)
    assert any(sentence in p for p in problems(journal)), problems(journal)


def test_payloads_beyond_the_checkpoint_are_not_its_business(journal: DemoJournal) -> None:
    journal.folder.replace(segment_path(1000, 1001), b"waiting")
    assert problems(journal) == []
