"""One call computes at a time, and none waits for ever."""

import threading
import time

from kulla.keeper import turns


def test_a_call_waits_for_the_turn_of_another_and_goes_on_without_it_in_the_end() -> None:
    began = threading.Event()
    release = threading.Event()

    def slow() -> None:
        turns.begin()
        began.set()
        release.wait(5)
        turns.end()

    thread = threading.Thread(target=slow)
    thread.start()
    assert began.wait(5)
    start = time.monotonic()
    turns.begin()  # the other still computes
    assert time.monotonic() - start >= turns.PATIENCE_S * 0.9
    turns.end()  # never had it: what the other holds is not given away
    assert not turns._turn.acquire(blocking=False)
    release.set()
    thread.join(5)
    assert turns._turn.acquire(timeout=5)
    turns._turn.release()


def test_a_turn_is_given_back_once() -> None:
    turns.begin()
    turns.end()
    turns.end()
    turns.begin()
    turns.end()
    assert turns._turn.acquire(blocking=False)
    turns._turn.release()
