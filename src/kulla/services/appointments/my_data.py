"""What this service holds about one person, for the download of "my data"."""

from datetime import datetime

from django.utils.translation import gettext

from kulla.record import api as record
from kulla.registry.actor import Actor
from kulla.registry.services import DataSection
from kulla.services.appointments import people, queries, words
from kulla.services.appointments.models import Appointment, CancelReason, Channel

_LABELS = {
    "at_ms": {"sq": "Kur", "en": "When"},
    "care": {"sq": "Lloji i kujdesit", "en": "Kind of care"},
    "with": {"sq": "Te kush", "en": "With whom"},
    "office": {"sq": "Zyra", "en": "Office"},
    "state": {"sq": "Gjendja", "en": "State"},
    "channel": {"sq": "Rruga e kërkesës", "en": "Way of asking"},
    "cancelled": {"sq": "Pse u anulua", "en": "Why it was cancelled"},
    "reason": {"sq": "Arsyeja që dhatë", "en": "The reason you gave"},
    "entry": {"sq": "Numri i shënimit në ditar", "en": "Number of the entry in the journal"},
}
_HOLD = {"at_ms": _LABELS["at_ms"], "until_ms": {"sq": "Deri kur mbahet", "en": "Held until"}}
BATCH = 200  # reasons opened in one call


def held(actor: Actor) -> list[DataSection]:
    """Every appointment of the person, with its reason opened, and the time that is held now."""
    rows = queries.everything_of(actor)
    reasons, broken = _reasons(actor, [row for row in rows if row.reason])
    states = record.statuses(row.last_entry for row in rows)
    received = {entry for entry, found in states.items() if found.status == "received"}
    sections = [
        DataSection(
            {"sq": "Takime te mjeku", "en": "Medical appointments"},
            _LABELS,
            [_row(row, reasons.get(str(row.id), ""), received=row.last_entry in received) for row in rows],
            broken,
        )
    ]
    hold = queries.hold_of(actor)
    if hold is not None:
        row = {"at_ms": _ms(hold.starts_at), "until_ms": _ms(hold.expires_at)}
        sections.append(DataSection({"sq": "Orë e mbajtur", "en": "A time held for you"}, _HOLD, [row]))
    return sections


def _row(row: Appointment, reason: str, *, received: bool) -> dict[str, object]:
    """One appointment. What the mirrors have not signed for yet is not called booked or cancelled."""
    found: dict[str, object] = {
        "at_ms": _ms(row.starts_at),
        "care": str(words.specialty(row.specialty)),
        "with": row.practitioner.name,
        "office": row.office.name,
        "state": str(words.status(row.status)) if received else gettext("not yet confirmed"),
        "entry": str(row.entry),
    }
    if received:
        found["channel"] = str(Channel(row.channel).label)
    if received and row.cancel_reason:
        found["cancelled"] = str(CancelReason(row.cancel_reason).label)
    return found | ({"reason": reason} if reason else {})


def _reasons(actor: Actor, rows: list[Appointment]) -> tuple[dict[str, str], bool]:
    found: dict[str, str] = {}
    broken = False
    for start in range(0, len(rows), BATCH):
        read = people.read(actor, "my data", appointments=rows[start : start + BATCH])
        found |= {str(row): text for row, text in read.reasons.items()}
        broken = broken or bool(read.problem)
    return found, broken


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
