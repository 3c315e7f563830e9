"""What was changed in a keeper's file or register behind the key copies' back is named."""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from kulla.keeper.comparing import ComparedKeeper, compare_keeper
from kulla.keeper.testkit import keeper
from kulla.keeper.tests.conftest import Country
from kulla.keeper_client import Field, connect

SERVICE = "appointments"


@pytest.fixture
def lived(tmp_path: Path) -> Iterator[Country]:
    """A running keeper in which something has happened."""
    with keeper(tmp_path) as running:
        client = connect(running.socket)
        made = Country(running, client)
        arta = made.sign_in(running.arta)
        me = client.enter(arta.token, SERVICE).person
        assert me
        client.seal([Field("appointment", "reason", uuid4(), me, SERVICE, "dhimbje koke")])
        client.end(made.sign_in(running.arta).token)
        yield made
        client.close()


def compared(country: Country) -> tuple[ComparedKeeper, list[str]]:
    running, said = country.running, list[str]()
    copies = [mirror.home for mirror in running.mirrors]
    return compare_keeper(running.keeper_home, running.root_key, copies, said.append), said


def behind(country: Country, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(country.running.keeper_home / "register.sqlite3", timeout=20)) as db:
        db.execute(sql, values)
        db.commit()


def test_a_living_keeper_is_clean(lived: Country) -> None:
    done, said = compared(lived)
    assert said == []
    assert done.records > 20 and done.rows > 20


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (
            "UPDATE person SET profile = x'00' WHERE id = ?",
            ("person", "was changed", "record ", "says otherwise"),
        ),
        ("DELETE FROM person WHERE id = ?", ("person", "was deleted", "record ", "says otherwise")),
        (
            "INSERT INTO identifier VALUES (x'0102', 'number', ?)",
            ("identifier", "0102", "was added", "no record holds it"),
        ),
        (
            "INSERT INTO pseudonym VALUES (x'0102', 'appointments', ?)",
            ("pseudonym", "0102", "was added", "no record holds it"),
        ),
    ],
    ids=["changed", "deleted", "added", "pseudonym"],
)
def test_each_change_of_the_register_is_named(lived: Country, sql: str, words: tuple[str, ...]) -> None:
    with closing(sqlite3.connect(lived.running.keeper_home / "register.sqlite3")) as db:
        (person,) = db.execute("SELECT id FROM person ORDER BY id LIMIT 1").fetchone()
    behind(lived, sql, person)
    done, said = compared(lived)
    assert len(said) == done.differences == 1, said
    assert all(word in said[0] for word in words), said
    if "WHERE id" in sql:
        assert str(UUID(bytes=person)) in said[0]


def test_a_table_that_was_swapped_is_named(lived: Country) -> None:
    behind(lived, "DROP TABLE credential")
    assert compared(lived)[1] == ["The register's table credential as a whole is missing."]
    behind(lived, "CREATE TABLE credential (person BLOB PRIMARY KEY, other TEXT)")
    assert "other columns" in compared(lived)[1][0]


def test_a_record_that_was_changed_or_cut_off_is_named(lived: Country) -> None:
    lived.running.stop()
    path = lived.running.keeper_home / "records.log"
    whole = path.read_bytes()
    first = struct.unpack_from(">I", whole)[0]
    changed = bytearray(whole)
    changed[4 + first + 4 + 200] ^= 1
    path.write_bytes(changed)
    said = compared(lived)[1]
    assert len(said) == 1 and said[0].startswith("Record 2 was changed in the keeper's file"), said
    path.write_bytes(whole[: 4 + first])
    said = compared(lived)[1]
    assert said == ["Record 2 is missing in the keeper's file: its file was cut off before it."]
    path.write_bytes(whole)
    assert compared(lived)[1] == []


def test_a_copy_that_was_changed_is_named(lived: Country) -> None:
    lived.running.stop()
    log = min((lived.running.mirrors[0].home / "keycopy").glob("records-*.log"))
    data = bytearray(log.read_bytes())
    data[-1] ^= 1
    log.write_bytes(data)
    said = compared(lived)[1]
    assert len(said) == 1 and "A key copy differs" in said[0] and str(log.parent.parent) in said[0], said
