"""Kinds of records of accounts: letters, cases, links of "this was not me", changes of channels, recovery."""

import sqlite3

from kulla.keeper.kinds.form import Body, Change, put, raw

SCHEMA = """
CREATE TABLE IF NOT EXISTS letter (
    id BLOB PRIMARY KEY, person BLOB NOT NULL, office BLOB, at INTEGER NOT NULL, until INTEGER NOT NULL,
    sealed BLOB NOT NULL, used INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS letter_person ON letter (person, at);
CREATE TABLE IF NOT EXISTS letter_allowed (
    request BLOB PRIMARY KEY, person BLOB NOT NULL, until INTEGER NOT NULL, letter BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS account_link (
    mark BLOB PRIMARY KEY, person BLOB NOT NULL, kind TEXT NOT NULL, about BLOB, at INTEGER NOT NULL,
    until INTEGER NOT NULL, used INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS account_case (
    id BLOB PRIMARY KEY, person BLOB NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL,
    closed INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS account_case_person ON account_case (person);
CREATE INDEX IF NOT EXISTS account_case_open ON account_case (at) WHERE closed IS NULL;
CREATE TABLE IF NOT EXISTS channel_change (
    id BLOB PRIMARY KEY, person BLOB NOT NULL, channel TEXT NOT NULL, at INTEGER NOT NULL, due INTEGER NOT NULL,
    sealed BLOB NOT NULL, cancelled INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS channel_change_person ON channel_change (person, at);
CREATE TABLE IF NOT EXISTS recovery_wait (
    id BLOB PRIMARY KEY, person BLOB NOT NULL, lost TEXT NOT NULL, at INTEGER NOT NULL, due INTEGER NOT NULL,
    until INTEGER NOT NULL, ended INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS recovery_wait_person ON recovery_wait (person);
"""
FACTORS = ("totp",)  # credentials that are a second factor; passkeys have a table of their own


def _cleared(db: sqlite3.Connection, body: Body) -> None:
    """`what`: "all" credentials of a person (the counter's PIN too), or the second "factors" only. The password that is
    set after stands."""
    person = raw(body["person"])
    if body["what"] == "all":
        db.execute("DELETE FROM credential WHERE person = ?", (person,))
        db.execute("DELETE FROM counter_pin WHERE person = ?", (person,))
    elif body["what"] == "factors":
        marks = ", ".join("?" * len(FACTORS))
        db.execute(f"DELETE FROM credential WHERE person = ? AND kind IN ({marks})", (person, *FACTORS))  # noqa: S608
    else:
        raise ValueError(body["what"])
    db.execute("DELETE FROM passkey WHERE person = ?", (person,))


def _letter(db: sqlite3.Connection, body: Body) -> None:
    """`request`: the two approvers' request that allowed it, where one was needed; it allows one letter."""
    names = (raw(body["id"]), raw(body["person"]), raw(body["office"]))
    db.execute(
        "INSERT OR IGNORE INTO letter VALUES (?, ?, ?, ?, ?, ?, NULL)",
        (*names, body["at"], body["until"], body["sealed"]),
    )
    if body.get("request"):
        db.execute("UPDATE letter_allowed SET letter = ? WHERE request = ?", (names[0], raw(body["request"])))


KINDS: dict[str, Change] = {
    "credentials_cleared": _cleared,
    "letter": _letter,
    "letter_used": put("UPDATE letter SET used = ? WHERE id = ? AND used IS NULL", "at", "id"),
    "letter_allowed": put(
        "INSERT OR IGNORE INTO letter_allowed VALUES (?, ?, ?, NULL)", "request", "person", "until"
    ),
    "account_link": put(
        "INSERT OR IGNORE INTO account_link VALUES (?, ?, ?, ?, ?, ?, NULL)",
        *("mark", "person", "kind", "about", "at", "until"),
    ),
    "account_link_used": put(
        "UPDATE account_link SET used = ? WHERE mark = ? AND used IS NULL", "at", "mark"
    ),
    "account_frozen": put(
        "INSERT OR IGNORE INTO account_case VALUES (?, ?, ?, ?, NULL)", "id", "person", "at", "kind"
    ),
    "account_released": put("UPDATE account_case SET closed = ? WHERE id = ? AND closed IS NULL", "at", "id"),
    "channel_change": put(
        "INSERT OR IGNORE INTO channel_change VALUES (?, ?, ?, ?, ?, ?, NULL)",
        *("id", "person", "channel", "at", "due", "sealed"),
    ),
    "channel_cancelled": put(
        "UPDATE channel_change SET cancelled = ? WHERE id = ? AND cancelled IS NULL AND due > ?",
        *("at", "id", "at"),
    ),
    "recovery_wait": put(
        "INSERT OR IGNORE INTO recovery_wait VALUES (?, ?, ?, ?, ?, ?, NULL)",
        *("id", "person", "lost", "at", "due", "until"),
    ),
    "recovery_wait_ended": put(
        "UPDATE recovery_wait SET ended = ? WHERE id = ? AND ended IS NULL", "at", "id"
    ),
}
