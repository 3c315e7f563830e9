"""The counter over HTTP: three ways to begin, the banner, the end, and what is refused in between."""

import re
from hashlib import sha256

import pytest

from kulla.identity.counter.tests.conftest import LIRI, MIRELA, XHEMAL, Browser, Desk
from kulla.journal.claims import Claims
from kulla.keeper.testkit import Member
from kulla.keeper_client import ClaimsItem
from kulla.record import api as record
from kulla.record.models import Outbox
from kulla.registry import actor, cookie, door
from kulla.services.appointments.models import Practitioner
from kulla.services.appointments.tests.pages import free, inputs, received

pytestmark = pytest.mark.django_db(transaction=True)
PIN = "739184"


def found(clerk: Browser, who: Member, what: str = "health") -> str:
    """The address of a visit of this person."""
    address = clerk.go("/counter/", identifier=who.number, kind="number", what=what)
    assert re.fullmatch(r"/counter/visit/[0-9a-f-]{36}/", address), address
    return address


def signed(desk: Desk, clerk: Browser, who: Member) -> None:
    """Begin by signature."""
    visit = found(clerk, who)
    clerk.go(f"{visit}signature", ask="1")
    desk.answer("assisted_signature", desk.colleague)
    assert clerk.go(f"{visit}signature", begin="1") == "/my"


def book(browser: Browser, doctor: Practitioner) -> str:
    """Book the fifth free time, through the pages as any citizen does. Gives the address of the receipt."""
    held = browser.post("/appointments/choose/", {"time": free(browser, doctor)[5]})
    assert held.status_code == 303, held.content[:800]
    page = browser.html(held["Location"])
    token, _helping = cookie.unpack(browser.cookies[cookie.NAME].value)
    session = door.session_of(token or "")
    assert session is not None
    me = actor.enter(session, token or "", "appointments")
    fields = {"person": str(me.person), "reason": "", "do": "book", **inputs(page)}
    return browser.go("/appointments/book/", **fields)


# Beginning ---------------------------------------------------------------------------------------------


def test_by_code(desk: Desk) -> None:
    clerk = desk.clerk
    visit = found(clerk, LIRI)
    page = clerk.html(visit)
    assert "Liri Dushku" in page and "4 April 1961" in page and LIRI.number not in visit
    assert "Send a code to the phone on record" in page and "has no counter PIN" in page
    assert clerk.go(f"{visit}send") == f"{visit}code"
    assert "wrong, too old" in clerk.refused(f"{visit}code", code="000000")
    assert "six digits" in clerk.refused(f"{visit}code", code="12")
    assert clerk.go(f"{visit}code", code=desk.code(LIRI)) == "/my"
    mine = clerk.html("/my")
    assert "You act for Liri Dushku, who is present." in mine
    assert "Poliklinika Nr. 1, Tiranë" in mine
    assert 'action="/sign-out"' not in mine
    assert "You act for Liri Dushku" in clerk.html("/services"), "on every page"


def test_by_pin_on_the_pad(desk: Desk) -> None:
    mirela = desk.browser(MIRELA)
    page = mirela.html("/my/counter")
    assert "You have no PIN" in page and "Nobody has acted with you" in page
    assert "password is wrong" in mirela.refused("/my/counter", pin=PIN, pin_again=PIN, password="x")
    again = mirela.refused("/my/counter", pin=PIN, pin_again="739185", password=MIRELA.password)
    assert "not the same" in again and PIN not in again, "a PIN is never put back into a page"
    assert mirela.go("/my/counter", pin=PIN, pin_again=PIN, password=MIRELA.password) == "/my/counter?set"
    clerk = desk.clerk
    visit = found(clerk, MIRELA)
    pad = clerk.html(f"{visit}pin")
    assert 'type="password"' in pad and 'inputmode="numeric"' in pad
    assert "Sign out" not in pad, "the pad has no menu of the clerk"
    assert "Poliklinika Nr. 1, Tiranë asks to act with you" in pad and "Mirela Sula" in pad
    wrong = clerk.refused(f"{visit}pin", pin="000002")
    assert "4 tries are left" in wrong and "000002" not in wrong
    assert clerk.go(f"{visit}pin", pin=PIN) == "/my"
    clerk.go("/counter/end")
    after = mirela.html("/my/counter")
    assert "Poliklinika Nr. 1, Tiranë" in after and "with the counter PIN" in after
    assert "helped" in mirela.html("/my/looks") or "counter" in mirela.html("/my/looks")


