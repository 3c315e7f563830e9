"""What people type about their accounts."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

CODE_LENGTH = 6


class Plain(forms.CharField):
    """A line of text without spaces around it, with our own words for what is missing."""

    def __init__(self, missing: Any, **named: Any) -> None:
        attrs = {"autocomplete": "off", "spellcheck": "false", **named.pop("attrs", {})}
        errors = {"required": missing, "max_length": _("That is too long")}
        super().__init__(error_messages=errors, widget=forms.TextInput(attrs=attrs), **named)


def _identifier() -> Plain:
    return Plain(
        _("Enter your number"),
        label=_("Personal number, or number of your document"),
        max_length=100,
        help_text=_("The ten letters and digits on your identity card, for example J55101007H"),
        attrs={"autocomplete": "username", "autocapitalize": "characters"},
    )


def _secret(label: Any, missing: Any, kind: str, **named: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=512,
        strip=False,
        error_messages={"required": missing, "max_length": _("That password is too long")},
        widget=forms.PasswordInput(attrs={"autocomplete": kind}),
        **named,
    )


def digits(text: str) -> str:
    """Six digits; spaces between them are fine. Raises ValidationError."""
    code = "".join(text.split())
    if not (code.isascii() and code.isdigit() and len(code) == CODE_LENGTH):
        raise forms.ValidationError(_("A code has six digits"))
    return code


class WhoForm(forms.Form):
    """Whose account it is."""

    identifier = _identifier()


class CodeForm(forms.Form):
    """Six digits that were sent."""

    code = Plain(
        _("Enter the code"),
        label=_("Code"),
        max_length=20,
        attrs={"autocomplete": "one-time-code", "inputmode": "numeric"},
    )

    def clean_code(self) -> str:
        """Six digits."""
        return digits(str(self.cleaned_data["code"]))


class LetterForm(forms.Form):
    """A number and the code of a letter."""

    identifier = _identifier()
    letter = Plain(
        _("Enter the code from the letter"),
        label=_("Code from the letter"),
        max_length=60,
        help_text=_("Four groups of four letters and digits. Small letters and spaces do not matter."),
        attrs={"autocapitalize": "characters"},
    )


class PasswordForm(forms.Form):
    """A new password, twice."""

    password = _secret(
        _("New password"),
        _("Enter a new password"),
        "new-password",
        help_text=_("At least 10 characters. Three or four words that do not belong together are good."),
    )
    again = _secret(_("The same password again"), _("Enter the password again"), "new-password")

    def clean(self) -> dict[str, Any] | None:
        """Both are the same."""
        values = super().clean()
        if (
            values
            and values.get("again") is not None
            and values.get("password") not in {None, values["again"]}
        ):
            self.add_error("again", _("The two passwords are not the same"))
        return values


LOST = (
    ("password", _("My password")),
    ("factor", _("The second step: the phone with the app, or the key")),
)


class RecoverForm(forms.Form):
    """Whose account, and what was lost."""

    identifier = _identifier()
    lost = forms.ChoiceField(
        label=_("What have you lost?"),
        choices=LOST,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose what you have lost"),
            "invalid_choice": _("Choose what you have lost"),
        },
    )


class ProveForm(forms.Form):
    """What somebody still has. At least one of the two codes is needed."""

    password = _secret(_("Your password"), _("Enter your password"), "current-password")
    phone_code = Plain(
        "",
        label=_("Code that we sent to your phone"),
        max_length=20,
        required=False,
        attrs={"autocomplete": "one-time-code", "inputmode": "numeric"},
    )
    paper_code = Plain(
        "",
        label=_("Recovery code from your paper"),
        max_length=40,
        required=False,
        help_text=_("Two groups of five letters and digits, if you printed such codes"),
        attrs={"autocapitalize": "characters"},
    )
    totp = Plain(
        "",
        label=_("Code from the app"),
        max_length=20,
        required=False,
        help_text=_("Six digits, if you set up an app as second step"),
        attrs={"inputmode": "numeric"},
    )

    def __init__(self, lost: str, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        del self.fields["totp" if lost == "factor" else "password"]

    def clean(self) -> dict[str, Any] | None:
        """Something that proves."""
        values = super().clean()
        if values is not None and not (values.get("phone_code") or values.get("paper_code")):
            self.add_error("phone_code", _("Enter the code from your phone, or a recovery code"))
        return values


class PhoneForm(forms.Form):
    """A new telephone number."""

    value = Plain(
        _("Enter a telephone number"),
        label=_("New telephone number"),
        max_length=40,
        help_text=_("With the country’s code when it is not Albanian, for example +39 320 1234567"),
        attrs={"autocomplete": "tel", "type": "tel"},
    )


class EmailForm(forms.Form):
    """A new e-mail address."""

    value = Plain(
        _("Enter an e-mail address"),
        label=_("New e-mail address"),
        max_length=254,
        help_text=_("For example emri@example.al"),
        attrs={"autocomplete": "email", "type": "email"},
    )


# At the counter ------------------------------------------------------------------------------------------

KINDS = (
    ("number", _("Personal number")),
    ("passport", _("Passport")),
    ("permit", _("Residence permit")),
    ("refugee", _("Refugee document")),
)
DOCUMENTS = (
    ("id_card", _("Identity card")),
    ("passport", _("Passport")),
    ("residence_permit", _("Residence permit")),
    ("refugee_document", _("Refugee document")),
)


class FindForm(forms.Form):
    """Who stands at the counter."""

    identifier_type = forms.ChoiceField(label=_("Kind of number"), choices=KINDS)
    identifier = Plain(
        _("Enter the number"),
        label=_("Number"),
        max_length=64,
        help_text=_("For a passport the country first, for example ITA YA1234567"),
        attrs={"autocapitalize": "characters"},
    )


class DocumentForm(forms.Form):
    """Which document was shown: its kind, never its number."""

    document = forms.ChoiceField(
        label=_("Which document did you see?"),
        choices=DOCUMENTS,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Say which document you saw"),
            "invalid_choice": _("Say which document you saw"),
        },
    )


class DeskPhoneForm(DocumentForm, PhoneForm):
    """A new telephone number, and the document."""


class DeskEmailForm(DocumentForm, EmailForm):
    """A new e-mail address, and the document."""
