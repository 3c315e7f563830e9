"""How often a day one person changes one thing. Each change is told on every channel and stands in the records for
ever, so whoever has somebody's session must not flood their telephone with it, nor the country's measure of SMS.

Only what adds something is counted. Taking away is bounded by that, and stays possible for who undoes a thief's work.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from uuid import UUID

from kulla.keeper.errors import Refusal

DAY_MS = 24 * 3600 * 1000
A_DAY = 12
REMEMBERED = 100_000


class Often:
    """Counts in memory; a restart forgets them."""

    def __init__(self, clock: Callable[[], int], a_day: int = A_DAY) -> None:
        self._clock, self._a_day = clock, a_day
        self._times: OrderedDict[tuple[UUID, str], deque[int]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, person: UUID, what: str) -> None:
        """Count one change. Raises Refusal("slow_down", retry_after_s) when there were too many within a day."""
        now = self._clock()
        with self._lock:
            times = self._times.pop((person, what), deque())
            while times and now - times[0] >= DAY_MS:
                times.popleft()
            self._times[person, what] = times
            while len(self._times) > REMEMBERED:
                self._times.popitem(last=False)
            if len(times) >= self._a_day:
                seconds = (times[0] + DAY_MS - now) // 1000 + 1
                raise Refusal("slow_down", "This was changed too often today.", retry_after_s=seconds)
            times.append(now)
