"""One pass over the journal: which acts are to be answered, which rows they touched, and who touched these later.

Everything is kept in a scratch file, so memory stays flat; the journal is read as in a rebuild, every payload up to the
root. Entries that wait in the outbox are taken last. An act depends on nothing but what the journal says; what commits
meanwhile is found when its rows are locked (run.py).
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import cbor2
from django.db.models import ForeignKey

from kulla.journal.entry import Image, Payload
from kulla.record import images, tables
from kulla.record.errors import RebuildError
from kulla.record.models import Undone
from kulla.record.undoing.about import Act, Change

SELECTED, ANSWER, OTHER = 0, 1, 2
OPEN, ANSWERED, LEFT = 0, 1, 2
ANSWERS_TABLE = "record_undone"
_WAITING = 1 << 61

_TABLES = (
    # newest image of every row
    "CREATE TABLE newest (tbl TEXT, key BLOB, rev INTEGER, columns BLOB, schema INTEGER, PRIMARY KEY (tbl, key))"
    " WITHOUT ROWID",
    # place: the index, or beyond all of them for what waits in the outbox
    "CREATE TABLE act (uuid BLOB PRIMARY KEY, idx INTEGER, at INTEGER, kind TEXT, person BLOB, office BLOB, proof BLOB,"
    " state INTEGER DEFAULT 0, place INTEGER DEFAULT 0) WITHOUT ROWID",
    "CREATE INDEX act_place ON act (state, place, uuid)",
    "CREATE TABLE change (act BLOB, n INTEGER, tbl TEXT, key BLOB, rev INTEGER, before BLOB, after BLOB,"
    " PRIMARY KEY (act, n)) WITHOUT ROWID",
    "CREATE INDEX change_row ON change (tbl, key)",
    # who touched a row that an act touched, or made a row that names one that an act made
    "CREATE TABLE later (tbl TEXT, key BLOB, rev INTEGER, uuid BLOB, idx INTEGER, at INTEGER, kind TEXT, who INTEGER,"
    " PRIMARY KEY (tbl, key, rev, uuid)) WITHOUT ROWID",
)


@dataclass(frozen=True)
class Later:
    """An entry that touched a row after an act: it depends on the act."""

    uuid: UUID
    index: int | None
    at_ms: int
    kind: str
    table: str
    key: UUID


class Scratch:
    """What the pass finds."""

    def __init__(self, path: Path, selected: Callable[[Payload], bool]) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "temp_store = FILE"):
            self._db.execute(f"PRAGMA {pragma}")
        for statement in _TABLES:
            self._db.execute(statement)
        self._db.execute("BEGIN")
        self._selected = selected
        self._touched = 0
        self._references = _references()

    def close(self) -> None:
        """Forget everything."""
        self._db.close()

    # --- filling --------------------------------------------------------------------------------------------

    def add(self, payload: Payload, index: int | None) -> None:
        """Take the next entry."""
        ours = payload.actor == "job:undo"
        answers = [image for image in payload.rows if image.table == ANSWERS_TABLE and image.columns and ours]
        who = ANSWER if answers else SELECTED if self._selected(payload) else OTHER
        if who == SELECTED:
            self._act(payload, index)
        for image in answers:
            self._db.execute("INSERT OR IGNORE INTO act (uuid, state) VALUES (?, ?)",
                             [(image.columns or {})["entry"].bytes, ANSWERED])  # fmt: skip
            self._db.execute(
                "UPDATE act SET state = ? WHERE uuid = ?", [ANSWERED, (image.columns or {})["entry"].bytes]
            )
        for place, image in enumerate(payload.rows):
            if image.table == ANSWERS_TABLE:
                continue
            if who == SELECTED:
                self._change(payload.uuid, place, image)
            if self._touched:
                self._note(payload, index, image, who)
            self._newest(image)

    def _act(self, payload: Payload, index: int | None) -> None:
        person, office = (each.bytes if each else None for each in (payload.person, payload.office))
        proof = payload.actor if isinstance(payload.actor, bytes) else None
        self._db.execute(
            "INSERT INTO act (uuid, idx, at, kind, person, office, proof, place) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (uuid) DO UPDATE SET idx = excluded.idx, at = excluded.at, kind = excluded.kind",
            [
                *(payload.uuid.bytes, index, payload.at_ms, payload.kind, person, office, proof),
                _WAITING if index is None else index,
            ],
        )
        self._touched += len(payload.rows)

    def _change(self, act: UUID, place: int, image: Image) -> None:
        before = self._db.execute(
            "SELECT columns, schema FROM newest WHERE tbl = ? AND key = ?", [image.table, image.key.bytes]
        ).fetchone()
        was = (
            None if before is None or before[0] is None else cbor2.dumps([before[1], cbor2.loads(before[0])])
        )
        columns = None if image.columns is None else cbor2.dumps([image.schema, image.columns])
        self._db.execute(
            "INSERT OR REPLACE INTO change VALUES (?, ?, ?, ?, ?, ?, ?)",
            [act.bytes, place, image.table, image.key.bytes, image.rev, was, columns],
        )

    def _note(self, payload: Payload, index: int | None, image: Image, who: int) -> None:
        rows = [(image.table, image.key.bytes, image.rev)]
        if image.columns is not None and who != ANSWER:
            for column, target in self._references.get(image.table, ()):
                if isinstance(named := image.columns.get(column), UUID):
                    rows.append((target, named.bytes, -image.rev))  # not a change of that row: it leans on it
        for table, key, rev in rows:
            made = "" if rev > 0 else " AND before IS NULL"
            if self._db.execute(
                f"SELECT 1 FROM change WHERE tbl = ? AND key = ?{made} LIMIT 1",  # noqa: S608  (our own words)
                [table, key],
            ).fetchone():
                self._db.execute(
                    "INSERT OR IGNORE INTO later VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [table, key, rev, payload.uuid.bytes, index, payload.at_ms, payload.kind, who],
                )

    def _newest(self, image: Image) -> None:
        columns = None if image.columns is None else cbor2.dumps(image.columns)
        self._db.execute(
            "INSERT INTO newest VALUES (?, ?, ?, ?, ?) ON CONFLICT (tbl, key) DO UPDATE SET rev = excluded.rev,"
            " columns = excluded.columns, schema = excluded.schema WHERE excluded.rev > rev",
            [image.table, image.key.bytes, image.rev, columns, image.schema],
        )

    def finish(self) -> None:
        """The pass is over: acts that were answered by an answer still in the outbox are known from the tables."""
        for entry in Undone.objects.values_list("entry", flat=True).iterator(chunk_size=2000):
            self._db.execute("UPDATE act SET state = ? WHERE uuid = ?", [ANSWERED, entry.bytes])
        self._db.execute("DELETE FROM act WHERE kind IS NULL")  # answered in an earlier run for another actor

    # --- reading --------------------------------------------------------------------------------------------

    def count(self, state: int) -> int:
        """How many acts are in a state."""
        return int(self._db.execute("SELECT count(*) FROM act WHERE state = ?", [state]).fetchone()[0])

    def open_acts(self) -> Iterator[Act]:
        """Acts that nothing answers yet, newest first, one at a time."""
        at = (_WAITING + 1, b"")
        while row := self._db.execute(
            "SELECT place, uuid FROM act WHERE state = 0 AND (place, uuid) < (?, ?)"
            " ORDER BY place DESC, uuid DESC LIMIT 1",
            at,
        ).fetchone():
            at = row
            yield self._read(row[1])

    def _read(self, uuid: bytes) -> Act:
        index, at_ms, kind, person, office, proof = self._db.execute(
            "SELECT idx, at, kind, person, office, proof FROM act WHERE uuid = ?", [uuid]
        ).fetchone()
        changes = tuple(
            Change(
                table, UUID(bytes=key), rev, _current(table, key, rev, was), _current(table, key, rev, now)
            )
            for table, key, rev, was, now in self._db.execute(
                "SELECT tbl, key, rev, before, after FROM change WHERE act = ? ORDER BY n", [uuid]
            )
        )
        ids = [UUID(bytes=each) if each else None for each in (person, office)]
        return Act(UUID(bytes=uuid), index, at_ms, kind, ids[0], ids[1], proof, changes)

    def later(self, act: UUID, limit: int) -> tuple[list[Later], int]:
        """Entries that depend on an act and are not answered: the first `limit`, and how many there are."""
        found = (
            " FROM change c JOIN later l ON l.tbl = c.tbl AND l.key = c.key AND (l.rev > c.rev OR l.rev < 0)"
            " LEFT JOIN act a ON a.uuid = l.uuid"
            " WHERE c.act = ? AND l.uuid <> c.act AND l.who <> 1 AND (l.who = 2 OR coalesce(a.state, 0) <> 1)"
            " AND (l.rev > 0 OR c.before IS NULL)"
        )
        rows = self._db.execute(
            f"SELECT l.uuid, l.idx, l.at, l.kind, l.tbl, l.key{found} GROUP BY l.uuid ORDER BY l.idx LIMIT ?",
            [act.bytes, limit],
        ).fetchall()
        total = self._db.execute(f"SELECT count(DISTINCT l.uuid){found}", [act.bytes]).fetchone()[0]
        return [Later(UUID(bytes=u), i, at, k, t, UUID(bytes=key)) for u, i, at, k, t, key in rows], int(
            total
        )

    def rev(self, table: str, key: UUID) -> int:
        """The newest rev of a row that the pass has seen, or that an answer of this run has made."""
        row = self._db.execute(
            "SELECT rev FROM newest WHERE tbl = ? AND key = ?", [table, key.bytes]
        ).fetchone()
        return int(row[0]) if row else 0

    def became(self, table: str, key: UUID, rev: int) -> None:
        """An answer of this run has brought a row to this rev."""
        self._db.execute("UPDATE newest SET rev = ? WHERE tbl = ? AND key = ?", [rev, table, key.bytes])

    def mark(self, act: UUID, state: int) -> None:
        """Note what became of an act."""
        self._db.execute("UPDATE act SET state = ? WHERE uuid = ?", [state, act.bytes])


def _current(table: str, key: bytes, rev: int, stored: bytes | None) -> dict[str, object] | None:
    """Columns as this Kulla's tables have them; as they were written when this Kulla cannot bring them up."""
    if stored is None:
        return None
    schema, columns = cbor2.loads(stored)
    try:
        return tables.current(Image(table, UUID(bytes=key), rev, columns, schema))
    except RebuildError:
        return dict(columns)


def _references() -> dict[str, list[tuple[str, str]]]:
    """table -> (column, kept table that it names)."""
    known = images.shapes()
    found: dict[str, list[tuple[str, str]]] = {}
    for table, shape in known.items():
        for field in shape.model._meta.concrete_fields:
            if isinstance(field, ForeignKey) and field.related_model._meta.db_table in known:
                found.setdefault(table, []).append((str(field.column), field.related_model._meta.db_table))
    return found
