"""A counter with two clerks, a clerk of another office, registrars and a protection official, in this process."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from kulla.keeper.core import Keeper
from kulla.keeper.errors import Refusal
from kulla.keeper.sessions import Live
from kulla.keeper.tests.offices_kit import Land, land

MINUTE = 60 * 1000
HERE = {"network": "192.0.2.7", "device": "the counter", "language": "sq"}


@dataclass
class Desk:
    """The keeper and who stands around the counter of branch_1."""

    land: Land
    clerk: Live
    colleague: Live
    stranger: Live  # a clerk of another office
    above: Live  # a protection official of the office above
    registrar: Live
    second: Live  # another registrar of the same office

    @property
    def keeper(self) -> Keeper:
        """The keeper."""
        return self.land.keeper

    def person(self, *, phone: str | None = None) -> tuple[str, UUID]:
        """(number, id) of somebody new, with a telephone of their own or none."""
        number = self.land.someone()
        person = self.land.person(number)
        fresh = f"+35569{int(person.int % 10_000_000):07}" if phone is None else phone
        self.keeper.committer.commit(self.keeper.people.update_body(person, {"phone": fresh, "email": ""}))
        return number, person

    def visit(self, number: str, clerk: Live | None = None) -> UUID:
        """A visit of this person at the clerk's counter."""
        found = self.keeper.counter.find(clerk or self.clerk, "number", number, "health")
        assert found is not None
        return found

    def messages(self, number: str) -> list[Any]:
        """What was sent to a person, the newest first."""
        return list(self.keeper.accounts.demo_outbox(number))

    def code(self, number: str) -> str:
        """The code in the newest message."""
        for message in self.messages(number):
            if found := re.search(r"\b(\d{6})\b", str(message["text"])):
                return found[1]
        raise AssertionError("no code was sent")

    def begin(self, visit: UUID, way: str, secret: str = "", clerk: Live | None = None) -> Live:
        """Begin to act; gives the assisted session."""
        answer = self.keeper.counter.begin(clerk or self.clerk, visit, way, secret, **HERE)
        return self.keeper.sessions.live(answer["session"]["token"])

    def sign(self, visit: UUID, by: Live, *, yes: bool = True, clerk: Live | None = None) -> None:
        """The clerk asks, `by` answers."""
        self.keeper.counter.ask_signature(clerk or self.clerk, visit)
        self.answer("assisted_signature", by, yes=yes)

    def answer(self, kind: str, by: Live, *, yes: bool = True) -> None:
        """Answer the newest open request of a kind. Raises Refusal("unknown_request") when `by` is not asked."""
        waiting = [each for each in self.keeper.approvals.open_for(by) if each.kind == kind]
        if not waiting:
            raise Refusal("unknown_request", "Nothing of this kind waits for this official.")
        self.keeper.approvals.answer(by, waiting[-1].id, yes=yes)

    def looks(self, person: UUID) -> list[dict[str, Any]]:
        """What is on the log about a person, the newest first."""
        rows = self.keeper.looks._rows(
            "SELECT sealed FROM look WHERE person = ? ORDER BY seq DESC", person.bytes
        )
        return [self.keeper.looks._unseal(sealed)[2] for (sealed,) in rows]

    def minutes(self, count: int) -> None:
        """Move the keeper's clock on."""
        self.land.ahead[0] += count * MINUTE
        self.keeper.looks.confirm(1 << 62)  # else the journal would be behind


@contextmanager
def desk(folder: Path, people: int = 80) -> Iterator[Desk]:
    """A country with a counter."""
    with land(folder, people) as found:
        yield Desk(
            found,
            found.official("receptionist", "branch_1"),
            found.official("receptionist", "branch_1"),
            found.official("receptionist", "branch_2"),
            found.official("protection", "agency"),
            found.official("registrar", "ministry"),
            found.official("registrar", "ministry"),
        )


def code_of(call: Any, *args: Any, **more: Any) -> str:
    """The code with which a call is refused, or "none"."""
    try:
        call(*args, **more)
    except Refusal as refusal:
        return refusal.code
    return "none"


def set_pin(counter: Desk, person: UUID, pin: str = "739184") -> Live:
    """The person sets a PIN; gives the session in which they did."""
    session = counter.land.session(person)
    counter.keeper.counter.set_pin(session, "", pin)
    return session
