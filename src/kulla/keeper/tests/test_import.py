"""Lines of people: good ones go in, bad ones are named by number, and no sentence repeats a value."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kulla.keeper.admin import Admin, open_keeper
from kulla.keeper.errors import KeeperError, Refusal
from kulla.keeper.testkit import ARTA, BESA, invented, row, start_keeper, stop_keeper

HEAD = b"number,first_name,last_name,birth_date,sex,phone,email,language,guardian_number,address\n"
GOOD = b"J01105001A,Mira,Dervishi,1990-11-05,m,+355 69 123 4567,mira@example.org,sq,,Rruga 1\n".replace(
    b"J01105001A", b"J01105001A"
)


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Admin]:
    running = start_keeper(tmp_path_factory.mktemp("import"), start=False)
    with open_keeper(running.keeper_home) as opened:
        yield opened
    stop_keeper(running)


def lines(tmp_path: Path, *rows: bytes, head: bytes = HEAD) -> Path:
    path = tmp_path / "people.csv"
    path.write_bytes(head + b"".join(rows))
    return path


def test_good_lines_go_in_once(admin: Admin, tmp_path: Path) -> None:
    before = admin.people()
    path = lines(tmp_path, GOOD, b"\n", GOOD.replace(b"001A", b"002A"), head=b"\xef\xbb\xbf" + HEAD)
    first = admin.import_people(path)
    assert (first.added, first.already, first.bad) == (2, 0, [])
    second = admin.import_people(path)
    assert (second.added, second.already, second.bad) == (0, 2, [])
    assert admin.people() == before + 2


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"J01105003", "ten characters"),
        (b"J01135003A,M,D,1990-11-35,m,,,sq,,", "date that exists"),
        (b"J01105003A,M,D,1990-11-06,m,,,sq,,", "do not agree"),
        (b"J01105003A,M,D,1990-11-05,f,,,sq,,", "do not agree"),
        (b"J01105003A,M,D,5.11.1990,m,,,sq,,", "YYYY-MM-DD"),
        (b"J01105003A,,,1990-11-05,m,,,sq,,", "name is missing"),
        (b"J01105003A,M,D,1990-05-11,m,,,sq,,", "day and month look swapped"),
        (b"J01105003A,1990-11-05,D,1990-11-05,m,,,sq,,", "columns swapped"),
        (b"J01105003A,J01105003A,D,1990-11-05,m,,,sq,,", "columns swapped"),
        (b"J01105003A,m@example.org,D,1990-11-05,m,,,sq,,", "columns swapped"),
        (b"J01105003A,M,D,19901105,m,,,sq,,", "YYYY-MM-DD"),
        (b",M,D,1990-11-05,m,,,sq,,", "names nobody"),
        (b"J01105003A,M,D,1990-11-05,m,call me,,sq,,", "telephone"),
        (b"J01105003A,M,D,1990-11-05,m,,mira at home,sq,,", "e-mail"),
        (b"J01105003A,M,D,1990-11-05,m,,,de,,", "neither sq nor en"),
        (b"J01105003A,M,D,1990-11-05,m,,,sq,J01105003A,", "own guardian"),
        (b"J01105003A,M,D,1990-11-05,m,,,sq,XX,", "ten characters"),
        (b"J01105003A,M,D", "3 fields"),
        (b"J01105003A,\xff\xfe,D,1990-11-05,m,,,sq,,", "not UTF-8"),
        (b'J01105003A,"M,D,1990-11-05,m,,,sq,,', "quotes"),
        (b"J01105003A," + b"M" * 300 + b",D,1990-11-05,m,,,sq,,", "too long"),
        (b"J01105003A,M" + b"M" * 5000, "4,000"),
        (b"J01105003A,M\x07,D,1990-11-05,m,,,sq,,", "control characters"),
    ],
)
def test_a_bad_line_is_named_and_the_others_go_in(
    admin: Admin, tmp_path: Path, line: bytes, sentence: str
) -> None:
    report = admin.import_people(lines(tmp_path, GOOD, line + b"\n", GOOD.replace(b"001A", b"002A")))
    assert [number for number, _ in report.bad] == [3]
    said = report.bad[0][1]
    assert sentence in said or (line == b"J01105003" and "fields" in said)
    assert "J01105003A" not in said
    assert "Mira" not in said
    assert report.added + report.already == 2


def test_the_same_number_twice_and_a_guardian_who_is_not_there(admin: Admin, tmp_path: Path) -> None:
    child = b"L90105004A,Ina,D,2019-01-05,m,,,sq,J01105009A,\n"
    report = admin.import_people(lines(tmp_path, child, child))
    assert [number for number, _ in report.bad] == [2, 3]
    assert "guardian is not in the register" in report.bad[0][1]
    assert "earlier line" in report.bad[1][1]


def test_a_guardian_may_stand_on_a_later_line(admin: Admin) -> None:
    report = admin.import_people([row(BESA, guardian=ARTA), row(ARTA)])
    assert (report.already, report.families_already, report.bad) == (2, 1, [])


@pytest.mark.parametrize("data", [b"", b"number,name\n", b"\xff\xfe\n", b'"number\n'])
def test_a_file_without_the_columns_is_refused_whole(admin: Admin, tmp_path: Path, data: bytes) -> None:
    with pytest.raises(KeeperError, match="columns"):
        admin.import_people(lines(tmp_path, head=data))
    with pytest.raises(KeeperError, match="cannot be read"):
        admin.import_people(tmp_path / "missing.csv")


def test_progress_reaches_the_end(admin: Admin) -> None:
    told: list[tuple[int, int]] = []
    admin.import_people(iter(invented(2100)), lambda done, total: told.append((done, total)))
    assert told == [(1000, 2100), (2000, 2100), (2100, 2100)]


def test_administrators_cannot_make_halves(admin: Admin) -> None:
    with pytest.raises(KeeperError):
        admin.add_official("A B", None, "receptionist", "clerk.a", "x")
    with pytest.raises(KeeperError):
        admin.add_official("A B", None, "minister", "clerk.a", "x")
    with pytest.raises(Refusal):
        admin.set_password("J01105444A", "x")
    with pytest.raises(KeeperError, match="second factor"):
        admin.set_second_factor(ARTA.number, "SHORT")


def test_an_official_may_have_a_name_instead_of_a_number(admin: Admin) -> None:
    secret = admin.add_official("Ana Nika", None, "operator", "ana.nika", "x")
    assert len(secret) == 32
