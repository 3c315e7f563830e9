"""The statement that books. One INSERT decides everything; Python only explains a refusal afterwards.

The statement inserts a row only when, at that instant,
(1) the practitioner is active and the diary is the one the time was read from (`grid`); on PostgreSQL the row
    is locked FOR SHARE until the commit, and a change of hours takes it exclusively, so that either the booking
    sees the new hours or the change of hours comes after the booking,
(2) no live appointment overlaps (it may stem from earlier hours),
(3) nobody else holds the time,
(4) the unique indexes agree: one live appointment a time, one booking a person and kind of care, one a form.
Under READ COMMITTED a statement that waited for the lock sees the practitioner's new `grid` and inserts
nothing; one that carries the new `grid` began after the change, and its snapshot holds all earlier bookings.
SQLite has one writer at a time (BEGIN IMMEDIATE), so the same statement needs no lock there.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from kulla.services.appointments.models import LIVE, Appointment, Hold, Practitioner


@lru_cache(maxsize=4)
def _statement(vendor: str) -> str:
    table, fields = Appointment._meta.db_table, Appointment._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    live = ", ".join(f"'{status}'" for status in LIVE)
    lock = " FOR SHARE OF p" if vendor == "postgresql" else ""
    return (
        f'INSERT INTO "{table}" ({columns}) SELECT {marks} FROM "{Practitioner._meta.db_table}" p '  # noqa: S608
        "WHERE p.id = %s AND p.active AND p.grid = %s "
        f'AND NOT EXISTS (SELECT 1 FROM "{table}" a WHERE a.practitioner_id = %s AND a.status IN ({live}) '
        "AND a.starts_at < %s AND a.ends_at > %s) "
        f'AND NOT EXISTS (SELECT 1 FROM "{Hold._meta.db_table}" h WHERE h.practitioner_id = %s '
        f"AND h.starts_at = %s AND h.person <> %s AND h.expires_at > %s){lock} "
        "ON CONFLICT DO NOTHING RETURNING 1"
    )


def insert(appointment: Appointment, grid: int, now: datetime) -> bool:
    """Insert the row if its time is free, as the module says. False: nothing was inserted. One statement.

    Must run inside `record.entry`. `now` decides which holds still count.
    """
    fields = {field.attname: field for field in Appointment._meta.concrete_fields}

    def prepared(name: str, value: object) -> Any:
        return fields[name].get_db_prep_save(value, connection)

    row = [prepared(name, getattr(appointment, name)) for name in fields]
    practitioner = prepared("practitioner_id", appointment.practitioner_id)
    starts_at = prepared("starts_at", appointment.starts_at)
    conditions = [
        practitioner,
        grid,
        practitioner,
        prepared("ends_at", appointment.ends_at),
        starts_at,
        practitioner,
        starts_at,
        prepared("person", appointment.booked_by),
        prepared("starts_at", now),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_statement(connection.vendor), [*row, *conditions])
        return cursor.fetchone() is not None


def by_entry(entry: UUID) -> Appointment | None:
    """The appointment that this entry booked."""
    return Appointment.objects.select_related("office").filter(entry=entry).first()


def live_between(practitioner: UUID, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether a live appointment overlaps that stretch of a diary."""
    return Appointment.objects.filter(
        practitioner=practitioner, status__in=LIVE, starts_at__lt=ends_at, ends_at__gt=starts_at
    ).exists()


def booked_for(person: UUID, specialty: str) -> Appointment | None:
    """The live booking of this kind of care that a person has."""
    return (
        Appointment.objects.select_related("office")
        .filter(person=person, specialty=specialty, status="booked")
        .first()
    )


def held_by_other(practitioner: UUID, starts_at: datetime, holder: UUID, now: datetime) -> bool:
    """Whether someone else holds this time."""
    held = Hold.objects.filter(practitioner=practitioner, starts_at=starts_at, expires_at__gt=now)
    return held.exclude(person=holder).exists()
