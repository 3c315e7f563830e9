"""Attacks by those who did not build it, with the powers of crooked officials: each through the socket's own calls."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from kulla.keeper.server import answer
from kulla.keeper.sessions import Live
from kulla.keeper.tests.counter_kit import Desk, desk
from kulla.keeper.tests.offices_kit import DAY
from kulla.keeper.tests.test_protected import kinds, protect

SERVICE = "appointments"


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("k")
    with desk(folder) as found:
        yield found


def asked(counter: Desk, session: Live, call: str, **args: Any) -> Any:
    """What a call gives in this session; the code of a refusal."""
    token = counter.keeper.sessions._token(session)["token"]
    got = answer(counter.keeper, {"call": call, "args": {"token": token, **args}})
    return got["ok"] if "ok" in got else got["refused"]["code"]


def named(counter: Desk, person: UUID) -> tuple[str, str]:
    """The name and the birth date of somebody."""
    people = counter.keeper.people
    return people.field(person, "name"), people.field(person, "birth_date")


def spent(counter: Desk, official: Live) -> int:
    """What an official has spent of the hour's budget."""
    return counter.keeper.budgets._of(official.person, official.office)[0].spent


# Protected persons ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["counter_ask_signature", "unprotect", "protect"])
def test_who_asks_reads_no_protected_name_in_the_own_request(counter: Desk, way: str) -> None:
    """A number is enough to ask. The question comes back in the list of one's own: without name and birth date."""
    number, person = counter.person()
    protect(counter, person)
    if way == "counter_ask_signature":
        me, visit = counter.clerk, counter.visit(number)
        assert asked(counter, me, way, visit=visit) is None
    else:
        me = counter.registrar
        assert asked(counter, me, way, type="number", identifier=number, reason="violence") is True
    requests = asked(counter, me, "approvals_asked")
    assert requests[0]["state"] == "open" and requests[0]["shown"]
    for word in named(counter, person):
        assert word not in str(requests)
    back = asked(counter, me, "approval_withdraw", id=requests[0]["id"])
    assert back["state"] == "withdrawn"
    for word in named(counter, person):
        assert word not in str(back)


def test_who_decides_about_a_protected_person_is_told_of(counter: Desk) -> None:
    """Opening the list of decisions shows the name to a colleague: a look, on the log and told, once."""
    number, person = counter.person()
    helper_number, helper = counter.person()
    protect(counter, person, helper)
    visit = counter.visit(number)
    counter.keeper.counter.ask_signature(counter.clerk, visit)
    before, told = len(counter.looks(person)), kinds(counter, helper_number).count("protected_looked")
    for _ in range(3):
        assert named(counter, person)[0] in str(asked(counter, counter.colleague, "approvals_open"))
    assert counter.looks(person)[0]["official"] == counter.colleague.person
    assert len(counter.looks(person)) == before + 1
    assert kinds(counter, helper_number).count("protected_looked") == told + 1


