"""Offices and roles: the tree, offers, two administrators for power, ends at once, the yearly review."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from kulla.keeper.errors import Refusal
from kulla.keeper.kinds.offices import NO_END
from kulla.keeper.numbers import al
from kulla.keeper.tests.offices_kit import Land, land


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Land]:
    with land(tmp_path_factory.mktemp("offices")) as found:
        yield found


@pytest.fixture(autouse=True)
def today(request: pytest.FixtureRequest) -> Iterator[None]:
    """The clock goes back after each test."""
    yield
    if "country" in request.fixturenames:
        request.getfixturevalue("country").ahead[0] = 0


def refused(code: str):  # type: ignore[no-untyped-def]
    return pytest.raises(Refusal, check=lambda error: error.code == code)


# The tree ----------------------------------------------------------------------------------------------


def test_the_tree_knows_what_stands_above_and_under(country: Land) -> None:
    offices, at = country.keeper.offices, country.places
    assert offices.parents(at["branch_1"]) == [at["agency"], at["ministry"], at["state"]]
    assert offices.subtree(at["agency"]) == {at["agency"], at["branch_1"], at["branch_2"]}
    assert offices.root() == at["state"]
    found = offices.office(at["agency"])
    assert found is not None
    assert (found.name, found.kind, found.parent) == ("Agency", "agency", at["ministry"])


def test_an_office_never_stands_under_itself(country: Land) -> None:
    offices, at = country.keeper.offices, country.places
    with refused("bad_office"):
        offices.office_body(at["ministry"], "Ministry", parent=at["branch_1"])
    with refused("bad_office"):
        offices.office_body(at["ministry"], "Ministry", parent=at["ministry"])


def test_a_circle_that_got_in_hangs_nobody(country: Land) -> None:
    offices, at = country.keeper.offices, country.places
    commit = country.keeper.committer.commit
    commit({"type": "office", "office": at["other"], "name": "Other", "parent": at["far"]})
    try:
        assert at["other"] not in offices.parents(at["other"])
        assert offices.subtree(at["other"]) == {at["other"], at["far"]}
    finally:
        commit({"type": "office", "office": at["other"], "name": "Other", "parent": at["state"]})


@pytest.mark.parametrize(
    "hours",
    [
        {0: [(600, 540)]},
        {0: [(480, 720), (700, 900)]},
        {7: [(480, 960)]},
        {0: [(-1, 960)]},
        {0: [(480, 1441)]},
        {0: [(1, 2), (3, 4), (5, 6), (7, 8)]},
    ],
)
def test_impossible_hours_are_refused(country: Land, hours: dict[int, list[tuple[int, int]]]) -> None:
    with refused("bad_office"):
        country.keeper.offices.office_body(country.places["far"], "Far", hours=hours)


def test_a_rename_by_an_older_program_takes_nothing_away(country: Land) -> None:
    keeper, office = country.keeper, country.places["branch_2"]
    body = keeper.offices.office_body(office, "Branch", town="Vlorë", hours={0: [(480, 960)]})
    keeper.committer.commit(body)
    keeper.committer.commit({"type": "office", "office": office, "name": "Branch_2"})
    found = keeper.offices.must(office)
    assert (found.name, found.town, found.hours) == ("Branch_2", "Vlorë", {0: [(480, 960)]})
    assert found.parent == country.places["agency"]


def test_an_official_of_the_first_keepers_still_is_one(country: Land) -> None:
    keeper, number = country.keeper, country.someone()
    person, office = country.person(number), country.places["far"]
    keeper.committer.commit({"type": "official", "person": person, "role": "receptionist", "office": office})
    assert country.roles(number) == [("receptionist", "far")]
    assert keeper.offices.held(person)[0].until == NO_END
    admin = country.official("admin", "other")
    keeper.administration.end(admin, keeper.offices.held(person)[0].id)
    assert country.roles(number) == []


# Offers ------------------------------------------------------------------------------------------------


def test_a_clerk_is_one_administrators_decision_and_the_clerks_own(country: Land) -> None:
    admin, number = country.official("admin", "agency"), country.someone()
    offers = country.keeper.invitations
    _, code = offers.offer(admin, country.places["branch_1"], "receptionist", number, 365, "window 3")
    assert country.roles(number) == []
    citizen = country.citizen(number)
    assert offers.read(citizen, code.lower().replace("-", " "))["office"] == "Branch_1"
    assert offers.answer(citizen, code, yes=True) == "taken"
    assert country.roles(number) == [("receptionist", "branch_1")]
    shown = offers.offered(admin)[0]
    assert (shown["state"], shown["note"], shown["office"]) == ("taken", "window 3", "Branch_1")
    with refused("unknown_invitation"):
        offers.answer(citizen, code, yes=True)


def test_power_needs_the_second_administrator_who_reads_the_name(country: Land) -> None:
    asker, second, number = (
        country.official("admin", "agency"),
        country.official("admin", "ministry"),
        country.someone(),
    )
    keeper = country.keeper
    _, code = keeper.invitations.offer(asker, country.places["branch_1"], "registrar", number, 90, "")
    assert keeper.invitations.answer(country.citizen(number), code, yes=True) == "asked"
    assert country.roles(number) == []
    (request,) = keeper.approvals.open_for(second)
    name = keeper.people.field(country.person(number), "name")
    assert request.content["shown"]["name"] == name
    assert request.content["shown"]["office"] == "Branch_1"
    assert keeper.approvals.answer(second, request.id, yes=True).state == "done"
    assert country.roles(number) == [("registrar", "branch_1")]
    role = keeper.offices.held(country.person(number))[0]
    assert set(role.by) == {asker.person, second.person}
    assert role.until - role.since <= 90 * 24 * 3600 * 1000 + 60_000


def test_an_offer_says_the_same_whether_or_not_anybody_is_there(country: Land) -> None:
    admin, office = country.official("admin", "agency"), country.places["branch_2"]
    offers, number = country.keeper.invitations, country.someone()
    nobody = al.make(date(1999, 9, 9), "f", 777, "K")
    offers.offer(admin, office, "receptionist", number, 30, "")
    offers.offer(admin, office, "receptionist", nobody, 30, "")
    there, missing = [
        {name: value for name, value in each.items() if name not in {"id", "at_ms", "until_ms"}}
        for each in offers.offered(admin)
    ]
    assert there == missing
    assert there["state"] == "open"


def test_an_offer_that_nobody_took_lapses(country: Land) -> None:
    admin, number = country.official("admin", "agency"), country.someone()
    offers = country.keeper.invitations
    _, code = offers.offer(admin, country.places["branch_1"], "receptionist", number, 365, "")
    country.later(15)
    assert offers.offered(admin)[0]["state"] == "lapsed"
    with refused("unknown_invitation"):
        offers.answer(country.citizen(number), code, yes=True)


def test_an_offer_is_taken_with_a_second_factor_in_ones_own_session(country: Land) -> None:
    admin, number = country.official("admin", "agency"), country.someone()
    offers = country.keeper.invitations
    _, code = offers.offer(admin, country.places["branch_1"], "receptionist", number, 365, "")
    with refused("second_factor_missing"):
        offers.answer(country.citizen(number, weak=True), code, yes=True)
    mine = country.citizen(number)
    with refused("assisted"):
        offers.answer(replace(mine, assisted=country.places["branch_1"]), code, yes=True)
    with refused("assisted"):
        offers.answer(replace(mine, short=True), code, yes=True)
    assert offers.answer(mine, code, yes=True) == "taken"


def test_only_the_one_with_number_and_code_finds_the_offer(country: Land) -> None:
    admin, number, other = country.official("admin", "agency"), country.someone(), country.someone()
    offers = country.keeper.invitations
    _, code = offers.offer(admin, country.places["branch_1"], "receptionist", number, 365, "")
    stranger = country.citizen(other)
    with refused("unknown_invitation"):
        offers.read(stranger, code)
    with refused("unknown_invitation"):
        offers.answer(stranger, code, yes=True)
    with refused("unknown_invitation"):  # nor does the number alone find it
        offers.read(country.citizen(number), "00000-00000")


def test_codes_are_not_guessed_at(country: Land) -> None:
    admin, number = country.official("admin", "agency"), country.someone()
    offers, mine = country.keeper.invitations, country.citizen(number)
    _, code = offers.offer(admin, country.places["branch_1"], "receptionist", number, 365, "")
    for guess in range(10):
        with refused("unknown_invitation"):
            offers.read(mine, f"{guess:05}-ABCDE")
    with refused("slow_down"):
        offers.answer(mine, code, yes=True)
    assert country.roles(number) == []


def test_an_offer_can_be_taken_back(country: Land) -> None:
    admin, number = country.official("admin", "agency"), country.someone()
    offers = country.keeper.invitations
    offer, code = offers.offer(admin, country.places["branch_1"], "receptionist", number, 365, "")
    with refused("unknown_invitation"):
        offers.withdraw(country.official("admin", "agency"), offer)
    offers.withdraw(admin, offer)
    with refused("unknown_invitation"):
        offers.read(country.citizen(number), code)
    assert offers.offered(admin)[0]["state"] == "withdrawn"


def test_an_offer_can_be_declined(country: Land) -> None:
    admin, number = country.official("admin", "agency"), country.someone()
    offers, mine = country.keeper.invitations, country.citizen(number, weak=True)
    _, code = offers.offer(admin, country.places["branch_1"], "receptionist", number, 365, "")
    assert offers.answer(mine, code, yes=False) == "declined"
    with refused("unknown_invitation"):
        offers.answer(mine, code, yes=True)
    assert country.roles(number) == []


def test_offers_have_a_measure(country: Land, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kulla.keeper.invitations.MAX_A_DAY", 2)
    admin, number = country.official("admin", "agency"), country.someone()
    offers, office = country.keeper.invitations, country.places["branch_1"]
    for _ in range(2):
        offers.offer(admin, office, "receptionist", number, 365, "")
    with refused("capped"):
        offers.offer(admin, office, "receptionist", number, 365, "")
    slip = number[:-1] + "Z"  # no letter of a number
    for wrong in ("!", "", "123", "AB1234567", slip, "permit !"):
        with refused("bad_identifier"):
            offers.offer(admin, office, "receptionist", wrong, 365, "")
    for days in (0, 366, -1):
        with refused("bad_days"):
            offers.offer(admin, office, "receptionist", number, days, "")


# Ends --------------------------------------------------------------------------------------------------


def test_leaving_ends_access_at_once(country: Land) -> None:
    keeper, number = country.keeper, country.someone()
    clerk, admin = country.official("receptionist", "branch_1", number), country.official("admin", "agency")
    mine = country.citizen(number)
    mark = keeper.sessions.revoked(0)["next"]
    role = keeper.offices.held(clerk.person)[0].id
    keeper.administration.end(admin, role)
    assert not country.alive(clerk)
    assert country.alive(mine)  # a person stays a citizen
    assert clerk.sid in keeper.sessions.revoked(mark)["sids"]
    with refused("unknown_role"):
        keeper.administration.end(admin, role)


def test_a_role_ends_by_itself_after_a_year(country: Land) -> None:
    keeper = country.keeper
    clerk = country.official("receptionist", "branch_1", days=4000)
    country.later(364)
    assert country.alive(clerk)
    country.later(2)
    assert not country.alive(clerk)
    assert keeper.offices.roles_of(clerk.person) == []
    country.ahead[0] = 0
    assert country.alive(clerk)


def test_the_sweep_tells_the_portal_of_roles_that_are_over(country: Land) -> None:
    keeper, clerk = country.keeper, country.official("receptionist", "branch_1", days=1)
    country.later(2)
    keeper.administration.sweep()
    assert clerk.sid in keeper.sessions.revoked(0)["sids"]


def test_an_official_may_leave(country: Land) -> None:
    keeper, clerk = country.keeper, country.official("protection", "branch_2")
    with refused("assisted"):  # no clerk at a counter ends it for them
        helped = replace(clerk, role="citizen", office=None, assisted=country.places["branch_1"])
        keeper.administration.end(helped, keeper.offices.held(clerk.person)[0].id)
    keeper.administration.end(clerk, keeper.offices.held(clerk.person)[0].id)
    assert keeper.offices.roles_of(clerk.person) == []


def test_a_closed_office_gives_nobody_a_role(country: Land) -> None:
    keeper = country.keeper
    asker, second = country.official("admin", "other"), country.official("admin", "state")
    office = keeper.administration.add_office(asker, country.places["other"], "Short", "branch")
    number = country.someone()
    keeper.committer.commit(keeper.offices.role_body(country.person(number), "receptionist", office))
    clerk = country.session(country.person(number), "receptionist", office)
    request = keeper.administration.ask_close(asker, office)
    assert country.alive(clerk)
    keeper.approvals.answer(second, request, yes=True)
    assert not country.alive(clerk)
    assert clerk.sid in keeper.sessions.revoked(0)["sids"]
    assert office not in [each.id for each in keeper.offices.all()]


def test_renewal_is_the_same_act(country: Land) -> None:
    keeper = country.keeper
    admin, second = country.official("admin", "agency"), country.official("admin", "ministry")
    clerk = country.official("receptionist", "branch_1", days=10)
    role = keeper.offices.held(clerk.person)[0]
    assert keeper.administration.renew(admin, role.id, 365) is None
    renewed = keeper.offices.held(clerk.person)[0]
    assert renewed.id == role.id
    assert renewed.since == role.since
    assert renewed.until > role.until
    power = country.official("registrar", "branch_1", days=10)
    held = keeper.offices.held(power.person)[0]
    request = keeper.administration.renew(admin, held.id, 365)
    assert request is not None
    assert keeper.offices.held(power.person)[0].until == held.until
    keeper.approvals.answer(second, request, yes=True)
    assert keeper.offices.held(power.person)[0].until > held.until


# The review --------------------------------------------------------------------------------------------


def test_the_yearly_review_is_kept_and_ends_what_is_not_needed(country: Land) -> None:
    keeper = country.keeper
    admin = country.official("admin", "other")
    office = keeper.administration.add_office(admin, country.places["other"], "Reviewed", "branch")
    people = [country.person(country.someone()) for _ in range(2)]
    for person in people:
        keeper.committer.commit(keeper.offices.role_body(person, "receptionist", office))
    keep, end = [role.id for role in keeper.offices.officials([office])]
    with refused("changed"):
        keeper.administration.review(admin, office, [keep], [])
    keeper.administration.review(admin, office, [keep], [end])
    left = keeper.offices.officials([office])
    assert [role.id for role in left] == [keep]
    assert left[0].reviewed is not None
    last = keeper.administration.last_review(office)
    assert last is not None
    assert last[1] == keeper.people.field(admin.person, "name")


def test_an_overdue_review_raises_the_alarm(country: Land) -> None:
    keeper = country.keeper
    admin = country.official("admin", "other")
    office = keeper.administration.add_office(admin, country.places["other"], "Overdue", "branch")
    person = country.person(country.someone())
    keeper.committer.commit(keeper.offices.role_body(person, "receptionist", office))
    country.later(360)
    before = keeper.administration.alarms()
    admin = country.official("admin", "other")  # the one before ends soon
    role = keeper.offices.officials([office])[0]
    keeper.administration.renew(admin, role.id, 365)
    country.later(10)
    overdue = {alarm for alarm in keeper.administration.alarms() if alarm.startswith("reviews_overdue")}
    assert overdue - set(before)
    keeper.administration.review(admin, office, [role.id], [])
    assert keeper.offices.role(role.id).due > country.keeper._clock()


def test_a_state_that_will_soon_have_no_two_administrators_raises_the_alarm(tmp_path: Path) -> None:
    with land(tmp_path, people=10) as small:
        alarms = small.keeper.administration.alarms
        assert alarms() == []  # before the ceremony there is nothing to lose
        small.official("admin", "state", days=90)
        assert alarms() == ["administrators_few"]
        small.official("admin", "state", days=90)
        assert alarms() == []
        small.later(70)
        assert alarms() == ["administrators_ending"]
        small.later(30)
        assert alarms() == ["administrators_few"]
        assert "administrators_few" in small.keeper.status()["alarms"]  # type: ignore[operator]


def test_nobody_reviews_themselves(country: Land) -> None:
    keeper = country.keeper
    admin, clerk = country.official("admin", "branch_2"), country.official("receptionist", "branch_2")
    own = next(role for role in keeper.offices.held(admin.person))
    others = [
        role.id
        for role in keeper.offices.officials([country.places["branch_2"]])
        if role.person != admin.person
    ]
    assert keeper.offices.held(clerk.person)[0].id in others
    with refused("changed"):
        keeper.administration.review(admin, country.places["branch_2"], [*others, own.id], [])
    keeper.administration.review(admin, country.places["branch_2"], others, [])
    assert keeper.offices.role(own.id).reviewed is None
