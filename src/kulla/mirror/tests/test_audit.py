"""`kulla mirror audit`: whatever is changed, its file is named, and the exit code says so."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kulla.journal.store import merged_path, segment_path
from kulla.mirror.commands import CommandFailed, audit
from kulla.mirror.merging import merge
from kulla.mirror.stores import FolderStore
from kulla.mirror.testkit import start_mirrors
from kulla.mirror.tests.client import ORIGIN, Client, Journal
from kulla.mirror.tests.conftest import KEEPER
from kulla.mirror.tests.origin import fill, mirror_with, push
from kulla.mirror.tests.test_keycopy import put, record

SIZES = (60_000, 6_000, 700)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Journal, Path]:
    """A home with everything: merged and single segments, key copy."""
    journal = Journal()
    for count in SIZES:
        journal.add(count)
    folder = tmp_path_factory.mktemp("made")
    (mirror,) = start_mirrors(folder, 1, ORIGIN, journal.signer, start=False, keeper_vkey=KEEPER.vkey)
    store = fill(mirror.home, journal)
    merge(FolderStore(store.path), journal.size)
    mirror.start()
    client = Client(mirror.port)
    assert put(client, *(record(n) for n in (1, 2, 3))).status == 200
    client.close()
    mirror.stop()
    return journal, mirror.home


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kulla.cli", "mirror", "audit", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_whole_mirror(made: tuple[Journal, Path], tmp_path: Path) -> None:
    journal, home = made
    done = run(home)
    assert (done.returncode, done.stdout) == (
        0,
        "Nothing is wrong in 66700 entries, 264 tiles, 3 segments (1 merged files), 3 records of the key copy.\n",
    )
    assert "tree and segments" in done.stderr
    policy = tmp_path / "policy"
    policy.write_text(f"log {journal.signer.vkey}\nquorum none\n")
    assert run(home / "mirror" / journal.hash, "--policy", policy).returncode == 0


def test_what_cannot_be_audited(made: tuple[Journal, Path], tmp_path: Path) -> None:
    journal, home = made
    for words, sentence in (
        ((tmp_path,), "neither an operator's home nor the copy of a journal"),
        ((home / "mirror" / journal.hash,), "Give --policy FILE"),
        ((), "either a folder or --s3 URL"),
        ((home / "mirror" / journal.hash, "--policy", tmp_path / "none"), "cannot be read"),
        (("--s3", "s3://x"), "must have the form"),
    ):
        done = run(*words)
        assert done.returncode == 2
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr


def flip(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def partial(folder: Path) -> None:
    (folder / "tile/0/001.p").mkdir()
    (folder / "tile/0/001.p/3").write_bytes(bytes(96))


def short_merged(folder: Path) -> None:
    path = folder / merged_path(0, 66_000)
    path.write_bytes(path.read_bytes() + b"x")


def other_cosigner(folder: Path) -> None:
    path = folder / "checkpoint"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "tile": (lambda f: flip(f / "tile/0/007"), "tile/0/007 is not what the entries below it give"),
    "higher-tile": (lambda f: flip(f / "tile/1/000"), "tile/1/000 is not what the entries below it give"),
    "edge": (lambda f: flip(f / "tile/0/260.p/140"), "tile/0/260.p/140 is not what"),
    "tile-gone": (lambda f: (f / "tile/0/007").unlink(), "tile/0/007 is missing"),
    "bundle": (lambda f: flip(f / "tile/entries/007"), "do not lead to the root"),
    "old-partial": (partial, "tile/0/001.p/3 is not the beginning of its full tile"),
    "segment": (lambda f: flip(f / segment_path(66_000, 66_700)), "66000-66700"),
    "segment-gone": (lambda f: (f / segment_path(66_000, 66_700)).unlink(), "are stored nowhere"),
    "merged": (lambda f: flip(f / merged_path(0, 66_000)), "60000-66000"),
    "merged-index": (lambda f: flip(f / merged_path(0, 66_000), 30), "merged/000000/0-66000 is damaged"),
    "merged-longer": (short_merged, "merged/000000/0-66000 is damaged: it does not end where"),
    "checkpoint": (lambda f: flip(f / "checkpoint", 40), "The checkpoint does not hold"),
    "cosignature": (other_cosigner, "not cosigned by operator-1.test.kulla.example"),
    "pending": (lambda f: (f / "pending").write_bytes(b"x"), "pending does not hold"),
    "stranger": (lambda f: (f / "tile/0/stray").write_bytes(b"x"), "tile/0/stray is no file of a journal"),
    "record": (
        lambda f: flip(f.parent.parent / "keycopy/records-00000000000000000001.log", 60),
        "records-00000000000000000001.log is damaged at byte 0",
    ),
    "torn": (
        lambda f: (f.parent.parent / "keycopy/records-1.log.torn-5").touch(),
        "records-1.log.torn-5 was cut off",
    ),
}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_each_fault_is_named(made: tuple[Journal, Path], tmp_path: Path, name: str) -> None:
    journal, home = made
    shutil.copytree(home, tmp_path / "home")
    change, words = FAULTS[name]
    change(tmp_path / "home/mirror" / journal.hash)
    said: list[str] = []
    assert audit(tmp_path / "home", None, said.append) == 1
    assert words in "\n".join(said)


def test_beside_a_running_mirror(tmp_path: Path) -> None:
    journal = Journal()
    with mirror_with(tmp_path, journal) as mirror:
        said: list[str] = []
        assert audit(mirror.home, None, said.append) == 0  # holds nothing yet
        for count in (3, 300):
            old = journal.size
            journal.add(count)
            push(mirror, journal, old)
        assert audit(mirror.home, None, said.append) == 0
    assert said[-1].startswith("Nothing is wrong in 303 entries")
    with pytest.raises(CommandFailed):
        audit(tmp_path / "none", None, said.append)
