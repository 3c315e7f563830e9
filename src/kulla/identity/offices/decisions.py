"""Words for what two people decide: each area has such a module, found by folder, with the kinds that it declares.

KINDS: kind of request to its title. LABELS: name of a detail to its label. VALUES: name of a detail to words for its
fixed values. A detail whose name ends in "_ms" is a time. What has no words here is shown plainly.
"""

import importlib
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from uuid import UUID

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kulla.identity import names
from kulla.keeper_client.approvals import Asked
from kulla.web import when

Text = str | Promise
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

KINDS: Mapping[str, Text] = {
    "role_grant": _("Give somebody a role with power"),
    "office_move": _("Put an office under another one"),
    "office_close": _("Close an office and end its roles"),
}
LABELS: Mapping[str, Text] = {
    "name": _("Who"),
    "role": _("Role"),
    "office": _("Office"),
    "under": _("Under"),
    "until_ms": _("Until"),
}
VALUES: Mapping[str, Mapping[str, Text]] = {"role": names.ROLES}
STATES: Mapping[str, Text] = {
    "open": _("Waits"),
    "done": _("Done"),
    "refused": _("Refused"),
    "expired": _("Nobody decided in time"),
    "lapsed": _("Ended with the role of who asked"),
    "withdrawn": _("Taken back"),
}


@dataclass(frozen=True)
class Shown:
    """A request in words."""

    id: UUID
    title: Text
    by: str
    office: str
    at_ms: int
    until_ms: int
    state: str
    state_words: Text
    details: list[tuple[Text, Text]]


def shown(asked: Asked) -> Shown:
    """A request as the pages show it."""
    kinds, labels, values = _words()
    details = [
        (labels.get(name, name), _value(name, text, values)) for name, text in asked.shown.items() if text
    ]
    return Shown(
        id=asked.id,
        title=kinds.get(asked.kind, asked.kind),
        by=asked.by,
        office=asked.office,
        at_ms=asked.at_ms,
        until_ms=asked.until_ms,
        state=asked.state,
        state_words=STATES.get(asked.state, asked.state),
        details=details,
    )


def _value(name: str, text: str, values: Mapping[str, Mapping[str, Text]]) -> Text:
    if name.endswith("_ms") and text.lstrip("-").isdigit():
        return when.day(int(text))
    if name in values:
        return values[name].get(text, text)
    if _DAY.fullmatch(text):
        return when.day_short(date.fromisoformat(text))
    return {"True": gettext("Yes"), "False": gettext("No")}.get(text, text)


def title(kind: str) -> Text:
    """The words for a kind of request; the kind itself when no area has any."""
    return _words()[0].get(kind, kind)


Words = tuple[dict[str, Text], dict[str, Text], dict[str, Mapping[str, Text]]]


@cache
def _words() -> Words:
    """The words of all areas; an area without such a module has none."""
    kinds: dict[str, Text] = {}
    labels: dict[str, Text] = {}
    values: dict[str, Mapping[str, Text]] = {}
    for area in settings.IDENTITY_AREAS:
        name = f"kulla.identity.{area}.decisions"
        if importlib.util.find_spec(name) is None:
            continue
        module = importlib.import_module(name)
        kinds |= getattr(module, "KINDS", {})
        labels |= getattr(module, "LABELS", {})
        values |= getattr(module, "VALUES", {})
    return kinds, labels, values
