"""Writes about offices, practitioners and their hours. Imported by `actions`, which is their door.

Each is one entry without a person; the office is their home. `actor` is an Actor or "job:<name>" (imports).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import F
from django.utils.translation import gettext as _

from kulla.journal.ids import uuid7
from kulla.record import api as record
from kulla.registry.actor import Actor
from kulla.services.appointments import specialties, times, words
from kulla.services.appointments.models import DEFAULT_ZONE, Office, Practitioner, WeeklyHours
from kulla.services.appointments.refusals import HoursInvalid, NotNow


@dataclass(frozen=True)
class OfficeData:
    """An office to be opened. `id` is its id in the keeper; the point is in micro-degrees (WGS 84)."""

    id: UUID
    name: str
    kind: str
    town: str
    latitude: int
    longitude: int
    hint: str = ""
    phone: str = ""
    zone: str = DEFAULT_ZONE


@dataclass(frozen=True)
class PractitionerData:
    """A practitioner with the weekly hours to begin with."""

    name: str
    specialty: str
    hours: tuple[times.Hours, ...] = ()


def open_office(
    *,
    actor: Actor | str,
    office: OfficeData,
    practitioners: Sequence[PractitionerData] = (),
    key: str = "open",
) -> UUID:
    """Open an office with its practitioners and their hours: one entry with all rows. Gives the entry's uuid.

    Raises record.AlreadyRecorded when this office was opened with this key before, HoursInvalid.
    """
    for person in practitioners:
        check_hours(person.hours)
        _check_specialty(person.specialty)
    entry = record.entry_id(office.id, f"office:{key}")
    with record.entry("office.opened", key=entry, office=office.id, actor=actor):
        Office.objects.create(
            id=office.id,
            home=office.id,
            name=office.name,
            kind=office.kind,
            town=office.town,
            latitude=office.latitude,
            longitude=office.longitude,
            hint=office.hint,
            phone=office.phone,
            zone=office.zone,
        )
        _insert(office.id, practitioners)
    return entry


def add_practitioner(*, actor: Actor | str, office: UUID, practitioner: PractitionerData, key: str) -> UUID:
    """Add a practitioner to an office. Gives the entry's uuid. Raises HoursInvalid, record.AlreadyRecorded."""
    check_hours(practitioner.hours)
    _check_specialty(practitioner.specialty)
    entry = record.entry_id(office, f"practitioner:{key}")
    with record.entry("practitioner.added", key=entry, office=office, actor=actor):
        _insert(office, [practitioner])
    return entry


def set_hours(
    *,
    actor: Actor | str,
    practitioner: UUID,
    weekly: Sequence[times.Hours],
    valid_from: date,
    grid: int,
    key: str,
) -> UUID:
    """Replace the weekly hours of a practitioner from a day on. Gives the entry's uuid.

    (1) The hours are checked; (2) the practitioner's row is locked against bookings (PostgreSQL; SQLite has one
    writer) and its `grid`, as the form was made from, is still the same, else Changed by someone else;
    (3) hours that would begin later go, hours still running end the day before, the new ones come.
    Appointments made under the old hours stay valid.
    """
    fresh = [
        times.Hours(each.weekday, each.start_minute, each.end_minute, each.slot_minutes, valid_from)
        for each in weekly
    ]
    check_hours(fresh)
    person = Practitioner.objects.only("id", "office_id").get(id=practitioner)
    entry = record.entry_id(person.office_id, f"hours:{practitioner}:{key}")
    with record.entry("hours.changed", key=entry, office=person.office_id, actor=actor):
        # The update is the lock: a booking holds the row FOR SHARE until its commit.
        if not Practitioner.objects.filter(id=practitioner, grid=grid).update(grid=F("grid") + 1):
            raise NotNow(
                _(
                    "Someone else has changed these hours meanwhile. Look at them again, then repeat your change."
                )
            )
        known = WeeklyHours.objects.filter(practitioner=practitioner)
        known.filter(valid_from__gte=valid_from).delete()
        known.filter(valid_to=None).update(valid_to=valid_from - timedelta(days=1))
        known.filter(valid_to__gte=valid_from).update(valid_to=valid_from - timedelta(days=1))
        WeeklyHours.objects.bulk_create(_rows(person.office_id, practitioner, fresh))
    return entry


def check_hours(hours: Sequence[times.Hours]) -> None:
    """Raise HoursInvalid unless each stretch holds a slot and no two of them overlap."""
    for each in hours:
        day = words.weekday(each.weekday)
        if not 0 <= each.start_minute < each.end_minute <= times.DAY_MINUTES:
            raise HoursInvalid(_("%(day)s: the end must come after the start.") % {"day": day})
        if not 5 <= each.slot_minutes <= 480:
            raise HoursInvalid(_("A visit takes between 5 minutes and 8 hours."))
        if each.end_minute - each.start_minute < each.slot_minutes:
            raise HoursInvalid(_("%(day)s: these hours are shorter than one visit.") % {"day": day})
    if pair := times.overlapping(hours):
        raise HoursInvalid(
            _("%(day)s: %(one)s and %(other)s overlap.")
            % {
                "day": words.weekday(pair[0].weekday),
                "one": f"{times.clock(pair[0].start_minute)}–{times.clock(pair[0].end_minute)}",
                "other": f"{times.clock(pair[1].start_minute)}–{times.clock(pair[1].end_minute)}",
            }
        )


def _check_specialty(code: str) -> None:
    if code not in specialties.BY_CODE:
        raise ValueError(f"{code!r} is no kind of care; known are {', '.join(specialties.BY_CODE)}")


def _insert(office: UUID, practitioners: Sequence[PractitionerData]) -> None:
    made = [
        Practitioner(id=uuid7(), home=office, office_id=office, name=each.name, specialty=each.specialty)
        for each in practitioners
    ]
    Practitioner.objects.bulk_create(made)
    WeeklyHours.objects.bulk_create(
        row
        for person, given in zip(made, practitioners, strict=True)
        for row in _rows(office, person.id, given.hours)
    )


def _rows(office: UUID, practitioner: UUID, hours: Sequence[times.Hours]) -> list[WeeklyHours]:
    return [
        WeeklyHours(
            home=office,
            practitioner_id=practitioner,
            weekday=each.weekday,
            start_minute=each.start_minute,
            end_minute=each.end_minute,
            slot_minutes=each.slot_minutes,
            valid_from=each.valid_from,
            valid_to=each.valid_to,
        )
        for each in hours
    ]
