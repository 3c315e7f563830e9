"""The reception over HTTP, with a real keeper: its own office only, names through grants, and plain refusals."""

import re
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kulla.record import api as record
from kulla.registry import door
from kulla.services.appointments import actions, desks, people, queries
from kulla.services.appointments.models import Appointment, Practitioner, Status
from kulla.services.appointments.tests.pages import Browser, booked, inputs, received
from kulla.services.appointments.times import Hours

pytestmark = pytest.mark.django_db(transaction=True)
QUERY_BUDGET = 12


def today_row(arta: Browser, clinic: Practitioner, reason: str = "") -> Appointment:
    """Arta's appointment, moved to the coming minutes of today or tomorrow; received."""
    row = Appointment.objects.get(entry=booked(arta, clinic, 0, reason=reason))
    received(row.entry)
    return row


def test_the_days_list_shows_names_through_the_grant(
    arta: Browser, vjosa: Browser, clinic: Practitioner
) -> None:
    """Received: name and reason, one keeper call; not received: marked and without a name."""
    waiting = Appointment.objects.get(entry=booked(arta, clinic, 0, reason="kollë"))
    path = f"/reception/day/{waiting.wall_date}/"
    page = vjosa.html(path)
    assert "not yet confirmed" in page and "Arta Hoxha" not in page
    received(waiting.entry)
    page = vjosa.html(path)
    assert "not yet confirmed" not in page
    if waiting.wall_date == queries.today(people.now()):
        assert "Arta Hoxha" in page and "kollë" in page
        looks = door.keeper().looked_at_me(arta.actor.token)
        assert looks and looks[0].role == "receptionist" and looks[0].purpose == "day list"


def test_names_of_another_day_cost_and_say_so(arta: Browser, vjosa: Browser, clinic: Practitioner) -> None:
    """Nothing is opened by looking at the page; the button opens."""
    row = Appointment.objects.get(entry=booked(arta, clinic, 0))
    received(row.entry)
    other = row.wall_date + timedelta(days=3)
    free = (
        queries.free_days([desk], other, 1, people.now())[clinic.id]
        if (desk := desks.desk(clinic.id))
        else []
    )
    actions.cancel(actor=arta.actor, appointment=row, reason=_by_person(), now=people.now())
    entry = actions.book(
        actor=arta.actor, person=arta.actor.person, practitioner=clinic.id, starts_at=free[0].slots[5].starts_at,
        key=uuid4(), now=people.now(),
    )  # type: ignore[arg-type]  # fmt: skip
    received(entry)
    before = len(door.keeper().looked_at_me(arta.actor.token))
    page = vjosa.html(f"/reception/day/{other}/")
    assert "would cost 10" in page and "Arta Hoxha" not in page
    assert len(door.keeper().looked_at_me(arta.actor.token)) == before
    opened = vjosa.post(f"/reception/day/{other}/").content.decode()
    assert "Arta Hoxha" in opened
    assert len(door.keeper().looked_at_me(arta.actor.token)) == before + 1


def _by_person() -> Any:
    from kulla.services.appointments.models import CancelReason

    return CancelReason.BY_PERSON


def test_every_address_of_the_reception_is_its_offices_alone(
    arta: Browser, vjosa: Browser, ilir: Browser, clinic: Practitioner
) -> None:
    """For another office and for citizens it does not exist."""
    row = Appointment.objects.get(entry=booked(arta, clinic))
    seconds = int(row.starts_at.timestamp())
    gets = [
        f"/reception/appointment/{row.id}/", f"/reception/appointment/{row.id}/cancel/",
        f"/reception/book/{clinic.id}/", f"/reception/book/{clinic.id}/{seconds}/", f"/reception/hours/{clinic.id}/",
    ]  # fmt: skip
    for path in gets:
        assert vjosa.get(path).status_code == 200, path
        assert ilir.get(path).status_code == 404, path
        assert arta.get(path).status_code == 404, path
    posts = [f"/reception/appointment/{row.id}/{what}/" for what in ("arrived", "no-show", "cancel")]
    posts += [f"/reception/book/{clinic.id}/{seconds}/", f"/reception/hours/{clinic.id}/"]
    for path in posts:
        assert ilir.post(path, {"reason": "away"}).status_code == 404, path
        assert arta.post(path, {"reason": "away"}).status_code == 404, path
    for path in ("/reception/", "/reception/book/", "/reception/hours/"):
        assert arta.get(path).status_code == 404, path
        assert "Arta" not in ilir.html(path)
    row.refresh_from_db()
    assert row.status == "booked"


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "2026-1-1", "0000-00-00", "9" * 50])
def test_days_that_do_not_exist(vjosa: Browser, clinic: Practitioner, day: str) -> None:
    """They are not there."""
    assert vjosa.get(f"/reception/day/{day}/").status_code == 404


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-11-20"])
def test_days_at_the_ends_of_time(vjosa: Browser, clinic: Practitioner, day: str) -> None:
    """Empty days, and no crash where no day comes after."""
    assert "No appointments" in vjosa.html(f"/reception/day/{day}/")


