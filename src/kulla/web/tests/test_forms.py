"""The one field template: labels, hints and errors belong to their controls, for every kind of field."""

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django import forms
from django.template import engines

from kulla.web.forms import DateField, kind_of, target

COLOURS = [("r", "Red"), ("g", "Green & <calm>")]


class Every(forms.Form):
    """One field of each kind."""

    text = forms.CharField(help_text="A hint", max_length=9)
    secret = forms.CharField(widget=forms.PasswordInput)
    long = forms.CharField(widget=forms.Textarea)
    pick = forms.ChoiceField(choices=[("Group", COLOURS)])
    one = forms.ChoiceField(choices=COLOURS, widget=forms.RadioSelect, help_text="Pick one")
    many = forms.MultipleChoiceField(choices=COLOURS, widget=forms.CheckboxSelectMultiple)
    agree = forms.BooleanField()
    born = DateField(help_text="For example 27 3 1985")
    token = forms.CharField(widget=forms.HiddenInput)


class Ids(HTMLParser):
    """Collects ids, label targets, references and names of a fragment."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self.described: set[str] = set()
        self.links: set[str] = set()
        self.controls: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(given["id"] or "")
        if tag == "label":
            self.labels.add(given.get("for") or "")
        if tag == "a":
            self.links.add((given.get("href") or "").removeprefix("#"))
        self.described |= set((given.get("aria-describedby") or "").split())
        if tag in {"input", "select", "textarea"}:
            self.controls.append({"tag": tag, **given})


@pytest.fixture
def draw() -> Callable[..., str]:
    """Draw one field as a page does."""
    env: Any = engines["django" if "django" in engines else "jinja2"].env
    return lambda form, name, **options: str(env.globals["field"](form[name], **options))


@pytest.fixture
def summary() -> Callable[..., str]:
    """Draw an error summary as a page does."""
    env: Any = engines["django" if "django" in engines else "jinja2"].env
    return lambda *given: str(env.globals["error_summary"](*given))


@pytest.mark.parametrize("name", list(Every.base_fields))
@pytest.mark.parametrize("data", [None, {}], ids=["fresh", "wrong"])
def test_every_reference_of_a_field_leads_somewhere(
    draw: Callable[..., str], name: str, data: dict[str, str] | None
) -> None:
    """Labels point at controls, descriptions at hints and errors, and no id stands twice."""
    form = Every(data)
    html = draw(form, name)
    seen = Ids(html)
    assert len(seen.ids) == len(set(seen.ids))
    assert seen.described <= set(seen.ids)
    assert seen.controls
    if kind_of(form[name]) == "hidden":
        return
    assert seen.labels and seen.labels <= set(seen.ids)
    assert target(form[name]) in seen.ids
    shown = data is not None
    assert ("govuk-error-message" in html) == shown
    assert (f"id_{name}-error" in seen.described) == (shown and kind_of(form[name]) != "hidden")


def test_the_summary_leads_to_the_controls(draw: Callable[..., str], summary: Callable[..., str]) -> None:
    """Each line of the summary is a link to an id that its field has."""
    form = Every({})
    links = Ids(summary(form)).links
    fields = Ids("".join(draw(form, name) for name in Every.base_fields if name != "token"))
    assert links - {"id_token"} <= set(fields.ids)
    assert {"id_text", "id_one_0", "id_many_0", "id_born_0", "id_agree"} <= links


def test_no_summary_without_errors(summary: Callable[..., str]) -> None:
    """A fresh form has none, and no form has none."""
    assert summary(Every()) == ""
    assert summary(None) == ""


def test_what_was_typed_comes_back_and_is_escaped(draw: Callable[..., str]) -> None:
    """Nothing typed is lost, and nothing typed becomes markup."""
    form = Every({"text": '"><script>', "long": "</textarea><b>", "one": "g", "pick": "r", "born_0": "31"})
    assert "&lt;script&gt;" in draw(form, "text")
    assert "<script" not in draw(form, "text")
    assert "&lt;/textarea&gt;&lt;b&gt;" in draw(form, "long")
    assert "Green &amp; &lt;calm&gt;" in draw(form, "one")
    checked = [c["value"] for c in Ids(draw(form, "one")).controls if "checked" in c]
    assert checked == ["g"]
    assert Ids(draw(form, "born")).controls[0]["value"] == "31"


def test_a_password_never_comes_back(draw: Callable[..., str]) -> None:
    """The page of a failed sign-in does not contain it."""
    assert "besa-besë" not in draw(Every({"secret": "besa-besë"}), "secret")


def test_the_label_can_be_the_heading(draw: Callable[..., str]) -> None:
    """One-question pages."""
    html = draw(Every(), "text", heading=True, size="l", width=10, hint="Other hint")
    assert "<h1" in html and "govuk-label--l" in html and "govuk-input--width-10" in html
    assert "Other hint" in html and "A hint" not in html


def test_an_unknown_option_is_a_mistake(draw: Callable[..., str]) -> None:
    """A misspelt option must not be silently ignored."""
    with pytest.raises(TypeError, match="widht"):
        draw(Every(), "text", widht=10)


class Birth(forms.Form):
    """A date in parts."""

    born = DateField()


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (("", "", ""), "Shkruani ditën"),
        (("31", "2", "1985"), "nuk ekziston"),
        (("x", "2", "1985"), "me numra"),
        (("1", "2", "85"), "me numra"),
        (("1", "", "1985"), "me numra"),
        (("٣", "2", "1985"), "me numra"),
    ],
)
def test_impossible_dates_are_plain_sentences(parts: tuple[str, str, str], sentence: str) -> None:
    """No date that does not exist, no two-digit years, no digits of other scripts."""
    form = Birth({f"born_{place}": part for place, part in enumerate(parts)})
    assert not form.is_valid()
    assert sentence in form.errors["born"][0]


def test_a_date_in_parts() -> None:
    """Leading zeros and spaces are fine."""
    form = Birth({"born_0": " 07", "born_1": "3", "born_2": "1985"})
    assert form.is_valid()
    assert form.cleaned_data["born"].isoformat() == "1985-03-07"
