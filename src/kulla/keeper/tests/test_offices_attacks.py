"""What a thief, a friend of a thief, or a hasty administrator would try with roles and approvals."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kulla.keeper.errors import Refusal
from kulla.keeper.tests.offices_kit import Land, land


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Land]:
    with land(tmp_path_factory.mktemp("attacks"), people=120) as found:
        yield found


@pytest.fixture(autouse=True)
def today(country: Land) -> Iterator[None]:
    """The clock goes back after each test."""
    yield
    country.ahead[0] = 0


def refused(code: str):  # type: ignore[no-untyped-def]
    return pytest.raises(Refusal, check=lambda error: error.code == code)


# One alone ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["registrar", "protection", "admin"])
def test_no_administrator_gives_power_alone(country: Land, role: str) -> None:
    keeper, number = country.keeper, country.someone()
    asker = country.official("admin", "agency")
    request = country.asked(asker, number, role=role)
    assert country.roles(number) == []
    with refused("unknown_request"):
        keeper.approvals.answer(asker, request, yes=True)
    # … nor from another session, nor under another role of the same person.
    with refused("unknown_request"):
        keeper.approvals.answer(country.session(asker.person, "admin", asker.office), request, yes=True)
    again = country.places["ministry"]
    keeper.committer.commit(keeper.offices.role_body(asker.person, "admin", again))
    with refused("unknown_request"):
        keeper.approvals.answer(country.session(asker.person, "admin", again), request, yes=True)
    assert country.roles(number) == []


def test_the_one_concerned_never_decides(country: Land) -> None:
    """A friend asks for the thief, who administers above and would say yes to themselves."""
    keeper, number = country.keeper, country.someone()
    thief, friend = country.official("admin", "ministry", number), country.official("admin", "agency")
    role = next(each for each in keeper.offices.held(thief.person) if each.role == "admin")
    above = country.official("admin", "state")
    request = keeper.administration.renew(above, role.id, 365)
    assert request is not None
    with refused("unknown_request"):
        keeper.approvals.answer(thief, request, yes=True)
    _, code = keeper.invitations.offer(friend, country.places["branch_1"], "protection", number, 365, "")
    assert keeper.invitations.answer(country.citizen(number), code, yes=True) == "asked"
    with refused("unknown_request"):
        keeper.approvals.answer(thief, keeper.approvals.asked_by(friend.person)[0].id, yes=True)


def test_nobody_gives_a_role_to_themselves(country: Land) -> None:
    keeper, number = country.keeper, country.someone()
    thief = country.official("admin", "agency", number)
    for role in ("receptionist", "registrar", "admin"):
        with refused("self"):
            keeper.invitations.offer(thief, country.places["branch_1"], role, number, 365, "")
    with refused("self"):
        keeper.administration.renew(thief, keeper.offices.held(thief.person)[0].id, 365)


def test_an_offer_to_a_passport_that_is_ones_own_later_is_refused_too(country: Land) -> None:
    """The number was not the thief's when it was offered: taking one's own offer is refused as well."""
    keeper, number = country.keeper, country.someone()
    thief = country.official("admin", "agency", number)
    _, code = keeper.invitations.offer(
        thief, country.places["branch_1"], "receptionist", "permit AB1234567", 30, ""
    )
    for body in keeper.people.identifier_bodies(thief.person, "permit", "AB1234567"):
        keeper.committer.commit(body)
    with refused("self"):
        keeper.invitations.answer(country.citizen(number), code, yes=True)


def test_who_watches_reads_nobody(country: Land) -> None:
    """A friend makes an administrator a clerk, or a clerk an administrator."""
    keeper, number = country.keeper, country.someone()
    admin, friend = country.official("admin", "agency", number), country.official("admin", "agency")
    _, code = keeper.invitations.offer(friend, country.places["branch_1"], "receptionist", number, 365, "")
    with refused("roles_apart"):
        keeper.invitations.answer(country.citizen(number), code, yes=True)
    assert [role for role, _ in country.roles(number)] == ["admin"]
    # Between the offer of power and the second yes the clerk's role came: it is asked again at the end.
    other = country.someone()
    request = country.asked(admin, other, role="admin")
    country.official("receptionist", "branch_2", other)
    with refused("roles_apart"):
        keeper.approvals.answer(friend, request, yes=True)
    assert country.roles(other) == [("receptionist", "branch_2")]


# Elsewhere in the tree ---------------------------------------------------------------------------------


def test_another_subtree_does_not_exist_for_an_administrator(country: Land) -> None:
    keeper, number = country.keeper, country.someone()
    stranger, clerk = country.official("admin", "other"), country.official("receptionist", "branch_1")
    branch, role = country.places["branch_1"], keeper.offices.held(clerk.person)[0].id
    tries: list[tuple[str, Callable[[], object]]] = [
        ("unknown_office", lambda: keeper.administration.officials(stranger, branch)),
        (
            "unknown_office",
            lambda: keeper.invitations.offer(stranger, branch, "receptionist", number, 30, ""),
        ),
        ("unknown_office", lambda: keeper.administration.review(stranger, branch, [], [])),
        ("unknown_office", lambda: keeper.administration.change_office(stranger, branch, "Mine")),
        ("unknown_office", lambda: keeper.administration.add_office(stranger, branch, "Mine", "branch")),
        ("unknown_office", lambda: keeper.administration.ask_move(stranger, branch, country.places["far"])),
        ("unknown_office", lambda: keeper.administration.ask_close(stranger, branch)),
        ("unknown_role", lambda: keeper.administration.end(stranger, role)),
        ("unknown_role", lambda: keeper.administration.renew(stranger, role, 30)),
    ]
    for code, attempt in tries:
        with refused(code):
            attempt()
    assert branch not in [office.id for office, _ in keeper.administration.overview(stranger)]
    # The one below has no power above either.
    low = country.official("admin", "branch_1")
    with refused("unknown_office"):
        keeper.invitations.offer(low, country.places["agency"], "receptionist", number, 30, "")


def test_the_second_administrator_is_of_that_subtree(country: Land) -> None:
    keeper = country.keeper
    request = country.asked(country.official("admin", "agency"), country.someone())
    for place in ("branch_2", "other", "far"):
        with refused("unknown_request"):
            keeper.approvals.answer(country.official("admin", place), request, yes=True)
    for role, place in (("registrar", "branch_1"), ("protection", "agency"), ("receptionist", "branch_1")):
        with refused("unknown_request"):
            keeper.approvals.answer(country.official(role, place), request, yes=True)
    assert keeper.approvals.answer(country.official("admin", "branch_1"), request, yes=True).state == "done"


def test_power_is_used_in_the_role_that_has_it_only(country: Land) -> None:
    """Somebody who is administrator and data-protection official there decides as administrator, not as the other."""
    keeper, office = country.keeper, country.places["ministry"]
    request = country.asked(country.official("admin", "agency"), country.someone())
    second = country.official("admin", "ministry")
    keeper.committer.commit(keeper.offices.role_body(second.person, "protection", office))
    other = country.session(second.person, "protection", office)
    with refused("unknown_request"):
        keeper.approvals.answer(other, request, yes=True)
    assert keeper.approvals.answer(second, request, yes=True).state == "done"


def test_an_office_that_moves_takes_its_requests_along_to_nobody(country: Land) -> None:
    """Asked while the branch stood here; it is moved to accomplices before the yes."""
    keeper, at = country.keeper, country.places
    number = country.someone()
    asker, accomplice = country.official("admin", "agency"), country.official("admin", "other")
    request = country.asked(asker, number)
    keeper.committer.commit(keeper.offices.office_body(at["branch_1"], "Branch_1", parent=at["far"]))
    try:
        with refused("changed"):
            keeper.approvals.answer(accomplice, request, yes=True)
        assert country.roles(number) == []
        assert keeper.approvals.get(request).state == "open"
    finally:
        keeper.committer.commit(keeper.offices.office_body(at["branch_1"], "Branch_1", parent=at["agency"]))


def test_nobody_takes_their_own_office_out_of_sight(country: Land) -> None:
    keeper, at = country.keeper, country.places
    thief = country.official("admin", "agency")
    with refused("unknown_office"):
        keeper.administration.ask_move(thief, at["agency"], at["branch_2"])
    with refused("unknown_office"):
        keeper.administration.ask_move(thief, at["branch_1"], at["other"])
    with refused("bad_office"):
        keeper.administration.ask_move(country.official("admin", "state"), at["agency"], at["branch_2"])


def test_a_move_needs_a_second_one_over_both_places(country: Land) -> None:
    keeper, at = country.keeper, country.places
    asker, second = country.official("admin", "state"), country.official("admin", "state")
    request = keeper.administration.ask_move(asker, at["branch_2"], at["far"])
    for place in ("agency", "other", "branch_2", "far"):
        with refused("unknown_request"):
            keeper.approvals.answer(country.official("admin", place), request, yes=True)
    assert keeper.offices.parents(at["branch_2"])[0] == at["agency"]
    keeper.approvals.answer(second, request, yes=True)
    assert keeper.offices.parents(at["branch_2"])[0] == at["far"]
    keeper.approvals.answer(
        second, keeper.administration.ask_move(asker, at["branch_2"], at["agency"]), yes=False
    )
    keeper.committer.commit(keeper.offices.office_body(at["branch_2"], "Branch_2", parent=at["agency"]))


# Who has left ------------------------------------------------------------------------------------------


def test_what_an_ended_administrator_asked_lapses(country: Land) -> None:
    keeper, number = country.keeper, country.someone()
    asker, second = country.official("admin", "agency"), country.official("admin", "ministry")
    request = country.asked(asker, number)
    keeper.administration.end(second, keeper.offices.held(asker.person)[0].id)
    assert keeper.approvals.get(request).state == "lapsed"
    assert request not in [each.id for each in keeper.approvals.open_for(second)]
    with refused("decided"):
        keeper.approvals.answer(second, request, yes=True)
    # Made administrator again, they must ask again.
    keeper.committer.commit(keeper.offices.role_body(asker.person, "admin", country.places["agency"]))
    assert keeper.offices.holds(asker.person, "admin", country.places["agency"])
    assert keeper.approvals.get(request).state == "lapsed"
    assert country.roles(number) == []


def test_the_offers_of_an_ended_administrator_lapse(country: Land) -> None:
    keeper, number = country.keeper, country.someone()
    asker, second = country.official("admin", "agency"), country.official("admin", "ministry")
    _, code = keeper.invitations.offer(asker, country.places["branch_1"], "receptionist", number, 365, "")
    keeper.administration.end(second, keeper.offices.held(asker.person)[0].id)
    with refused("unknown_invitation"):
        keeper.invitations.answer(country.citizen(number), code, yes=True)
    keeper.committer.commit(keeper.offices.role_body(asker.person, "admin", country.places["agency"]))
    with refused("unknown_invitation"):
        keeper.invitations.read(country.citizen(number), code)


def test_who_has_left_decides_nothing(country: Land) -> None:
    keeper = country.keeper
    second, above = country.official("admin", "ministry"), country.official("admin", "state")
    request = country.asked(country.official("admin", "agency"), country.someone())
    keeper.administration.end(above, keeper.offices.held(second.person)[0].id)
    with refused("unknown_request"):  # even with the session object in hand
        keeper.approvals.answer(second, request, yes=True)


# Emptying an office ------------------------------------------------------------------------------------


def test_an_administrator_does_not_end_the_last_other_one(country: Land) -> None:
    keeper = country.keeper
    top = country.places["state"]
    for role in keeper.offices.officials([top]):
        keeper.committer.commit(keeper.offices.role_ended_body(role, by=None))
    thief, other, third = (country.official("admin", "state") for _ in range(3))
    held = {each: keeper.offices.held(each.person)[0].id for each in (thief, other, third)}
    with refused("last_admin"):  # both in one review
        review = [role.id for role in keeper.offices.officials([top]) if role.person != thief.person]
        keeper.administration.review(thief, top, [], review)
    keeper.administration.end(thief, held[third])
    assert not keeper.administration.may_end(thief, keeper.offices.role(held[other]))
    with refused("last_admin"):
        keeper.administration.end(thief, held[other])
    keeper.administration.end(thief, held[thief])  # but may leave
    with refused("last_admin"):
        keeper.administration.end(other, held[other])
    assert "administrators_few" in keeper.administration.alarms()


def test_two_administrators_who_end_each_other_at_once_are_not_both_gone(country: Land) -> None:
    keeper = country.keeper
    top = country.places["state"]
    for role in keeper.offices.officials([top]):
        keeper.committer.commit(keeper.offices.role_ended_body(role, by=None))
    three = [country.official("admin", "state") for _ in range(3)]
    held = [keeper.offices.held(each.person)[0].id for each in three]

    def end(ender: int, ended: int) -> None:
        try:
            keeper.administration.end(three[ender], held[ended])
        except Refusal:
            pass
        finally:
            keeper.register.close_thread()

    threads = [threading.Thread(target=end, args=pair) for pair in ((0, 1), (1, 2), (2, 0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert keeper.offices.admins_over(top)


def test_a_stolen_session_does_not_empty_a_ministry(country: Land, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kulla.keeper.administration.MAX_ENDS", 2)
    keeper, thief = country.keeper, country.official("admin", "agency")
    clerks = [country.official("receptionist", "branch_1") for _ in range(3)]
    held = [keeper.offices.held(clerk.person)[0].id for clerk in clerks]
    for role in held[:2]:
        keeper.administration.end(thief, role)
    with refused("capped"):
        keeper.administration.end(thief, held[2])
    assert country.alive(clerks[2])


def test_access_ends_at_once_even_while_the_copies_are_silent(tmp_path: Path) -> None:
    """The end of the role cannot be recorded then, and is refused; its sessions are ended all the same."""
    with land(tmp_path, people=10) as small:
        admin, clerk = small.official("admin", "agency"), small.official("receptionist", "branch_1")
        role = small.keeper.offices.held(clerk.person)[0].id
        for mirror in small.mirrors[:2]:
            mirror.stop()
        with refused("copies_unavailable"):
            small.keeper.administration.end(admin, role)
        assert not small.alive(clerk)
        assert clerk.sid in small.keeper.sessions.revoked(0)["sids"]
