"""The programs of a running country are exchanged while people book: nobody sees an error, no row is unexplained."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import journeys
from tests.country import Country, remove, run_kulla, short_folder
from tests.person import Person


@pytest.fixture(scope="module")
def country() -> Iterator[Country]:
    folder = short_folder()
    country = Country.create(folder).up()
    yield country
    country.stop()
    remove(folder)


def test_upgraded_under_load(country: Country) -> None:
    stop, failed = threading.Event(), []
    looks, bookings = [0], []

    def look(person: Person) -> None:
        while not stop.is_set():
            for address in ("/", "/appointments/", "/status"):
                page = person.open(address)
                if page.status != 200:
                    failed.append((address, page.status, page.text[:200]))
                looks[0] += 1

    def book(person: Person) -> None:
        while not stop.is_set():
            receipt = journeys.wait_received(person, journeys.book(person))
            bookings.append((person, journeys.receipt_id(receipt)))
            journeys.wait_received(person, journeys.cancel(person, receipt))

    def guarded(act, person: Person) -> None:
        try:
            act(person)
        except BaseException as error:
            failed.append(repr(error)[:500])

    people = [(look, country.visitor()), (look, country.visitor())]
    people += [(book, country.sign_in(who)) for who in ("citizen", "stranger")]
    threads = [threading.Thread(target=guarded, args=each) for each in people]
    for thread in threads:
        thread.start()
    try:
        before = country.pids()
        for _ in range(2):
            time.sleep(1)
            done = run_kulla("up", "--home", str(country.home), "--upgrade")
            assert "Every program is of the installed version now." in done.stdout
        time.sleep(1)
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert failed == []
    assert looks[0] > 30
    assert len(bookings) >= 4
    after = country.pids()
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())  # each is another process
    compared = run_kulla(
        "rebuild", "--home", str(country.home), "--compare", "--keys", str(Path(country.home) / "holders")
    )
    assert compared.returncode == 0, compared.stdout


def test_nothing_to_upgrade_where_nothing_runs(tmp_path: Path) -> None:
    refused = run_kulla("up", "--home", str(tmp_path / "none"), "--upgrade", check=False)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
