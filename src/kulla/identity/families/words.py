"""Words of this area: scopes, relations, limits, and the refusals that its pages can meet."""

from collections.abc import Iterable, Mapping
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kulla.keeper_client import Refused
from kulla.web import when

Text = str | Promise

SCOPES: Mapping[str, Text] = {
    "health": _("Health"),
    "school": _("School"),
    "travel": _("Travel"),
    "money": _("Money"),
}
SCOPE_HINTS: Mapping[str, Text] = {
    "health": _("doctors, hospitals, vaccines"),
    "school": _("enrolment, marks, school transport"),
    "travel": _("passports, crossing the border"),
    "money": _("bills, taxes, benefits"),
}
RELATIONS: Mapping[str, Text] = {
    "child": _("Your child"),
    "ward": _("In your care"),
    "represented": _("You represent this person"),
    "estate": _("You act as an heir"),
}
GUARDIANS: Mapping[str, Text] = {"child": _("Parent or guardian"), "ward": _("Guardian")}
LIMITS: Mapping[str, Text] = {
    "": _("No limit"),
    "no_travel": _("A court has excluded travel"),
    "no_money": _("A court has excluded money"),
    "no_health": _("A court has excluded health"),
    "no_school": _("A court has excluded school"),
    "supervised": _("A court allows meetings under supervision only"),
    "other": _("A court has set a limit"),
}
IDENTIFIERS: Mapping[str, Text] = {
    "number": _("Personal number"),
    "passport": _("Passport"),
    "permit": _("Residence permit"),
    "refugee": _("Refugee’s document"),
}
PURPOSES: Mapping[str, Text] = {"family": _("a guardianship or an inheritance")}
_WHO: Mapping[str, Text] = {
    "guardian": _("The register has nobody with this document of the guardian."),
    "ward": _("The register has nobody with this document of the child or adult in care."),
    "dead": _("The register has nobody with this document of the person who has died."),
    "heir": _("The register has nobody living with this document of the heir."),
}
_SENTENCES: Mapping[str, Text] = {
    "short_session": _("On a device that is not yours nobody is appointed."),
    "assisted": _(
        "This can only be done by the person alone, on their own page, never with an official’s help."
    ),
    "not_adult": _("This needs a person of at least 18 years."),
    "under_guardianship": _("Who is under guardianship cannot appoint a representative or be one."),
    "bad_scope": _("Choose at least one."),
    "bad_day": _("This day is not possible. Choose a later one, at most three years ahead."),
    "too_many": _("You have five offers that nobody took. Take one back first."),
    "unknown_code": _(
        "There is no offer with this code. It may have been used, taken back, or be older than seven days. "
        "Ask for a new one."
    ),
    "unknown_mandate": _("It has ended already, or the time to confirm it has passed."),
    "bad_identifier": _("A number does not have the right form. Compare it with the document."),
    "concerned": _("You cannot do this for yourself or for your own family. Ask a colleague."),
    "of_age": _("This person is 18 or older. Say that it is an adult whom a court put under guardianship."),
    "not_dead": _("The register does not say that this person has died. First the death is registered."),
    "protected": _(
        "One of them is a protected person. A second official must release the look first, at the counter."
    ),
    "no_tie": _("The register has no such relation between these two persons."),
    "role": _("Your role does not allow this."),
    "log_unconfirmed": _("Looking at people’s data is closed for a moment. Try again in a minute."),
    "copies_unavailable": _(
        "Nothing can be changed right now. What you wrote is kept: try again in some minutes."
    ),
}


def scopes(codes: Iterable[str]) -> list[Text]:
    """Scopes in words."""
    return [SCOPES.get(code, code) for code in codes]


def day(text: str) -> str:
    """A day as ISO text, in words."""
    return when.day(date.fromisoformat(text))


def refusal(refused: Refused) -> Text:
    """A refusal of the keeper in plain words."""
    if refused.code == "self":
        return _("Both are the same person. Somebody else must do this.")
    if refused.code == "unknown_person":
        return _WHO.get(str(refused.details.get("which")), _("One of them is not in the register any more."))
    if refused.code == "slow_down":
        minutes = max(1, -(-int(refused.details.get("retry_after_s") or 60) // 60))
        return _("There were too many wrong codes. Try again in %(minutes)s minutes.") % {"minutes": minutes}
    if refused.code == "budget":
        until = refused.details.get("until_ms")
        said = when.datetime_words(until) if isinstance(until, int) else "–"
        return _("The limit for opening people’s data is reached. It opens again: %(time)s.") % {"time": said}
    return _SENTENCES.get(refused.code, _("This was not done. Check what you entered and try again."))
