"""A connection whose server went away is noticed: after a pause before the first statement, else after the first."""

import time

import pytest
from django.db import OperationalError, connection

from kulla.record.postgresql import base

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def one() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return int(cursor.fetchone()[0])


@pytest.fixture
def ended() -> None:
    """A connection that has answered a moment ago and whose server process is gone."""
    assert one() == 1
    connection.health_check_enabled = True
    connection.health_check_done = False
    assert connection.is_usable()
    pid = connection.connection.info.backend_pid
    with connection.copy().temporary_connection() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    time.sleep(0.1)


def next_request() -> None:
    """What Django does between two requests."""
    connection.close_if_unusable_or_obsolete()
    connection.health_check_done = False


def test_the_second_request_after_a_loss_is_served(ended: None) -> None:
    with pytest.raises(OperationalError):
        one()
    next_request()
    assert one() == 1


def test_after_a_pause_the_first_request_is_served(ended: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "ALIVE_FOR_S", 0.0)
    next_request()
    assert one() == 1
