"""Copies of public pages: only public ones, in both languages, and no way out of the folder of assets."""

import json
import os
import socket
from pathlib import Path

import pytest

from kulla.cli import static_pages
from kulla.cli.errors import CommandError
from kulla.cli.home import Home, open_home
from kulla.cli.supervisor import pages


@pytest.mark.parametrize(
    ("target", "file"),
    [
        ("/", "index.html"),
        ("/about", "about.html"),
        ("/about/?x=1", "about.html"),
        ("/my", None),
        ("/../policy", None),
        ("/receipts/1/", None),
    ],
)
def test_only_public_pages_have_a_file(target: str, file: str | None) -> None:
    assert static_pages.file_of(target) == file


def test_saved_and_kept_by_language(tmp_path: Path) -> None:
    def fetch(path: str, language: str) -> bytes | None:
        return None if path == "/privacy" else f"{path} {language}".encode()

    count = static_pages.save(tmp_path, fetch)

    assert count == 2 * (len(static_pages.PUBLIC) - 1)
    assert static_pages.kept(tmp_path, "/about", b"Cookie: language=en") == b"/about en"
    assert static_pages.kept(tmp_path, "/about", b"") == b"/about sq"
    assert static_pages.kept(tmp_path, "/privacy", b"") is None
    assert static_pages.kept(tmp_path, "/my", b"") is None


def test_assets_stay_in_their_folder(tmp_path: Path) -> None:
    root = tmp_path / "static"
    root.mkdir()
    (root / "a.css").write_text("a{}")
    (tmp_path / "secret").write_text("x")

    assert static_pages.asset(root, "/static/a.css") == b"a{}"
    assert static_pages.asset(root, "/static/../secret") is None
    assert static_pages.asset(root, "/static/%2e%2e/secret") is None
    assert static_pages.asset(root, "/static//etc/passwd") is None
    assert static_pages.asset(root, "/static/") is None
    assert static_pages.asset(root, "/a.css") is None


def test_a_copy_says_that_it_is_one() -> None:
    answer = pages.copy(b'<!doctype html><html><body class="x"><main>Front</main></body></html>').decode()

    assert answer.startswith("HTTP/1.1 503 ")
    head, _, body = answer.partition("\r\n\r\n")
    assert f"Content-Length: {len(body.encode())}" in head
    assert (
        body.index("Portali po kthehet") < body.index("The portal is coming back") < body.index("<main>Front")
    )


def test_the_readers_language_comes_first() -> None:
    albanian = pages.away("GET", b"GET / HTTP/1.1\r\n\r\n", forwarded=False).decode()
    english = pages.away(
        "GET", b"GET / HTTP/1.1\r\nCookie: a=b; language=en\r\n\r\n", forwarded=False
    ).decode()

    assert albanian.index("<h1>Portali po kthehet") < albanian.index("<h2>The portal is coming back")
    assert english.index("<h1>The portal is coming back") < english.index("<h2>Portali po kthehet")


def test_a_long_home_has_short_sockets_of_its_own(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100)
    short = Home(long, {}).socket("keeper.sock")
    other = Home(tmp_path / ("y" * 100), {})

    assert len(os.fsencode(short)) <= 107
    assert short != other.socket("keeper.sock")
    assert short.parent.stat().st_mode & 0o077 == 0
    with socket.socket(socket.AF_UNIX) as server:
        short.unlink(missing_ok=True)
        server.bind(str(short))
    Home(long, {}).remove_sockets()
    other.remove_sockets()
    assert not short.parent.exists()


def test_a_damaged_home_is_named(tmp_path: Path) -> None:
    (tmp_path / "home.json").write_text("{")
    with pytest.raises(CommandError, match="damaged"):
        open_home(tmp_path)
    (tmp_path / "home.json").write_text(json.dumps({"demo": True}))
    assert open_home(tmp_path).demo
