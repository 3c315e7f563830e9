"""The small test app, and an entry that a test opens in one word."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.conf import settings
from django.db import connection, connections
from django.test import override_settings

from kulla.journal.note import Signer
from kulla.journal.policy import Policy
from kulla.journal.segment import open_segment_key
from kulla.journal.store import LogFolder
from kulla.mirror.testkit import RunningMirror, make_policy, start_mirrors, stop_mirrors
from kulla.record import images, kinds, readiness, triggers
from kulla.record.entries import Entry, entry
from kulla.record.models import Outbox
from kulla.record.sequencer import Sequencer

if connection.vendor == "sqlite":
    # A file as in production: Django's shared in-memory database has no WAL and fails under threads.
    connections["default"].settings_dict["TEST"]["NAME"] = str(settings.KULLA_HOME / "test.sqlite3")

ORIGIN = "test.kulla.example/journal"
HOME = UUID("01900000-0000-7000-8000-000000000001")


@pytest.fixture(scope="module")
def app(django_db_setup: None, django_db_blocker: Any) -> Iterator[ModuleType]:
    """The models of the test app, with their tables and triggers standing."""
    with override_settings(INSTALLED_APPS=[*settings.INSTALLED_APPS, "kulla.record.tests.app"]):
        from kulla.record.tests.app import models

        images.shapes.cache_clear()
        kinds.declare("try", ["try.done"])
        kinds.declare("try", ["try.noted"], allow_empty=True)
        with django_db_blocker.unblock():
            with connection.schema_editor() as editor:
                for model in models.ALL:
                    editor.create_model(model)
            triggers.install()
            yield models
            triggers.drop()
            with connection.schema_editor() as editor:
                for model in reversed(models.ALL):
                    editor.delete_model(model)
            triggers.install()
    images.shapes.cache_clear()


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    readiness.forget()
    yield
    readiness.forget()


@dataclass
class Country:
    """Three real mirrors and one journal folder."""

    home: Path
    mirrors: list[RunningMirror]
    signer: Signer
    policy: Policy
    rebuild_key: X25519PrivateKey
    folder: LogFolder
    sequencers: list[Sequencer] = field(default_factory=list)

    @property
    def policy_file(self) -> Path:
        return self.home / "policy"

    def segment_key(self, header: bytes) -> bytes:
        return open_segment_key(header, self.rebuild_key)

    def sequencer(self) -> Sequencer:
        public = self.rebuild_key.public_key().public_bytes_raw()
        made = Sequencer(self.folder, self.signer, self.policy, [public], self.segment_key)
        self.sequencers.append(made)
        return made

    def mirror_folders(self) -> list[Path]:
        """The folder of each mirror's copy of the journal."""
        name = hashlib.sha256(ORIGIN.encode()).hexdigest()
        return [mirror.home / "mirror" / name for mirror in self.mirrors]

    def receive(self, sequencer: Sequencer | None = None) -> int:
        """Rounds until the outbox is empty; how many entries were received."""
        sequencer = sequencer or self.sequencer()
        received, until = 0, time.monotonic() + 20
        while Outbox.objects.exists() or not sequencer.level:
            received += sequencer.step()
            assert time.monotonic() < until, "the outbox did not become empty"
        return received


@pytest.fixture
def country(tmp_path: Path, settings: Any) -> Iterator[Country]:
    signer = Signer.generate(ORIGIN)
    mirrors = start_mirrors(tmp_path / "operators", 3, ORIGIN, signer)
    try:
        policy = Policy.parse(make_policy(signer.vkey, mirrors, 2))
        settings.KULLA_JOURNAL_DIR = tmp_path / "journal"
        folder = LogFolder(tmp_path / "journal")
        country = Country(tmp_path, mirrors, signer, policy, X25519PrivateKey.generate(), folder)
        yield country
        for sequencer in country.sequencers:
            sequencer.close()
    finally:
        stop_mirrors(mirrors)


Record = Callable[..., AbstractContextManager[Entry]]


@pytest.fixture
def record(app: ModuleType) -> Record:
    """`with record() as e:` opens an entry of the kind try.done for a job."""

    def open_entry(kind: str = "try.done", **given: Any) -> AbstractContextManager[Entry]:
        return entry(kind, **{"key": uuid4(), "actor": "job:test", **given})

    return open_entry
