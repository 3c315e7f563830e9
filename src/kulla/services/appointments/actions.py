"""Every write of this service. Each action records one entry and runs its effects only after the receipt.

All are keyword-only. `now` is an aware UTC instant. An action raises a `Refusal` with a plain sentence when the
rules do not allow it, `record.AlreadyRecorded` when the same form was sent before (show that receipt),
`record.OutboxFull` or `record.ReadOnly` when nothing may be written, and KeeperUnavailable when no holder
commitment is left and the keeper is away. In every case nothing was written.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from kulla.journal.ids import uuid7
from kulla.record import api as record
from kulla.registry.actor import Actor
from kulla.services.appointments import booking, desks, people, queries, refusals, times, words
from kulla.services.appointments.models import LIVE, Appointment, CancelReason, Channel, Hold, Status
from kulla.services.appointments.offices import (
    OfficeData,
    PractitionerData,
    add_practitioner,
    open_office,
    set_hours,
)
from kulla.services.appointments.people import SERVICE

__all__ = [
    "OfficeData", "PractitionerData", "add_practitioner", "arrived", "book", "cancel", "drop_stale_holds", "end_past",
    "hold", "no_show", "open_office", "set_hours",
]  # fmt: skip

HOLD_FOR = timedelta(minutes=5)
HOLD_AT_MOST = timedelta(
    hours=1
)  # extensions included: ten times the first five minutes and more (WCAG 2.2.1)
_TRIES = 3  # a desk read while its hours change is read again


def claims_of(row: Appointment, what: str, where: str, practitioner: str) -> list[tuple[str, str]]:
    """The receipt's lines: what (with the kind of care), where (office, practitioner), when (wall time, zone)."""
    return [
        ("what", f"{what}: {words.specialty(row.specialty)}"),
        ("where", f"{where} ({practitioner})"),
        ("when", times.exact(row.starts_at, row.zone)),
    ]


# -- hold ----------------------------------------------------------------------------------------------------


def hold(*, actor: Actor, practitioner: UUID, starts_at: datetime, now: datetime) -> Hold:
    """Hold a free time for this citizen for five minutes; the same time again extends it, up to an hour.

    One hold a person: an earlier one for another time is given up. Raises Refusal.
    """
    if actor.person is None:
        raise ValueError("only a citizen holds times")
    desk, slot = _offered(practitioner, starts_at, now)
    if booking.live_between(desk.practitioner, slot.starts_at, slot.ends_at):
        raise refusals.Taken(queries.next_free(desk, now, after=starts_at))
    with transaction.atomic():
        mine = Hold.objects.filter(person=actor.person).first()
        if (
            mine
            and (mine.practitioner_id, mine.starts_at) == (practitioner, starts_at)
            and mine.expires_at > now
        ):
            expires = min(now + HOLD_FOR, mine.started_at + HOLD_AT_MOST)
            Hold.objects.filter(id=mine.id).update(expires_at=max(expires, mine.expires_at))
            mine.expires_at = max(expires, mine.expires_at)
            return mine
        if mine:
            Hold.objects.filter(id=mine.id).delete()
        Hold.objects.filter(practitioner=practitioner, starts_at=starts_at, expires_at__lte=now).delete()
        made = Hold(
            id=uuid4(),  # random, not ordered: it stands in an address
            practitioner_id=practitioner,
            starts_at=starts_at,
            person=actor.person,
            started_at=now,
            expires_at=now + HOLD_FOR,
        )
        Hold.objects.bulk_create([made], ignore_conflicts=True)  # of two at once, the first in stays
        won = Hold.objects.filter(id=made.id).exists()
    if not won:
        raise refusals.Held(queries.next_free(desk, now, after=starts_at))
    return made


def drop_stale_holds(*, job: str, now: datetime | None = None) -> int:
    """Timed work: delete holds that ran out. Gives how many."""
    del job
    return Hold.objects.filter(expires_at__lte=now or people.now()).delete()[0]


# -- book ----------------------------------------------------------------------------------------------------


