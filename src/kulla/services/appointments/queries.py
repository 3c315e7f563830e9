"""What is free, and who may see which appointment. Objects come only through the functions of this module."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from kulla.registry.actor import Actor
from kulla.services.appointments import desks, times
from kulla.services.appointments.desks import Desk
from kulla.services.appointments.models import LIVE, Appointment, Hold, Office, Practitioner
from kulla.services.appointments.places import Place, distance_km

HORIZON_DAYS = 60  # how far ahead people may book
PAGE_DAYS = 14


@dataclass(frozen=True)
class FreeDay:
    """The free times of one local day at one desk."""

    day: date
    slots: tuple[times.Slot, ...]


@dataclass(frozen=True)
class NearOffice:
    """An office that offers a kind of care: how far it is (km, straight line; None: no place chosen)."""

    office: Office
    distance: float | None
    practitioners: tuple[UUID, ...]
    next_free: times.Slot | None


def today(now: datetime, zone_name: str = "Europe/Tirane") -> date:
    """The local day at this instant."""
    return times.wall(now, zone_name).day


def free_days(
    known: Sequence[Desk], first: date, days: int, now: datetime, *, holder: UUID | None = None
) -> dict[UUID, list[FreeDay]]:
    """Free times by practitioner and local day, from `first` on for `days` days; days without any are left out.

    Left out are times that have begun, that overlap a live appointment (also one made under earlier hours) and
    that someone else than `holder` holds. Two queries, whatever the number of desks.
    """
    if not known:
        return {}
    ids = [desk.practitioner for desk in known]
    # A day before and after: the zone's midnight is not UTC's.
    low = datetime.combine(first - timedelta(days=1), datetime.min.time(), UTC)
    high = low + timedelta(days=days + 2)
    taken: dict[UUID, list[tuple[datetime, datetime]]] = {each: [] for each in ids}
    live = Appointment.objects.filter(
        practitioner__in=ids, status__in=LIVE, starts_at__gte=low, starts_at__lt=high
    )
    for practitioner, starts_at, ends_at in live.values_list("practitioner", "starts_at", "ends_at"):
        taken[practitioner].append((starts_at, ends_at))
    holds = Hold.objects.filter(practitioner__in=ids, expires_at__gt=now)
    if holder is not None:
        holds = holds.exclude(person=holder)
    held = set(holds.values_list("practitioner", "starts_at"))

    found: dict[UUID, list[FreeDay]] = {}
    for desk in known:
        busy = taken[desk.practitioner]
        found[desk.practitioner] = free = []
        for day in (first + timedelta(days=ahead) for ahead in range(days)):
            slots = tuple(
                slot
                for slot in sorted(times.slots_on(desk.hours, day, desk.zone))
                if slot.starts_at > now
                and (desk.practitioner, slot.starts_at) not in held
                and not any(begins < slot.ends_at and ends > slot.starts_at for begins, ends in busy)
            )
            if slots:
                free.append(FreeDay(day, slots))
    return found


def next_free(
    desk: Desk, now: datetime, *, after: datetime | None = None, count: int = 3
) -> list[times.Slot]:
    """The next free times of one desk within the horizon, from `after` on (default: now)."""
    begin = max(after or now, now)
    free = free_days([desk], today(begin, desk.zone), PAGE_DAYS, now).get(desk.practitioner, [])
    return [slot for each in free for slot in each.slots if slot.starts_at >= begin][:count]


def desks_of(office: UUID, specialty: str | None = None) -> list[Desk]:
    """The desks of an office, by name; of one kind of care when given. Two queries."""
    found = Practitioner.objects.filter(office=office, active=True).select_related("office")
    if specialty is not None:
        found = found.filter(specialty=specialty)
    return desks.read(found.order_by("name", "id"))


def offered() -> set[str]:
    """The codes of the kinds of care that someone offers. One query."""
    return set(Practitioner.objects.filter(active=True).values_list("specialty", flat=True).distinct())


def offices_near(
    specialty: str, here: Place | None, now: datetime, *, limit: int = 10
) -> tuple[list[NearOffice], int]:
    """Offices with this kind of care, nearest first (by name without a place), and how many there are in all.

    Four queries.
    """
    by_office: dict[UUID, list[Practitioner]] = {}
    for person in Practitioner.objects.filter(specialty=specialty, active=True).select_related("office"):
        by_office.setdefault(person.office_id, []).append(person)

    def away(office: Office) -> float | None:
        if here is None:
            return None
        return distance_km(here.latitude, here.longitude, office.latitude, office.longitude)

    measured = [(away(people[0].office), people[0].office, people) for people in by_office.values()]
    measured.sort(key=lambda entry: (entry[0] or 0.0, entry[1].name, str(entry[1].id)))
    shown = measured[:limit]
    known = desks.read(person for _, _, people in shown for person in people)
    zone_name = known[0].zone if known else "Europe/Tirane"
    free = free_days(known, today(now, zone_name), PAGE_DAYS, now)
    result = []
    for distance, office, people in shown:
        firsts = [days[0].slots[0] for person in people if (days := free.get(person.id))]
        result.append(
            NearOffice(
                office, distance, tuple(person.id for person in people), min(firsts) if firsts else None
            )
        )
    return result, len(measured)


def office_or_404(office: UUID) -> Office:
    """The office. Raises Http404."""
    found = Office.objects.filter(id=office).first()
    if found is None:
        raise Http404
    return found


def desk_or_404(practitioner: UUID) -> Desk:
    """The desk of an active practitioner, read freshly. Raises Http404."""
    found = desks.desk(practitioner, fresh=True)
    if found is None:
        raise Http404
    return found


# -- access: the only door to an appointment, a hold, a diary -----------------------------------------------


def _all() -> "QuerySet[Appointment]":
    return Appointment.objects.select_related("practitioner", "office")


def appointment_for(actor: Actor, appointment: UUID) -> Appointment:
    """An appointment that this actor may see: one's own, a ward's, or one at one's office. Raises Http404."""
    found = _all().filter(id=appointment).first()
    if found is None or not _may_see(actor, found):
        raise Http404
    return found


