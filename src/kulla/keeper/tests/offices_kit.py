"""A keeper in this process with a tree of offices and a clock that tests move. For tests of roles and approvals.

state ── ministry ── agency ── branch_1, branch_2
      └─ other ── far
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from kulla.journal.ids import now_ms
from kulla.keeper import testkit
from kulla.keeper.admin import open_keeper
from kulla.keeper.config import load
from kulla.keeper.core import Keeper
from kulla.keeper.identifiers import NUMBER
from kulla.keeper.sessions import Live
from kulla.keeper.strength import CODE, PASSWORD

DAY = 24 * 3600 * 1000
TREE = ("state", "ministry", "agency", "branch_1", "branch_2", "other", "far")
PARENTS = {
    "ministry": "state",
    "agency": "ministry",
    "branch_1": "agency",
    "branch_2": "agency",
    "other": "state",
    "far": "other",
}
KINDS = {"state": "state", "ministry": "ministry", "agency": "agency", "other": "ministry"}


@dataclass
class Land:
    """The keeper, its offices by name, and people whose numbers are known."""

    keeper: Keeper
    places: dict[str, UUID]
    numbers: list[str]
    mirrors: list[Any]
    ahead: list[int] = field(default_factory=lambda: [0])
    _next: list[int] = field(default_factory=lambda: [0])

    def someone(self) -> str:
        """The number of a person whom no test has used yet."""
        self._next[0] += 1
        return self.numbers[self._next[0] - 1]

    def person(self, number: str) -> UUID:
        """Who has this number."""
        found = self.keeper.people.by_identifier(NUMBER, number)
        assert found is not None
        return found

    def official(self, role: str, place: str | None, number: str | None = None, days: int = 365) -> Live:
        """A session of an official who was given the role just now."""
        person = self.person(number or self.someone())
        office = self.places[place] if place else None
        until = now_ms() + self.ahead[0] + days * DAY
        self.keeper.committer.commit(self.keeper.offices.role_body(person, role, office, until=until))
        return self.session(person, role, office)

    def session(
        self, person: UUID, role: str = "citizen", office: UUID | None = None, factor: str = CODE
    ) -> Live:
        """A session of this person."""
        opened = self.keeper.sessions.open_for(
            person, role, office, network="192.0.2.7", device="a test", language="sq", factor=factor
        )
        return self.keeper.sessions.live(opened["token"])

    def citizen(self, number: str, *, weak: bool = False) -> Live:
        """A session as a citizen; `weak`: with a password alone."""
        return self.session(self.person(number), factor=PASSWORD if weak else CODE)

    def asked(self, asker: Live, number: str, place: str = "branch_1", role: str = "registrar") -> UUID:
        """A request for a role with power, which its person took already."""
        keeper = self.keeper
        _, code = keeper.invitations.offer(asker, self.places[place], role, number, 365, "")
        assert keeper.invitations.answer(self.citizen(number), code, yes=True) == "asked"
        return keeper.approvals.asked_by(asker.person)[0].id

    def later(self, days: float) -> None:
        """Move the clock of offices and approvals on."""
        self.ahead[0] += int(days * DAY)

    def restart(self) -> Keeper:
        """The same keeper, opened anew; sessions from before are no longer of use."""
        home, clock = self.keeper.config.home, self.keeper.clock
        self.keeper.close()
        self.keeper = _started(home, clock)
        return self.keeper

    def alive(self, session: Live) -> bool:
        """Whether a session still stands."""
        try:
            self.keeper.sessions._live(session.sid)
        except Exception:
            return False
        return True

    def roles(self, number: str) -> list[tuple[str, str]]:
        """(role, place) of a person."""
        names = {office: name for name, office in self.places.items()}
        found = self.keeper.offices.roles_of(self.person(number))
        return [(role, names[office] if office else "") for role, office in found]


def _started(home: Path, clock: Callable[[], int]) -> Keeper:
    keeper = Keeper(load(home / "keeper.json"), clock)
    assert keeper.wait_ready(20)
    keeper.serve()
    return keeper


@contextmanager
def land(folder: Path, people: int = 60) -> Iterator[Land]:
    """A country with a tree of offices; its people have no passwords."""
    rows = testkit.invented(people)
    running = testkit.start_keeper(folder, rows, start=False)
    places = {name: uuid4() for name in TREE}
    ahead = [0]
    clock: Callable[[], int] = lambda: now_ms() + ahead[0]  # noqa: E731
    try:
        with open_keeper(running.keeper_home) as admin:
            for name in TREE:
                parent = places[PARENTS[name]] if name in PARENTS else None
                admin.add_office(places[name], name.title(), kind=KINDS.get(name, "branch"), parent=parent)
        keeper = _started(running.keeper_home, clock)
        found = Land(keeper, places, [row["number"] for row in rows], running.mirrors, ahead)
        try:
            yield found
        finally:
            found.keeper.close()
    finally:
        testkit.stop_keeper(running)


__all__ = ["DAY", "Land", "land"]
