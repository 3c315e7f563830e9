"""What people type. Every error is a plain sentence; nothing typed is lost, since forms are drawn again as sent."""

import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from kulla.services.appointments import times, words
from kulla.services.appointments.models import CancelReason
from kulla.services.appointments.people import REASON_LENGTH
from kulla.web.forms import DateField

_EARLIEST, _LATEST = 0, 7_258_118_400  # 1970 to 2200: calendar arithmetic never leaves the calendar


def instant_of(text: str) -> datetime | None:
    """The UTC instant of whole seconds since 1970 as text; None when it is none."""
    if not re.fullmatch(r"[0-9]{1,12}", text) or not _EARLIEST <= int(text) <= _LATEST:
        return None
    return datetime.fromtimestamp(int(text), UTC)


def uuid_of(text: str) -> UUID | None:
    """The UUID in canonical form; None when it is none."""
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


class InstantField(forms.CharField):
    """Whole seconds since 1970 UTC in a hidden input. Gives an aware datetime."""

    widget = forms.HiddenInput

    def clean(self, value: Any) -> datetime:
        """The instant. Raises ValidationError."""
        found = instant_of(str(value or ""))
        if found is None:
            raise ValidationError(_("The time is missing. Choose it again."))
        return found


class ReasonField(forms.CharField):
    """The optional reason: sealed before it is stored, at most 500 characters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": 4}), **kwargs)

    def clean(self, value: Any) -> str:
        """The text with plain line ends. Raises ValidationError."""
        text: str = super().clean(str(value or "").replace("\r\n", "\n"))
        if len(text) > REASON_LENGTH:
            raise ValidationError(
                _("The reason may have at most 500 characters; yours has %(length)s."),
                params={"length": len(text)},
            )
        return text


class TimeForm(forms.Form):
    """A chosen time: a practitioner and an instant."""

    practitioner = forms.UUIDField(
        widget=forms.HiddenInput, error_messages={"invalid": _("The time is missing. Choose it again.")}
    )
    starts = InstantField()


class BookForm(TimeForm):
    """Who comes and why. `key` makes the form book once, however often it is sent."""

    person = forms.ChoiceField(
        label=_("Who is the appointment for?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose who the appointment is for."),
                        "invalid_choice": _("Choose who the appointment is for.")},
    )  # fmt: skip
    reason = ReasonField(
        label=_("Reason for the visit (optional)"),
        help_text=_(
            "Only the office you are going to can read it: its reception and the doctor. "
            "You see each time it is opened. Up to 500 characters."
        ),
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, persons: Iterable[tuple[UUID, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].choices = [(str(person), name) for person, name in persons]  # type: ignore[attr-defined]


class PhoneForm(TimeForm):
    """A booking by telephone: the caller's identity number instead of a session."""

    number = forms.CharField(
        label=_("Identity number of the person"),
        help_text=_("Ten characters, for example J55101042K. Read it back to the caller."),
        error_messages={"required": _("Enter the identity number.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}
        ),
    )
    reason = ReasonField(
        label=_("Reason for the visit (optional)"),
        help_text=_("Only your office and the person can read it. Up to 500 characters."),
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    def clean_number(self) -> str:
        """The number in capital letters, without spaces."""
        number = re.sub(r"\s", "", str(self.cleaned_data["number"])).upper()
        if not re.fullmatch(r"[A-Z0-9]{6,20}", number):
            raise ValidationError(_("An identity number has ten letters and digits, for example J55101042K."))
        return number


class CancelForm(forms.Form):
    """Why an office cancels."""

    reason = forms.ChoiceField(
        label=_("Why is it cancelled?"),
        widget=forms.RadioSelect,
        choices=[
            (CancelReason.ASKED.value, CancelReason.ASKED.label),
            (CancelReason.AWAY.value, CancelReason.AWAY.label),
            (CancelReason.CLOSED.value, CancelReason.CLOSED.label),
        ],
        error_messages={
            "required": _("Choose why it is cancelled."),
            "invalid_choice": _("Choose why it is cancelled."),
        },
    )


_STRETCH = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*[-–—]\s*(\d{1,2})(?:[:.](\d{2}))?")


def parse_stretches(text: str) -> list[tuple[int, int]]:
    """Minutes of "08:00-12:00, 13-16:30". Raises ValidationError."""
    found = []
    for part in filter(None, (piece.strip() for piece in re.split(r"[,;]", text))):
        match = _STRETCH.fullmatch(part)
        numbers = [int(number or 0) for number in match.groups()] if match else []
        if not numbers or numbers[1] > 59 or numbers[3] > 59:
            raise ValidationError(_("Write hours as 08:00-12:00, 13:00-16:00, or leave the day empty."))
        start, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
        if not 0 <= start < end <= times.DAY_MINUTES:
            raise ValidationError(_("The end must come after the start, and no day is longer than 24:00."))
        found.append((start, end))
    return found


class StretchesField(forms.CharField):
    """The hours of one weekday as text. Gives a list of (start, end) in minutes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=200, **kwargs)

    def clean(self, value: Any) -> Any:
        """The stretches. Raises ValidationError."""
        return parse_stretches(super().clean(value))


class HoursForm(forms.Form):
    """The weekly hours of a practitioner from a day on: one line a weekday."""

    slot_minutes = forms.IntegerField(
        label=_("Minutes for one visit"),
        min_value=5,
        max_value=480,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        error_messages={
            "required": _("Enter how many minutes one visit takes."),
            "invalid": _("Enter the minutes as a whole number."),
            "min_value": _("A visit takes between 5 minutes and 8 hours."),
            "max_value": _("A visit takes between 5 minutes and 8 hours."),
        },
    )
    valid_from = DateField(label=_("Valid from"))
    grid = forms.IntegerField(widget=forms.HiddenInput)
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number in range(7):
            self.fields[f"day_{number}"] = StretchesField(label=words.weekday(number).capitalize())

    @property
    def days(self) -> list[Any]:
        """The seven fields of the weekdays, Monday first."""
        return [self[f"day_{number}"] for number in range(7)]

    def weekly(self) -> list[times.Hours]:
        """The hours of a valid form."""
        data = self.cleaned_data
        return [
            times.Hours(number, start, end, data["slot_minutes"], data["valid_from"])
            for number in range(7)
            for start, end in data[f"day_{number}"]
        ]

    @staticmethod
    def initial_of(hours: Iterable[times.Hours], grid: int, today: Any) -> dict[str, Any]:
        """What the form shows for hours that hold now or later."""
        current = [each for each in hours if each.valid_to is None or each.valid_to >= today]
        shown: dict[str, Any] = {"grid": grid, "key": uuid.uuid4(), "valid_from": today}
        shown["slot_minutes"] = current[0].slot_minutes if current else 20
        for number in range(7):
            stretches = [each for each in current if each.weekday == number and each.valid_to is None]
            shown[f"day_{number}"] = ", ".join(
                f"{times.clock(each.start_minute)}-{times.clock(each.end_minute)}" for each in stretches
            )
        return shown
