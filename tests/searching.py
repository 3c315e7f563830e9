"""Looks for words in raw bytes, in every disguise in which a program could have written them down.

Independent of the demo's own search on purpose: a test must not trust what it tests.
"""

import base64
import bz2
import gzip
import hashlib
import json
import lzma
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

_EMPTY = re.compile(rb"\0{64,}")  # most of a log of changes is not written yet
SHORTEST = 6  # bytes; a shorter needle would be found in ciphertext by chance


def disguises(word: str) -> set[bytes]:
    """The byte strings that `word` could stand as; at least six bytes each."""
    plain = unicodedata.normalize("NFKD", word)
    bare = "".join(sign for sign in plain if not unicodedata.combining(sign))
    texts = {word, word.lower(), word.upper(), word.title(), bare, bare.lower(), bare.upper()}
    texts |= {unicodedata.normalize(form, text) for form in ("NFC", "NFD") for text in list(texts)}
    found: set[bytes] = set()
    for text in texts:
        utf8 = text.encode()
        raw = {utf8, text.encode("utf-16-le"), text.encode("utf-16-be"), text.encode("utf-32-le")}
        raw |= {text.encode(code, "ignore") for code in ("latin-1", "cp1252", "cp1250")}
        raw |= {json.dumps(text)[1:-1].encode(), quote(text).encode(), quote_plus(text).encode()}
        raw |= {utf8.hex().encode(), utf8.hex().upper().encode(), utf8[::-1]}
        raw |= set(_base64(utf8))
        found |= raw
    return {needle for needle in found if len(needle) >= SHORTEST}


def _base64(data: bytes) -> Iterator[bytes]:
    """What stays the same of the Base64 of anything that contains `data`, at each of the three positions."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            coded = encode(b"\0" * before + data)
            start = -(-before * 8 // 6)
            end = (before + len(data)) * 8 // 6
            yield coded[start:end]


def unpacked(data: bytes) -> Iterator[bytes]:
    """The data, and what it holds when it is compressed as a whole."""
    yield data
    for unpack in (gzip.decompress, zlib.decompress, bz2.decompress, lzma.decompress):
        try:
            yield unpack(data)
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
            continue


def search(folders: Iterable[Path], words: Iterable[str]) -> list[str]:
    """Where any of the words stands, in any disguise, in the content, the name or the path of a file."""
    needles = {needle: word for word in words for needle in disguises(word)}
    found = []
    read: set[bytes] = set()  # a database server copies its template again and again
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            parts = [str(path.relative_to(folder)).encode()]
            if path.is_file() and (digest := hashlib.sha256(data := path.read_bytes()).digest()) not in read:
                read.add(digest)
                parts += [_EMPTY.sub(b"\0" * 8, part) for part in unpacked(data)]
            for part in parts:
                hits = [(needle, word) for needle, word in needles.items() if needle in part]
                found += [f"{word!r} stands in {path} as {needle[:40]!r}" for needle, word in hits]
    return found


def search_digits(folders: Iterable[Path], codes: Iterable[str]) -> list[str]:
    """Where a code of digits stands by itself, as text or as UTF-16: inside longer numbers it is found by chance."""
    shapes = {}
    for code in codes:
        shapes[code] = [
            re.compile(rb"(?<![0-9A-Za-z+/])" + re.escape(code.encode()) + rb"(?![0-9A-Za-z+/])"),
            re.compile(re.escape(code.encode("utf-16-le"))),
        ]
    return [
        f"{code!r} stands in {path}"
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for part in unpacked(path.read_bytes())
        for code, patterns in shapes.items()
        if any(pattern.search(part) for pattern in patterns)
    ]
