"""One time has one appointment, whoever asks, however often, at once or after a change of hours."""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from kulla.keeper_client import Ticket
from kulla.record import api as record
from kulla.record.models import Outbox
from kulla.registry.actor import Actor
from kulla.services.appointments import actions, desks, queries, refusals
from kulla.services.appointments.models import (
    Appointment,
    CancelReason,
    Hold,
    Practitioner,
    Status,
    WeeklyHours,
)
from kulla.services.appointments.tests.conftest import (
    MORNINGS,
    NOW,
    OFFICE,
    TODAY,
    Book,
    Someone,
    at,
    someone,
)
from kulla.services.appointments.times import Hours

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_booking_is_one_row_and_one_entry(book: Book, mother: Someone, doctor: Practitioner) -> None:
    """Instant, zone and wall time are kept; home is the person."""
    entry = book(mother)
    row = Appointment.objects.get(entry=entry)
    assert (row.home, row.person, row.booked_by) == (mother.person, mother.person, mother.person)
    assert (row.starts_at, row.zone, row.wall_date, row.wall_minute, row.minutes) == (
        at("2026-11-24 09:00"), "Europe/Tirane", date(2026, 11, 24), 540, 20,
    )  # fmt: skip
    assert (row.office_id, row.practitioner_id, row.status) == (OFFICE, doctor.id, "booked")
    waiting = Outbox.objects.get(uuid=entry)
    assert (waiting.kind, waiting.person, waiting.office) == ("appointment.booked", mother.person, OFFICE)
    assert '"grant"' in waiting.effects and '"notify"' in waiting.effects


def test_the_notice_and_the_effects_name_no_kind_of_care(book: Book, mother: Someone) -> None:
    """Where and when, in both languages."""
    effects = Outbox.objects.get(uuid=book(mother)).effects.lower()
    assert "practitioner" not in effects and "mjek" not in effects
    assert (
        "poliklinika nr. 9" in effects and "24 november 2026" in effects and "24 n\\u00ebntor 2026" in effects
    )


def test_the_same_form_books_once(book: Book, mother: Someone) -> None:
    """The second sending finds the first one's entry."""
    key = uuid4()
    entry = book(mother, key=key)
    for wall in ("2026-11-24 09:00", "2026-11-24 10:00"):
        with pytest.raises(record.AlreadyRecorded) as before:
            book(mother, wall, key=key)
        assert before.value.uuid == entry
    assert Appointment.objects.count() == 1


def test_a_taken_time_is_refused_with_the_next_ones(book: Book, mother: Someone, stranger: Someone) -> None:
    """Nothing is written, and the sentence is plain."""
    book(mother)
    outbox = Outbox.objects.count()
    with pytest.raises(refusals.Taken) as refused:
        book(stranger)
    assert refused.value.free[0].starts_at == at("2026-11-24 09:20")
    assert "Someone else" in refused.value.sentence or "Dikush" in refused.value.sentence
    assert (Appointment.objects.count(), Outbox.objects.count()) == (1, outbox)


def test_one_booking_a_person_and_kind(book: Book, mother: Someone, children_doctor: Practitioner) -> None:
    """Another kind of care is fine, another person too."""
    book(mother)
    with pytest.raises(refusals.AlreadyHas):
        book(mother, "2026-11-25 09:00")
    book(mother, "2026-11-25 09:00", practitioner=children_doctor.id)
    book(mother, "2026-11-25 09:00", person=mother.wards[0])
    assert Appointment.objects.count() == 3


def test_a_cancelled_time_is_free_again(book: Book, mother: Someone, stranger: Someone) -> None:
    """For the time, and for the person."""
    row = Appointment.objects.get(entry=book(mother))
    actions.cancel(actor=mother, appointment=row, reason=CancelReason.BY_PERSON, now=NOW)
    book(stranger)
    book(mother, "2026-11-24 09:20")
    assert Appointment.objects.filter(status="booked").count() == 2


