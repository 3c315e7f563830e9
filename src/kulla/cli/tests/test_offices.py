"""The ceremony of the first administrators, at a real terminal (a pty), and the list of offices."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from uuid import uuid4

import pyotp
import pytest

from kulla.cli.tests.terminal import Terminal
from kulla.keeper import testkit
from kulla.keeper.admin import open_keeper
from kulla.keeper.numbers import al
from kulla.keeper.testkit import Member, RunningKeeper
from kulla.keeper_client import connect

FIRST = Member(
    "Teuta Basha", al.make(date(1980, 1, 2), "f", 51, "K"), date(1980, 1, 2), password="mjaltë-në-koshere-88"
)
SECOND = Member(
    "Agim Doda", al.make(date(1979, 3, 4), "m", 52, "K"), date(1979, 3, 4), password="lulet-e-bardha-93"
)
THIRD = Member(
    "Mira Kola", al.make(date(1978, 5, 6), "f", 53, "K"), date(1978, 5, 6), password="fshati-mbi-liqen-41"
)
SECRET = pyotp.random_base32()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningKeeper]:
    """A keeper's home whose keeper does not run; its mirrors do."""
    kept = testkit.start_keeper(tmp_path, [testkit.row(each) for each in (FIRST, SECOND, THIRD)], start=False)
    yield kept
    testkit.stop_keeper(kept)


def ceremony(running: RunningKeeper, *more: str) -> Terminal:
    return Terminal("first-admin", "--config", str(running.keeper_home / "keeper.json"), *more)


def test_two_people_become_the_first_administrators(running: RunningKeeper) -> None:
    terminal = ceremony(running, "--state", "Republika")
    secrets = [terminal.person(FIRST, slips=True), terminal.person(SECOND)]
    for member in (FIRST, SECOND):
        terminal.expect(f"{member.name}, do you want")
        terminal.type("yes")
    assert terminal.ended() == 0
    for member in (FIRST, SECOND):
        assert member.password not in terminal.seen
    running.start()
    client = connect(running.socket)
    tokens = []
    for member, secret in zip((FIRST, SECOND), secrets, strict=True):
        code = pyotp.TOTP(secret).now()
        session = client.sign_in(member.number, member.password, code, network="192.0.2.1", device="a test")
        assert session.role == "admin"
        tokens.append(session.token)
    overview = {line.office.name: line for line in client.office_overview(tokens[0])}
    assert (overview["Republika"].office.kind, overview["Republika"].officials) == ("state", 2)
    assert "Poliklinika Nr. 1, Tiranë" in overview  # what stands under nothing stands under the state
    client.close()
    # Again: refused, because two are there.
    running.stop()
    again = ceremony(running)
    assert again.ended() == 2
    assert "2 people administer the state already" in again.seen


def test_the_same_person_is_not_two(running: RunningKeeper) -> None:
    terminal = ceremony(running, "--state", "Republika")
    terminal.person(FIRST)
    for _ in range(3):
        terminal.expect("Number: ")
        terminal.type(FIRST.number.lower())
    assert terminal.ended() == 2
    assert "needs two people" in terminal.seen
    assert_nobody(running)


def test_without_both_their_yes_nothing_changes(running: RunningKeeper) -> None:
    terminal = ceremony(running, "--state", "Republika")
    terminal.person(FIRST)
    terminal.person(SECOND)
    terminal.expect("do you want")
    terminal.type("yes")
    terminal.expect("do you want")
    terminal.type("no")
    assert terminal.ended() == 2
    assert_nobody(running)


def assert_nobody(running: RunningKeeper) -> None:
    with open_keeper(running.keeper_home) as opened:
        assert not opened.keeper.offices.any_admin()
        person = opened.keeper.people.by_marks(opened.keeper.people.sign_in_marks(FIRST.number))
        assert person is not None
        assert not opened.keeper.credentials.has_totp(person)


