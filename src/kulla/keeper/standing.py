"""Whether a person may be signed in at all; and how they are told of what touches their security.

Sessions come before the parts that know this. Each part puts its function here when the core makes it; until then
nobody is frozen or dead, and nobody is told.
"""

from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

NOBODY = UUID(int=0)  # asked about in place of someone who does not exist, so that it takes the same time
Role = tuple[str, UUID | None]  # what one acts as, and the office


class Told(Protocol):
    """A notice to the inbox and all channels: `bodies` are committed with the change, then `send` follows."""

    bodies: list[dict[str, Any]]

    def send(self) -> None:
        """Hand it to the channels."""


class _Nothing:
    bodies: list[dict[str, Any]] = []  # noqa: RUF012

    def send(self) -> None:
        """Nobody is told."""


class Standing:
    """`telling` makes the notice of a kind about a person's security, with what it names."""

    frozen: Callable[[UUID], bool]
    dead: Callable[[UUID], bool]
    telling: Callable[[UUID, str, dict[str, str]], Told]

    def __init__(self) -> None:
        self.frozen = self.dead = lambda _person: False
        self.telling = lambda _person, _kind, _params: _Nothing()

    def barred(self, person: UUID | None) -> bool:
        """Whether this person may not be signed in. Asks the same whether or not there is one."""
        asked = person or NOBODY
        frozen, dead = self.frozen(asked), self.dead(asked)
        return frozen or dead
