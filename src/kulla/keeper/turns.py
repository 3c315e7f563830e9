"""Turns: one call computes at a time.

Python runs one thread at a time, and each question to the database gives that place away and asks for it again: with
dozens of callers the keeper spent half of its time on handing over. So a call waits here for its turn, and gives it
back for good when it first waits for something else (key copies, a disk, a password hash): whoever holds a lock and
waits for the copies never needs a second turn, so nobody can wait for each other in a circle. A call that gets no turn
within PATIENCE_S goes on without one: slow calls make others slower, never still.

Measured by `python -m bench.sign_ins` with 48 callers: 2.1 ms of processor for a sign-in by passkey without turns,
1.4 to 1.8 ms with two at a time, 1.0 ms with one.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PORTION = 512  # random bytes drawn at once
PATIENCE_S = 0.05
_turn = threading.Lock()
_mine = threading.local()


def begin() -> None:
    """Wait for the turn, for this thread's call."""
    _mine.held = _turn.acquire(timeout=PATIENCE_S)
    _mine.drawn = b""


def end() -> None:
    """Give the turn back, if this thread still has it: the call ends, or waits for something else."""
    _mine.drawn = None
    if getattr(_mine, "held", False):
        _mine.held = False
        _turn.release()


@contextmanager
def portion() -> Iterator[None]:
    """Within it `random` draws in portions, for a thread that takes no turns."""
    _mine.drawn = b""
    try:
        yield
    finally:
        _mine.drawn = None


def random(count: int) -> bytes:
    """`count` random bytes of the system (`os.urandom`).

    Within a turn or `portion` they are drawn together, since each question to the system gives the thread's place
    away. What is left goes with it: no bytes wait for a later call, which a machine that is copied while it runs would
    then use twice.
    """
    drawn: bytes | None = getattr(_mine, "drawn", None)
    if drawn is None:
        return os.urandom(count)
    if len(drawn) < count:
        drawn = os.urandom(max(PORTION, count))
    _mine.drawn = drawn[count:]
    return drawn[:count]
