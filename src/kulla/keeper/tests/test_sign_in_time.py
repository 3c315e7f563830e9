"""Whether an account exists must not be readable from a clock: statistics, not a look at two numbers.

Tries at five kinds of accounts are mixed at random, so that whatever the machine does meanwhile meets all alike. The
medians are compared with a bootstrap: a kind is told apart when the interval of the difference lies wholly beyond
TOLERANCE_S. Three milliseconds more for any kind make this fail (tried).
"""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest

from kulla.keeper.testkit import ARTA, RunningKeeper, invented, keeper
from kulla.keeper.testpasskey import SoftPasskey
from kulla.keeper_client import KeeperClient, Refused, connect

COST = {"time": 1, "memory_kib": 4096, "parallelism": 1}  # some milliseconds: leaving the hash out would show
TOLERANCE_S = 0.001
EACH, TRIES = 10, 14  # accounts of a kind, tries at each: two tests stay below what slows one down
RESAMPLED, TAIL = 400, 0.005
PASSWORD = "fjala e gjatë këtu"
NOW = 1_790_000_000_000


CALLS: dict[str, Callable[[KeeperClient, str, str], object]] = {
    "activate_begin": lambda client, number, network: client.activate_begin(number, network=network),
    "recover_begin": lambda client, number, network: client.recover_begin(number, network=network),
    "activate_check": lambda client, number, network: client.activate_check(
        number, "123456", network=network
    ),
    "activate_letter": lambda client, number, network: client.activate_letter(
        number, "ABCD-EFGH", network=network
    ),
    "a forgotten password": lambda client, number, network: client.recover_prove(
        number, "password", phone_code="123456", totp="123456", network=network
    ),
    "a lost telephone": lambda client, number, network: client.recover_prove(
        number, "phone", paper_code="ABCD-EFGH", password="x", network=network
    ),
}


@dataclass
class Accounts:
    """Accounts of each kind, in a keeper that never calls it a storm: ten for signing in, ten for each of CALLS."""

    client: KeeperClient
    every: dict[str, list[str]]

    @property
    def kinds(self) -> dict[str, list[str]]:
        """Those for signing in."""
        return self.of(0)

    def of(self, place: int) -> dict[str, list[str]]:
        """Ten of each kind that no other place has."""
        return {name: numbers[EACH * place : EACH * (place + 1)] for name, numbers in self.every.items()}


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    each = EACH * (1 + len(CALLS))
    rows = invented(4 * each)
    numbers = [row["number"] for row in rows]
    names = ("with a password", "without a password", "frozen", "dead")
    kinds = {name: numbers[place::4] for place, name in enumerate(names)}
    kinds["nobody"] = [f"J7510{number:04}A" for number in range(each)]
    folder = tmp_path_factory.mktemp("time")
    with keeper(folder, rows, argon2=COST, failures_per_minute=1_000_000) as running:
        prepare(running, kinds)
        client = connect(running.socket)
        yield Accounts(client, kinds)
        client.close()


def prepare(running: RunningKeeper, kinds: dict[str, list[str]]) -> None:
    with running.administered() as admin:
        keeper = admin._keeper
        for name in ("with a password", "frozen", "dead"):
            for number in kinds[name]:
                admin.set_password(number, PASSWORD)
        for number in kinds["frozen"]:
            person = admin._person(number)
            frozen = {"type": "account_frozen", "id": uuid4(), "person": person, "at": NOW, "kind": "test"}
            keeper.committer.commit(frozen)
        for number in kinds["dead"]:
            keeper.committer.commit({"type": "person_died", "person": admin._person(number), "at": NOW})


def sample(kinds: dict[str, list[str]], once: Callable[[str, int], None]) -> dict[str, list[float]]:
    """Seconds of each try, by kind; all tries in one random order."""
    order = [(name, number) for name, numbers in kinds.items() for number in numbers for _ in range(TRIES)]
    random.Random(3).shuffle(order)
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for turn, (name, number) in enumerate(order):
        start = time.perf_counter()
        once(number, turn)
        taken[name].append(time.perf_counter() - start)
    return taken


