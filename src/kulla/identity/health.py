"""What works right now, in words for anyone (the status page) and for the operator."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kulla.keeper_client import KeeperUnavailable, Refused
from kulla.record import api as record
from kulla.registry import door

Text = str | Promise


@dataclass(frozen=True)
class Part:
    """One part of the house. `state` is received (works), waiting (slow) or late (away): the tag's colour."""

    name: Text
    state: str
    says: Text
    note: Text = ""


def parts() -> list[Part]:
    """The parts as the public sees them."""
    now = record.health()
    found = [Part(_("Pages"), "received", _("Work"))]
    if now.closed:
        found.append(
            Part(_("New bookings"), "late", _("Closed"), _("Reading works. What has a receipt is safe."))
        )
    elif now.waiting >= now.limit:
        found.append(
            Part(_("New bookings"), "late", _("Full"), _("Too much waits for the mirrors. Try again later."))
        )
    else:
        found.append(Part(_("New bookings"), "received", _("Work")))
    if now.alarms and now.waiting:
        note = _("What is booked now is kept and waits for the mirrors; its receipt comes later.")
        found.append(Part(_("Receipts"), "waiting", _("Slow"), note))
    else:
        found.append(Part(_("Receipts"), "received", _("Work")))
    if keeper_answers():
        found.append(Part(_("Signing in"), "received", _("Works")))
    else:
        note = _("Who is signed in stays so for some minutes. Public pages work.")
        found.append(Part(_("Signing in"), "late", _("Away"), note))
    return found


def keeper_answers() -> bool:
    """Whether the keeper answers now."""
    try:
        door.keeper().public_keys()
    except (KeeperUnavailable, Refused):
        return False
    return True
