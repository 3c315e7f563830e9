"""Reading a call's arguments: each getter gives the right type within limits, or refuses with a sentence."""

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from kulla.keeper.errors import Refusal

T = TypeVar("T")


class Args:
    """The arguments of one call, not trusted."""

    def __init__(self, values: Any) -> None:
        if not isinstance(values, dict):
            raise Refusal("bad_request", "The arguments of a call are a map.")
        self._values: dict[Any, Any] = values

    def text(self, name: str, limit: int = 200) -> str:
        """A text of at most `limit` characters, empty allowed."""
        value = self._of(name, str)
        if len(value) > limit:
            raise Refusal("too_long", f"The argument {name} is longer than {limit} characters.")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise Refusal("bad_request", f"The argument {name} is not text.") from error
        return value

    def has(self, name: str) -> bool:
        """Whether the argument was given."""
        return self._values.get(name) is not None

    def text_or_none(self, name: str, limit: int = 200) -> str | None:
        """A text, or None."""
        return self.text(name, limit) if self.has(name) else None

    def data(self, name: str, limit: int = 1 << 20) -> bytes:
        """Bytes."""
        value = self._of(name, bytes)
        if len(value) > limit:
            raise Refusal("too_long", f"The argument {name} is longer than {limit} bytes.")
        return value

    def uuid(self, name: str) -> UUID:
        """A UUID."""
        return self._of(name, UUID)

    def number(self, name: str, low: int, high: int) -> int:
        """A whole number within limits."""
        value = self._of(name, int)
        if isinstance(value, bool) or not low <= value <= high:
            raise Refusal("bad_request", f"The argument {name} is not a number from {low} to {high}.")
        return value

    def flag(self, name: str) -> bool:
        """True or False."""
        return self._of(name, bool)

    def day(self, name: str) -> date:
        """A date as YYYY-MM-DD."""
        try:
            return date.fromisoformat(self.text(name, 10))
        except ValueError as error:
            raise Refusal("bad_request", f"The argument {name} is not a date.") from error

    def proof(self, name: str) -> str | bytes:
        """A token (text) or an attestation (bytes)."""
        return self.text(name, 4096) if isinstance(self._values.get(name), str) else self.data(name, 4096)

    def map(self, name: str) -> dict[str, Any]:
        """A map with texts as keys."""
        value = self._of(name, dict)
        if not all(isinstance(key, str) for key in value):
            raise Refusal("bad_request", f"The argument {name} has a key that is no text.")
        return value

    def each(self, name: str, limit: int, make: Callable[["Args"], T]) -> list[T]:
        """A list of maps, each made into something."""
        return [make(Args(value)) for value in self.list(name, limit)]

    def blobs(self, name: str, limit: int) -> list[bytes]:
        """A list of byte strings."""
        values = self.list(name, limit)
        if not all(isinstance(value, bytes) for value in values):
            raise Refusal("bad_request", f"The argument {name} holds something that is not bytes.")
        return values

    def list(self, name: str, limit: int) -> list[Any]:
        """A list of at most `limit` elements."""
        value = self._of(name, list)
        if len(value) > limit:
            raise Refusal("too_long", f"The argument {name} has more than {limit} elements.")
        return value

    def _of(self, name: str, kind: type[T]) -> T:
        value = self._values.get(name)
        if not isinstance(value, kind):
            raise Refusal("bad_request", f"The argument {name} is missing or of the wrong kind.")
        return value
