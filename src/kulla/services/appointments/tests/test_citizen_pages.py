"""The citizen's way over HTTP, with a real keeper: complete without scripts, and deaf to nonsense."""

import re
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kulla.record.models import Outbox
from kulla.registry import door
from kulla.services.appointments import actions, my, people, places
from kulla.services.appointments.models import Appointment, Hold, Practitioner
from kulla.services.appointments.tests.pages import Browser, booked, free, held, received

pytestmark = pytest.mark.django_db(transaction=True)
QUERY_BUDGET = 12
NOBODY = "01900000-0000-7000-8000-00000000dead"  # not random: workers must collect the same tests


def test_from_the_kind_of_care_to_the_receipt(arta: Browser, clinic: Practitioner) -> None:
    """Following the links that each page shows."""
    assert "/appointments/find/gp/" in arta.html("/appointments/")
    assert "Tiranë" in arta.html("/appointments/find/gp/")
    found = arta.get("/appointments/find/gp/", {"q": "shkoder"})
    if found.status_code == 200:
        near = re.search(r'href="(/appointments/find/gp/near/\d+/)"', found.content.decode())
        assert near
        address = near[1]
    else:
        address = found["Location"]
    page = arta.html(address)
    assert "Poliklinika nr. 9" in page and " km" in page
    entry = booked(arta, clinic)
    row = Appointment.objects.get(entry=entry)
    assert row.person == arta.actor.person and row.reason is None
    assert "Poliklinika nr. 9" in arta.html(f"/appointments/{row.id}/")


def test_the_public_pages_need_no_session_and_few_queries(clinic: Practitioner) -> None:
    """Looking is for everyone."""
    tirana = places.search("tirane")[0].id
    for path in (
        "/appointments/",
        "/appointments/find/gp/",
        "/appointments/find/gp/?q=sh",
        f"/appointments/find/gp/near/{tirana}/",
        "/appointments/find/gp/all/?more=1",
        f"/appointments/find/gp/at/{clinic.office_id}/",
        f"/appointments/find/gp/at/{clinic.office_id}/?from=2999-01-01",
        f"/appointments/find/gp/at/{clinic.office_id}/?from=nonsense",
    ):
        with CaptureQueriesContext(connection) as seen:
            response = Client().get(path)
        assert response.status_code == 200, path
        assert len(seen) <= QUERY_BUDGET, (path, len(seen))


@pytest.mark.parametrize(
    "path",
    [
        "/appointments/find/magic/",
        "/appointments/find/gp/near/0/",
        "/appointments/find/gp/near/99999999999999999999/",
        "/appointments/find/dermatology/at/01900000-0000-7000-8000-0000000000a1/",
        f"/appointments/find/gp/at/{NOBODY}/",
    ],
)
def test_unknown_places_and_offices(clinic: Practitioner, path: str) -> None:
    """They are not there, and nothing breaks."""
    assert Client().get(path).status_code == 404


@pytest.mark.parametrize("seconds", ["0", "1", "253402300799", "999999999999", "9" * 40])
def test_a_time_out_of_any_calendar_is_a_sentence(arta: Browser, clinic: Practitioner, seconds: str) -> None:
    """In an address, in a form, and as another time of a form: never a broken page."""
    answers = [
        arta.get(f"/appointments/chosen/{clinic.id}/{seconds}/"),
        arta.post("/appointments/choose/", {"time": f"{clinic.id}.{seconds}"}),
        arta.post("/appointments/choose/", {"practitioner": str(clinic.id), "starts": seconds}),
        arta.post("/appointments/book/", {**held(arta, clinic), "do": f"move.{seconds}"}),
        arta.post("/appointments/book/", {**held(arta, clinic), "starts": seconds}),
    ]
    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []


def test_a_reason_is_sealed(arta: Browser, clinic: Practitioner) -> None:
    """Its words stand nowhere in the tables, and its writer reads them."""
    entry = booked(arta, clinic, reason="dhimbje koke çdo mëngjes")
    row = Appointment.objects.get(entry=entry)
    stored = bytes(row.reason or b"") + Outbox.objects.get(uuid=entry).images.encode()
    assert row.reason and b"dhimbje" not in stored and b"646869" not in stored
    assert "dhimbje koke çdo mëngjes" in arta.html(f"/appointments/{row.id}/")


