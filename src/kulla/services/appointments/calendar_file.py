"""The calendar file of an appointment (RFC 5545). It goes to telephones, watches and shared family calendars,
so its words say "Appointment" and the office, and never the kind of care or for whom.

Times are UTC instants: no zone table that could be out of date travels with the file.
"""

from datetime import UTC, datetime

from django.utils.translation import gettext as _

from kulla.services.appointments.models import Appointment

_STAMP = "%Y%m%dT%H%M%SZ"


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r", "").replace("\n", "\\n")


def _folded(line: str) -> str:
    """Lines of at most 75 octets, continued by CRLF and a space, never cut inside a letter."""
    parts, part, size = [], "", 0
    for letter in line:
        width = len(letter.encode())
        if size + width > 75:
            parts.append(part)
            part, size = " ", 1
        part += letter
        size += width
    return "\r\n".join([*parts, part])


def calendar_file(appointment: Appointment, now: datetime, host: str) -> bytes:
    """The file's bytes. `host` makes the event's UID one of this portal's."""
    office = appointment.office
    where = ", ".join(part for part in (office.name, office.town, office.hint) if part)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Kulla//Appointments 1//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{appointment.id}@{host}",
        f"DTSTAMP:{now.astimezone(UTC).strftime(_STAMP)}",
        f"DTSTART:{appointment.starts_at.astimezone(UTC).strftime(_STAMP)}",
        f"DTEND:{appointment.ends_at.astimezone(UTC).strftime(_STAMP)}",
        f"SUMMARY:{_text(_('Appointment'))}",
        f"LOCATION:{_text(where)}",
        f"GEO:{office.latitude / 1e6:.6f};{office.longitude / 1e6:.6f}",
        "CLASS:PRIVATE",
        "TRANSP:OPAQUE",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_text(_('Appointment'))}",
        "TRIGGER:-P1D",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return ("\r\n".join(_folded(line) for line in lines) + "\r\n").encode()
