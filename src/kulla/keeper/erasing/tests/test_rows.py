"""Every column of every table is known to be a person's, an official's or nobody's; all rows of a person go."""

import sqlite3
from uuid import UUID, uuid4

from kulla.keeper.erasing import rows
from kulla.keeper.kinds import SCHEMA

PERSON, OTHER = uuid4(), uuid4()


def made() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    db.executescript(SCHEMA)
    return db


def tables(db: sqlite3.Connection) -> dict[str, list[tuple[str, str, int]]]:
    """Table: (column, type, whether it may not be empty)."""
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        name: [(column[1], column[2], column[3]) for column in db.execute(f"PRAGMA table_info({name})")]
        for name in names
    }


def test_every_column_of_bytes_is_of_one_kind() -> None:
    db = made()
    owned = rows.owned(db)
    for table, columns in tables(db).items():
        for name, kind, _ in columns:
            if kind != "BLOB":
                continue
            cleared = rows.CLEARED.get(table, ("",))[0]
            kinds = [
                name in owned.get(table, ()),
                (table, name) in rows.ACTED,
                name == cleared,
                name in rows.OTHERS or (table, name) in rows.OTHER_IDS,
            ]
            if (table, name) == ("person", "id"):
                kinds[3] = False
            assert sum(kinds) == 1, f"{table}.{name}: say in rows.py whose it is"


def fill(db: sqlite3.Connection, table: str, owner: str, person: UUID) -> None:
    """One row whose `owner` column is the person, and everything else made up."""
    values: list[object] = []
    for name, kind, _ in tables(db)[table]:
        if name == owner:
            values.append(person.bytes)
        else:
            values.append({"BLOB": uuid4().bytes, "INTEGER": 1}.get(kind, uuid4().hex))
    marks = ", ".join("?" * len(values))
    db.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608


def count(db: sqlite3.Connection, person: UUID) -> dict[str, int]:
    """How many cells of each table hold the person."""
    found = {}
    for table, columns in tables(db).items():
        where = " OR ".join(f"{name} = :person" for name, kind, _ in columns if kind in {"BLOB", ""})
        if where:
            sql = f"SELECT count(*) FROM {table} WHERE {where}"  # noqa: S608
            [(number,)] = db.execute(sql, {"person": person.bytes})
            found[table] = number
    return {table: number for table, number in found.items() if number}


def test_all_rows_of_a_person_go_and_nobody_elses() -> None:
    db = made()
    for person in (PERSON, OTHER):
        for table, by in rows.owned(db).items():
            for owner in by:
                fill(db, table, owner, person)
        fill(db, "mandate", "representative", person)
    assert set(count(db, PERSON)) == set(rows.owned(db))
    before = {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in tables(db)}  # noqa: S608
    rows.forget(db, PERSON)
    assert count(db, PERSON) == {}
    for table, stood in before.items():
        theirs = [row for row in stood if OTHER.bytes in row]
        assert set(theirs) <= set(db.execute(f"SELECT * FROM {table}").fetchall())  # noqa: S608


def test_details_of_a_persons_rows_go_with_them() -> None:
    db = made()
    fill(db, "correction", "person", PERSON)
    [(ident,)] = db.execute("SELECT id FROM correction")
    db.execute("INSERT INTO correction_chunk VALUES (?, 0, ?)", (ident, b"sealed"))
    fill(db, "correction_chunk", "", OTHER)
    assert ident in rows.own_names(db, PERSON)
    rows.forget(db, PERSON)
    assert db.execute("SELECT count(*) FROM correction_chunk").fetchone() == (1,)


def test_the_sweep_takes_only_people_who_are_gone_and_only_after_an_erasure() -> None:
    db = made()
    db.execute("INSERT INTO person VALUES (?, ?)", (OTHER.bytes, b""))
    for person in (PERSON, OTHER):
        fill(db, "session", "person", person)
    assert rows.sweep(db) == 0, "without an erasure nobody is swept away"
    db.execute("INSERT INTO erasure_plan VALUES (?, 1, 1, 1, 'erased', 1)", (uuid4().bytes,))
    assert rows.sweep(db) == 1
    assert (count(db, PERSON), count(db, OTHER)) == ({}, {"person": 1, "session": 1})
