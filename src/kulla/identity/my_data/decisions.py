"""Titles and labels of what two officials decide in this area, for the page of decisions."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise
KINDS: Mapping[str, Text] = {
    "look_delay": _("A court’s order: show looks later"),
    "erasure": _("Erasure of what is held about a person"),
}
LABELS: Mapping[str, Text] = {
    "order": _("Order number"),
    "court": _("Court"),
    "order_person": _("Personal number in the order"),
    "looking_office": _("Office whose looks are delayed"),
    "looks_from": _("Looks from"),
    "looks_to": _("Looks until"),
    "shown_on": _("Shown to the person on"),
    "reference": _("Reference number"),
    "reason": _("Reason"),
}
