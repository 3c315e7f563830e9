"""The verifier that anyone can run: one HTML page that checks a receipt in the browser, without any server.

`verifier_page()` puts it together from data/: page.html, style.css, the words in Albanian and English and the
scripts, which follow verify.py step by step. Style and script stand inside the page and are named by their SHA-256
in its content security policy, so nothing else can run in it. It asks the network only where its user presses a
button that says so. `python -m kulla.journal page > verify.html` writes it to keep; mirrors serve it at /verify.
"""

import base64
import hashlib
import json
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data"
SCRIPTS = ("formats.js", "verify.js", "pdf.js", "page.js")


def words() -> dict[str, tuple[str, str]]:
    """The page's words by key: Albanian, English."""
    return {key: (pair[0], pair[1]) for key, pair in json.loads(_read("words.json")).items()}


@cache
def verifier_page() -> bytes:
    """The page's bytes: the same for the same version of this program."""
    style = _read("style.css")
    # "<" cannot stand in the words as it is: "</script" in a string would end the script.
    spoken = json.dumps(words(), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    script = "\n".join(['"use strict";', f"const WORDS = {spoken};", *map(_read, SCRIPTS)])
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_named(script)}'",
            f"style-src '{_named(style)}'",
            "img-src data:",  # the empty icon that keeps browsers from asking for one
            "connect-src http: https:",  # a mirror's address is its user's to give
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )
    page = _read("page.html").replace("@CSP@", policy).replace("@STYLE@", style).replace("@SCRIPT@", script)
    return page.encode()


def _read(name: str) -> str:
    return (DATA / name).read_text("utf-8")


def _named(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"
