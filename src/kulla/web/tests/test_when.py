"""Dates and times in words, on the wall clock of Tirana, in both languages, over both change days."""

from datetime import UTC, date, datetime

import pytest
from django.utils import translation

from kulla.web import when

NOVEMBER = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("sq", "e martë, 24 nëntor 2026, ora 09:30"),
        ("en", "Tuesday 24 November 2026 at 09:30"),
    ],
)
def test_a_moment_in_words(language: str, words: str) -> None:
    """Albanian has its own order, its article and its "ora"; both use the 24-hour clock."""
    with translation.override(language):
        assert when.datetime_words(NOVEMBER) == words
        assert when.datetime_words(int(NOVEMBER.timestamp() * 1000)) == words


@pytest.mark.parametrize(
    ("utc", "clock"),
    [
        # 29 March 2026: at 02:00 the clock jumps to 03:00
        ("2026-03-29T00:59:00+00:00", "01:59"),
        ("2026-03-29T01:00:00+00:00", "03:00"),
        # 25 October 2026: 02:00 to 02:59 come twice, and only these say which
        ("2026-10-24T23:59:00+00:00", "01:59"),
        ("2026-10-25T00:30:00+00:00", "02:30 (UTC+2)"),
        ("2026-10-25T01:30:00+00:00", "02:30 (UTC+1)"),
        ("2026-10-25T02:00:00+00:00", "03:00"),
    ],
)
def test_the_days_on_which_the_clock_changes(utc: str, clock: str) -> None:
    """No moment is shown as another one, and none is left ambiguous."""
    assert when.clock(datetime.fromisoformat(utc)) == clock


def test_midnight_in_tirana_is_another_day_than_in_utc() -> None:
    """23:30 UTC is the next day at home."""
    with translation.override("en"):
        assert when.day(datetime(2026, 7, 1, 23, 30, tzinfo=UTC)) == "Thursday 2 July 2026"
        assert when.day(date(2026, 7, 1)) == "Wednesday 1 July 2026"


def test_a_time_without_a_zone_is_a_mistake() -> None:
    """Better an error in a test than a booking an hour off."""
    with pytest.raises(ValueError, match="zone"):
        when.clock(datetime(2026, 7, 1, 9, 30))


def test_the_machine_time_has_its_offset() -> None:
    """For the <time> element."""
    assert when.iso(NOVEMBER) == "2026-11-24T09:30+01:00"
    assert when.iso(date(2026, 11, 24)) == "2026-11-24"


def test_how_long_ago() -> None:
    """Rough for the last hour, exact before."""
    with translation.override("en"):
        assert when.ago(NOVEMBER, datetime(2026, 11, 24, 8, 30, 20, tzinfo=UTC)) == "just now"
        assert when.ago(NOVEMBER, datetime(2026, 11, 24, 8, 35, tzinfo=UTC)) == "5 minutes ago"
        later = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
        assert when.ago(NOVEMBER, later) == "Tuesday 24 November 2026 at 09:30"
