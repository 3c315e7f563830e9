"""Words for what the keeper names by codes: fields, purposes, sections of what is held, needs, states.

A code that stands here not is shown as it is: another area may add a section before it has words.
"""

import contextlib
import re
from collections.abc import Mapping
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kulla.identity import names
from kulla.identity.accounts.words import DOCUMENTS
from kulla.identity.counter import words as counter
from kulla.identity.offices import decisions
from kulla.web import when

Text = str | Promise

PURPOSES: Mapping[str, Text] = names.PURPOSES
FIELDS: Mapping[str, Text] = {
    **names.FIELDS,
    "first_name": _("first name"),
    "last_name": _("last name"),
    "sex": _("sex"),
    "address": _("address"),
    "place": _("place"),
    "status": _("status"),
    "document": _("the document you sent"),
    "needs": _("what helps you"),
    "json": _("as a file for programs (JSON)"),
    "pdf": _("as a document (PDF)"),
}
SECTIONS: Mapping[str, Text] = {
    "register": _("The register"),
    "identifiers": _("Numbers and documents"),
    "contacts": _("Where messages reach you"),
    "settings": _("Your settings"),
    "family": _("Family and representatives"),
    "roles": _("Your offices"),
    "credentials": _("How you sign in"),
    "sessions": _("Where you signed in"),
    "notices": _("Messages sent to you"),
    "grants": _("Offices that may look on a day"),
    "looks": _("Who looked at your data"),
    "questions": _("Your questions about looks"),
    "corrections": _("Your requests for corrections"),
    "erasure": _("Your requests for erasure"),
    "visits": _("Visits at a counter"),
    "counter_pin": _("Counter PIN"),
    "protected": _("Protection"),
    "mandates": _("Mandates"),
    "cases": _("Cases about your account"),
    "work": _("What you asked and decided as an official"),
}
LABELS: Mapping[str, Text] = {
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "birth_date": _("Date of birth"),
    "sex": _("Sex"),
    "language": _("Language"),
    "place": _("Place"),
    "address": _("Address"),
    "status": _("Status"),
    "death_date": _("Date of death"),
    "type": _("Kind"),
    "kind": _("Kind"),
    "number": _("Number"),
    "channel": _("Channel"),
    "value": _("Value"),
    "needs": _("What helps you"),
    "channels_security": _("Messages about safety"),
    "channels_services": _("Messages of services"),
    "channels_data": _("Messages about your data"),
    "channels_family": _("Messages about your family"),
    "tie": _("Tie"),
    "name": _("Name"),
    "acts": _("Who acts"),
    "relation": _("Relation"),
    "scopes": _("Matters"),
    "custody": _("Custody"),
    "since": _("Since"),
    "until": _("Until"),
    "role": _("Role"),
    "office": _("Office"),
    "since_ms": _("Since"),
    "until_ms": _("Until"),
    "at_ms": _("When"),
    "started_ms": _("Started"),
    "ended_ms": _("Ended"),
    "network": _("Network"),
    "device": _("Device"),
    "assisted": _("With the help of"),
    "subject": _("Subject"),
    "body": _("Text"),
    "service": _("Service"),
    "day": _("Day"),
    "made_ms": _("Made"),
    "revoked": _("Taken back"),
    "purpose": _("Why"),
    "fields": _("What was opened"),
    "allowed": _("Allowed"),
    "late": _("Shown later by order of a court"),
    "reference": _("Reference number"),
    "due_ms": _("Answer due"),
    "look_at_ms": _("The look was"),
    "text": _("Your words"),
    "answered_ms": _("Answered"),
    "answer": _("Answer"),
    "field": _("What is wrong"),
    "was": _("As it stood"),
    "reason": _("Reason"),
    "document": _("Document"),
    "size": _("Size in bytes"),
    "state": _("State"),
    "decided_ms": _("Decided"),
    "due": _("Counts from"),
    "pending": _("Not in force yet"),
    "confirmed_ms": _("Confirmed"),
    "yes": _("Agreed"),
    "contact": _("Who is told of looks"),
    "what": _("What for"),
    "way": _("How it was confirmed"),
}
NEEDS: Mapping[str, Text] = {
    "large_print": _("Large print"),
    "sign_language": _("A sign language interpreter"),
    "wheelchair": _("Access with a wheelchair"),
    "plain_language": _("Plain language"),
    "read_to_me": _("Texts read to me"),
    "interpreter": _("An interpreter for another language"),
    "more_time": _("More time"),
}
CHANNELS: Mapping[str, Text] = {"phone": _("SMS"), "email": _("E-mail")}
GROUPS: Mapping[str, Text] = {
    "security": _("Safety of your account"),
    "services": _("Services, for example an appointment"),
    "data": _("Your data: answers, corrections"),
    "family": _("Family and representatives"),
}
STATES: Mapping[str, Text] = {
    "open": _("Waits"),
    "accepted": _("Accepted"),
    "refused": _("Refused"),
    "proposed": _("Waits for a second registrar"),
    "agreed": _("Agreed, not carried out yet"),
    "withdrawn": _("Withdrawn"),
    "used": _("Used"),
    "unused": _("Not used"),
    "closed": _("Closed"),
    "set": _("Set"),
    "locked": _("Blocked"),
}
# What a value means, by its name in a row.
_VALUES: Mapping[str, Mapping[str, Text]] = {
    "sex": {"f": _("Female"), "m": _("Male")},
    "language": {"sq": "Shqip", "en": "English"},
    "status": {"alive": _("Living"), "dead": _("Dead"), "moved_abroad": _("Moved abroad")},
    "type": {
        "number": _("Personal number"),
        "passport": _("Passport"),
        "permit": _("Residence permit"),
        "refugee": _("Refugee document"),
        "staff": _("Staff number"),
    },
    "kind": {
        "password": _("Password"),
        "totp": _("Codes of an app"),
        "passkey": _("Passkey"),
        "paper": _("Recovery codes on paper"),
        "letter": _("Letter with a one-time code"),
        "frozen": _("The account was frozen"),
        "recovery_password": _("Recovery of the password"),
        "recovery_factor": _("Recovery of the second factor"),
    },
    "way": counter.WAYS,
    "what": counter.WHAT,
    "tie": {
        "guardianship": _("Guardianship"),
        "mandate": _("Mandate"),
        "estate": _("Estate"),
    },
    "acts": {"you act": _("You act for this person"), "acts for you": _("This person acts for you")},
    "scopes": {"health": _("Health"), "school": _("School"), "travel": _("Travel"), "money": _("Money")},
    "channel": CHANNELS,
    "needs": NEEDS,
    "field": FIELDS,
    "fields": FIELDS,
    "purpose": PURPOSES,
    "role": names.ROLES,
    "relation": names.RELATIONS,
    "state": STATES,
    "document": {"jpg": "JPEG", "png": "PNG", "pdf": "PDF", **DOCUMENTS},
    "reason": counter.REASONS,
}
IDENTITY = _("The portal’s own pages")  # what belongs to no service
WITHHELD = _(
    "Held, but not shown: the address of a protected person leaves the register to no screen and no paper."
)
_DAY = re.compile(r"[12]\d{3}-\d\d-\d\d")


