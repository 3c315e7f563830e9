"""What visitors type on the identity pages."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class SearchForm(forms.Form):
    """Words to find a service by."""

    q = forms.CharField(
        label=_("What do you need?"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


class SignInForm(forms.Form):
    """Number and password. Which of them is wrong is never said."""

    identifier = forms.CharField(
        label=_("Personal number or staff number"),
        max_length=64,
        help_text=_("The ten letters and digits on your identity card, for example J55101007H"),
        error_messages={"required": _("Enter your number"), "max_length": _("That number is too long")},
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=512,
        strip=False,
        error_messages={"required": _("Enter your password"), "max_length": _("That password is too long")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    short = forms.BooleanField(
        label=_("This is not my phone or computer"),
        required=False,
        help_text=_("You are signed out after 10 minutes without use, and nothing of you stays here."),
    )

    def clean_identifier(self) -> str:
        """The number as people write it on paper: without spaces."""
        value: Any = self.cleaned_data["identifier"]
        return "".join(str(value).split())


class CodeForm(forms.Form):
    """The second factor: six digits from the phone."""

    code = forms.CharField(
        label=_("Code"),
        max_length=12,
        help_text=_("Six digits from the app on your phone. They change every 30 seconds."),
        error_messages={
            "required": _("Enter the code from your phone"),
            "max_length": _("A code has six digits"),
        },
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def clean_code(self) -> str:
        """Six digits; spaces between them are fine."""
        code = "".join(str(self.cleaned_data["code"]).split())
        if not (code.isascii() and code.isdigit() and len(code) == 6):
            raise forms.ValidationError(_("A code has six digits"))
        return code
