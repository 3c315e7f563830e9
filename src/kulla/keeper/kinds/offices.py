"""Kinds of records of offices and of the roles of officials, and the tables that they fill.

A role is named by person, role and office; granting it again renews it. `official` is what the first keepers wrote:
one role a person, without an end; it still fills the same table.
"""

import hashlib
import json
import sqlite3
from typing import Any
from uuid import UUID

from kulla.keeper.kinds.form import Body, Change, raw

NO_OFFICE = b""  # of operators; a primary key holds no NULL
NO_END = 1 << 62  # of roles of the first keepers: until somebody ends them
OLD = "official"  # how such a role was given

SCHEMA = """
CREATE TABLE IF NOT EXISTS office (
    id BLOB PRIMARY KEY, name TEXT NOT NULL, name_en TEXT NOT NULL DEFAULT '', kind TEXT NOT NULL DEFAULT 'branch',
    parent BLOB, town TEXT NOT NULL DEFAULT '', address TEXT NOT NULL DEFAULT '', hours TEXT NOT NULL DEFAULT '{}',
    closed INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS office_parent ON office (parent);
CREATE TABLE IF NOT EXISTS role (
    id BLOB NOT NULL UNIQUE, person BLOB NOT NULL, role TEXT NOT NULL, office BLOB NOT NULL, since INTEGER NOT NULL,
    until INTEGER NOT NULL, by1 BLOB, by2 BLOB, source TEXT NOT NULL, reviewed INTEGER, ended INTEGER,
    ended_by BLOB, PRIMARY KEY (person, role, office)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS role_office ON role (office) WHERE ended IS NULL;
CREATE INDEX IF NOT EXISTS role_ended_by ON role (ended_by, ended) WHERE ended IS NOT NULL;
CREATE INDEX IF NOT EXISTS session_of_official ON session (started) WHERE role != 'citizen' AND ended IS NULL;
CREATE TABLE IF NOT EXISTS role_invitation (
    id BLOB PRIMARY KEY, role TEXT NOT NULL, office BLOB NOT NULL, by BLOB NOT NULL, by_office BLOB NOT NULL,
    at INTEGER NOT NULL, until INTEGER NOT NULL, days INTEGER NOT NULL, note BLOB NOT NULL,
    state TEXT NOT NULL, person BLOB, request BLOB, mark BLOB NOT NULL, code BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS role_invitation_by ON role_invitation (by, at);
CREATE INDEX IF NOT EXISTS role_invitation_code ON role_invitation (code);
CREATE TABLE IF NOT EXISTS office_review (
    office BLOB NOT NULL, at INTEGER NOT NULL, by BLOB NOT NULL, kept INTEGER NOT NULL, ended INTEGER NOT NULL,
    PRIMARY KEY (office, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS role_end_told (
    role BLOB NOT NULL, until INTEGER NOT NULL, days INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (role, until, days)) WITHOUT ROWID;
"""
_PLAIN = ("name", "name_en", "kind", "town", "address")


def _office(db: sqlite3.Connection, body: Body) -> None:
    """What the record does not name stays as it was, so that an older program's rename takes nothing away."""
    given: dict[str, Any] = {name: str(body[name]) for name in _PLAIN if name in body}
    if "parent" in body:
        given["parent"] = raw(body["parent"])
    if "hours" in body:
        given["hours"] = json.dumps(body["hours"], sort_keys=True)
    if "closed" in body:
        given["closed"] = int(bool(body["closed"]))
    names = ", ".join(given)
    changes = ", ".join(f"{name} = excluded.{name}" for name in given)
    db.execute(
        f"INSERT INTO office (id, {names}) VALUES (?{', ?' * len(given)}) "  # noqa: S608 - names from above
        f"ON CONFLICT (id) DO UPDATE SET {changes}",
        (raw(body["office"]), *given.values()),
    )


def old_role_id(person: UUID, role: str, office: UUID | None) -> UUID:
    """The id of a role whose record had none."""
    named = b"kulla-official/1" + person.bytes + role.encode() + (office.bytes if office else NO_OFFICE)
    return UUID(bytes=hashlib.sha256(named).digest()[:16])


def _official(db: sqlite3.Connection, body: Body) -> None:
    person, role, office = body["person"], body["role"], body["office"]
    db.execute("DELETE FROM role WHERE person = ? AND source = ?", (raw(person), OLD))
    db.execute(
        "INSERT OR REPLACE INTO role VALUES (?, ?, ?, ?, 0, ?, NULL, NULL, ?, NULL, NULL, NULL)",
        (
            raw(old_role_id(person, role, office)),
            raw(person),
            role,
            raw(office) or NO_OFFICE,
            NO_END,
            OLD,
        ),
    )


def _granted(db: sqlite3.Connection, body: Body) -> None:
    """A renewal keeps the id, the beginning and the last review; after an end or a gap it is a new role."""
    by = [raw(person) for person in body["by"]] + [None, None]
    values = (body["since"], body["until"], by[0], by[1], body["source"])
    key = (raw(body["person"]), body["role"], raw(body["office"]) or NO_OFFICE)
    renewed = db.execute(
        "UPDATE role SET until = ?, by1 = ?, by2 = ?, source = ? "
        "WHERE person = ? AND role = ? AND office = ? AND ended IS NULL AND until > ?",
        (*values[1:], *key, body["since"]),
    )
    if not renewed.rowcount:
        db.execute(
            "INSERT OR REPLACE INTO role VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)",
            (raw(body["id"]), *key, *values),
        )


def _ended(db: sqlite3.Connection, body: Body) -> None:
    db.execute(
        "UPDATE role SET ended = ?, ended_by = ? WHERE person = ? AND role = ? AND office = ? AND ended IS NULL",
        (
            body["at"],
            raw(body.get("by")),
            raw(body["person"]),
            body["role"],
            raw(body["office"]) or NO_OFFICE,
        ),
    )


def _invited(db: sqlite3.Connection, body: Body) -> None:
    names = (raw(body["id"]), body["role"], raw(body["office"]), raw(body["by"]), raw(body["by_office"]))
    values = (body["at"], body["until"], body["days"], body["note"])
    db.execute(
        "INSERT OR REPLACE INTO role_invitation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', NULL, NULL, ?, ?)",
        (*names, *values, body["mark"], body["code"]),
    )


def _invitation_answered(db: sqlite3.Connection, body: Body) -> None:
    db.execute(
        "UPDATE role_invitation SET state = ?, person = ?, request = ? WHERE id = ? AND state = 'open'",
        (body["state"], raw(body.get("person")), raw(body.get("request")), raw(body["id"])),
    )


def _reviewed(db: sqlite3.Connection, body: Body) -> None:
    db.execute(
        "INSERT OR REPLACE INTO office_review VALUES (?, ?, ?, ?, ?)",
        (raw(body["office"]), body["at"], raw(body["by"]), len(body["kept"]), body["ended"]),
    )
    db.executemany(
        "UPDATE role SET reviewed = ? WHERE id = ?", [(body["at"], raw(id_)) for id_ in body["kept"]]
    )


def _end_told(db: sqlite3.Connection, body: Body) -> None:
    db.execute(
        "INSERT OR IGNORE INTO role_end_told VALUES (?, ?, ?, ?)",
        (raw(body["role"]), body["until"], body["days"], body["at"]),
    )


KINDS: dict[str, Change] = {
    "office": _office,
    "official": _official,
    "role_granted": _granted,
    "role_ended": _ended,
    "role_invited": _invited,
    "role_invitation_answered": _invitation_answered,
    "office_reviewed": _reviewed,
    "role_end_told": _end_told,
}
