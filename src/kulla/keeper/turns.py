"""Turns: one call computes at a time.

Python runs one thread at a time, and each question to the database gives that place away and asks for it again: with
dozens of callers the keeper spent half of its time on handing over. So a call waits here for its turn, and gives it
back for good when it first waits for something else (key copies, a disk, a password hash): whoever holds a lock and
waits for the copies never needs a second turn, so nobody can wait for each other in a circle. A call that gets no turn
within PATIENCE_S goes on without one: slow calls make others slower, never still.

Measured by `python -m bench.sign_ins` with 48 callers: 2.1 ms of processor for a sign-in by passkey without turns,
1.4 to 1.8 ms with two at a time, 1.0 ms with one.
"""

import threading

PATIENCE_S = 0.05
_turn = threading.Lock()
_mine = threading.local()


def begin() -> None:
    """Wait for the turn, for this thread's call."""
    _mine.held = _turn.acquire(timeout=PATIENCE_S)


def end() -> None:
    """Give the turn back, if this thread still has it: the call ends, or waits for something else."""
    if getattr(_mine, "held", False):
        _mine.held = False
        _turn.release()
