"""How long a page goes by what the keeper said: who acts for others is asked for again soon."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from kulla.keeper_client import Entered, KeeperUnavailable, Session, Ward
from kulla.registry import actor

SESSION = Session("token", "sid", "citizen", None, 2**53, "sq")


class Keeper:
    """Counts, and answers with the wards it is given."""

    def __init__(self) -> None:
        self.asked, self.away = 0, False
        self.wards: list[Ward] = []
        self.me = uuid4()

    def enter(self, _token: str, _service: str, _tickets: int) -> Entered:
        if self.away:
            raise KeeperUnavailable("away")
        self.asked += 1
        return Entered("citizen", None, self.me, self.wards, b"proof", {})


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keeper]:
    """A keeper and a clock that stands still."""
    made = Keeper()
    monkeypatch.setattr(actor, "keeper", lambda: made)
    actor._entered.clear()
    yield made
    actor._entered.clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Seconds that the test moves."""
    now = SimpleNamespace(at=1000.0)
    monkeypatch.setattr(actor.time, "monotonic", lambda: now.at)
    return now


def enter() -> tuple[UUID, ...]:
    """The wards of the session now."""
    return actor.enter(SESSION, "token", "appointments").wards


def test_who_acts_for_nobody_is_asked_once_a_quarter_of_an_hour(keeper: Keeper, clock: Any) -> None:
    """Nothing that others do can take anything away from them."""
    for at in (0, 61, 899):
        clock.at = 1000.0 + at
        enter()
    assert keeper.asked == 1
    clock.at += 2
    enter()
    assert keeper.asked == 2


def test_who_acts_for_others_is_asked_again_after_a_minute(keeper: Keeper, clock: Any) -> None:
    """A mandate that was taken back leaves the pages."""
    keeper.wards = [Ward(uuid4(), "represented")]
    assert len(enter()) == 1
    keeper.wards = []
    assert len(enter()) == 1
    clock.at += 61
    assert enter() == ()


def test_while_the_keeper_is_away_what_was_known_serves_for_a_quarter_of_an_hour(
    keeper: Keeper, clock: Any
) -> None:
    """Guardians go on working, as everybody does."""
    keeper.wards = [Ward(uuid4(), "child")]
    enter()
    keeper.away = True
    clock.at += 600
    assert len(enter()) == 1
    clock.at += 301
    with pytest.raises(KeeperUnavailable):
        enter()
