"""What is typed on the pages of my data."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from kulla.identity.my_data import words
from kulla.web.forms import DateField

TEXT, ANSWER, REASON, VALUE = 1000, 4000, 1000, 200  # characters, as the keeper takes them
_DAY = re.compile(r"\s*(\d{1,2})[ ./-]+(\d{1,2})[ ./-]+(\d{4})\s*")
_SEX = {"femër": "f", "femer": "f", "female": "f", "woman": "f", "mashkull": "m", "male": "m", "man": "m"}


def _area(rows: int = 4) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class LooksFilter(forms.Form):
    """Which looks to show. It is sent by GET, so a page can be marked; nothing in it is personal."""

    office = forms.ChoiceField(label=_("Office"), required=False)
    service = forms.ChoiceField(label=_("Service"), required=False)
    whose = forms.ChoiceField(label=_("Whose data"), required=False)
    since = DateField(label=_("From"), required=False)
    until = DateField(label=_("Until"), required=False)
    refused = forms.BooleanField(label=_("Only what was refused"), required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        offices: Sequence[tuple[str, str]] = (),
        services: Sequence[tuple[str, str]] = (),
        whose: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(data)
        choices = {"office": offices, "service": services, "whose": whose}
        for name, given in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101
            field.choices = [("", _("All")), *given]
        if not whose:
            del self.fields["whose"]

    def clean(self) -> dict[str, Any]:
        """From before until."""
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if isinstance(since, date) and isinstance(until, date) and until < since:
            self.add_error("until", _("The period ends before it begins"))
        return cleaned


class QuestionForm(forms.Form):
    """A question about a look; the words are optional."""

    text = forms.CharField(
        label=_("What do you not understand? (optional)"),
        required=False,
        max_length=TEXT,
        widget=_area(),
        help_text=_(
            "The official who answers reads these words, but not who you are. Leave out your name and number."
        ),
        error_messages={"max_length": _("Use at most 1,000 characters")},
    )


class AnswerForm(forms.Form):
    """The official's answer."""

    text = forms.CharField(
        label=_("Your answer"),
        max_length=ANSWER,
        widget=_area(8),
        error_messages={"required": _("Write an answer"), "max_length": _("Use at most 4,000 characters")},
    )


class CorrectionForm(forms.Form):
    """What is wrong in the register, and what is right."""

    field = forms.ChoiceField(
        label=_("What is wrong?"),
        choices=[
            ("first_name", _("First name")),
            ("last_name", _("Last name")),
            ("birth_date", _("Date of birth")),
            ("sex", _("Sex")),
            ("address", _("Address")),
            ("place", _("Place")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what is wrong")},
    )
    value = forms.CharField(
        label=_("What is right?"),
        max_length=VALUE,
        help_text=_("A date of birth as 27.3.1985; the sex in a word."),
        error_messages={"required": _("Write what is right"), "max_length": _("Use at most 200 characters")},
    )
    reason = forms.CharField(
        label=_("Why?"),
        max_length=REASON,
        widget=_area(),
        help_text=_("For example: the name was misspelt when the register was typed."),
        error_messages={"required": _("Write why"), "max_length": _("Use at most 1,000 characters")},
    )
    document = forms.FileField(
        label=_("A document that shows it (optional)"),
        required=False,
        allow_empty_file=True,  # the keeper says what is wrong with it
        widget=forms.FileInput(attrs={"accept": ".jpg,.jpeg,.png,.pdf,image/jpeg,image/png,application/pdf"}),
        help_text=_("A photograph (JPEG, PNG) or a PDF of at most 2 MB. Only registrars open it."),
    )

    def clean(self) -> dict[str, Any]:
        """A day and a sex as people write them become what the register keeps; what stays unclear it refuses."""
        given: dict[str, Any] = super().clean() or {}
        field, value = given.get("field"), str(given.get("value") or "")
        if field == "birth_date" and (found := _DAY.fullmatch(value)):
            day, month, year = found.groups()
            given["value"] = f"{year}-{int(month):02}-{int(day):02}"
        if field == "sex":
            given["value"] = _SEX.get(value.casefold(), value)
        return given


class DecisionForm(forms.Form):
    """A registrar's decision about a request."""

    reason = forms.CharField(
        label=_("Reason, as the person reads it"),
        max_length=REASON,
        widget=_area(),
        error_messages={"required": _("Write the reason"), "max_length": _("Use at most 1,000 characters")},
    )


class ErasureForm(forms.Form):
    """What a person wants erased."""

    text = forms.CharField(
        label=_("Why do you want everything about you to be erased?"),
        max_length=REASON,
        widget=_area(),
        error_messages={
            "required": _("Write what you want"),
            "max_length": _("Use at most 1,000 characters"),
        },
    )


def _channels(group: str, *, required: bool = False) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=words.GROUPS[group],  # type: ignore[arg-type]  # texts are lazy in their own way here
        required=required,
        choices=list(words.CHANNELS.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Messages about safety need at least one channel")},
    )


class SettingsForm(forms.Form):
    """Language, channels of each kind of notice, what helps at a counter."""

    language = forms.ChoiceField(
        label=_("Language of pages and messages"),
        choices=[("sq", "Shqip"), ("en", "English")],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a language")},
    )
    on_security = _channels("security", required=True)
    on_services = _channels("services")
    on_data = _channels("data")
    on_family = _channels("family")
    needs = forms.MultipleChoiceField(
        label=_("What helps you at a counter"),
        required=False,
        choices=list(words.NEEDS.items()),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("A clerk sees this on the day of your appointment, and on no other day."),
    )

    def __init__(self, *args: Any, assisted: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if assisted:  # channels are not changed while somebody else sits beside
            for group in words.GROUPS:
                del self.fields[f"on_{group}"]

    @property
    def groups(self) -> list[str]:
        """The kinds of notices that the form has."""
        return [group for group in words.GROUPS if f"on_{group}" in self.fields]


class OrderForm(forms.Form):
    """A court's order to show looks later."""

    order = forms.CharField(
        label=_("Order number"),
        max_length=100,
        error_messages={"required": _("Enter the number of the order")},
    )
    court = forms.CharField(
        label=_("Court"), max_length=200, error_messages={"required": _("Enter the court")}
    )
    number = forms.CharField(
        label=_("Personal number in the order"),
        max_length=64,
        help_text=_("The search costs 10 of your limit, found or not."),
        error_messages={"required": _("Enter the personal number")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    office = forms.ChoiceField(
        label=_("Office whose looks are delayed"), error_messages={"required": _("Choose the office")}
    )
    since = DateField(label=_("Looks from"))
    until = DateField(label=_("Looks until"))
    shown = DateField(
        label=_("Shown to the person on"),
        help_text=_("At most a year from today. A longer time needs a new order."),
    )

    def __init__(self, *args: Any, offices: Sequence[tuple[UUID, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["office"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = [("", _("Choose")), *((str(office), name) for office, name in offices)]

    def clean_number(self) -> str:
        """As people write it on paper: without spaces."""
        return "".join(str(self.cleaned_data["number"]).split())
