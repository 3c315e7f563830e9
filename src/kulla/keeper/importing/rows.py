"""One line of a file of people, checked. An empty field says nothing; a field "-" takes the value away."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kulla.keeper import numbers
from kulla.keeper.errors import Refusal
from kulla.keeper.identifiers import DOCUMENTS, NUMBER, REFERENCE, Identifiers

IDENTIFIERS = (NUMBER, *DOCUMENTS, REFERENCE)
TEXTS = ("first_name", "last_name", "birth_date", "sex", "phone", "email", "language", "address", "place")
COLUMNS = (*IDENTIFIERS, *TEXTS, "status", "died", "guardian_number", "guardian")
STATUSES = ("alive", "moved_abroad", "dead")
LANGUAGES = ("sq", "en")
NONE = "-"
FIRST_YEAR = 1850
MAX_TEXT = 200
MAX_DOCUMENTS = 8
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_PHONE = re.compile(r"\+?[0-9][0-9 ()/-]{4,24}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s.]{2,24}")
_CLEARABLE = frozenset(("first_name", "last_name", "phone", "email", "address", "place"))

Row = Mapping[str, Any]
Progress = Callable[[int, int], None]


class BadLine(ValueError):
    """Why a line was not imported."""


class Twice(BadLine):
    """The person stood in this file already."""


@dataclass(slots=True)
class Line:
    """What a good line says. `values` has the fields that it gives; `died` is None unless it says something,
    "" when it says that the person lives, "?" for a death without a day."""

    identifiers: list[tuple[str, str]]
    values: dict[str, str]
    died: str | None
    guardians: list[tuple[str, str]]


class Checker:
    """Checks lines of people by the rules of one country."""

    def __init__(self, kinds: Identifiers, scheme: numbers.Scheme, today: date) -> None:
        self._kinds, self._scheme, self._today = kinds, scheme, today.isoformat()

    def check(self, row: Row | BadLine) -> Line:
        """What the line says. Raises BadLine."""
        if isinstance(row, BadLine):
            raise row
        identifiers: list[tuple[str, str]] = []
        values: dict[str, str] = {}
        guardians: list[tuple[str, str]] = []
        died = status = ""
        for name, value in row.items():
            if not value:
                continue
            text = _clean(name, value)
            if not text:
                continue
            if name in IDENTIFIERS:
                identifiers += self._identifiers(name, text)
            elif name in {"guardian_number", "guardian"}:
                guardians += self._guardians(name, text)
            elif name == "died":
                died = text
            elif name == "status":
                status = text
            elif text == NONE:
                if name not in _CLEARABLE:
                    raise BadLine(f"The field {name} cannot be taken away.")
                values[name] = ""
            else:
                values[name] = text
        if not identifiers:
            raise BadLine("The line names nobody: it has no number, document or reference.")
        self._values(values, identifiers)
        if any(guardian in identifiers for guardian in guardians):
            raise BadLine("Nobody is their own guardian.")
        return Line(identifiers, values, self._died(died, status, values), guardians)

    def _identifiers(self, kind: str, text: str) -> list[tuple[str, str]]:
        if kind == NUMBER:
            return [(kind, self._normal(kind, text))]
        found = [(kind, self._normal(kind, each)) for each in text.split(";") if each.strip()]
        if len(found) > MAX_DOCUMENTS or (kind == REFERENCE and len(found) > 1):
            raise BadLine(f"The field {kind} names too many.")
        return found

    def _guardians(self, name: str, text: str) -> list[tuple[str, str]]:
        """Numbers, or a kind and an identifier: "passport ALB BA1234567"; several are separated by semicolons."""
        found = []
        for each in text.split(";"):
            if each.strip():
                found.append(self.named(each) if name == "guardian" else (NUMBER, self._normal(NUMBER, each)))
        return found

    def named(self, text: str) -> tuple[str, str]:
        """A person named in one field: a number, or a kind and an identifier of it. Raises BadLine."""
        kind, _, rest = text.strip().partition(" ")
        if kind.lower() in IDENTIFIERS and rest:
            return kind.lower(), self._normal(kind.lower(), rest)
        return NUMBER, self._normal(NUMBER, text)

    def _normal(self, kind: str, text: str) -> str:
        try:
            return self._kinds.normalise(kind, text)
        except Refusal as error:
            raise BadLine(str(error)) from error

    def _values(self, values: dict[str, str], identifiers: list[tuple[str, str]]) -> None:
        number = identifiers[0][1] if identifiers[0][0] == NUMBER else ""
        for name in ("first_name", "last_name"):
            if (text := values.get(name)) and not text.isalpha():
                self._name(text)
        if (born := values.get("birth_date")) is not None:
            self._day(born, "birth date")
        if values.get("sex") not in {None, "f", "m", "x"}:
            raise BadLine("The sex is neither f nor m nor x.")
        if number:
            self.agree(number, born, values.get("sex"))
        if (phone := values.get("phone")) and not _PHONE.fullmatch(phone):
            raise BadLine("The telephone number does not have the form of one.")
        if (email := values.get("email")) and not _EMAIL.fullmatch(email):
            raise BadLine("The e-mail address does not have the form of one.")
        if values.get("language") not in {None, *LANGUAGES}:
            raise BadLine("The language is neither sq nor en.")

    def _name(self, text: str) -> None:
        """Columns that were swapped show as names that are none."""
        swapped = "@" in text or not any(map(str.isalpha, text))
        if not swapped and any(map(str.isdigit, text)):
            try:
                self._scheme.normalise(text)
                swapped = True
            except numbers.BadNumber:
                pass
        if swapped:
            raise BadLine("A name has the form of another field: are columns swapped?")

    def _day(self, text: str, what: str) -> None:
        try:
            good = bool(_DAY.fullmatch(text)) and date.fromisoformat(text) is not None
        except ValueError:
            good = False
        if not good:
            raise BadLine(f"The {what} is not a date as YYYY-MM-DD.")
        if text > self._today or int(text[:4]) < FIRST_YEAR:
            raise BadLine(f"The {what} is in the future, or before {FIRST_YEAR}.")

    def agree(self, number: str, born: str | None, sex: str | None) -> None:
        """Raise BadLine when birth date or sex are not those of the number."""
        if born is None and sex is None:
            return
        expected = self._scheme.birth_date(number).isoformat()
        if born is not None and born != expected:
            if f"{born[:4]}-{born[8:]}-{born[5:7]}" == expected:
                raise BadLine("Birth date and number do not agree: day and month look swapped.")
            raise BadLine("Birth date or sex do not agree with the number.")
        if sex is not None and sex != self._scheme.sex(number):
            raise BadLine("Birth date or sex do not agree with the number.")

    def _died(self, died: str, status: str, values: dict[str, str]) -> str | None:
        if status and status not in STATUSES:
            raise BadLine(f"The status is none of {', '.join(STATUSES)}.")
        if died and died != NONE:
            self._day(died, "day of death")
            if values.get("birth_date", "") > died:
                raise BadLine("The day of death is before the birth.")
            if status not in {"", "dead"}:
                raise BadLine("The line has a day of death and says that the person lives.")
            return died
        if status == "dead":
            if died == NONE:
                raise BadLine("The line says that the person is dead and that they are not.")
            return "?"
        if status:
            values["status"] = status
        return "" if died == NONE else None


def _clean(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise BadLine(f"The field {name} is not text.")
    text = value if value.isascii() else unicodedata.normalize("NFC", value)
    text = text.strip()
    if len(text) > MAX_TEXT or not text.isprintable():
        raise BadLine(f"The field {name} is too long or has control characters.")
    return text
