"""What administrators type about offices and roles."""

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from kulla.identity import names
from kulla.identity.offices import words
from kulla.keeper_client.offices import Office

_SPAN = re.compile(r"([01]?\d|2[0-4])[:.]([0-5]\d)\s*[-–]\s*([01]?\d|2[0-4])[:.]([0-5]\d)")
_DURATIONS = {
    "30": _("One month"),
    "91": _("Three months"),
    "182": _("Six months"),
    "365": _("One year, the longest"),
}
_ROLES = ("receptionist", "registrar", "protection", "admin")
_ROLE_HINTS = {
    "receptionist": _("Works at the counter. Your decision alone is enough."),
    "registrar": _("Decides corrections and families. A second administrator decides too."),
    "protection": _(
        "Answers questions about looks; opens nobody’s data. A second administrator decides too."
    ),
    "admin": _("Gives roles in this office and under it; reads nobody. A second administrator decides too."),
}


def _days() -> forms.ChoiceField:
    return forms.ChoiceField(
        label=_("For how long"),
        choices=list(_DURATIONS.items()),
        initial="365",
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose for how long"), "invalid_choice": _("Choose one of these")},
    )


class OfficeSearchForm(forms.Form):
    """Words to find an office by."""

    q = forms.CharField(
        label=_("Find an office"),
        help_text=_("Its name, its town or its street"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


class OfferForm(forms.Form):
    """A role for somebody, named by their identifier."""

    role = forms.ChoiceField(
        label=_("Which role"),
        choices=[(role, names.ROLES[role]) for role in _ROLES],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the role"), "invalid_choice": _("Choose one of these")},
    )
    identifier = forms.CharField(
        label=_("Personal number of who is to have it"),
        help_text=_(
            "As it stands on the identity card; of foreigners for example “permit AB1234567”. "
            "You are not told whether anybody has it."
        ),
        max_length=64,
        error_messages={"required": _("Enter the number"), "max_length": _("That number is too long")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    days = _days()
    note = forms.CharField(
        label=_("A word for yourself (if you like)"),
        help_text=_("To know this offer again in your list. Nobody else reads it."),
        required=False,
        max_length=80,
        error_messages={"max_length": _("At most 80 letters")},
    )

    hints = _ROLE_HINTS


class CodeForm(forms.Form):
    """The code of an offer, from the administrator's paper."""

    code = forms.CharField(
        label=_("Code of the offer"),
        help_text=_("Ten letters and digits that the administrator of the office gave you"),
        max_length=40,
        error_messages={"required": _("Enter the code"), "max_length": _("That code is too long")},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )


class RenewForm(forms.Form):
    """For how long a role goes on."""

    days = _days()


class HoursField(forms.CharField):
    """Opening hours of one weekday. Gives spans of minutes after midnight."""

    def clean(self, value: Any) -> Any:
        """Raises ValidationError for what are no hours."""
        text = str(super().clean(value) or "").strip()
        if not text:
            return []
        spans = []
        for part in text.split(","):
            found = _SPAN.fullmatch(part.strip())
            if found is None:
                raise forms.ValidationError(
                    _("Enter hours like 08:00-16:00, or leave it empty"), code="hours"
                )
            hour, minute, end_hour, end_minute = map(int, found.groups())
            spans.append((60 * hour + minute, 60 * end_hour + end_minute))
        ordered = [moment for span in spans for moment in span]
        if ordered != sorted(set(ordered)) or ordered[-1] > 24 * 60 or len(spans) > 3:
            raise forms.ValidationError(_("These hours overlap or stand in the wrong order"), code="order")
        return spans


class _Named(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        error_messages={"required": _("Enter the name"), "max_length": _("At most 120 letters")},
    )
    name_en = forms.CharField(
        label=_("Name in English (if it has one)"),
        required=False,
        max_length=120,
        error_messages={"max_length": _("At most 120 letters")},
    )
    town = forms.CharField(
        label=_("Town or village"),
        required=False,
        max_length=120,
        error_messages={"max_length": _("At most 120 letters")},
    )
    address = forms.CharField(
        label=_("Street and number"),
        required=False,
        max_length=120,
        error_messages={"max_length": _("At most 120 letters")},
    )


class ChangeForm(_Named):
    """What the public reads of an office."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for day in range(7):
            field = HoursField(label=words.day_name(day), required=False, max_length=60)
            field.error_messages["max_length"] = _("At most three spans of hours a day")
            self.fields[f"day_{day}"] = field

    @classmethod
    def of(cls, office: Office) -> "ChangeForm":
        """The form filled with what stands."""
        initial = {
            "name": office.name,
            "name_en": office.name_en,
            "town": office.town,
            "address": office.address,
        }
        hours = {f"day_{day}": words.text_of_hours(office.hours.get(day, [])) for day in range(7)}
        return cls(initial=initial | hours)

    @property
    def hours(self) -> dict[int, list[tuple[int, int]]]:
        """The hours of a valid form."""
        return {day: spans for day in range(7) if (spans := self.cleaned_data[f"day_{day}"])}

    @property
    def days(self) -> list[Any]:
        """The fields of the weekdays."""
        return [self[f"day_{day}"] for day in range(7)]


class AddForm(_Named):
    """A new office under another one."""

    kind = forms.ChoiceField(
        label=_("What it is"),
        choices=[(kind, words.KINDS[kind]) for kind in ("ministry", "agency", "branch")],
        initial="branch",
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what it is"), "invalid_choice": _("Choose one of these")},
    )


class MoveForm(forms.Form):
    """Where an office is to stand."""

    parent = forms.ChoiceField(
        label=_("Under which office"),
        error_messages={"required": _("Choose the office"), "invalid_choice": _("Choose one of these")},
    )

    def __init__(self, *args: Any, offices: Iterable[Office] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(office.id), words.name(office)) for office in offices]
        self.fields["parent"].choices = [("", _("Choose one of your offices")), *choices]  # type: ignore[attr-defined]


class YesNoForm(forms.Form):
    """A decision, or the answer to an offer."""

    answer = forms.ChoiceField(
        label=_("Your answer"),
        choices=[("yes", _("Yes")), ("no", _("No"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose yes or no"), "invalid_choice": _("Choose yes or no")},
    )

    @property
    def yes(self) -> bool:
        """Whether the answer of a valid form is yes."""
        return bool(self.cleaned_data["answer"] == "yes")
