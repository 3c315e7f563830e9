"""What telephones and letter boxes of the cast received: in a demo nobody else could read the codes.

The keeper's outbox is asked for one member of the cast at a time; the portal learns of them what a visitor of the demo
may know anyway.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kulla.cli.supervisor.control import ask
from kulla.registry.door import keeper
from kulla.web.when import day_short

# Who is who, in the words of a visitor.
STORIES: dict[str, str | Promise] = {
    "newcomer": _("has no account yet: activate it"),
    "citizen": _("a mother; the father of her son has no custody"),
    "guardian": _("a father; the mother of his daughter is a guardian too"),
    "other_guardian": _("the other guardian of that daughter"),
    "no_custody": _("a father without custody"),
    "stranger": _("a citizen with nobody to look after"),
    "parent_of_teenager": _("a mother whose daughter turns 18 within weeks"),
    "elder": _("under the guardianship of her son"),
    "carer": _("the son who acts for her"),
    "represented": _("would like somebody to act for her"),
    "representative": _("could act for her"),
    "protected": _("a protected person"),
    "contact": _("is told when somebody looks at the protected person"),
    "offline": _("has neither telephone nor e-mail: go to a counter"),
    "foreigner": _("has a foreign passport and telephone, and no national number"),
    "apostrophe": _("has an apostrophe in her name"),
    "one_name": _("has one name only"),
    "cyrillic": _("writes his name in Cyrillic"),
    "greek": _("writes her name in Greek"),
    "long_name": _("has a name of 200 characters"),
    "clerk": _("a clerk"),
    "colleague": _("a clerk in the same office"),
    "admin": _("administers offices"),
    "admin2": _("administers offices too: power needs two"),
    "registrar": _("an official of the civil register"),
    "registrar2": _("another official of the civil register"),
    "protection": _("a data-protection official"),
    "operator": _("runs the portal"),
    "clerk2": _("a clerk in another town"),
    "clerk3": _("a clerk in another town"),
    "clerk4": _("a clerk in another town"),
    "neighbour1": _("a neighbour"),
    "neighbour2": _("a neighbour"),
    "neighbour3": _("a neighbour"),
    "neighbour4": _("a neighbour"),
}
LABELS = {
    "number": _("Identity number"),
    "passport": _("Passport"),
    "born": _("Date of birth"),
    "phone": _("Telephone on record"),
    "email": _("E-mail on record"),
}
NAME_SHOWN = 60  # characters


@dataclass(frozen=True)
class Owner:
    """A member of the cast as the page shows it."""

    who: str
    name: str
    story: str | Promise
    facts: dict[str, Any]

    @property
    def rows(self) -> list[tuple[str | Promise, str]]:
        """What a visitor must know to play this person: label and value."""
        shown = dict(self.facts)
        if shown.get("born"):
            shown["born"] = day_short(date.fromisoformat(shown["born"]))
        return [(label, shown[name]) for name, label in LABELS.items() if shown.get(name)]

    @property
    def identifier(self) -> str:
        """What the keeper knows this person by."""
        return str(self.facts.get("number") or self.facts.get("passport", ""))


def owners() -> list[Owner]:
    """The cast, in the order of the stories. Raises ControlError when the supervisor does not answer."""
    told: list[dict[str, Any]] = ask(settings.KULLA_CONTROL_SOCKET, "cast")["cast"]
    by_who = {one["who"]: one for one in told}
    return [
        Owner(who, by_who[who]["name"], story, by_who[who]) for who, story in STORIES.items() if who in by_who
    ]


class WhoseForm(forms.Form):
    """Whose telephone to look at."""

    who = forms.ChoiceField(label=_("Whose telephone?"))

    def __init__(self, *args: Any, cast: list[Owner], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["who"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(one.who, f"{_short(one.name)}: {one.story}") for one in cast]


def messages(owner: Owner) -> list[Any]:
    """What was sent to this person lately, newest first. Raises KeeperUnavailable, Refused."""
    return keeper().demo_outbox(owner.identifier)


def _short(name: str) -> str:
    return name if len(name) <= NAME_SHOWN else f"{name[:NAME_SHOWN]}…"