def appointment_of_entry(actor: Actor, entry: UUID) -> Appointment | None:
    """The appointment that this entry booked, if the actor may see it."""
    found = _all().filter(entry=entry).first()
    return found if found is not None and _may_see(actor, found) else None


def _may_see(actor: Actor, appointment: Appointment) -> bool:
    if actor.role == "receptionist":
        return actor.office is not None and appointment.office_id == actor.office
    return actor.role == "citizen" and actor.may_act_for(appointment.person)


def appointments_of(actor: Actor) -> list[Appointment]:
    """The appointments of a citizen and the wards, latest first, at most 100."""
    return list(_all().filter(person__in=actor.persons).order_by("-starts_at")[:100])


def everything_of(actor: Actor) -> list[Appointment]:
    """Every appointment of the citizen alone, latest first, for the person's own download."""
    return list(_all().filter(person=actor.person).order_by("-starts_at")) if actor.person else []


def hold_of(actor: Actor) -> Hold | None:
    """The time that is held for this person now, if any."""
    return Hold.objects.filter(person=actor.person).first() if actor.person else None


def day_list(actor: Actor, day: date) -> list[Appointment]:
    """The appointments of one local day at the official's office, by time; cancelled ones last."""
    rows = _all().filter(office=actor.office, wall_date=day).order_by("starts_at", "practitioner__name")
    return sorted(rows, key=lambda row: row.status == "cancelled")


def hold_for(actor: Actor, hold: UUID) -> Hold:
    """A hold of this person. Raises Http404."""
    found = Hold.objects.filter(id=hold, person=actor.person).first() if actor.person else None
    if found is None:
        raise Http404
    return found


def diary_for(actor: Actor, practitioner: UUID) -> Desk:
    """The desk of a practitioner at the official's own office, read freshly. Raises Http404."""
    found = desk_or_404(practitioner)
    if actor.office is None or found.office != actor.office:
        raise Http404
    return found


def outside(desk: Desk, weekly: Iterable[times.Hours], now: datetime) -> list[Appointment]:
    """Live appointments to come at this desk that these hours would not offer; they stay valid."""
    hours = tuple(weekly)
    coming = Appointment.objects.filter(practitioner=desk.practitioner, status__in=LIVE, starts_at__gt=now)
    return [
        row for row in coming.order_by("starts_at") if times.slot_at(hours, row.starts_at, desk.zone) is None
    ]
