"""The keeper's own notices: what each kind says, by language.

    kind: {language: {"subject": …, "body": …, "sms": …}}

`$name` stands for a value. "sms" may be missing: then the body goes to phones too. A subject carries no personal
value and no place-holder: it is shown on locked screens. Each area has a module `texts_<area>.py` beside this one with
its own `TEXTS`; they are collected by folder.
"""

import importlib
import pkgutil
import string
from collections.abc import Mapping
from pathlib import Path

Texts = dict[str, dict[str, dict[str, str]]]


def _collected() -> Texts:
    found: Texts = {}
    for module in sorted(each.name for each in pkgutil.iter_modules([str(Path(__file__).parent)])):
        if module.startswith("texts_"):
            texts: Texts = importlib.import_module(f"{__package__}.{module}").TEXTS
            if twice := found.keys() & texts.keys():
                raise RuntimeError(f"Two areas have texts for {', '.join(sorted(twice))}.")
            found |= texts
    return found


TEXTS = _collected()


def render(kind: str, language: str, params: Mapping[str, str]) -> dict[str, str]:
    """subject, body and sms of a notice. Raises KeyError for a kind or value that is missing: a mistake of ours."""
    texts = TEXTS[kind]
    text = texts.get(language) or texts["sq"]
    body = string.Template(text["body"]).substitute(params)
    sms = string.Template(text.get("sms", text["body"])).substitute(params)
    return {"subject": text["subject"], "body": body, "sms": sms}
