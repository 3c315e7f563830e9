"""A real keeper for the tests of the pages, and browsers that are signed in there as one of the cast."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client

from kulla.record.models import Checkpoint, Entry, Outbox
from kulla.registry import actor, cookie, door
from kulla.registry.actor import Actor
from kulla.services.appointments import actions, people, queries
from kulla.services.appointments.models import Practitioner
from kulla.services.appointments.service import SERVICE
from kulla.services.appointments.times import Hours

ALWAYS = range(7)


@pytest.fixture(scope="session")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A running keeper with its three key copies and the cast."""
    kit = importlib.import_module("kulla.keeper.testkit")  # by name: the portal never imports the keeper
    folder: Path = tmp_path_factory.mktemp("k")
    running = kit.start_keeper(folder, templates={SERVICE.slug: dict(SERVICE.notices)})
    before = settings.KULLA_KEEPER_SOCKET
    settings.KULLA_KEEPER_SOCKET = str(running.socket)
    door.forget()
    yield running
    settings.KULLA_KEEPER_SOCKET = before
    door.keeper().close()
    door.forget()
    kit.stop_keeper(running)


@pytest.fixture(scope="session")
def tokens(keeper: Any) -> dict[str, Any]:
    """A session for each of the cast, made once: a second factor works once."""
    found = {}
    for name in ("arta", "dritan", "vjosa", "ilir"):
        member = getattr(keeper, name)
        code = member.code() if member.totp else None
        found[name] = door.keeper().sign_in(
            member.number, member.password, code, network="192.0.2.0", device="test"
        )
    return found


class Browser(Client):
    """A browser, signed in as one of the cast."""

    actor: Actor

    def html(self, path: str, **given: Any) -> str:
        """A page as text. Raises AssertionError unless it is there."""
        response = self.get(path, **given)
        assert response.status_code == 200, (response.status_code, response.content[:500])
        return response.content.decode()


def signed_in(session: Any) -> Browser:
    """A browser with this session."""
    browser = Browser()
    browser.cookies["language"] = "en"
    browser.cookies[cookie.NAME] = cookie.seal(session.token)
    browser.actor = actor.enter(session, session.token, SERVICE.slug)
    return browser


@pytest.fixture
def arta(tokens: dict[str, Any]) -> Browser:
    """A mother."""
    return signed_in(tokens["arta"])


@pytest.fixture
def dritan(tokens: dict[str, Any]) -> Browser:
    """A stranger."""
    return signed_in(tokens["dritan"])


@pytest.fixture
def vjosa(tokens: dict[str, Any]) -> Browser:
    """The receptionist of the office."""
    return signed_in(tokens["vjosa"])


@pytest.fixture
def ilir(tokens: dict[str, Any]) -> Browser:
    """The receptionist of another office."""
    return signed_in(tokens["ilir"])


@pytest.fixture
def clinic(keeper: Any, transactional_db: None) -> Practitioner:
    """Vjosa's office with a doctor who works day and night, so that tests run at any hour."""
    long_ago = queries.today(people.now()).replace(year=2020, day=1)
    hours = tuple(Hours(day, 0, 1440, 20, long_ago) for day in ALWAYS)
    actions.open_office(
        actor="job:demo",
        office=actions.OfficeData(
            keeper.office_1, "Poliklinika nr. 9", "clinic", "Tiranë", 41_326_087, 19_805_155
        ),
        practitioners=[
            actions.PractitionerData("Dr. Besa Kola", "gp", hours),
            actions.PractitionerData("Dr. Ilir Çela", "dentist", hours),
        ],
    )
    return Practitioner.objects.get(specialty="gp")


def inputs(page: str) -> dict[str, str]:
    """The hidden inputs of a page, without the token."""
    found = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    found.pop("csrfmiddlewaretoken", None)
    return found


def free(browser: Client, doctor: Practitioner) -> list[str]:
    """The values of the buttons of the doctor's free times."""
    page = browser.get(f"/appointments/find/{doctor.specialty}/at/{doctor.office_id}/").content.decode()
    return re.findall(r'name="time" value="([^"]+)"', page)


def held(browser: Browser, doctor: Practitioner, number: int = 5) -> dict[str, str]:
    """Hold a free time: what the form holds, ready to be sent."""
    answer = browser.post("/appointments/choose/", {"time": free(browser, doctor)[number]})
    assert answer.status_code == 303, answer.content[:800]
    page = browser.html(answer["Location"])
    return {"person": str(browser.actor.person), "reason": "", "do": "book", **inputs(page)}


def booked(browser: Browser, doctor: Practitioner, number: int = 5, **given: str) -> UUID:
    """Book a free time over HTTP: the entry's uuid from the receipt's address."""
    answer = browser.post("/appointments/book/", {**held(browser, doctor, number), **given})
    assert answer.status_code == 303, (answer.status_code, answer.content.decode()[:3000])
    match = re.fullmatch(r"/receipts/([0-9a-f-]{36})/", answer["Location"])
    assert match, answer["Location"]
    return UUID(match[1])


def received(entry: UUID) -> None:
    """As if two mirrors had cosigned: what the sequencer writes, and the effects of the entry done."""
    from kulla.record.effects import arguments_of, unpack

    row = Outbox.objects.get(uuid=entry)
    size = Entry.objects.count() + 1
    Entry.objects.create(
        uuid=entry, index=size - 1, size=size, at_ms=row.at_ms, kind=row.kind, service=row.service,
        person=row.person, office=row.office, leaf_hash=b"\x07" * 32, claims=row.claims,
    )  # fmt: skip
    Checkpoint.objects.create(size=size, note="")
    row.delete()
    for name, arguments in unpack(row.effects):
        given = arguments_of(arguments)
        if name == "notify":
            given["entry"] = entry
        getattr(door.keeper(), name)(**given)
