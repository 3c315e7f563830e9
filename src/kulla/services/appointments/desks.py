"""What is known about a practitioner's diary: who, where, which hours. Read in bulk, remembered while booking.

A remembered desk may be stale; it cannot do harm: the statement that books names the desk's `grid`, and the
database inserts nothing when the diary has changed since. Then the desk is read again.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from kulla.services.appointments import times
from kulla.services.appointments.models import Practitioner, WeeklyHours

REMEMBER_S = 300  # an office's name or address may change without its diary changing
REMEMBER = 20_000


@dataclass(frozen=True)
class Desk:
    """A practitioner, the office and the hours, as of one reading."""

    practitioner: UUID
    name: str
    specialty: str
    grid: int
    office: UUID
    office_name: str
    town: str
    hint: str
    phone: str
    latitude: int
    longitude: int
    zone: str
    hours: tuple[times.Hours, ...]

    @property
    def where(self) -> str:
        """The office as receipts and notices name it: "Poliklinika nr. 9, Tiranë"."""
        return f"{self.office_name}, {self.town}" if self.town else self.office_name


_known: dict[UUID, tuple[float, Desk]] = {}


def read(practitioners: Iterable[Practitioner]) -> list[Desk]:
    """The desks of these practitioners (read with `select_related("office")`), in their order. One query."""
    chosen = list(practitioners)
    hours: dict[UUID, list[times.Hours]] = {person.id: [] for person in chosen}
    rows = WeeklyHours.objects.filter(practitioner__in=list(hours)).order_by("weekday", "start_minute")
    for row in rows if chosen else ():
        hours[row.practitioner_id].append(
            times.Hours(
                row.weekday, row.start_minute, row.end_minute, row.slot_minutes, row.valid_from, row.valid_to
            )
        )
    desks = []
    now = time.monotonic()
    for person in chosen:
        office = person.office
        desk = Desk(
            practitioner=person.id,
            name=person.name,
            specialty=person.specialty,
            grid=person.grid,
            office=office.id,
            office_name=office.name,
            town=office.town,
            hint=office.hint,
            phone=office.phone,
            latitude=office.latitude,
            longitude=office.longitude,
            zone=office.zone,
            hours=tuple(hours[person.id]),
        )
        desks.append(desk)
        if len(_known) >= REMEMBER:
            _known.clear()
        _known[person.id] = (now + REMEMBER_S, desk)
    return desks


def desk(practitioner: UUID, *, fresh: bool = False) -> Desk | None:
    """The desk of an active practitioner, remembered for up to five minutes unless `fresh`. None: there is none."""
    known = _known.get(practitioner)
    if known and known[0] > time.monotonic() and not fresh:
        return known[1]
    found = read(Practitioner.objects.filter(id=practitioner, active=True).select_related("office"))
    if not found:
        _known.pop(practitioner, None)
    return found[0] if found else None


def forget() -> None:
    """Forget every desk (tests)."""
    _known.clear()