def test_for_a_child(arta: Browser, clinic: Practitioner) -> None:
    """Named on the form; the appointment is the child's, the booking the mother's."""
    form = held(arta, clinic)
    page = arta.html(f"/appointments/hold/{Hold.objects.get().id}/")
    assert "Besa Hoxha" in page and "Myself" in page
    child = arta.actor.wards[0]
    answer = arta.post("/appointments/book/", {**form, "person": str(child)})
    assert answer.status_code == 303
    row = Appointment.objects.get()
    assert (row.person, row.home, row.booked_by) == (child, child, arta.actor.person)


def test_a_guardian_says_for_whom(arta: Browser, dritan: Browser, clinic: Practitioner) -> None:
    """Nobody is chosen for her, or the child's visit would be the mother's; who has no ward need not choose."""
    booked(arta, clinic, number=2, person=str(arta.actor.person))
    form = held(arta, clinic)
    page = arta.html(f"/appointments/hold/{Hold.objects.get().id}/")
    assert 'type="radio"' in page and "checked" not in page
    assert arta.post("/appointments/book/", {**form, "person": ""}).status_code == 422
    held(dritan, clinic, 7)
    alone = dritan.html(f"/appointments/hold/{Hold.objects.get(person=dritan.actor.person).id}/")
    assert str(dritan.actor.person) in alone


def test_nobody_books_for_a_stranger(arta: Browser, dritan: Browser, clinic: Practitioner) -> None:
    """The pseudonym of someone else is no choice; what was typed stays on the page."""
    for person in (dritan.actor.person, arta.actor.wards[0], uuid4(), "", "x" * 5000):
        form = held(dritan if person != dritan.actor.person else arta, clinic)
        browser = dritan if person != dritan.actor.person else arta
        answer = browser.post(
            "/appointments/book/", {**form, "person": str(person), "reason": "kollë e thatë"}
        )
        assert answer.status_code == 422
        assert "kollë e thatë" in answer.content.decode()
        assert "Choose who the appointment is for" in answer.content.decode()
    assert not Appointment.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("reason", "x" * 501, 422),
        ("starts", "", 422),
        ("starts", "tomorrow", 422),
        ("starts", "9" * 40, 422),
        ("starts", "-1", 422),
        ("starts", "0", 409),
        ("starts", "1", 409),
        ("practitioner", "", 422),
        ("practitioner", "'; DROP TABLE", 422),
        ("practitioner", "00000000-0000-0000-0000-000000000000", 409),
        ("key", "", 422),
        ("key", "1234", 422),
        ("do", "move.", 422),
        ("do", "move.abc", 422),
        ("do", "move.1", 409),
    ],
)
def test_bad_fields(arta: Browser, clinic: Practitioner, field: str, value: str, status: int) -> None:
    """A plain page, everything typed is still there, nothing is booked."""
    form = {**held(arta, clinic), "reason": "fjalë që mbeten"}
    answer = arta.post("/appointments/book/", {**form, field: value})
    text = answer.content.decode()
    assert answer.status_code == status, text[:2000]
    assert "govuk-error-summary" in text
    if field != "reason":
        assert "fjalë që mbeten" in text
    else:
        assert value in text and "501" in text
    assert not Appointment.objects.exists()