@pytest.mark.parametrize(
    ("wall", "refusal"),
    [
        ("2026-11-23 07:40", refusals.NotOffered),  # before the doctor comes
        ("2026-11-24 09:10", refusals.NotOffered),  # between two times
        ("2026-11-28 09:00", refusals.NotOffered),  # Saturday
        ("2026-11-20 09:00", refusals.Past),
        ("2026-11-23 08:00", refusals.Past),  # it begins this instant
        ("2027-02-02 09:00", refusals.TooFar),
    ],
)
def test_what_is_not_offered_is_refused(
    book: Book, mother: Someone, wall: str, refusal: type[refusals.Refusal]
) -> None:
    """Whatever a form says."""
    with pytest.raises(refusal):
        book(mother, wall)
    assert not Appointment.objects.exists()


def test_an_unknown_or_inactive_practitioner_is_refused(
    book: Book, mother: Someone, doctor: Practitioner
) -> None:
    """Also when the desk is remembered."""
    with pytest.raises(refusals.NotOffered):
        book(mother, practitioner=uuid4())
    desks.desk(doctor.id)
    with record.entry("hours.changed", key=uuid4(), office=OFFICE, actor="job:test"):
        Practitioner.objects.filter(id=doctor.id).update(active=False)
    with pytest.raises(refusals.NotOffered):
        book(mother)


def race(count: int, act: Callable[[int], object]) -> list[object]:
    """Run `act` in that many threads at once, each with a connection of its own; results or exceptions."""
    barrier = threading.Barrier(count)
    results: list[object] = [None] * count

    def run(number: int) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(20)
            results[number] = act(number)
        except Exception as error:
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_32_people_on_one_time_have_one_winner(book: Book) -> None:
    """And the other 31 read that it is taken."""
    people = [someone() for _ in range(32)]
    results = race(32, lambda number: book(people[number]))
    assert sum(isinstance(result, UUID) for result in results) == 1, results
    assert sum(isinstance(result, refusals.Taken) for result in results) == 31, results
    assert Appointment.objects.count() == 1
    assert Outbox.objects.filter(kind="appointment.booked").count() == 1


def test_one_person_on_many_times_has_one_booking(book: Book, mother: Someone) -> None:
    """The second unique index decides."""
    walls = [f"2026-11-24 {8 + n // 3:02d}:{n % 3 * 20:02d}" for n in range(12)]
    results = race(12, lambda number: book(mother, walls[number]))
    assert sum(isinstance(result, UUID) for result in results) == 1, results
    assert sum(isinstance(result, refusals.AlreadyHas) for result in results) == 11, results


def test_one_form_sent_many_times_at_once_books_once(book: Book, mother: Someone) -> None:
    """Everybody is led to the same receipt."""
    key = uuid4()
    results = race(8, lambda number: book(mother, key=key))
    entries = {result if isinstance(result, UUID) else getattr(result, "uuid", result) for result in results}
    assert len(entries) == 1, results
    assert Appointment.objects.count() == 1


def shifted(by: int) -> list[Hours]:
    """The doctor's mornings, beginning some minutes later."""
    return [Hours(day, 8 * 60 + by, 12 * 60, 20, TODAY) for day in range(5)]


def set_hours(
    actor: Actor | str, doctor: Practitioner, hours: list[Hours], grid: int = 1, **given: object
) -> UUID:
    """Replace the hours from today on."""
    wanted = {
        "practitioner": doctor.id,
        "weekly": hours,
        "valid_from": TODAY,
        "grid": grid,
        "key": uuid4().hex,
    }
    return actions.set_hours(actor=actor, **{**wanted, **given})  # type: ignore[arg-type]


def test_a_desk_remembered_from_before_a_change_books_nothing_wrong(
    book: Book, mother: Someone, doctor: Practitioner, clerk: Someone
) -> None:
    """The statement names the grid; the desk is read again, and the old time is not offered any more."""
    desks.desk(doctor.id)
    set_hours(clerk, doctor, shifted(10))
    with pytest.raises(refusals.NotOffered):
        book(mother, "2026-11-24 09:00")
    book(mother, "2026-11-24 09:10")
    set_hours(
        clerk, doctor, shifted(10), grid=2
    )  # same times again, another grid: remembered desk, still books
    book(someone(), "2026-11-24 09:30")


