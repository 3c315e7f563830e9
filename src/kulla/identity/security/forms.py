"""What people type on the pages of this area. Secrets are never drawn again."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from kulla.identity.forms import CodeForm

_PASSWORD_LIMIT: dict[str, Any] = {"max_length": 512, "strip": False}


def _old(label: Any) -> forms.CharField:
    """The password of now; `label` is a text, lazily translated."""
    return forms.CharField(
        label=label,
        error_messages={"required": _("Enter your password"), "max_length": _("That password is too long")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        **_PASSWORD_LIMIT,
    )


class ConfirmForm(forms.Form):
    """The password, and the code where there is one."""

    password = _old(_("Password"))
    code = forms.CharField(
        label=_("Code"),
        required=False,
        max_length=12,
        help_text=_("Six digits from the app on your phone. They change every 30 seconds."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class PasswordForm(forms.Form):
    """The password of now, and the new one twice."""

    old = _old(_("Your password now"))
    new = forms.CharField(
        label=_("New password"),
        help_text=_("At least 10 characters. Three or four words that do not belong together are good."),
        error_messages={"required": _("Enter a new password"), "max_length": _("That password is too long")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        **_PASSWORD_LIMIT,
    )
    again = forms.CharField(
        label=_("New password, once more"),
        error_messages={"required": _("Enter the new password once more")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        **_PASSWORD_LIMIT,
    )

    def clean_again(self) -> str:
        """The same as above."""
        again: str = self.cleaned_data["again"]
        if "new" in self.cleaned_data and again != self.cleaned_data["new"]:
            raise forms.ValidationError(_("The two new passwords are not the same"))
        return again


class EnrolForm(CodeForm):
    """The first code of a new secret."""


class NameForm(forms.Form):
    """What a passkey is called."""

    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        help_text=_("So that you know it again, for example “My phone”"),
        error_messages={
            "required": _("Give it a name"),
            "max_length": _("A name has at most 60 characters"),
        },
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class RoleForm(forms.Form):
    """One of the roles that the keeper named."""

    role = forms.ChoiceField(
        label=_("Act as"), widget=forms.RadioSelect, error_messages={"required": _("Choose one")}
    )

    def __init__(self, *args: object, choices: list[tuple[str, str]], **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]
        field = self.fields["role"]
        if isinstance(field, forms.ChoiceField):
            field.choices = choices
