"""Killed at any step, the sequencer loses nothing and records nothing twice."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from kulla.journal.errors import JournalBusy
from kulla.journal.ids import now_ms
from kulla.record import api as record_api
from kulla.record import sequencer as sequencer_module
from kulla.record.models import Entry, Outbox, State
from kulla.record.tests.conftest import HOME, Country, Record
from kulla.record.tests.crash import STEPS
from kulla.record.tests.test_rebuild import check, settle

pytestmark = pytest.mark.django_db(transaction=True)


def make(app: ModuleType, record: Record, words: str) -> list[UUID]:
    uuids = []
    for word in words.split():
        with record(person=HOME) as opened:
            app.Tag.objects.create(home=HOME, word=word)
        uuids.append(opened.uuid)
    return uuids


def killed_at(country: Country, step: str) -> int:
    """Run a sequencer in a process of its own until it dies; its exit code."""
    country.policy_file.write_bytes(country.policy.text)
    (country.home / "signer").write_text(country.signer.skey)
    (country.home / "recipient").write_text(country.rebuild_key.public_key().public_bytes_raw().hex())
    settings = connection.settings_dict
    environment = dict(os.environ)
    if connection.vendor == "sqlite":
        environment["KULLA_SQLITE"] = str(settings["NAME"])
    else:
        environment["KULLA_DATABASE_URL"] = (
            f"postgresql://{settings['USER']}@/{settings['NAME']}?host={settings['HOST']}"
        )
    arguments = [sys.executable, "-m", "kulla.record.tests.crash", str(country.home), step]
    done = subprocess.run(arguments, env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    return done.returncode


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_sequencer_loses_nothing_and_repeats_nothing(
    step: str, app: ModuleType, record: Record, country: Country
) -> None:
    first = make(app, record, "a b")
    country.receive()
    second = make(app, record, "c d e")
    killed_at(country, step)
    third = make(app, record, "f")  # people go on

    country.receive()

    uuids = first + second + third
    assert sorted(Entry.objects.values_list("index", flat=True)) == list(range(6))
    assert set(Entry.objects.values_list("uuid", flat=True)) == set(uuids)
    assert {status.status for status in record_api.statuses(uuids).values()} == {"received"}
    assert not Outbox.objects.exists()
    assert State.objects.get().applied == 6
    assert not (country.folder.path / "staged").exists()
    settle(country)
    assert check(country) == []


@pytest.mark.parametrize("stored", [True, False])
def test_a_push_that_was_reported_lost_is_repeated_whether_it_was_stored_or_not(
    stored: bool, app: ModuleType, record: Record, country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, lost = sequencer_module.push_all, []

    def push(*given: Any) -> str | None:
        if lost:
            return real(*given)
        lost.append(real(*given) if stored else None)
        return None

    monkeypatch.setattr(sequencer_module, "push_all", push)
    uuids = make(app, record, "a b")
    assert country.receive() == 2
    assert lost == [None] or stored
    assert set(Entry.objects.values_list("uuid", flat=True)) == set(uuids)
    settle(country)
    assert check(country) == []


def wait_for(true: Callable[[], bool], seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def portal(country: Country, settings: Any) -> Country:
    """The settings that the portal's process would have."""
    country.policy_file.write_bytes(country.policy.text)
    key = country.home / "checkpoint.key"
    key.write_text(country.signer.key.private_bytes_raw().hex() + "\n")
    settings.KULLA_POLICY, settings.KULLA_CHECKPOINT_KEY = country.policy_file, key
    settings.KULLA_RECIPIENTS = [country.rebuild_key.public_key().public_bytes_raw().hex()]
    return country


def test_only_one_sequencer_writes_and_the_next_takes_over(
    app: ModuleType, record: Record, portal: Country
) -> None:
    holding, let_go = threading.Event(), threading.Event()

    def other_worker() -> None:
        with portal.folder.lock():
            holding.set()
            let_go.wait(20)

    other = threading.Thread(target=other_worker)
    other.start()
    holding.wait(5)
    with pytest.raises(JournalBusy), portal.folder.lock():
        pass
    sequencer_module.start(NoLooks)
    try:
        (uuid,) = make(app, record, "a")
        time.sleep(0.5)
        assert not sequencer_module.is_leader()
        assert Outbox.objects.count() == 1
        let_go.set()
        wait_for(sequencer_module.is_leader)
        assert sequencer_module.wait_until_empty(15)
        assert record_api.status(uuid).status == "received"  # type: ignore[union-attr]
        started = now_ms()
        (quick,) = make(app, record, "b")
        wait_for(lambda: record_api.status(quick).status == "received")  # type: ignore[union-attr]
        assert now_ms() - started < 2_000
    finally:
        let_go.set()
        other.join(5)
        sequencer_module.stop()
    assert not sequencer_module.is_leader()


class NoLooks:
    """A keeper whose log of looks is empty."""

    def looks(self, since: int) -> list[object]:
        return []


def test_a_key_that_is_not_the_journals_is_refused(portal: Country) -> None:
    from kulla.record.errors import RecordError

    (portal.home / "checkpoint.key").write_text("11" * 32)
    with pytest.raises(RecordError, match="not the key of the journal"):
        sequencer_module._from_settings(portal.folder, NoLooks)
