"""Kinds of records of the spine: keys, persons, credentials, sessions, grants, notices."""

import sqlite3
from uuid import UUID

from kulla.keeper.kinds.form import Body, Change, put, raw

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
    at INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (person, kind, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (
    sid TEXT PRIMARY KEY, person BLOB NOT NULL, role TEXT NOT NULL, office BLOB, language TEXT NOT NULL,
    started INTEGER NOT NULL, ended INTEGER, origin BLOB NOT NULL, network_mark BLOB NOT NULL,
    step INTEGER NOT NULL, short INTEGER NOT NULL, assisted BLOB, helper BLOB,
    factor TEXT NOT NULL, device_mark BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS session_person ON session (person, started);
CREATE INDEX IF NOT EXISTS session_ended ON session (ended) WHERE ended IS NOT NULL;
CREATE TABLE IF NOT EXISTS access_grant (
    ref BLOB NOT NULL, person BLOB NOT NULL, service TEXT NOT NULL, office BLOB NOT NULL, day TEXT NOT NULL,
    at INTEGER NOT NULL, late INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0,
    by_office INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (ref, person, service, office)) WITHOUT ROWID;
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


def _person(db: sqlite3.Connection, body: Body) -> None:
    db.execute("INSERT OR REPLACE INTO person VALUES (?, ?)", (raw(body["person"]), body["profile"]))
    for kind, mark in body["identifiers"]:
        db.execute("INSERT OR REPLACE INTO identifier VALUES (?, ?, ?)", (mark, kind, raw(body["person"])))
    # These records always came with a data key for services: where there is none it was destroyed (see vault.py).
    db.execute("INSERT OR IGNORE INTO services_key_made VALUES (?)", (raw(body["person"]),))


def _grant(db: sqlite3.Connection, body: Body) -> None:
    """`service`, `at`, `late` and `by_office` came later: records without them were made by the first keepers."""
    names = (raw(body["ref"]), raw(body["person"]), body.get("service", ""), raw(body["office"]))
    values = (body["day"], body.get("at", 0), bool(body.get("late")), bool(body.get("by_office")))
    db.execute("INSERT OR REPLACE INTO access_grant VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)", (*names, *values))


def _grant_revoked(db: sqlite3.Connection, body: Body) -> None:
    """The row stays: it still counts under the day's ceilings, and the same grant is not made again."""
    sql, names = "UPDATE access_grant SET revoked = 1 WHERE ref = ?", [raw(body["ref"])]
    if "office" in body:
        sql += " AND person = ? AND service = ? AND office = ?"
        names += [raw(body["person"]), body["service"], raw(body["office"])]
    db.execute(sql, names)


def _session(db: sqlite3.Connection, body: Body) -> None:
    """What `get` asks for came later."""
    names = ("sid", "person", "role", "office", "language", "started")
    values = [raw(v) if isinstance(v := body[name], UUID) else v for name in names]
    values += [body["origin"], body["network_mark"], body["step"], bool(body.get("short"))]
    values += [raw(body.get("assisted")), raw(body.get("helper"))]
    values += [body.get("factor", ""), body.get("device_mark", b"")]
    db.execute(
        "INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?, ?, ?, ?, ?)", values
    )
    if "passkey" in body:
        mark, counter = body["passkey"]
        db.execute(
            "UPDATE passkey SET counter = ?, used = ? WHERE mark = ?", (counter, body["started"], mark)
        )


def _credential(db: sqlite3.Connection, body: Body) -> None:
    """`at` came later."""
    values = (raw(body["person"]), body["kind"], body["name"], body["sealed"], body.get("at", 0))
    db.execute("INSERT OR REPLACE INTO credential VALUES (?, ?, ?, ?, ?)", values)


KINDS: dict[str, Change] = {
    "system_key": put("INSERT OR REPLACE INTO system_key VALUES (?, ?)", "name", "wrapped"),
    "data_key": put(
        "INSERT OR REPLACE INTO data_key VALUES (?, ?, ?, ?, ?, ?)",
        *("id", "person", "retention", "year", "wrapped", "commitment"),
    ),
    "person": _person,
    "credential": _credential,
    "session": _session,
    "session_ended": put("UPDATE session SET ended = ? WHERE sid = ? AND ended IS NULL", "at", "sid"),
    "grant": _grant,
    "grant_revoked": _grant_revoked,
    "notice": put(
        "INSERT OR REPLACE INTO notice VALUES (?, ?, ?, ?, ?)", "entry", "template", "person", "at", "sealed"
    ),
    "settings": put("INSERT OR REPLACE INTO meta VALUES ('settings', ?)", "settings"),
    "portal_key": put("INSERT OR REPLACE INTO portal_key VALUES (?, ?)", "name", "wrapped"),
}