def test_by_signature_before_a_colleague(desk: Desk) -> None:
    clerk = desk.clerk
    visit = found(clerk, XHEMAL)
    page = clerk.html(visit)
    assert "There is no telephone on record." in page
    sheet = clerk.html(f"{visit}signature")
    number = re.search(r'class="kulla-code">([A-Z2-7]{4}-[A-Z2-7]{4})<', sheet)
    assert number and "Consent to help at the counter" in sheet
    assert "No colleague has confirmed" in clerk.refused(f"{visit}signature", begin="1")
    clerk.go(f"{visit}signature", ask="1")
    assert number[1] in clerk.html(f"{visit}signature")
    decision = desk.answer("assisted_signature", desk.colleague)
    for shown in (number[1], "Xhemal Çoku", "4 April 1961", "Health"):
        assert shown in decision, "the colleague compares it with the document and the sheet"
    assert "has confirmed that the person is here" in clerk.html(f"{visit}signature")
    assert clerk.go(f"{visit}signature", begin="1") == "/my"


def test_nobody_and_nonsense(desk: Desk) -> None:
    clerk = desk.clerk
    fields = {"kind": "number", "what": "any"}
    assert "Nobody has this number" in clerk.refused("/counter/", identifier="J75101123A", **fields)
    page = clerk.refused("/counter/", identifier="<b>12</b>", **fields)
    assert "does not have the right form" in page and "&lt;b&gt;12" in page, "what was typed comes back"
    assert "Enter the number" in clerk.refused("/counter/", identifier="", **fields)
    assert "your own number" in clerk.refused("/counter/", identifier=desk.keeper.vjosa.number, **fields)
    for path in ("", "code", "pin", "signature", "new-pin"):
        gone = clerk.get(f"/counter/visit/0198c000-0000-7000-8000-00000000dead/{path}")
        assert gone.status_code == 409 and "visit is over" in gone.content.decode()


def test_citizens_and_others_have_no_counter(desk: Desk) -> None:
    for who in (MIRELA, desk.keeper.luan):
        browser = desk.browser(who)
        for path in ("/counter/", "/counter/protect", "/counter/finish"):
            assert browser.get(path).status_code == 404, path
    assert desk.clerk.get("/counter/protect").status_code == 404, "protecting is for registrars"


# While it lasts ----------------------------------------------------------------------------------------


def test_what_is_for_the_person_alone(desk: Desk) -> None:
    clerk = desk.clerk
    signed(desk, clerk, XHEMAL)
    for path in ("/my/counter", "/inbox", "/my/sessions", "/my/security"):
        answer = clerk.get(path)
        assert answer.status_code in {403, 404}, (path, answer.status_code)
    assert "This is not done at a counter" in clerk.get("/my/counter").content.decode()
    assert clerk.get("/counter/").status_code == 404, "now it is the citizen's browser"
    clerk.go("/counter/end")


def test_back_to_the_clerks_own_session(desk: Desk) -> None:
    clerk = desk.clerk
    before = clerk.html("/counter/")
    assert "Act with a person who is present" in before
    signed(desk, clerk, XHEMAL)
    held = clerk.cookies[cookie.NAME].value
    token, helping = cookie.unpack(held)
    assert helping is not None and helping.name == "Xhemal Çoku"
    assert "Xhemal" not in held
    assert clerk.go("/counter/end") == "/counter/?ended"
    after = clerk.html("/counter/?ended")
    assert "You are yourself again" in after and "Xhemal" not in after
    assert cookie.unpack(clerk.cookies[cookie.NAME].value)[1] is None
    assert clerk.get("/my").status_code == 404
    assert door.session_of(token or "") is None, "the assisted session has ended"
    old = Browser(raise_request_exception=False, HTTP_HOST="localhost")
    old.cookies[cookie.NAME] = held
    answer = old.get("/my")
    assert answer.status_code == 302 and answer["Location"] == "/counter/?over"


