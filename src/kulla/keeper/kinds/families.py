"""Kinds of records of families, and the tables that they fill.

"guardian" and "guardian_ended" are the first keepers': a guardian in everything, with custody. Days are ISO texts;
scopes are joined by commas. `sealed` holds what only people read (a court's words), under the ward's key.
"""

import sqlite3

from kulla.keeper.kinds.form import Body, Change, put, raw

SCHEMA = """
CREATE TABLE IF NOT EXISTS guardianship (
    guardian BLOB NOT NULL, ward BLOB NOT NULL, relation TEXT NOT NULL, scopes TEXT NOT NULL,
    custody INTEGER NOT NULL, since TEXT, until TEXT, limits TEXT NOT NULL, adult INTEGER NOT NULL, sealed BLOB,
    source TEXT NOT NULL, PRIMARY KEY (guardian, ward)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS guardianship_ward ON guardianship (ward);
CREATE TABLE IF NOT EXISTS mandate (
    id BLOB PRIMARY KEY, person BLOB NOT NULL, representative BLOB, scopes TEXT NOT NULL, until TEXT NOT NULL,
    code BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL, offered INTEGER NOT NULL, expires INTEGER NOT NULL,
    accepted INTEGER, confirmed INTEGER, ended INTEGER, why TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mandate_person ON mandate (person);
CREATE INDEX IF NOT EXISTS mandate_representative ON mandate (representative);
CREATE TABLE IF NOT EXISTS estate (
    id BLOB PRIMARY KEY, dead BLOB NOT NULL, heir BLOB NOT NULL, scopes TEXT NOT NULL, until TEXT NOT NULL,
    sealed BLOB NOT NULL, ended INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS estate_dead ON estate (dead);
CREATE INDEX IF NOT EXISTS estate_heir ON estate (heir);
CREATE TABLE IF NOT EXISTS came_of_age (person BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
"""
_ALL = "health,school,travel,money"
LONG_OVER = "1900-01-01"  # the last day of a guardianship that officials ended


def _guardianship(db: sqlite3.Connection, body: Body) -> None:
    names = (raw(body["guardian"]), raw(body["ward"]), body["relation"], ",".join(body["scopes"]))
    dates = (bool(body["custody"]), body["since"], body["until"], body["limits"], bool(body["adult"]))
    values = (*names, *dates, body["sealed"], body["source"])
    db.execute("INSERT OR REPLACE INTO guardianship VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)


def _guardian(db: sqlite3.Connection, body: Body) -> None:
    names = (raw(body["guardian"]), raw(body["ward"]), body["relation"], _ALL)
    sql = "INSERT OR REPLACE INTO guardianship VALUES (?, ?, ?, ?, 1, NULL, NULL, '', 0, NULL, 'import')"
    db.execute(sql, names)


def _mandate(db: sqlite3.Connection, body: Body) -> None:
    names = (raw(body["id"]), raw(body["person"]), ",".join(body["scopes"]), body["until"])
    rest = (body["code"], body["sealed"], body["at"], body["expires"])
    db.execute(
        "INSERT INTO mandate VALUES (?, ?, NULL, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, NULL)", names + rest
    )


def _estate(db: sqlite3.Connection, body: Body) -> None:
    names = (raw(body["id"]), raw(body["dead"]), raw(body["heir"]), ",".join(body["scopes"]))
    db.execute(
        "INSERT OR REPLACE INTO estate VALUES (?, ?, ?, ?, ?, ?, NULL)",
        (*names, body["until"], body["sealed"]),
    )


def _ended(db: sqlite3.Connection, body: Body) -> None:
    """What officials ended stays as a row that is over: an import that only names a guardian brings nothing back."""
    names = (raw(body["guardian"]), raw(body["ward"]))
    if body["source"] == "officials":
        sql = "UPDATE guardianship SET until = ?, source = 'officials' WHERE guardian = ? AND ward = ?"
        db.execute(sql, (LONG_OVER, *names))
    else:
        db.execute("DELETE FROM guardianship WHERE guardian = ? AND ward = ?", names)


_END = put("DELETE FROM guardianship WHERE guardian = ? AND ward = ?", "guardian", "ward")
KINDS: dict[str, Change] = {
    "guardian": _guardian,
    "guardian_ended": _END,
    "guardianship": _guardianship,
    "guardianship_ended": _ended,
    "mandate_offered": _mandate,
    # The conditions keep their order whatever came twice: taken once, confirmed once, ended for good.
    "mandate_accepted": put(
        "UPDATE mandate SET representative = ?, accepted = ? WHERE id = ? AND accepted IS NULL AND ended IS NULL",
        *("representative", "at", "id"),
    ),
    "mandate_confirmed": put(
        "UPDATE mandate SET confirmed = ? WHERE id = ? AND accepted IS NOT NULL AND ended IS NULL", "at", "id"
    ),
    "mandate_ended": put(
        "UPDATE mandate SET ended = ?, why = ? WHERE id = ? AND ended IS NULL", "at", "why", "id"
    ),
    "estate": _estate,
    "estate_ended": put("UPDATE estate SET ended = ? WHERE id = ? AND ended IS NULL", "at", "id"),
    "came_of_age": put("INSERT OR IGNORE INTO came_of_age VALUES (?, ?)", "person", "at"),
}
