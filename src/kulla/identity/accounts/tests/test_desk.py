"""At the counter over HTTP: letters, release of a frozen account, telephone numbers at once, officials by two."""

import re

import pytest

from kulla.identity.accounts.tests.conftest import (
    ADMINS,
    CHILD,
    DESK,
    ICE,
    NURA,
    Visitor,
    code_of,
    link_of,
    sent,
    visitor,
)
from kulla.identity.tests.conftest import Visitors
from kulla.keeper.testkit import Member, RunningKeeper

LETTER = r"(?<![\w-])(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}(?![\w-])"  # not a part of a UUID
pytestmark = pytest.mark.django_db


def staff(portal: RunningKeeper, who: Member, language: str = "en") -> Visitor:
    """An official's browser."""
    return Visitor(Visitors(portal)(who, language))


def found(clerk: Visitor, who: Member) -> Visitor:
    """The page of somebody who was found."""
    clerk.get("/counter/account/").post("/counter/account/", identifier_type="number", identifier=who.number)
    assert clerk.status == 200, clerk.text
    assert who.number not in clerk.where
    return clerk


def test_somebody_without_a_telephone_gets_a_letter(portal: RunningKeeper) -> None:
    """Found, document ticked, printed; number and code open the account."""
    clerk = found(staff(portal, portal.vjosa), DESK)
    page = clerk.where
    assert "not activated" in clerk.text and DESK.name in clerk.text
    clerk.post(f"{page}letter")
    assert clerk.status == 422 and "which document" in clerk.text
    clerk.post(f"{page}letter", document="id_card")
    code = re.search(LETTER, clerk.text)
    assert code and DESK.number not in clerk.text and portal_name(portal) in clerk.text
    me = visitor("sq").get("/activate/letter")
    me.post("/activate/letter", identifier=DESK.number, letter="0000")
    assert me.status == 422
    me.post("/activate/letter", identifier=DESK.number, letter=code[0].lower())
    me.post("/activate/password", password="pesë-gjethe-e-një-degë", again="pesë-gjethe-e-një-degë")
    assert me.status == 200
    me = visitor().get("/activate/letter").post("/activate/letter", identifier=DESK.number, letter=code[0])
    assert me.status == 422 and "used already" in me.text


def portal_name(portal: RunningKeeper) -> str:
    """The office of the receptionist."""
    return "Poliklinika Nr. 1, Tiranë"


def test_a_number_is_changed_at_once(portal: RunningKeeper) -> None:
    """The citizen reads the code out; what was typed stays on a refusal."""
    clerk = found(staff(portal, portal.vjosa), portal.dritan)
    page = clerk.where
    clerk.get(f"{page}phone").post(f"{page}phone", value="12", document="passport")
    assert clerk.status == 422 and 'value="12"' in clerk.text
    clerk.post(f"{page}phone", value="+44 20 7946 0958", document="passport")
    clerk.post(f"{page}phone", code=code_of(portal.dritan, "code_channel"))
    assert "The change counts now" in clerk.text and "… 58" in clerk.text
    assert "phone_changed" in {each.kind for each in sent(portal.dritan)}


def test_a_frozen_account_is_released_with_a_letter(portal: RunningKeeper) -> None:
    """Frozen by the link, shown so at the counter, released with a document."""
    with_letter = found(staff(portal, portal.vjosa), ICE)
    page = with_letter.where
    with_letter.post(f"{page}letter", document="id_card")
    visitor().post(link_of(ICE, "letter_given"))
    clerk = found(staff(portal, portal.vjosa), ICE)
    assert "frozen" in clerk.text and "Release the account" in clerk.text
    clerk.post(f"{clerk.where}letter", document="passport")
    assert "The account was released" in clerk.text
    assert "released" in {each.kind for each in sent(ICE)}


def test_children_get_none(portal: RunningKeeper) -> None:
    """The page says why."""
    clerk = found(staff(portal, portal.vjosa), CHILD)
    assert "guardians act for children" in clerk.text and "Print the letter" not in clerk.text


def test_only_officials_who_read_people_enter(portal: RunningKeeper) -> None:
    """For everybody else the pages do not exist; a visit that is over leads back."""
    me = visitor()
    me.post("/sign-in", identifier=portal.arta.number, password=portal.arta.password)
    assert me.get("/counter/account/").status == 404
    assert staff(portal, portal.luan).get("/counter/account/").status == 404
    clerk = staff(portal, portal.vjosa)
    assert "Find the person again" in clerk.get("/counter/account/never-was/").text
    clerk.get("/counter/account/").post(
        "/counter/account/", identifier_type="number", identifier="J55101007H"
    )
    assert clerk.status == 422 and "Nobody has this number" in clerk.text


def test_an_official_is_recovered_by_two(portal: RunningKeeper) -> None:
    """Asked at the counter of another office, agreed to by two administrators, printed once."""
    clerk = found(staff(portal, portal.vjosa), NURA)
    assert "Ask two administrators" in clerk.text
    clerk.post(f"{clerk.where}letter", document="id_card", official="1")
    assert "have been asked" in clerk.text and "0 of 2 agreed" in clerk.text
    first, second = (staff(portal, one) for one in ADMINS)
    for place, one in enumerate((first, second), 1):
        one.get("/decisions")
        assert NURA.name in one.text and "Give an official access again" in one.text
        request = re.search(r"/decisions/([0-9a-f-]{36})", one.text)
        assert request
        one.post(f"/decisions/{request[1]}", answer="yes")
        assert clerk.get("/counter/account/requests").text.count("of 2 agreed") == (1 if place == 1 else 0)
    ready = re.search(r'action="(/counter/account/requests/[^"]+/letter)"', clerk.text)
    assert ready
    clerk.post(ready[1])
    assert re.search(LETTER, clerk.text) and NURA.name in clerk.text
    clerk.post(ready[1])
    assert clerk.status == 422 and "printed already" in clerk.text
