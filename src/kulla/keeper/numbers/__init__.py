"""National number schemes. A scheme is a module here with the functions of `Scheme`; keeper.json names it."""

from datetime import date
from importlib import import_module
from typing import Protocol

from kulla.keeper.errors import ConfigError


class BadNumber(ValueError):
    """The number cannot be one of this country; the text says why and does not repeat it."""


class Scheme(Protocol):
    """What a scheme knows of its numbers. Nothing here looks anybody up."""

    COUNTRY: str  # ISO 3166-1 alpha-3: whose passports need no state's code at sign-in

    def normalise(self, text: str) -> str:
        """The number in its one canonical form. Raises BadNumber."""

    def birth_date(self, number: str) -> date:
        """The birth date that a canonical number carries."""

    def sex(self, number: str) -> str:
        """ "f" or "m", as a canonical number carries it."""


SCHEMES = ("al",)


def scheme(name: str) -> Scheme:
    """The scheme by the name that keeper.json gives. Raises ConfigError."""
    if name not in SCHEMES:
        raise ConfigError(f"There is no number scheme called {name}; there are: {', '.join(SCHEMES)}.")
    module: Scheme = import_module(f"kulla.keeper.numbers.{name}")
    return module
