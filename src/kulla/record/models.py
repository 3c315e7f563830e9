"""Tables of the record. Look, UndoRun, Undone, KeyChange and HandedIn are kept; the others derive from the journal.

Statements against them are plain SQL where counting or speed matters (entries.py, sequencer.py, rebuild.py).
"""

from typing import ClassVar
from uuid import UUID

from django.db import models

from kulla.record.kept import Kept

__all__ = [
    "Checkpoint",
    "EffectTask",
    "Entry",
    "Grave",
    "HandedIn",
    "Kept",
    "Look",
    "Outbox",
    "State",
    "UndoRun",
    "Undone",
]


class Outbox(models.Model):
    """An entry that is committed with its rows and not yet in the journal."""

    uuid = models.UUIDField(primary_key=True)
    at_ms = models.BigIntegerField()
    kind = models.TextField()
    service = models.TextField()
    person = models.UUIDField(null=True, db_index=True)
    office = models.UUIDField(null=True)
    actor = models.TextField()  # "job:<name>", or "hex:" and the keeper's attestation
    claims = models.BinaryField()  # sealed by the keeper's one-time key; empty when the entry has none
    claims_hash = models.BinaryField()  # SHA-256 of the plain claims: the leaf needs it
    effects = models.TextField()  # JSON list of [name, arguments]
    images = models.TextField()  # lines of JSON, see images.py

    class Meta:
        db_table = "record_outbox"


class Entry(models.Model):
    """An entry of the journal: where it stands, and what pages ask about it."""

    uuid = models.UUIDField(primary_key=True)
    index = models.BigIntegerField(unique=True, db_column="idx")
    size = models.BigIntegerField()  # of the checkpoint that its receipt uses
    at_ms = models.BigIntegerField()
    kind = models.TextField()
    service = models.TextField()
    person = models.UUIDField(null=True)
    office = models.UUIDField(null=True)
    leaf_hash = models.BinaryField()
    claims = models.BinaryField()

    class Meta:
        db_table = "record_entry"
        indexes: ClassVar = [models.Index(fields=["person", "index"], name="record_entry_person")]


class Checkpoint(models.Model):
    """A checkpoint that a quorum of mirrors has cosigned."""

    size = models.BigIntegerField(primary_key=True)
    note = models.TextField()

    class Meta:
        db_table = "record_checkpoint"


class State(models.Model):
    """One row, id 1: how many journal entries these tables hold, and why writes are closed ('' = open)."""

    applied = models.BigIntegerField(default=0, db_default=0)
    closed = models.TextField(default="", db_default="")

    class Meta:
        db_table = "record_state"


class EffectTask(models.Model):
    """What the keeper is asked to do about a received entry; deleted when done, kept when it was refused."""

    id = models.BigAutoField(primary_key=True)
    entry = models.UUIDField()
    name = models.TextField()
    arguments = models.TextField()
    tries = models.IntegerField(default=0)
    due_ms = models.BigIntegerField(default=0)
    refused = models.TextField(default="")

    class Meta:
        db_table = "record_effect"
        indexes: ClassVar = [
            models.Index(fields=["due_ms"], name="record_effect_due", condition=models.Q(refused=""))
        ]


class Grave(models.Model):
    """A kept row that was deleted. Its key is never used again, so that the highest rev stays the truth."""

    key = models.UUIDField(primary_key=True)
    table = models.TextField(db_column="table_name")
    rev = models.BigIntegerField()

    class Meta:
        db_table = "record_grave"


class Look(Kept):
    """One line of the keeper's log of looks, sealed by the keeper; the journal is its second home."""

    seq = models.BigIntegerField(unique=True)
    sealed = models.BinaryField()

    class Meta:
        db_table = "record_look"


class UndoRun(Kept):
    """One run of `kulla undo` that answered something: who ran it, and whose acts it was to answer."""

    by = models.TextField(help_text="the account and host that ran it")
    actor = models.TextField()
    since_ms = models.BigIntegerField()
    until_ms = models.BigIntegerField(null=True)
    entry_kind = models.TextField(blank=True)

    class Meta:
        db_table = "record_undo_run"


class Undone(Kept):
    """An entry that was answered by a later one. Each is answered once."""

    run = models.ForeignKey(UndoRun, on_delete=models.PROTECT, related_name="answers")
    entry = models.UUIDField(unique=True, help_text="what is answered")
    answer = models.UUIDField(help_text="the entry that answers it")

    class Meta:
        db_table = "record_undone"


class KeyChange(Kept):
    """The journal announces, signed by its old key, that another one follows. See docs/decisions on rotation."""

    old = models.TextField(help_text="the verifier key that signs this entry")
    new = models.TextField(unique=True, help_text="the verifier key that signs from here on")

    class Meta:
        db_table = "record_key_change"


class HandedIn(Kept):
    """A receipt of a fact that the journal does not hold: what the journal had of it. A work item until `done`."""

    leaf_hash = models.BinaryField(unique=True)
    index = models.BigIntegerField(
        db_column="idx", help_text="where the fact stood in the journal that is lost"
    )
    sealed = models.BinaryField()
    segment = models.BinaryField(help_text="the header of its segment, with which a holders' key opens it")
    done = models.TextField(blank=True, default="", help_text="'', 'back' or 'aside'")
    by = models.TextField(blank=True, default="", help_text="who decided")
    reason = models.TextField(blank=True, default="")
    became = models.JSONField(
        default=list, help_text="[key, rev in the receipt, rev here] of each row that is back"
    )

    class Meta:
        db_table = "record_handed_in"

    @classmethod
    def back(cls, key: UUID) -> tuple[int, int] | None:
        """(revision in its receipt, revision here right after) of a row that was brought back; None for no such."""
        found = None
        for rows in cls.objects.filter(done="back").order_by("index").values_list("became", flat=True):
            for each, then, now in rows:
                if each == str(key):
                    found = (then, now)
        return found