def book(
    *,
    actor: Actor,
    person: UUID,
    practitioner: UUID,
    starts_at: datetime,
    key: UUID,
    now: datetime,
    reason: str = "",
    channel: Channel = Channel.WEB,
) -> UUID:
    """Book a time for a person. Gives the entry's uuid, whose receipt page is where to go next.

    (1) the diary offers the time, it is to come and within the horizon; (2) the reason, if any, is sealed by
    the keeper; (3) one entry, in which one statement inserts the appointment or nothing; (4) after the receipt
    the office gets its grant for that day and the person a notice. `key` makes the same form book once.
    Callers check that the actor may act for `person`.
    """
    scope = actor.office or person  # a clerk's form is sent before the person is known
    entry = record.entry_id(scope, str(key))
    appointment_id = uuid7()
    sealed = people.seal_reason(person, appointment_id, reason) if reason else None
    ticket = None
    for _try in range(_TRIES):
        desk, slot = _offered(practitioner, starts_at, now, entry=entry)
        row = _row(desk, slot, person)
        row.id, row.entry, row.last_entry, row.reason = appointment_id, entry, entry, sealed
        row.booked_by, row.channel = actor.office or actor.person or person, channel.value
        ticket = ticket or actor.ticket(person)
        try:
            with record.entry(
                "appointment.booked",
                key=entry,
                person=person,
                office=desk.office,
                actor=actor,
                ticket=ticket,
                claims=claims_of(row, _("Appointment"), desk.where, desk.name),
                after=[_grant(actor, row), _notice("booked", row, desk.where, actor)],
            ):
                if not booking.insert(row, desk.grid, now):
                    raise _NothingInserted
            return entry
        except _NothingInserted:
            _explain(row, desk, now)
            desks.desk(practitioner, fresh=True)
    raise refusals.Busy


class _NothingInserted(Exception):
    """Rolls the entry back; never leaves this module."""


def _row(desk: desks.Desk, slot: times.Slot, person: UUID) -> Appointment:
    """The appointment as far as time, place and person make it."""
    seen = times.wall(slot.starts_at, desk.zone)
    return Appointment(
        home=person,
        person=person,
        practitioner_id=desk.practitioner,
        office_id=desk.office,
        specialty=desk.specialty,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        zone=desk.zone,
        wall_date=seen.day,
        wall_minute=seen.minute,
        minutes=slot.minutes,
        status=Status.BOOKED.value,
    )


def _offered(
    practitioner: UUID, starts_at: datetime, now: datetime, *, entry: UUID | None = None
) -> tuple[desks.Desk, times.Slot]:
    """The desk and its slot at that instant. Raises Refusal; AlreadyRecorded when `entry` has booked before."""
    desk = desks.desk(practitioner)
    slot = times.slot_at(desk.hours, starts_at, desk.zone) if desk else None
    if slot is None:  # perhaps remembered from before a change of hours
        desk = desks.desk(practitioner, fresh=True)
        slot = times.slot_at(desk.hours, starts_at, desk.zone) if desk else None
    refusal: refusals.Refusal | None = None
    if desk is None:
        refusal = refusals.NotOffered([])
    elif slot is None:
        refusal = refusals.NotOffered(queries.next_free(desk, now, after=starts_at))
    elif starts_at <= now:
        refusal = refusals.Past(queries.next_free(desk, now))
    elif starts_at > now + timedelta(days=queries.HORIZON_DAYS + 1):
        refusal = refusals.TooFar(queries.next_free(desk, now))
    if refusal is None and desk is not None and slot is not None:
        return desk, slot
    if entry is not None and booking.by_entry(entry) is not None:
        raise record.AlreadyRecorded(entry)
    raise refusal or refusals.NotOffered([])


def _explain(row: Appointment, desk: desks.Desk, now: datetime) -> None:
    """Raise the reason why nothing was inserted; return when only the diary's grid had moved."""
    if booking.by_entry(row.entry) is not None:
        raise record.AlreadyRecorded(row.entry)
    if existing := booking.booked_for(row.person, row.specialty):
        raise refusals.AlreadyHas(existing)
    free = queries.next_free(desk, now, after=row.starts_at)
    if booking.live_between(desk.practitioner, row.starts_at, row.ends_at):
        raise refusals.Taken(free)
    if booking.held_by_other(desk.practitioner, row.starts_at, row.booked_by, now):
        raise refusals.Held(free)


# -- what becomes of an appointment ----------------------------------------------------------------------------


def cancel(*, actor: Actor, appointment: Appointment, reason: CancelReason, now: datetime) -> UUID:
    """Cancel a booked appointment that has not begun. Gives the entry's uuid. The office's grant is revoked.

    The notice says where and when, never the kind of care. Raises Changed, NotNow.
    """
    if appointment.starts_at <= now and appointment.status == Status.BOOKED:
        raise refusals.NotNow(_("This appointment has already begun: it cannot be cancelled any more."))
    return _move(
        actor,
        appointment,
        to=Status.CANCELLED,
        before=(Status.BOOKED,),
        what=_("Appointment cancelled"),
        after=[
            record.Effect("revoke_grant", {"ref": appointment.id, "proof": actor.attestation}),
            _notice("cancelled", appointment, _where(appointment), actor),
        ],
        cancel_reason=reason.value,
    )