def test_who_is_left_takes_part_and_proves_it(running: RunningKeeper) -> None:
    terminal = ceremony(running, "--state", "Republika")
    first = terminal.person(FIRST)
    terminal.person(SECOND)
    for _ in range(2):
        terminal.expect("do you want")
        terminal.type("yes")
    assert terminal.ended() == 0
    with open_keeper(running.keeper_home) as opened:
        keeper = opened.keeper
        root = keeper.offices.root()
        assert root is not None
        gone = keeper.people.by_marks(keeper.people.sign_in_marks(SECOND.number))
        (role,) = (role for role in keeper.offices.officials([root]) if role.person == gone)
        keeper.committer.commit(keeper.offices.role_ended_body(role, by=None))
    strangers = ceremony(running)
    strangers.person(SECOND)
    strangers.person(THIRD)
    assert strangers.ended() == 2
    assert "must be one of the two" in strangers.seen
    terminal = ceremony(running)
    terminal.expect("Number: ")
    terminal.type(FIRST.number)
    terminal.expect("Password (not shown): ")
    terminal.type("wrong")
    terminal.expect("Code: ")
    terminal.type(pyotp.TOTP(first).now())
    terminal.expect("is wrong")
    terminal.expect("Password (not shown): ")
    terminal.type(FIRST.password)
    terminal.expect("Code: ")
    terminal.type(pyotp.TOTP(first).now())
    terminal.person(THIRD)
    for _ in range(2):
        terminal.expect("do you want")
        terminal.type("yes")
    assert terminal.ended() == 0
    with open_keeper(running.keeper_home) as opened:
        keeper = opened.keeper
        assert len(keeper.offices.admins_over(keeper.offices.root())) == 2  # type: ignore[arg-type]


def test_a_clerk_does_not_become_the_first_administrator(running: RunningKeeper) -> None:
    terminal = ceremony(running, "--state", "Republika")
    for _ in range(3):
        terminal.expect("Number: ")
        terminal.type(running.vjosa.number)
    assert terminal.ended() == 2
    assert "reads citizens" in terminal.seen


def test_no_ceremony_without_a_terminal_or_beside_a_running_keeper(running: RunningKeeper) -> None:
    config = str(running.keeper_home / "keeper.json")
    command = [sys.executable, "-m", "kulla.cli", "offices", "first-admin", "--config", config]
    piped = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, input="x\n")
    assert piped.returncode == 2
    assert "terminal" in piped.stderr
    running.start()
    beside = ceremony(running)
    assert beside.ended() == 2
    assert "running already" in beside.seen


def test_the_list_shows_the_tree(running: RunningKeeper) -> None:
    config = str(running.keeper_home / "keeper.json")
    command = [sys.executable, "-m", "kulla.cli", "offices", "list", "--config", config]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert f"{running.office_1}  Poliklinika Nr. 1, Tiranë (branch)" in listed.stdout


# Renewal -----------------------------------------------------------------------------------------------

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def keeps_office(running: RunningKeeper) -> Iterator[Callable[..., None]]:
    """Gives members roles that end in so many days (negative: ended), with FIRST.totp as everyone's second factor."""

    def give(*given: tuple[Member, str, int]) -> None:
        with open_keeper(running.keeper_home) as opened:
            keeper = opened.keeper
            root = keeper.offices.root()
            if root is None:
                root = uuid4()
                opened.add_office(root, "Republika", kind="state")
            for member, role, days in given:
                person = keeper.people.by_marks(keeper.people.sign_in_marks(member.number))
                assert person is not None
                opened.set_password(member.number, member.password)
                opened.set_second_factor(member.number, SECRET)
                until, office = keeper.clock() + days * DAY_MS, root if role == "admin" else None
                keeper.committer.commit(keeper.offices.role_body(person, role, office, until=until))

    yield give


def renewal(running: RunningKeeper, *more: str) -> Terminal:
    return Terminal("renew", "--config", str(running.keeper_home / "keeper.json"), *more)


def shows(terminal: Terminal, member: Member) -> None:
    """One person shows password and code."""
    terminal.expect("Number: ")
    terminal.type(member.number)
    terminal.expect("Password (not shown): ")
    terminal.type(member.password)
    terminal.expect("Code: ")
    terminal.type(pyotp.TOTP(SECRET).now())


