"""A court's delay: two officials, until a day; and nothing of it leaks before."""

import json
import statistics
import time
from datetime import timedelta
from typing import Any

import pytest

from kulla.keeper.errors import Refusal
from kulla.keeper.my_data.delays import Order
from kulla.keeper.my_data.tests.conftest import ARTA, BESA, DRITAN, LONELY, OFFICE_1, OFFICE_2, Lab, move
from kulla.keeper.my_data.viewing import Filter


def order(lab: Lab, *, days: int = 30, office: Any = OFFICE_1, **changes: Any) -> Order:
    today = lab.keeper.families.today()
    plain = {"since": today - timedelta(days=2), "until": today + timedelta(days=5)}
    named = {"number": "Vendim 12/2026", "court": "Gjykata e Tiranës", "office": office}
    return Order(**{**named, **plain, "shown": today + timedelta(days=days), **changes})


def delay(lab: Lab, number: str = ARTA.number, **changes: Any) -> None:
    """An order that counts."""
    asked = lab.keeper.my_data.delays.ask(lab.official("protection"), number, order(lab, **changes))
    lab.keeper.approvals.answer(lab.official("registrar"), asked, yes=True)


def told(lab: Lab) -> str:
    """Everything that Arta can read about herself, as one text."""
    keeper, me = lab.keeper, lab.arta
    rows = {name: keeper.my_data.sections.read(me.person, name, 0, assisted=False) for name in
            keeper.my_data.sections.names(assisted=False)}  # fmt: skip
    lines, following = keeper.my_data.viewing.page(me.person, Filter())
    page = [{name: line[name] for name in line if name != "ref"} for line in lines]
    return json.dumps(
        [rows, page, following, keeper.my_data.viewing.offices(me.person)], default=str, sort_keys=True
    )


def test_it_takes_two_and_nothing_differs_until_the_day(lab: Lab) -> None:
    """Page, offices, download, counts and the names of looks are as if there had been none; then it is told."""
    lab.look(lab.ilir)
    before = told(lab)
    asked = lab.keeper.my_data.delays.ask(lab.official("protection"), ARTA.number, order(lab))
    for _time in range(3):
        lab.look(lab.vjosa)
    assert told(lab) != before, "one official alone delays nothing"
    with pytest.raises(Refusal):
        lab.keeper.approvals.answer(lab.official("protection"), asked, yes=True)
    lab.keeper.approvals.answer(lab.official("registrar"), asked, yes=True)
    assert told(lab) == before
    lab.look(lab.vjosa, BESA.number)
    other, _ = lab.keeper.my_data.viewing.page(lab.arta.person, Filter(whose=lab.person(BESA.number)))
    assert len(other) == 1, "the order names one person"
    assert lab.keeper.my_data.status() | {"delays_now": 1, "delays_ever": 1} == lab.keeper.my_data.status()

    inbox = len(lab.inbox(lab.arta))
    lab.keeper.my_data.tend()
    assert len(lab.inbox(lab.arta)) == inbox, "nothing is told before the day"
    move(lab, 31)
    lines, _ = lab.keeper.my_data.viewing.page(
        lab.arta.person, Filter(office=OFFICE_1, whose=lab.arta.person)
    )
    assert [line["late"] for line in lines] == [True] * 3
    lab.keeper.my_data.tend()
    lab.keeper.my_data.tend()
    subjects = lab.inbox(lab.arta)
    assert subjects.count("Në faqen tuaj ka shikime të reja") == 1, "told, once"
    status = lab.keeper.my_data.status()
    assert (status["delays_now"], status["delays_ever"]) == (0, 1)


def test_another_order_keeps_them_longer(lab: Lab) -> None:
    """It is a new order; the notice waits for the last one."""
    lab.look(lab.vjosa, DRITAN.number)
    delay(lab, DRITAN.number, days=10)
    move(lab, 9)
    today = lab.keeper.families.today()
    delay(lab, DRITAN.number, days=60, since=today - timedelta(days=20), until=today)
    move(lab, 30)
    assert lab.keeper.my_data.viewing.page(lab.dritan.person, Filter())[0] == []
    lab.keeper.my_data.tend()
    assert "Në faqen tuaj ka shikime të reja" not in lab.inbox(lab.dritan)
    move(lab, 80)
    lab.keeper.my_data.tend()
    assert len(lab.keeper.my_data.viewing.page(lab.dritan.person, Filter())[0]) == 1
    assert "Në faqen tuaj ka shikime të reja" in lab.inbox(lab.dritan)


