"""What waits to be sent, in a file of its own: outbox.sqlite3 beside keeper.json.

It is no part of the records: a message that waits is worth a few hours, and the same words stand in the person's
inbox, which is a record. Who it goes to and what it says is sealed under the person's key; the file alone tells that a
person (by the keeper's own id) was to be told something of a kind, by phone or e-mail, and when.

What was sent stays two days without its words, to measure how much one person or one address gets. A demo keeps the
words too, for the page that shows them.
"""

import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

WAITING, SENT, FAILED, LATE = "waiting", "sent", "failed", "late"
KEPT_MS = 2 * 24 * 3600 * 1000
SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id TEXT PRIMARY KEY, person BLOB NOT NULL, channel TEXT NOT NULL, kind TEXT NOT NULL, mark BLOB NOT NULL,
    at INTEGER NOT NULL, next INTEGER NOT NULL, until INTEGER NOT NULL, tries INTEGER NOT NULL,
    state TEXT NOT NULL, sealed BLOB) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS message_waiting ON message (channel, next) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS message_person ON message (person, at);
CREATE INDEX IF NOT EXISTS message_mark ON message (mark, at);
CREATE INDEX IF NOT EXISTS message_at ON message (at);
"""
_COLUMNS = "id, person, channel, kind, mark, at, next, until, tries, state, sealed"


@dataclass(frozen=True)
class Row:
    """One message to one address. `mark` stands for the address; times are milliseconds since 1970 UTC."""

    person: UUID
    channel: str
    kind: str
    mark: bytes
    at: int
    until: int
    sealed: bytes | None
    id: str = ""
    tries: int = 0
    state: str = WAITING


class Outbox:
    """The file. Safe to use from many threads."""

    def __init__(self, path: Path, *, keep_words: bool) -> None:
        """`keep_words`: whether what was sent keeps its (sealed) words."""
        self._keep_words = keep_words
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        path.chmod(0o600)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)

    def add(self, rows: list[Row]) -> None:
        """Put messages in; they are due at once."""
        values = [
            (uuid4().hex, row.person.bytes, row.channel, row.kind, row.mark, row.at, row.at, row.until, 0)
            for row in rows
        ]
        full = [(*value, WAITING, row.sealed) for value, row in zip(values, rows, strict=True)]
        with self._lock:
            self._db.executemany(
                f"INSERT INTO message ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                full,
            )

    def forget_person(self, person: UUID) -> None:
        """Nothing about this person stays."""
        with self._lock:
            self._db.execute("PRAGMA secure_delete = ON")
            self._db.execute("DELETE FROM message WHERE person = ?", (person.bytes,))
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def due(self, channel: str, now: int, limit: int = 50) -> list[Row]:
        """Messages to try now, the longest waiting first."""
        return self._rows(
            "channel = ? AND state = 'waiting' AND next <= ? ORDER BY next", channel, now, limit
        )

    def sent(self, message: str) -> None:
        """It went out."""
        self._settle(message, SENT)

    def lost(self, message: str, *, late: bool) -> None:
        """It is not tried again: its time is over (`late`), or it was refused for good or too often."""
        self._settle(message, LATE if late else FAILED)

    def again(self, message: str, at: int) -> None:
        """It is tried again later."""
        with self._lock:
            self._db.execute("UPDATE message SET tries = tries + 1, next = ? WHERE id = ?", (at, message))

    def count(self, where: str, *values: object) -> tuple[int, int]:
        """(how many, time of the oldest or 0) of the messages for which `where` (a fixed text) holds."""
        sql = f"SELECT count(*), min(at) FROM message WHERE {where}"  # noqa: S608
        with self._lock:
            count, oldest = self._db.execute(sql, values).fetchone()
        return count, oldest or 0

    def latest(self, where: str, *values: object) -> int:
        """The time of the newest message for which `where` (a fixed text) holds; 0 when there is none."""
        with self._lock:
            row = self._db.execute(f"SELECT max(at) FROM message WHERE {where}", values).fetchone()  # noqa: S608
        return int(row[0] or 0)

    def of_person(self, person: UUID, limit: int = 100) -> list[Row]:
        """Messages whose words are kept, newest first."""
        where = "person = ? AND sealed IS NOT NULL AND state != 'late' ORDER BY at DESC, id"
        return self._rows(where, person.bytes, limit)

    def forget(self, now: int) -> None:
        """Forget what went out, or did not, two days ago."""
        with self._lock:
            self._db.execute(
                "DELETE FROM message WHERE at < ? AND state != 'waiting' AND ?",
                (now - KEPT_MS, not self._keep_words),
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _settle(self, message: str, state: str) -> None:
        words = "sealed" if self._keep_words else "NULL"
        with self._lock:
            self._db.execute(
                f"UPDATE message SET tries = tries + 1, state = ?, sealed = {words} WHERE id = ?",  # noqa: S608
                (state, message),
            )

    def _rows(self, where: str, *values: object) -> list[Row]:
        sql = f"SELECT {_COLUMNS} FROM message WHERE {where} LIMIT ?"  # noqa: S608
        with self._lock:
            rows = self._db.execute(sql, values).fetchall()
        return [
            Row(UUID(bytes=row[1]), row[2], row[3], row[4], row[5], row[7], row[10], row[0], row[8], row[9])
            for row in rows
        ]
