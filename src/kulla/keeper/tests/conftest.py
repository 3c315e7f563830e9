"""A real keeper with three real key copies, one for each test module."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kulla.keeper.testkit import Member, RunningKeeper, keeper
from kulla.keeper_client import KeeperClient, Session, connect


@dataclass
class Country:
    """A running keeper, a client, and sign-in in one word."""

    running: RunningKeeper
    client: KeeperClient

    def sign_in(self, member: Member, *, network: str = "192.0.2.7", device: str = "a test") -> Session:
        """A session. Officials' second factors come from the demo's call, moved on when the code was used."""
        client = self.client
        if not member.totp:
            return client.sign_in(member.number, member.password, network=network, device=device)
        for step in (0, 1, -1):
            try:
                code = member.fresh_code(step)
                return client.sign_in(member.number, member.password, code, network=network, device=device)
            except Exception as error:
                if getattr(error, "code", "") != "second_factor":
                    raise
        raise AssertionError("three sign-ins of one official within 30 seconds: share the session")


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    with keeper(tmp_path_factory.mktemp("country")) as running:
        client = connect(running.socket)
        yield Country(running, client)
        client.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path
