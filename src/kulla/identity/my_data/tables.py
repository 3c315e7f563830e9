"""Looks as files: CSV that a spreadsheet opens without harm, and JSON."""

import csv
import io
import json
from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _

from kulla.identity import names
from kulla.identity.my_data import words
from kulla.keeper_client import LookLine
from kulla.web import when

BOM = "\ufeff"  # Excel takes a file without it for one in the local 8-bit code page
# A cell that begins so is a formula to a spreadsheet; tab and carriage return are skipped by some first.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(text: str) -> str:
    """A cell that no spreadsheet computes: an apostrophe in front says that it is text."""
    bare = text.lstrip(" \u00a0")
    return f"'{text}" if bare.startswith(_FORMULA) or text.startswith(_FORMULA) else text


def as_csv(looks: Iterable[LookLine], titles: Mapping[str, str]) -> bytes:
    """One line a look, with a heading; `titles` are those of services by slug."""
    out = io.StringIO()
    table = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    heading = [
        _("When"),
        _("Office"),
        _("Role"),
        _("Service"),
        _("Why"),
        _("What was opened"),
        _("Whose data"),
    ]
    table.writerow([*heading, _("Allowed"), _("Shown later by order of a court")])
    for look in looks:
        table.writerow([harmless(cell) for cell in _cells(look, titles)])
    return (BOM + out.getvalue()).encode()


def as_json(looks: Iterable[LookLine], titles: Mapping[str, str]) -> bytes:
    """The same for programs, with codes beside the words."""
    rows = [
        {
            "when": when.wall(look.at_ms).isoformat(timespec="seconds"),
            "office": look.office,
            "role": look.role,
            "service": look.service,
            "service_title": titles.get(look.service, ""),
            "purpose": look.purpose,
            "purpose_words": str(words.PURPOSES.get(look.purpose, look.purpose)),
            "fields": look.fields,
            "whose": "" if look.whose == "me" else look.whose,
            "allowed": look.allowed,
            "shown_later_by_court": look.late,
        }
        for look in looks
    ]
    return (
        json.dumps({"format": "kulla-looks/1", "looks": rows}, ensure_ascii=False, indent=2) + "\n"
    ).encode()


def _cells(look: LookLine, titles: Mapping[str, str]) -> list[str]:
    whose = _("Mine") if look.whose == "me" else look.whose
    return [
        f"{when.wall(look.at_ms):%Y-%m-%d %H:%M:%S}",
        look.office or str(_("You") if look.kind == "own" else _("Operation of the portal")),
        str(names.ROLES.get(look.role, look.role)),
        titles.get(look.service, str(words.IDENTITY) if look.service == "identity" else look.service),
        str(words.PURPOSES.get(look.purpose, look.purpose)),
        words.value("fields", look.fields) if look.fields else "",
        whose,
        words.value("allowed", look.allowed),
        words.value("late", look.late),
    ]
