"""Working at a bounded load: so much rest after each piece that only a part of one core is used."""

import time

LONGEST_REST_S = 10.0


class Pace:
    """`rest` is called after each piece of work. load: the part of the time that is worked, 0 < load <= 1."""

    def __init__(self, load: float = 1.0) -> None:
        if not 0 < load <= 1:
            raise ValueError("The load is a part of one core, above 0 and at most 1.")
        self._load = load
        self._since = time.monotonic()
        self.worked_s = 0.0

    def rest(self) -> None:
        """Sleep in proportion to the time since the last rest."""
        worked = time.monotonic() - self._since
        self.worked_s += worked
        if self._load < 1:
            time.sleep(min(worked * (1 - self._load) / self._load, LONGEST_REST_S))
        self._since = time.monotonic()
