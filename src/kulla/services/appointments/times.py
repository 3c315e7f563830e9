"""Wall time and instants. A time is offered as wall time and kept as a UTC instant with its zone.

Weekly hours are wall time: "Tuesdays 08:00 to 12:00". Slots are laid out in *elapsed* time between the two
instants that those wall times name, so that on a change day nobody gets 0 or 60 minutes by accident:

- 29 March 2026, clocks go from 02:00 to 03:00: 01:00 to 04:00 is two hours; no slot begins between 02:00 and 03:00.
- 25 October 2026, clocks go back from 03:00 to 02:00: 01:00 to 04:00 is four hours; 02:30 is offered twice, as
  two instants, and shown with the offset that tells them apart.

Each wall minute names exactly one instant here (a minute that does not exist: the instant of the change; one
that comes twice: the first), so neighbouring hours neither overlap nor leave a hole.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name, e.g. "Europe/Tirane"."""
    return ZoneInfo(name)


@dataclass(frozen=True)
class Hours:
    """A stretch of one weekday (0 Monday … 6 Sunday) in minutes after local midnight, cut into slots.

    Valid from `valid_from` to `valid_to`, both days included; `valid_to` None means until further notice.
    """

    weekday: int
    start_minute: int
    end_minute: int
    slot_minutes: int
    valid_from: date
    valid_to: date | None = None

    def covers(self, day: date) -> bool:
        """Whether these hours hold on that local day."""
        return (
            day.weekday() == self.weekday
            and self.valid_from <= day
            and (self.valid_to is None or day <= self.valid_to)
        )


@dataclass(frozen=True, order=True)
class Slot:
    """One time that can be booked: its UTC instant and length in minutes."""

    starts_at: datetime
    minutes: int

    @property
    def ends_at(self) -> datetime:
        """The UTC instant of its end."""
        return self.starts_at + timedelta(minutes=self.minutes)


@dataclass(frozen=True)
class Wall:
    """What a clock on the wall shows: local date, minute after midnight, offset from UTC in minutes."""

    day: date
    minute: int
    offset: int

    @property
    def clock(self) -> str:
        """Hours and minutes, "08:30"."""
        return clock(self.minute)


def clock(minute: int) -> str:
    """A minute of the day as "08:30"; 1440 is "24:00"."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _exists(local: datetime) -> bool:
    return local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None)


def instant(day: date, minute: int, zone_name: str) -> datetime:
    """The UTC instant of a wall minute (0 to 1440; 1440 is the next midnight).

    A minute that the clock leaps over gives the instant of the leap; one that comes twice gives the first.
    """
    tz = zone(zone_name)
    naive = datetime.combine(day, time()) + timedelta(minutes=minute)
    local = naive.replace(tzinfo=tz)  # fold=0: the first of two
    while not _exists(local):  # at most one hour in any zone of today: 60 steps, two days a year
        naive += timedelta(minutes=1)
        local = naive.replace(tzinfo=tz)
    return local.astimezone(UTC)


def wall(moment: datetime, zone_name: str) -> Wall:
    """What the clock in that zone shows at a UTC instant."""
    local = moment.astimezone(zone(zone_name))
    offset = local.utcoffset() or timedelta()
    return Wall(local.date(), local.hour * 60 + local.minute, int(offset.total_seconds()) // 60)


def offset_text(offset: int) -> str:
    """An offset from UTC in minutes as "+02:00"."""
    sign = "-" if offset < 0 else "+"
    return f"{sign}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"


def exact(moment: datetime, zone_name: str) -> str:
    """The wall time with offset and zone, as receipts say it: "2026-10-25 02:30 +01:00 Europe/Tirane"."""
    seen = wall(moment, zone_name)
    return f"{seen.day.isoformat()} {seen.clock} {offset_text(seen.offset)} {zone_name}"


def slots_on(hours: Iterable[Hours], day: date, zone_name: str) -> Iterator[Slot]:
    """Every slot of one local day, in order of the hours given."""
    for stretch in hours:
        if not stretch.covers(day):
            continue
        at = instant(day, stretch.start_minute, zone_name)
        end = instant(day, stretch.end_minute, zone_name)
        step = timedelta(minutes=stretch.slot_minutes)
        while at + step <= end:
            yield Slot(at, stretch.slot_minutes)
            at += step


def slot_at(hours: Iterable[Hours], starts_at: datetime, zone_name: str) -> Slot | None:
    """The slot that begins at this instant, or None when the hours offer none."""
    day = wall(starts_at, zone_name).day
    return next((slot for slot in slots_on(hours, day, zone_name) if slot.starts_at == starts_at), None)


def overlapping(hours: Iterable[Hours]) -> tuple[Hours, Hours] | None:
    """Two of these hours that share a minute of some day, or None when they are all apart."""
    known = sorted(hours, key=lambda stretch: (stretch.weekday, stretch.start_minute))
    for index, one in enumerate(known):
        for other in known[index + 1 :]:
            if other.weekday != one.weekday:
                break
            apart = (
                other.start_minute >= one.end_minute
                or one.start_minute >= other.end_minute
                or (one.valid_to is not None and other.valid_from > one.valid_to)
                or (other.valid_to is not None and one.valid_from > other.valid_to)
            )
            if not apart:
                return one, other
    return None
