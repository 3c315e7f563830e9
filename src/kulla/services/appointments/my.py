"""What this service says on "my page" and on the receipt page."""

from datetime import timedelta
from uuid import UUID

from django.urls import reverse

from kulla.registry.actor import Actor
from kulla.registry.services import MyItem
from kulla.services.appointments import people, queries, words
from kulla.services.appointments.models import LIVE, Status


def items(actor: Actor) -> list[MyItem]:
    """The appointments of a citizen and the wards. One query."""
    now = people.now()
    return [
        MyItem(
            at_ms=int(row.starts_at.timestamp() * 1000),
            title=words.specialty(row.specialty),
            detail=f"{row.practitioner.name}, {row.office.name}",
            url=reverse("appointments:appointment", args=[row.id]),
            entry=str(row.last_entry),
            person=str(row.person),
            past=row.ends_at < now - timedelta(hours=1) or row.status not in LIVE,
            state="" if row.status == Status.BOOKED else words.status(row.status),
        )
        for row in queries.appointments_of(actor)
    ]


def calendar(actor: Actor, entry: UUID) -> str | None:
    """The address of the calendar file of the appointment that this entry booked; None: there is none."""
    row = queries.appointment_of_entry(actor, entry)
    if row is None or row.status not in LIVE:
        return None
    return reverse("appointments:calendar", args=[row.id])


def manage(actor: Actor, entry: UUID) -> str | None:
    """The page where this actor can still cancel the appointment that this entry booked; None: too late."""
    row = queries.appointment_of_entry(actor, entry)
    if row is None or row.status != Status.BOOKED or row.starts_at <= people.now():
        return None
    page = "appointments:appointment" if actor.person is not None else "appointments:reception-appointment"
    return reverse(page, args=[row.id])
