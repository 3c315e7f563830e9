"""Whether an account exists must not be readable from a clock."""

import statistics
import time
from pathlib import Path

import pytest

from kulla.keeper.testkit import DRITAN, keeper
from kulla.keeper_client import KeeperClient, Refused, connect

NOBODY = "J75101123A"
ROUNDS = 28  # below the number of failures after which an account is slowed down
COST = {"time": 1, "memory_kib": 4096, "parallelism": 1}  # some milliseconds: leaving the hash out would show


def measure(client: KeeperClient, identifier: str, network: int) -> float:
    start = time.perf_counter()
    with pytest.raises(Refused) as caught:
        client.sign_in(identifier, "x", network=f"10.9.{network}.1", device="t")
    assert caught.value.code == "wrong"
    return time.perf_counter() - start


def test_the_time_tells_nothing_about_whether_an_account_exists(tmp_path: Path) -> None:
    with keeper(tmp_path, argon2=COST) as running:
        client = connect(running.socket)
        child = running.besa.number  # exists, has no password
        rounds = [
            (
                measure(client, DRITAN.number, 3 * n),
                measure(client, NOBODY, 3 * n + 1),
                measure(client, child, 3 * n + 2),
            )
            for n in range(ROUNDS)
        ]
        client.close()
    # A busy machine only ever adds time: the lower quartile shows the work itself.
    quartiles = [statistics.quantiles(times, n=4)[0] for times in zip(*rounds, strict=True)]
    assert max(quartiles) < 1.35 * min(quartiles), [f"{quartile * 1e3:.2f} ms" for quartile in quartiles]
