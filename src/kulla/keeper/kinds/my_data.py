"""Kinds of records of my data: questions about looks, delays of looks by a court, corrections, settings, erasure.

What people wrote stands in these tables only sealed under their own data key.
"""

import sqlite3

from kulla.keeper.kinds.form import Body, Change, put, raw

SCHEMA = """
CREATE TABLE IF NOT EXISTS question (
    id BLOB PRIMARY KEY, look INTEGER NOT NULL, person BLOB NOT NULL, office BLOB, at INTEGER NOT NULL,
    due INTEGER NOT NULL, sealed BLOB NOT NULL, answered INTEGER, answered_by BLOB, answer BLOB) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS question_person ON question (person, at);
CREATE INDEX IF NOT EXISTS question_open ON question (due) WHERE answered IS NULL;
CREATE TABLE IF NOT EXISTS look_delay (
    id BLOB PRIMARY KEY, person BLOB NOT NULL, office BLOB NOT NULL, since INTEGER NOT NULL,
    until INTEGER NOT NULL, shown INTEGER NOT NULL, at INTEGER NOT NULL, told INTEGER,
    sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS look_delay_person ON look_delay (person);
CREATE INDEX IF NOT EXISTS look_delay_shown ON look_delay (shown) WHERE told IS NULL;
CREATE TABLE IF NOT EXISTS correction (
    id BLOB PRIMARY KEY, person BLOB NOT NULL, field TEXT NOT NULL, at INTEGER NOT NULL, sealed BLOB NOT NULL,
    kind TEXT NOT NULL, size INTEGER NOT NULL, chunks INTEGER NOT NULL, state TEXT NOT NULL, decided INTEGER,
    decided_by BLOB, reason BLOB) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS correction_person ON correction (person, at);
CREATE INDEX IF NOT EXISTS correction_open ON correction (at) WHERE state = 'open';
CREATE TABLE IF NOT EXISTS correction_chunk (
    id BLOB NOT NULL, number INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (id, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS my_settings (person BLOB PRIMARY KEY, at INTEGER NOT NULL, sealed BLOB NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erasure (
    id BLOB PRIMARY KEY, person BLOB NOT NULL, at INTEGER NOT NULL, sealed BLOB NOT NULL, state TEXT NOT NULL,
    decided INTEGER, decided_by BLOB, reason BLOB) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS erasure_person ON erasure (person, at);
"""


def _correction(db: sqlite3.Connection, body: Body) -> None:
    names = (raw(body["id"]), raw(body["person"]), body["field"], body["at"], body["sealed"])
    document = (body["kind"], body["size"], body["chunks"])
    db.execute(
        "INSERT OR REPLACE INTO correction VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', NULL, NULL, NULL)",
        (*names, *document),
    )


KINDS: dict[str, Change] = {
    "look_question": put(
        "INSERT OR IGNORE INTO question VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)",
        *("id", "look", "person", "office", "at", "due", "sealed"),
    ),
    "look_answer": put(
        "UPDATE question SET answered = ?, answered_by = ?, answer = ? WHERE id = ? AND answered IS NULL",
        *("at", "by", "sealed", "id"),
    ),
    "look_delay": put(
        "INSERT OR REPLACE INTO look_delay VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?)",
        *("id", "person", "office", "since", "until", "shown", "at", "sealed"),
    ),
    "look_delay_told": put("UPDATE look_delay SET told = ? WHERE id = ?", "at", "id"),
    "correction": _correction,
    "correction_chunk": put(
        "INSERT OR REPLACE INTO correction_chunk VALUES (?, ?, ?)", "id", "number", "sealed"
    ),
    "correction_decided": put(
        "UPDATE correction SET state = ?, decided = ?, decided_by = ?, reason = ? WHERE id = ?",
        *("state", "at", "by", "reason", "id"),
    ),
    "my_settings": put("INSERT OR REPLACE INTO my_settings VALUES (?, ?, ?)", "person", "at", "sealed"),
    "erasure_asked": put(
        "INSERT OR REPLACE INTO erasure VALUES (?, ?, ?, ?, 'open', NULL, NULL, NULL)",
        *("id", "person", "at", "sealed"),
    ),
    "erasure_decided": put(
        "UPDATE erasure SET state = ?, decided = ?, decided_by = ?, reason = ? WHERE id = ?",
        *("state", "at", "by", "reason", "id"),
    ),
}
