"""The kinds of identifiers that people are known by. Each has one canonical form, under which it is looked up.

    number      the national number (numbers/<country>.py)
    passport    "ALB BA1234567": the issuing state as in ICAO Doc 9303, then the document's number
    permit      a residence permit of this country
    refugee     a refugee's or stateless person's document of this country
    reference   the register's own name for a person who has none of these; nobody signs in with it
    staff       an official's sign-in name where it is no national number

A further kind is a further function here; nothing else changes.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

from kulla.keeper import numbers
from kulla.keeper.errors import Refusal
from kulla.keeper.numbers.states import CODES

NUMBER, PASSPORT, PERMIT, REFUGEE = "number", "passport", "permit", "refugee"
REFERENCE, STAFF = "reference", "staff"
DOCUMENTS = (PASSPORT, PERMIT, REFUGEE)
PUBLIC = (NUMBER, *DOCUMENTS)  # what people know of themselves
SIGN_IN = (NUMBER, STAFF, *DOCUMENTS)
MAX_TYPED = 100
_STAFF_NAME = re.compile(r"[a-z0-9][a-z0-9._@\-]{2,63}")
_DOCUMENT = re.compile(
    r"[A-Z0-9]{3,24}", re.ASCII
)  # ICAO's letters and digits; the filler < is none of the number
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/\-]{2,63}", re.ASCII)
_SIGNS = re.compile(r"[^0-9a-z]")
_BETWEEN = re.compile(r"[\s\-/.:<]")


class Identifiers:
    """The kinds of one country."""

    def __init__(self, scheme: numbers.Scheme) -> None:
        self._scheme, self._home = scheme, scheme.COUNTRY
        self._kinds: dict[str, Callable[[str], str]] = {
            NUMBER: self._number,
            PASSPORT: self._passport,
            PERMIT: self._document,
            REFUGEE: self._document,
            REFERENCE: self._reference,
            STAFF: self._staff,
        }

    def normalise(self, kind: str, text: str) -> str:
        """The canonical form. Raises Refusal("bad_identifier"), whose sentence does not repeat the text."""
        known = self._kinds.get(kind)
        if known is None or len(text) > MAX_TYPED:
            raise _bad()
        return known(text)

    def typed(self, text: str) -> Iterator[tuple[str, str | None]]:
        """What a text typed at sign-in may stand for: always the same kinds in the same order, None where it cannot.

        "permit AB123" names its kind; a passport without a state's code is one of this country.
        """
        named, _, rest = text.strip().partition(" ")
        chosen = named.lower().rstrip(":") if named.lower().rstrip(":") in SIGN_IN else ""
        if chosen:
            text = rest
        for kind in SIGN_IN:
            yield kind, self._try(kind, text) if chosen in {"", kind} else None
        yield PASSPORT, self._try(PASSPORT, f"{self._home} {text}") if chosen in {"", PASSPORT} else None

    def account(self, text: str) -> str:
        """One name for all spellings of what was typed, whether or not it is anybody's: tries are counted under it.

        A document's number without its kind and state; so writing "passport" before it buys no further tries.
        """
        found = [(kind, canonical) for kind, canonical in self.typed(text) if canonical is not None]
        if not found:
            return text[:64]
        kind, named = found[0]
        if kind != NUMBER:
            named = next((canonical for kind, canonical in found if kind == PASSPORT), named)
            named = named.rpartition(" ")[2]
        return _SIGNS.sub("", named.lower())

    def _try(self, kind: str, text: str) -> str | None:
        try:
            return self.normalise(kind, text)
        except Refusal:
            return None

    def _number(self, text: str) -> str:
        try:
            return self._scheme.normalise(text)
        except numbers.BadNumber as error:
            raise Refusal("bad_identifier", str(error)) from error

    def _passport(self, text: str) -> str:
        """The state's code is what stands before the first blank or sign, or else the first three letters."""
        typed = unicodedata.normalize("NFKC", text).strip().upper()
        parts = [part for part in _BETWEEN.split(typed) if part]
        if len(parts) > 1 and parts[0] in CODES:
            state, number = parts[0], "".join(parts[1:])
        else:
            joined = "".join(parts)
            state, number = joined[:3], joined[3:]
        if state not in CODES:
            raise Refusal(
                "bad_identifier", "A passport begins with the code of its state, as in ALB BA1234567."
            )
        if not _DOCUMENT.fullmatch(number):
            raise Refusal("bad_identifier", "A document's number has 3 to 24 letters A to Z and digits.")
        return f"{state} {number}"

    @staticmethod
    def _document(text: str) -> str:
        number = _BETWEEN.sub("", unicodedata.normalize("NFKC", text)).upper()
        if not _DOCUMENT.fullmatch(number):
            raise Refusal("bad_identifier", "A document's number has 3 to 24 letters A to Z and digits.")
        return number

    @staticmethod
    def _reference(text: str) -> str:
        if not _REFERENCE.fullmatch(text.strip()):
            raise Refusal("bad_identifier", "A reference has 3 to 64 letters, digits and the signs . _ / -.")
        return text.strip()

    @staticmethod
    def _staff(text: str) -> str:
        if not _STAFF_NAME.fullmatch(text.strip().lower()):
            raise _bad()
        return text.strip().lower()


def _bad() -> Refusal:
    return Refusal("bad_identifier", "This identifier does not have the right form.")
