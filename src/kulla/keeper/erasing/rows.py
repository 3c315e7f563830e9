"""Which rows of the register are a person's own, by the schema: these go with the person.

Rows where a person stands as an official who acted for others stay: whoever has or had a role is not erased by this
program (plans.py refuses), since acts of office are kept.
"""

import sqlite3
from typing import Any
from uuid import UUID

# Beside every column named "person": tables whose rows are somebody's by another column.
OWNERS = {
    "person": ("id",),
    "guardianship": ("guardian", "ward"),
    "estate": ("dead", "heir"),
    "approval": ("about", "by"),
}
# Rows that only say more of a row of the person's own: table, its column.
DETAILS = {"correction_chunk": "id", "approval_answer": "id", "role_end_told": "role"}
# What names a person's own row, so that records that name it are about the person too.
NAMES = ("id", "mark")
CLEARED = {"mandate": ("representative", ("representative", "accepted", "confirmed"))}
# A person who acted for others: these columns keep their values.
ACTED = {
    ("approval_answer", "by"), ("correction", "decided_by"), ("erasure", "decided_by"), ("office_review", "by"),
    ("protected", "contact"), ("protected_release", "by"), ("protected_release", "official"),
    ("question", "answered_by"), ("role", "by1"), ("role", "by2"), ("role", "ended_by"), ("role_invitation", "by"),
    ("session", "assisted"), ("session", "helper"), ("visit", "official"),
}  # fmt: skip
# Columns of bytes that are no person's id.
OTHERS = {
    "id", "office", "sealed", "by_office", "profile", "wrapped", "commitment", "network_mark", "device_mark",
    "origin", "code", "note", "mark", "entry", "ref", "pseudonym", "parent", "digest", "letter", "request", "role",
    "answer", "reason", "unsigned",
}  # fmt: skip
OTHER_IDS = {("account_link", "about")}


def owned(db: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    """Table: the columns by which a row is somebody's own."""
    found: dict[str, tuple[str, ...]] = {}
    for (table,) in db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    ).fetchall():
        columns = {column[1] for column in db.execute(f"PRAGMA table_info({table})")}
        by = OWNERS.get(table, ()) + (("person",) if "person" in columns else ())
        if by:
            found[table] = by
    return found


def own_names(db: sqlite3.Connection, person: UUID) -> set[bytes]:
    """The person's id, pseudonyms, marks of identifiers, and the ids of rows that are theirs."""
    names = {person.bytes}
    for table, by in owned(db).items():
        columns = {column[1] for column in db.execute(f"PRAGMA table_info({table})")}
        for column in columns & {*NAMES, "pseudonym"}:
            for owner in by:
                sql = f"SELECT {column} FROM {table} WHERE {owner} = ?"  # noqa: S608 - names from our own schema
                names |= {row[0] for row in db.execute(sql, (person.bytes,)) if isinstance(row[0], bytes)}
    marks = [mark for (mark,) in db.execute("SELECT mark FROM identifier WHERE person = ?", (person.bytes,))]
    for mark in marks:
        names |= {row[0] for row in db.execute("SELECT id FROM role_invitation WHERE mark = ?", (mark,))}
    return names


def forget(db: sqlite3.Connection, person: UUID) -> int:
    """Delete what is the person's own, in the caller's transaction. Gives how many rows went."""
    names, count = own_names(db, person), 0
    for table, column in DETAILS.items():
        for name in names:
            count += db.execute(f"DELETE FROM {table} WHERE {column} = ?", (name,)).rowcount  # noqa: S608
    for (mark,) in db.execute("SELECT mark FROM identifier WHERE person = ?", (person.bytes,)).fetchall():
        count += db.execute("DELETE FROM role_invitation WHERE mark = ?", (mark,)).rowcount
    for table, by in owned(db).items():
        for owner in by:
            count += db.execute(f"DELETE FROM {table} WHERE {owner} = ?", (person.bytes,)).rowcount  # noqa: S608
    for table, (column, cleared) in CLEARED.items():
        empty = ", ".join(f"{each} = NULL" for each in cleared)
        db.execute(f"UPDATE {table} SET {empty} WHERE {column} = ?", (person.bytes,))  # noqa: S608
    return count


def sweep(db: sqlite3.Connection) -> int:
    """After a derivation from the records: rows of people who are in the register no more go. Gives how many.

    They come from records that were written while the tombstones waited and are not destroyed yet. Only after *all*
    records were applied: in between, people whose shared record was written anew are not there yet.
    """
    if db.execute("SELECT 1 FROM erasure_plan WHERE state = 'erased'").fetchone() is None:
        return 0
    nobody, count = "NOT IN (SELECT id FROM person)", 0
    gone: set[bytes] = set()
    for table, by in owned(db).items():
        if table == "person":
            continue
        for owner in by:
            where = f"{owner} IS NOT NULL AND {owner} {nobody}"
            gone |= {row[0] for row in db.execute(f"SELECT DISTINCT {owner} FROM {table} WHERE {where}")}  # noqa: S608
    for raw in gone:
        count += forget(db, UUID(bytes=raw))
    return count


def unfit(db: sqlite3.Connection, person: UUID) -> str:
    """Why this person's records cannot be destroyed now, as a word; "" when they can."""
    asked: list[tuple[str, str]] = [
        ("role", "SELECT 1 FROM role WHERE person = ?"),
        ("contact", "SELECT 1 FROM protected WHERE contact = ?"),
    ]
    values: tuple[Any, ...] = (person.bytes,)
    return next((word for word, sql in asked if db.execute(sql, values).fetchone()), "")