def phone_form(vjosa: Browser, clinic: Practitioner) -> tuple[str, dict[str, str]]:
    """The address and the hidden fields of the form for the doctor's sixth free time."""
    times = vjosa.html(f"/reception/book/{clinic.id}/")
    path = re.findall(rf'href="(/reception/book/{clinic.id}/\d+/)"', times)[5]
    return path, inputs(vjosa.html(path))


def test_booking_by_telephone(vjosa: Browser, arta: Browser, clinic: Practitioner, keeper: Any) -> None:
    """By number; twice is once; the caller sees it on her page; the number stands in no table."""
    path, form = phone_form(vjosa, clinic)
    sent = {**form, "number": keeper.arta.number.lower(), "reason": "kontroll"}
    answer = vjosa.post(path, sent)
    assert answer.status_code == 303, answer.content.decode()[:2000]
    again = vjosa.post(path, sent)
    assert again["Location"] == answer["Location"]
    row = Appointment.objects.get()
    assert (row.person, row.booked_by, row.channel) == (arta.actor.person, keeper.office_1, "phone")
    assert "by telephone" in vjosa.html(f"/reception/day/{row.wall_date}/")
    assert f"/appointments/{row.id}/" in arta.html("/my")
    assert keeper.arta.number not in answer["Location"] + str(vars(row))


def test_the_new_booking_looks_again_until_it_has_its_code(
    vjosa: Browser, clinic: Practitioner, keeper: Any
) -> None:
    """The clerk reads the check code to the caller without pressing anything."""
    path, form = phone_form(vjosa, clinic)
    address = vjosa.post(path, {**form, "number": keeper.arta.number})["Location"]
    page = vjosa.html(address)
    assert f'hx-get="{address}"' in page and 'http-equiv="refresh"' in page and "Check code" not in page
    received(Appointment.objects.get().entry)
    page = vjosa.html(address)
    assert "hx-get" not in page and "Check code" in page


def test_what_someone_has_elsewhere_is_not_told(
    vjosa: Browser, ilir: Browser, arta: Browser, clinic: Practitioner, keeper: Any
) -> None:
    """Another office learns neither where nor when; the person's own office does."""
    booked(arta, clinic)
    hours = tuple(Hours(day, 0, 1440, 20, date(2020, 1, 1)) for day in range(7))
    actions.open_office(
        actor="job:demo",
        office=actions.OfficeData(
            keeper.office_2, "Spitali i Shkodrës", "hospital", "Shkodër", 42_068_000, 19_512_000
        ),
        practitioners=[actions.PractitionerData("Dr. Teuta Gjoka", "gp", hours)],
    )
    there = Practitioner.objects.get(office=keeper.office_2)
    for browser, doctor, told in ((ilir, there, False), (vjosa, clinic, True)):
        path, form = phone_form(browser, doctor)
        answer = browser.post(path, {**form, "number": keeper.arta.number})
        text = answer.content.decode().partition("govuk-error-summary")[2].partition("<h1")[0]
        assert answer.status_code == 409
        assert ("Poliklinika nr. 9" in text) is told and ("elsewhere" in text) is not told


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("", "Enter the identity number"),
        ("12", "ten letters and digits"),
        ("x" * 3000, "ten letters and digits"),
        ("çë<script>", "ten letters and digits"),
        ("J55101042K", "Nobody has this number"),
        ("AAAAAAAAAA", "no identity number"),
    ],
)
def test_numbers_that_find_nobody(vjosa: Browser, clinic: Practitioner, number: str, sentence: str) -> None:
    """A plain sentence, and the reason that was typed stays."""
    path, form = phone_form(vjosa, clinic)
    answer = vjosa.post(path, {**form, "number": number, "reason": "dhimbje veshi"})
    text = answer.content.decode()
    assert answer.status_code in {409, 422} and sentence in text and "dhimbje veshi" in text
    assert not Appointment.objects.exists()


def test_a_form_cannot_book_another_offices_doctor(ilir: Browser, clinic: Practitioner, keeper: Any) -> None:
    """The address decides, not a hidden field."""
    form = {"practitioner": str(clinic.id), "starts": "1", "key": str(uuid4()), "number": keeper.arta.number}
    assert ilir.post(f"/reception/book/{uuid4()}/1/", form).status_code == 404
    assert not Appointment.objects.exists()


def test_arrived_over_http(arta: Browser, vjosa: Browser, clinic: Practitioner) -> None:
    """On the day; a second click changes nothing; too early gets a sentence."""
    row = today_row(arta, clinic)
    answer = vjosa.post(f"/reception/appointment/{row.id}/no-show/")
    assert answer.status_code == 409 and "only after" in answer.content.decode()
    if row.wall_date == queries.today(people.now()):
        for _ in range(2):
            assert vjosa.post(f"/reception/appointment/{row.id}/arrived/").status_code == 303
        row.refresh_from_db()
        assert row.status == Status.ARRIVED
    assert vjosa.get(f"/reception/appointment/{row.id}/arrived/").status_code == 405


