"""Brings the keeper's log of looks into the journal, so that nobody can lose it at the keeper alone."""

from collections.abc import Callable
from typing import Any

from django.db.models import Max

from kulla.record import kinds
from kulla.record.entries import entry, entry_id
from kulla.record.errors import AlreadyRecorded, OutboxFull, ReadOnly
from kulla.record.kept import as_uuid

HOME = as_uuid("6b756c6c-6100-5000-8000-6c6f6f6b7300")  # the keeper itself; looks belong to no person here
_confirmed = 0


def poll(keeper: Callable[[], Any]) -> int:
    """Record what is new, and confirm to the keeper what was received; how many looks were recorded.

    One entry of looks is on its way at a time, so that confirming needs no bookkeeping.
    Raises KeeperUnavailable.
    """
    global _confirmed  # noqa: PLW0603
    from kulla.keeper_client import KeeperUnavailable  # noqa: PLC0415
    from kulla.record.models import Look, Outbox  # noqa: PLC0415

    if Outbox.objects.filter(kind=kinds.LOOKED).exists():
        return 0
    last = Look.objects.aggregate(last=Max("seq"))["last"] or 0
    try:
        if last > _confirmed:
            keeper().looks_confirmed(last)
            _confirmed = last
        new = keeper().looks(last)
    except KeeperUnavailable:
        return 0
    if not new:
        return 0
    try:
        with entry(kinds.LOOKED, key=entry_id(HOME, f"{new[0].seq}-{new[-1].seq}"), actor="job:looks"):
            Look.objects.bulk_create(Look(home=HOME, seq=look.seq, sealed=look.sealed) for look in new)
    except (AlreadyRecorded, OutboxFull, ReadOnly):
        return 0
    return len(new)
