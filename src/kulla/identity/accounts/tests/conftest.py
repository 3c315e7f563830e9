"""A real keeper with people of its own for these pages, and browsers."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client

from kulla.identity.tests.conftest import browser
from kulla.keeper.numbers import al
from kulla.keeper.testkit import Member, RunningKeeper, row, start_keeper, stop_keeper
from kulla.keeper_client import Sent
from kulla.registry import actor, door

MINISTRY = UUID("0198c000-0000-7000-8000-0000000000a0")


def member(name: str, serial: int, sex: str = "f", born: date = date(1985, 4, 4), **more: str) -> Member:
    """Somebody who is not in the fixed cast."""
    return Member(name, al.make(born, sex, serial, "K"), born, **more)


MIRA = member("Mira Shehu", 301)  # has no account yet
DESK = member("Dea Noka", 302)  # only a counter can help her
LOST = member("Lule Basha", 303, password="kumbulla-ne-shi-4")
FROZEN = member("Fatos Kola", 304, sex="m", password="lumi-pa-ure-9-gur")
CHILD = member("Ema Dervishi", 305, born=date(date.today().year - 10, 1, 5))  # noqa: DTZ011
ICE = member("Ilirjana Gega", 310, password="akulli-mbi-liqen-6")  # frozen and released at the counter
MOVES = member("Manjola Zeneli", 306, password="ftoi-mbi-tavolinë-3")
NURA = member("Nura Cela", 307, password="zogu-i-kuq-fluturon", totp="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
ADMINS = (
    member("Agim Duro", 308, sex="m", password="guri-ne-lume-71", totp="MZXW6YTBOI3DGNBVMZXW6YTBOI3DGNBV"),
    member("Blerta Duro", 309, password="hena-mbi-mal-82", totp="ONSWG4TFOQ3DGNBVONSWG4TFOQ3DGNBV"),
)


@pytest.fixture(scope="session")
def keeper() -> Iterator[RunningKeeper]:
    """The keeper of these tests."""
    folder = Path(tempfile.mkdtemp(prefix="k-"))
    people = [
        {**row(each), "phone": f"069 55 500 {place:02}"}  # codes are measured by telephone: each has an own
        for place, each in enumerate((MIRA, LOST, FROZEN, CHILD, MOVES, ICE))
    ]
    people.append({**row(DESK), "phone": ""})
    running = start_keeper(folder, people)
    with running.administered() as admin:
        for each in (LOST, FROZEN, MOVES, ICE):
            admin.set_password(each.number, each.password)
        admin.add_office(MINISTRY, "Ministria e Provës")
        officials = [
            (NURA, "receptionist", MINISTRY),
            *((each, "admin", MINISTRY) for each in ADMINS),
        ]
        for each, role, office in officials:
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


@dataclass
class Visitor:
    """A browser that fills forms as they stand on the page."""

    client: Client
    text: str = ""
    status: int = 0
    where: str = ""

    def get(self, address: str) -> "Visitor":
        """Read a page."""
        return self._took(self.client.get(address))

    def post(self, address: str, **fields: str) -> "Visitor":
        """Send a form with what the page had sealed in it; follows where it leads."""
        found = re.search(r'name="step" value="([^"]*)"', self.text)
        if found and "step" not in fields:
            fields["step"] = found[1]
        return self._took(self.client.post(address, {name: text for name, text in fields.items() if text}))

    def _took(self, answer) -> "Visitor":  # type: ignore[no-untyped-def]
        if answer.status_code in {302, 303}:
            self.where = answer["Location"]
            return self._took(self.client.get(self.where)) if self.where.startswith("/") else self
        self.text, self.status = answer.content.decode(), answer.status_code
        return self


def visitor(language: str = "en") -> Visitor:
    """A new browser."""
    return Visitor(browser(language))


def sent(who: Member) -> list[Sent]:
    """What went to somebody's telephone and e-mail, newest first."""
    return door.keeper().demo_outbox(who.number)


def code_of(who: Member, kind: str) -> str:
    """The newest code of a kind that went to somebody."""
    body = next(each.body for each in sent(who) if each.kind == kind)
    found = re.search(r"\b\d{6}\b", body)
    assert found, body
    return found[0]


def link_of(who: Member, kind: str) -> str:
    """The path of the "this was not me" link in the newest notice of a kind."""
    body = next(each.body for each in sent(who) if each.kind == kind)
    found = re.search(r"/not-me/[0-9a-z-]+", body)
    assert found, body
    return found[0]
