"""A second file: what changed, who died, who is missing, who stands twice; every name that people have."""

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kulla.keeper.admin import Admin, open_keeper
from kulla.keeper.errors import KeeperError
from kulla.keeper.importing import Report
from kulla.keeper.people import NUMBER
from kulla.keeper.testkit import ARTA, start_keeper, stop_keeper

HEAD = (
    "number,passport,permit,refugee,reference,first_name,last_name,birth_date,sex,phone,address,status,died\n"
)
MIRA = "J05105001A"  # 1990-01-05, a woman is +50; see `line`


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Admin]:
    running = start_keeper(tmp_path_factory.mktemp("changes"), start=False)
    with open_keeper(running.keeper_home) as opened:
        yield opened
    stop_keeper(running)


_serial = iter(range(1, 999))


def number() -> str:
    """A man's number, born on 1990-11-05, that nobody has yet."""
    return f"J01105{next(_serial):03}A"


def line(**values: str) -> str:
    usual = {"first_name": "Mira", "last_name": "Dervishi", "birth_date": "1990-11-05", "sex": "m"}
    values = {**usual, **values}
    return ",".join(values.get(name, "") for name in HEAD.strip().split(",")) + "\n"


def imported(admin: Admin, folder: Path, *lines: str, head: str = HEAD, **how: Any) -> Report:
    path = folder / "people.csv"
    path.write_text(head + "".join(lines))
    return admin.import_file(path, **how)


def profile(admin: Admin, number: str) -> dict[str, Any]:
    people = admin._keeper.people
    person = people.by_identifier(NUMBER, number)
    assert person is not None
    return people.profile(person)


def test_the_same_file_again_changes_nothing_and_writes_nothing(admin: Admin, tmp_path: Path) -> None:
    lines = [line(number=number(), passport="ALB BA1234567;ITA YA99"), line(reference="NB-2026-1")]
    first = imported(admin, tmp_path, *lines)
    assert (first.added, first.bad) == (2, [])
    before = admin._keeper.records.last
    again = imported(admin, tmp_path, *lines)
    assert (again.added, again.already, again.changed) == (0, 2, 0)
    assert admin._keeper.records.last == before


def test_what_changed_is_counted_by_field_and_applied(admin: Admin, tmp_path: Path) -> None:
    one, two, three = number(), number(), number()
    imported(
        admin,
        tmp_path,
        *(line(number=each, address="Rruga 1", phone="069 111 2222") for each in (one, two, three)),
    )
    report = imported(
        admin,
        tmp_path,
        line(number=one, address="Rruga 2"),
        line(number=two, last_name="Hoxha", address="Rruga 3", phone="-"),
        line(number=three, status="moved_abroad"),
    )
    assert (report.changed, report.moved, report.renamed, report.already) == (3, 3, 1, 0)
    assert dict(report.fields) == {"address": 2, "last_name": 1, "phone": 1, "status": 1}
    assert profile(admin, one)["address"] == "Rruga 2"
    assert profile(admin, one)["phone"] == "069 111 2222", "an empty field says nothing"
    assert profile(admin, two)["phone"] == "", "a dash takes away"


def test_a_delta_may_have_few_columns(admin: Admin, tmp_path: Path) -> None:
    one = number()
    imported(admin, tmp_path, line(number=one))
    report = imported(admin, tmp_path, f"{one},2026-01-02\n", head="number,died\n")
    assert (report.died, report.changed, report.bad) == (1, 1, [])
    report = imported(admin, tmp_path, f"{number()},2026-01-02\n", head="number,died\n")
    assert "name is missing" in report.bad[0][1]


