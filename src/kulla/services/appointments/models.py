"""What appointments keep. Every kept row lives in the journal too and changes only inside `record.entry`.

`home` is the office for what belongs to an office, the person's pseudonym for an appointment. The two partial
unique indexes at the end of `Appointment` are the promise against double booking; no check in Python is.
"""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kulla.record.kept import Kept

DEFAULT_ZONE = "Europe/Tirane"


class Office(Kept):
    """A place where practitioners receive people. `id` is the office's id in the keeper too."""

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20)
    town = models.CharField(max_length=80)
    latitude = models.IntegerField(help_text="micro-degrees, WGS 84")
    longitude = models.IntegerField(help_text="micro-degrees, WGS 84")
    hint = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    zone = models.CharField(max_length=40, default=DEFAULT_ZONE)


class Practitioner(Kept):
    """Someone (or a room, for a laboratory) with a diary. Names are public professional data.

    `grid` counts the changes of what this diary offers. A booking names the grid it was read from, so a
    booking made from yesterday's hours inserts nothing (see `booking`).
    """

    office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="practitioners")
    name = models.CharField(max_length=120)
    specialty = models.CharField(max_length=20)
    active = models.BooleanField(default=True)
    grid = models.IntegerField(default=1)

    class Meta:
        indexes = (models.Index(fields=["specialty", "office"], name="practitioner_by_specialty"),)


class WeeklyHours(Kept):
    """A stretch of one weekday in wall-clock minutes, cut into slots; see `times.Hours`."""

    practitioner = models.ForeignKey(Practitioner, on_delete=models.PROTECT, related_name="hours")
    weekday = models.PositiveSmallIntegerField(help_text="0 Monday … 6 Sunday")
    start_minute = models.PositiveSmallIntegerField()
    end_minute = models.PositiveSmallIntegerField()
    slot_minutes = models.PositiveSmallIntegerField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(weekday__lte=6), name="hours_weekday"),
            models.CheckConstraint(
                condition=Q(end_minute__lte=1440, start_minute__lt=models.F("end_minute")), name="hours_order"
            ),
            models.CheckConstraint(
                condition=Q(slot_minutes__gte=5, slot_minutes__lte=480), name="hours_slot"
            ),
        )


class Status(models.TextChoices):
    """How far an appointment has come."""

    BOOKED = "booked", _("booked")
    ARRIVED = "arrived", _("arrived")
    NO_SHOW = "no_show", _("did not come")
    CANCELLED = "cancelled", _("cancelled")
    ENDED = "ended", _("over")


LIVE = (Status.BOOKED.value, Status.ARRIVED.value)  # these occupy their time


class Channel(models.TextChoices):
    """How it was booked."""

    WEB = "web", _("on the portal")
    PHONE = "phone", _("by telephone")


class CancelReason(models.TextChoices):
    """Why it was cancelled: a fixed word and never free text, which would be personal."""

    BY_PERSON = "by_person", _("cancelled by the person")
    FOR_PERSON = "for_person", _("cancelled by someone who acts for the person")
    ASKED = "asked", _("the person asked the office")
    AWAY = "away", _("the practitioner is away")
    CLOSED = "closed", _("the office is closed")
    UNDONE = "undone", _("booked by someone who had no right to")


class Appointment(Kept):
    """One time booked for one person. `home` and `person` are the person's pseudonym in this service.

    The instant, the zone and the wall time are all kept: should the zone's rules change, the wall time says
    what was promised. `entry` is the entry that booked it, `last_entry` the latest about it.
    """

    person = models.UUIDField()
    booked_by = models.UUIDField(help_text="pseudonym of who booked, or the office")
    practitioner = models.ForeignKey(Practitioner, on_delete=models.PROTECT, related_name="appointments")
    # The practitioner implies the office: a second foreign key would cost a second check for each booking.
    office = models.ForeignKey(
        Office, on_delete=models.PROTECT, related_name="appointments", db_constraint=False, db_index=False
    )
    specialty = models.CharField(max_length=20)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    zone = models.CharField(max_length=40)
    wall_date = models.DateField()
    wall_minute = models.PositiveSmallIntegerField()
    minutes = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.BOOKED)
    reason = models.BinaryField(null=True, help_text="sealed by the keeper")
    channel = models.CharField(max_length=5, choices=Channel.choices, default=Channel.WEB)
    cancel_reason = models.CharField(max_length=10, choices=CancelReason.choices, blank=True)
    entry = models.UUIDField(unique=True)
    last_entry = models.UUIDField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["practitioner", "starts_at"], condition=Q(status__in=LIVE), name="one_live_per_time"
            ),
            models.UniqueConstraint(
                fields=["person", "specialty"], condition=Q(status="booked"), name="one_booked_per_specialty"
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=models.F("starts_at")), name="ends_after_start"),
        )
        indexes = (
            models.Index(fields=["person"], name="appointment_by_person"),
            models.Index(fields=["office", "wall_date"], name="appointment_by_office_day"),
        )


class Hold(models.Model):
    """A courtesy of five minutes while someone fills in the form. Not kept: losing it loses nothing.

    One hold for each time and one for each person, so that nobody holds a practitioner's whole week.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    practitioner = models.ForeignKey(
        Practitioner, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    starts_at = models.DateTimeField()
    person = models.UUIDField(unique=True)
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["practitioner", "starts_at"], name="one_hold_per_time"),
        )
