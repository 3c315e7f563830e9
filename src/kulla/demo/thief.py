"""Be the thief: what a thief of the portal and of one mirror operator would carry away, and a search in it.

The loot is every byte of the portal's home (database, its log of changes, journal, keys, program logs) and of
operator 1's folder (mirror, key copy, keys). The search looks for what the visitor types in all of it, as
plain bytes and in the disguises in which data is usually hidden from a plain search.
"""

import base64
import os
import stat
import time
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHUNK = 1 << 20
SHORTEST = 4  # characters; shorter words occur in random bytes by chance
SHORTEST_DISGUISE = 6  # bytes; a shorter disguise would be found by chance in tens of megabytes of ciphertext
LONGEST = 100  # characters
TIME_LIMIT_S = 20.0
FOLDERS = ("portal", "operators/1")


def loot(home: Path) -> Iterator[tuple[Path, str]]:
    """Every regular file that the thief takes, with its name inside the home."""
    for folder in FOLDERS:
        for directory, _, names in os.walk(home / folder):
            for name in sorted(names):
                path = Path(directory) / name
                if stat.S_ISREG(path.lstat().st_mode):
                    yield path, str(path.relative_to(home))


class _Tube:
    """A file to write into that gives back what was written: zipfile needs no seeking to write a stream."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Nothing to close."""

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


def stream_zip(home: Path) -> Iterator[bytes]:
    """The loot as a zip, made while it is sent: memory stays at about one chunk."""
    tube = _Tube()
    with zipfile.ZipFile(tube, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path, name in loot(home):
            try:
                with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as target:
                    while chunk := source.read(CHUNK):
                        target.write(chunk)
                        yield tube.take()
            except FileNotFoundError:
                continue  # the journal renames its staged files while we read
    yield tube.take()


def fold(text: str) -> str:
    """The text without accents: ë becomes e, ç becomes c."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def disguises(text: str) -> list[bytes]:
    """The byte strings to look for, all in ASCII lower case, since the search folds ASCII case.

    Plain and in upper case (UTF-8, composed and decomposed), without accents, UTF-16 both ways, Latin-1,
    base64 at its three offsets, hexadecimal, and all of it backwards. Raises ValueError for a text that is too
    short or too long.
    """
    text = " ".join(text.split())
    if not SHORTEST <= len(text) <= LONGEST:
        raise ValueError(f"between {SHORTEST} and {LONGEST} characters")
    spellings = {
        text,
        text.lower(),
        text.upper(),
        text.title(),
        fold(text),
        fold(text).lower(),
        fold(text).upper(),
    }
    plain = {unicodedata.normalize(form, word).encode() for word in spellings for form in ("NFC", "NFD")}
    wide = {word.encode(code) for word in spellings for code in ("utf-16-le", "utf-16-be")}
    narrow = {word.encode("latin-1") for word in spellings if max(map(ord, word)) < 256}
    hidden = {piece for word in plain for piece in (word.hex().encode(), *_base64_pieces(word))}
    everything = plain | wide | narrow | hidden
    everything |= {word[::-1] for word in everything}
    found = {word.lower() for word in plain} | {w.lower() for w in everything if len(w) >= SHORTEST_DISGUISE}
    return sorted(found)


def _base64_pieces(word: bytes) -> Iterator[bytes]:
    """What of `word` is certain in base64 wherever it begins in the encoded bytes (RFC 4648)."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + word).rstrip(b"=")
        first = -(-offset * 8 // 6)  # characters that also carry bits of what stands before
        whole = (
            (offset + len(word)) * 8 // 6
        )  # characters whose bits all belong to the word or to what is before
        yield encoded[first:whole]


@dataclass(frozen=True)
class Found:
    """What a search found: occurrences, files and bytes read, and whether the time was enough for all."""

    times: int
    where: tuple[str, ...]
    files: int
    size: int
    complete: bool

    @property
    def megabytes(self) -> float:
        return self.size / 1_000_000


def search(home: Path, text: str, *, limit_s: float = TIME_LIMIT_S) -> Found:
    """Look for `text` in every byte of the loot. Raises ValueError as `disguises` does.

    Reads in chunks that overlap by the longest disguise, so no occurrence is cut in two; ASCII case is folded,
    so that the case of hexadecimal and names does not matter (base64 may then match a little too much, never
    too little).
    """
    words = disguises(text)
    overlap = max(map(len, words)) - 1
    deadline = time.monotonic() + limit_s
    times = files = size = 0
    where: list[str] = []
    for path, name in loot(home):
        try:
            hits, read, finished = _count(path, words, overlap, deadline)
        except FileNotFoundError:
            continue
        times, files, size = times + hits, files + 1, size + read
        if hits:
            where.append(name)
        if not finished:
            return Found(times, tuple(where), files, size, complete=False)
    return Found(times, tuple(where), files, size, complete=True)


def _count(path: Path, words: list[bytes], overlap: int, deadline: float) -> tuple[int, int, bool]:
    """Places in a file where one of the words begins; bytes read; whether there was time for the whole file."""
    places: set[int] = set()
    position = 0
    kept = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            if time.monotonic() > deadline:
                return len(places), position, False
            window = kept + chunk.lower()
            start = position - len(kept)
            for word in words:
                at = window.find(word)
                while at >= 0:
                    places.add(start + at)
                    at = window.find(word, at + 1)
            position += len(chunk)
            kept = window[-overlap:] if overlap else b""
    return len(places), position, True
