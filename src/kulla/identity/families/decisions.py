"""What waits for a second official, in words: titles of requests, labels of their details, words of fixed values."""

from collections.abc import Mapping
from itertools import combinations

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from kulla.identity.families import words

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
_YES_NO: Mapping[str, str | Promise] = {"yes": _("Yes"), "no": _("No")}


def _every_choice() -> dict[str, str | Promise]:
    """Each set of scopes, as the keeper names it, in words."""
    sets = (chosen for size in range(1, 5) for chosen in combinations(words.SCOPES, size))
    return {
        ",".join(chosen): format_lazy(
            ", ".join(["{}"] * len(chosen)), *(words.SCOPES[code] for code in chosen)
        )
        for chosen in sets
    }


VALUES: Mapping[str, Mapping[str, str | Promise]] = {
    "relation": {"child": _("Parent and child"), "ward": _("Guardianship")},
    "scopes": _every_choice(),
    "custody": _YES_NO,
    "adult": _YES_NO,
    "limits": words.LIMITS,
}
