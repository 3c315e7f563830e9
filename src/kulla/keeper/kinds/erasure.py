"""Kinds of records of erasures that are under way or done. None of them names anybody.

`erasure_begun` stands beside the second registrar's yes to a request that everything is erased; what was agreed without
it (by an earlier version) is never carried out. `erasure_drawn` is one unsigned tombstone (journal/tombstone.py) with
the numbers of the records that it names; several belong to one request, in rounds: what was written while the first
ones waited comes in the next. `upto` is the last record that was looked through for this round. `blanked` is what a
blank record counts as.
"""

import hashlib
import sqlite3

from kulla.keeper.kinds.form import Body, Change, put, raw

SCHEMA = """
CREATE TABLE IF NOT EXISTS erasure_plan (
    request BLOB PRIMARY KEY, at INTEGER NOT NULL, upto INTEGER NOT NULL, round INTEGER NOT NULL,
    state TEXT NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erasure_stone (
    id TEXT PRIMARY KEY, request BLOB NOT NULL, round INTEGER NOT NULL, number INTEGER NOT NULL,
    unsigned BLOB NOT NULL, seqs TEXT NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS erasure_stone_request ON erasure_stone (request);
"""


def _drawn(db: sqlite3.Connection, body: Body) -> None:
    request, unsigned = raw(body["request"]), bytes(body["unsigned"])
    db.execute(
        "INSERT INTO erasure_plan VALUES (?, ?, ?, ?, 'waiting', ?) "
        "ON CONFLICT (request) DO UPDATE SET upto = excluded.upto, round = excluded.round, "
        "state = CASE state WHEN 'begun' THEN 'waiting' ELSE state END",
        (request, body["at"], body["upto"], body["round"], body["at"]),
    )
    seqs = ",".join(str(int(seq)) for seq in body["seqs"])
    names = (hashlib.sha256(unsigned).hexdigest(), request, body["round"], body["number"])
    db.execute(
        "INSERT OR IGNORE INTO erasure_stone VALUES (?, ?, ?, ?, ?, ?, 'waiting')", (*names, unsigned, seqs)
    )


KINDS: dict[str, Change] = {
    "blanked": lambda _db, _body: None,
    "erasure_begun": put(
        "INSERT OR IGNORE INTO erasure_plan VALUES (?, ?, 0, 0, 'begun', ?)", "request", "at", "at"
    ),
    "erasure_drawn": _drawn,
    "erasure_stone_done": put("UPDATE erasure_stone SET state = 'done' WHERE id = ?", "id"),
    "erasure_stopped": put(
        "UPDATE erasure_plan SET state = 'stopped', changed = ? WHERE request = ? AND state IN ('begun', 'waiting')",
        *("at", "request"),
    ),
    "erased": put(
        "UPDATE erasure_plan SET state = 'erased', changed = ? WHERE request = ? AND state = 'waiting'",
        *("at", "request"),
    ),
}
