"""Kinds of records of approvals: what was asked, each answer to it, and that the asker took it back.

`closed` is 0 while a request may still be decided (unless its time is over), 1 when it was, 2 when it was taken back.
"""

import sqlite3

from kulla.keeper.kinds.form import Body, Change, raw

SCHEMA = """
CREATE TABLE IF NOT EXISTS approval (
    id BLOB PRIMARY KEY, kind TEXT NOT NULL, by BLOB NOT NULL, office BLOB, about BLOB, at INTEGER NOT NULL,
    until INTEGER NOT NULL, sealed BLOB NOT NULL, by_role TEXT NOT NULL, by_office BLOB,
    closed INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS approval_open ON approval (until) WHERE closed = 0;
CREATE INDEX IF NOT EXISTS approval_by ON approval (by, at);
CREATE TABLE IF NOT EXISTS approval_answer (
    id BLOB NOT NULL, by BLOB NOT NULL, at INTEGER NOT NULL, yes INTEGER NOT NULL, role TEXT NOT NULL, office BLOB,
    PRIMARY KEY (id, by)) WITHOUT ROWID;
"""


def _asked(db: sqlite3.Connection, body: Body) -> None:
    names = [raw(body[name]) for name in ("by", "office", "about")]
    values = (body["at"], body["until"], body["sealed"], body.get("by_role", ""), raw(body.get("by_office")))
    db.execute(
        "INSERT OR REPLACE INTO approval VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        (raw(body["id"]), body["kind"], *names, *values),
    )


def _answered(db: sqlite3.Connection, body: Body) -> None:
    values = (body["at"], bool(body["yes"]), body.get("role", ""), raw(body.get("office")))
    db.execute(
        "INSERT OR IGNORE INTO approval_answer VALUES (?, ?, ?, ?, ?, ?)",
        (raw(body["id"]), raw(body["by"]), *values),
    )
    if body.get("closes"):
        db.execute("UPDATE approval SET closed = 1 WHERE id = ? AND closed = 0", (raw(body["id"]),))


def _withdrawn(db: sqlite3.Connection, body: Body) -> None:
    db.execute("UPDATE approval SET closed = 2 WHERE id = ? AND closed = 0", (raw(body["id"]),))


KINDS: dict[str, Change] = {
    "approval_asked": _asked,
    "approval_answered": _answered,
    "approval_withdrawn": _withdrawn,
}
