"""What answers each act of this service after an attacker's stay; read from the outbox, as before any journal."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from kulla.record import api as record
from kulla.record import sequencer
from kulla.record.models import Outbox
from kulla.record.undoing import about, scan
from kulla.services.appointments import actions, people
from kulla.services.appointments.models import Appointment, CancelReason, Office, Practitioner, WeeklyHours
from kulla.services.appointments.tests.conftest import NOW, TODAY, Book, Someone, at, make_office
from kulla.services.appointments.times import Hours

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "now", lambda: NOW)


def act_of(entry: UUID, tmp_path: Any) -> record.Act:
    """The act as the pass over the journal finds it."""
    path = tmp_path / f"{entry}.sqlite3"
    path.unlink(missing_ok=True)
    scratch = scan.Scratch(path, lambda payload: payload.uuid == entry)
    for payload in sequencer.waiting():
        scratch.add(payload, None)
    (act,) = scratch.open_acts()
    scratch.close()
    return act


def answer(entry: UUID, tmp_path: Any) -> record.Entry:
    """Answer an act in an entry of the declared kind."""
    act = act_of(entry, tmp_path)
    kind, function = about.of(act.kind)
    with record.entry(
        kind, key=record.entry_id(entry, "undo"), person=act.person, actor="job:undo"
    ) as opened:
        assert function(act, opened).endswith(".")
    return opened


def test_a_booking_is_cancelled_and_the_person_told(book: Book, mother: Someone, tmp_path: Any) -> None:
    entry = book(mother)
    opened = answer(entry, tmp_path)
    row = Appointment.objects.get(entry=entry)
    assert (row.status, row.cancel_reason, row.last_entry) == ("cancelled", "undone", opened.uuid)
    told, given = opened.after[-1].arguments, [effect.name for effect in opened.after]
    assert given == ["revoke_grant", "notify"]
    assert (told["template"], told["person"]) == ("undone", mother.person)
    assert book(mother) != entry, "the time and the person are free again"


def test_a_cancelled_appointment_stands_again(book: Book, mother: Someone, tmp_path: Any) -> None:
    first = book(mother)
    row = Appointment.objects.get(entry=first)
    entry = actions.cancel(actor=mother, appointment=row, reason=CancelReason.BY_PERSON, now=NOW)
    opened = answer(entry, tmp_path)
    row.refresh_from_db()
    assert (row.status, row.cancel_reason, row.last_entry) == ("booked", "", opened.uuid)
    assert [effect.arguments["template"] for effect in opened.after] == ["restored"]


def test_a_time_that_was_given_away_or_has_passed_is_left(
    book: Book, mother: Someone, stranger: Someone, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Appointment.objects.get(entry=book(mother))
    entry = actions.cancel(actor=mother, appointment=row, reason=CancelReason.BY_PERSON, now=NOW)
    again = book(mother, "2026-11-24 10:00")  # the person has another appointment of this kind by now
    with pytest.raises(record.Left, match="another appointment"):
        answer(entry, tmp_path)
    answer(again, tmp_path)
    book(stranger)
    with pytest.raises(record.Left, match="someone else has this time"):
        answer(entry, tmp_path)
    monkeypatch.setattr(people, "now", lambda: NOW + timedelta(days=9))
    with pytest.raises(record.Left, match="has passed"):
        answer(entry, tmp_path)
    row.refresh_from_db()
    assert row.status == "cancelled"


def test_what_the_reception_marked_is_as_before(
    book: Book, mother: Someone, clerk: Someone, tmp_path: Any
) -> None:
    row = Appointment.objects.get(entry=book(mother, "2026-11-23 10:00"))
    entry = actions.arrived(actor=clerk, appointment=row, now=at("2026-11-23 09:50"))
    answer(entry, tmp_path)
    row.refresh_from_db()
    assert row.status == "booked"
    entry = actions.no_show(actor=clerk, appointment=row, now=at("2026-11-23 10:30"))
    answer(entry, tmp_path)
    row.refresh_from_db()
    assert row.status == "booked"


def test_hours_hold_as_before(doctor: Practitioner, clerk: Someone, tmp_path: Any) -> None:
    def hours() -> list[tuple[object, ...]]:
        names = ("weekday", "start_minute", "end_minute", "slot_minutes", "valid_from", "valid_to", "home")
        return sorted(WeeklyHours.objects.filter(practitioner=doctor).values_list(*names), key=repr)

    before = hours()
    later = TODAY + timedelta(days=30)
    actions.set_hours(
        actor=clerk,
        practitioner=doctor.id,
        weekly=[Hours(0, 600, 660, 20, later)],
        valid_from=later,
        grid=1,
        key="x",
    )
    honest = hours()
    entry = actions.set_hours(
        actor=clerk,
        practitioner=doctor.id,
        weekly=[Hours(6, 0, 1440, 5, TODAY)],
        valid_from=TODAY,
        grid=2,
        key="y",
    )
    assert hours() != honest != before
    answer(entry, tmp_path)
    assert hours() == honest
    assert Practitioner.objects.get(id=doctor.id).grid == 4, "bookings of the false hours must not pass"


def test_an_office_that_was_opened_is_gone(transactional_db: None, tmp_path: Any) -> None:
    make_office()
    entry = Outbox.objects.get(kind="office.opened").uuid
    answer(entry, tmp_path)
    assert (
        not Office.objects.exists() and not Practitioner.objects.exists() and not WeeklyHours.objects.exists()
    )


def test_a_job_and_an_answer_are_left() -> None:
    for kind in ("appointment.ended", "appointment.undone", "nobody.knows"):
        with pytest.raises(record.Left):
            about.of(kind)
