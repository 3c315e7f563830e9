"""Reading a file without ever holding it: each line is a row of named fields, or says what is wrong with it."""

import csv
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from kulla.keeper.errors import KeeperError
from kulla.keeper.importing.rows import BadLine, Row

MAX_LINE = 4000  # bytes
CHUNK = 1 << 20
_BOM = b"\xef\xbb\xbf"


class Source:
    """An opened file: what it is (size, digest, lines), and its rows."""

    def __init__(self, path: Path) -> None:
        """Read it once for its digest. Raises KeeperError when it cannot be read."""
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise KeeperError("The file cannot be read.") from error
        digest, self.size, self.lines = hashlib.sha256(), 0, 0
        last = b"\n"
        while chunk := self._file.read(CHUNK):
            digest.update(chunk)
            self.size += len(chunk)
            self.lines += chunk.count(b"\n")
            last = chunk[-1:]
        self.lines += last != b"\n"
        self.rows_expected = max(0, self.lines - 1)  # for progress: lines without the first
        self.digest = digest.digest()

    def rows(self, known: Sequence[str], any_of: Sequence[str]) -> Iterator[tuple[int, Row | BadLine]]:
        """(line number, row or what is wrong) of every line after the first, which names the columns.

        `known`: the columns there are; at least one of `any_of` must be among them. Raises KeeperError when the first
        line does not name columns, and at the end when the file is not the one whose digest was taken.
        """
        self._file.seek(0)
        digest = hashlib.sha256()
        names = self._head(self._line(digest), known, any_of)
        number = 1
        while line := self._line(digest):
            number += 1
            cut = line.rstrip(b"\r\n")
            if len(line) > MAX_LINE + 2:
                yield number, BadLine("The line is longer than 4,000 bytes.")
            elif cut.strip():
                yield number, _row(names, cut)
        if digest.digest() != self.digest:
            raise KeeperError("The file was changed while it was read: import it again.")

    def _line(self, digest: "hashlib._Hash") -> bytes:
        """The next line; of one that is too long, a piece that says so."""
        line = self._file.readline(MAX_LINE + 3)
        digest.update(line)
        if len(line) > MAX_LINE + 2:
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = self._file.readline(CHUNK)
                digest.update(rest)
        return line

    @staticmethod
    def _head(line: bytes, known: Sequence[str], any_of: Sequence[str]) -> list[str]:
        cells = cells_of(line.removeprefix(_BOM).rstrip(b"\r\n")) if len(line) <= MAX_LINE else []
        names = [] if isinstance(cells, BadLine) else [name.strip().lower() for name in cells]
        if not any(name in any_of for name in names):
            raise KeeperError(f"The first line must name the columns; it has none of: {', '.join(any_of)}.")
        strange = [str(place) for place, name in enumerate(names, 1) if name not in known]
        if strange:
            raise KeeperError(
                f"The first line must name the columns; not known at place {', '.join(strange)}. "
                f"There are: {', '.join(known)}."
            )
        if len(set(names)) < len(names):
            raise KeeperError("The first line names one of the columns twice.")
        return names

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()


def open_source(path: Path) -> Source:
    """A file to import. Raises KeeperError."""
    if path.is_dir():
        raise KeeperError("The file cannot be read: it is a folder.")
    return Source(Path(os.fspath(path)))


def cells_of(line: bytes) -> list[str] | BadLine:
    """One line is one row: a line break inside quotes is not supported, so that one bad quote spoils one line."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return BadLine("The line is not UTF-8.")
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        return BadLine("The line's quotes do not match.")


def _row(names: list[str], line: bytes) -> Row | BadLine:
    cells = cells_of(line)
    if isinstance(cells, BadLine):
        return cells
    if len(cells) != len(names):
        return BadLine(f"The line has {len(cells)} fields, the first line names {len(names)}.")
    return dict(zip(names, cells, strict=True))
