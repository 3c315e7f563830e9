"""A real keeper whose family a court has divided, and browsers of its people."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.test import Client

from kulla.identity.tests.conftest import browser
from kulla.keeper.families.tests.conftest import PEOPLE, prepare
from kulla.keeper.testkit import Member, RunningKeeper, row, start_keeper, stop_keeper
from kulla.registry import actor, door

# A code works once, so an official signs in once for each keeper and keeps the cookie.
_officials: dict[tuple[Path, str], str] = {}


@pytest.fixture(scope="session")
def keeper() -> Iterator[RunningKeeper]:
    """One keeper for all tests of this area."""
    folder = Path(tempfile.mkdtemp(prefix="k-"))  # short: Unix sockets have short paths
    budgets = {"official_hour": 10_000, "official_day": 10_000}
    running = start_keeper(folder, [row(each) for each in PEOPLE], budgets=budgets)
    prepare(running)
    yield running
    stop_keeper(running)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def portal(keeper: RunningKeeper, settings: object, tmp_path: Path, db: None) -> Iterator[RunningKeeper]:
    """This portal speaks with that keeper, and remembers nothing of the test before."""
    settings.KULLA_KEEPER_SOCKET = str(keeper.socket)  # type: ignore[attr-defined]
    settings.KULLA_PORTAL = tmp_path  # type: ignore[attr-defined]
    door.forget()
    actor._entered.clear()
    yield keeper
    door.keeper().close()
    door.forget()
    actor._entered.clear()


@dataclass
class Visitor:
    """A browser in which somebody is signed in."""

    client: Client
    pages: list[str] = field(default_factory=list)

    def get(self, path: str, status: int = 200) -> str:
        """The text of a page."""
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.content.decode()[:2000])
        return answer.content.decode()

    def post(self, path: str, status: int = 303, **fields: object) -> str:
        """The text of the answer, or the address that it leads to."""
        answer = self.client.post(path, fields)
        text = answer.content.decode()
        assert answer.status_code == status, (path, answer.status_code, text[:4000])
        return answer["Location"] if status == 303 else text


@dataclass
class SignIn:
    """Sign in a member of the cast."""

    keeper: RunningKeeper

    def __call__(self, member: Member, language: str = "en") -> Visitor:
        """Their browser."""
        visitor = browser(language)
        if (self.keeper.home, member.number) in _officials:
            visitor.cookies["kulla"] = _officials[self.keeper.home, member.number]
            return Visitor(visitor)
        answer = visitor.post("/sign-in", {"identifier": member.number, "password": member.password})
        if member.totp:
            step = re.search(r'name="step" value="([^"]+)"', answer.content.decode())
            assert step, answer.content.decode()
            for code in (member.code(), member.fresh_code()):
                answer = visitor.post("/sign-in", {"step": step[1], "code": code})
                if answer.status_code == 302:
                    break
        assert answer.status_code in {302, 303}, answer.content.decode()
        if member.totp:
            _officials[self.keeper.home, member.number] = visitor.cookies["kulla"].value
        return Visitor(visitor)


@pytest.fixture
def signed_in(portal: RunningKeeper) -> SignIn:
    """Sign in a member of the cast."""
    return SignIn(portal)
