"""What waits for a second official, in words: titles of requests, and labels of what they show."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

KINDS: Mapping[str, str | Promise] = {
    "guardianship_made": _("Record a guardian"),
    "guardianship_ended": _("End a guardianship"),
    "heir": _("Record an heir"),
    "heir_ended": _("End an heir’s right"),
}
LABELS: Mapping[str, str | Promise] = {
    "guardian": _("Guardian"),
    "ward": _("Child, or adult in care"),
    "heir": _("Heir"),
    "dead": _("Person who has died"),
    "relation": _("Relation"),
    "scopes": _("In what"),
    "custody": _("Custody"),
    "adult": _("Adult under guardianship"),
    "since": _("From"),
    "until": _("Until"),
    "limits": _("Limits set by the court"),
    "words": _("In words"),
    "court": _("Court"),
    "decision": _("Number of the decision"),
    "decided": _("Day of the decision"),
    "document": _("Document shown"),
    "certificate": _("Certificate of inheritance"),
}
