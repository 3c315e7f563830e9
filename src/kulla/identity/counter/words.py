"""Words of the counter: what a visit is for, how a person confirms, why somebody is protected."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

WHAT: Mapping[str, Text] = {
    "any": _("Any public service"),
    "health": _("Health"),
    "school": _("School"),
    "travel": _("Travel and documents"),
    "money": _("Payments"),
}
WAYS: Mapping[str, Text] = {
    "code": _("with a code sent to the phone"),
    "pin": _("with the counter PIN"),
    "signature": _("by signing, before a second official"),
}
KINDS: Mapping[str, Text] = {
    "number": _("Personal number"),
    "passport": _("Passport"),
    "permit": _("Residence permit"),
    "refugee": _("Refugee document"),
}
REASONS: Mapping[str, Text] = {
    "violence": _("Victim of violence"),
    "politics": _("Persecuted for politics or opinions"),
    "office": _("Holds a public office"),
    "keeper": _("Works for the keeper"),
    "other": _("Another serious danger"),
}
