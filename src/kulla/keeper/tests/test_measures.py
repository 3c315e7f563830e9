"""What the whole country may be asked for: segment keys, notices, services. A stolen portal asks for all of it."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from kulla.journal.segment import seal_segment
from kulla.keeper.testkit import keeper
from kulla.keeper.tests.conftest import Country
from kulla.keeper_client import Refused, connect

SERVICE = "appointments"


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    """A country with small measures."""
    settings = {
        "budgets": {"segment_keys_hour": 100, "segment_keys_day": 6},
        "notices_per_hour": 4,
        "services": [SERVICE, "identity"],
    }
    with keeper(tmp_path_factory.mktemp("tight"), **settings) as running:
        client = connect(running.socket)
        yield Country(running, client)
        client.close()


def test_segment_keys_of_a_day_are_measured_told_early_and_over_a_restart(tight: Country) -> None:
    header, _ = seal_segment(0, [b"payload"], [tight.client.public_keys()["segment"]])
    for asked in range(6):
        if asked == 2:
            tight.running.kill()
            tight.running.start()
        assert ("segment_keys" in tight.client.status()["alarms"]) == (asked > 3)
        assert tight.client.segment_key(header, "reconcile")
    with pytest.raises(Refused) as caught:
        tight.client.segment_key(header, "reconcile")
    assert caught.value.code == "budget"


def test_notices_to_the_whole_country_are_measured(tight: Country) -> None:
    client, words = tight.client, {"when": "nesër", "where": "Tiranë"}
    persons = [
        client.enter(tight.sign_in(who).token, SERVICE).person
        for who in (tight.running.arta, tight.running.dritan)
    ]
    for number in range(4):
        client.notify(persons[number % 2], SERVICE, "booked", uuid4(), words)  # type: ignore[arg-type]
    for person in persons:
        with pytest.raises(Refused) as caught:
            client.notify(person, SERVICE, "booked", uuid4(), words)  # type: ignore[arg-type]
        assert caught.value.code == "capped"


def test_services_that_the_deployment_does_not_name_leave_no_record(tight: Country) -> None:
    token = tight.sign_in(tight.running.arta).token
    tight.client.enter(token, "identity")
    before = tight.client.status()["records"]
    for name in ("bills", "x1"):
        with pytest.raises(Refused) as caught:
            tight.client.enter(token, name)
        assert caught.value.code == "bad_service"
    assert tight.client.status()["records"] == before
