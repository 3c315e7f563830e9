"""The register: an SQLite index derived from the records. Deleting it loses nothing; it is made anew.

Personal values stand here only sealed; identifiers only as HMAC marks; so this file alone gives no names.
Tables without a record behind them (`pseudonym`, `ended_here`) can be derived again or are marked so.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from kulla.keeper.errors import DiskFull, RecordsBroken
from kulla.keeper.records import Record, Sealer

log = logging.getLogger("kulla.keeper")
SCHEMA_VERSION = 2  # raised when a table changes: the register is then derived anew from the records
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS system_key (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS data_key (
    id BLOB PRIMARY KEY, person BLOB NOT NULL, retention TEXT NOT NULL, year INTEGER NOT NULL,
    wrapped BLOB NOT NULL, commitment BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS data_key_person ON data_key (person, retention);
CREATE TABLE IF NOT EXISTS person (id BLOB PRIMARY KEY, profile BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identifier (
    mark BLOB PRIMARY KEY, type TEXT NOT NULL, person BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS credential (
    person BLOB NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (person, kind, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS official (
    person BLOB PRIMARY KEY, role TEXT NOT NULL, office BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS office (id BLOB PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS guardianship (
    guardian BLOB NOT NULL, ward BLOB NOT NULL, relation TEXT NOT NULL,
    PRIMARY KEY (guardian, ward)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS guardianship_ward ON guardianship (ward);
CREATE TABLE IF NOT EXISTS session (
    sid TEXT PRIMARY KEY, person BLOB NOT NULL, role TEXT NOT NULL, office BLOB, language TEXT NOT NULL,
    started INTEGER NOT NULL, ended INTEGER, origin BLOB NOT NULL, network_mark BLOB NOT NULL,
    step INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS session_person ON session (person, started);
CREATE INDEX IF NOT EXISTS session_ended ON session (ended) WHERE ended IS NOT NULL;
CREATE TABLE IF NOT EXISTS access_grant (
    ref BLOB NOT NULL, person BLOB NOT NULL, service TEXT NOT NULL, office BLOB NOT NULL, day TEXT NOT NULL,
    at INTEGER NOT NULL, late INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (ref, person, service, office)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS access_grant_person ON access_grant (person, office, day);
CREATE INDEX IF NOT EXISTS access_grant_late ON access_grant (at) WHERE late;
CREATE TABLE IF NOT EXISTS notice (
    entry BLOB NOT NULL, template TEXT NOT NULL, person BLOB NOT NULL, at INTEGER NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (entry, template)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS notice_person ON notice (person, at);
CREATE INDEX IF NOT EXISTS notice_at ON notice (at);
CREATE TABLE IF NOT EXISTS portal_key (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pseudonym (
    pseudonym BLOB PRIMARY KEY, service TEXT NOT NULL, person BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS passed_over (seq INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS ended_here (sid TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
"""

Body = dict[str, Any]
Row = tuple[Any, ...]


def _raw(value: UUID | None) -> bytes | None:
    return None if value is None else value.bytes


def _put(sql: str, *names: str) -> Callable[[sqlite3.Connection, Body], None]:
    """A change that fills one statement with these fields of the body."""

    def apply(db: sqlite3.Connection, body: Body) -> None:
        db.execute(sql, [_raw(v) if isinstance(v := body[name], UUID) else v for name in names])

    return apply


def _person(db: sqlite3.Connection, body: Body) -> None:
    db.execute("INSERT OR REPLACE INTO person VALUES (?, ?)", (_raw(body["person"]), body["profile"]))
    for kind, mark in body["identifiers"]:
        db.execute("INSERT OR REPLACE INTO identifier VALUES (?, ?, ?)", (mark, kind, _raw(body["person"])))


def _grant(db: sqlite3.Connection, body: Body) -> None:
    """`service`, `at` and `late` came later: records without them were made by the first keepers."""
    names = (_raw(body["ref"]), _raw(body["person"]), body.get("service", ""), _raw(body["office"]))
    values = (body["day"], body.get("at", 0), bool(body.get("late")))
    db.execute("INSERT OR REPLACE INTO access_grant VALUES (?, ?, ?, ?, ?, ?, ?, 0)", (*names, *values))


def _grant_revoked(db: sqlite3.Connection, body: Body) -> None:
    """The row stays: it still counts under the day's ceilings, and the same grant is not made again."""
    sql, names = "UPDATE access_grant SET revoked = 1 WHERE ref = ?", [_raw(body["ref"])]
    if "office" in body:
        sql += " AND person = ? AND service = ? AND office = ?"
        names += [_raw(body["person"]), body["service"], _raw(body["office"])]
    db.execute(sql, names)


# The kinds of records. A kind is never reused for another meaning; new fields are optional. An unknown kind means
# that a newer keeper wrote it, perhaps to take something away: this one refuses to serve. A record of a known kind
# that lacks something changes nothing and is passed over, with an alarm: one bad record must not end the keeper.
# Room is left in `credential` for further kinds.
KINDS: dict[str, Callable[[sqlite3.Connection, Body], None]] = {
    "system_key": _put("INSERT OR REPLACE INTO system_key VALUES (?, ?)", "name", "wrapped"),
    "data_key": _put(
        "INSERT OR REPLACE INTO data_key VALUES (?, ?, ?, ?, ?, ?)",
        *("id", "person", "retention", "year", "wrapped", "commitment"),
    ),
    "person": _person,
    "credential": _put(
        "INSERT OR REPLACE INTO credential VALUES (?, ?, ?, ?)", "person", "kind", "name", "sealed"
    ),
    "official": _put("INSERT OR REPLACE INTO official VALUES (?, ?, ?)", "person", "role", "office"),
    "office": _put("INSERT OR REPLACE INTO office VALUES (?, ?)", "office", "name"),
    "guardian": _put("INSERT OR REPLACE INTO guardianship VALUES (?, ?, ?)", "guardian", "ward", "relation"),
    "guardian_ended": _put("DELETE FROM guardianship WHERE guardian = ? AND ward = ?", "guardian", "ward"),
    "session": _put(
        "INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?, ?)",
        *("sid", "person", "role", "office", "language", "started", "origin", "network_mark", "step"),
    ),
    "session_ended": _put("UPDATE session SET ended = ? WHERE sid = ? AND ended IS NULL", "at", "sid"),
    "grant": _grant,
    "grant_revoked": _grant_revoked,
    "notice": _put(
        "INSERT OR REPLACE INTO notice VALUES (?, ?, ?, ?, ?)", "entry", "template", "person", "at", "sealed"
    ),
    "settings": _put("INSERT OR REPLACE INTO meta VALUES ('settings', ?)", "settings"),
    "portal_key": _put("INSERT OR REPLACE INTO portal_key VALUES (?, ?)", "name", "wrapped"),
}


_BAD_VALUES = (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError, sqlite3.DataError)
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
            db.execute("BEGIN IMMEDIATE")
            try:
                for record, body in zip(records, bodies, strict=True):
                    if self._one(db, record, body):
                        applied.append(body)
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
