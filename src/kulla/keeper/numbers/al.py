"""Albania's personal number (NID): ten characters YYMMDDSSSC.

The first Y is the decade: digits 0 to 9 for the 1800s to 1890s, then letters from A for the 1900s (J: 1990s, K: 2000s,
M: 2020s). Women have 50 added to the month. SSS runs from 001 to 999, C is a check letter A to W whose rule is not
public: only form and date are checked.
"""

import re
from datetime import date

from kulla.keeper.numbers import BadNumber

_FORM = re.compile(r"([0-9A-T])(\d)(\d\d)(\d\d)(\d{3})([A-W])", re.ASCII)
_DECADES = "0123456789ABCDEFGHIJKLMNOPQRST"
WOMEN = 50
COUNTRY = "ALB"


def normalise(text: str) -> str:
    """Upper case, without blanks and hyphens. Raises BadNumber."""
    number = re.sub(r"[\s\-]", "", text).upper()
    match = _FORM.fullmatch(number)
    if match is None:
        raise BadNumber("A personal number has ten characters, as in J85231001K.")
    try:
        birth_date(number)
    except ValueError as error:
        raise BadNumber("This personal number does not contain a date that exists.") from error
    if match[5] == "000":
        raise BadNumber("This personal number has no serial number.")
    return number


def birth_date(number: str) -> date:
    """The birth date in a number. Raises ValueError when there is no such day."""
    year = 1800 + 10 * _DECADES.index(number[0]) + int(number[1])
    month = int(number[2:4])
    return date(year, month - WOMEN if month > WOMEN else month, int(number[4:6]))


def sex(number: str) -> str:
    """ "f" or "m"."""
    return "f" if int(number[2:4]) > WOMEN else "m"


def make(born: date, sex: str, serial: int, letter: str) -> str:
    """A number of the right form for made-up people (tests and demonstrations); the letter is not checked."""
    decade, year = divmod(born.year - 1800, 10)
    month = born.month + (WOMEN if sex == "f" else 0)
    return f"{_DECADES[decade]}{year}{month:02}{born.day:02}{serial:03}{letter}"
