"""At start: the tables must stand at the journal's end before anything is written.

Tables behind the journal (a database restored from a backup): the missing entries are applied from the segments.
Tables ahead of it (a journal folder restored from a backup): writes stay closed, the sentence says what to do.
Only what the journal holds is applied. A kept row that no entry explains is found by `compare`, never adopted.
"""

import logging
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from kulla.journal.checkpoint import Checkpoint
from kulla.journal.entry import Image
from kulla.journal.store import LogFolder
from kulla.record import readiness, tables
from kulla.record.applying import as_the_journal, note_checkpoint, schedule_again
from kulla.record.effects import AGAIN_MS
from kulla.record.errors import RecordError
from kulla.record.kept import db_uuids
from kulla.record.kinds import service_of
from kulla.record.walking import Found, SegmentKey, last_time, walk

log = logging.getLogger("kulla.record")


WAITS = "The rebuilt journal waits for two mirrors to confirm it."


def close(sentence: str) -> None:
    """Close writes for every process that shares these tables ('' opens them)."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE record_state SET closed = %s WHERE id = 1", [sentence])


def level(folder: LogFolder, checkpoint: Checkpoint, note: str | None, segment_key: SegmentKey) -> int:
    """Bring the tables to the journal's end and open writes; how many entries were missing.

    note: the published checkpoint with its quorum. Raises RecordError, and leaves writes closed, when the tables
    are ahead of the journal, RebuildError when the journal does not lead to its root.
    """
    applied = readiness.applied()
    if applied > checkpoint.size:
        sentence = (
            f"The tables hold {applied} entries but the journal folder ends at {checkpoint.size}: it was put back"
            " from an older copy. Rebuild the portal from the mirrors (kulla rebuild)."
        )
        close(sentence)
        raise RecordError(sentence)
    missing = checkpoint.size - applied
    if missing:
        close(f"The portal was restored: {missing} entries are being brought back from its journal.")
        log.warning("The tables lack %d entries of the journal: applying them.", missing)
        since = last_time(folder, checkpoint, segment_key) - AGAIN_MS
        for found in walk(folder, checkpoint, segment_key, applied, odd=_passed_over):
            _apply(found, checkpoint.size, since)
        with connection.cursor() as cursor:  # the last ones may have been passed over
            cursor.execute("UPDATE record_state SET applied = %s WHERE id = 1", [checkpoint.size])
    if note is not None:
        with connection.cursor() as cursor:
            note_checkpoint(cursor, checkpoint.size, note)
    close("")
    return missing


def _passed_over(index: int, why: str) -> None:
    log.critical("Entry %d of the journal cannot be read and was passed over: %s", index, why)


def _apply(found: list[Found], size: int, since: int) -> None:
    """One segment in one transaction."""
    with as_the_journal() as cursor:
        for entry in found:
            for image in entry.payload.rows:
                _put(cursor, image)
            _note_entry(cursor, entry, size)
        schedule_again(entry.payload for entry in found if entry.payload.at_ms >= since)
        cursor.execute("UPDATE record_state SET applied = %s WHERE id = 1", [found[-1].index + 1])


def _put(cursor: CursorWrapper, image: Image) -> None:
    shape = tables.known(image.table)
    (key,) = db_uuids(image.key)
    cursor.execute(
        f'SELECT coalesce((SELECT rev FROM "{shape.table}" WHERE id = %s),'  # noqa: S608  (names from our models)
        " (SELECT rev FROM record_grave WHERE key = %s), 0)",
        [key, key],
    )
    if cursor.fetchone()[0] >= image.rev:
        return
    if image.columns is None:
        cursor.execute(f'DELETE FROM "{shape.table}" WHERE id = %s', [key])  # noqa: S608
        cursor.execute(
            "INSERT INTO record_grave (key, table_name, rev) VALUES (%s, %s, %s)"
            " ON CONFLICT (key) DO UPDATE SET rev = excluded.rev",
            [key, image.table, image.rev],
        )
        return
    columns = tables.current(image)
    values = [_value(convert, columns[name]) for name, convert in tables.converters(shape, _conversions())]
    names = ", ".join(f'"{name}"' for name in shape.columns)
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in shape.columns if name != "id")
    marks = ", ".join(["%s"] * len(values))
    cursor.execute(
        f'INSERT INTO "{shape.table}" ({names}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {sets}',  # noqa: S608
        values,
    )


def _conversions() -> dict[str, tables.Convert]:
    # psycopg takes UUIDs, bytes and booleans as they are, and text for times and JSON
    return tables.SQLITE if connection.vendor == "sqlite" else {}


def _value(convert: tables.Convert, value: Any) -> Any:
    return None if value is None else convert(value)


def _note_entry(cursor: CursorWrapper, entry: Found, size: int) -> None:
    payload = entry.payload
    uuid, person, office = db_uuids(payload.uuid, payload.person, payload.office)
    cursor.execute("DELETE FROM record_outbox WHERE uuid = %s", [uuid])
    cursor.execute(
        "INSERT INTO record_entry (uuid, idx, size, at_ms, kind, service, person, office, leaf_hash, claims)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (uuid) DO NOTHING",
        [
            *(uuid, entry.index, size, payload.at_ms, payload.kind, service_of(payload.kind)),
            *(person, office, entry.leaf_hash, payload.claims),
        ],
    )
