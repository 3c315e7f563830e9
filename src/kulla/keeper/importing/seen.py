"""What has stood in this file already, kept on disk, so that a file of any length needs no more memory.

No personal value stands in it: people are named by their internal ids, identifiers by their marks. It goes with the
import.
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

GROUP = 500  # values in one question
_SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32768;
CREATE TABLE seen (person BLOB PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE pair (one BLOB, other BLOB, PRIMARY KEY (one, other)) WITHOUT ROWID;
CREATE TABLE fresh (mark BLOB PRIMARY KEY, person BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE later (line INTEGER NOT NULL, ward BLOB NOT NULL, guardian BLOB NOT NULL);
"""


class Seen:
    """Notes of one import."""

    def __init__(self, folder: Path) -> None:
        ours = f"import-{os.getpid()}-"
        for left in folder.glob("import-*"):  # by an import that was killed: one process has this home open
            if not left.name.startswith(ours):
                shutil.rmtree(left, ignore_errors=True)
        self._folder = tempfile.TemporaryDirectory(prefix=ours, dir=folder)
        self.path = Path(self._folder.name) / "seen.sqlite3"
        self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        self._db.executescript(_SCHEMA)

    def add(self, persons: Iterable[tuple[bytes, int]]) -> None:
        """These persons stood on these lines."""
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", persons)
        self._db.execute("COMMIT")

    def lines(self, persons: Sequence[bytes]) -> dict[bytes, int]:
        """On which line each of these persons stood, if any."""
        return dict(ask(self._db, "SELECT person, line FROM seen WHERE person IN", persons))

    def pair(self, one: bytes, other: bytes) -> bool:
        """Note two who stand on one line; whether they stood so before."""
        return self._db.execute("INSERT OR IGNORE INTO pair VALUES (?, ?)", (one, other)).rowcount == 0

    def has_pair(self, one: bytes, other: bytes) -> bool:
        """Whether two stood on one line."""
        found = self._db.execute("SELECT 1 FROM pair WHERE one = ? AND other = ?", (one, other))
        return found.fetchone() is not None

    def add_fresh(self, marks: Iterable[tuple[bytes, bytes]]) -> None:
        """In a dry run: whom these marks would belong to."""
        self._db.executemany("INSERT OR IGNORE INTO fresh VALUES (?, ?)", marks)

    def fresh(self, marks: Sequence[bytes]) -> dict[bytes, bytes]:
        """Whom these marks would belong to."""
        return dict(ask(self._db, "SELECT mark, person FROM fresh WHERE mark IN", marks))

    def add_later(self, families: Iterable[tuple[int, bytes, bytes]]) -> None:
        """(line, ward, mark of the guardian): to be tied once everyone is there."""
        self._db.executemany("INSERT INTO later VALUES (?, ?, ?)", families)

    def later(self) -> Iterator[tuple[int, bytes, bytes]]:
        """What `add_later` took, in order."""
        yield from self._db.execute("SELECT line, ward, guardian FROM later ORDER BY rowid")

    def missing(self, register: Path) -> Iterator[bytes]:
        """Persons of the register who did not stand in the file: neither the dead nor officials by name only."""
        db = sqlite3.connect(f"file:{register}?mode=ro", uri=True, isolation_level=None)
        try:
            db.execute("ATTACH ? AS noted", (str(self.path),))
            sql = (
                "SELECT id FROM person WHERE NOT EXISTS (SELECT 1 FROM noted.seen WHERE seen.person = person.id) "
                "AND NOT EXISTS (SELECT 1 FROM person_status AS s WHERE s.person = person.id AND s.status = 'dead') "
                "AND id NOT IN (SELECT person FROM identifier WHERE type = 'staff') ORDER BY id"
            )
            for (person,) in db.execute(sql):
                yield person
        finally:
            db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._db.close()
        self._folder.cleanup()


def ask(db: sqlite3.Connection, sql: str, values: Sequence[bytes]) -> Iterator[tuple[Any, Any]]:
    """The rows of `sql`, which ends in IN, for these values."""
    for start in range(0, len(values), GROUP):
        group = values[start : start + GROUP]
        yield from db.execute(f"{sql} ({', '.join('?' * len(group))})", group)
