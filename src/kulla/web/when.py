"""Dates and times in words, always as the clock on the wall in Tirana shows them.

Each function takes a date, an aware datetime or whole milliseconds since 1970 UTC (the keeper's and the
journal's unit), and speaks the language that is active. Babel knows the names of days and months in Albanian;
the order and the word "ora" are ours, because Babel's "full" pattern there is a 12-hour clock with seconds.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date
from django.utils.translation import get_language, gettext, pgettext

TIRANA = ZoneInfo("Europe/Tirane")
When = date | datetime | int

_DAY = {"sq": "EEEE, d MMMM y", "en": "EEEE d MMMM y"}
_DAY_SHORT = {"sq": "d MMMM y", "en": "d MMMM y"}
_WEEKDAY = {"sq": "EEEE, d MMMM", "en": "EEEE d MMMM"}


def wall(moment: When) -> datetime:
    """The moment as an aware datetime in Tirana; a date is its midnight.

    Raises ValueError for a datetime without a zone: nobody knows which moment that is.
    """
    if isinstance(moment, bool):
        raise ValueError("True is not a moment")
    if isinstance(moment, int):
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment)).astimezone(TIRANA)
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError("a time without a zone names no moment")
        return moment.astimezone(TIRANA)
    return datetime(moment.year, moment.month, moment.day, tzinfo=TIRANA)


def day(moment: When) -> str:
    """ "e martë, 24 nëntor 2026" or "Tuesday 24 November 2026"."""
    return _date(moment, _DAY)


def day_short(moment: When) -> str:
    """ "24 nëntor 2026" or "24 November 2026"."""
    return _date(moment, _DAY_SHORT)


def weekday(moment: When) -> str:
    """ "e martë, 24 nëntor" or "Tuesday 24 November": for headings where the year is plain."""
    return _date(moment, _WEEKDAY)


def clock(moment: When) -> str:
    """ "09:30" on the 24-hour clock; in the hour that an autumn night has twice, "02:30 (UTC+2)"."""
    local = wall(moment)
    text = f"{local:%H:%M}"
    other = local.replace(fold=1 - local.fold)
    if local.utcoffset() != other.utcoffset() and _exists(local):
        offset = local.utcoffset() or timedelta()
        text += f" (UTC+{offset.seconds // 3600})"
    return text


def datetime_words(moment: When) -> str:
    """ "e martë, 24 nëntor 2026, ora 09:30" or "Tuesday 24 November 2026 at 09:30"."""
    # Translators: a day in words, then a time on the 24-hour clock
    return pgettext("moment", "%(day)s at %(time)s") % {"day": day(moment), "time": clock(moment)}


def ago(moment: When, now: datetime | None = None) -> str:
    """How long ago, roughly: "just now", "5 minutes ago", else the moment in words."""
    minutes = int(((now or datetime.now(UTC)) - wall(moment)).total_seconds() // 60)
    if minutes < 1:
        return gettext("just now")
    if minutes == 1:
        return gettext("1 minute ago")
    if minutes < 60:
        return gettext("%(minutes)s minutes ago") % {"minutes": minutes}
    return datetime_words(moment)


def iso(moment: When) -> str:
    """For the datetime attribute of <time>: RFC 3339 with the offset of Tirana; a plain date stays one."""
    if isinstance(moment, date) and not isinstance(moment, datetime):
        return moment.isoformat()
    return wall(moment).isoformat(timespec="minutes")


def _exists(local: datetime) -> bool:
    return local.astimezone(UTC).astimezone(TIRANA).replace(fold=0) == local.replace(fold=0)


def _date(moment: When, patterns: dict[str, str]) -> str:
    language = (get_language() or "sq").split("-")[0]
    language = language if language in patterns else "en"
    return format_date(wall(moment).date(), patterns[language], locale=language)
