"""Whether an account exists must not be readable from a clock."""

import statistics
import time

import pytest

from kulla.keeper.testkit import DRITAN
from kulla.keeper.tests.conftest import Country
from kulla.keeper_client import Refused

NOBODY = "J75101123A"
ROUNDS = 28  # below the number of failures after which an account is slowed down


def measure(country: Country, identifier: str, network: int) -> float:
    start = time.perf_counter()
    with pytest.raises(Refused) as caught:
        country.client.sign_in(identifier, "x", network=f"10.9.{network}.1", device="t")
    assert caught.value.code == "wrong"
    return time.perf_counter() - start


def test_the_time_tells_nothing_about_whether_an_account_exists(country: Country) -> None:
    pairs = [
        (measure(country, DRITAN.number, 2 * n), measure(country, NOBODY, 2 * n + 1)) for n in range(ROUNDS)
    ]
    exists, nobody = (statistics.median(times) for times in zip(*pairs, strict=True))
    spread = statistics.median(abs(a - b) for a, b in pairs)
    assert abs(exists - nobody) < max(spread, 0.0005), f"{exists * 1e6:.0f} µs against {nobody * 1e6:.0f} µs"
