"""Approvals: who counts, once and in time; races, replays, and requests that were taken back."""

import threading
from collections.abc import Iterator
from uuid import UUID

import pytest

from kulla.keeper.approvals import MAX_OPEN, Request, Rule
from kulla.keeper.errors import Refusal
from kulla.keeper.kinds import Body
from kulla.keeper.sessions import Live
from kulla.keeper.tests.offices_kit import Land, land


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Land]:
    with land(tmp_path_factory.mktemp("approvals"), people=60) as found:
        yield found


@pytest.fixture(autouse=True)
def today(country: Land) -> Iterator[None]:
    """The clock goes back after each test."""
    yield
    country.ahead[0] = 0


def refused(code: str):  # type: ignore[no-untyped-def]
    return pytest.raises(Refusal, check=lambda error: error.code == code)


def test_a_yes_of_who_has_left_since_counts_no_more(country: Land) -> None:
    keeper = country.keeper
    keeper.approvals.declare(
        "two_yes", Rule(lambda live, _: live.role == "admin", lambda _r, _l: [], needed=2)
    )
    asker, first, second = (country.official("admin", "agency") for _ in range(3))
    above = country.official("admin", "state")
    request = keeper.approvals.ask(asker, "two_yes", {})
    assert keeper.approvals.answer(first, request, yes=True).state == "open"
    with refused("unknown_request"):  # once a person, in whatever session
        keeper.approvals.answer(country.session(first.person, "admin", first.office), request, yes=True)
    keeper.administration.end(above, keeper.offices.held(first.person)[0].id)
    assert keeper.approvals.answer(second, request, yes=True).state == "open"
    assert keeper.approvals.answer(above, request, yes=True).state == "done"


# Races and replays -------------------------------------------------------------------------------------


def test_two_deciders_at_once_do_it_once(country: Land) -> None:
    keeper = country.keeper
    done: list[UUID] = []

    def carry_out(request: Request, _decider: Live) -> list[Body]:
        done.append(request.id)
        return []

    keeper.approvals.declare("once", Rule(lambda live, _: live.role == "admin", carry_out))
    request = keeper.approvals.ask(country.official("admin", "agency"), "once", {})
    deciders = [country.official("admin", "agency") for _ in range(4)]
    codes: list[str] = []

    def decide(session: Live) -> None:
        try:
            keeper.approvals.answer(session, request, yes=True)
        except Refusal as error:
            codes.append(error.code)
        finally:
            keeper.register.close_thread()

    threads = [threading.Thread(target=decide, args=(session,)) for session in deciders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1
    assert codes == ["decided"] * 3


def test_a_decided_request_is_not_decided_again(country: Land) -> None:
    keeper, number = country.keeper, country.someone()
    second = country.official("admin", "ministry")
    request = country.asked(country.official("admin", "agency"), number)
    keeper.approvals.answer(second, request, yes=False)
    with refused("unknown_request"):
        keeper.approvals.answer(second, request, yes=True)
    with refused("decided"):
        keeper.approvals.answer(country.official("admin", "state"), request, yes=True)
    assert country.roles(number) == []


def test_a_request_that_was_carried_out_gives_nothing_back_after_the_end(country: Land) -> None:
    """The role is ended; the old yes must not be worth anything again."""
    keeper, number = country.keeper, country.someone()
    second = country.official("admin", "ministry")
    request = country.asked(country.official("admin", "agency"), number)
    keeper.approvals.answer(second, request, yes=True)
    keeper.administration.end(second, keeper.offices.held(country.person(number))[0].id)
    with refused("decided"):
        keeper.approvals.answer(country.official("admin", "state"), request, yes=True)
    assert country.roles(number) == []


def test_a_request_whose_time_is_over_is_not_decided(country: Land) -> None:
    keeper, number = country.keeper, country.someone()
    request = country.asked(country.official("admin", "agency"), number)
    country.later(15)
    second = country.official("admin", "ministry")
    assert keeper.approvals.get(request).state == "expired"
    with refused("decided"):
        keeper.approvals.answer(second, request, yes=True)


def test_a_role_that_waited_ends_a_year_from_the_yes_at_most(country: Land) -> None:
    keeper, number = country.keeper, country.someone()
    request = country.asked(country.official("admin", "agency"), number)
    country.later(10)
    keeper.approvals.answer(country.official("admin", "ministry"), request, yes=True)
    role = keeper.offices.held(country.person(number))[0]
    assert role.until <= keeper._clock() + 365 * 24 * 3600 * 1000


def test_a_request_taken_back_stays_so(country: Land) -> None:
    keeper = country.keeper
    asker, second = country.official("admin", "agency"), country.official("admin", "ministry")
    request = country.asked(asker, country.someone())
    with refused("unknown_request"):
        keeper.approvals.withdraw(second, request)
    assert keeper.approvals.withdraw(asker, request).state == "withdrawn"
    with refused("decided"):
        keeper.approvals.answer(second, request, yes=True)
    with refused("decided"):
        keeper.approvals.withdraw(asker, request)


def test_nobody_fills_the_lists_of_those_who_decide(country: Land) -> None:
    keeper, asker = country.keeper, country.official("admin", "agency")
    keeper.approvals.declare("many", Rule(lambda live, _: live.role == "admin", lambda _r, _l: []))
    for _ in range(MAX_OPEN):
        keeper.approvals.ask(asker, "many", {})
    with refused("too_many"):
        keeper.approvals.ask(asker, "many", {})
    second = country.official("admin", "agency")
    assert keeper.approvals.waiting_for(second) >= MAX_OPEN
    assert keeper.approvals.waiting_for(country.citizen(country.someone())) == 0
