"""Old segments in fewer files: the same bytes for every reader, whatever moment a crash chooses."""

import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from kulla.journal.check import check_folder
from kulla.journal.errors import FormatError, MissingError
from kulla.journal.merged import encode_merged, split_merged
from kulla.journal.note import CosignerKey
from kulla.journal.store import LogFolder, merged_path, segment_path
from kulla.mirror.frames import StorageFailed
from kulla.mirror.logcopy import LogCopy
from kulla.mirror.merging import merge
from kulla.mirror.stores import FolderStore
from kulla.mirror.testkit import start_mirrors
from kulla.mirror.tests.client import ORIGIN, Client, Journal
from kulla.mirror.tests.origin import fill, mirror_with

# One folder of 65,536 entries that is full, its last segment reaching into the next, and a part of that.
SIZES = (30_000, 10, 20_000, 1, 15_500, 100, 700, 5)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Journal, Path]:
    journal = Journal()
    for count in SIZES:
        journal.add(count)
    home = tmp_path_factory.mktemp("made")
    (mirror,) = start_mirrors(home, 1, ORIGIN, journal.signer, start=False)
    fill(mirror.home, journal)
    return journal, mirror.home


def policy(journal: Journal) -> str:
    return f"log {journal.signer.vkey}\nquorum none\n"


def whole(folder: Path, journal: Journal) -> None:
    """Every reader finds every segment, byte for byte, and the check is content."""
    log = LogFolder(folder)
    spans = []
    for path, data in journal.segments:
        rel = path.split("/", 2)[2]
        assert log.read(rel) == data
        assert log.size(rel) == len(data)
        first, _, following = rel.rpartition("/")[2].partition("-")
        spans.append((int(first), int(following)))
    assert list(log.segments()) == spans
    assert list(log.segments(30_005)) == spans[1:]
    for first, following in spans:
        assert log.segment_at(first) == log.segment_at(following - 1) == (first, following)
    assert check_folder(folder, policy(journal)).problems == []


def singles(folder: Path) -> int:
    return len(list(folder.glob("segment/*/*")))


def test_merged_and_removed(made: tuple[Journal, Path], tmp_path: Path) -> None:
    journal, home = made
    folder = tmp_path / "copy"
    shutil.copytree(home / "mirror" / journal.hash, folder)
    done = merge(FolderStore(folder), journal.size)
    assert (done.merged, done.files, done.removed, done.damaged) == (6, 1, 6, 0)
    assert singles(folder) == 2  # of the folder that is not full yet
    whole(folder, journal)
    assert merge(FolderStore(folder), journal.size).files == 0
    # Smaller files where one would be too long.
    shutil.rmtree(folder)
    shutil.copytree(home / "mirror" / journal.hash, folder)
    assert merge(FolderStore(folder), journal.size, target=9_000_000).files > 1
    whole(folder, journal)


class Crash(Exception):
    """The power is cut here."""


class Crashing(FolderStore):
    """Dies before or after its n-th write or removal."""

    def __init__(self, path: Path, steps: int, after: bool) -> None:
        super().__init__(path)
        self.steps, self.after = steps, after

    def _step(self) -> None:
        self.steps -= 1

    def put_many(self, files: Mapping[str, bytes]) -> None:
        self._cut(lambda: super(Crashing, self).put_many(files))

    def drop(self, rel: str) -> bool:
        self._cut(lambda: super(Crashing, self).drop(rel))
        return True

    def _cut(self, work: object) -> None:
        self.steps -= 1
        if self.steps == 0 and not self.after:
            raise Crash
        work()  # type: ignore[operator]
        if self.steps == 0:
            raise Crash


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_every_step(made: tuple[Journal, Path], tmp_path: Path, after: bool) -> None:
    journal, home = made
    crashed = 0
    for step in range(1, 9):
        folder = tmp_path / str(step)
        shutil.copytree(home / "mirror" / journal.hash, folder)
        with contextlib.suppress(Crash):
            merge(Crashing(folder, step, after), journal.size)
            assert step > 7
            continue
        crashed += 1
        whole(folder, journal)
        merge(FolderStore(folder), journal.size)
        assert singles(folder) == 2
        whole(folder, journal)
        shutil.rmtree(folder)
    assert crashed == 7


