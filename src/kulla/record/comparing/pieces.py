"""Going through everything in small pieces, each read at a moment of its own: what differs is only suspected.

A row that an entry changes between our look at the journal and our look at the table differs too; verdict.py tells.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from kulla.journal.errors import JournalError
from kulla.journal.policy import Policy
from kulla.journal.store import LogFolder
from kulla.record import images
from kulla.record.checked import newest_checkpoint
from kulla.record.comparing.expected import Expected, digest
from kulla.record.comparing.pace import Pace
from kulla.record.errors import RebuildError
from kulla.record.kinds import service_of
from kulla.record.models import Checkpoint, Entry, Grave
from kulla.record.walking import Found, SegmentKey, walk

CHUNK = 2_000
ENTRIES = 2_000  # between two notes of where the comparison stands
Tell = Callable[[str], None]
Progress = Callable[[str, int, int], None]


def read_journal(
    expected: Expected, folder: LogFolder, policy: Policy, segment_key: SegmentKey, upto: int, pace: Pace, tell: Tell,
    progress: Progress = lambda _step, _done, _total: None,
) -> None:  # fmt: skip
    """The journal from where `expected` stands to entry `upto`, and what record_entry says of each entry.

    Raises RebuildError when the journal does not lead to its root, or ends before `upto`.
    """
    if expected.position >= upto:
        return
    checkpoint = newest_checkpoint(folder, policy)
    if checkpoint.size < upto:
        raise RebuildError(
            f"The tables say that they hold {upto} entries; the journal has {checkpoint.size}."
        )

    def odd(index: int, why: str) -> None:
        if index < upto:
            tell(f"Entry {index} of the journal cannot be read: {why}")

    since = 0
    for found in walk(folder, checkpoint, segment_key, expected.position, odd=odd):
        here = [entry for entry in found if entry.index < upto]
        if not here:
            break
        for sentence in expected.take(here):
            tell(sentence)
        for sentence in _entries(here):
            tell(sentence)
        expected.set("position", here[-1].index + 1)
        since += len(here)
        if since >= ENTRIES:
            since = 0
            expected.keep()
            progress("compare", here[-1].index + 1, upto)
        pace.rest()
    expected.set("position", upto)
    expected.keep()
    progress("compare", upto, upto)


def _entries(found: list[Found]) -> Iterator[str]:
    """What record_entry, which pages read, says otherwise than the journal."""
    told = {
        row.uuid: row for row in Entry.objects.filter(index__gte=found[0].index, index__lte=found[-1].index)
    }
    for entry in found:
        payload, row = entry.payload, told.pop(entry.payload.uuid, None)
        if row is None:
            yield f"record_entry lacks entry {entry.index} ({payload.kind}, {payload.uuid})."
            continue
        have: tuple[Any, ...] = (row.index, row.at_ms, row.kind, row.service, row.person, row.office)
        have = (*have, bytes(row.leaf_hash), bytes(row.claims))
        want: tuple[Any, ...] = (
            entry.index,
            payload.at_ms,
            payload.kind,
            service_of(payload.kind),
            payload.person,
        )
        want = (*want, payload.office, entry.leaf_hash, payload.claims)
        if have != want:
            yield f"record_entry was changed: entry {entry.index} ({payload.kind}, {payload.uuid}) is told otherwise."
    for row in told.values():
        yield f"record_entry tells of an entry {row.uuid} at {row.index} that the journal does not hold."


def read_tables(
    expected: Expected, missing: set[str], unreadable: set[str], pace: Pace, progress: Progress
) -> int:
    """Every row of every kept table beside what the journal says; how many rows there were."""
    shapes = images.shapes()
    for number, table in sorted(expected.names.items()):
        if expected.get(f"done {table}"):
            continue
        if table in missing:
            expected.suspect_all(number)
        elif table not in unreadable:
            _one_table(expected, shapes[table], number, pace)
        expected.set(f"done {table}", 1)
        expected.keep()
        progress("tables", number + 1, len(shapes))
    return int(expected.get("rows", "0"))


def _one_table(expected: Expected, shape: images.Shape, number: int, pace: Pace) -> None:
    fields = [field.attname for field in shape.model._meta.concrete_fields]
    place = fields.index("id")
    manager = shape.model._base_manager
    while True:
        after = bytes.fromhex(expected.get(f"at {shape.table}"))
        rows = manager.filter(pk__gt=UUID(bytes=after)) if after else manager.all()
        piece = list(rows.order_by("pk").values_list(*fields)[:CHUNK])
        last = piece[-1][place].bytes if len(piece) == CHUNK else None
        hashed = ((row[place].bytes, digest(images.canonical_row(shape, row))) for row in piece)
        expected.suspect([(number, key) for key in _differing(hashed, expected.range(number, after, last))])
        expected.set("rows", int(expected.get("rows", "0")) + len(piece))
        if last is None:
            return
        expected.set(f"at {shape.table}", last.hex())
        expected.keep()
        pace.rest()


Keyed = Iterator[tuple[bytes, bytes | None]]


def _differing(have: Iterator[tuple[bytes, bytes | None]], want: Keyed) -> Iterator[bytes]:
    """Keys of rows that are on one side only, or differ; both come in the order of keys. No hash: not there."""
    left, right = next(have, None), next(want, None)
    while left or right:
        if right is None or (left is not None and left[0] < right[0]):
            assert left is not None  # noqa: S101 - one of the two is there
            yield left[0]
            left = next(have, None)
        elif left is None or right[0] < left[0]:
            if right[1] is not None:
                yield right[0]
            right = next(want, None)
        else:
            if left[1] != right[1]:
                yield left[0]
            left, right = next(have, None), next(want, None)


def read_graves(expected: Expected, pace: Pace) -> None:
    """Every grave beside the deletions that the journal knows."""
    if expected.get("done graves"):
        return
    while True:
        after = bytes.fromhex(expected.get("at graves"))
        graves = Grave.objects.filter(pk__gt=UUID(bytes=after)) if after else Grave.objects.all()
        piece = list(graves.order_by("pk").values_list("key", "table")[:CHUNK])
        seen = [(expected.numbers[table], key.bytes) for key, table in piece if table in expected.numbers]
        expected.graves(seen)
        expected.suspect([at for at in seen if (said := expected.of(*at)) is None or said[2] is not None])
        if len(piece) < CHUNK:
            break
        expected.set("at graves", piece[-1][0].bytes.hex())
        expected.keep()
        pace.rest()
    expected.suspect_missing_graves()
    expected.set("done graves", 1)
    expected.keep()


def read_checkpoints(policy: Policy, pace: Pace) -> Iterator[str]:
    """Receipts are made with these notes: each must satisfy the policy."""
    sizes = Checkpoint.objects.order_by("size").values_list("size", "note").iterator(chunk_size=CHUNK)
    while piece := list(islice(sizes, 200)):
        for size, note in piece:
            try:
                told = policy.check(note).checkpoint.size
            except JournalError as error:
                yield f"record_checkpoint {size} was changed: {error}"
                continue
            if told != size:
                yield f"record_checkpoint {size} was changed: its note is of size {told}."
        pace.rest()
