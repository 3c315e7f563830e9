"""A real keeper with two clerks of one office, registrars, and somebody without a telephone; a clinic to book at."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from kulla.keeper.numbers import al
from kulla.keeper.testkit import Member, RunningKeeper, row, start_keeper, stop_keeper
from kulla.registry import actor, cookie, door
from kulla.services.appointments import actions, desks, people, queries
from kulla.services.appointments.models import Practitioner
from kulla.services.appointments.service import SERVICE
from kulla.services.appointments.times import Hours


def member(name: str, serial: int, sex: str = "f", born: date = date(1961, 4, 4), **more: str) -> Member:
    """Somebody who is not in the fixed cast."""
    return Member(name, al.make(born, sex, serial, "K"), born, **more)


TEUTA = member("Teuta Gega", 501, password="dy-kulla-guri-55", totp="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
REGISTRARS = (
    member("Genti Rama", 502, "m", password="libri-i-madh-61", totp="MZXW6YTBOI3DGNBVMZXW6YTBOI3DGNBV"),
    member("Hana Rama", 503, password="libri-i-vogel-62", totp="ONSWG4TFOQ3DGNBVONSWG4TFOQ3DGNBV"),
)
XHEMAL = member("Xhemal Çoku", 504, "m")  # no telephone, no e-mail, no account
LIRI = member("Liri Dushku", 505)  # has a telephone of her own
MIRELA = member("Mirela Sula", 506, password="shtepi-e-bardhe-93")  # has an account


@pytest.fixture(scope="session")
def keeper() -> Iterator[RunningKeeper]:
    """The keeper of these tests."""
    folder = Path(tempfile.mkdtemp(prefix="k-"))  # short: Unix sockets have short paths
    rows = [{**row(XHEMAL), "phone": ""}]
    rows += [{**row(each), "phone": f"069 55 600 {n:02}"} for n, each in enumerate((LIRI, MIRELA))]
    running = start_keeper(folder, rows, templates={SERVICE.slug: dict(SERVICE.notices)})
    with running.administered() as admin:
        admin.set_password(MIRELA.number, MIRELA.password)
        for each, role in ((TEUTA, "receptionist"), *((one, "registrar") for one in REGISTRARS)):
            admin.add_official(each.name, running.office_1, role, each.number, each.password, each.totp)
    yield running
    stop_keeper(running)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def portal(keeper: RunningKeeper, settings: Any, tmp_path: Path) -> Iterator[RunningKeeper]:
    """This portal speaks with that keeper, and remembers nothing of the test before."""
    settings.KULLA_KEEPER_SOCKET = str(keeper.socket)
    settings.KULLA_PORTAL = tmp_path
    door.forget()
    actor._entered.clear()
    desks.forget()
    yield keeper
    door.keeper().close()
    door.forget()
    actor._entered.clear()


# A code works once, so an official signs in once for each keeper and keeps the cookie.
_officials: dict[tuple[Path, str], str] = {}


class Browser(Client):
    """A browser that gets pages and no exceptions."""

    def html(self, path: str, status: int = 200) -> str:
        """A page as text. Raises AssertionError unless it is there."""
        answer = self.get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.content.decode()[:1500])
        return answer.content.decode()

    def go(self, path: str, **fields: str) -> str:
        """Send a form that leads on; gives where to."""
        answer = self.post(path, fields)
        assert answer.status_code in {302, 303}, (path, answer.status_code, _problem(answer.content.decode()))
        return str(answer["Location"])

    def refused(self, path: str, **fields: str) -> str:
        """Send a form that does not lead on; gives the page."""
        answer = self.post(path, fields)
        assert answer.status_code >= 400, (path, answer.status_code)
        return answer.content.decode()


def _problem(page: str) -> str:
    return re.sub(r"<[^>]+>|\s+", " ", page.split("<main", 1)[-1])[:1500]


@dataclass
class Desk:
    """The keeper and browsers around the counter."""

    keeper: RunningKeeper
    open: list[Browser] = field(default_factory=list)

    def browser(self, who: Member, language: str = "en") -> Browser:
        """A browser in which this person is signed in."""
        made = Browser(raise_request_exception=False, HTTP_HOST="localhost", HTTP_ACCEPT_LANGUAGE=language)
        if who.totp and (self.keeper.home, who.number) in _officials:
            made.cookies[cookie.NAME] = _officials[self.keeper.home, who.number]
            return made
        code = who.code() if who.totp else None
        session = door.keeper().sign_in(who.number, who.password, code, network="192.0.2.7", device="a test")
        made.cookies[cookie.NAME] = cookie.pack(session.token)
        if who.totp:
            _officials[self.keeper.home, who.number] = made.cookies[cookie.NAME].value
        return made

    @property
    def clerk(self) -> Browser:
        """The clerk of the counter."""
        return self.browser(self.keeper.vjosa)

    @property
    def colleague(self) -> Browser:
        """A clerk of the same office."""
        return self.browser(TEUTA)

    def answer(self, title: str, by: Browser, *, yes: bool = True) -> str:
        """Decide the newest request of this kind, over HTTP; gives the page that showed it."""
        opened, _helping = cookie.unpack(by.cookies[cookie.NAME].value)
        waiting = [each for each in door.keeper().approvals_open(opened or "") if each.kind == title]
        assert waiting, title
        path = f"/decisions/{waiting[-1].id}"
        page = by.html(path)
        by.go(path, answer="yes" if yes else "no")
        return page

    def code(self, who: Member) -> str:
        """The code in the newest message to this person."""
        for message in door.keeper().demo_outbox(who.number):
            if found := re.search(r"\b(\d{6})\b", message.body):
                return found[1]
        raise AssertionError("no code was sent")


@pytest.fixture
def desk(portal: RunningKeeper) -> Desk:
    """The counter."""
    return Desk(portal)


@pytest.fixture
def clinic(portal: RunningKeeper, transactional_db: None) -> Practitioner:
    """Vjosa's office with a doctor who works day and night, so that tests run at any hour."""
    long_ago = queries.today(people.now()).replace(year=2020, day=1)
    hours = tuple(Hours(day, 0, 1440, 20, long_ago) for day in range(7))
    actions.open_office(
        actor="job:demo",
        office=actions.OfficeData(
            portal.office_1, "Poliklinika nr. 9", "clinic", "Tiranë", 41_326_087, 19_805_155
        ),
        practitioners=[actions.PractitionerData("Dr. Besa Kola", "gp", hours)],
    )
    return Practitioner.objects.get(specialty="gp")
