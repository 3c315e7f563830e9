"""The keeper's refusals in plain words, for the forms of this area."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kulla.keeper_client import Refused
from kulla.web import when

Text = str | Promise

DOCUMENT: dict[str, Text] = {
    "empty": _("This file is empty"),
    "too_large": _("This file is larger than 2 MB. Make the photograph smaller and choose it again"),
    "kind": _("This is neither a JPEG, a PNG nor a PDF, whatever its name says"),
    "broken": _(
        "This file is not whole, or something else is hidden in it. Photograph or scan the paper again"
    ),
    "acts": _("This PDF has scripts or files inside. Print it to a new PDF, or photograph the paper"),
    "locked": _("This PDF is locked with a password. Choose one that anyone can open"),
}
ORDER: dict[str, tuple[str, Text]] = {
    "empty": ("order", _("Enter the number of the order and the court")),
    "shown": ("shown", _("Choose a day after today, at most a year from now")),
    "period": ("until", _("The period ends before it begins, or after the day on which the looks are shown")),
}
_PLAIN: dict[str, Text] = {
    "asked_already": _("You have asked already. You find it below."),
    "answered_already": _("This was answered already."),
    "decided": _("This was decided already."),
    "holds_role": _(
        "This person has or had a role as an official. Acts of office are kept, so this cannot be erased."
    ),
    "is_contact": _("This person is the contact of a protected person. Another contact must be named first."),
    "not_opened": _("Open the request before you decide it."),
    "unknown_person": _("Nobody has this number."),
    "unknown_office": _("There is no such office."),
    "bad_identifier": _("This is no personal number: ten characters, for example J55101042K."),
    "hidden": _("The address of a protected person is changed by the register’s office itself, not here."),
    "protected": _(
        "This person is protected: a colleague must release the look first, and the person’s contact is told."
    ),
    "no_channel": _("Messages about safety need at least one channel."),
    "assisted": _("This cannot be done at a counter, only by the person alone."),
    "no_text": _("Write a reason."),
}


def of(refused: Refused) -> str:
    """One sentence. Codes that have none here raise the refusal again: the error page words it."""
    details: dict[str, Any] = refused.details
    if refused.code == "capped":
        return _capped(details)
    if refused.code == "slow_down":
        return gettext("That was too often for one day.")
    if refused.code == "budget":
        text = gettext("Your limit for opening people’s data is reached. This attempt is on record.")
        if isinstance(until := details.get("until_ms"), int):
            text += " " + gettext("It opens again at %(time)s.") % {"time": when.datetime_words(until)}
        return text
    if refused.code == "bad_value" and details.get("reason") == "same":
        return gettext("That is what the register says already.")
    if refused.code == "bad_value":
        return gettext(
            "This cannot be the right value. A date of birth is written as 27.3.1985, the sex as female or male."
        )
    if refused.code in _PLAIN:
        return str(_PLAIN[refused.code])
    raise refused


def _capped(details: dict[str, Any]) -> str:
    if details.get("reason") == "open":
        return gettext("Three of your requests wait already. Ask again when one is decided.")
    if details.get("reason") == "bytes":
        return gettext("You have sent 6 MB of documents within 30 days. Ask without a document, or wait.")
    text = gettext("That was too often for one day.")
    if isinstance(until := details.get("until_ms"), int):
        text += " " + gettext("It is possible again at %(time)s.") % {"time": when.datetime_words(until)}
    return text
