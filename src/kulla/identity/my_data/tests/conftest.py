"""A keeper with registrars and data-protection officials of its own for these pages, and browsers."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.test import Client

from kulla.identity.tests.conftest import browser
from kulla.keeper.numbers import al
from kulla.keeper.testkit import (
    ARTA,
    DRITAN,
    ILIR,
    OFFICE_1,
    OFFICE_2,
    VJOSA,
    Member,
    RunningKeeper,
    start_keeper,
    stop_keeper,
)
from kulla.keeper_client import Refused, Session
from kulla.registry import actor, door

MINISTRY = UUID("0198c000-0000-7000-8000-0000000000d1")


def member(name: str, serial: int, totp: str) -> Member:
    """An official."""
    return Member(
        name, al.make(date(1985, 4, 4), "f", serial, "K"), date(1985, 4, 4), "shtylla-e-gurit-41", totp
    )


EDLIRA = member("Edlira Regjistri", 401, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJA")
DORINA = member("Dorina Regjistri", 402, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJB")
MERITA = member("Merita Mbrojtja", 403, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJC")
TJETRA = member("Tjetra Mbrojtja", 404, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJD")
OFFICIALS = (
    (EDLIRA, "registrar", MINISTRY),
    (DORINA, "registrar", MINISTRY),
    (MERITA, "protection", MINISTRY),
    (TJETRA, "protection", OFFICE_2),
)


@pytest.fixture(scope="session")
def keeper() -> Iterator[RunningKeeper]:
    """The keeper of these tests."""
    folder = Path(tempfile.mkdtemp(prefix="k-"))
    running = start_keeper(folder)
    with running.administered() as admin:
        admin.add_office(MINISTRY, "Ministria e Provës", kind="ministry")
        admin.add_office(OFFICE_1, "Poliklinika Nr. 1, Tiranë", parent=MINISTRY)
        for each, role, office in OFFICIALS:
            admin.add_official(each.name, office, role, each.number, each.password, each.totp)
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
    yield keeper
    door.keeper().close()
    door.forget()
    actor._entered.clear()


_sessions: dict[str, Session] = {}  # a code works once: officials sign in once a run
_cookies: dict[str, str] = {}


@dataclass
class People:
    """The cast, in browsers and at the keeper's door."""

    keeper: RunningKeeper

    def token(self, who: Member) -> str:
        """A session's token at the keeper."""
        client = door.keeper()
        if who.totp:
            if who.number not in _sessions:
                _sessions[who.number] = self._signed_in(who)
            _sessions[who.number] = client.renew(_sessions[who.number].token)
            return _sessions[who.number].token
        return client.sign_in(who.number, who.password, network="192.0.2.9", device="t").token

    @staticmethod
    def _signed_in(who: Member) -> Session:
        for step in (-1, 0, 1):  # the browser may have used some
            try:
                code = who.fresh_code(step)
                return door.keeper().sign_in(who.number, who.password, code, network="192.0.2.9", device="t")
            except Refused:
                continue
        raise AssertionError(f"{who.name} could not sign in")

    def browser(self, who: Member, language: str = "en") -> Client:
        """A browser in which `who` is signed in."""
        visitor = browser(language)
        if who.number in _cookies:
            visitor.cookies["kulla"] = _cookies[who.number]
            return visitor
        answer = visitor.post("/sign-in", {"identifier": who.number, "password": who.password})
        if who.totp:
            step = re.search(r'name="step" value="([^"]+)"', answer.content.decode())
            assert step, answer.content.decode()
            for ahead in (0, 1):
                answer = visitor.post("/sign-in", {"step": step[1], "code": who.fresh_code(ahead)})
                if answer.status_code == 302:
                    break
            _cookies[who.number] = visitor.cookies["kulla"].value
        assert answer.status_code == 302, answer.content.decode()
        return visitor

    def look(self, clerk: Member = VJOSA, at: Member = ARTA) -> None:
        """A clerk searches for somebody: a look that costs."""
        assert door.keeper().find(self.token(clerk), "number", at.number, "appointments")


@pytest.fixture
def people(portal: RunningKeeper, db: None) -> People:
    """The cast."""
    return People(portal)


__all__ = [
    "ARTA",
    "DORINA",
    "DRITAN",
    "EDLIRA",
    "ILIR",
    "MERITA",
    "OFFICE_1",
    "TJETRA",
    "VJOSA",
    "People",
    "uuid4",
]
