"""A keeper with a tree of offices and administrators, and browsers that are signed in."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client

from kulla.identity.offices import tree
from kulla.identity.tests.conftest import browser
from kulla.keeper.numbers import al
from kulla.keeper.testkit import Member, RunningKeeper, row, start_keeper, stop_keeper
from kulla.registry import actor, cookie, door

STATE = UUID("0198c000-0000-7000-8000-0000000000e0")
MINISTRY = UUID("0198c000-0000-7000-8000-0000000000e1")
BRANCH = UUID("0198c000-0000-7000-8000-0000000000e2")
OTHER = UUID("0198c000-0000-7000-8000-0000000000e3")
PASSWORD = "ujë-i-kthjellët-në-pyll"


def _member(name: str, serial: int, totp: str) -> Member:
    born = date(1981, 6, 7)
    return Member(name, al.make(born, "f", serial, "K"), born, password=PASSWORD, totp=totp)


ADMIN = _member("Teuta Basha", 41, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
SECOND = _member("Flora Kodra", 42, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJA")
CLERK = _member("Mira Zeqo", 43, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJB")
NEW = _member("Elira Doda", 44, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJC")
HOURS = {day: [(480, 960)] for day in range(5)}
# A code works once, so officials sign in once for each keeper.
_tokens: dict[tuple[Path, str], str] = {}


@pytest.fixture(scope="session")
def keeper() -> Iterator[RunningKeeper]:
    """The keeper of these tests."""
    folder = Path(tempfile.mkdtemp(prefix="k-"))
    running = start_keeper(folder, [row(NEW)], start=False)
    from kulla.keeper.admin import open_keeper

    with open_keeper(running.keeper_home) as admin:
        admin.add_office(STATE, "Shteti", name_en="The state", kind="state")
        admin.add_office(
            MINISTRY, "Ministria e Shëndetësisë", name_en="Ministry of Health", kind="ministry", town="Tiranë"
        )
        place = {"town": "Korçë", "address": "Bulevardi Republika 4"}
        admin.add_office(BRANCH, "Dega e Korçës", kind="branch", parent=MINISTRY, hours=HOURS, **place)
        admin.add_office(OTHER, "Ministria e Financave", kind="ministry")
        for member, office, role in (
            (ADMIN, MINISTRY, "admin"),
            (SECOND, STATE, "admin"),
            (CLERK, BRANCH, "receptionist"),
        ):
            admin.add_official(member.name, office, role, member.number, member.password, member.totp)
        admin.set_password(NEW.number, NEW.password)
        admin.set_second_factor(NEW.number, NEW.totp)
    running.start()
    yield running
    stop_keeper(running)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def portal(keeper: RunningKeeper, settings: object, tmp_path: Path) -> Iterator[RunningKeeper]:
    """This portal speaks with that keeper, and remembers nothing of the test before."""
    settings.KULLA_KEEPER_SOCKET = str(keeper.socket)  # type: ignore[attr-defined]
    settings.KULLA_PORTAL = tmp_path  # type: ignore[attr-defined]
    door.forget()
    actor._entered.clear()
    tree._kept.clear()
    yield keeper
    door.keeper().close()
    door.forget()
    actor._entered.clear()


@dataclass
class Visitors:
    """Browsers in which somebody is signed in."""

    keeper: RunningKeeper

    def __call__(self, member: Member, language: str = "en") -> Client:
        """A browser in which `member` is signed in."""
        visitor = browser(language)
        if (self.keeper.home, member.number) not in _tokens:
            code = member.code() if member.totp else None
            session = door.keeper().sign_in(
                member.number, member.password, code, network="192.0.2.7", device="a test"
            )
            _tokens[self.keeper.home, member.number] = session.token
        visitor.cookies["kulla"] = cookie.seal(_tokens[self.keeper.home, member.number])
        return visitor


@pytest.fixture
def signed_in(portal: RunningKeeper) -> Visitors:
    """Sign in somebody."""
    return Visitors(portal)