def test_a_death_counts_once_and_may_be_taken_back(admin: Admin, tmp_path: Path) -> None:
    one, people, told = number(), admin._keeper.people, []
    imported(admin, tmp_path, line(number=one))
    person = people.by_identifier(NUMBER, one)
    assert person is not None
    admin._keeper.register.on_change.append(lambda body: told.append((body["type"], body.get("person"))))
    assert not people.is_dead(person)
    report = imported(admin, tmp_path, line(number=one, died="2026-01-02"))
    assert report.died == 1
    assert people.is_dead(person)
    assert ("person_died", person) in told, "what closes accounts hears of it"
    assert profile(admin, one)["death_date"] == "2026-01-02"
    assert imported(admin, tmp_path, line(number=one, died="2026-01-02")).already == 1
    report = imported(admin, tmp_path, line(number=one, status="alive"))
    assert "takes that back" in report.bad[0][1]
    report = imported(admin, tmp_path, line(number=one, died="-"))
    assert (report.revived, people.is_dead(person)) == (1, False)
    report = imported(admin, tmp_path, line(number=one, status="dead"))
    assert (report.died, profile(admin, one)["death_date"]) == (1, ""), "a death whose day is not known"


def test_who_comes_into_the_register_dead_is_dead(admin: Admin, tmp_path: Path) -> None:
    one = number()
    assert imported(admin, tmp_path, line(number=one, died="2020-02-29")).died == 1
    person = admin._keeper.people.by_identifier(NUMBER, one)
    assert person
    assert admin._keeper.people.is_dead(person)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"died": "2999-01-01"}, "in the future"),
        ({"died": "1980-01-01"}, "before the birth"),
        ({"died": "soon"}, "day of death is not a date"),
        ({"status": "asleep"}, "status is none of"),
        ({"died": "2026-01-01", "status": "alive"}, "says that the person lives"),
        ({"birth_date": "-"}, "cannot be taken away"),
        ({"passport": "B77654321"}, "code of its state"),
        ({"passport": "QQQ B77654321"}, "code of its state"),
        ({"permit": "ab€d"}, "letters A to Z"),
        ({"reference": "a b"}, "reference has"),
        ({"first_name": "-", "last_name": "-"}, "name is missing"),
    ],
)
def test_lines_that_cannot_be_meant_are_named(
    admin: Admin, tmp_path: Path, values: dict[str, str], sentence: str
) -> None:
    report = imported(admin, tmp_path, line(number=number(), **values))
    assert [place for place, _ in report.bad] == [2]
    assert sentence in report.bad[0][1]
    assert not any(value in report.bad[0][1] for value in values.values() if len(value) > 5)


def test_swapped_names_are_seen_where_the_register_knows_better(admin: Admin, tmp_path: Path) -> None:
    one = number()
    imported(admin, tmp_path, line(number=one))
    report = imported(admin, tmp_path, line(number=one, first_name="Dervishi", last_name="Mira"))
    assert "the other way round" in report.bad[0][1]
    assert profile(admin, one)["first_name"] == "Mira"


def test_a_person_twice_in_one_file_is_refused_whichever_identifier_names_them(
    admin: Admin, tmp_path: Path
) -> None:
    one, two = number(), number()
    many = [line(number=number()) for _ in range(3)]
    report = imported(
        admin,
        tmp_path,
        line(number=one, passport="ALB CC1"),
        line(number=one, address="elsewhere"),
        *many,
        line(passport="ALB-CC1"),
        line(number=two, passport="ALB DD1"),
        line(permit="PP777", passport="ALB DD1"),
    )
    assert [place for place, _ in report.bad] == [3, 7, 9]
    assert "earlier line, 2." in report.bad[0][1]
    assert "earlier line, 2." in report.bad[1][1]
    assert "earlier line, 8." in report.bad[2][1]
    assert profile(admin, one)["address"] == ""


def test_a_person_twice_is_seen_across_batches_and_in_a_dry_run(admin: Admin, tmp_path: Path) -> None:
    lines = [line(reference=f"B-{place}") for place in range(2500)]
    for how in ({"dry_run": True}, {}):
        report = imported(admin, tmp_path, *lines, lines[3], **how)
        assert report.bad == [(2502, "The same person stands on an earlier line, 5.")]
        assert report.added == 2500