def test_signing_out_leads_back_too(desk: Desk) -> None:
    clerk = desk.clerk
    signed(desk, clerk, XHEMAL)
    assert clerk.go("/sign-out") == "/counter/?over"
    assert clerk.html("/counter/").count("You act for") == 0


def test_a_form_sent_after_the_end_is_not_sent_and_not_carried(desk: Desk) -> None:
    clerk = desk.clerk
    signed(desk, clerk, XHEMAL)
    token, _helping = cookie.unpack(clerk.cookies[cookie.NAME].value)
    door.keeper().end(token or "")
    door.revocations._ended.update(door.keeper().revoked(0)[1])
    answer = clerk.post("/appointments/book/", {"reason": "dhimbje koke"})
    page = answer.content.decode()
    assert answer.status_code == 409 and "You no longer act for this person" in page
    assert "dhimbje" not in page and 'name="carry"' not in page
    assert "Act with a person who is present" in clerk.html("/counter/")


def test_the_clerks_end_is_its_end(desk: Desk) -> None:
    """The clerk's session is ended elsewhere while they act."""
    clerk = desk.browser(desk.keeper.ilir)
    visit = found(clerk, LIRI)
    clerk.go(f"{visit}new-pin", pin="918273", pin_again="918273")
    own, _none = cookie.unpack(clerk.cookies[cookie.NAME].value)
    door.keeper().end(own or "")
    answer = clerk.get(visit)
    assert answer.status_code in {302, 403}


# Paper -------------------------------------------------------------------------------------------------


def test_somebody_without_phone_books_and_takes_paper_home(desk: Desk, clinic: Practitioner) -> None:
    """Through a clerk and a second official; every page of the service is the citizen's own."""
    clerk = desk.clerk
    signed(desk, clerk, XHEMAL)
    nothing = clerk.html("/counter/finish")
    assert "Nothing was recorded in this visit." in nothing
    receipt = book(clerk, clinic)
    row = Outbox.objects.get(kind="appointment.booked")
    entry = row.uuid
    assert receipt == f"/receipts/{entry}/"
    assert "Done at the counter of Poliklinika Nr. 1, Tiranë with you present" in clerk.html(receipt)
    waiting = clerk.html("/counter/finish")
    assert "Being put in safe keeping" in waiting and 'http-equiv="refresh"' in waiting
    assert "Appointment booked" not in waiting, "not before the receipt"
    token, _helping = cookie.unpack(clerk.cookies[cookie.NAME].value)
    assert row.person is not None
    item = ClaimsItem(row.person, "appointments", bytes(row.claims))
    [opened] = door.keeper().open(token or "", [item], "receipt")
    lines = dict(Claims.parse((opened.text or "").encode()).lines)
    assert lines["how"].startswith("Done at the counter of Poliklinika Nr. 1, Tiranë")
    assert sha256((opened.text or "").encode()).digest() == bytes(row.claims_hash), "it is in the leaf"
    received(entry)
    paper = clerk.html("/counter/finish")
    status = record.status(entry)
    assert status and status.check_code and status.check_code in paper
    assert "Appointment booked" in paper and "Xhemal Çoku" in paper
    assert f"/receipts/{entry}/receipt.pdf" in paper and 'http-equiv="refresh"' not in paper
    clerk.go("/counter/end")
    assert "Xhemal" not in clerk.html("/counter/")


def test_the_pages_in_albanian(desk: Desk) -> None:
    clerk = desk.browser(desk.keeper.vjosa, "sq")
    assert 'lang="sq"' in clerk.html("/counter/")
