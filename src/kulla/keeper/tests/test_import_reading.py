"""Whatever bytes a file has: reading it never fails in an unforeseen way, and every line is a row or is named."""

import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kulla.keeper import numbers
from kulla.keeper.errors import KeeperError
from kulla.keeper.identifiers import Identifiers
from kulla.keeper.importing.reading import open_source
from kulla.keeper.importing.rows import COLUMNS, IDENTIFIERS, BadLine, Checker
from kulla.keeper.people import date

HEAD = b"number,passport,first_name,last_name,birth_date,guardian,died\n"
GOOD = b"J01105001A,ALB BA1,Mira,Dervishi,1990-11-05,,\n"
SCHEME = numbers.scheme("al")
CHECKER = Checker(Identifiers(SCHEME), SCHEME, date(2026, 11, 21))
PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b",", b'"', b"\n", b"\r\n", b"\r", b"\x00", b"\xef\xbb\xbf", b"-", b";", b"J01105001A"]),
    st.sampled_from(
        [b"ALB BA1", b"1990-11-05", b"2026-W47-6", "é\u0301".encode(), "\u202e".encode(), b"passport "]
    ),
    st.sampled_from([GOOD, b"x" * 4100, b'"' * 3, b",,,,,,\n", b"J01105001A,,,,,,-\n"]),
)


@given(st.lists(PIECES, max_size=40).map(b"".join))
@example(b"")
@example(b"\n\n\r\n")
@example(b"x" * 9000 + b"\n" + GOOD)
@settings(max_examples=400, deadline=None)
def test_every_line_is_a_row_or_is_named(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "people.csv"
    path.write_bytes(HEAD + data)
    found = {}
    with open_source(path) as source:
        for number, row in source.rows(COLUMNS, IDENTIFIERS):
            assert number not in found
            found[number] = row
            try:
                said = CHECKER.check(row)
                assert said.identifiers
                assert all(isinstance(value, str) for value in said.values.values())
            except BadLine as error:
                assert str(error)
        assert source.size == len(HEAD + data)
    written = {number for number, line in enumerate(io.BytesIO(data), 2) if line.strip() or len(line) > 4000}
    assert set(found) == written, "nothing is passed over in silence but empty lines"


@given(st.lists(PIECES, max_size=20).map(b"".join))
@settings(max_examples=200, deadline=None)
def test_any_first_line_is_taken_or_refused_whole(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "people.csv"
    path.write_bytes(data)
    with open_source(path) as source:
        try:
            assert list(source.rows(COLUMNS, IDENTIFIERS)) is not None
        except KeeperError as error:
            assert "columns" in str(error)


def test_a_long_line_costs_its_own_length_in_nothing(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    with path.open("wb") as file:
        file.write(HEAD + GOOD)
        for _ in range(64):
            file.write(b"x" * (1 << 20))
        file.write(b"\n" + GOOD)
    with open_source(path) as source:
        tracemalloc.start()
        rows = list(source.rows(COLUMNS, IDENTIFIERS))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert [number for number, _ in rows] == [2, 3, 4]
    assert isinstance(rows[1][1], BadLine)
    assert peak < 8 << 20


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(HEAD + GOOD * 5)
    with open_source(path) as source:
        path.write_bytes(HEAD + GOOD * 4 + GOOD.replace(b"Mira", b"Mara"))
        with pytest.raises(KeeperError, match="changed while"):
            list(source.rows(COLUMNS, IDENTIFIERS))


def test_a_folder_or_nothing_is_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.csv"):
        with pytest.raises(KeeperError, match="cannot be read"):
            open_source(path)
