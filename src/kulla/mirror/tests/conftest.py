"""One real mirror process per test, its client and its journal."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kulla.journal.note import Signer
from kulla.mirror.testkit import RunningMirror, start_mirrors, stop_mirrors
from kulla.mirror.tests.client import ORIGIN, Client, Journal

KEEPER = Signer.generate("keeper.test.kulla.example")
OFFICERS = [Signer.generate(f"officer-{n}.test.kulla.example") for n in (1, 2, 3)]
OBJECTOR = Signer.generate("operator-2-person.test.kulla.example")
ISSUERS = [Signer.generate(f"court-{n}.test.kulla.example") for n in (1, 2)]
READER = Signer.generate("rebuild.test.kulla.example")


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def mirror(tmp_path: Path, journal: Journal) -> Iterator[RunningMirror]:
    running = start_mirrors(
        tmp_path,
        1,
        ORIGIN,
        journal.signer,
        keeper_vkey=KEEPER.vkey,
        officers=[officer.vkey for officer in OFFICERS],
        objectors=[OBJECTOR.vkey],
        hold_issuers=[issuer.vkey for issuer in ISSUERS],
        readers=[READER.vkey],
    )
    yield running[0]
    stop_mirrors(running)


@pytest.fixture
def client(mirror: RunningMirror) -> Iterator[Client]:
    client = Client(mirror.port)
    yield client
    client.close()