def arrived(*, actor: Actor, appointment: Appointment, now: datetime) -> UUID:
    """Note at the reception that the person has come, on the day itself. Raises Changed, NotNow."""
    if appointment.wall_date != queries.today(now, appointment.zone):
        raise refusals.NotNow(_("“Arrived” can be noted on the day of the appointment only."))
    before = (Status.BOOKED, Status.NO_SHOW)  # who comes late was marked absent before
    return _move(actor, appointment, to=Status.ARRIVED, before=before, what=_("Arrived for the appointment"))


def no_show(*, actor: Actor, appointment: Appointment, now: datetime) -> UUID:
    """Note that the person did not come, once the time has begun. Raises Changed, NotNow."""
    if appointment.starts_at > now:
        raise refusals.NotNow(_("“Did not come” can be noted only after the appointment's time."))
    return _move(
        actor,
        appointment,
        to=Status.NO_SHOW,
        before=(Status.BOOKED,),
        what=_("Did not come to the appointment"),
    )


def _move(
    actor: Actor,
    appointment: Appointment,
    *,
    to: Status,
    before: Sequence[Status],
    what: str,
    after: Sequence[record.Effect] = (),
    cancel_reason: str = "",
) -> UUID:
    """Bring an appointment from one of the states `before` to `to`; the row count decides who was first.

    The entry's id follows from the appointment and the new state, so that a second click finds the first.
    """
    entry = record.entry_id(appointment.person, f"{to.value}:{appointment.id}")
    with record.entry(
        f"appointment.{to.value}",
        key=entry,
        person=appointment.person,
        office=appointment.office_id,
        actor=actor,
        ticket=actor.ticket(appointment.person),
        claims=claims_of(appointment, what, _where(appointment), appointment.practitioner.name),
        after=list(after),
    ):
        moved = Appointment.objects.filter(id=appointment.id, status__in=before).update(
            status=to.value, last_entry=entry, cancel_reason=cancel_reason
        )
        if not moved:
            raise refusals.Changed(
                Appointment.objects.values_list("status", flat=True).get(id=appointment.id)
            )
    return entry


def end_past(*, job: str, now: datetime | None = None, limit: int = 1000) -> int:
    """Timed work: appointments of earlier days are over. One entry each, as nobody's act but the job's.

    What the reception marked as not come or cancelled stays so. Gives how many were ended; at most `limit`.
    """
    day = queries.today(now or people.now())
    rows = Appointment.objects.filter(status__in=LIVE, wall_date__lt=day).order_by("wall_date", "id")
    ended = 0
    for row in rows[:limit]:
        entry = record.entry_id(row.person, f"ended:{row.id}")
        try:
            with record.entry(
                "appointment.ended",
                key=entry,
                person=row.person,
                office=row.office_id,
                actor=job,
                ticket=None,
                claims=None,
                after=[],
            ):
                if not Appointment.objects.filter(id=row.id, status__in=LIVE).update(
                    status=Status.ENDED.value, last_entry=entry
                ):
                    raise _NothingInserted
            ended += 1
        except (_NothingInserted, record.AlreadyRecorded):
            continue  # someone else changed it meanwhile; nothing to do
    return ended


# -- effects ---------------------------------------------------------------------------------------------------


def _where(appointment: Appointment) -> str:
    office = appointment.office
    return f"{office.name}, {office.town}" if office.town else office.name


def _grant(actor: Actor, row: Appointment) -> record.Effect:
    """Let the office look at this person on that day; `ref` is the appointment, so cancelling takes it back."""
    return record.Effect(
        "grant",
        {
            "proof": actor.attestation,
            "person": row.person,
            "service": SERVICE,
            "office": row.office_id,
            "day": row.wall_date,
            "ref": row.id,
        },
    )


def _notice(template: str, row: Appointment, where: str, actor: Actor) -> record.Effect:
    """A notice of this service: where and when, in each language; never the kind of care.

    Who acts for another person hands in the attestation: the keeper tells the other guardians by whom it was done.
    """
    arguments = {
        "person": row.person,
        "service": SERVICE,
        "template": template,
        "params": {"when": dict(words.in_each_language(row.starts_at)), "where": where},
    }
    if actor.person not in (None, row.person):
        arguments["proof"] = actor.attestation
    return record.Effect("notify", arguments)
