"""What services, identity and registry use of the record.

from kulla.record import api as record

with record.entry("appointment.booked", key=record.entry_id(person, form_key), person=person,
                  office=office, actor=actor, ticket=actor.ticket(person), claims=[("what", …), …],
                  after=[record.Effect("grant", {...})]) as e:
    Appointment.objects.create(home=person, …)
redirect to the receipt of e.uuid
"""

from kulla.record.effects import Effect
from kulla.record.entries import Actor, Entry, entry, entry_id
from kulla.record.errors import AlreadyRecorded, NotReceived, OutboxFull, ReadOnly, RecordError
from kulla.record.health import Health, health
from kulla.record.kinds import declare
from kulla.record.receipts import (
    EntryStatus,
    Listed,
    check_code_of,
    entries_of,
    receipt,
    sealed_claims,
    status,
    statuses,
)
from kulla.record.undoing.about import Act, Change, Left, NotUndoable, Undo, take_back

__all__ = [
    "Act", "Actor", "AlreadyRecorded", "Change", "Effect", "Entry", "EntryStatus", "Health", "Left", "Listed",
    "NotReceived", "NotUndoable", "OutboxFull", "ReadOnly", "RecordError", "Undo", "check_code_of", "declare",
    "entries_of", "entry", "entry_id", "health", "receipt", "sealed_claims", "status", "statuses", "take_back",
]  # fmt: skip
