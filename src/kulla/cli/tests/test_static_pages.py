"""Copies of public pages: only public ones, in both languages, and no way out of the folder of assets."""

import json
import os
import re
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
    assert static_pages.kept(tmp_path, "/about", "en") == b"/about en"
    assert static_pages.kept(tmp_path, "/about", "sq") == b"/about sq"
    assert static_pages.kept(tmp_path, "/privacy", "sq") is None
    assert static_pages.kept(tmp_path, "/my", "sq") is None


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
    old = b'<link rel="stylesheet" href="/static/kulla/kulla-0000deadbeef.css">'
    copied = b"<!doctype html><html>" + old + b'<body class="x"><main id="main">Front</main></body></html>'
    answer = pages.copy(b"", copied).decode()

    assert answer.startswith("HTTP/1.1 503 ")
    head, _, body = answer.partition("\r\n\r\n")
    assert f"Content-Length: {len(body.encode())}" in head
    assert f'href="{pages.built("kulla.css")}"' in body
    assert body.index('<main id="main">') < body.index("Portali po kthehet") < body.index("Front")


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        (b"", "sq"),
        (b"Cookie: a=b; language=en\r\n", "en"),
        (b"Accept-Language: en-GB,en;q=0.9\r\nCookie: language=sq\r\n", "sq"),
        (b"accept-language: de-DE,de;q=0.9,en;q=0.8\r\n", "en"),
        (b"Cookie: language=de\r\n", "sq"),
        (b"Cookie: note=language=en\r\n", "sq"),
        (b"Cookie: \xff;;=\r\n", "sq"),
    ],
)
def test_one_language_at_a_time(headers: bytes, language: str) -> None:
    answer = pages.away("GET", b"GET /my HTTP/1.1\r\n" + headers + b"\r\n", forwarded=False).decode()

    assert pages.language_of(b"GET / HTTP/1.1\r\n" + headers + b"\r\n") == language
    assert f'lang="{language}"><head>' in answer
    assert ("Portali po kthehet" in answer) == (language == "sq")
    assert ("The portal is coming back" in answer) == (language == "en")
    other = "en" if language == "sq" else "sq"
    assert f'href="/language?to={other}&amp;next=%2Fmy"' in answer


def test_they_look_like_the_portal_and_need_no_style_to_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kulla").mkdir()
    monkeypatch.setattr(pages, "ASSETS", tmp_path)
    plain = pages.away("GET", b"GET / HTTP/1.1\r\n\r\n", forwarded=False).decode()
    names = {"kulla.css": "kulla-0123456789ab.css"}
    (tmp_path / "kulla" / "manifest.json").write_text(json.dumps(names))
    styled = pages.away("GET", b"GET / HTTP/1.1\r\n\r\n", forwarded=False).decode()

    assert '<link rel="stylesheet" href="/static/kulla/kulla-0123456789ab.css">' in styled
    assert 'class="kulla-header"' in styled
    assert '<svg class="kulla-tower"' in styled
    assert "stylesheet" not in plain
    assert "Portali po kthehet" in plain
    for answer in (plain, styled):
        assert not re.search("<script|<style| style=", answer)


def test_the_language_switch_works_without_the_portal() -> None:
    def press(target: str) -> str:
        return (pages.language_switch(f"GET {target} HTTP/1.1\r\n\r\n".encode()) or b"").decode()

    assert "\r\nLocation: /my?a=1&b=%C3%AB\r\n" in press("/language?to=en&next=%2Fmy%3Fa%3D1%26b%3D%C3%AB")
    assert "\r\nSet-Cookie: language=en; Path=/" in press("/language?to=en")
    assert "\r\nLocation: /\r\n" in press("/language?to=sq&next=//evil.example/")
    assert "\r\nLocation: /\r\n" in press("/language?to=sq&next=/%5Cevil.example/")
    assert "\r\nX: y" not in press("/language?to=sq&next=/a%0D%0AX:%20y")
    assert press("/language?to=de") == ""
    assert press("/my?to=en") == ""


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
    (tmp_path / "home.json").write_text("[]")
    with pytest.raises(CommandError, match="damaged"):
        open_home(tmp_path)
    (tmp_path / "home.json").write_text(json.dumps({"demo": True}))
    assert open_home(tmp_path).demo
