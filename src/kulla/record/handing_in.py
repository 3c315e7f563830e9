"""A receipt that the portal does not know is handed in, verified, and kept as a work item until its fact is back.

It happens when portal and two mirrors were lost together: the last facts, which only those two had cosigned, stand in
nobody's journal any more. The citizen's receipt proves that they were received, and carries them sealed.

What is kept is what the journal had: sealed payload, segment header, index. A person with what opens segments (the
holders' rebuild key, or the keeper) brings the rows back, as a new entry that says so. A row that the journal knows in
a higher revision, or as deleted, is left as it is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.db import transaction

from kulla.journal.entry import Image, Payload, check_code, decode_payload
from kulla.journal.errors import JournalError
from kulla.journal.receipt import Receipt
from kulla.journal.segment import opener
from kulla.journal.verify import verify_receipt
from kulla.record import images, kinds, tables
from kulla.record.entries import entry, entry_id, is_recorded
from kulla.record.errors import RecordError
from kulla.record.kept import as_uuid
from kulla.record.models import Entry, Grave, HandedIn
from kulla.record.undoing.about import as_field_takes
from kulla.record.upcasters import settled

SegmentKey = Callable[[bytes], bytes]
Outcome = Literal["known", "waiting", "taken"]
Verdict = Literal["missing", "older", "same", "newer", "deleted"]
HOME = as_uuid("6b756c6c-6100-5000-8000-726563656970")  # items belong to nobody until they are opened
HANDED_IN, BROUGHT_BACK = "record.handed_in", "record.brought_back"
kinds.declare("record", [HANDED_IN])
kinds.declare("record", [BROUGHT_BACK], allow_empty=True)


@dataclass(frozen=True)
class Handed:
    """What became of a receipt: the fact is known here, was handed in before, or was taken in now."""

    outcome: Outcome
    check_code: str


def hand_in(text: str, policy: str) -> Handed:
    """Take a receipt in, unless the portal knows its fact.

    Raises ReceiptInvalid (with the step that failed) for one that does not verify, ReadOnly and OutboxFull.
    """
    verify_receipt(text, policy)
    receipt = Receipt.parse(text)
    leaf, index = receipt.leaf_hash, receipt.proof.index
    code = check_code(leaf)
    if Entry.objects.filter(index=index, leaf_hash=leaf).exists():
        return Handed("known", code)
    if HandedIn.objects.filter(leaf_hash=leaf).exists():
        return Handed("waiting", code)
    with entry(HANDED_IN, key=entry_id(UUID(bytes=leaf[:16]), "handed in"), actor="job:receipts"):
        HandedIn.objects.create(
            home=HOME, leaf_hash=leaf, index=index, sealed=receipt.sealed, segment=receipt.segment_header
        )
    return Handed("taken", code)


@dataclass(frozen=True)
class Item:
    """A receipt that was handed in, opened. `rows` are its images, each with what it means here now."""

    kept: HandedIn
    payload: Payload
    rows: list[tuple[Image, Verdict]]

    @property
    def check_code(self) -> str:
        """As on the receipt."""
        return check_code(bytes(self.kept.leaf_hash))


def waiting(segment_key: SegmentKey) -> Iterator[Item | str]:
    """Every item that waits, in the journal's order; a sentence for one that does not open."""
    for kept in HandedIn.objects.filter(done="").order_by("index"):
        code = check_code(bytes(kept.leaf_hash))
        try:
            header = bytes(kept.segment)
            payload = decode_payload(opener(segment_key(header), header)(kept.index, bytes(kept.sealed)))
            rows = [(image, verdict(image)) for image in settled(payload.rows)]
        except (JournalError, RecordError) as error:
            yield f"{code} does not open: {error}"
        else:
            yield Item(kept, payload, rows)


def verdict(image: Image) -> Verdict:
    """What an image means beside the row of today. Revisions of rows that were brought back count from then on."""
    shape = tables.known(image.table)
    before = HandedIn.back(image.key)
    row = shape.model._default_manager.filter(pk=image.key).values_list("rev", flat=True).first()
    if row is None:
        grave = Grave.objects.filter(pk=image.key).exists()
        return "deleted" if grave or image.columns is None else "missing"
    if before is not None:
        known, then = before
        row = known if row == then else max(known, image.rev) + 1
    if row == image.rev:
        return "same"
    return "newer" if row > image.rev else "older"


def bring_back(item: Item, by: str) -> list[tuple[Image, Verdict]]:
    """Bring back the rows that are missing or older, in one entry, and note the item as done.

    by: who decided, an account's name. Gives every row with the verdict of the moment. Raises what `entry` raises, and
    django's IntegrityError when a row can no longer stand (its time was given to somebody else): then nothing is done.
    """
    key = entry_id(UUID(bytes=bytes(item.kept.leaf_hash)[:16]), "brought back")
    if is_recorded(item.payload.uuid):
        raise RecordError(f"The entry {item.payload.uuid} stands in the journal already.")
    payload, rows = item.payload, []
    with entry(BROUGHT_BACK, key=key, person=payload.person, office=payload.office, actor="job:receipts"):
        became = []
        for image in settled(payload.rows):
            said = verdict(image)
            rows.append((image, said))
            if said in {"missing", "older"}:
                became.append([str(image.key), image.rev, _put(image)])
        item.kept.became = became
        item.kept.done, item.kept.by = "back", by
        item.kept.save()
    return rows


def set_aside(item: HandedIn, by: str, reason: str) -> None:
    """Note that an item is not brought back, and why."""
    with entry(HANDED_IN, key=entry_id(item.pk, "set aside"), actor="job:receipts"):
        item.done, item.by, item.reason = "aside", by, reason
        item.save()


def _put(image: Image) -> int:
    """Make or change the row; gives its new rev. Inside an open entry."""
    shape, rows = tables.known(image.table), images.shapes()[image.table].model._default_manager
    if image.columns is None:  # older here and deleted there
        rows.filter(pk=image.key).delete()
        return 0
    fields = {str(field.column): field for field in shape.model._meta.concrete_fields}
    given = {
        fields[name].attname: as_field_takes(fields[name], value)
        for name, value in tables.current(image).items()
        if name not in {"id", "rev"}
    }
    with transaction.atomic():
        if not rows.filter(pk=image.key).update(**given):
            rows.create(id=image.key, **given)
    return int(rows.values_list("rev", flat=True).get(pk=image.key))