def test_what_cannot_be_told_is_not_shown_to_who_decides(
    counter: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same rule as for every look."""
    number, person = counter.person()
    protect(counter, person)
    counter.keeper.counter.ask_signature(counter.clerk, counter.visit(number))
    monkeypatch.setattr(counter.keeper.protected, "looked", lambda *_: False)
    shown = asked(counter, counter.colleague, "approvals_open")
    assert shown and named(counter, person)[0] not in str(shown)


def test_nobody_sorts_out_who_is_protected_for_nothing(counter: Desk) -> None:
    """Whoever holds a clerk's session and the portal's pseudonyms tries each: both kinds cost and are on the log."""
    land = counter.land
    clerk = land.official("receptionist", "far")
    _, plain = counter.person()
    _, other = counter.person()
    protect(counter, other)
    pseudonym = counter.keeper.people.pseudonym
    items = [
        {"kind": "register", "person": pseudonym(each, SERVICE), "service": SERVICE, "field": "name"}
        for each in (plain, other)
    ]
    costs = []
    for item in items:
        before = spent(counter, clerk)
        asked(counter, clerk, "open", items=[item], purpose="day list")
        costs.append(spent(counter, clerk) - before)
    assert costs == [10, 10]
    for person, answer_ in ((plain, "done"), (other, "open")):
        second = land.official("receptionist", "far")
        before, looks = spent(counter, second), len(counter.looks(person))
        args = {"person": pseudonym(person, SERVICE), "service": SERVICE, "purpose": "day list"}
        for _ in range(2):
            assert asked(counter, second, "protected_ask", **args) == answer_
        assert spent(counter, second) == before + 10
        assert len(counter.looks(person)) == looks + 1


def test_with_the_budget_spent_both_kinds_are_refused_alike(counter: Desk) -> None:
    """Else a spent budget would be the tool that tells them apart."""
    clerk = counter.land.official("receptionist", "far")
    _, plain = counter.person()
    _, other = counter.person()
    protect(counter, other)
    budgets, pseudonym = counter.keeper.budgets, counter.keeper.people.pseudonym
    while budgets.take(clerk.person, clerk.office, 10) is None:
        pass
    for _ in range(2):
        for each in (plain, other):
            item = {
                "kind": "register",
                "person": pseudonym(each, SERVICE),
                "service": SERVICE,
                "field": "name",
            }
            assert asked(counter, clerk, "open", items=[item], purpose="day list") == "budget"
            args = {"person": pseudonym(each, SERVICE), "service": SERVICE, "purpose": "day list"}
            assert asked(counter, clerk, "protected_ask", **args) == "budget"


# After the role ------------------------------------------------------------------------------------------


def test_who_has_left_reads_no_old_requests(counter: Desk) -> None:
    """As a citizen, and in another role: names of people stood in what was asked at the counter."""
    number, person = counter.person()
    clerk = counter.land.official("receptionist", "branch_1")
    counter.keeper.counter.ask_signature(clerk, counter.visit(number, clerk))
    assert named(counter, person)[0] in str(asked(counter, clerk, "approvals_asked"))
    citizen = counter.land.session(clerk.person)
    elsewhere = counter.land.session(clerk.person, *_other_role(counter, clerk.person))
    for session in (citizen, elsewhere):
        assert asked(counter, session, "approvals_asked") == []


def _other_role(counter: Desk, person: UUID) -> tuple[str, UUID]:
    office = counter.land.places["far"]
    until = counter.keeper.clock() + DAY
    counter.keeper.committer.commit(
        counter.keeper.offices.role_body(person, "receptionist", office, until=until)
    )
    return "receptionist", office


def test_two_administrators_of_one_office_open_no_account_of_another(counter: Desk) -> None:
    """Somebody is clerk in a far branch and registrar in the ministry: the far branch's two give no letter."""
    keeper, land = counter.keeper, counter.land
    number, person = counter.person()
    until = keeper.clock() + DAY
    for role, place in (("receptionist", "far"), ("registrar", "ministry")):
        keeper.committer.commit(keeper.offices.role_body(person, role, land.places[place], until=until))
    crooked = [land.official("admin", "other") for _ in range(2)]
    above = [land.official("admin", "state") for _ in range(2)]
    ministry = land.official("admin", "ministry")
    visit = asked(counter, counter.clerk, "desk_find", identifier_type="number", identifier=number)
    request = asked(counter, counter.clerk, "desk_official_ask", visit=visit, document="id_card")
    for admin in (*crooked, ministry):
        assert asked(counter, admin, "approval_answer", id=request, yes=True) == "unknown_request"
    for admin in above:
        assert asked(counter, admin, "approval_answer", id=request, yes=True)["id"] == request
    assert asked(counter, counter.clerk, "desk_official_letter", id=request)["code"]


@pytest.mark.parametrize("kind", ["correction", "erasure"])
def test_two_registrars_who_decide_at_once_do_not_both(
    counter: Desk, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """One accepts and one refuses in one moment: the second is told so, and the register agrees with the answer."""
    _, person = counter.person()
    citizen, keeper = counter.land.session(person), counter.keeper
    args = {"field": "last_name", "value": "Tjetër", "reason": "x"} if kind == "correction" else {"text": "x"}
    request = asked(counter, citizen, f"{kind}_ask", **args)
    deciders = (counter.registrar, counter.second)
    for each in deciders:
        asked(counter, each, f"{kind}_open", id=request)
    looked = keeper.looks.looked_since

    def slowly(*values: Any) -> bool:
        found = looked(*values)
        time.sleep(0.1)  # between reading the state and writing it, where another one may come
        return found

    monkeypatch.setattr(keeper.looks, "looked_since", slowly)
    begin, answers = threading.Barrier(2), []

    def decide(session: Live, yes: bool) -> None:
        begin.wait()
        answers.append(asked(counter, session, f"{kind}_decide", id=request, yes=yes, reason="x"))

    threads = [
        threading.Thread(target=decide, args=each) for each in zip(deciders, (True, False), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, answers)) == ["None", "decided"]
    if kind == "correction":
        changed = keeper.people.profile(person)["last_name"] == "Tjetër"
        assert asked(counter, citizen, "corrections_mine")[0]["state"] == (
            "accepted" if changed else "refused"
        )
