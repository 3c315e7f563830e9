"""Progress as plain lines: the step, and every tenth of it. Nothing that needs a terminal."""

import sys
import time


class Progress:
    """Called with (done, total) as often as one likes; prints a line at each tenth, at most twice a second."""

    def __init__(self, step: str) -> None:
        self.step = step
        self._tenth = -1
        self._said = 0.0

    def __call__(self, done: int, total: int) -> None:
        tenth = 10 * done // total if total else 10
        now = time.monotonic()
        if tenth == self._tenth or (now - self._said < 0.5 and done < total):
            return
        self._tenth, self._said = tenth, now
        print(f"  {self.step}: {done} of {total}", file=sys.stderr, flush=True)
