"""The register: an SQLite index derived from the records. Deleting it loses nothing; it is made anew.

Personal values stand here only sealed; identifiers only as HMAC marks; so this file alone gives no names.
Tables without a record behind them (`pseudonym`, `ended_here`) can be derived again or are marked so.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from kulla.keeper.errors import DiskFull, RecordsBroken
from kulla.keeper.kinds import KINDS, SCHEMA, Body
from kulla.keeper.kinds.form import Put
from kulla.keeper.records import Record, Sealer

log = logging.getLogger("kulla.keeper")
SCHEMA_VERSION = 3  # raised when a table changes: the register is then derived anew from the records
COMPACTED = 512 << 20  # bytes; larger files are not written anew when rows go for good
Row = tuple[Any, ...]
T = TypeVar("T")


_BAD_VALUES = (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError, sqlite3.DataError)


def _kind(pair: tuple[Record, Body]) -> str:
    return str(pair[1].get("type", ""))


_NOT_APPLICABLE = (KeyError, TypeError, ValueError, OverflowError, *_BAD_VALUES)


class Register:
    """Reads for many threads; changes only through `apply`, by the committer."""

    def __init__(self, path: Path, sealer: Sealer) -> None:
        self._path = path
        self._sealer = sealer
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._writing = threading.Lock()
        with self._writing:
            db = self._db()
            db.execute("PRAGMA journal_mode = WAL")
            self._drop_old(db)
            db.executescript(SCHEMA + f"PRAGMA user_version = {SCHEMA_VERSION};")
        self.on_change: list[Callable[[Body], None]] = []

    @staticmethod
    def _drop_old(db: sqlite3.Connection) -> None:
        """Tables of another version go; only `ended_here` has nothing behind it that could bring it back."""
        if db.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
            names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for name in names:
                if name != "ended_here":
                    db.execute(f"DROP TABLE {name}")  # names from our own schema

    @property
    def path(self) -> Path:
        """Where the index lies."""
        return self._path

    @property
    def applied(self) -> tuple[int, bytes]:
        """(number, hash) of the last record that is in here."""
        found: dict[str, Any] = dict(self.rows("SELECT name, value FROM meta"))
        return found.get("applied", 0), found.get("applied_hash", b"")

    def apply(self, records: list[Record], bodies: list[Body] | None) -> None:
        """Put records in, in one transaction. Raises RecordsBroken for a kind that is not known, DiskFull.

        Records that lack something are passed over and stay in `passed_over`.
        """
        bodies = bodies if bodies is not None else [self._sealer.open(record) for record in records]
        applied: list[Body] = []
        with self._writing:
            db = self._db()
            if not getattr(self._local, "writes", False):
                # One thread writes: its pages may take room, and are carried into the file in larger portions.
                self._local.writes = True
                db.execute("PRAGMA cache_size = -65536")  # KiB
                db.execute("PRAGMA wal_autocheckpoint = 8192")  # pages
            db.execute("BEGIN IMMEDIATE")
            try:
                for kind, group in groupby(zip(records, bodies, strict=True), _kind):
                    pairs = list(group)
                    if self._many(db, kind, pairs):
                        applied += [body for _, body in pairs]
                    else:
                        applied += [body for record, body in pairs if self._one(db, record, body)]
                db.execute("INSERT OR REPLACE INTO meta VALUES ('applied', ?)", (records[-1].seq,))
                db.execute("INSERT OR REPLACE INTO meta VALUES ('applied_hash', ?)", (records[-1].hash,))
                db.execute("COMMIT")
            except BaseException as error:
                if db.in_transaction:  # a full disk has rolled back by itself
                    db.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise DiskFull("The register cannot be written: the disk is full or fails.") from error
                raise
        for body in applied:
            for tell in self.on_change:
                tell(body)

    @staticmethod
    def _many(db: sqlite3.Connection, kind: str, pairs: list[tuple[Record, Body]]) -> bool:
        """Whether a row of records of one kind could be applied at once; else nothing of it was."""
        change = KINDS.get(kind)
        if len(pairs) < 8 or not isinstance(change, Put):
            return False
        db.execute("SAVEPOINT many")
        try:
            db.executemany(change.sql, [change.row(body) for _, body in pairs])
        except _NOT_APPLICABLE:
            db.execute("ROLLBACK TO many")
            db.execute("RELEASE many")
            return False
        db.execute("RELEASE many")
        return True

    @staticmethod
    def _one(db: sqlite3.Connection, record: Record, body: Body) -> bool:
        """Whether the record could be applied."""
        change = KINDS.get(body.get("type", ""))
        if change is None:
            raise RecordsBroken(f"Record {record.seq} is of a kind that this keeper does not know.")
        db.execute("SAVEPOINT record")
        try:
            change(db, body)
        except _NOT_APPLICABLE:  # a failing disk is an OperationalError and not among them
            db.execute("ROLLBACK TO record")
            db.execute("INSERT OR REPLACE INTO passed_over VALUES (?)", (record.seq,))
            log.error("ALARM: record %d lacks something and was passed over", record.seq)
            db.execute("RELEASE record")
            return False
        db.execute("RELEASE record")
        return True

    @property
    def passed_over(self) -> list[int]:
        """Numbers of records that were not understood."""
        return [seq for (seq,) in self.rows("SELECT seq FROM passed_over ORDER BY seq")]

    def one(self, sql: str, *values: object) -> Row | None:
        """The first row."""
        row: Row | None = self._db().execute(sql, values).fetchone()
        return row

    def rows(self, sql: str, *values: object) -> list[Row]:
        """All rows."""
        return self._db().execute(sql, values).fetchall()

    def inside(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """What `read` gives from this thread's connection; it changes nothing."""
        return read(self._db())

    def forget(self, delete: Callable[[sqlite3.Connection], int]) -> None:
        """Rows go for good: `delete` in one transaction (it gives how many), then the file is written anew.

        Above 512 MiB, where that would take minutes in which nothing changes, their places are overwritten with zeros
        (SQLite's secure_delete) and the file stays. Raises DiskFull.
        """
        with self._writing:
            db = self._db()
            try:
                db.execute("PRAGMA secure_delete = ON")
                db.execute("BEGIN IMMEDIATE")
                gone = delete(db)
                db.execute("COMMIT")
            except sqlite3.OperationalError as error:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise DiskFull("The register cannot be written: the disk is full or fails.") from error
            try:
                if gone and self._path.stat().st_size <= COMPACTED:
                    db.execute("VACUUM")
                if gone:
                    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.OperationalError:
                log.exception(
                    "ALARM: the register was not written anew after rows went: delete it and restart"
                )

    def note(self, sql: str, rows: Iterable[Row]) -> None:
        """Write to a table that no record stands behind (`pseudonym`, `ended_here`). Raises DiskFull."""
        with self._writing:
            db = self._db()
            try:
                db.execute("BEGIN IMMEDIATE")
                db.executemany(sql, rows)
                db.execute("COMMIT")
            except sqlite3.OperationalError as error:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise DiskFull("The register cannot be written: the disk is full or fails.") from error

    def clear(self) -> None:
        """Forget everything, to be derived anew."""
        with self._writing:
            db = self._db()
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            db.execute("BEGIN IMMEDIATE")
            for name in tables:
                db.execute(f"DELETE FROM {name}")  # noqa: S608 - names from our own schema
            db.execute("COMMIT")
            try:
                db.execute("VACUUM")  # quick now; what was erased must not stand in pages that are free
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.OperationalError:
                log.warning("the register's old pages stay in its file until they are used again")

    def close_thread(self) -> None:
        """Close this thread's connection (a served connection ends with its thread)."""
        db = getattr(self._local, "db", None)
        if db is not None:
            self._local.db = None
            self._all.remove(db)
            db.close()

    def close(self) -> None:
        """Close every connection; no thread may use the register any more."""
        for db in self._all:
            db.close()
        self._all.clear()

    def _db(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=10)
            # NORMAL: a crash may lose the last transactions, never the order; the records bring them back.
            db.execute("PRAGMA synchronous = NORMAL")
            self._local.db = db
            self._all.append(db)
        return db
