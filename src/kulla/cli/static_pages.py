"""Copies of the public pages as files: HOME/run/pages/<language>/<name>.html.

They are what a dead portal still shows. Taken from the living portal over HTTP by `kulla up`, or rendered
without any portal by `kulla static`; both through `save`.
"""

import http.client
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

PUBLIC = ("/", "/services", "/about", "/privacy", "/accessibility")
LANGUAGES = ("sq", "en")
Fetch = Callable[[str, str], bytes | None]  # (path, language) -> the page, or None when there is none


def file_of(target: str) -> str | None:
    """The file name of a public page's address ("/about?x" -> "about.html"); None for every other address."""
    path = urlsplit(target).path
    path = path if path == "/" else path.rstrip("/")
    return f"{path.strip('/') or 'index'}.html" if path in PUBLIC else None


def save(folder: Path, fetch: Fetch) -> int:
    """Fetch every public page in every language into `folder`; returns how many there are."""
    saved = 0
    for language in LANGUAGES:
        (folder / language).mkdir(parents=True, exist_ok=True)
        for path in PUBLIC:
            page = fetch(path, language)
            name = file_of(path)
            if page is not None and name is not None:
                temporary = folder / language / f".{name}"
                temporary.write_bytes(page)
                temporary.replace(folder / language / name)
                saved += 1
    return saved


def from_portal(port: int) -> Fetch:
    """Fetches from a portal that listens on this loopback port."""

    def fetch(path: str, language: str) -> bytes | None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": "localhost", "Cookie": f"language={language}"})
            answer = connection.getresponse()
            page = answer.read()
            return page if answer.status == 200 else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    return fetch


def rendered() -> Fetch:
    """Renders in this process with Django, which must be set up; needs neither keeper nor database content."""
    from wsgiref.util import setup_testing_defaults

    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()

    def fetch(path: str, language: str) -> bytes | None:
        environ: dict[str, object] = {
            "PATH_INFO": path,
            "HTTP_HOST": "localhost",
            "HTTP_COOKIE": f"language={language}",
        }
        setup_testing_defaults(environ)
        status: list[str] = []
        body = b"".join(application(environ, lambda line, *_: status.append(line)))  # type: ignore[arg-type]
        return body if status[0].startswith("200") else None

    return fetch


def kept(folder: Path, target: str, language: str) -> bytes | None:
    """The copy of the page at `target` in this language; None when there is none."""
    name = file_of(target)
    if name is None:
        return None
    try:
        return (folder / language / name).read_bytes()
    except OSError:
        return None


def asset(root: Path, target: str) -> bytes | None:
    """A style sheet, script or picture under /static/, as file content; None when there is none."""
    path = urlsplit(target).path
    if not path.startswith("/static/"):
        return None
    file = Path(os.path.normpath(root / path.removeprefix("/static/")))
    return file.read_bytes() if file.is_relative_to(root) and file.is_file() else None
