"""When acting at the counter ends, who may, and what an assisted session may not do."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from kulla.keeper.args import Args
from kulla.keeper.calls import CALLS
from kulla.keeper.calls.form import IN_ASSISTED
from kulla.keeper.errors import Refusal
from kulla.keeper.sessions import Live
from kulla.keeper.testkit import BESA
from kulla.keeper.tests.counter_kit import HERE, Desk, code_of, desk, set_pin

PIN = "739184"


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("ends")) as found:
        yield found


@pytest.fixture(autouse=True)
def fresh_budgets(counter: Desk) -> None:
    """Tests share the clerks; what one searched is not the next one's limit."""
    counter.keeper.budgets.restore([])


# Ends --------------------------------------------------------------------------------------------------


def signed(counter: Desk, clerk: Live | None = None, colleague: Live | None = None) -> Live:
    number, _ = counter.person(phone="")
    visit = counter.visit(number, clerk)
    counter.sign(visit, colleague or counter.colleague, clerk=clerk)
    return counter.begin(visit, "signature", clerk=clerk)


def test_it_ends_with_the_clerks_own_session(counter: Desk) -> None:
    land = counter.land
    clerk = land.official("receptionist", "branch_1")
    session = signed(counter, clerk)
    assert land.alive(session)
    counter.keeper.sessions.end_all(clerk.person)
    assert not land.alive(session)
    assert session.sid in counter.keeper.sessions.revoked(0)["sids"], "the portal hears of it within a second"


def test_it_ends_with_the_clerks_role(counter: Desk) -> None:
    land, keeper = counter.land, counter.keeper
    clerk = land.official("receptionist", "branch_1")
    session = signed(counter, clerk)
    role = keeper.offices.held(clerk.person)[0]
    keeper.committer.commit(keeper.offices.role_ended_body(role, by=None))
    assert not land.alive(session)


def test_a_clerk_whose_session_ended_meanwhile_begins_nothing(counter: Desk) -> None:
    land = counter.land
    clerk = land.official("receptionist", "branch_1")
    number, _ = counter.person(phone="")
    visit = counter.visit(number, clerk)
    counter.keeper.counter.ask_signature(clerk, visit)
    counter.keeper.sessions.end_all(clerk.person)
    assert code_of(counter.answer, "assisted_signature", counter.colleague) in {"decided", "unknown_request"}
    again = land.session(clerk.person, "receptionist", clerk.office)
    assert code_of(counter.begin, visit, "signature", clerk=again) == "unknown_visit"


def test_one_at_a_time_for_each_clerk(counter: Desk) -> None:
    first, second = signed(counter), signed(counter)
    assert not counter.land.alive(first)
    assert counter.land.alive(second)


def test_a_visit_is_over_after_half_an_hour(counter: Desk) -> None:
    number, person = counter.person()
    set_pin(counter, person)
    visit = counter.visit(number)
    counter.minutes(31)
    assert code_of(counter.begin, visit, "pin", PIN) == "unknown_visit"
    assert code_of(counter.keeper.counter.show, counter.clerk, visit) == "unknown_visit"


def test_half_an_hour_at_most(counter: Desk) -> None:
    session = signed(counter)
    assert session.span.whole_ms == 30 * 60 * 1000


def test_visits_of_others_do_not_exist(counter: Desk) -> None:
    number, _ = counter.person()
    visit = counter.visit(number)
    for other in (counter.colleague, counter.stranger):
        assert code_of(counter.keeper.counter.show, other, visit) == "unknown_visit"
    assert code_of(counter.keeper.counter.show, counter.clerk, uuid4()) == "unknown_visit"


# Who may -----------------------------------------------------------------------------------------------


def test_only_readers_of_an_office_search(counter: Desk) -> None:
    number, person = counter.person()
    find = counter.keeper.counter.find
    for other in (counter.above, counter.land.session(person)):
        assert code_of(find, other, "number", number, "any") == "role"
    assert code_of(find, counter.clerk, "number", number, "everything") == "bad_request"
    assert code_of(find, counter.clerk, "number", "no number", "any") == "bad_identifier"
    own = counter.keeper.people.profile(counter.clerk.person)["number"]
    assert code_of(find, counter.clerk, "number", own, "any") == "yourself"


def test_a_search_costs_ten_and_ends_with_the_budget(counter: Desk) -> None:
    clerk = counter.land.official("receptionist", "branch_1")
    numbers = [counter.land.numbers[-n] for n in range(1, 17)]
    answers = [code_of(counter.keeper.counter.find, clerk, "number", n, "any") for n in numbers]
    assert answers == ["none"] * 15 + ["budget"]


def test_not_for_the_dead_the_frozen_and_children(counter: Desk) -> None:
    number, person = counter.person()
    set_pin(counter, person)
    visit = counter.visit(number)
    keeper = counter.keeper
    frozen = keeper.sessions.standing.frozen
    keeper.sessions.standing.frozen = lambda asked: asked == person
    assert code_of(counter.begin, visit, "pin", PIN) == "frozen"
    keeper.sessions.standing.frozen = frozen
    keeper.committer.commit(*keeper.people.death_bodies(person, "2026-01-02"))
    assert code_of(counter.begin, visit, "pin", PIN) == "dead"
    child = counter.visit(BESA.number)
    assert code_of(keeper.counter.ask_signature, counter.clerk, child) == "under_age"


def test_what_an_assisted_session_may_not_do(counter: Desk) -> None:
    """Every call that takes a session's token, also those of other areas, but for the few that are named."""
    number, _ = counter.person(phone="")
    visit = counter.visit(number)
    counter.sign(visit, counter.colleague)
    token = counter.keeper.counter.begin(counter.clerk, visit, "signature", "", **HERE)["session"]["token"]
    others = CALLS.keys() - IN_ASSISTED
    assert {name for name in others if _refused(counter, name, token) != "assisted"} == set()
    assert {"inbox", "counter_pin_set", "my_counter", "approvals_open", "counter_find", "sessions"} <= others
    with pytest.raises(Refusal) as refused:
        CALLS["end"](counter.keeper, Args({"token": token, "sid": "all"}))
    assert refused.value.code == "assisted", "the person's own sessions are not the clerk's to end"
    assert CALLS["end"](counter.keeper, Args({"token": token}))


def _refused(counter: Desk, name: str, token: str) -> str:
    try:
        CALLS[name](counter.keeper, Args({"token": token}))
    except Refusal as refusal:
        return refusal.code
    return "none"


def test_all_of_it_survives_a_rebuild(counter: Desk) -> None:
    """The register is made anew from the records: visits, PINs and their locks are there."""
    _, person = counter.person()
    set_pin(counter, person)
    keeper = counter.keeper
    tables = "SELECT * FROM visit ORDER BY 1", "SELECT * FROM counter_pin ORDER BY 1"
    before = [keeper.register.rows(sql) for sql in tables]
    records = keeper.records.read(1)
    keeper.register.clear()
    seq = 1
    while records:
        keeper.register.apply(records, None)
        seq = records[-1].seq + 1
        records = keeper.records.read(seq) if seq <= keeper.records.last else []
    after = [keeper.register.rows(sql) for sql in tables]
    assert before == after