def test_an_order_that_hid_nothing_tells_nothing(lab: Lab) -> None:
    """Else the notice itself would be a riddle."""
    delay(lab, ARTA.number, office=LONELY, days=1, until=lab.keeper.families.today())
    lab.keeper.my_data.tend()
    move(lab, 3)
    before = lab.inbox(lab.arta)
    lab.keeper.my_data.tend()
    assert lab.inbox(lab.arta) == before
    row = lab.keeper.register.one(
        "SELECT count(*) FROM look_delay WHERE told IS NULL AND office = ?", LONELY.bytes
    )
    assert row == (0,), "it is over and needs no further thought"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"days": 0}, "shown"), ({"days": 400}, "shown"), ({"number": " "}, "empty"), ({"court": ""}, "empty")],
)
def test_bad_orders(lab: Lab, changes: dict[str, Any], reason: str) -> None:
    """At most a year, with a number and a court."""
    with pytest.raises(Refusal) as caught:
        lab.keeper.my_data.delays.ask(lab.official("protection"), ARTA.number, order(lab, **changes))
    assert (caught.value.code, caught.value.details["reason"]) == ("bad_order", reason)


def test_who_may_not(lab: Lab) -> None:
    """Citizens, clerks; nobody about oneself; and a clerk does not decide it."""
    delays = lab.keeper.my_data.delays
    for session in (lab.arta, lab.vjosa):
        with pytest.raises(Refusal) as caught:
            delays.ask(session, ARTA.number, order(lab))
        assert caught.value.code == "role"
    with pytest.raises(Refusal) as caught:
        delays.ask(lab.official("both"), DRITAN.number, order(lab))
    assert caught.value.code == "unknown_person"
    asked = delays.ask(lab.official("protection"), DRITAN.number, order(lab, office=OFFICE_2))
    for session in (lab.vjosa, lab.official("both")):  # the second is a registrar, and the one it is about
        with pytest.raises(Refusal) as caught:
            lab.keeper.approvals.answer(session, asked, yes=True)
        assert caught.value.code == "unknown_request"


def test_an_offices_own_grant_is_hidden_with_its_looks(lab: Lab) -> None:
    """One that the person made by booking is not."""
    keeper, person = lab.keeper, lab.person(BESA.number)
    now = keeper._clock()
    body = {
        "type": "grant",
        "person": person,
        "service": "appointments",
        "office": OFFICE_1,
        "day": "2026-12-01",
    }
    from uuid import uuid4

    keeper.committer.commit(
        {**body, "ref": uuid4(), "at": now, "by_office": True},
        {**body, "ref": uuid4(), "at": now, "by_office": False},
    )
    assert len(keeper.my_data.sections.read(person, "grants", 0, assisted=False)["rows"]) == 2
    delay(lab, BESA.number)
    assert len(keeper.my_data.sections.read(person, "grants", 0, assisted=False)["rows"]) == 1


def test_the_time_of_a_page_tells_nothing(lab: Lab) -> None:
    """Two hundred hidden looks make a page no slower than noise: medians differ by less than a third."""
    keeper, me = lab.keeper, lab.person(DRITAN.number)

    def median() -> float:
        times = []
        for _time in range(60):
            start = time.perf_counter()
            keeper.my_data.viewing.page(me, Filter())
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    for _time in range(40):
        lab.look(lab.ilir, DRITAN.number)
    delay(lab, DRITAN.number)
    before = median()
    for _time in range(200):
        lab.look(lab.vjosa, DRITAN.number)
    after = median()
    assert abs(after - before) < before / 3, (before, after)


def test_a_protected_persons_contact_is_not_told_before(lab: Lab) -> None:
    """A notice would tell what the page does not."""
    keeper, person = lab.keeper, lab.person(BESA.number)
    keeper.committer.commit(keeper.protected.body(person, lab.dritan.person, "violence"))
    delay(lab, BESA.number, office=OFFICE_2)
    told: list[object] = []
    tell, keeper.protected.tell = keeper.protected.tell, lambda *words: told.append(words)
    assert keeper.protected.looked(lab.ilir, person)
    keeper.protected.found(lab.ilir, person)
    assert told == []
    assert keeper.protected.looked(lab.official("registrar"), person) and len(told) == 1
    keeper.protected.tell = tell
    keeper.committer.commit(keeper.protected.end_body(person))
