"""A small fixed cast and one office, so that every test reads the same.

The actors carry tickets made here: an action needs no keeper while there are tickets. The pages' tests start a
real keeper (see test_pages).
"""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection, connections

from kulla.keeper_client import Session, Ticket
from kulla.record import readiness
from kulla.registry.actor import Actor
from kulla.services.appointments import actions, desks
from kulla.services.appointments.models import Practitioner
from kulla.services.appointments.times import Hours

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)  # a Monday, 08:00 in Tirana
TODAY = date(2026, 11, 23)
OFFICE = UUID("01900000-0000-7000-8000-0000000000a1")
OTHER_OFFICE = UUID("01900000-0000-7000-8000-0000000000a2")
# Threads share a database file as in the real portal; SQLite's shared memory would answer "table is locked".
if connection.vendor == "sqlite":
    connections.databases["default"]["TEST"]["NAME"] = str(settings.KULLA_PORTAL / "test.sqlite3")

MORNINGS = tuple(Hours(day, 8 * 60, 12 * 60, 20, date(2026, 1, 1)) for day in range(5))


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    readiness.forget()
    desks.forget()
    yield
    readiness.forget()
    desks.forget()


def ticket() -> Ticket:
    """A holder commitment as the keeper mints it; what is inside does not matter here."""
    return Ticket(os.urandom(16), os.urandom(32), os.urandom(32), os.urandom(60))


class Someone(Actor):
    """An actor whose tickets never run out."""

    def ticket(self, person: UUID) -> Ticket:
        """A fresh one."""
        return ticket()


def someone(role: str = "citizen", *, wards: tuple[UUID, ...] = (), office: UUID | None = None) -> Someone:
    """A citizen, or an official of an office."""
    sid = uuid4().hex
    return Someone(
        session=Session("token", sid, role, office, 2**53, "en"),
        service="appointments",
        person=uuid4() if role == "citizen" else None,
        wards=wards,
        relations=dict.fromkeys(wards, "child"),
        office=office,
        role=role,
        attestation=os.urandom(80),
        token="token",
    )


@pytest.fixture
def mother() -> Someone:
    """A citizen with a child."""
    return someone(wards=(uuid4(),))


@pytest.fixture
def stranger() -> Someone:
    """A citizen who has nothing to do with the others."""
    return someone()


@pytest.fixture
def clerk() -> Someone:
    """A receptionist of the office."""
    return someone("receptionist", office=OFFICE)


@pytest.fixture
def other_clerk() -> Someone:
    """A receptionist of another office."""
    return someone("receptionist", office=OTHER_OFFICE)


def make_office(office: UUID = OFFICE, name: str = "Poliklinika nr. 9") -> Practitioner:
    """An office with one family doctor, weekday mornings in twenties; and a paediatrician."""
    actions.open_office(
        actor="job:demo",
        office=actions.OfficeData(
            office, name, "clinic", "Tiranë", 41_326_087, 19_805_155, phone="04 222 33 44"
        ),
        practitioners=[
            actions.PractitionerData("Dr. Besa Hoxha", "gp", MORNINGS),
            actions.PractitionerData("Dr. Ilir Çela", "paediatrics", MORNINGS),
        ],
    )
    return Practitioner.objects.get(office=office, specialty="gp")


@pytest.fixture
def doctor(transactional_db: None) -> Practitioner:
    """The family doctor of the office."""
    return make_office()


@pytest.fixture
def children_doctor(doctor: Practitioner) -> Practitioner:
    """The paediatrician of the office."""
    return Practitioner.objects.get(office=OFFICE, specialty="paediatrics")


Book = Callable[..., UUID]


@pytest.fixture
def book(doctor: Practitioner) -> Book:
    """Books the doctor for an actor: `book(actor, "2026-11-24 09:00")` in wall time of Tirana."""

    def do(actor: Actor, wall: str = "2026-11-24 09:00", **given: object) -> UUID:
        wanted = {
            "person": actor.person,
            "practitioner": doctor.id,
            "starts_at": at(wall),
            "key": uuid4(),
            "now": NOW,
            **given,
        }
        return actions.book(actor=actor, **wanted)  # type: ignore[arg-type]

    return do


def at(wall: str) -> datetime:
    """The UTC instant of a wall time in Tirana outside change days."""
    from kulla.services.appointments import times

    day, _, clock = wall.partition(" ")
    hour, minute = clock.split(":")
    return times.instant(date.fromisoformat(day), int(hour) * 60 + int(minute), "Europe/Tirane")


from kulla.services.appointments.tests.pages import (  # noqa: E402, F401  (fixtures of the pages' tests)
    arta,
    clinic,
    dritan,
    ilir,
    keeper,
    tokens,
    vjosa,
)