def apart(left: list[float], right: list[float]) -> tuple[float, float]:
    """The bootstrap interval of the difference of the medians."""
    chance = random.Random(5)
    found = sorted(
        statistics.median(chance.choices(left, k=len(left)))
        - statistics.median(chance.choices(right, k=len(right)))
        for _ in range(RESAMPLED)
    )
    return found[int(TAIL * RESAMPLED)], found[-1 - int(TAIL * RESAMPLED)]


def told_apart(taken: dict[str, list[float]], usual: str) -> list[str]:
    """The kinds that a clock tells from the usual one, with what it shows."""
    found = []
    for name, times in taken.items():
        low, high = apart(times, taken[usual])
        if low > TOLERANCE_S or high < -TOLERANCE_S:
            found.append(f"{name}: {1000 * low:+.2f} to {1000 * high:+.2f} ms against {usual}")
    return found


@pytest.mark.parametrize("password", ["x", PASSWORD], ids=["wrong", "right"])
def test_a_clock_tells_nothing_about_an_account(accounts: Accounts, password: str) -> None:
    """With a right password too: a frozen or a dead account answers as if it were wrong."""
    kinds = dict(accounts.kinds)
    if password == PASSWORD:
        kinds = {name: kinds[name] for name in ("frozen", "dead", "nobody", "without a password")}

    def once(number: str, turn: int) -> None:
        with pytest.raises(Refused) as caught:
            accounts.client.sign_in(
                number, password, network=f"10.{turn % 250}.{turn // 250}.1", device=password[:1]
            )
        assert (caught.value.code, str(caught.value), caught.value.details) == (
            "wrong",
            "The number or the password is wrong.",
            {},
        )

    assert told_apart(sample(kinds, once), "nobody") == []


def test_a_clock_tells_nothing_about_passkeys(accounts: Accounts) -> None:
    """A number typed for a passkey: the eight ids come as fast for whoever has some, none, or does not exist."""
    client = accounts.client
    session = client.sign_in(ARTA.number, ARTA.password, network="192.0.2.7", device="t")
    for _ in range(3):
        passkey, begun = SoftPasskey(verified=False), client.passkey_new(session.token)
        client.passkey_add(session.token, begun.state, "x", **passkey.register(begun.options))
    kinds = {"some": [ARTA.number] * EACH, "none": accounts.kinds["with a password"]}
    kinds["nobody"] = accounts.kinds["nobody"]
    assert told_apart(sample(kinds, lambda number, _: client.passkey_begin(number) and None), "nobody") == []


@pytest.mark.parametrize("name", CALLS)
def test_a_clock_and_the_words_tell_nothing_at_activation_and_recovery(accounts: Accounts, name: str) -> None:
    answers: dict[str, set[str]] = {}
    place = 1 + list(CALLS).index(name)
    kinds = accounts.of(place)
    kind_of = {number: kind for kind, numbers in kinds.items() for number in numbers}

    def once(number: str, turn: int) -> None:
        said = "ok"
        try:
            CALLS[name](accounts.client, number, f"10.{turn % 250}.{10 * place + turn // 250}.1")
        except Refused as refused:
            said = f"{refused.code} {refused} {refused.details}"
        answers.setdefault(kind_of[number], set()).add(said)

    taken = sample(kinds, once)
    assert len(set(map(frozenset, answers.values()))) == 1, answers
    assert told_apart(taken, "nobody") == []


def test_the_statistics_see_what_they_must() -> None:
    """Three milliseconds more are seen through noise ten times as large; none are seen where there are none."""
    chance = random.Random(1)

    def noisy(more: float) -> list[float]:
        return [0.006 + more + 0.001 * chance.random() + 0.03 * (chance.random() < 0.1) for _ in range(180)]

    assert told_apart({"a": noisy(0.003), "b": noisy(0)}, "b")
    assert told_apart({"a": noisy(0), "b": noisy(0)}, "b") == []