def test_a_damaged_segment_is_never_merged(made: tuple[Journal, Path], tmp_path: Path) -> None:
    journal, home = made
    folder = tmp_path / "copy"
    shutil.copytree(home / "mirror" / journal.hash, folder)
    bad = folder / segment_path(30_010, 50_010)
    data = bytearray(bad.read_bytes())
    data[-1] ^= 1
    bad.write_bytes(data)
    done = merge(FolderStore(folder), journal.size)
    assert (done.damaged, done.merged, done.files) == (1, 5, 2)
    assert bad.exists()
    assert any("30010-50010" in line for line in check_folder(folder, policy(journal)).problems)


def test_a_damaged_merged_copy_removes_nothing(made: tuple[Journal, Path], tmp_path: Path) -> None:
    """Crash before the removal, then the merged file rots: the single ones stay."""
    journal, home = made
    folder = tmp_path / "copy"
    shutil.copytree(home / "mirror" / journal.hash, folder)
    with contextlib.suppress(Crash):
        merge(Crashing(folder, 1, after=True), journal.size)
    (file,) = folder.glob("merged/*/*")
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    done = merge(FolderStore(folder), journal.size)
    assert done.damaged == 1
    assert (folder / segment_path(50_011, 65_511)).exists()
    whole(folder, journal)


def test_the_format() -> None:
    data = encode_merged([(0, 2, b"abc"), (2, 5, b""), (5, 6, b"x")])
    assert split_merged(data, 0, 6) == [(0, 2, b"abc"), (2, 5, b""), (5, 6, b"x")]
    for bad in (data[:-1], data + b"x", b"KMRG\x02" + data[5:], data[:30] + b"\xff" + data[31:], data[:20]):
        with pytest.raises(FormatError):
            split_merged(bad, 0, 6)
    with pytest.raises(FormatError):
        split_merged(data, 0, 7)
    with pytest.raises(FormatError, match="follow each other"):
        encode_merged([(0, 2, b""), (3, 4, b"")])
    with pytest.raises(FormatError):
        encode_merged([])


def test_a_mirror_serves_merged_segments(made: tuple[Journal, Path], tmp_path: Path) -> None:
    journal, _ = made
    with mirror_with(tmp_path, journal, start=False) as mirror:
        folder = fill(mirror.home, journal)
        merge(FolderStore(folder.path), journal.size)
        mirror.start()
        client = Client(mirror.port)
        for target, data in journal.segments:
            assert client.signed(journal.signer.key, "GET", target).body == data
            assert (
                client.signed(journal.signer.key, "PUT", target, data).status == 200
            )  # the same again is fine
        lines = client.signed(journal.signer.key, "GET", f"/{journal.hash}/segments?from=0").text.splitlines()
        assert len(lines) == len(SIZES)
        merged = client.signed(journal.signer.key, "GET", f"/{journal.hash}/merged?from=0").text.splitlines()
        assert [line.split(" ")[0] for line in merged] == ["0-65611"]
        assert (
            client.signed(journal.signer.key, "GET", f"/{journal.hash}/{merged_path(0, 65_611)}").status
            == 200
        )
        client.close()
        assert singles(folder.path) == 2


def test_what_lies_ahead_of_the_entries_is_forgotten(made: tuple[Journal, Path], tmp_path: Path) -> None:
    """Catching up broke off: merged files and segments without entries must not stand in the way."""
    journal, _ = made
    folder = LogFolder(tmp_path / "copy")
    parts = [(0, 2, b"abc"), (2, 5, b"d")]
    folder.put_many({merged_path(0, 5): encode_merged(parts), segment_path(900_000, 900_001): b"x"})
    LogCopy(tmp_path / "copy", journal.signer.verifier, CosignerKey.generate("m"))
    with pytest.raises(MissingError):
        folder.get(merged_path(0, 5))
    assert list(LogFolder(tmp_path / "copy").segments()) == []


class Lying(FolderStore):
    """Says that it has written, and wrote something else."""

    def put_many(self, files: Mapping[str, bytes]) -> None:
        super().put_many({path: data[:-1] + bytes([data[-1] ^ 1]) for path, data in files.items()})


def test_a_store_that_writes_something_else(made: tuple[Journal, Path], tmp_path: Path) -> None:
    journal, home = made
    folder = tmp_path / "copy"
    shutil.copytree(home / "mirror" / journal.hash, folder)
    with pytest.raises(StorageFailed, match="does not read as it was written"):
        merge(Lying(folder), journal.size)
    assert singles(folder) == len(SIZES)
    whole(folder, journal)
