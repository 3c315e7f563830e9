"""One-time codes of six digits, and passes from one step to the next. In memory: a restart ends them all, and whoever
waits for one asks for another.

A code lives ten minutes and ends with the fifth wrong try. A new one replaces the old. Asked for nobody, the same is
done, so that neither words nor time tell.
"""

import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from kulla.keeper.errors import Refusal

CODE_MS = 10 * 60 * 1000
TRIES = 5
LIMIT = 200_000
NOBODY = UUID(int=0)
T = TypeVar("T")


@dataclass
class _Code:
    digits: str
    until: int
    tries: int = 0


class Codes:
    """Live codes by person and purpose."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._codes: OrderedDict[tuple[UUID, str], _Code] = OrderedDict()
        self._lock = threading.Lock()

    def new(self, person: UUID, purpose: str) -> str:
        """A fresh code; the one before does not work any more."""
        digits = f"{secrets.randbelow(1_000_000):06}"
        with self._lock:
            self._codes.pop((person, purpose), None)
            self._codes[person, purpose] = _Code(digits, self._clock() + CODE_MS)
            while len(self._codes) > LIMIT:
                self._codes.popitem(last=False)
        return digits

    def right(self, person: UUID | None, purpose: str, typed: str, *, spend: bool = True) -> bool:
        """Whether it is the live code. A right one is spent, of two at once only one; a wrong one counts.

        `spend=False` looks only: the caller spends it when all else is right too. Wrong tries count all the same.
        """
        digits = "".join(typed.split())
        key = (person or NOBODY, purpose)
        with self._lock:
            code = self._codes.get(key) or _Code("", 0)
            same = hmac.compare_digest(code.digits.encode(), digits.encode("utf-8", "replace"))
            alive = code.until > self._clock() and code.tries < TRIES and bool(code.digits)
            if same and alive:
                if spend:
                    del self._codes[key]
                return True
            code.tries += 1
        return False

    def drop(self, person: UUID) -> None:
        """End all codes of a person."""
        with self._lock:
            for key in [key for key in self._codes if key[0] == person]:
                del self._codes[key]


class Passes(Generic[T]):
    """What was shown in one step, to be used in the next: a random name for it, once, within a time."""

    def __init__(self, clock: Callable[[], int], live_ms: int) -> None:
        self._clock, self._live_ms = clock, live_ms
        self._held: OrderedDict[str, tuple[int, T]] = OrderedDict()
        self._lock = threading.Lock()

    def give(self, value: T) -> str:
        """A new pass."""
        name = secrets.token_urlsafe(18)
        with self._lock:
            self._held[name] = (self._clock() + self._live_ms, value)
            while len(self._held) > LIMIT:
                self._held.popitem(last=False)
        return name

    def read(self, name: str) -> T:
        """What the pass stands for. Raises Refusal("too_late")."""
        with self._lock:
            until, value = self._held.get(name, (0, None))
        if value is None or until <= self._clock():
            raise Refusal("too_late", "This took too long, or was done already: begin again.")
        return value

    def take(self, name: str) -> T:
        """The same, and the pass is gone: of two at once only one gets it. Raises Refusal("too_late")."""
        with self._lock:
            until, value = self._held.pop(name, (0, None))
        if value is None or until <= self._clock():
            raise Refusal("too_late", "This took too long, or was done already: begin again.")
        return value
