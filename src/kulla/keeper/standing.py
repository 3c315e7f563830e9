"""Whether a person may be signed in at all; and how they are told of what touches their security.

Sessions come before the parts that know this. Each part puts its function here when the core makes it; until then
nobody is frozen or dead, and nobody is told.
"""

from collections.abc import Callable
from uuid import UUID

NOBODY = UUID(int=0)  # asked about in place of someone who does not exist, so that it takes the same time
Role = tuple[str, UUID | None]  # what one acts as, and the office


class Standing:
    """`tell` writes to the inbox and all channels of a person."""

    frozen: Callable[[UUID], bool]
    dead: Callable[[UUID], bool]
    tell: Callable[[UUID, str, dict[str, str]], object]

    def __init__(self) -> None:
        self.frozen = self.dead = lambda _person: False
        self.tell = lambda _person, _kind, _params: None

    def barred(self, person: UUID | None) -> bool:
        """Whether this person may not be signed in. Asks the same whether or not there is one."""
        asked = person or NOBODY
        frozen, dead = self.frozen(asked), self.dead(asked)
        return frozen or dead
