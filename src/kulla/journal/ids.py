"""Identifiers and clocks: UUIDv7 (RFC 9562 §5.7) and milliseconds since the epoch."""

import os
import threading
import time
import uuid

_lock = threading.Lock()
_last_ms = 0
_last_counter = 0


def now_ms() -> int:
    """Milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


def uuid7() -> uuid.UUID:
    """A fresh UUIDv7, strictly increasing within this process (RFC 9562 §6.2, method 1).

    The 12 bits `rand_a` are a counter that starts at a random value in its lower half each millisecond; when it
    would overflow, or the clock steps back, the last time is kept and raised instead.
    """
    global _last_ms, _last_counter  # noqa: PLW0603  (one generator per process is the point)
    with _lock:
        ms = now_ms()
        if ms > _last_ms:
            _last_ms = ms
            _last_counter = int.from_bytes(os.urandom(2), "big") & 0x7FF
        else:
            _last_counter += 1
            if _last_counter > 0xFFF:
                _last_ms += 1
                _last_counter = 0
        ms, counter = _last_ms, _last_counter
    rand_b = int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF
    return uuid.UUID(int=(ms << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | rand_b)
