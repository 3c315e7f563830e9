"""Times, distances and states in words, in the active language. Dates and clocks are spoken by `kulla.web.when`."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType

from babel.dates import format_date
from django.utils.translation import get_language, override

from kulla.services.appointments import specialties
from kulla.services.appointments.models import Appointment, CancelReason, Status
from kulla.web import when as web_when

LANGUAGES = ("sq", "en")


def _locale() -> str:
    return "en_GB" if (get_language() or "sq").startswith("en") else "sq"


def weekday(number: int) -> str:
    """The name of a weekday, 0 Monday … 6 Sunday."""
    return format_date(date(2024, 1, 1 + number), "EEEE", locale=_locale())  # 1 January 2024 was a Monday


def when(moment: datetime) -> str:
    """Day and time of an instant in words; the hour that comes twice with its offset."""
    return web_when.datetime_words(moment)


def short_when(moment: datetime) -> str:
    """Weekday, day and time: "Tuesday 24 November, 09:30"."""
    return f"{web_when.weekday(moment)}, {web_when.clock(moment)}"


def when_of(appointment: Appointment) -> str:
    """Day and time of an appointment in words."""
    return when(appointment.starts_at)


@lru_cache(maxsize=4096)  # many book the same instants; it would be the dearest line of a booking
def in_each_language(moment: datetime) -> Mapping[str, str]:
    """Day and time in each language, for notices that the keeper writes in the reader's."""
    texts = {}
    for code in LANGUAGES:
        with override(code):
            texts[code] = when(moment)
    return MappingProxyType(texts)


def distance(kilometres: float) -> str:
    """A distance: "850 m", "2.3 km", "41 km"."""
    if kilometres < 0.95:
        return f"{max(50, round(kilometres * 20) * 50)} m"
    if kilometres < 9.95:
        text = f"{kilometres:.1f} km"
        return text if _locale() == "en_GB" else text.replace(".", ",")
    return f"{kilometres:.0f} km"


def status(code: str) -> str:
    """A state in words; an unknown one stands for itself."""
    return str(Status(code).label) if code in Status.values else code


def cancel_reason(code: str) -> str:
    """Why it was cancelled, in words."""
    return str(CancelReason(code).label) if code in CancelReason.values else code


def specialty(code: str) -> str:
    """The kind of care in words."""
    return specialties.name(code)