def test_an_office_cancels_with_a_notice(
    arta: Browser, vjosa: Browser, clinic: Practitioner, tokens: dict[str, Any]
) -> None:
    """It must say why; the person reads where and when."""
    row = today_row(arta, clinic)
    page = vjosa.post(f"/reception/appointment/{row.id}/cancel/", {"reason": "because"})
    assert page.status_code == 422 and "Choose why" in page.content.decode()
    assert vjosa.post(f"/reception/appointment/{row.id}/cancel/", {"reason": "away"}).status_code == 303
    row.refresh_from_db()
    assert (row.status, row.cancel_reason) == ("cancelled", "away")
    received(row.last_entry)
    newest = [n for n in door.keeper().inbox(tokens["arta"].token) if n.template == "cancelled"]
    assert newest and "Poliklinika nr. 9" in newest[0].body


def hours_form(vjosa: Browser, clinic: Practitioner, **given: str) -> dict[str, str]:
    """The form of weekly hours: mornings on weekdays, from tomorrow on."""
    day = queries.today(people.now()) + timedelta(days=1)
    form = inputs(vjosa.html(f"/reception/hours/{clinic.id}/"))
    form |= {f"day_{n}": "08:00-12:00, 13-16:30" if n < 5 else "" for n in range(7)}
    form |= {"slot_minutes": "30", "valid_from_0": str(day.day), "valid_from_1": str(day.month),
             "valid_from_2": str(day.year)}  # fmt: skip
    return form | given


def test_hours_are_shown_before_they_are_saved(arta: Browser, vjosa: Browser, clinic: Practitioner) -> None:
    """The preview names appointments outside; saving changes what is offered; twice is once."""
    path = f"/reception/hours/{clinic.id}/"
    form = hours_form(vjosa, clinic)
    page = vjosa.post(path, {**form, "do": "preview"}).content.decode()
    assert "What would be offered" in page and "Save these hours" in page
    assert Practitioner.objects.get(id=clinic.id).grid == 1
    for _ in range(2):
        assert vjosa.post(path, {**form, "do": "save"}).status_code == 303
    assert Practitioner.objects.get(id=clinic.id).grid == 2
    assert "Saved" in vjosa.html(f"{path}?saved=1")
    stale = vjosa.post(path, {**form, "key": str(uuid4()), "do": "save"})
    assert stale.status_code == 409 and "Someone else has changed" in stale.content.decode()


@pytest.mark.parametrize(
    "given",
    [
        {"day_0": "morning"},
        {"day_0": "12:00-08:00"},
        {"day_0": "08:00-25:00"},
        {"day_0": "08:00-12:00, 11:00-13:00"},
        {"day_0": "08:61-09:00"},
        {"day_0": "x" * 300},
        {"slot_minutes": "0"},
        {"slot_minutes": "many"},
        {"valid_from_0": "31", "valid_from_1": "2"},
        {"valid_from_2": "2020"},
        {"valid_from_2": "9999"},
        {"valid_from_0": ""},
        {"grid": "x"},
        {"key": ""},
    ],
)
def test_bad_hours_over_http(vjosa: Browser, clinic: Practitioner, given: dict[str, str]) -> None:
    """A plain sentence, what was typed stays, nothing changes."""
    answer = vjosa.post(f"/reception/hours/{clinic.id}/", hours_form(vjosa, clinic, **given) | {"do": "save"})
    text = answer.content.decode()
    assert answer.status_code in {409, 422} and "govuk-error-summary" in text
    assert "13-16:30" in text
    assert Practitioner.objects.get(id=clinic.id).grid == 1


def test_budget_of_queries_for_the_reception(arta: Browser, vjosa: Browser, clinic: Practitioner) -> None:
    """Each page, however many appointments."""
    row = today_row(arta, clinic)
    for path in (
        "/reception/", f"/reception/day/{row.wall_date}/", "/reception/book/", f"/reception/book/{clinic.id}/",
        "/reception/hours/", f"/reception/hours/{clinic.id}/", f"/reception/appointment/{row.id}/",
    ):  # fmt: skip
        with CaptureQueriesContext(connection) as seen:
            vjosa.html(path)
        assert len(seen) <= QUERY_BUDGET, (path, len(seen))


def test_the_status_of_entries_is_known(arta: Browser, clinic: Practitioner) -> None:
    """Waiting first, then received: what the pages show comes from the record."""
    entry = booked(arta, clinic)
    waiting = record.status(entry)
    assert waiting is not None and waiting.status == "waiting"
    received(entry)
    done = record.status(entry)
    assert done is not None and done.status == "received" and done.check_code
