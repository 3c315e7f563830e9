"""kill -9 at any moment: what was acknowledged is there afterwards, and nothing is there twice."""

import http.client
import random
import threading
import time
from collections.abc import Callable

import pytest

from tests import journeys
from tests.country import Country
from tests.person import Person

ROUNDS = 3
KINDS = ("gp", "dentist", "laboratory", "ent", "neurology", "dermatology", "cardiology", "ophthalmology")


@pytest.mark.both_engines
def test_nothing_acknowledged_is_lost_when_the_portal_is_killed(make_country: Callable[..., Country]) -> None:
    country = make_country().up()
    chance = random.Random(11)
    names = ["citizen", "guardian", "stranger", "neighbour1"]
    people = [country.sign_in(who) for who in names]
    acknowledged: list[tuple[Person, str]] = []
    kinds = {person: list(KINDS) for person in people}
    stop = threading.Event()

    def book_on(person: Person, seed: int) -> None:
        own = random.Random(seed)
        while kinds[person] and not stop.is_set():
            try:
                page = journeys.book(person, kinds[person][-1], chance=own)
            except (OSError, http.client.HTTPException, AssertionError):
                time.sleep(0.1)  # the portal is dead or just back: people try again
                continue
            kinds[person].pop()
            acknowledged.append((person, journeys.receipt_id(page)))

    threads = [threading.Thread(target=book_on, args=(person, seed)) for seed, person in enumerate(people)]
    for thread in threads:
        thread.start()
    for _ in range(ROUNDS):
        time.sleep(chance.uniform(0.4, 1.6))
        country.kill("portal")
        country.wait_up("portal")
    deadline = time.monotonic() + 20
    while any(thread.is_alive() for thread in threads) and time.monotonic() < deadline:
        time.sleep(0.1)
    stop.set()
    for thread in threads:
        thread.join(40)
    assert len(acknowledged) >= ROUNDS, "too few bookings to learn anything"
    for person, entry in acknowledged:
        page = person.open(f"/receipts/{entry}/")
        assert page.status == 200, f"the acknowledged entry {entry} is lost"
        journeys.wait_received(person, page)
    entries = country.db.rows("SELECT uuid FROM record_entry UNION ALL SELECT uuid FROM record_outbox")
    assert len(entries) == len(set(entries)), "an entry stands twice"
    live = "SELECT practitioner_id, starts_at, count(*) FROM appointments_appointment WHERE status = 'booked'"
    assert country.db.rows(f"{live} GROUP BY 1, 2 HAVING count(*) > 1") == []
    booked = country.db.rows("SELECT count(*) FROM appointments_appointment")[0][0]
    journaled = country.db.rows("SELECT count(*) FROM record_entry WHERE kind = 'appointment.booked'")[0][0]
    assert booked == journaled, f"{booked} appointments, {journaled} booking entries"
