"""How much each official, each office and the whole country may look at, by sliding hour and day. Fails closed."""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from kulla.keeper.config import Limits

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@dataclass
class _Window:
    """What was spent within the last `length` ms."""

    length: int
    limit: int
    spent: int = 0
    entries: "deque[tuple[int, int]]" = field(default_factory=deque)

    def until(self, now: int, cost: int) -> int | None:
        """None when `cost` fits in now, else the time when enough has fallen out."""
        while self.entries and self.entries[0][0] <= now - self.length:
            self.spent -= self.entries.popleft()[1]
        over = self.spent + cost - self.limit
        if over <= 0:
            return None
        for at, each in self.entries:
            over -= each
            if over <= 0:
                return at + self.length
        return now + self.length

    def clear(self) -> None:
        self.spent = 0
        self.entries.clear()

    def spend(self, at: int, cost: int) -> None:
        self.entries.append((at, cost))
        self.spent += cost


class Budgets:
    """Six windows for each look; all must have room."""

    def __init__(self, limits: Limits, clock: Callable[[], int]) -> None:
        self._limits, self._clock = limits, clock
        self._windows: dict[tuple[str, UUID | None], tuple[_Window, _Window]] = {}
        self._segments = (
            _Window(HOUR_MS, limits.segment_keys_hour),
            _Window(DAY_MS, limits.segment_keys_day),
        )
        self._lock = threading.Lock()

    def restore(
        self, spent: Iterable[tuple[int, UUID, UUID | None, int]], segments: Iterable[int] = ()
    ) -> None:
        """Take over (at, official, office, cost) of the last day, and the times of segment keys, oldest first."""
        with self._lock:
            self._windows.clear()
            for window in self._segments:
                window.clear()
            for at in segments:
                for window in self._segments:
                    window.spend(at, 1)
            for at, official, office, cost in spent:
                for window in self._of(official, office):
                    window.spend(at, cost)

    def take(self, official: UUID, office: UUID | None, cost: int) -> int | None:
        """Spend `cost` and give None; or spend nothing and give the time (ms) when it will fit."""
        if cost == 0:
            return None
        now = self._clock()
        with self._lock:
            windows = self._of(official, office)
            full = [until for window in windows if (until := window.until(now, cost)) is not None]
            if full:
                return max(full)
            for window in windows:
                window.spend(now, cost)
            return None

    def take_segment(self) -> int | None:
        """The same for one segment key."""
        now = self._clock()
        with self._lock:
            full = [until for window in self._segments if (until := window.until(now, 1)) is not None]
            if full:
                return max(full)
            for window in self._segments:
                window.spend(now, 1)
            return None

    @property
    def segments_low(self) -> bool:
        """Whether half of a day's segment keys are spent: a compare of years, or a thief who reads the journal."""
        with self._lock:
            day = self._segments[1]
            return day.until(self._clock(), day.limit // 2) is not None

    def _of(self, official: UUID, office: UUID | None) -> list[_Window]:
        limits = self._limits
        names = (
            (("official", official), limits.official_hour, limits.official_day),
            (("office", office), limits.office_hour, limits.office_day),
            (("all", None), limits.global_hour, limits.global_day),
        )
        found: list[_Window] = []
        for name, hour, day in names:
            if name not in self._windows:
                self._windows[name] = (_Window(HOUR_MS, hour), _Window(DAY_MS, day))
            found += self._windows[name]
        return found
