"""Whether entries may be written now: the tables stand at the journal's end, and the outbox is not full."""

import threading
import time

from django.conf import settings
from django.db import connection

from kulla.journal.checkpoint import parse_checkpoint
from kulla.journal.store import LogFolder
from kulla.record.errors import OutboxFull, ReadOnly

_COUNT_EVERY_S = 0.5


_lock = threading.Lock()
_level = False  # these tables were seen to stand at the journal's end since this process started
_counted_at = 0.0
_waiting = 0


def check() -> None:
    """Raise ReadOnly or OutboxFull, or return. One short query each half second and process, else none."""
    global _level  # noqa: PLW0603
    if not _level:
        _compare()
        _level = True
    waiting = backlog()
    if waiting >= settings.KULLA_OUTBOX_LIMIT:
        raise OutboxFull(waiting)


def forget() -> None:
    """Ask again at the next entry (after a restore or rebuild, and between tests)."""
    global _level, _counted_at
    _level, _counted_at = False, 0.0


def backlog() -> int:
    """How many entries wait in the outbox, at most half a second old."""
    global _counted_at, _waiting  # noqa: PLW0603
    now = time.monotonic()
    if now - _counted_at > _COUNT_EVERY_S:
        with _lock, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM record_outbox")
            _waiting = cursor.fetchone()[0]
            _counted_at = now
    return _waiting


def journal_size() -> int:
    """Entries in this portal's journal folder; 0 when there is none yet."""
    if not settings.KULLA_JOURNAL_DIR.is_dir():
        return 0
    note = LogFolder(settings.KULLA_JOURNAL_DIR).read_checkpoint_note()
    return parse_checkpoint(note[: note.rindex("\n\n") + 1]).size if note else 0


def applied() -> int:
    """How many entries of the journal these tables hold."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT applied FROM record_state WHERE id = 1")
        row = cursor.fetchone()
    return row[0] if row else 0


def restored_past() -> str:
    """What this portal shows, when it was restored to a past point and never writes; else ''."""
    marker = settings.KULLA_PORTAL / "read-only"
    return marker.read_text().strip() if marker.exists() else ""


def _compare() -> None:
    if said := restored_past():
        raise ReadOnly(said)
    # read the tables first: between the two reads the sequencer may only add to the journal
    have, size = applied(), journal_size()
    if have < size:
        raise ReadOnly(
            f"The tables hold {have} of the journal's {size} entries; the missing ones are being applied."
        )
    if have > size:
        raise ReadOnly(
            f"The tables hold {have} entries but the journal folder ends at {size}: it was put back from an"
            " older copy. Rebuild the portal from the mirrors (kulla rebuild)."
        )
