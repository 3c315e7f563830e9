"""Kinds of records of approvals: what was asked, and each answer to it."""

from kulla.keeper.kinds.form import Change, put

SCHEMA = """
CREATE TABLE IF NOT EXISTS approval (
    id BLOB PRIMARY KEY, kind TEXT NOT NULL, by BLOB NOT NULL, office BLOB, about BLOB, at INTEGER NOT NULL,
    until INTEGER NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS approval_until ON approval (until);
CREATE TABLE IF NOT EXISTS approval_answer (
    id BLOB NOT NULL, by BLOB NOT NULL, at INTEGER NOT NULL, yes INTEGER NOT NULL,
    PRIMARY KEY (id, by)) WITHOUT ROWID;
"""
KINDS: dict[str, Change] = {
    "approval_asked": put(
        "INSERT OR REPLACE INTO approval VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        *("id", "kind", "by", "office", "about", "at", "until", "sealed"),
    ),
    "approval_answered": put(
        "INSERT OR IGNORE INTO approval_answer VALUES (?, ?, ?, ?)", "id", "by", "at", "yes"
    ),
}
