"""The thief's search finds what is there in every disguise, and its zip holds every file."""

import base64
import io
import zipfile
from pathlib import Path

import pytest

from kulla.demo import thief

NAME = "Arta Çelërvari"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for folder in ("portal/journal", "operators/1/keys", "operators/2"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "portal/db.sqlite3").write_bytes(bytes(range(256)) * 5000)
    (tmp_path / "portal/journal/checkpoint").write_text("nothing")
    (tmp_path / "operators/1/keys/mirror.key").write_text("key")
    (tmp_path / "operators/2/secret").write_text(NAME)  # another operator: not in the loot
    return tmp_path


@pytest.mark.parametrize(
    "hidden",
    [
        NAME.encode(),
        NAME.upper().encode(),
        NAME.lower().encode(),
        b"arta celervari",
        NAME.encode("utf-16-le"),
        NAME.encode("utf-16-be"),
        NAME.encode("latin-1"),
        NAME.encode().hex().encode(),
        NAME.encode().hex().upper().encode(),
        NAME.encode()[::-1],
        *(base64.b64encode(b"x" * offset + NAME.encode() + b"tail") for offset in range(3)),
    ],
)
def test_finds_every_disguise(home: Path, hidden: bytes) -> None:
    (home / "portal/db.sqlite3").write_bytes(b"\0" * (thief.CHUNK - 7) + hidden + b"\0" * 50)

    found = thief.search(home, NAME)

    assert found.times >= 1
    assert found.where == ("portal/db.sqlite3",)
    assert found.complete


def test_finds_nothing_where_nothing_is(home: Path) -> None:
    found = thief.search(home, NAME)

    assert (found.times, found.where, found.files) == (0, (), 3)
    assert found.size == sum(path.stat().st_size for path, _ in thief.loot(home))


@pytest.mark.parametrize("words", ["", "abc", "x" * 101, "   a   "])
def test_refuses_words_that_say_nothing(home: Path, words: str) -> None:
    with pytest.raises(ValueError, match="between 4 and 100"):
        thief.search(home, words)


def test_says_when_the_time_was_too_short(home: Path) -> None:
    assert not thief.search(home, NAME, limit_s=-1).complete


def test_zip_holds_the_loot_byte_for_byte(home: Path) -> None:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(thief.stream_zip(home))))

    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist()} == {
        name: path.read_bytes() for path, name in thief.loot(home)
    }
