"""Files of families, offices and officials: what they tie, what they refuse, and that twice is once."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from kulla.keeper.admin import Admin, open_keeper
from kulla.keeper.families import guardian_body, guardian_ended_body
from kulla.keeper.importing import Report
from kulla.keeper.people import NUMBER
from kulla.keeper.testkit import ARTA, BESA, DRITAN, OFFICE_1, VJOSA, start_keeper, stop_keeper

FAMILIES = "ward,guardian,relation,scopes,custody,since,until,limits,adult,ended\n"
OFFICES = "id,name,kind,parent,town,hours,closed\n"
OFFICIALS = "person,office,role,until,ended\n"

# Written out: the two halves of a test run must name the same cases.
NEW = UUID("0198c000-0000-7000-8000-00000000f001")
STRANGE = UUID("0198c000-0000-7000-8000-00000000f002")


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Admin]:
    running = start_keeper(tmp_path_factory.mktemp("files"), start=False)
    with open_keeper(running.keeper_home) as opened:
        yield opened
    stop_keeper(running)


def take(admin: Admin, folder: Path, kind: str, *lines: str, **how: bool) -> Report:
    path = folder / f"{kind}.csv"
    head = {"families": FAMILIES, "offices": OFFICES, "officials": OFFICIALS}[kind]
    path.write_text(head + "".join(line + "\n" for line in lines))
    return admin.import_file(path, file=kind, **how)


def who(admin: Admin, number: str) -> UUID:
    person = admin._keeper.people.by_identifier(NUMBER, number)
    assert person is not None
    return person


def tie(admin: Admin, guardian: str, ward: str) -> tuple[object, ...] | None:
    return admin._keeper.register.one(
        "SELECT relation, scopes, custody, until, source FROM guardianship WHERE guardian = ? AND ward = ?",
        *(who(admin, guardian).bytes, who(admin, ward).bytes),
    )


def test_a_guardian_with_scopes_dates_and_without_custody(admin: Admin, tmp_path: Path) -> None:
    line = f"{BESA.number},number {DRITAN.number},child,school health,no,2026-01-01,2030-01-01,,no,"
    report = take(admin, tmp_path, "families", line)
    assert (report.families, report.bad) == (1, [])
    assert tie(admin, DRITAN.number, BESA.number) == ("child", "health,school", 0, "2030-01-01", "import")
    before = admin._keeper.records.last
    again = take(admin, tmp_path, "families", line)
    assert (again.families, again.families_already, admin._keeper.records.last) == (0, 1, before)
    changed = take(admin, tmp_path, "families", line.replace("school health", "school"))
    assert changed.families == 1
    ended = take(admin, tmp_path, "families", f"{BESA.number},{DRITAN.number},,,,,,,,yes")
    assert ended.ended == 1
    assert tie(admin, DRITAN.number, BESA.number) is None
    assert take(admin, tmp_path, "families", f"{BESA.number},{DRITAN.number},,,,,,,,yes").ended == 0


@pytest.mark.parametrize("over", [False, True], ids=["made", "ended"])
def test_what_two_officials_decided_no_file_changes(admin: Admin, tmp_path: Path, over: bool) -> None:
    guardian, ward = who(admin, DRITAN.number), who(admin, VJOSA.number)
    decided = guardian_body(guardian, ward, custody=False, scopes=("school",), source="officials")
    bodies = [decided, *([guardian_ended_body(guardian, ward, source="officials")] if over else [])]
    admin._keeper.committer.commit(*bodies)
    before = tie(admin, DRITAN.number, VJOSA.number)
    line = f"{VJOSA.number},{DRITAN.number},child"
    for other in ("school health,yes,,,,,", "school,no,,,,,yes", ",,,,,,"):
        report = take(admin, tmp_path, "families", f"{line},{other}", full=True)
        assert report.families == report.ended == 0
        if over and other.endswith("yes"):
            assert (report.bad, report.families_already) == ([], 1)  # it is over already
        else:
            assert "Two officials decided on this tie" in str(report.bad[0])
        assert tie(admin, DRITAN.number, VJOSA.number) == before
    if not over:
        same = take(admin, tmp_path, "families", f"{line},school,no,,,,,")
        assert (same.families_already, same.bad) == (1, [])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (f"{BESA.number},{BESA.number},,,,,,,,", "own guardian"),
        (f"{BESA.number},J01105999A,,,,,,,,", "guardian is not in the register"),
        (f"J01105999A,{ARTA.number},,,,,,,,", "ward is not in the register"),
        (f"{BESA.number},,,,,,,,,", "guardian is empty"),
        (f"{BESA.number},passport BA77654321,,,,,,,,", "code of its state"),
        (f"{BESA.number},{DRITAN.number},,everything,,,,,,", "scopes are"),
        (f"{BESA.number},{DRITAN.number},,,perhaps,,,,,", "neither yes nor no"),
        (f"{BESA.number},{DRITAN.number},,,,soon,,,,", "day"),
        (f"{BESA.number},{DRITAN.number},,,,2026-02-01,2026-01-01,,,", "before the first"),
        (f"{BESA.number},{DRITAN.number},neighbour,,,,,,,", "relation"),
        (f"{BESA.number},{DRITAN.number}", "2 fields"),
    ],
)
def test_lines_of_families_that_are_refused(admin: Admin, tmp_path: Path, line: str, sentence: str) -> None:
    report = take(admin, tmp_path, "families", line)
    assert [place for place, _ in report.bad] == [2]
    assert sentence in report.bad[0][1]
    assert report.families == 0


def test_the_same_two_twice_and_who_is_not_in_the_extract(admin: Admin, tmp_path: Path) -> None:
    line = f"{BESA.number},{ARTA.number},,,,,,,,"
    report = take(admin, tmp_path, "families", line, line, full=True)
    assert "earlier line" in report.bad[0][1]
    assert report.missing == 0
    take(admin, tmp_path, "families", f"{BESA.number},{DRITAN.number},,,,,,,,")
    assert take(admin, tmp_path, "families", line, full=True).missing == 1
    assert tie(admin, DRITAN.number, BESA.number), "told, never ended in silence"


def test_a_dry_run_of_families_ties_nobody(admin: Admin, tmp_path: Path) -> None:
    report = take(admin, tmp_path, "families", f"{BESA.number},{VJOSA.number},,,,,,,,", dry_run=True)
    assert report.families == 1
    assert tie(admin, VJOSA.number, BESA.number) is None


def test_offices_stand_in_a_tree(admin: Admin, tmp_path: Path) -> None:
    above, below = uuid4(), uuid4()
    lines = [
        f"{above},Ministria e Provës,ministry,,Tiranë,,",
        f"{below},Zyra 7,branch,{above},Korçë,mo 8:00-12:00 13:00-16:00; fr 8:00-14:00,",
    ]
    report = take(admin, tmp_path, "offices", *lines)
    assert (report.added, report.bad) == (2, [])
    office = admin._keeper.offices.office(below)
    assert office is not None
    assert (office.parent, office.town) == (above, "Korçë")
    assert office.hours == {0: [(480, 720), (780, 960)], 4: [(480, 840)]}
    assert take(admin, tmp_path, "offices", *lines).already == 2
    assert take(admin, tmp_path, "offices", f"{below},,,,,,yes").changed == 1
    report = take(admin, tmp_path, "offices", *lines[:1], full=True)
    assert report.missing == len(admin._keeper.offices.all()) - 1


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("7,Zyra,branch,,,,", "UUID"),
        (f"{NEW},,branch,,,,", "needs a name"),
        (f"{NEW},Zyra,palace,,,,", "type of office"),
        (f"{NEW},Zyra,branch,{STRANGE},,,", "office above"),
        (f"{NEW},Zyra,branch,,,always,", "hours"),
        (f"{NEW},Zyra,branch,,,mo 12:00-8:00,", "hours"),
        (f"{NEW},Zyra,branch,,,;;mo 8:00-9:00;mo 8:00-9:00,", "hours"),
        (f"{OFFICE_1},Zyra,branch,{OFFICE_1},,,", "under itself"),
    ],
)
def test_lines_of_offices_that_are_refused(admin: Admin, tmp_path: Path, line: str, sentence: str) -> None:
    report = take(admin, tmp_path, "offices", line)
    assert [place for place, _ in report.bad] == [2]
    assert sentence.lower() in report.bad[0][1].lower()


def test_clerks_come_and_go_and_twice_is_once(admin: Admin, tmp_path: Path) -> None:
    until = (date.today() + timedelta(days=90)).isoformat()  # noqa: DTZ011
    line = f"{DRITAN.number},{OFFICE_1},receptionist,{until},"
    assert take(admin, tmp_path, "officials", line).added == 1
    dritan = who(admin, DRITAN.number)
    assert admin._keeper.offices.roles_of(dritan) == [("receptionist", OFFICE_1)]
    assert take(admin, tmp_path, "officials", line).already == 1
    assert take(admin, tmp_path, "officials", f"{DRITAN.number},{OFFICE_1},receptionist,,yes").ended == 1
    assert admin._keeper.offices.roles_of(dritan) == []


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (f"{DRITAN.number},{OFFICE_1},admin,,", "two people grant it"),
        (f"{DRITAN.number},{OFFICE_1},registrar,,", "two people grant it"),
        (f"{DRITAN.number},{OFFICE_1},operator,,", "two people grant it"),
        (f"{DRITAN.number},{OFFICE_1},minister,,", "official is"),
        (f"{DRITAN.number},{STRANGE},receptionist,,", "office is not in the register"),
        (f"J01105999A,{OFFICE_1},receptionist,,", "person is not in the register"),
        (f"{DRITAN.number},{OFFICE_1},receptionist,2020-01-01,", "is over"),
        (f"{DRITAN.number},{OFFICE_1},receptionist,9999-12-31,", "date"),
        (f"{DRITAN.number},x,receptionist,,", "UUID"),
    ],
)
def test_lines_of_officials_that_are_refused(admin: Admin, tmp_path: Path, line: str, sentence: str) -> None:
    report = take(admin, tmp_path, "officials", line)
    assert [place for place, _ in report.bad] == [2]
    assert sentence in report.bad[0][1]
    assert admin._keeper.offices.roles_of(who(admin, DRITAN.number)) == []
