"""Sign-ins a second: the real keeper process over its socket, three key copies, each session on two of them.

`people.signins_per_s` counts those with a password and no passkey, at the cost that a keeper has when its settings
name none: Argon2id, 19 MiB, 2 passes, 1 lane (the figure's line on standard error repeats it). `people.passkeys_per_s`
counts whole ones: a challenge asked for, signed, and answered with a session. The load comes from processes of its own,
which share the machine's cores with the keeper and the copies.
"""

import json
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kulla.keeper.config import Argon2
from kulla.keeper.testkit import RunningKeeper, invented, keeper
from kulla.keeper.testpasskey import SoftPasskey
from kulla.keeper_client import KeeperClient, connect
from kulla.keeper_client.security import Assertion

PEOPLE = 200
PROCESSES = 2
WARM_S, MEASURED_S = 2.0, 10.0
WHERE = {"network": "192.0.2.7", "device": "Firefox, Android", "language": "sq"}


def figures() -> Iterator[tuple[str, float]]:
    """Both figures, from one keeper."""
    cost = Argon2()
    settings = {"argon2": vars(cost), "unconfirmed_ms": 10_000_000}
    rows = invented(PEOPLE)
    numbers = [row["number"] for row in rows]
    with TemporaryDirectory(prefix="k-") as folder, keeper(Path(folder), rows, **settings) as running:
        with running.administered() as admin:
            for number in numbers:
                admin.set_password(number, _password(number))
        print(
            f"sign-ins: Argon2id, {cost.memory_kib // 1024} MiB, {cost.time} passes, {cost.parallelism} lane",
            file=sys.stderr,
        )
        yield "people.signins_per_s", _load(running, _by_password, numbers, threads=8)
        yield "people.passkeys_per_s", _load(running, _by_passkey, numbers, threads=24)


def _password(number: str) -> str:
    return f"fjala e {number} këtu"


def _load(running: RunningKeeper, work: Any, numbers: list[str], threads: int) -> float:
    """Sign-ins a second of all processes together, after a warm-up."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    begin = context.Barrier(PROCESSES + 1)
    shares = [numbers[start::PROCESSES] for start in range(PROCESSES)]
    processes = [
        context.Process(target=_process, args=(str(running.socket), work, share, threads, begin, results))
        for share in shares
    ]
    for process in processes:
        process.start()
    begin.wait(120)
    time.sleep(WARM_S)
    before, at = _processor(running), time.monotonic()
    time.sleep(MEASURED_S - 1)
    after, seconds = _processor(running), time.monotonic() - at
    counts = [results.get(timeout=WARM_S + MEASURED_S + 60) for _ in processes]
    for process in processes:
        process.join(30)
    if any(failed for _, failed in counts):
        raise RuntimeError(f"sign-ins failed: {counts}")
    rate = sum(done for done, _ in counts) / MEASURED_S
    spent = {name: 1000 * (after[name] - before[name]) / seconds / rate for name in before}
    said = ", ".join(f"{name} {each:.2f} ms" for name, each in spent.items())
    print(f"  processor time for each: {said}", file=sys.stderr)
    return rate


def _processor(running: RunningKeeper) -> dict[str, float]:
    """Seconds of processor time of the keeper and of the three copies so far."""
    assert running.process is not None
    copies = [mirror.process.pid for mirror in running.mirrors]
    return {"keeper": _seconds(running.process.pid), "copies": sum(map(_seconds, copies))}


def _seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _process(socket: str, work: Any, numbers: list[str], threads: int, begin: Any, results: Any) -> None:
    client = connect(socket)
    prepared = [work(client, numbers[place::threads]) for place in range(threads)]
    begin.wait(120)
    start = time.monotonic() + WARM_S
    done, failed = [0] * threads, [0] * threads

    def run(place: int) -> None:
        sign_in, turn = prepared[place], 0
        while (now := time.monotonic()) < start + MEASURED_S:
            try:
                sign_in(turn)
            except Exception as error:
                print(f"a sign-in failed: {error}", file=sys.stderr)
                failed[place] += 1
                return
            turn += 1
            done[place] += start <= now

    running = [threading.Thread(target=run, args=(place,)) for place in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    client.close()
    results.put((sum(done), sum(failed)))


def _by_password(client: KeeperClient, numbers: list[str]) -> Any:
    def sign_in(turn: int) -> None:
        number = numbers[turn % len(numbers)]
        client.sign_in(number, _password(number), **WHERE)

    return sign_in


def _by_passkey(client: KeeperClient, numbers: list[str]) -> Any:
    passkeys = [_registered(client, number) for number in numbers]

    def sign_in(turn: int) -> None:
        begun = client.passkey_begin()
        answer = Assertion(**passkeys[turn % len(passkeys)].answer(begun.options))
        client.passkey_sign_in(begun.state, answer, **WHERE)

    return sign_in


def _registered(client: KeeperClient, number: str) -> SoftPasskey:
    session = client.sign_in(number, _password(number), **WHERE)
    passkey, begun = SoftPasskey(), client.passkey_new(session.token)
    client.passkey_add(session.token, begun.state, "bench", **passkey.register(begun.options))
    return passkey


if __name__ == "__main__":
    print(json.dumps(dict(figures())))
