"""Writing into the tables what the journal has received: the one place that raises `applied`."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from kulla.journal.entry import Payload
from kulla.journal.ids import now_ms
from kulla.journal.log import Staged
from kulla.journal.merkle import leaf_hash
from kulla.record import effects, triggers
from kulla.record.models import EffectTask, State


def apply_round(staged: Staged, cosigned_note: str) -> bool:
    """Move a published round from the outbox into record_entry, in one transaction.

    True when the tables stand at `staged.next` afterwards (also when they did before: a crash came later).
    False when they lack something: they were restored from an older copy, and `reconcile` has to bring it.
    """
    with transaction.atomic():
        applied = _applied()
        if applied >= staged.next:
            return True
        if applied != staged.first:
            return False
        with connection.cursor() as cursor:
            if _move(cursor, staged) != len(staged.uuids):
                transaction.set_rollback(True)
                return False
            note_checkpoint(cursor, staged.next, cosigned_note)
            cursor.execute("UPDATE record_state SET applied = %s WHERE id = 1", [staged.next])
    return True


def note_checkpoint(cursor: CursorWrapper, size: int, note: str) -> None:
    """Remember a checkpoint that a quorum has cosigned: entries of this size now have receipts."""
    cursor.execute(
        "INSERT INTO record_checkpoint (size, note) VALUES (%s, %s) ON CONFLICT (size) DO NOTHING",
        [size, note],
    )


def _applied() -> int:
    """`applied`, held against another writer until the transaction ends (SQLite has one writer anyway)."""
    state = State.objects.filter(pk=1)
    if connection.vendor == "postgresql":
        state = state.select_for_update()
    return state.values_list("applied", flat=True).first() or 0


_ENTRY_COLUMNS = "uuid, idx, size, at_ms, kind, service, person, office, leaf_hash, claims"


def _move(cursor: CursorWrapper, staged: Staged) -> int:
    """Outbox rows of the round -> record_entry and record_effect. How many there were."""
    indexes = range(staged.first, staged.next)
    hashes = [leaf_hash(leaf) for leaf in staged.leaves]
    if connection.vendor == "postgresql":
        uuids: list[Any] = list(staged.uuids)
        cursor.execute(
            f"INSERT INTO record_entry ({_ENTRY_COLUMNS})"  # noqa: S608
            " SELECT o.uuid, n.idx, %s, o.at_ms, o.kind, o.service, o.person, o.office, n.leaf, o.claims"
            " FROM unnest(%s::uuid[], %s::bigint[], %s::bytea[]) AS n(uuid, idx, leaf)"
            " JOIN record_outbox o ON o.uuid = n.uuid",
            [staged.next, uuids, list(indexes), hashes],
        )
        moved = cursor.rowcount
        cursor.execute(
            "DELETE FROM record_outbox WHERE uuid = ANY(%s) RETURNING uuid, CASE effects WHEN '[]' THEN NULL"
            " ELSE effects END",
            [uuids],
        )
        packed = [(uuid, text) for uuid, text in cursor.fetchall() if text]
    else:
        uuids = [uuid.hex for uuid in staged.uuids]
        cursor.executemany(
            f"INSERT INTO record_entry ({_ENTRY_COLUMNS})"  # noqa: S608
            " SELECT uuid, %s, %s, at_ms, kind, service, person, office, %s, claims"
            " FROM record_outbox WHERE uuid = %s",
            [(i, staged.next, leaf, uuid) for i, leaf, uuid in zip(indexes, hashes, uuids, strict=True)],
        )
        moved = cursor.rowcount
        packed = list(_effects_of(cursor, uuids))
        cursor.executemany("DELETE FROM record_outbox WHERE uuid = %s", [(uuid,) for uuid in uuids])
    _schedule(packed)
    return int(moved)


def _effects_of(cursor: CursorWrapper, uuids: Sequence[str]) -> Iterator[tuple[UUID, str]]:
    wanted = set(uuids)
    cursor.execute("SELECT uuid, effects FROM record_outbox WHERE effects <> '[]'")
    for uuid, text in cursor.fetchall():
        if uuid in wanted:
            yield UUID(uuid), text


def _schedule(packed: Sequence[tuple[UUID, str]]) -> None:
    _tasks((uuid, name, arguments) for uuid, text in packed for name, arguments in effects.unpack(text))


def schedule_again(payloads: Iterable[Payload]) -> None:
    """Ask the keeper for what entries that come back from the journal announced; it does nothing twice."""
    _tasks(
        (payload.uuid, name, arguments)
        for payload in payloads
        for name, arguments in effects.from_journal(payload.after, payload.actor)
    )


def _tasks(wanted: Iterable[tuple[UUID, str, str]]) -> None:
    now = now_ms()
    EffectTask.objects.bulk_create(
        EffectTask(entry=uuid, name=name, arguments=arguments, due_ms=now) for uuid, name, arguments in wanted
    )


@contextmanager
def as_the_journal() -> Iterator[CursorWrapper]:
    """A transaction in which kept rows take the values and revs of the journal's images; triggers stand aside.

    For reconcile only: what is written here is in the journal already.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT set_config('kulla.apply', 'journal', true)")
            yield cursor
        else:
            triggers.drop()
            yield cursor
            triggers.install()
