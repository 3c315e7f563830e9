"""Where an entry stands, and its receipt."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef

from kulla.journal.entry import check_code
from kulla.journal.receipt import Receipt
from kulla.journal.segment import parse_segment
from kulla.journal.store import LogFolder, segment_path
from kulla.record.errors import NotReceived
from kulla.record.health import LATE_MS

Step = Literal["waiting", "late", "received"]


@dataclass(frozen=True)
class EntryStatus:
    """Where an entry stands. `index`, `leaf_hash` and `check_code` are None until it is received."""

    uuid: UUID
    status: Step
    kind: str
    service: str
    person: UUID | None
    office: UUID | None
    at_ms: int
    index: int | None = None
    leaf_hash: bytes | None = None
    check_code: str | None = None


Listed = EntryStatus


def check_code_of(leaf_hash: bytes) -> str:
    """The short code of a receipt: the first 40 bits of the leaf hash, "ABCD-EFGH"."""
    return check_code(leaf_hash)


def status(uuid: UUID) -> EntryStatus | None:
    """Where this entry stands; None when there is no such entry."""
    return statuses([uuid]).get(uuid)


def statuses(uuids: Iterable[UUID]) -> dict[UUID, EntryStatus]:
    """Where these entries stands, in two queries at most; unknown ones are left out."""
    return {found.uuid: found for found in _find(uuid__in=list(uuids))}


def entries_of(person: UUID | Sequence[UUID], limit: int = 200) -> list[EntryStatus]:
    """The entries that concern this pseudonym (or these), newest first."""
    persons = [person] if isinstance(person, UUID) else list(person)
    return sorted(_find(limit, person__in=persons), key=lambda found: -found.at_ms)[:limit]


def _find(limit: int | None = None, **where: object) -> list[EntryStatus]:
    from kulla.record.models import Checkpoint, Entry, Outbox  # noqa: PLC0415

    now = time.time_ns() // 1_000_000
    common = ("uuid", "kind", "service", "person", "office", "at_ms")
    waiting = Outbox.objects.filter(**where).order_by("-at_ms").values(*common)[:limit]
    found = {
        row["uuid"]: EntryStatus(status="late" if now - row["at_ms"] > LATE_MS else "waiting", **row)
        for row in waiting
    }
    # the outbox was read first: an entry that moved between the two queries is found in the second
    cosigned = Exists(Checkpoint.objects.filter(size=OuterRef("size")))
    entries = Entry.objects.filter(**where).annotate(cosigned=cosigned).order_by("-index")
    for row in entries.values(*common, "index", "leaf_hash", "cosigned")[:limit]:
        leaf_hash = bytes(row.pop("leaf_hash"))
        index, received = row.pop("index"), row.pop("cosigned")
        if received:
            found[row["uuid"]] = EntryStatus(
                status="received", index=index, leaf_hash=leaf_hash, check_code=check_code(leaf_hash), **row
            )
        else:  # rebuilt from one mirror and not yet cosigned by two again
            found[row["uuid"]] = EntryStatus(
                status="late" if now - row["at_ms"] > LATE_MS else "waiting", **row
            )
    return list(found.values())


def sealed_claims(uuid: UUID) -> tuple[UUID | None, str, bytes]:
    """(person, service, sealed claims) of an entry, for the keeper to open. Raises NotReceived for no entry."""
    from kulla.record.models import Entry, Outbox  # noqa: PLC0415

    for table in (Outbox, Entry):
        row = table.objects.filter(uuid=uuid).values_list("person", "service", "claims").first()
        if row:
            return row[0], row[1], bytes(row[2])
    raise NotReceived(f"There is no entry {uuid}.")


def receipt(uuid: UUID, claims_plain: bytes, holder_salt: bytes | None) -> str:
    """The text of the receipt: a c2sp.org/tlog-proof@v1 that verifies offline.

    claims_plain and holder_salt: what the keeper opened of `sealed_claims`.
    Raises NotReceived before two mirrors have cosigned a checkpoint that holds the entry.
    """
    from kulla.record.models import Checkpoint, Entry  # noqa: PLC0415

    row = Entry.objects.filter(uuid=uuid).values_list("index", "size").first()
    note = Checkpoint.objects.filter(size=row[1]).values_list("note", flat=True).first() if row else None
    if row is None or note is None:
        raise NotReceived(f"The entry {uuid} is not received yet.")
    index = row[0]
    folder = LogFolder(settings.KULLA_JOURNAL_DIR)
    segment = parse_segment(folder.read(segment_path(*folder.segment_at(index))))
    sealed = segment.sealed[index - segment.first]
    return Receipt.build(folder, index, note, claims_plain, sealed, segment.header, holder_salt).text
