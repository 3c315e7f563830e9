"""Kinds of records of the register of people beyond the spine's "person", and the tables that they fill.

`people` packs many new persons, each sealed under a data key of its own; the keys are records by themselves, so that
one can be destroyed. An identifier that stands never moves to another person, whatever a record says.
"""

import sqlite3

from kulla.keeper.kinds.form import Body, Change, put, raw

SCHEMA = """
CREATE TABLE IF NOT EXISTS person_status (
    person BLOB PRIMARY KEY, status TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS services_key_made (person BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS register_cursor (
    register TEXT PRIMARY KEY, cursor INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS import_done (
    signer TEXT NOT NULL, file TEXT NOT NULL, made INTEGER NOT NULL, digest BLOB NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (signer, file)) WITHOUT ROWID;
"""


def _people(db: sqlite3.Connection, body: Body) -> None:
    persons = [(raw(person), profile) for person, profile, _ in body["people"]]
    marks = [
        (mark, kind, raw(person)) for person, _, identifiers in body["people"] for kind, mark in identifiers
    ]
    db.executemany("INSERT OR REPLACE INTO person VALUES (?, ?)", persons)
    db.executemany("INSERT OR IGNORE INTO identifier VALUES (?, ?, ?)", marks)


KINDS: dict[str, Change] = {
    "people": _people,
    "profile": put("UPDATE person SET profile = ? WHERE id = ?", "profile", "person"),
    "identifier_added": put("INSERT INTO identifier VALUES (?, ?, ?)", "mark", "identifier", "person"),
    "identifier_removed": put("DELETE FROM identifier WHERE mark = ? AND person = ?", "mark", "person"),
    "person_died": put("INSERT OR REPLACE INTO person_status VALUES (?, 'dead', ?)", "person", "at"),
    "person_lives": put("DELETE FROM person_status WHERE person = ?", "person"),
    "services_key_made": put("INSERT OR IGNORE INTO services_key_made VALUES (?)", "person"),
    "register_cursor": put(
        "INSERT OR REPLACE INTO register_cursor VALUES (?, ?, ?)", "register", "cursor", "at"
    ),
    "import_done": put(
        "INSERT OR REPLACE INTO import_done VALUES (?, ?, ?, ?, ?)", "signer", "file", "made", "digest", "at"
    ),
}
