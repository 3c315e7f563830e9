"""The folder: durable, immutable where it says so, one writer, no path out of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kulla.journal import store
from kulla.journal.errors import FormatError, ImmutableError, JournalBusy, MissingError


@pytest.fixture
def folder(tmp_path: Path) -> store.LogFolder:
    return store.LogFolder(tmp_path / "log")


def test_immutable_files_take_the_same_bytes_again_and_no_others(folder: store.LogFolder) -> None:
    folder.put_many({"tile/0/000.p/1": b"a", "tile/entries/000.p/1": b"b"})
    folder.put_immutable("tile/0/000.p/1", b"a")
    with pytest.raises(ImmutableError, match="other content"):
        folder.put_many({"tile/0/000.p/2": b"aa", "tile/0/000.p/1": b"x"})
    assert folder.read("tile/0/000.p/1") == b"a"
    assert not folder.exists("tile/0/000.p/2")
    with pytest.raises(MissingError):
        folder.read("tile/0/000.p/2")


def test_files_and_new_directories_are_synced_before_the_call_returns(
    folder: store.LogFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{fd}").readlink().relative_to(folder.path)))
        real(fd)

    folder.replace("other", b"")
    monkeypatch.setattr(os, "fsync", fsync)
    folder.put_many({"tile/0/000": b"a", "tile/0/001": b"b"})
    assert synced[:2] == [".", "tile"]  # the parents of the new directories
    assert [s.startswith("tile/0/.new-") for s in synced[2:4]] == [True, True]
    assert synced[4:] == ["tile/0"]
    synced.clear()
    folder.write_checkpoint_note("note\n")
    assert len(synced) == 2
    assert synced[1] == "."


def test_a_failed_write_leaves_nothing_behind(
    folder: store.LogFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(fd: int) -> None:
        raise OSError(28, "No space left on device")

    folder.put_immutable("tile/0/000", b"a")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        folder.put_many({"tile/0/001": b"b"})
    assert [p.name for p in (folder.path / "tile/0").iterdir()] == ["000"]


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "tile/../../x", "tile//0", "a\0b", "tile/./0"])
def test_no_path_leads_out_of_the_folder(folder: store.LogFolder, path: str) -> None:
    with pytest.raises(FormatError):
        folder.read(path)


def test_segments_are_found_in_order_by_the_leaves_they_hold(folder: store.LogFolder) -> None:
    bounds = [(0, 10), (10, 65_530), (65_530, 65_600), (65_600, 200_000), (200_000, 200_001)]
    for first, following in reversed(bounds):
        folder.put_immutable(store.segment_path(first, following), b"s")
    assert list(folder.segments()) == bounds
    assert list(folder.segments(65_599)) == bounds[2:]
    assert list(folder.segments(150_000)) == bounds[3:]
    assert [folder.segment_at(i) for i in (0, 65_529, 65_536, 199_999, 200_000)] == bounds
    with pytest.raises(MissingError):
        folder.segment_at(200_001)
    assert store.parse_segment_path("segment/000003/200000-200001") == (200_000, 200_001)
    for bad in ["segment/000003/0-1", "segment/000000/1-1", "segment/000000/01-2", "segment/000000/1", "1-2"]:
        with pytest.raises(FormatError):
            store.parse_segment_path(bad)


def test_only_one_process_holds_the_lock(folder: store.LogFolder) -> None:
    program = (
        "import sys; from kulla.journal import store, errors\n"
        "try:\n    with store.LogFolder(sys.argv[1]).lock(): print('mine')\n"
        "except errors.JournalBusy as e: print(e)"
    )

    def other() -> str:
        done = subprocess.run(
            [sys.executable, "-c", program, str(folder.path)], capture_output=True, check=True
        )
        return done.stdout.decode()

    with folder.lock():
        assert "Another process writes" in other()
        with pytest.raises(JournalBusy), folder.lock():
            pass
    assert other() == "mine\n"


def test_reading_makes_no_folder(tmp_path: Path) -> None:
    assert store.LogFolder(tmp_path / "none").read_checkpoint_note() is None
    assert not (tmp_path / "none").exists()