def test_no_appointment_overlaps_one_from_earlier_hours(
    book: Book, mother: Someone, stranger: Someone, doctor: Practitioner, clerk: Someone
) -> None:
    """09:00 was booked; after the shift neither 08:50 nor 09:10 is offered or can be booked."""
    book(mother)
    set_hours(clerk, doctor, shifted(10))
    desk = desks.desk(doctor.id, fresh=True)
    assert desk is not None
    free = [
        slot.starts_at for slot in queries.free_days([desk], date(2026, 11, 24), 1, NOW)[doctor.id][0].slots
    ]
    assert at("2026-11-24 08:50") not in free and at("2026-11-24 09:10") not in free
    assert at("2026-11-24 09:30") in free
    for wall in ("2026-11-24 08:50", "2026-11-24 09:10"):
        with pytest.raises(refusals.Taken):
            book(stranger, wall)
    outside = queries.outside(desk, desk.hours, NOW)
    assert [row.starts_at for row in outside] == [at("2026-11-24 09:00")]


def test_bookings_and_a_change_of_hours_at_once_never_overlap(
    book: Book, doctor: Practitioner, clerk: Someone
) -> None:
    """Many book on both grids while the hours change: whatever wins, no two live appointments overlap."""
    people = [someone() for _ in range(20)]
    walls = [f"2026-11-24 {8 + n // 6:02d}:{n % 6 * 10:02d}" for n in range(21)]

    def act(number: int) -> object:
        if number == 10:
            return set_hours(clerk, doctor, shifted(10))
        try:
            return book(people[number], walls[number])
        except refusals.NotOffered:  # the other grid, then
            return book(people[number], walls[number + 1])

    results = race(20, act)
    wrong = [r for r in results if not isinstance(r, UUID | refusals.Refusal)]
    assert not wrong, wrong
    rows = list(Appointment.objects.order_by("starts_at"))
    assert rows
    for one, other in zip(rows, rows[1:], strict=False):
        assert one.ends_at <= other.starts_at


def test_a_booking_waits_for_a_change_of_hours_under_way(
    book: Book, mother: Someone, doctor: Practitioner
) -> None:
    """The change has begun and is not committed: the booking neither overtakes it nor books the old time."""
    desks.desk(doctor.id)
    begun, go_on = threading.Event(), threading.Event()

    def act(number: int) -> object:
        if number:
            begun.wait(10)
            try:
                return book(mother)
            finally:
                go_on.set()
        with record.entry("hours.changed", key=uuid4(), office=OFFICE, actor="job:test"):
            Practitioner.objects.filter(id=doctor.id).update(grid=2)
            WeeklyHours.objects.filter(practitioner=doctor.id).delete()
            begun.set()
            go_on.wait(1)  # the booking cannot be over before this entry is
        return "changed"

    results = race(2, act)
    assert results[0] == "changed" and isinstance(results[1], refusals.NotOffered), results
    assert not Appointment.objects.exists()


def test_hours_changed_by_two_clerks_at_once(doctor: Practitioner, clerk: Someone) -> None:
    """One of two forms made from the same hours wins; the other is told."""
    results = race(2, lambda number: set_hours(clerk, doctor, shifted(10 * (number + 1))))
    assert sum(isinstance(result, UUID) for result in results) == 1, results
    assert sum(isinstance(result, refusals.NotNow) for result in results) == 1, results


def test_hours_replace_those_that_would_come_later(doctor: Practitioner, clerk: Someone) -> None:
    """Running hours end the day before; planned ones go."""
    later = TODAY + timedelta(days=14)
    set_hours(clerk, doctor, shifted(20), valid_from=later)
    set_hours(clerk, doctor, shifted(10), grid=2)
    desk = desks.desk(doctor.id, fresh=True)
    assert desk is not None
    running = {(hours.start_minute, hours.valid_to) for hours in desk.hours}
    assert running == {(480, TODAY - timedelta(days=1)), (490, None)}


@pytest.mark.parametrize(
    "hours",
    [
        [Hours(0, 480, 720, 20, TODAY), Hours(0, 700, 800, 20, TODAY)],
        [Hours(0, 480, 490, 20, TODAY)],
        [Hours(0, 720, 480, 20, TODAY)],
        [Hours(0, 480, 1500, 20, TODAY)],
        [Hours(0, 480, 720, 0, TODAY)],
    ],
)
def test_bad_hours_are_refused(doctor: Practitioner, clerk: Someone, hours: list[Hours]) -> None:
    """With a sentence, and the old ones stand."""
    with pytest.raises(refusals.HoursInvalid) as refused:
        set_hours(clerk, doctor, hours)
    assert refused.value.sentence
    desk = desks.desk(doctor.id, fresh=True)
    assert desk is not None and len(desk.hours) == len(MORNINGS)


