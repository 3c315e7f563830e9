"""Kept tables with every relation that Django offers."""

from typing import ClassVar

from django.db import models

from kulla.record.kept import Kept


class Office(Kept):
    name = models.TextField()


class Doctor(Kept):
    office = models.ForeignKey(Office, on_delete=models.CASCADE)
    name = models.CharField(max_length=200)
    seen = models.IntegerField(default=0)


class Slot(Kept):
    doctor = models.ForeignKey(Doctor, on_delete=models.CASCADE)
    starts = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["doctor", "starts"], name="try_slot_once")]


class Tag(Kept):
    word = models.SlugField(unique=True)


class Visit(Kept):
    slot = models.OneToOneField(Slot, null=True, on_delete=models.SET_NULL)
    day = models.DateField(null=True)
    at = models.TimeField(null=True)
    reason = models.BinaryField(default=b"")
    extra = models.JSONField(default=dict)
    done = models.BooleanField(default=False)
    count = models.BigIntegerField(default=0)
    tags = models.ManyToManyField(Tag, through="VisitTag")


class VisitTag(Kept):
    visit = models.ForeignKey(Visit, on_delete=models.CASCADE)
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE)


ALL = [Office, Doctor, Slot, Tag, Visit, VisitTag]
