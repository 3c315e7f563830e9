"""Words for what a second official decides at a counter, see offices/decisions.py."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kulla.identity.counter.words import REASONS, WHAT
from kulla.identity.names import PURPOSES

Text = str | Promise

KINDS: Mapping[str, Text] = {
    "assisted_signature": _("Confirm that this person is at the counter, with a document, and has signed"),
    "counter_pin": _("Confirm that this person, with a document, has just typed a new counter PIN"),
    "protected_look": _("Let an official look at a protected person for 30 minutes"),
    "protect": _("Protect a person"),
    "unprotect": _("End the protection of a person"),
}
LABELS: Mapping[str, Text] = {
    "sheet": _("Number of the sheet"),
    "counter_person": _("Person"),
    "birth_date": _("Date of birth"),
    "counter_what": _("What for"),
    "look_purpose": _("Reason"),
    "protect_reason": _("Why"),
    "protect_contact": _("Who is told of looks"),
    "protect_note": _("Why"),
    "service": _("Service"),
}
VALUES: Mapping[str, Mapping[str, Text]] = {
    "counter_what": WHAT,
    "look_purpose": PURPOSES,
    "protect_reason": REASONS,
    "protect_contact": {"person": _("the person")},
}
