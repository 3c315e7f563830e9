"""One at a time for each person: of two devices that use one code, exactly one wins."""

import threading
from uuid import UUID

STRIPES = 256


class Locks:
    """A lock for each person; a few persons share one."""

    def __init__(self) -> None:
        self._locks = [threading.RLock() for _ in range(STRIPES)]

    def of(self, person: UUID) -> threading.RLock:
        """The lock of a person."""
        return self._locks[person.int % STRIPES]
