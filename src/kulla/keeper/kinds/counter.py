"""Kinds of records of the counter: who was helped there, the PIN for it, and protected persons.

A visit is one person at one clerk's counter. Nothing personal stands in these tables unsealed.
"""

import sqlite3

from kulla.keeper.kinds.form import Body, Change, put, raw

SCHEMA = """
CREATE TABLE IF NOT EXISTS visit (
    id BLOB PRIMARY KEY, person BLOB NOT NULL, official BLOB NOT NULL, office BLOB NOT NULL, clerk_sid TEXT NOT NULL,
    what TEXT NOT NULL, at INTEGER NOT NULL, way TEXT, confirmed INTEGER, sid TEXT, until INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS visit_person ON visit (person, at);
CREATE INDEX IF NOT EXISTS visit_official ON visit (official, at);
CREATE INDEX IF NOT EXISTS visit_clerk_sid ON visit (clerk_sid);
CREATE INDEX IF NOT EXISTS visit_sid ON visit (sid) WHERE sid IS NOT NULL;
CREATE TABLE IF NOT EXISTS counter_pin (
    person BLOB PRIMARY KEY, sealed BLOB NOT NULL, at INTEGER NOT NULL, office BLOB,
    failures INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS protected (
    person BLOB PRIMARY KEY, contact BLOB NOT NULL, at INTEGER NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS protected_release (
    id BLOB PRIMARY KEY, person BLOB NOT NULL, official BLOB NOT NULL, office BLOB NOT NULL, purpose TEXT NOT NULL,
    by BLOB NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS protected_release_person ON protected_release (person, official, until);
"""


def _pin(db: sqlite3.Connection, body: Body) -> None:
    """A new PIN, and no failures. `office`: where it was set, None when the person did it alone."""
    values = (raw(body["person"]), body["sealed"], body["at"], raw(body["office"]))
    db.execute("INSERT OR REPLACE INTO counter_pin VALUES (?, ?, ?, ?, 0)", values)


KINDS: dict[str, Change] = {
    "visit": put(
        "INSERT OR IGNORE INTO visit VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, NULL)",
        *("id", "person", "official", "office", "clerk_sid", "what", "at"),
    ),
    "visit_confirmed": put(
        "UPDATE visit SET way = ?, confirmed = ?, sid = ?, until = ? WHERE id = ? AND confirmed IS NULL",
        *("way", "at", "sid", "until", "id"),
    ),
    "counter_pin": _pin,
    "counter_pin_wrong": put("UPDATE counter_pin SET failures = failures + 1 WHERE person = ?", "person"),
    "counter_pin_right": put("UPDATE counter_pin SET failures = 0 WHERE person = ?", "person"),
    "counter_pin_removed": put("DELETE FROM counter_pin WHERE person = ?", "person"),
    "protected": put(
        "INSERT OR REPLACE INTO protected VALUES (?, ?, ?, ?)", "person", "contact", "at", "sealed"
    ),
    "unprotected": put("DELETE FROM protected WHERE person = ?", "person"),
    "protected_release": put(
        "INSERT OR IGNORE INTO protected_release VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        *("id", "person", "official", "office", "purpose", "by", "at", "until"),
    ),
}