def roles(running: RunningKeeper, member: Member) -> list[str]:
    """What somebody is, for more than 360 days to come."""
    with open_keeper(running.keeper_home) as opened:
        keeper = opened.keeper
        person = keeper.people.by_marks(keeper.people.sign_in_marks(member.number))
        assert person is not None
        later = keeper.clock() + 360 * DAY_MS
        return [role.role for role in keeper.offices.held(person) if role.until > later]


def test_when_all_roles_have_ended_two_open_the_country_again(
    running: RunningKeeper, keeps_office: Callable[..., None]
) -> None:
    """An administrator and the operator whose year is over; a third becomes operator as well; both sign in."""
    keeps_office((FIRST, "admin", -40), (SECOND, "operator", -3))
    terminal = renewal(running, "--operator", THIRD.number)
    shows(terminal, FIRST)
    terminal.expect("Number: ")
    terminal.type(FIRST.number)
    terminal.expect("needs two people")
    shows(terminal, SECOND)
    assert "ended on" in terminal.expect("do you want")
    terminal.type("yes")
    terminal.expect(f"{THIRD.name} to be the portal's operator")
    terminal.type("yes")
    assert terminal.ended() == 0
    assert FIRST.password not in terminal.seen
    assert [roles(running, each) for each in (FIRST, SECOND, THIRD)] == [
        ["admin"],
        ["operator"],
        ["operator"],
    ]
    running.start()
    client = connect(running.socket)
    code = pyotp.TOTP(SECRET).now()
    session = client.sign_in(SECOND.number, SECOND.password, code, network="192.0.2.1", device="a test")
    client.close()
    assert session.role == "operator"


def test_who_administers_takes_part_in_a_renewal(
    running: RunningKeeper, keeps_office: Callable[..., None]
) -> None:
    """Two whose time is over do not come back behind the back of those who administer now."""
    keeps_office((FIRST, "admin", -1), (SECOND, "operator", 5), (THIRD, "admin", 5))
    terminal = renewal(running)
    shows(terminal, FIRST)
    shows(terminal, SECOND)
    for _ in range(2):
        terminal.expect("do you want")
        terminal.type("yes")
    assert terminal.ended() == 2
    assert "must be one of the two" in terminal.seen
    assert roles(running, FIRST) == roles(running, SECOND) == []
    terminal = renewal(running)
    shows(terminal, THIRD)
    shows(terminal, SECOND)
    for _ in range(2):
        terminal.expect("do you want")
        terminal.type("yes")
    assert terminal.ended() == 0
    assert [roles(running, each) for each in (FIRST, SECOND, THIRD)] == [[], ["operator"], ["admin"]]


def test_a_role_that_somebody_ended_is_not_renewed_and_a_code_alone_is_not_enough(
    running: RunningKeeper, keeps_office: Callable[..., None]
) -> None:
    keeps_office((FIRST, "admin", 5), (SECOND, "admin", 5))
    with open_keeper(running.keeper_home) as opened:
        keeper = opened.keeper
        person = keeper.people.by_marks(keeper.people.sign_in_marks(SECOND.number))
        assert person is not None
        (role,) = keeper.offices.held(person)
        keeper.committer.commit(keeper.offices.role_ended_body(role, by=None))
    terminal = renewal(running)
    shows(terminal, FIRST)
    for member in (SECOND, THIRD, SECOND):
        terminal.expect("Number: ")
        terminal.type(member.number)
    assert terminal.ended() == 2
    assert "no role that is renewed here" in terminal.seen
    terminal = renewal(running)
    terminal.expect("Number: ")
    terminal.type(FIRST.number)
    for _ in range(3):
        terminal.expect("Password (not shown): ")
        terminal.type("wrong")
        terminal.expect("Code: ")
        terminal.type(pyotp.TOTP(SECRET).now())
    assert terminal.ended() == 2
    assert "is wrong" in terminal.seen
