"""Every form field of the portal is drawn by one template, `web/field.html`, and every error leads to its field.

In a template: `{{ error_summary(form) }}` above the heading, `{{ field(form['name']) }}` for each field. The
ids agree: the summary links to the control that `target` names.
"""

from datetime import date
from typing import Any

import jinja2
from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy as _
from markupsafe import Markup


class DateParts(forms.MultiWidget):
    """Day, month and year as three small inputs: easier than a calendar for dates that people know by heart."""

    parts = (("day", _("Day")), ("month", _("Month")), ("year", _("Year")))

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__([forms.TextInput(attrs={"inputmode": "numeric"}) for _part in self.parts], attrs)

    def decompress(self, value: date | None) -> list[int | None]:
        """The three parts of a date."""
        return [value.day, value.month, value.year] if value else [None, None, None]


class DateField(forms.MultiValueField):
    """A date typed as day, month, year. Gives a `date`; every impossible date is a plain sentence."""

    widget = DateParts

    def __init__(self, **kwargs: Any) -> None:
        part = forms.CharField(required=False, max_length=4)
        kwargs.setdefault("error_messages", {}).setdefault("required", _("Enter the day, month and year"))
        super().__init__(fields=(part, part, part), require_all_fields=False, **kwargs)

    def compress(self, data_list: list[str]) -> date | None:
        """The date of three texts; None when all are empty. Raises ValidationError."""
        texts = [text.strip() for text in data_list or []]
        if not any(texts):
            return None
        if not all(text.isascii() and text.isdigit() for text in texts) or len(texts[2]) != 4:
            raise ValidationError(_("Enter a real date in numbers, for example 27 3 1985"), code="invalid")
        try:
            return date(int(texts[2]), int(texts[1]), int(texts[0]))
        except ValueError as error:
            raise ValidationError(_("There is no such day in the calendar"), code="invalid") from error


def kind_of(bound: BoundField) -> str:
    """Which part of `field.html` draws this field."""
    widget = bound.field.widget
    if widget.is_hidden:
        return "hidden"
    for classes, kind in (
        (DateParts, "date"),
        (forms.CheckboxSelectMultiple, "checkboxes"),
        (forms.RadioSelect, "radios"),
        (forms.Select, "select"),
        (forms.CheckboxInput, "checkbox"),
        (forms.Textarea, "textarea"),
        (forms.FileInput, "file"),
    ):
        if isinstance(widget, classes):
            return kind
    return "input"


def target(bound: BoundField) -> str:
    """The id of the control that an error of this field leads to."""
    own = bound.auto_id or f"id_{bound.html_name}"
    return f"{own}_0" if kind_of(bound) in {"radios", "checkboxes", "date"} else own


class Renderer:
    """Draws fields and error summaries with the templates of one environment."""

    def __init__(self, env: jinja2.Environment) -> None:
        self._env = env

    def field(self, bound: BoundField, **options: Any) -> Markup:
        """One field, with label, hint, error and control.

        Options: size "s"|"m"|"l"|"xl" (of the label), heading=True (the label is the page's h1), width 2|3|4|5|
        10|20|30 (characters, inputs), hint (instead of the field's help text), inline=True (radios), hints
        {value: text} (beside choices), small=True (radios, checkboxes), hidden_label=True, suffix, prefix.
        """
        context = dict.fromkeys(_OPTIONS) | options
        if unknown := set(options) - set(_OPTIONS):
            raise TypeError(f"field() does not know {', '.join(sorted(unknown))}")
        own = bound.auto_id or f"id_{bound.html_name}"
        hint = context["hint"] or bound.help_text
        described = [f"{own}-hint"] if hint else []
        described += [f"{own}-error"] if bound.errors else []
        attrs = {"id": own} | bound.build_widget_attrs({}, bound.field.widget)
        # A browser's own bubbles speak the browser's language; our sentences come from the server.
        attrs.pop("required", None)
        attrs.pop("aria-describedby", None)
        kind = kind_of(bound)
        if described and kind not in {"radios", "checkboxes", "date"}:
            attrs["aria-describedby"] = " ".join(described)
        widget = bound.field.widget.get_context(bound.html_name, bound.value(), attrs)["widget"]
        context |= {
            "bound": bound,
            "kind": kind,
            "id": own,
            "hint": hint,
            "described": " ".join(described),
            "errors": [str(error) for error in bound.errors],
            "widget": widget,
            "options": [option for _group, options, _i in widget.get("optgroups", []) for option in options],
            "parts": DateParts.parts,
        }
        return Markup(self._env.get_template("web/field.html").render(context))  # noqa: S704  (escaped by Jinja)

    def error_summary(self, *given: "forms.BaseForm | forms.BaseFormSet[Any] | None") -> Markup:
        """What is wrong with these forms, each line a link to its field; empty when nothing is."""
        lines: list[tuple[str | None, str]] = []
        for form in given:
            if form is None or not form.is_bound:
                continue
            for one in form.forms if isinstance(form, forms.BaseFormSet) else [form]:
                lines += [(None, str(error)) for error in one.non_field_errors()]
                lines += [(target(bound), str(error)) for bound in one for error in bound.errors]
        if not lines:
            return Markup("")
        template = self._env.get_template("web/error_summary.html")
        return Markup(template.render(lines=lines))  # noqa: S704  (escaped by Jinja)


_OPTIONS = (
    "size",
    "heading",
    "width",
    "hint",
    "inline",
    "hints",
    "small",
    "hidden_label",
    "suffix",
    "prefix",
)
