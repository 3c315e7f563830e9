"""How each act of this service is answered after an attacker's stay (`kulla undo`).

Each function runs inside the answering entry. It changes rows, adds what the keeper is to do, and says in one sentence
what it did, for the operator; or raises `record.Left` when a person must decide. No claims go into these receipts: they
are sealed for a holder in a session, and here is none; the notice tells the person.
"""

from typing import Any

from django.db import IntegrityError
from django.db.models import F

from kulla.journal.ids import now_ms
from kulla.record import api as record
from kulla.services.appointments import booking, people, words
from kulla.services.appointments.models import (
    Appointment,
    CancelReason,
    Office,
    Practitioner,
    Status,
    WeeklyHours,
)
from kulla.services.appointments.people import SERVICE

PROOF_MS = (
    29 * 24 * 3600 * 1000
)  # the keeper takes an older attestation for nothing; a grant is for one day anyway


def booked(act: record.Act, opened: record.Entry) -> str:
    """A booking: the appointment is cancelled, the office's grant goes, and the person is told if it was to come."""
    row = _appointment(act)
    Appointment.objects.filter(id=row.id).update(
        status=Status.CANCELLED.value, cancel_reason=CancelReason.UNDONE.value, last_entry=opened.uuid
    )
    if row.starts_at > people.now():
        if act.attestation is not None and now_ms() - act.at_ms < PROOF_MS:
            opened.after.append(record.Effect("revoke_grant", {"ref": row.id, "proof": act.attestation}))
        opened.after.append(_notice("undone", row))
    return "the appointment was cancelled."


def cancelled(act: record.Act, opened: record.Entry) -> str:
    """A cancellation: the appointment stands again, if its time is to come and nobody has it now."""
    row = _appointment(act)
    if row.starts_at <= people.now():
        raise record.Left("the time of this appointment has passed.")
    if booking.live_between(row.practitioner_id, row.starts_at, row.ends_at):
        raise record.Left("someone else has this time now.")
    _as_before(act, opened, row)
    opened.after.append(_notice("restored", row))
    return "the appointment stands again."


def marked(act: record.Act, opened: record.Entry) -> str:
    """“Arrived” or “did not come”: what stood there before."""
    row = _appointment(act)
    _as_before(act, opened, row)
    return "the appointment is as it was before."


def hours(act: record.Act, opened: record.Entry) -> str:
    """Weekly hours: the earlier ones hold again. `grid` goes on, so that no booking passes that was read before."""
    del opened
    record.take_back(act.only(WeeklyHours), WeeklyHours)
    changed = [change.key for change in act.only(Practitioner)]
    Practitioner.objects.filter(id__in=changed).update(grid=F("grid") + 1)
    return "the earlier hours hold again. Appointments made meanwhile stay: look at them."


def opening(act: record.Act, opened: record.Entry) -> str:
    """An office or a practitioner: gone again. Where anything was booked there, it depends and is not touched."""
    del opened
    for model in (WeeklyHours, Practitioner, Office):
        record.take_back(act.only(model), model)
    return "what was opened is gone."


def _appointment(act: record.Act) -> Appointment:
    changed = act.only(Appointment)
    if len(changed) != 1:
        raise record.Left("it is not about one appointment.")
    return Appointment.objects.select_related("office").get(id=changed[0].key)


def _as_before(act: record.Act, opened: record.Entry, row: Appointment) -> None:
    before = act.only(Appointment)[0].before
    if before is None:
        raise record.Left("the journal does not tell how the appointment was before.")
    try:
        Appointment.objects.filter(id=row.id).update(
            status=before["status"], cancel_reason=before["cancel_reason"], last_entry=opened.uuid
        )
    except IntegrityError:
        raise record.Left("the time or the person has another appointment by now.") from None


def _notice(template: str, row: Appointment) -> record.Effect:
    office = row.office
    params: dict[str, Any] = {
        "when": dict(words.in_each_language(row.starts_at)),
        "where": f"{office.name}, {office.town}" if office.town else office.name,
    }
    names = {"person": row.person, "service": SERVICE, "template": template}
    return record.Effect("notify", {**names, "params": params})