def test_bytes_that_are_no_text(arta: Browser, clinic: Practitioner) -> None:
    """Not UTF-8 at all: a plain page."""
    form = held(arta, clinic)
    body = "&".join(f"{name}={value}" for name, value in form.items() if name != "reason").encode()
    for bad in (b"%FF%FE", b"\xff\xfe", b"a%00b"):
        answer = arta.post(
            "/appointments/book/", body + b"&reason=" + bad, content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code == 400 and b"<h1" in answer.content
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("time", ["", "x", "x.y", f"{NOBODY}.", f"{NOBODY}.abc", f"{NOBODY}.1"])
def test_choosing_nonsense(arta: Browser, clinic: Practitioner, time: str) -> None:
    """A sentence and a way on."""
    answer = arta.post("/appointments/choose/", {"time": time})
    assert answer.status_code in {400, 409}
    assert "/appointments/" in answer.content.decode()


def test_repeated_and_reordered_posts(arta: Browser, clinic: Practitioner) -> None:
    """The same form twice is one booking; the other form of the same person is told of it."""
    first = held(arta, clinic)
    second = held(arta, clinic, 8)
    answer = arta.post("/appointments/book/", second)
    again = arta.post("/appointments/book/", second)
    assert answer["Location"] == again["Location"]
    refused = arta.post("/appointments/book/", first)
    assert refused.status_code == 409 and "already a booking of this kind" in refused.content.decode()
    other = arta.post("/appointments/book/", {**second, "starts": first["starts"]})
    assert other.status_code == 409 and "already sent" in other.content.decode()
    assert Appointment.objects.count() == 1


def test_extending_keeps_what_was_typed(arta: Browser, clinic: Practitioner) -> None:
    """More time, same words (WCAG 2.2.1)."""
    form = held(arta, clinic)
    page = arta.post("/appointments/book/", {**form, "reason": "tri ditë temperaturë", "do": "extend"})
    assert page.status_code == 200 and "tri ditë temperaturë" in page.content.decode()
    assert "held for you until" in page.content.decode()


def test_a_stale_hold_still_books_if_the_time_is_free(arta: Browser, clinic: Practitioner) -> None:
    """The hold is a courtesy: a form open since yesterday loses nothing."""
    form = held(arta, clinic)
    Hold.objects.all().delete()
    assert arta.post("/appointments/book/", form).status_code == 303


def test_back_to_a_hold_that_is_gone(arta: Browser, dritan: Browser, clinic: Practitioner) -> None:
    """A sentence and a way on, and the same for a stranger's hold as for one that never was."""
    held(arta, clinic)
    hold = Hold.objects.get()
    theirs = dritan.get(f"/appointments/hold/{hold.id}/")
    gone = dritan.get(f"/appointments/hold/{NOBODY}/")
    assert (theirs.status_code, gone.status_code) == (404, 404)
    for answer in (theirs, gone):
        text = answer.content.decode()
        assert "not held for you any more" in text and 'href="/appointments/"' in text


def test_a_lost_time_offers_the_next_ones(arta: Browser, dritan: Browser, clinic: Practitioner) -> None:
    """And moving there keeps what was typed."""
    form = held(arta, clinic)
    Hold.objects.all().delete()
    taken = held(dritan, clinic)
    assert taken["starts"] == form["starts"]
    dritan.post("/appointments/book/", taken)
    Hold.objects.all().delete()
    page = arta.post("/appointments/book/", {**form, "reason": "vetëm kontroll"})
    text = page.content.decode()
    assert page.status_code == 409 and "vetëm kontroll" in text
    move = re.findall(r'name="do" value="(move\.\d+)"', text)
    assert len(move) == 3
    moved = arta.post("/appointments/book/", {**form, "reason": "vetëm kontroll", "do": move[0]})
    assert moved.status_code == 200 and "vetëm kontroll" in moved.content.decode()


def test_without_a_session_the_time_waits_behind_sign_in(arta: Browser, clinic: Practitioner) -> None:
    """No person and no kind of care in the address; after sign-in one button holds it."""
    visitor = Client()
    answer = visitor.post("/appointments/choose/", {"time": free(visitor, clinic)[3]})
    assert answer.status_code == 303 and answer["Location"].startswith(
        "/sign-in?next=%2Fappointments%2Fchosen"
    )
    from urllib.parse import unquote

    after = unquote(answer["Location"].partition("next=")[2])
    assert "gp" not in after.split("/")
    page = arta.html(after)
    time = re.search(r'name="time" value="([^"]+)"', page)
    assert time and arta.post("/appointments/choose/", {"time": time[1]}).status_code == 303


def test_every_address_of_an_appointment_is_the_persons_alone(
    arta: Browser, dritan: Browser, vjosa: Browser, clinic: Practitioner
) -> None:
    """For a stranger, for nobody and for an official in the citizen's pages it does not exist."""
    form = held(arta, clinic)
    hold = f"/appointments/hold/{Hold.objects.get().id}/"
    assert dritan.get(hold).status_code == 404
    assert vjosa.get(hold).status_code == 404
    assert arta.get(hold).status_code == 200
    arta.post("/appointments/book/", form)
    row = Appointment.objects.get()
    for path in (
        f"/appointments/{row.id}/",
        f"/appointments/{row.id}/cancel/",
        f"/appointments/{row.id}/calendar.ics",
    ):
        assert arta.get(path).status_code == 200
        for other in (dritan, vjosa):
            assert other.get(path).status_code == 404, path
        assert Client().get(path)["Location"].startswith("/sign-in")
        assert arta.get(path.replace(str(row.id), str(uuid4()))).status_code == 404
    assert dritan.post(f"/appointments/{row.id}/cancel/").status_code == 404
    assert Client().post(f"/appointments/{row.id}/cancel/").status_code in {302, 303, 403}
    row.refresh_from_db()
    assert row.status == "booked"


def test_cancelling(arta: Browser, clinic: Practitioner) -> None:
    """A page that says what follows, then a receipt of its own; twice is once."""
    row = Appointment.objects.get(entry=booked(arta, clinic))
    assert "someone else can have this time" in arta.html(f"/appointments/{row.id}/cancel/")
    answer = arta.post(f"/appointments/{row.id}/cancel/")
    assert answer.status_code == 303 and answer["Location"] != f"/receipts/{row.entry}/"
    assert arta.post(f"/appointments/{row.id}/cancel/")["Location"] == answer["Location"]
    assert arta.get(f"/appointments/{row.id}/calendar.ics").status_code == 404
    assert "cancelled" in arta.html(f"/appointments/{row.id}/")


def test_what_is_done_for_a_child_says_so_and_shows_the_rule(arta: Browser, clinic: Practitioner) -> None:
    """The cancelled appointment names no guardian: who it was the keeper tells the other one."""
    child = str(arta.actor.wards[0])
    row = Appointment.objects.get(entry=booked(arta, clinic, person=child))
    assert "either guardian may book" in arta.html(f"/appointments/{row.id}/")
    assert "either guardian may book" in arta.html(f"/appointments/{row.id}/cancel/")
    arta.post(f"/appointments/{row.id}/cancel/")
    page = arta.html(f"/appointments/{row.id}/")
    assert "cancelled by someone who acts for the person" in page
    assert "Somebody else who may act here" not in page
    Hold.objects.all().delete()
    other = replace(arta.actor, person=uuid4())  # a guardian whom this portal does not know as Arta
    entry = actions.book(
        actor=other, person=arta.actor.wards[0], practitioner=clinic.id, starts_at=row.starts_at, key=uuid4(),
        now=people.now(),
    )  # fmt: skip
    again = Appointment.objects.get(entry=entry)
    assert "Somebody else who may act here booked it" in arta.html(f"/appointments/{again.id}/")


def test_the_calendar_file(arta: Browser, clinic: Practitioner) -> None:
    """UTC instants, and not a word about the kind of care."""
    row = Appointment.objects.get(entry=booked(arta, clinic))
    response = arta.get(f"/appointments/{row.id}/calendar.ics")
    text = response.content.decode()
    assert f"DTSTART:{row.starts_at:%Y%m%dT%H%M%SZ}" in text and "Poliklinika nr. 9" in text
    assert "General" not in text and "Besa Kola" not in text and "gp" not in response["Content-Disposition"]
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n")) and text.endswith("END:VCALENDAR\r\n")
    assert response["Cache-Control"] == "no-store"


def test_from_the_receipt_to_what_can_still_be_done(
    arta: Browser, dritan: Browser, vjosa: Browser, ilir: Browser, clinic: Practitioner
) -> None:
    """The person to the appointment, the office to its own page of it, everyone else nowhere; once cancelled, none."""
    entry = booked(arta, clinic)
    row = Appointment.objects.get(entry=entry)
    assert my.manage(arta.actor, entry) == f"/appointments/{row.id}/"
    assert my.manage(vjosa.actor, entry) == f"/reception/appointment/{row.id}/"
    assert my.manage(dritan.actor, entry) is None and my.manage(ilir.actor, entry) is None
    assert f'href="/appointments/{row.id}/"' not in arta.html(
        f"/receipts/{entry}/"
    )  # not before it is received
    received(entry)
    assert f'href="/appointments/{row.id}/"' in arta.html(f"/receipts/{entry}/")
    arta.post(f"/appointments/{row.id}/cancel/")
    assert my.manage(arta.actor, entry) is None


def test_what_is_not_received_is_not_called_booked(arta: Browser, clinic: Practitioner) -> None:
    """Neither on its own page nor on the page that cancels it, and there is no calendar file to take along."""
    entry = booked(arta, clinic)
    row = Appointment.objects.get(entry=entry)
    own, cancel = f"/appointments/{row.id}/", f"/appointments/{row.id}/cancel/"
    for page in (arta.html(own), arta.html(cancel)):
        assert "booked" not in page and "calendar.ics" not in page
    assert "not yet confirmed" in arta.html(own)
    received(entry)
    assert "booked" in arta.html(own) and "calendar.ics" in arta.html(own)


def test_no_address_of_a_booking_names_the_kind_of_care(arta: Browser, clinic: Practitioner) -> None:
    """From the hold on."""
    answer = arta.post("/appointments/choose/", {"time": free(arta, clinic)[5]})
    page = arta.html(answer["Location"])
    assert not re.search(r"/(gp|dentist)/", answer["Location"])
    assert re.search(r'action="/appointments/book/"', page)


def test_budget_of_queries_for_the_citizen(arta: Browser, clinic: Practitioner) -> None:
    """Each page, and the booking itself: begin, open, insert, outbox, commit on PostgreSQL."""
    form = held(arta, clinic)
    with CaptureQueriesContext(connection) as seen:
        arta.post("/appointments/book/", form)
    limit = 5 if connection.vendor == "postgresql" else 12
    assert len(seen) <= limit, [query["sql"][:80] for query in seen]
    row = Appointment.objects.get()
    for path in (f"/appointments/{row.id}/", f"/appointments/{row.id}/cancel/", "/appointments/"):
        with CaptureQueriesContext(connection) as seen:
            arta.html(path)
        assert len(seen) <= QUERY_BUDGET, (path, len(seen))


def test_my_page_and_the_notice(arta: Browser, clinic: Practitioner, tokens: dict[str, Any]) -> None:
    """The appointment is listed; the notice goes out once received and names no kind of care."""
    entry = booked(arta, clinic)
    row = Appointment.objects.get(entry=entry)
    assert f"/appointments/{row.id}/" in arta.html("/my")
    received(entry)
    notices = [n for n in door.keeper().inbox(tokens["arta"].token) if n.template == "booked"]
    assert notices and "Poliklinika nr. 9" in notices[0].body
    assert "mjek" not in (notices[0].subject + notices[0].body).lower()


def test_the_keeper_away(arta: Browser, clinic: Practitioner, keeper: Any) -> None:
    """Booking goes on with the tickets minted ahead; a reason waits; nothing typed is lost."""
    second = held(arta, clinic, 9)
    me = arta.actor.person
    assert me is not None
    if not arta.actor._tickets.get(me):
        arta.actor.ticket(me)  # mints two and takes one
    keeper.stop()
    try:
        answer = arta.post("/appointments/book/", {**second, "reason": "sytë më djegin"})
        text = answer.content.decode()
        assert answer.status_code == 503 and "sytë më djegin" in text and "Without a reason" in text
        assert arta.post("/appointments/book/", second).status_code == 303
    finally:
        keeper.start()
    assert Appointment.objects.get().person == me
