"""A real keeper with its copies, browsers signed in as the cast, and receipts to look at."""

import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.test import Client

from kulla.journal.claims import Claims
from kulla.keeper.testkit import Member, RunningKeeper, start_keeper, stop_keeper
from kulla.keeper_client import seal_claims
from kulla.record.models import Checkpoint, Entry, Outbox
from kulla.registry import actor, door
from kulla.registry import services as registry

CLAIMS = (
    ("what", "Takim: Pediatër"),
    ("where", "Poliklinika Nr. 1, Tiranë (Dr. Ana Kola)"),
    ("when", "2026-11-24 09:30 +01:00 Europe/Tirane"),
)

# A code works once, so an official signs in once for each keeper and keeps the cookie.
_officials: dict[tuple[Path, str], str] = {}


@pytest.fixture(scope="session")
def keeper() -> Iterator[RunningKeeper]:
    """The keeper of the cast: one for all tests of this room that do not break it."""
    folder = Path(tempfile.mkdtemp(prefix="k-"))  # short: Unix sockets have short paths
    running = start_keeper(folder)
    yield running
    stop_keeper(running)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def portal(keeper: RunningKeeper, settings: object, tmp_path: Path) -> Iterator[RunningKeeper]:
    """This portal speaks with that keeper, and remembers nothing of the test before."""
    settings.KULLA_KEEPER_SOCKET = str(keeper.socket)  # type: ignore[attr-defined]
    settings.KULLA_PORTAL = tmp_path  # type: ignore[attr-defined]  # the keeper's public keys are noted there
    door.forget()
    actor._entered.clear()
    yield keeper
    door.keeper().close()
    door.forget()
    actor._entered.clear()


def browser(language: str = "en", *, csrf: bool = False) -> Client:
    """A browser that gets pages and no exceptions."""
    return Client(
        raise_request_exception=False,
        HTTP_HOST="localhost",
        HTTP_ACCEPT_LANGUAGE=language,
        HTTP_USER_AGENT="Mozilla/5.0 (Android 16; Mobile) Gecko/1 Firefox/150.0",
        enforce_csrf_checks=csrf,
    )


@dataclass
class Visitors:
    """Browsers of the cast; those of officials keep their session."""

    keeper: RunningKeeper

    def __call__(self, member: Member, language: str = "en") -> Client:
        """A browser in which `member` is signed in."""
        visitor = browser(language)
        if (self.keeper.home, member.number) in _officials:
            visitor.cookies["kulla"] = _officials[self.keeper.home, member.number]
            return visitor
        answer = visitor.post("/sign-in", {"identifier": member.number, "password": member.password})
        if member.totp:
            step = re.search(r'name="step" value="([^"]+)"', answer.content.decode())
            assert step, answer.content.decode()
            for code in (member.code(), member.fresh_code()):
                answer = visitor.post("/sign-in", {"step": step[1], "code": code})
                if answer.status_code == 302:
                    break
        assert answer.status_code == 302, answer.content.decode()
        if member.totp:
            _officials[self.keeper.home, member.number] = visitor.cookies["kulla"].value
        return visitor


@pytest.fixture
def signed_in(portal: RunningKeeper) -> Visitors:
    """Sign in a member of the cast."""
    return Visitors(portal)


@pytest.fixture
def make_receipt(portal: RunningKeeper, db: None) -> Callable[..., UUID]:
    """An entry with sealed claims for Arta (or her child), waiting, late or received."""

    def make(state: str = "waiting", *, child: bool = False, office: UUID | None = None) -> UUID:
        client = door.keeper()
        session = client.sign_in(portal.arta.number, portal.arta.password, network="127.0.0.1", device="test")
        entered = client.enter(session.token, "appointments", 1)
        person = entered.wards[0].person if child else entered.person
        assert person is not None
        ticket = client.holder(session.token, person, "appointments")[0]
        plain = Claims((*CLAIMS, ("holder", ticket.commitment.hex()))).encode()
        kind = next(iter(registry.get("appointments").kinds))
        uuid = uuid4()
        common = {
            "uuid": uuid,
            "kind": kind,
            "service": "appointments",
            "person": person,
            "office": office or portal.office_1,
            "claims": seal_claims(ticket, plain),
            "at_ms": time.time_ns() // 1_000_000 - (60_000 if state == "late" else 0),
        }
        if state == "received":
            size = Checkpoint.objects.count() + 1
            Checkpoint.objects.create(size=size, note="a note")
            Entry.objects.create(**common, index=size - 1, size=size, leaf_hash=sha256(uuid.bytes).digest())
        else:
            Outbox.objects.create(
                **common, actor="job:test", claims_hash=sha256(plain).digest(), effects="[]", images=""
            )
        return uuid

    return make