# -- holds -------------------------------------------------------------------------------------------------------


def hold(actor: Someone, doctor: Practitioner, wall: str = "2026-11-24 09:00", minutes: int = 0) -> Hold:
    """Hold a time, some minutes after NOW."""
    return actions.hold(
        actor=actor, practitioner=doctor.id, starts_at=at(wall), now=NOW + timedelta(minutes=minutes)
    )


def test_a_hold_keeps_others_away_for_five_minutes(
    book: Book, mother: Someone, stranger: Someone, doctor: Practitioner
) -> None:
    """Others neither see nor get the time; the holder does; after five minutes everyone."""
    hold(mother, doctor)
    with pytest.raises(refusals.Held):
        book(stranger)
    with pytest.raises(refusals.Held):
        hold(stranger, doctor)
    hold(stranger, doctor, minutes=6)  # a stale hold is in nobody's way
    with pytest.raises(refusals.Held):
        book(mother, now=NOW + timedelta(minutes=6))
    book(stranger, now=NOW + timedelta(minutes=6))


def test_the_holder_books_also_for_the_child(book: Book, mother: Someone, doctor: Practitioner) -> None:
    """A hold belongs to who acts."""
    hold(mother, doctor)
    book(mother, person=mother.wards[0])
    assert Appointment.objects.get().person == mother.wards[0]


def test_a_hold_is_extended_up_to_an_hour(mother: Someone, doctor: Practitioner) -> None:
    """Twelve times five minutes (WCAG 2.2.1 asks for ten times the first), then it ends."""
    first = hold(mother, doctor)
    minutes = 0
    for _ in range(14):
        minutes += 4
        held = hold(mother, doctor, minutes=minutes)
        assert held.id == first.id
    assert held.expires_at == NOW + timedelta(hours=1)


def test_one_hold_a_person(mother: Someone, doctor: Practitioner) -> None:
    """Holding another time gives the first one up."""
    hold(mother, doctor)
    hold(mother, doctor, "2026-11-24 10:00")
    assert [held.starts_at for held in Hold.objects.all()] == [at("2026-11-24 10:00")]


def test_two_holding_one_time_at_once(doctor: Practitioner) -> None:
    """One has it."""
    people = [someone() for _ in range(8)]
    results = race(8, lambda number: hold(people[number], doctor))
    assert sum(isinstance(result, Hold) for result in results) == 1, results
    assert sum(isinstance(result, refusals.Held) for result in results) == 7, results


def test_stale_holds_are_dropped(mother: Someone, doctor: Practitioner) -> None:
    """By the job; live ones stay."""
    hold(mother, doctor)
    assert actions.drop_stale_holds(job="job:drop_stale_holds", now=NOW + timedelta(minutes=4)) == 0
    assert actions.drop_stale_holds(job="job:drop_stale_holds", now=NOW + timedelta(minutes=6)) == 1


# -- cost --------------------------------------------------------------------------------------------------------


def test_booking_is_few_statements(book: Book, mother: Someone) -> None:
    """With a remembered desk: begin, open, insert, outbox, commit; SQLite notes its keys besides."""
    book(someone(), "2026-11-25 09:00")
    with CaptureQueriesContext(connection) as seen:
        book(mother)
    limit = 5 if connection.vendor == "postgresql" else 12
    assert len(seen) <= limit, [query["sql"][:90] for query in seen]


def test_a_failure_after_the_insert_leaves_nothing(book: Book, mother: Someone, stranger: Someone) -> None:
    """The receipt's claims cannot be sealed: neither row nor entry stays, and the time is free."""
    broken = Ticket(b"1" * 16, b"2" * 32, b"too short", b"")
    mother.ticket = lambda person: broken  # type: ignore[method-assign]
    before = Outbox.objects.count()
    with pytest.raises(ValueError):
        book(mother)
    assert not Appointment.objects.exists() and Outbox.objects.count() == before
    book(stranger)


# -- what becomes of it --------------------------------------------------------------------------------------------


