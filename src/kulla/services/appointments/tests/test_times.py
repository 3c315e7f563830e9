"""Wall time and instants, above all on the days when clocks change in Tirana."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulla.services.appointments import times
from kulla.services.appointments.times import Hours

ZONE = "Europe/Tirane"
SPRING = (date(2026, 3, 29), date(2027, 3, 28))
AUTUMN = (date(2026, 10, 25), date(2027, 10, 31))


def night(day: date, slot: int = 30, start: int = 60, end: int = 240) -> list[times.Slot]:
    """The slots of a night clinic from 01:00 to 04:00."""
    return list(times.slots_on([Hours(day.weekday(), start, end, slot, date(2020, 1, 1))], day, ZONE))


def clocks(slots: list[times.Slot]) -> list[str]:
    """What the clock on the wall shows at each beginning."""
    return [times.wall(slot.starts_at, ZONE).clock for slot in slots]


@pytest.mark.parametrize("day", SPRING)
def test_no_time_begins_in_the_hour_that_is_left_out(day: date) -> None:
    """01:00 to 04:00 is two hours that night."""
    assert clocks(night(day)) == ["01:00", "01:30", "03:00", "03:30"]


@pytest.mark.parametrize("day", AUTUMN)
def test_the_hour_that_comes_twice_is_offered_twice(day: date) -> None:
    """01:00 to 04:00 is four hours that night, each an instant of its own."""
    slots = night(day)
    assert clocks(slots) == ["01:00", "01:30", "02:00", "02:30", "02:00", "02:30", "03:00", "03:30"]
    assert len({slot.starts_at for slot in slots}) == 8
    assert slots[3].starts_at == datetime(day.year, day.month, day.day, 0, 30, tzinfo=UTC)
    assert slots[5].starts_at == datetime(day.year, day.month, day.day, 1, 30, tzinfo=UTC)


def test_the_receipt_tells_the_two_apart() -> None:
    """The offset stands in the receipt's line."""
    first, second = night(date(2026, 10, 25))[3], night(date(2026, 10, 25))[5]
    assert times.exact(first.starts_at, ZONE) == "2026-10-25 02:30 +02:00 Europe/Tirane"
    assert times.exact(second.starts_at, ZONE) == "2026-10-25 02:30 +01:00 Europe/Tirane"


def test_hours_that_begin_or_end_in_the_gap() -> None:
    """They begin and end at the instant of the change."""
    day = SPRING[0]
    assert clocks(night(day, start=150, end=240)) == ["03:00", "03:30"]
    assert clocks(night(day, start=60, end=150)) == ["01:00", "01:30"]


@pytest.mark.parametrize("day", [*SPRING, *AUTUMN, date(2026, 11, 24)])
@given(cut=st.integers(1, 1438), slot=st.integers(5, 60))
def test_neighbouring_hours_never_overlap(day: date, cut: int, slot: int) -> None:
    """However a day is cut in two, no slot of one half reaches into the other, and none is shorter or longer."""
    halves = [Hours(day.weekday(), 0, cut, slot, date(2020, 1, 1)),
              Hours(day.weekday(), cut, 1440, slot, date(2020, 1, 1))]  # fmt: skip
    slots = sorted(times.slots_on(halves, day, ZONE))
    for one, other in zip(slots, slots[1:], strict=False):
        assert one.ends_at <= other.starts_at
    assert all(times.wall(slot.starts_at, ZONE).day == day for slot in slots)


@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_a_slot_is_found_by_its_instant(moment: datetime) -> None:
    """What the page offers, the booking finds; half a minute beside it is nothing."""
    always = [Hours(day, 0, 1440, 15, date(2020, 1, 1)) for day in range(7)]
    start = moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
    found = times.slot_at(always, start, ZONE)
    assert found is not None and found.starts_at == start
    assert times.slot_at(always, start + timedelta(seconds=30), ZONE) is None


def test_hours_hold_from_day_to_day() -> None:
    """Both ends included, and only on their weekday."""
    tuesdays = Hours(1, 480, 540, 20, date(2026, 11, 10), date(2026, 11, 24))
    offered = [day for day in range(1, 31) if list(times.slots_on([tuesdays], date(2026, 11, day), ZONE))]
    assert offered == [10, 17, 24]


def test_overlap_is_found_only_where_days_meet() -> None:
    """The same minutes under different dates or weekdays are apart."""
    old = Hours(1, 480, 600, 20, date(2026, 1, 1), date(2026, 6, 30))
    assert times.overlapping([old, Hours(1, 540, 660, 20, date(2026, 7, 1))]) is None
    assert times.overlapping([old, Hours(2, 540, 660, 20, date(2026, 1, 1))]) is None
    assert times.overlapping([old, Hours(1, 600, 660, 20, date(2026, 1, 1))]) is None
    assert times.overlapping([old, Hours(1, 540, 660, 20, date(2026, 6, 30))]) is not None
