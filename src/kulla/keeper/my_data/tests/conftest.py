"""A keeper in this process, whose clock the test moves; three real copies; officials of every kind."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from kulla.journal.ids import now_ms
from kulla.keeper.admin import Admin, open_keeper
from kulla.keeper.config import load
from kulla.keeper.core import Keeper
from kulla.keeper.numbers import al
from kulla.keeper.sessions import Live
from kulla.keeper.testkit import (
    ARTA,
    BESA,
    DRITAN,
    ILIR,
    OFFICE_1,
    OFFICE_2,
    VJOSA,
    start_keeper,
    stop_keeper,
)

DAY_MS = 24 * 3600 * 1000
STATE = UUID("0198c000-0000-7000-8000-0000000000aa")
MINISTRY = UUID("0198c000-0000-7000-8000-0000000000bb")
LONELY = UUID("0198c000-0000-7000-8000-0000000000cc")
SERVICE = "appointments"


def number(serial: int) -> str:
    """The personal number of one more official."""
    return al.make(date(1980, 2, 2), "f", serial, "K")


OFFICIALS = {
    "registrar": (number(201), "registrar", MINISTRY),
    "registrar2": (number(202), "registrar", MINISTRY),
    "protection": (number(203), "protection", MINISTRY),
    "protection2": (number(204), "protection", OFFICE_2),
    "both": (DRITAN.number, "registrar", MINISTRY),
}


@dataclass
class Lab:
    """The keeper, and who acts."""

    keeper: Keeper
    ahead: list[int]  # ms that the clock is ahead of now

    def person(self, identifier: str) -> UUID:
        """The register's id of somebody."""
        found = self.keeper.people.by_marks(self.keeper.people.sign_in_marks(identifier))
        assert found
        return found

    def live(
        self, identifier: str, role: str = "citizen", office: UUID | None = None, **more: object
    ) -> Live:
        """A session of somebody."""
        at = self.keeper._clock()
        return Live(uuid4().hex, self.person(identifier), role, office, "sq", at, **more)  # type: ignore[arg-type]

    def official(self, name: str) -> Live:
        """A session of one of OFFICIALS."""
        return self.live(*OFFICIALS[name])

    @property
    def arta(self) -> Live:
        """The citizen."""
        return self.live(ARTA.number)

    @property
    def dritan(self) -> Live:
        """The stranger."""
        return self.live(DRITAN.number)

    @property
    def vjosa(self) -> Live:
        """The clerk of the first office."""
        return self.live(VJOSA.number, "receptionist", OFFICE_1)

    @property
    def ilir(self) -> Live:
        """The clerk of the second office."""
        return self.live(ILIR.number, "receptionist", OFFICE_2)

    def look(self, official: Live | None = None, at: str = ARTA.number, *fields: str) -> None:
        """An official opens the name of somebody; the journal has what was looked at before."""
        self.keeper.looks.confirm(1 << 62)
        self.keeper.opening.look_at(
            official or self.vjosa, self.person(at), fields or ["name"], service=SERVICE, purpose="day list"
        )

    def inbox(self, who: Live) -> list[str]:
        """Kinds of the notices in somebody's inbox, newest first."""
        return [notice["subject"] for notice in self.keeper.notices.inbox(who.person)]


def _fill(admin: Admin) -> None:
    admin.add_office(STATE, "Republika", kind="state")
    admin.add_office(MINISTRY, "Ministria", kind="ministry", parent=STATE)
    admin.add_office(OFFICE_1, "Poliklinika Nr. 1, Tiranë", parent=MINISTRY)
    admin.add_office(OFFICE_2, "Poliklinika Qendrore, Shkodër", parent=MINISTRY)
    admin.add_office(LONELY, "Zyra e vetme")
    for name, (identifier, role, office) in OFFICIALS.items():
        admin.add_official(f"Zyrtari {name}", office, role, identifier, "fjalëkalim-i-gjatë-7")


@pytest.fixture(scope="module")
def running_lab() -> Iterator[Lab]:
    folder = Path(tempfile.mkdtemp(prefix="k-"))
    running = start_keeper(folder, start=False, budgets={"official_hour": 100_000, "official_day": 100_000})
    try:
        with open_keeper(running.keeper_home) as admin:
            _fill(admin)
        ahead = [0]
        with Keeper(load(running.keeper_home / "keeper.json"), lambda: now_ms() + ahead[0]) as keeper:
            assert keeper.wait_ready(30)
            keeper.serve()
            yield Lab(keeper, ahead)
    finally:
        stop_keeper(running)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def lab(running_lab: Lab) -> Iterator[Lab]:
    """The module's keeper, back in today."""
    yield running_lab
    move(running_lab, 0)


def move(lab: Lab, days: float) -> None:
    """Set the keeper's clock so many days ahead of now."""
    lab.ahead[0] = int(days * DAY_MS)


__all__ = ["ARTA", "BESA", "DRITAN", "LONELY", "MINISTRY", "OFFICE_1", "OFFICE_2", "Lab", "move"]