def test_arrived_and_no_show(book: Book, mother: Someone, stranger: Someone, clerk: Someone) -> None:
    """Each once, on its day; who comes late is put right; nothing else moves."""
    late = NOW + timedelta(hours=1)
    row = Appointment.objects.get(entry=book(mother, "2026-11-23 08:20"))
    with pytest.raises(refusals.NotNow):
        actions.no_show(actor=clerk, appointment=row, now=NOW)
    actions.no_show(actor=clerk, appointment=row, now=late)
    with pytest.raises(record.AlreadyRecorded):
        actions.no_show(actor=clerk, appointment=row, now=late)
    actions.arrived(actor=clerk, appointment=row, now=late)
    row.refresh_from_db()
    assert row.status == Status.ARRIVED
    with pytest.raises(refusals.Changed):
        actions.cancel(actor=mother, appointment=row, reason=CancelReason.BY_PERSON, now=NOW)
    tomorrow = Appointment.objects.get(entry=book(stranger))
    with pytest.raises(refusals.NotNow):
        actions.arrived(actor=clerk, appointment=tomorrow, now=NOW)


def test_what_has_begun_is_not_cancelled(book: Book, mother: Someone) -> None:
    """The reception notes who came instead."""
    row = Appointment.objects.get(entry=book(mother))
    with pytest.raises(refusals.NotNow):
        actions.cancel(
            actor=mother, appointment=row, reason=CancelReason.BY_PERSON, now=at("2026-11-24 09:00")
        )


def test_cancelling_revokes_the_grant(book: Book, mother: Someone) -> None:
    """And has an entry of its own; a second click finds it."""
    row = Appointment.objects.get(entry=book(mother))
    entry = actions.cancel(actor=mother, appointment=row, reason=CancelReason.BY_PERSON, now=NOW)
    waiting = Outbox.objects.get(uuid=entry)
    assert waiting.kind == "appointment.cancelled"
    assert '"revoke_grant"' in waiting.effects and row.id.hex in waiting.effects
    with pytest.raises(record.AlreadyRecorded):
        actions.cancel(actor=mother, appointment=row, reason=CancelReason.BY_PERSON, now=NOW)


def test_the_past_is_ended_by_the_job(book: Book, mother: Someone, stranger: Someone, clerk: Someone) -> None:
    """One entry each, without claims; what was marked or cancelled stays, today stays."""
    old = Appointment.objects.get(entry=book(mother))
    missed = Appointment.objects.get(entry=book(stranger, "2026-11-24 08:20"))
    actions.no_show(actor=clerk, appointment=missed, now=NOW + timedelta(days=1, hours=3))
    same_day = NOW + timedelta(days=1, hours=10)
    assert actions.end_past(job="job:end_past", now=same_day) == 0
    assert actions.end_past(job="job:end_past", now=NOW + timedelta(days=2)) == 1
    assert actions.end_past(job="job:end_past", now=NOW + timedelta(days=2)) == 0
    old.refresh_from_db()
    missed.refresh_from_db()
    assert (old.status, missed.status) == ("ended", "no_show")
    assert Outbox.objects.get(uuid=old.last_entry).actor == "job:end_past"


def test_a_table_cannot_be_changed_past_the_actions(book: Book, mother: Someone) -> None:
    """Without an entry the database refuses."""
    book(mother)
    with pytest.raises(Exception, match="entry"):
        Appointment.objects.update(status="cancelled")


def test_who_acts_for_another_hands_in_the_attestation(book: Book, mother: Someone) -> None:
    """So that the keeper tells the other guardian by whom it was done; for oneself nothing is added."""
    child = mother.wards[0]
    proof = mother.attestation.hex()
    own, for_child = (Outbox.objects.get(uuid=book(mother, wall, person=person)) for wall, person in (
        ("2026-11-24 09:00", mother.person), ("2026-11-24 09:20", child),
    ))  # fmt: skip
    assert [own.effects.count(proof), for_child.effects.count(proof)] == [1, 2]
    row = Appointment.objects.get(entry=for_child.uuid)
    reason = CancelReason.FOR_PERSON
    entry = actions.cancel(actor=mother, appointment=row, reason=reason, now=NOW)
    assert Outbox.objects.get(uuid=entry).effects.count(proof) == 2
