"""What the journal says of every row: for each the highest rev, a hash of its columns and the entry that says so.

A scratch file of some 60 bytes a row. It is written in pieces, each with where the comparison stands, so that a run
that was broken off goes on there. A file that another Kulla, another journal or a power cut left is thrown away.
"""

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cbor2

from kulla.record import images, tables
from kulla.record.errors import RebuildError
from kulla.record.walking import Found

FORM = 1
_TABLES = (
    "CREATE TABLE standing (name TEXT PRIMARY KEY, value TEXT)",
    "CREATE TABLE expected (tbl INTEGER, key BLOB, rev INTEGER, idx INTEGER, hash BLOB, PRIMARY KEY (tbl, key))"
    " WITHOUT ROWID",
    "CREATE TABLE suspect (tbl INTEGER, key BLOB, PRIMARY KEY (tbl, key)) WITHOUT ROWID",
    "CREATE TABLE grave_seen (tbl INTEGER, key BLOB, PRIMARY KEY (tbl, key)) WITHOUT ROWID",
    "CREATE TABLE finding (sentence TEXT PRIMARY KEY) WITHOUT ROWID",
)
_PUT = (
    "INSERT INTO expected VALUES (?, ?, ?, ?, ?) ON CONFLICT (tbl, key) DO UPDATE SET rev = excluded.rev,"
    " idx = excluded.idx, hash = excluded.hash WHERE excluded.rev > rev"
)


def digest(columns: dict[str, Any] | None) -> bytes | None:
    """A short hash of canonical columns; None for a deleted row. Only a hint: whatever differs is looked at whole."""
    return None if columns is None else hashlib.sha256(cbor2.dumps(columns, canonical=True)).digest()[:16]


class Expected:
    """The scratch file. Changes count with `keep`."""

    def __init__(self, path: Path, origin: str) -> None:
        self.path = path
        shapes = images.shapes()
        self.numbers = {table: number for number, table in enumerate(sorted(shapes))}
        self.names = {number: table for table, number in self.numbers.items()}
        self._mark = self._fingerprint(origin)
        try:
            self._open()
            whole = self.get("mark") == self._mark
        except sqlite3.DatabaseError:
            whole = False
        if not whole:
            self._new()
        self.went_on = whole

    def _open(self) -> None:
        self.path.touch(mode=0o600)
        self._db = sqlite3.connect(self.path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("BEGIN")

    def _new(self) -> None:
        with contextlib.suppress(AttributeError, sqlite3.DatabaseError):
            self._db.close()
        self.remove()
        self._open()
        for statement in _TABLES:
            self._db.execute(statement)
        self.set("mark", self._mark)
        self.keep()

    @staticmethod
    def _fingerprint(origin: str) -> str:
        shapes = {
            t: [shape.model.schema_version, shape.columns] for t, shape in sorted(images.shapes().items())
        }
        return hashlib.sha256(json.dumps([FORM, origin, shapes]).encode()).hexdigest()

    def remove(self) -> None:
        """Throw the file away; the comparison is over."""
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file; what was kept stays in it."""
        self._db.close()

    def keep(self) -> None:
        """From here a run that is broken off goes on."""
        self._db.execute("COMMIT")
        self._db.execute("BEGIN")

    def get(self, name: str, default: str = "") -> str:
        """Where the comparison stands, by name."""
        row = self._db.execute("SELECT value FROM standing WHERE name = ?", [name]).fetchone()
        return row[0] if row else default

    def set(self, name: str, value: object) -> None:
        """Note it."""
        self._db.execute("INSERT OR REPLACE INTO standing VALUES (?, ?)", [name, str(value)])

    @property
    def position(self) -> int:
        """How many entries of the journal are in here."""
        return int(self.get("position", "0"))

    def take(self, found: Iterable[Found]) -> Iterator[str]:
        """Take entries in; a sentence for each row that this Kulla's tables cannot hold."""
        rows: list[tuple[int, bytes, int, int, bytes | None]] = []
        for entry in found:
            for image in entry.payload.rows:
                try:
                    columns = None if image.columns is None else tables.current(image)
                    number = self.numbers[tables.known(image.table).table]
                except RebuildError as error:
                    yield f"Entry {entry.index} of the journal cannot be compared: {error}"
                    continue
                rows.append((number, image.key.bytes, image.rev, entry.index, digest(columns)))
        self._db.executemany(_PUT, rows)

    def range(self, table: int, after: bytes, upto: bytes | None) -> Iterator[tuple[bytes, bytes | None]]:
        """(key, hash) of a table's rows with after < key <= upto, in the order of keys."""
        end = b"\xff" * 17 if upto is None else upto
        yield from self._db.execute(
            "SELECT key, hash FROM expected WHERE tbl = ? AND key > ? AND key <= ? ORDER BY key",
            [table, after, end],
        )

    def of(self, table: int, key: bytes) -> tuple[int, int, bytes | None] | None:
        """(rev, index of the entry, hash) of one row; None when no entry has it."""
        row: tuple[int, int, bytes | None] | None = self._db.execute(
            "SELECT rev, idx, hash FROM expected WHERE tbl = ? AND key = ?", [table, key]
        ).fetchone()
        return row

    def count(self, table: int) -> int:
        """How many rows of a table should be there."""
        return int(
            self._db.execute(
                "SELECT count(*) FROM expected WHERE tbl = ? AND hash IS NOT NULL", [table]
            ).fetchone()[0]
        )

    def suspect(self, keys: Iterable[tuple[int, bytes]]) -> None:
        """These rows are looked at again."""
        self._db.executemany("INSERT OR IGNORE INTO suspect VALUES (?, ?)", keys)

    def suspect_all(self, table: int) -> None:
        """Every row that the journal has in this table is looked at again."""
        self._db.execute(
            "INSERT OR IGNORE INTO suspect SELECT tbl, key FROM expected WHERE tbl = ? AND hash IS NOT NULL",
            [table],
        )

    def suspects(self, limit: int) -> list[tuple[int, bytes]]:
        """Some that are not looked at yet."""
        return self._db.execute("SELECT tbl, key FROM suspect ORDER BY tbl, key LIMIT ?", [limit]).fetchall()

    def clear(self, keys: Iterable[tuple[int, bytes]]) -> None:
        """These were looked at."""
        self._db.executemany("DELETE FROM suspect WHERE tbl = ? AND key = ?", keys)

    def graves(self, seen: Iterable[tuple[int, bytes]]) -> None:
        """These graves stand."""
        self._db.executemany("INSERT OR IGNORE INTO grave_seen VALUES (?, ?)", seen)

    def suspect_missing_graves(self) -> None:
        """Rows that were deleted and have no grave are looked at again."""
        self._db.execute(
            "INSERT OR IGNORE INTO suspect SELECT tbl, key FROM expected e WHERE hash IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM grave_seen g WHERE g.tbl = e.tbl AND g.key = e.key)"
        )

    def find(self, sentence: str) -> bool:
        """Note a difference; False when it was noted already."""
        return bool(self._db.execute("INSERT OR IGNORE INTO finding VALUES (?)", [sentence]).rowcount)

    def findings(self) -> Iterator[str]:
        """What a broken-off run had found already."""
        for (sentence,) in self._db.execute("SELECT sentence FROM finding ORDER BY sentence"):
            yield sentence
