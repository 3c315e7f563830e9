"""Filling empty tables from images, fast: COPY and executemany, no ORM.

Every image goes into a staging table beside its kept table; at the end one statement moves the row with the highest
rev of each key, or notes a grave. So the order of entries does not matter, and memory stays flat.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from kulla.journal.entry import Image
from kulla.record import tables
from kulla.record.errors import RebuildError
from kulla.record.images import Shape
from kulla.record.kinds import service_of
from kulla.record.walking import Found, Odd

_FLUSH_ROWS = 5_000
_ENTRY_COLUMNS = "uuid, idx, size, at_ms, kind, service, person, office, leaf_hash, claims"


class Loader:
    """Loads one journal into empty tables. Call inside a transaction, triggers dropped: add()…, then finish()."""

    def __init__(self, cursor: CursorWrapper, size: int, odd: Odd | None = None) -> None:
        """odd: takes rows that this Kulla's tables cannot hold; without it they end the load."""
        self.cursor = cursor
        self.size = size
        self.odd = odd
        self._tables: dict[str, _Table] = {}
        self._entries = self._buffer("record_entry", _ENTRY_COLUMNS)
        self._postgres = connection.vendor == "postgresql"
        if self._postgres:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    def _buffer(self, table: str, columns: str) -> "_Buffer":
        kind = _CopyBuffer if connection.vendor == "postgresql" else _SqliteBuffer
        return kind(self.cursor, table, columns)

    def add(self, found: Iterable[Found]) -> None:
        """Take entries in. Raises RebuildError for a row that this Kulla's tables cannot hold."""
        convert_uuid = str if self._postgres else _hex
        for entry in found:
            payload = entry.payload
            for image in payload.rows:
                try:
                    table = self._tables.get(image.table)
                    if table is None:
                        table = self._tables[image.table] = self._stage(image)
                    table.add(image)
                except RebuildError as error:
                    if self.odd is None:
                        raise
                    self.odd(entry.index, str(error))
            self._entries.add(
                [
                    *(convert_uuid(payload.uuid), entry.index, self.size, payload.at_ms, payload.kind),
                    service_of(payload.kind),
                    convert_uuid(payload.person) if payload.person else None,
                    convert_uuid(payload.office) if payload.office else None,
                    *(self._bytes(entry.leaf_hash), self._bytes(payload.claims)),
                ]
            )

    def _bytes(self, value: bytes) -> Any:
        return "\\\\x" + value.hex() if self._postgres else value

    def _stage(self, image: Image) -> "_Table":
        shape = tables.known(image.table)
        self.cursor.execute(
            f'CREATE TEMP TABLE "kulla_load_{shape.table}" AS SELECT 0 AS gone, t.* FROM "{shape.table}" t WHERE false'  # noqa: S608
        )
        names = ", ".join(f'"{name}"' for name in shape.columns)
        return _Table(shape, self._buffer(f"kulla_load_{shape.table}", f"gone, {names}"), self._postgres)

    def finish(self) -> dict[str, int]:
        """Move the newest row of each key into its table; table -> rows, for every table that has any."""
        self._entries.flush()
        counts = {}
        for table in self._tables.values():
            table.buffer.flush()
            counts[table.shape.table] = self._move(table.shape)
        return counts

    def _move(self, shape: Shape) -> int:
        names = ", ".join(f'"{name}"' for name in shape.columns)
        staged = f"kulla_load_{shape.table}"
        if self._postgres:
            newest = f'SELECT DISTINCT ON (id) * FROM "{staged}" ORDER BY id, rev DESC'  # noqa: S608
        else:  # SQLite gives the other columns from the row of the maximum
            newest = f'SELECT *, max(rev) FROM "{staged}" GROUP BY id'  # noqa: S608
        self.cursor.execute(
            f'INSERT INTO "{shape.table}" ({names}) SELECT {names} FROM ({newest}) AS n WHERE gone = 0'  # noqa: S608
        )
        count = self.cursor.rowcount
        self.cursor.execute(
            f"INSERT INTO record_grave (key, table_name, rev) SELECT id, '{shape.table}', rev FROM ({newest}) AS n"  # noqa: S608
            " WHERE gone = 1"
        )
        self.cursor.execute(f'DROP TABLE "{staged}"')
        return int(count)


def _hex(value: Any) -> str:
    return str(value.hex)


class _Table:
    """One kept table on its way in."""

    def __init__(self, shape: Shape, buffer: "_Buffer", postgres: bool) -> None:
        self.shape, self.buffer = shape, buffer
        self._columns = tables.converters(shape, tables.COPY if postgres else tables.SQLITE)
        self._uuid = str if postgres else _hex

    def add(self, image: Image) -> None:
        if image.columns is None:
            row = {"id": self._uuid(image.key), "rev": image.rev}
            self.buffer.add([1, *(row.get(name) for name, _ in self._columns)])
            return
        columns = tables.current(image)
        values: list[Any] = [0]
        for name, convert in self._columns:
            value = columns[name]
            values.append(None if value is None else convert(value))
        self.buffer.add(values)


class _Buffer:
    """Rows on their way into one table."""

    def __init__(self, cursor: CursorWrapper, table: str, columns: str) -> None:
        self.cursor, self.table, self.columns = cursor, table, columns
        self.rows: list[Any] = []

    def add(self, values: list[Any]) -> None:
        """Take one row, its values already converted for this engine."""
        raise NotImplementedError

    def flush(self) -> None:
        """Send what was taken."""
        raise NotImplementedError


class _CopyBuffer(_Buffer):
    """PostgreSQL: lines of COPY text."""

    def add(self, values: list[Any]) -> None:
        self.rows.append("\t".join(["\\N" if value is None else str(value) for value in values]))
        if len(self.rows) >= _FLUSH_ROWS:
            self.flush()

    def flush(self) -> None:
        if not self.rows:
            return
        raw = connection.connection.cursor()
        with raw, raw.copy(f'COPY "{self.table}" ({self.columns}) FROM STDIN') as copy:
            copy.write("\n".join(self.rows) + "\n")
        self.rows = []


class _SqliteBuffer(_Buffer):
    """SQLite: executemany."""

    def add(self, values: list[Any]) -> None:
        self.rows.append(values)
        if len(self.rows) >= _FLUSH_ROWS:
            self.flush()

    def flush(self) -> None:
        if not self.rows:
            return
        marks = ", ".join("?" * len(self.rows[0]))
        # the driver's own cursor: Django's would rewrite the marks of every row
        connection.connection.cursor().executemany(
            f'INSERT INTO "{self.table}" ({self.columns}) VALUES ({marks})',  # noqa: S608
            self.rows,
        )
        self.rows = []
