"""Protected persons over HTTP: two registrars, the reception's list, and a release."""

import re

import pytest
from django.urls import reverse

from kulla.identity.counter.tests.conftest import LIRI, MIRELA, REGISTRARS, Browser, Desk
from kulla.identity.counter.tests.test_visit import found
from kulla.registry import actor, cookie, door
from kulla.services.appointments.models import Appointment, Practitioner
from kulla.services.appointments.tests import pages

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def protected(desk: Desk) -> None:
    """Mirela is protected, and Liri is told; done once a run."""
    if any(sent.kind == "protected_set" for sent in door.keeper().demo_outbox(MIRELA.number)):
        return
    first, second = (desk.browser(each) for each in REGISTRARS)
    fields = {"identifier": MIRELA.number, "kind": "number", "contact": LIRI.number}
    missing = first.refused("/counter/protect", **fields)
    assert "This field is required" not in missing and MIRELA.number in missing, "what was typed comes back"
    page = first.post("/counter/protect", {**fields, "reason": "violence"})
    assert page.status_code == 200 and "A second registrar has been asked" in page.content.decode()
    desk.answer("protect", second)


def test_two_registrars(desk: Desk, protected: None) -> None:
    kinds = [sent.kind for sent in door.keeper().demo_outbox(LIRI.number)]
    assert "protected_set" in kinds


def test_the_reception_shows_the_row_and_asks(desk: Desk, protected: None, clinic: Practitioner) -> None:
    """The other rows stay as they are."""
    mirela, arta, clerk = desk.browser(MIRELA), desk.browser(desk.keeper.arta), desk.clerk
    for browser, number in ((mirela, 5), (arta, 6)):
        visitor = _citizen(browser)
        pages.received(pages.booked(visitor, clinic, number))
    rows = {row.person: row for row in Appointment.objects.all()}
    assert len(rows) == 2
    day = reverse("appointments:reception-day", args=[next(iter(rows.values())).wall_date.isoformat()])
    listed = clerk.get("/reception/").content.decode()
    if "Arta Hoxha" not in listed:  # late in the evening the next free times are tomorrow's
        listed = clerk.post(day).content.decode()
    assert "Arta Hoxha" in listed and "Mirela" not in listed
    assert "Protected person" in listed and "Ask for release" in listed
    form = dict(
        re.findall(r'<input type="hidden" name="(person|service|purpose|back)" value="([^"]*)"', listed)
    )
    asked = clerk.post("/counter/release", form)
    assert asked.status_code == 200 and "has been asked" in asked.content.decode()
    before = [sent.kind for sent in door.keeper().demo_outbox(LIRI.number)].count("protected_looked")
    desk.answer("protected_look", desk.colleague)
    again = clerk.get(form["back"]).content.decode()
    if "Arta Hoxha" not in again:
        again = clerk.post(day).content.decode()
    assert "Mirela Sula" in again
    after = [sent.kind for sent in door.keeper().demo_outbox(LIRI.number)].count("protected_looked")
    assert after > before, "the contact is told at once"
    assert "Protected person" in desk.colleague.post(day).content.decode(), "for one official only"


def test_nonsense_in_the_question(desk: Desk) -> None:
    clerk = desk.clerk
    fields = {"person": "x", "service": "appointments", "purpose": "day list", "back": "//evil.example/"}
    assert clerk.post("/counter/release", fields).status_code == 404
    fields["person"] = "0198c000-0000-7000-8000-00000000dead"
    assert clerk.post("/counter/release", fields).status_code == 404
    assert clerk.get("/counter/release").status_code == 405


def test_the_counter_shows_no_name(desk: Desk, protected: None) -> None:
    clerk = desk.clerk
    visit = found(clerk, MIRELA)
    page = clerk.html(visit)
    assert "Protected person" in page and "Mirela" not in page and "Send a code" not in page
    assert "1961" not in page
    clerk.go(f"{visit}release")
    assert "has been asked to release" in clerk.html(visit)
    desk.answer("protected_look", desk.colleague)
    assert "Mirela Sula" in clerk.html(visit)


def _citizen(browser: Browser) -> pages.Browser:
    made = pages.Browser()
    made.cookies["language"] = "en"
    made.cookies[cookie.NAME] = browser.cookies[cookie.NAME].value
    token, _helping = cookie.unpack(browser.cookies[cookie.NAME].value)
    session = door.session_of(token or "")
    assert session is not None
    made.actor = actor.enter(session, token or "", "appointments")
    return made
