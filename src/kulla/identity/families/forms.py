"""What people and officials type on the pages of families."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from kulla.identity.families import words
from kulla.web.forms import DateField

PERSONS = ("guardian_type", "guardian", "ward_type", "ward", "adult")


def _choices(texts: Any) -> list[tuple[str, Any]]:
    return list(texts.items())


def _text(label: Any, missing: Any, *, hint: Any = "", length: int = 200, **attrs: str) -> forms.CharField:
    """One line. `missing`: what to do when it is empty."""
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", **attrs})
    errors = {"required": missing, "max_length": _("This is too long")}
    return forms.CharField(
        label=label, help_text=hint, max_length=length, error_messages=errors, widget=widget
    )


def _scopes(label: Any) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label,
        choices=_choices(words.SCOPES),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one: health, school, travel or money"),
            "invalid_choice": _("Choose from the list"),
        },
    )


def _document(label: Any, missing: Any) -> tuple[forms.ChoiceField, forms.CharField]:
    errors = {"required": _("Choose the document"), "invalid_choice": _("Choose from the list")}
    kinds = _choices(words.IDENTIFIERS)
    kind = forms.ChoiceField(label=label, choices=kinds, initial="number", error_messages=errors)
    number = _text(
        _("Number on the document"),
        missing,
        hint=_("A passport with the three letters of its state first, as ALB BA1234567"),
        length=60,
        autocapitalize="characters",
    )
    return kind, number


class OfferForm(forms.Form):
    """In what, and until when."""

    scopes = _scopes(_("In what may this person act for you?"))
    until = DateField(
        label=_("Until which day?"),
        help_text=_("At most three years ahead. You can end it earlier at any time."),
    )


class CodeForm(forms.Form):
    """The code of an offer."""

    code = _text(
        _("Code"),
        _("Enter the code"),
        hint=_("Twelve letters and digits, as K7QM-3F9X-P2TD. Capitals and dashes do not matter."),
        length=40,
        autocapitalize="characters",
    )


class _Decision(forms.Form):
    """A court's decision."""

    court = _text(_("Court"), _("Enter the court"), hint=_("For example: Gjykata e Rrethit Gjyqësor Tiranë"))
    number = _text(_("Number of the decision"), _("Enter the number of the decision"), length=100)
    day = DateField(label=_("Day of the decision"))


class GuardianForm(_Decision):
    """Somebody becomes a guardian by a court's decision."""

    field_order = PERSONS  # errors are listed in the order of the page

    guardian_type, guardian = _document(
        _("Document of the guardian"), _("Enter the number on the guardian’s document")
    )
    ward_type, ward = _document(
        _("Document of the child, or of the adult in care"),
        _("Enter the number on the document of the child, or of the adult in care"),
    )
    adult = forms.BooleanField(
        label=_("It is an adult whom the court put under guardianship"), required=False
    )
    custody = forms.TypedChoiceField(
        label=_("Does the guardian have custody?"),
        choices=[
            ("yes", _("Yes")),
            ("no", _("No: the parent is recorded, and nothing about the child is shared")),
        ],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
        error_messages={"required": _("Say whether the guardian has custody")},
    )
    scopes = _scopes(_("In what?"))
    since = DateField(label=_("From which day?"), required=False, help_text=_("Leave empty: from today"))
    until = DateField(
        label=_("Until which day?"),
        required=False,
        help_text=_("Leave empty: until 18, or until a court ends it"),
    )
    limits = forms.ChoiceField(
        label=_("Limits set by the court"), choices=_choices(words.LIMITS), required=False
    )
    said = forms.CharField(
        label=_("The limit in the court’s words"),
        required=False,
        max_length=500,
        error_messages={"max_length": _("This is too long")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean(self) -> dict[str, Any]:
        """The last day comes after the first."""
        data: dict[str, Any] = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if since and until and until < since:
            self.add_error("until", _("The last day is before the first"))
        return data


class EndForm(_Decision):
    """A guardianship ends by a court's decision."""

    field_order = PERSONS

    guardian_type, guardian = _document(
        _("Document of the guardian"), _("Enter the number on the guardian’s document")
    )
    ward_type, ward = _document(
        _("Document of the child, or of the adult in care"),
        _("Enter the number on the document of the child, or of the adult in care"),
    )


class HeirForm(forms.Form):
    """An heir acts for somebody who has died."""

    dead_type, dead = _document(
        _("Document of the person who has died"),
        _("Enter the number on the document of the person who has died"),
    )
    heir_type, heir = _document(_("Document of the heir"), _("Enter the number on the heir’s document"))
    scopes = _scopes(_("In what?"))
    until = DateField(label=_("Until which day?"))
    document = _text(
        _("Document that the heir has shown"),
        _("Enter what the heir has shown"),
        hint=_("For example: identity card"),
    )
    certificate = _text(
        _("Number of the certificate of inheritance"), _("Enter the number of the certificate"), length=100
    )


class HeirEndForm(forms.Form):
    """An heir's right ends before its day."""

    dead_type, dead = _document(
        _("Document of the person who has died"),
        _("Enter the number on the document of the person who has died"),
    )
    heir_type, heir = _document(_("Document of the heir"), _("Enter the number on the heir’s document"))
    reason = _text(_("Why does it end?"), _("Enter why it ends"))
