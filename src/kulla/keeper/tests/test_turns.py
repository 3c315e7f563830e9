"""One call computes at a time, and none waits for ever."""

import os
import threading
import time

import pytest

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


def test_random_bytes_are_never_given_twice_and_do_not_outlive_the_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[int] = []
    real = os.urandom
    monkeypatch.setattr(os, "urandom", lambda count: drawn.append(count) or real(count))
    found = [turns.random(16)]
    assert drawn == [16]
    turns.begin()
    found += [turns.random(16) for _ in range(100)]  # more than one portion
    assert drawn[1:] == [turns.PORTION] * 4
    assert len(turns.random(2 * turns.PORTION)) == 2 * turns.PORTION
    turns.end()
    found.append(turns.random(16))
    assert drawn[-1] == 16
    with turns.portion():
        found.append(turns.random(16))
    found.append(turns.random(16))
    assert drawn[-2:] == [turns.PORTION, 16]
    assert {len(each) for each in found} == {16}
    assert len(set(found)) == len(found)
