"""Kinds of records of security: passkeys, and second factors that were taken away."""

import sqlite3

from kulla.keeper.kinds.form import Body, Change, put, raw

SCHEMA = """
CREATE TABLE IF NOT EXISTS passkey (
    mark BLOB PRIMARY KEY, person BLOB NOT NULL, at INTEGER NOT NULL, verified INTEGER NOT NULL,
    sealed BLOB NOT NULL, counter INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS passkey_person ON passkey (person);
"""


def _passkey(db: sqlite3.Connection, body: Body) -> None:
    """`mark` is the HMAC of the credential's id; the id, the public key and the name stand sealed."""
    values = (
        body["mark"],
        raw(body["person"]),
        body["at"],
        body["verified"],
        body["sealed"],
        body["counter"],
    )
    db.execute("INSERT OR REPLACE INTO passkey VALUES (?, ?, ?, ?, ?, ?, 0)", values)


KINDS: dict[str, Change] = {
    "passkey": _passkey,
    "passkey_used": put("UPDATE passkey SET counter = ?, used = ? WHERE mark = ?", "counter", "at", "mark"),
    "passkey_renamed": put("UPDATE passkey SET sealed = ? WHERE mark = ?", "sealed", "mark"),
    "passkey_removed": put("DELETE FROM passkey WHERE mark = ?", "mark"),
    "credential_removed": put(
        "DELETE FROM credential WHERE person = ? AND kind = ? AND name = ?", "person", "kind", "name"
    ),
}
