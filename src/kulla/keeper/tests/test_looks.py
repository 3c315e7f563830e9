"""Budgets, grants, and the log that the citizen reads."""

import time
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from kulla.keeper.testkit import invented, keeper
from kulla.keeper.tests.conftest import Country
from kulla.keeper_client import Refused, RegisterItem, Session, connect

SERVICE = "appointments"
TODAY = datetime.now(ZoneInfo("Europe/Tirane")).date()


@pytest.fixture
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    """A country whose officials have a budget of four people an hour."""
    folder = tmp_path_factory.mktemp("small")
    with keeper(folder, invented(12), budgets={"official_hour": 40, "office_hour": 60}) as running:
        client = connect(running.socket)
        yield Country(running, client)
        client.close()


def find(country: Country, clerk: Session, number: str) -> UUID:
    found = country.client.find(clerk.token, "number", number, SERVICE)
    assert found
    return found


def name(country: Country, session: Session, *persons: UUID) -> list[str | None]:
    items = [RegisterItem(person, SERVICE, "name") for person in persons]
    return [each.text or each.refused for each in country.client.open(session.token, items, "day_list")]


def test_the_brake_closes_and_the_try_is_on_the_log(small: Country) -> None:
    clerk, arta = small.sign_in(small.running.vjosa), small.sign_in(small.running.arta)
    numbers = [row["number"] for row in invented(12)]
    me = small.client.enter(arta.token, SERVICE).person
    assert me
    for number in numbers[:4]:
        find(small, clerk, number)
    with pytest.raises(Refused) as caught:
        small.client.find(clerk.token, "number", numbers[5], SERVICE)
    assert caught.value.code == "budget"
    assert 0 < caught.value.details["until_ms"] - time.time() * 1000 <= 3_600_000
    with pytest.raises(Refused) as caught:
        name(small, clerk, me)
    assert caught.value.code == "budget"
    [tried] = small.client.looked_at_me(arta.token)
    assert (tried.allowed, tried.role, tried.office) == (False, "receptionist", "Poliklinika Nr. 1, Tiranë")


def test_a_restart_does_not_fill_the_budget_again(small: Country) -> None:
    clerk = small.sign_in(small.running.vjosa)
    numbers = [row["number"] for row in invented(12)]
    for number in numbers[:4]:
        find(small, clerk, number)
    small.running.kill()
    small.running.start()
    with pytest.raises(Refused) as caught:
        small.client.find(clerk.token, "number", numbers[5], SERVICE)
    assert caught.value.code == "budget"


def test_many_at_once_do_not_slip_past_the_budget(small: Country) -> None:
    from concurrent.futures import ThreadPoolExecutor

    clerk = small.sign_in(small.running.vjosa)

    def attempt(number: str) -> bool:
        try:
            return bool(small.client.find(clerk.token, "number", number, SERVICE))
        except Refused as refused:
            assert refused.code == "budget"
            return False

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(attempt, [row["number"] for row in invented(12)]))
    assert sum(results) == 4


def test_with_a_grant_the_own_office_reads_at_no_cost_and_another_pays(small: Country) -> None:
    clerk, other = small.sign_in(small.running.vjosa), small.sign_in(small.running.ilir)
    arta = small.sign_in(small.running.arta)
    entered = small.client.enter(arta.token, SERVICE)
    me, ref = entered.person, uuid4()
    assert me
    small.client.grant(entered.attestation, me, SERVICE, small.running.office_1, TODAY, ref)
    for _ in range(10):
        assert name(small, clerk, me) == ["Arta Hoxha"]
    for _ in range(4):
        assert name(small, other, me) == ["Arta Hoxha"]
    with pytest.raises(Refused):
        name(small, other, me)
    small.client.revoke_grant(ref, entered.attestation)
    assert [name(small, clerk, me) for _ in range(2)] == [["Arta Hoxha"]] * 2, (
        "without a grant it costs again"
    )
    looked = small.client.looked_at_me(arta.token)
    assert len(looked) == 17
    assert sum(not each.allowed for each in looked) == 1
    assert {each.office for each in looked} == {"Poliklinika Nr. 1, Tiranë", "Poliklinika Qendrore, Shkodër"}


def test_a_page_with_granted_and_other_people_opens_what_the_budget_allows(small: Country) -> None:
    clerk, arta = small.sign_in(small.running.vjosa), small.sign_in(small.running.arta)
    entered = small.client.enter(arta.token, SERVICE)
    me = entered.person
    assert me
    small.client.grant(entered.attestation, me, SERVICE, small.running.office_1, TODAY, uuid4())
    persons = [find(small, clerk, row["number"]) for row in invented(3)]
    assert name(small, clerk, me, *persons) == ["Arta Hoxha", "Emri0 Mbiemri0", "budget", "budget"]