def label(key: str) -> str:
    """The words for the name of a value."""
    return str(LABELS.get(key) or key.removesuffix("_ms").replace("_", " "))


def section(name: str) -> str:
    """The title of a section."""
    return str(SECTIONS.get(name) or name.replace("_", " "))


def value(key: str, given: object) -> str:
    """A value as people read it."""
    if isinstance(given, bool):
        return gettext("Yes") if given else gettext("No")
    if isinstance(given, int) and key.endswith("_ms"):
        return when.datetime_words(given)
    if isinstance(given, str) and _DAY.fullmatch(given):
        with contextlib.suppress(ValueError):  # of the form of a day, and none
            return when.day_short(date.fromisoformat(given))
    if isinstance(given, list | tuple):
        return ", ".join(value(key, each) for each in given) or gettext("None")
    return _code(key, str(given))


def _code(key: str, text: str) -> str:
    words = CHANNELS if key.startswith("channels_") else _VALUES.get(key, {})
    if text == "withheld":
        return str(WITHHELD)
    if key == "kind" and text not in words:
        return str(decisions.title(text))
    if key == "fields":  # those of services are named "table.column"
        return str(words.get(text.rsplit(".", maxsplit=1)[-1]) or gettext("another entry of yours"))
    return str(words.get(text, text))