def test_an_identifier_never_moves_to_another_person(admin: Admin, tmp_path: Path) -> None:
    one, two, three = number(), number(), number()
    imported(admin, tmp_path, line(number=one, passport="ALB EE1"), line(number=two, passport="ALB EE2"))
    report = imported(
        admin, tmp_path, line(number=two, passport="ALB EE1"), line(number=three, passport="ALB EE2")
    )
    assert "two different people" in report.bad[0][1]
    assert "another number" in report.bad[1][1]
    people = admin._keeper.people
    assert people.by_identifier("passport", "ALB EE1") == people.by_identifier(NUMBER, one)
    assert people.by_identifier(NUMBER, three) is None


def test_a_new_document_is_added_and_the_old_one_still_finds_the_person(admin: Admin, tmp_path: Path) -> None:
    one, people = number(), admin._keeper.people
    imported(admin, tmp_path, line(number=one, passport="ALB FF1"))
    report = imported(admin, tmp_path, line(number=one, passport="ALB FF2", permit="RP100"))
    assert dict(report.fields) == {"identifiers": 1}
    person = people.by_identifier(NUMBER, one)
    assert person is not None
    assert (
        people.by_identifier("passport", "ALB FF1") == people.by_identifier("passport", "ALB FF2") == person
    )
    assert people.identifiers(person) == [
        ("number", one),
        ("passport", "ALB FF1"),
        ("passport", "ALB FF2"),
        ("permit", "RP100"),
    ]


def test_someone_without_a_number_keeps_the_text_of_their_receipts(admin: Admin, tmp_path: Path) -> None:
    people, one = admin._keeper.people, number()
    imported(admin, tmp_path, line(passport="XXB R123456"), line(reference="NB-7"))
    person = people.by_identifier("passport", "XXB R123456")
    newborn = people.by_identifier("reference", "NB-7")
    assert person is not None
    assert newborn is not None
    assert people.commitment(person) == ("passport XXB R123456", "Mira Dervishi", "1990-11-05")
    assert people.commitment(newborn)[0] == "reference NB-7"
    report = imported(admin, tmp_path, line(number=one, passport="XXB R123456;ALB GG1"))
    assert (report.changed, report.bad) == (1, [])
    assert people.commitment(person)[0] == "passport XXB R123456"
    assert people.profile(person)["number"] == one
    assert people.by_identifier(NUMBER, one) == person


NAMES = [
    ("O'Brien", "D’Angelo"),
    ("Ëngjëll", "Çabej"),
    ("Любов", "Шевченко-Їжак"),
    ("Ελένη", "Παπαδοπούλου"),
    ("Zoë", "Nuñez y Peña"),
    ("e\u0308ngje\u0308ll", "c\u0327abej"),
    ("Sukarno", ""),
    ("", "Teuta"),
    ("A" * 200, "Ë" * 200),
    ("李", "小龍"),
    ("Jean-Luc 3rd", "van 't Hoff"),
]


@pytest.mark.parametrize(("first", "last"), NAMES)
def test_names_as_people_have_them(admin: Admin, tmp_path: Path, first: str, last: str) -> None:
    one = number()
    report = imported(admin, tmp_path, line(number=one, first_name=first, last_name=last))
    assert (report.added, report.bad) == (1, [])
    assert report.notes == (not first or not last)
    known = profile(admin, one)
    assert known["first_name"] == unicodedata.normalize("NFC", first)
    assert known["last_name"] == unicodedata.normalize("NFC", last)
    assert imported(admin, tmp_path, line(number=one, first_name=first, last_name=last)).already == 1


def test_a_name_of_201_characters_is_refused(admin: Admin, tmp_path: Path) -> None:
    report = imported(admin, tmp_path, line(number=number(), first_name="A" * 201))
    assert "too long" in report.bad[0][1]


