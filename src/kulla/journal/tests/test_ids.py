"""UUIDv7: the bits of RFC 9562, order within a process, and no repeats when the clock stands or steps back."""

import threading
import time
import uuid

import pytest

from kulla.journal import ids


def test_bits_and_time() -> None:
    before = ids.now_ms()
    made = ids.uuid7()
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= ids.now_ms() + 1


def test_order_holds_when_the_clock_stands_or_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    start = time.time_ns()
    clock = iter([start] * 6000 + [start - 10**9] * 6000)
    monkeypatch.setattr(time, "time_ns", lambda: next(clock))
    made = [ids.uuid7() for _ in range(12_000)]
    assert made == sorted(set(made))
    assert made[-1].int >> 80 <= start // 1_000_000 + 6  # 4096 to a millisecond, borrowed from the future


def test_threads_get_different_ids() -> None:
    made: list[uuid.UUID] = []

    def make() -> None:
        made.extend([ids.uuid7() for _ in range(2000)])

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8000
