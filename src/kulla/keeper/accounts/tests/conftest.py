"""A real keeper with three real key copies, in this process so that its clock can be moved, asked by its socket."""

import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from kulla.journal.ids import now_ms
from kulla.keeper.config import load
from kulla.keeper.core import Keeper
from kulla.keeper.numbers import al
from kulla.keeper.server import Server
from kulla.keeper.testkit import Member, RunningKeeper, row, start_keeper, stop_keeper
from kulla.keeper_client import KeeperClient, Sent, Session, connect

NETWORK = "192.0.2.7"
MINISTRY = UUID("0198c000-0000-7000-8000-0000000000a0")
HOUR_MS = 3600 * 1000
GOOD = ("dritare-e-hapur-77", "kumbulla-ne-shi-44", "ftoi-mbi-tavoline-31")
SECRETS = ("MZXW6YTBOI3DGNBVMZXW6YTBOI3DGNBV", "ONSWG4TFOQ3DGNBVONSWG4TFOQ3DGNBV")


class Clock:
    """Now, and as much later as a test wants."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        """Milliseconds since 1970 UTC."""
        return now_ms() + self.ahead

    def wait(self, *, hours: float = 0, minutes: float = 0) -> None:
        """Let time pass."""
        self.ahead += int((hours + minutes / 60) * HOUR_MS)


_serial = iter(range(400, 900))


@dataclass
class House:
    """The running keeper with a client, and people who are made as tests need them."""

    running: RunningKeeper
    keeper: Keeper
    client: KeeperClient
    clock: Clock
    _tokens: dict[str, Session] = field(default_factory=dict)

    def person(
        self, *, password: str = "", phone: bool = True, email: bool = False, age: int = 40, totp: str = ""
    ) -> Member:
        """Somebody new in the register, with an own telephone."""
        serial = next(_serial)
        born = date.today() - timedelta(days=365 * age + 40)  # noqa: DTZ011 - a day more or less is the same
        who = Member(f"Emri{serial} Mbiemri", al.make(born, "f", serial, "K"), born, password, totp)
        people, keeper = self.keeper.people, self.keeper
        profile = {
            **{name: text for name, text in row(who).items() if name != "guardian_number"},
            "phone": f"+355695{serial:06}" if phone else "",
            "email": f"p{serial}@example.al" if email else "",
            "language": "en",
        }
        person, named = people.new(profile, [("number", who.number)])
        keeper.committer.commit(*(body for _, body in named), ids=[record for record, _ in named])
        if password:
            keeper.committer.commit(keeper.credentials.password_body(person, password))
        if totp:
            keeper.committer.commit(keeper.credentials.totp_body(person, totp))
        return who

    def id(self, who: Member) -> UUID:
        """The keeper's own id of somebody."""
        found = self.keeper.people.by_identifier("number", who.number)
        assert found
        return found

    def sent(self, who: Member) -> list[Sent]:
        """What went out to somebody, newest first."""
        return self.client.demo_outbox(who.number)

    def kinds(self, who: Member) -> list[str]:
        """The kinds of what went out, oldest first."""
        return [each.kind for each in reversed(self.sent(who))]

    def code(self, who: Member, kind: str) -> str:
        """The newest code of a kind."""
        found = re.search(r"\b\d{6}\b", next(each.body for each in self.sent(who) if each.kind == kind))
        assert found
        return found[0]

    def link(self, who: Member, kind: str) -> str:
        """The token of the newest link in notices of a kind."""
        found = re.search(r"/not-me/(\S+)", next(each.body for each in self.sent(who) if each.kind == kind))
        assert found
        return found[1]

    def sign_in(self, who: Member) -> Session:
        """A session; an official's is made once."""
        if not who.totp:
            return self.client.sign_in(who.number, who.password, network=NETWORK, device="test")
        if who.number not in self._tokens:
            self._tokens[who.number] = self.client.sign_in(
                who.number, who.password, who.code(), network=NETWORK, device="test"
            )
        return self._tokens[who.number]

    def activate(self, who: Member, password: str = GOOD[0]) -> Session:
        """Activate by telephone."""
        self.client.activate_begin(who.number, network=NETWORK)
        step = self.client.activate_check(who.number, self.code(who, "code_activation"), network=NETWORK)
        session = self.client.account_finish(step, password, network=NETWORK, device="t", language="en")
        assert session is not None
        return session


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="k-"))
    running = start_keeper(folder, start=False, unconfirmed_ms=10**12)  # nobody journals the looks here
    clock = Clock()
    with Keeper(load(running.keeper_home / "keeper.json"), clock) as keeper:
        assert keeper.wait_ready(20)
        keeper.serve()
        server = Server(keeper, keeper.config.socket)
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        client = connect(running.socket)
        try:
            yield House(running, keeper, client, clock)
        finally:
            client.close()
            server.stop()
            thread.join(2)
    stop_keeper(running)
    shutil.rmtree(folder, ignore_errors=True)
