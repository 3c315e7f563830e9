"""What the operator's page shows of the record: backlog, mirrors, alarms."""

import time
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection

from kulla.record import readiness

LATE_MS = 10_000  # an entry that waits longer is late: its page says so and the operator is alarmed


@dataclass(frozen=True)
class Health:
    """The record at one moment. `alarms` are sentences; none means that all is well."""

    waiting: int
    limit: int
    oldest_s: float
    applied: int
    journal_size: int
    closed: str
    effects_waiting: int
    effects_refused: int
    alarms: list[str] = field(default_factory=list)


def health() -> Health:
    """Read the gauges; four short queries and one file."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), min(at_ms) FROM record_outbox")
        waiting, oldest = cursor.fetchone()
        cursor.execute("SELECT applied, closed FROM record_state WHERE id = 1")
        applied, closed = cursor.fetchone() or (0, "The tables are not set up: run migrate.")
        cursor.execute(
            "SELECT coalesce(sum(CASE WHEN refused = '' THEN 1 ELSE 0 END), 0),"
            " coalesce(sum(CASE WHEN refused <> '' THEN 1 ELSE 0 END), 0) FROM record_effect"
        )
        effects_waiting, effects_refused = cursor.fetchone()
    oldest_ms = max(0, time.time_ns() // 1_000_000 - oldest) if oldest else 0
    alarms = [closed] if closed else []
    if oldest_ms > LATE_MS:
        alarms.append(f"An entry has waited {oldest_ms // 1000} s for two mirrors to confirm it.")
    if waiting >= settings.KULLA_OUTBOX_LIMIT:
        alarms.append("The outbox is full: new entries are refused.")
    if effects_refused:
        alarms.append(f"The keeper refused {effects_refused} notices or grants.")
    return Health(
        waiting, settings.KULLA_OUTBOX_LIMIT, oldest_ms / 1000, applied, readiness.journal_size(), closed,
        int(effects_waiting), int(effects_refused), alarms,
    )  # fmt: skip
