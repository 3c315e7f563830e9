"""The Jinja2 environment of every page.

Undefined names are errors, everything is escaped, and gettext is the only way to words. Globals: url, static,
field, error_summary, csrf_input (per request, from Django). Filters: day, day_short, weekday, clock (also as
`time`), datetime_words, ago, iso.
"""

from typing import Any

import jinja2
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from markupsafe import Markup

from kulla.web import forms, pages, when
from kulla.web.assets_index import static


def url(name: str, *args: Any, **kwargs: Any) -> str:
    """The address of a named page."""
    return reverse(name, args=args or None, kwargs=kwargs or None)


def environment(**options: Any) -> jinja2.Environment:
    """The environment that settings.TEMPLATES names; options come from there."""
    options |= {"undefined": jinja2.StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    env = jinja2.Environment(  # noqa: S701  (Django's backend turns autoescape on, in `options`)
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        finalize=_finalize,
        **options,
    )
    env.install_gettext_callables(  # type: ignore[attr-defined]
        translation.gettext,
        translation.ngettext,
        newstyle=True,
        pgettext=translation.pgettext,
        npgettext=translation.npgettext,
    )
    env.policies["ext.i18n.trimmed"] = True
    env.globals |= {
        "url": url,
        "static": static,
        "field": forms.Renderer(env).field,
        "error_summary": forms.Renderer(env).error_summary,
        "language": _language,
        "language_links": pages.language_links,
        "paginate": pages.paginate,
    }
    env.filters |= {
        "day": when.day,
        "day_short": when.day_short,
        "weekday": when.weekday,
        "clock": when.clock,
        "time": when.clock,
        "datetime_words": when.datetime_words,
        "ago": when.ago,
        "iso": when.iso,
        "when": _when,
        "in_language": in_language,
    }
    return env


def in_language(texts: dict[str, str]) -> str:
    """The text of a {language: text} declaration in the language of the page; English where it is missing."""
    return texts.get(_language()) or texts.get("en") or next(iter(texts.values()), "")


def _when(moment: when.When) -> Markup:
    """A <time> element: machine time in the attribute, words inside."""
    words = when.day(moment) if type(moment).__name__ == "date" else when.datetime_words(moment)
    return Markup('<time datetime="{}">{}</time>').format(when.iso(moment), words)


def _language() -> str:
    return (translation.get_language() or "sq").split("-")[0]


def _finalize(value: Any) -> Any:
    return str(value) if isinstance(value, Promise) else value
