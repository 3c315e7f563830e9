"""Restoring a past point into a home of its own: the tables of then, and nothing that writes."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import journeys
from tests.country import KULLA, Country, clean_env, free_port, listening, run_kulla

WRITE = """
import django; django.setup()
from uuid import uuid4
from kulla.record import api as record
from kulla.record.models import Look
from kulla.record.sequencer import _from_settings
try:
    with record.entry("keeper.looked", key=uuid4(), actor="job:test"):
        Look.objects.create(home=uuid4(), seq=10**9, sealed=b"x")
except record.ReadOnly as closed:
    print("closed:", closed)
try:
    _from_settings(None, None)
except record.RecordError as refused:
    print("sequencer:", refused)
"""


def past(country: Country, point: object, into: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    return run_kulla("rebuild", "--home", str(country.home), "--keys", str(country.home / "holders"),
                     "--until", str(point), "--into", str(into), timeout=120, check=False, **env)  # fmt: skip


def rows(home: Path) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(home / "portal" / "db.sqlite3")) as db:
        return sorted(db.execute("SELECT id, rev, status FROM appointments_appointment").fetchall())


@pytest.mark.sqlite
def test_the_country_of_then_in_a_home_that_never_writes(
    make_country: Callable[..., Country], tmp_path: Path
) -> None:
    country = make_country().up()
    citizen = country.sign_in("citizen")
    first = journeys.wait_received(citizen, journeys.book(citizen, "dentist"))
    country.db.settle()
    then, size = rows(country.home), len(country.db.rows("SELECT 1 FROM record_entry"))
    time.sleep(1.1)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    journeys.wait_received(citizen, journeys.cancel(citizen, first))
    journeys.wait_received(citizen, journeys.book(citizen, "gp"))
    country.db.settle()
    assert rows(country.home) != then

    into = tmp_path / "then"
    said = past(country, moment, into)  # beside the living country
    assert said.returncode == 0, said.stderr
    assert f"the first {size} entries" in said.stdout and "take nothing new" in said.stdout
    assert rows(into) == then
    by_size = tmp_path / "by-size"
    assert past(country, size, by_size).returncode == 0
    assert rows(by_size) == then
    assert not list((into / "portal").glob("keys/*")) and not (into / "keeper").exists()

    env = {**clean_env(), "KULLA_HOME": str(into), "DJANGO_SETTINGS_MODULE": "kulla.settings"}
    wrote = subprocess.run(
        [sys.executable, "-c", WRITE], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert "closed: These tables show" in wrote.stdout and "sequencer: These tables show" in wrote.stdout, (
        wrote.stderr
    )
    assert rows(into) == then
    up = run_kulla("up", "--home", str(into), "--port", "0", check=False)
    assert up.returncode == 2 and "looking into the past" in up.stderr, up.stderr
    undo = run_kulla("undo", "--home", str(into), "--keys", str(country.home / "holders"), "--actor", "job:none",
                     "--since", "2020-01-01")  # fmt: skip
    assert "0 answered" in undo.stdout
    clean = run_kulla(
        "rebuild", "--home", str(into), "--compare", "--keys", str(country.home / "holders"), check=False
    )
    assert clean.returncode == 0, clean.stdout + clean.stderr
    shown(into, then)
    journeys.wait_received(citizen, journeys.book(citizen, "laboratory"))  # the real country goes on


def shown(into: Path, then: list[tuple[object, ...]]) -> None:
    """Its portal shows public pages and changes nothing."""
    port = free_port()
    portal = subprocess.Popen([*KULLA, "portal", "--home", str(into), "--port", str(port)], env=clean_env(),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
    try:
        until = time.monotonic() + 30
        while not listening(port):
            assert time.monotonic() < until and portal.poll() is None
            time.sleep(0.1)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
            assert answer.status == 200
        time.sleep(2)  # a sequencer would have brought the tables to the journal's end by now
        assert rows(into) == then
    finally:
        portal.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            portal.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(portal.pid, 9)


def test_what_is_no_past_point_is_refused(country: Country, tmp_path: Path) -> None:
    for point in ("yesterday", "-3", ""):
        said = past(country, point, tmp_path / "x")
        assert said.returncode == 2 and "is no time" in said.stderr, said.stderr
    assert past(country, 1, tmp_path).returncode == 2
    assert not (tmp_path / "x").exists()
    alone = run_kulla("rebuild", "--home", str(country.home), "--until", "1", check=False)
    assert alone.returncode == 2 and "belong together" in alone.stderr