def test_a_complete_extract_tells_who_is_missing_and_deletes_nobody(admin: Admin, tmp_path: Path) -> None:
    admin.add_official("Ana Nika", None, "operator", "ana.nika", "kalaja-e-rozafes-9")
    one, two, dead = number(), number(), number()
    imported(admin, tmp_path, line(number=one), line(number=two), line(number=dead, died="2026-01-01"))
    before, everyone = admin.people(), admin._keeper.people
    report = imported(admin, tmp_path, line(number=one), full=True, report_file=tmp_path / "report.csv")
    dead_now = sum(1 for _ in admin._keeper.register.rows("SELECT 1 FROM person_status"))
    assert report.missing == before - 1 - dead_now - 1, (
        "all but who is in it, the dead, and an official by name"
    )
    assert admin.people() == before
    person = everyone.by_identifier(NUMBER, two)
    assert f"not in the extract,reference {person}" in (tmp_path / "report.csv").read_text()
    assert imported(admin, tmp_path, line(number=one)).missing == 0, "a delta lacks nobody"


def test_a_dry_run_says_the_same_and_changes_nothing(admin: Admin, tmp_path: Path) -> None:
    one, two, child = number(), number(), "L90105004A"
    imported(admin, tmp_path, line(number=one))
    head = HEAD.replace("died\n", "died,guardian_number\n")
    lines = [
        line(number=one, address="Rruga 9").replace("\n", ",\n"),
        line(number=two).replace("\n", ",\n"),
        line(number=child, birth_date="2019-01-05").replace("\n", f",{two}\n"),
        "broken\n",
    ]
    before = admin._keeper.records.last
    dry = imported(admin, tmp_path, *lines, head=head, dry_run=True)
    assert admin._keeper.records.last == before
    real = imported(admin, tmp_path, *lines, head=head)
    assert (dry.added, dry.changed, dry.families, dry.bad) == (2, 1, 1, real.bad)
    assert {**dry.summary, "dry_run": False} == real.summary


@pytest.mark.parametrize("name", ["report.csv", "report.json"])
def test_a_report_file_has_numbers_of_lines_and_no_personal_value(
    admin: Admin, tmp_path: Path, name: str
) -> None:
    one = number()
    imported(admin, tmp_path, line(number=one))
    imported(
        admin,
        tmp_path,
        line(number=one, address="Rruga e fshehtë"),
        line(number=number(), last_name="", passport="ALB HH1"),
        line(number="J0110X999A", first_name="Zamira"),
        report_file=tmp_path / name,
        dry_run=True,
    )
    text = (tmp_path / name).read_text()
    assert not any(value in text for value in ("Rruga", "Mira", "Dervishi", one, "HH1", "Zamira", "J0110X"))
    if name.endswith("json"):
        found = json.loads(text)
        lines = [(each["line"], each["what"]) for each in found["lines"]]
        assert found["summary"]["bad_lines"] == 1
        assert lines == [(4, "bad"), (2, "changed"), (3, "note")]
        assert found["lines"][1]["detail"] == "address"
    else:
        assert text.splitlines()[0] == "line,what,detail"
        assert "2,changed,address" in text
        assert ",summary added,1" in text


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        ("number,first_name,nonsense\n", "not known at place 3"),
        ("number,first_name,number\n", "twice"),
        ("first_name,last_name\n", "none of: number, passport"),
    ],
)
def test_a_first_line_that_is_none_is_refused_whole(
    admin: Admin, tmp_path: Path, head: str, sentence: str
) -> None:
    with pytest.raises(KeeperError, match=sentence) as caught:
        imported(admin, tmp_path, head=head)
    assert "nonsense" not in str(caught.value), "a first line may be a person's"


def test_the_cast_is_who_they_were(admin: Admin) -> None:
    assert profile(admin, ARTA.number)["first_name"] == "Arta"
