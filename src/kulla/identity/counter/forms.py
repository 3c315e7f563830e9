"""What is typed at the counter: by the clerk, and by the person on the pad."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from kulla.identity.counter.words import KINDS, REASONS, WHAT

DIGITS = 6


def _six(value: object, sentence: Any) -> str:
    """Six digits; blanks between them are fine. Raises ValidationError."""
    digits = "".join(str(value).split())
    if not (digits.isascii() and digits.isdigit() and len(digits) == DIGITS):
        raise forms.ValidationError(sentence)
    return digits


def _secret(label: Any, **attrs: str) -> forms.CharField:
    """A PIN: digits on the pad of a phone, nothing readable, never put back into the page."""
    return forms.CharField(
        label=label,
        max_length=12,
        error_messages={
            "required": _("Enter the PIN: six digits"),
            "max_length": _("A PIN has six digits"),
        },
        widget=forms.PasswordInput(
            attrs={"inputmode": "numeric", "autocomplete": "off", "autofocus": True, **attrs}
        ),
    )


def _identifier(label: Any, *, required: bool = True, **attrs: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=64,
        error_messages={
            "required": _("Enter the number"),
            "max_length": _("That number is too long"),
        },
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", **attrs}
        ),
    )


class FindForm(forms.Form):
    """Whom the clerk has in front of them. The number comes first: it is all that is typed as a rule."""

    identifier = _identifier(_("Number of the person"), autofocus=True)
    kind = forms.ChoiceField(label=_("Kind of document"), choices=list(KINDS.items()), initial="number")
    what = forms.ChoiceField(
        label=_("What for"),
        choices=list(WHAT.items()),
        initial="any",
        help_text=_("The person reads this in the message with the code, and on the sheet."),
    )


class CodeForm(forms.Form):
    """The code that the person reads out."""

    code = forms.CharField(
        label=_("Code from the person’s phone"),
        max_length=12,
        error_messages={
            "required": _("Enter the code that the person reads to you"),
            "max_length": _("A code has six digits"),
        },
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "inputmode": "numeric", "autofocus": True, "spellcheck": "false"}
        ),
    )

    def clean_code(self) -> str:
        """Six digits."""
        return _six(self.cleaned_data["code"], _("A code has six digits"))


class PinForm(forms.Form):
    """The PIN, on the pad."""

    pin = _secret(_("Your PIN"))

    def clean_pin(self) -> str:
        """Six digits."""
        return _six(self.cleaned_data["pin"], _("A PIN has six digits"))


class NewPinForm(forms.Form):
    """A new PIN, twice."""

    pin = _secret(_("New PIN"))
    pin_again = _secret(_("The same PIN again"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["pin_again"].widget.attrs.pop("autofocus")

    def clean_pin(self) -> str:
        """Six digits."""
        return _six(self.cleaned_data["pin"], _("A PIN has six digits"))

    def clean(self) -> dict[str, Any]:
        """Both must agree."""
        data = super().clean() or {}
        again = "".join(str(data.get("pin_again", "")).split())
        if "pin" in data and "pin_again" in data and data["pin"] != again:
            self.add_error("pin_again", _("The two PINs are not the same"))
        return data


class OwnPinForm(NewPinForm):
    """The person sets the PIN on my page, with the password where there is one."""

    password = forms.CharField(
        label=_("Your password"),
        max_length=512,
        strip=False,
        error_messages={"required": _("Enter your password"), "max_length": _("That password is too long")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, with_password: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["pin"].widget.attrs.pop("autofocus")
        if not with_password:
            del self.fields["password"]


class ProtectForm(forms.Form):
    """Whom to protect, and who is told of each look."""

    identifier = _identifier(_("Number of the person"))
    kind = forms.ChoiceField(label=_("Kind of document"), choices=list(KINDS.items()), initial="number")
    reason = forms.ChoiceField(
        label=_("Why"),
        choices=list(REASONS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose why")},
    )
    contact = _identifier(_("Personal number of who is told of each look"), required=False)
    contact.help_text = _("Somebody whom the person trusts. Leave it empty to tell the person.")


class UnprotectForm(forms.Form):
    """Whose protection ends, and why."""

    identifier = _identifier(_("Number of the person"))
    kind = forms.ChoiceField(label=_("Kind of document"), choices=list(KINDS.items()), initial="number")
    note = forms.CharField(
        label=_("Why the protection should end"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why"), "max_length": _("That is too long")},
    )