def test_booking_by_telephone_costs_ten_in_all(small: Country) -> None:
    clerk = small.sign_in(small.running.vjosa)
    entered = small.client.enter(clerk.token, SERVICE)
    for row in invented(4):
        person = find(small, clerk, row["number"])
        small.client.grant(entered.attestation, person, SERVICE, small.running.office_1, TODAY, uuid4())
        assert name(small, clerk, person)[0]
    arta = small.client.enter(small.sign_in(small.running.arta).token, SERVICE).person
    assert arta
    with pytest.raises(Refused) as caught:
        small.client.grant(entered.attestation, arta, SERVICE, small.running.office_1, TODAY, uuid4())
    assert caught.value.code == "budget", "somebody whom they did not find costs, and the budget is spent"


def test_the_same_grant_again_costs_nothing(small: Country) -> None:
    clerk = small.client.enter(small.sign_in(small.running.vjosa).token, SERVICE)
    arta = small.client.enter(small.sign_in(small.running.arta).token, SERVICE).person
    assert arta
    ref = uuid4()
    for _ in range(6):
        small.client.grant(clerk.attestation, arta, SERVICE, small.running.office_1, TODAY, ref)


def test_a_guardian_sees_looks_at_her_ward_and_own_looks_are_not_listed(small: Country) -> None:
    clerk, arta = small.sign_in(small.running.vjosa), small.sign_in(small.running.arta)
    besa = small.client.enter(arta.token, SERVICE).wards[0].person
    name(small, arta, besa)
    assert small.client.looked_at_me(arta.token) == []
    name(small, clerk, besa)
    [looked] = small.client.looked_at_me(arta.token)
    assert (looked.whose, looked.purpose, looked.fields) == ("Besa Hoxha", "day_list", ["name"])
    assert small.client.looked_at_me(small.sign_in(small.running.dritan).token) == []
    find(small, clerk, small.running.vjosa.number)
    assert small.client.looked_at_me(clerk.token) == [], "she looked at herself"
    find(small, small.sign_in(small.running.ilir), small.running.vjosa.number)
    assert len(small.client.looked_at_me(clerk.token)) == 1


def test_guardianship_ends(small: Country) -> None:
    arta = small.sign_in(small.running.arta)
    besa = small.client.enter(arta.token, SERVICE).wards[0].person
    assert name(small, arta, besa) == ["Besa Hoxha"]
    with small.running.administered() as admin:
        admin.end_guardian(small.running.besa.number, small.running.arta.number)
    assert small.client.enter(arta.token, SERVICE).wards == []
    assert name(small, arta, besa) == ["not_yours"]


def test_the_journal_takes_looks_and_confirms_them(
    tmp_path: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with keeper(tmp_path_factory.mktemp("strict"), unconfirmed_ms=300) as running:
        client = connect(running.socket)
        country = Country(running, client)
        clerk, arta = country.sign_in(running.vjosa), country.sign_in(running.arta)
        me = client.enter(arta.token, SERVICE).person
        assert me
        name(country, clerk, me)
        name(country, clerk, me)
        first, second = client.looks(0)
        assert second.seq == first.seq + 1
        assert running.arta.name.encode() not in first.sealed
        time.sleep(0.4)
        for call in (
            lambda: name(country, clerk, me),
            lambda: client.find(clerk.token, "number", running.arta.number, SERVICE),
        ):
            with pytest.raises(Refused) as caught:
                call()
            assert caught.value.code == "log_unconfirmed"
        assert "log_unconfirmed" in client.status()["alarms"]
        assert name(country, arta, me) == ["Arta Hoxha"], "citizens are not kept from themselves"
        client.looks_confirmed(second.seq)
        assert client.status()["unconfirmed"] == 0
        assert name(country, clerk, me) == ["Arta Hoxha"]
        [third] = client.looks(second.seq)
        assert third.seq == second.seq + 1
        client.close()


def test_looks_outlive_a_kill_and_their_order_stays(small: Country) -> None:
    clerk = small.sign_in(small.running.vjosa)
    me = small.client.enter(small.sign_in(small.running.arta).token, SERVICE).person
    assert me
    name(small, clerk, me)
    before = small.client.looks(0)
    small.client.looks_confirmed(before[-1].seq)
    small.running.kill()
    small.running.start()
    assert small.client.looks(0) == before
    assert small.client.status()["unconfirmed"] == 0
    name(small, clerk, me)
    assert small.client.looks(0)[-1].seq > before[-1].seq
    assert len(small.client.looked_at_me(small.sign_in(small.running.arta).token)) == 2
