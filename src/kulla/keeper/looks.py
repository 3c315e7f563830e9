"""The log of looks: who opened whose data, when, why. It is on this disk before the data is shown.

Files `log/looks-<first number>.log`; in them each entry after its length as u32. An entry: 0x01 ‖ number (u64) ‖
hash of the entry before (32) ‖ nonce ‖ sealed CBOR ‖ tag. Numbers start at the time when the log was begun (Unix
milliseconds × 2**10), so a log begun after a loss never uses a number again, and all of them together keep the order.
The portal takes the sealed entries into the journal and confirms them; after a loss it hands them back.

`looks.sqlite3` is an index over these files and can be deleted.
"""

import hashlib
import logging
import os
import sqlite3
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from kulla.journal import wire
from kulla.keeper import turns
from kulla.keeper.errors import RecordsBroken, Refusal
from kulla.keeper.keys import open_box, seal_box

log = logging.getLogger("kulla.keeper")
HEAD = struct.Struct(">BQ32s")
START = bytes(32)
SHIFT = 10
PAGE = 500
SCHEMA = """
CREATE TABLE IF NOT EXISTS look (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, official BLOB NOT NULL, office BLOB, person BLOB NOT NULL,
    cost INTEGER NOT NULL, allowed INTEGER NOT NULL, sealed BLOB NOT NULL);
DROP INDEX IF EXISTS look_person;
CREATE INDEX IF NOT EXISTS look_reader ON look (person, seq, official, office, at, allowed);
CREATE INDEX IF NOT EXISTS look_at ON look (at);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""

Look = dict[str, Any]
_END = (1 << 63) - 1


@dataclass(frozen=True)
class Hidden:
    """Looks of one office in a time (ms, from and before), that are not shown now."""

    office: UUID
    since_ms: int
    until_ms: int


@dataclass(frozen=True)
class Wanted:
    """Whose looks are to be shown: nobody's own look at themselves, none by `reader`, and nothing hidden."""

    person: UUID
    reader: UUID
    hidden: tuple[Hidden, ...] = ()


def _any_of(wanted: Sequence[Wanted]) -> tuple[str, list[object]]:
    """The condition for rows of these people, and its values."""
    parts: list[str] = []
    values: list[object] = []
    for each in wanted:
        part = "person = ? AND official NOT IN (?, ?)"
        values += [each.person.bytes, each.person.bytes, each.reader.bytes]
        for span in each.hidden:
            part += " AND NOT (office IS ? AND at >= ? AND at < ?)"
            values += [span.office.bytes, span.since_ms, span.until_ms]
        parts.append(f"({part})")
    return " OR ".join(parts), values


def look(
    kind: str,
    *,
    official: UUID | None,
    office: UUID | None,
    role: str,
    sid: str,
    person: UUID | None,
    service: str,
    purpose: str,
    fields: Sequence[str],
    cost: int,
    allowed: bool,
) -> Look:
    """The content of an entry; `kind` is open, find, grant, segment, assisted or own (what the person did)."""
    who = {"kind": kind, "official": official, "office": office, "role": role, "sid": sid}
    what = {"person": person, "service": service, "purpose": purpose, "fields": list(fields)}
    return {**who, **what, "cost": cost, "allowed": allowed}


class Looks:
    """Appends, hands out, takes back. Thread-safe; one sync serves all who wait."""

    def __init__(self, folder: Path, key: bytes, limit_ms: int, clock: Callable[[], int]) -> None:
        self._folder, self._key, self._limit, self._clock = folder, key, limit_ms, clock
        folder.mkdir(exist_ok=True)
        self._lock = threading.Lock()
        self._syncing = threading.Lock()
        self._reading = threading.Lock()
        self._db = sqlite3.connect(folder / "looks.sqlite3", isolation_level=None, check_same_thread=False)
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;" + SCHEMA)
        self._buffer: list[tuple[bytes, Look]] = []
        self._failed = False
        self._fd = -1
        self._seq, self._before = 0, START
        self._open_files()
        self._durable = self._seq
        self._confirmed = self._meta("confirmed")
        rows = self._db.execute("SELECT seq, at FROM look WHERE seq > ? ORDER BY seq", (self._confirmed,))
        self._unconfirmed: deque[tuple[int, int]] = deque(rows)

    # Writing -------------------------------------------------------------------------------------------

    def add(self, entries: Sequence[Look]) -> None:
        """Durable on return. Raises Refusal("log_failed") when the disk fails; then nothing opens until a restart."""
        with self._lock:
            if self._failed:
                raise Refusal("log_failed", "The log of looks cannot be written: nothing is opened.")
            if self._fd < 0:
                self._begin()
            for entry in entries:
                entry["at"] = self._clock()
                self._seq += 1
                sealed = self._seal(self._seq, self._before, entry)
                self._before = hashlib.sha256(sealed).digest()
                self._buffer.append((sealed, entry))
                self._unconfirmed.append((self._seq, entry["at"]))
            upto = self._seq
        turns.end()
        self._flush(upto)

    def _flush(self, upto: int) -> None:
        with self._syncing:
            if self._durable >= upto:
                return
            with self._lock:
                buffer, self._buffer = self._buffer, []
                end = self._seq
            try:
                if self._failed:
                    raise OSError("after an earlier failure")
                data = b"".join(struct.pack(">I", len(sealed)) + sealed for sealed, _ in buffer)
                while data:
                    data = data[os.write(self._fd, data) :]
                os.fdatasync(self._fd)
            except OSError as error:
                self._failed = True
                log.exception("ALARM: the log of looks cannot be written")
                raise Refusal(
                    "log_failed", "The log of looks cannot be written: nothing is opened."
                ) from error
            self._index(
                (end - len(buffer) + 1 + n, sealed, entry) for n, (sealed, entry) in enumerate(buffer)
            )
            self._durable = end

    def _begin(self) -> None:
        first = max(self._seq + 1, (time.time_ns() // 1_000_000) << SHIFT)
        path = self._folder / f"looks-{first}.log"
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)
        self._seq = self._durable = first - 1

    def _seal(self, seq: int, before: bytes, entry: Look) -> bytes:
        head = HEAD.pack(1, seq, before)
        return head + seal_box(self._key, wire.pad(wire.encode(entry)), head)

    def _unseal(self, sealed: bytes) -> tuple[int, bytes, Look]:
        """(number, hash of the one before, content). Raises RecordsBroken."""
        if len(sealed) < HEAD.size or sealed[0] != 1:
            raise RecordsBroken("A look does not have the agreed form.")
        _, seq, before = HEAD.unpack_from(sealed)
        try:
            entry: Look = wire.decode(
                wire.unpad(open_box(self._key, sealed[HEAD.size :], sealed[: HEAD.size]))
            )
        except wire.WireError as error:
            raise RecordsBroken("A look does not have the agreed form.") from error
        return seq, before, entry

    def _index(self, entries: Any) -> None:
        with self._reading:
            self._db.execute("BEGIN")
            self._db.executemany(
                "INSERT OR REPLACE INTO look VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        *(
                            seq,
                            e["at"],
                            _raw(e["official"]) or b"",
                            _raw(e["office"]),
                            _raw(e["person"]) or b"",
                        ),
                        *(e["cost"], e["allowed"], sealed),
                    )
                    for seq, sealed, e in entries
                ),
            )
            self._db.execute("COMMIT")

    # Confirming ----------------------------------------------------------------------------------------

    def since(self, seq: int) -> list[Look]:
        """Sealed entries after a number, oldest first."""
        rows = self._rows("SELECT seq, sealed FROM look WHERE seq > ? ORDER BY seq LIMIT ?", seq, PAGE)
        return [{"seq": number, "sealed": sealed} for number, sealed in rows]

    def confirm(self, upto: int) -> None:
        """The journal has everything up to this number, with a receipt."""
        with self._lock:
            upto = min(upto, self._durable)
            if upto <= self._confirmed:
                return
            self._confirmed = upto
            while self._unconfirmed and self._unconfirmed[0][0] <= upto:
                self._unconfirmed.popleft()
        self._remember_confirmed(upto)

    def _remember_confirmed(self, upto: int) -> None:
        with self._reading:
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('confirmed', ?)", (upto,))

    @property
    def unconfirmed(self) -> int:
        """How many looks the journal does not have yet."""
        return len(self._unconfirmed)

    @property
    def overdue(self) -> bool:
        """Whether a look has waited too long for the journal: then officials open nothing."""
        with self._lock:
            return bool(self._unconfirmed) and self._unconfirmed[0][1] < self._clock() - self._limit

    # Reading -------------------------------------------------------------------------------------------

    def page(
        self,
        wanted: Sequence[Wanted],
        *,
        before: int | None = None,
        since_ms: int = 0,
        until_ms: int = _END,
        office: UUID | None = None,
        refused: bool = False,
        limit: int = PAGE,
    ) -> list[tuple[int, Look]]:
        """(number, look) of what others looked at, newest first; `before`: only older than this number.

        What is hidden is left out by the index itself, so that neither the length of a page nor its time tells of it.
        """
        if not wanted:
            return []
        whose, values = _any_of(wanted)
        where = [f"({whose})", "seq < ?", "at >= ?", "at < ?"]
        values += [before if before is not None else _END, since_ms, until_ms]
        if office is not None:
            where.append("office = ?")
            values.append(office.bytes)
        if refused:
            where.append("NOT allowed")
        sql = f"SELECT seq, sealed FROM look WHERE {' AND '.join(where)} ORDER BY seq DESC LIMIT ?"  # noqa: S608 - fixed texts
        return [(seq, self._unseal(sealed)[2]) for seq, sealed in self._rows(sql, *values, limit)]

    def one(self, wanted: Sequence[Wanted], seq: int) -> Look | None:
        """The look of this number if it is among those that `page` shows."""
        found = self.page(wanted, before=seq + 1, limit=1)
        return found[0][1] if found and found[0][0] == seq else None

    def offices_of(self, wanted: Sequence[Wanted]) -> list[UUID]:
        """The offices whose looks `page` shows."""
        if not wanted:
            return []
        whose, values = _any_of(wanted)
        sql = f"SELECT DISTINCT office FROM look WHERE ({whose}) AND office IS NOT NULL"  # noqa: S608 - fixed texts
        return [UUID(bytes=office) for (office,) in self._rows(sql, *values)]

    def any_between(self, person: UUID, office: UUID, since_ms: int, until_ms: int) -> bool:
        """Whether this office looked at this person in this time."""
        sql = "SELECT 1 FROM look WHERE person = ? AND office = ? AND at >= ? AND at < ? LIMIT 1"
        return bool(self._rows(sql, person.bytes, office.bytes, since_ms, until_ms))

    def nobodys_since(self, person: UUID, at: int) -> list[Look]:
        """Entries about a person that no official made (late grants, own downloads) since then, oldest first."""
        sql = "SELECT sealed FROM look WHERE person = ? AND official = x'' AND at > ? ORDER BY seq"
        return [self._unseal(sealed)[2] for (sealed,) in self._rows(sql, person.bytes, at)]

    def paid_since(self, official: UUID, person: UUID, at: int) -> bool:
        """Whether this official has spent budget on this person since then."""
        sql = (
            "SELECT 1 FROM look WHERE person = ? AND official = ? AND at > ? AND cost > 0 AND allowed LIMIT 1"
        )
        return bool(self._rows(sql, person.bytes, official.bytes, at))

    def looked_since(self, official: UUID, person: UUID, at: int, purpose: str) -> bool:
        """Whether this official opened this person's data for this purpose since then."""
        sql = "SELECT sealed FROM look WHERE person = ? AND official = ? AND at > ? AND allowed"
        rows = self._rows(sql, person.bytes, official.bytes, at)
        return any(self._unseal(sealed)[2]["purpose"] == purpose for (sealed,) in rows)

    def spent_since(self, at: int) -> list[tuple[int, UUID, UUID | None, int]]:
        """(at, official, office, cost) of allowed looks, oldest first."""
        sql = "SELECT at, official, office, cost FROM look WHERE at > ? AND cost > 0 AND allowed ORDER BY at"
        return [
            (when, UUID(bytes=official), UUID(bytes=office) if office else None, cost)
            for when, official, office, cost in self._rows(sql, at)
        ]

    def segments_since(self, at: int) -> list[int]:
        """When segment keys were given out, oldest first: entries with neither official nor person."""
        sql = "SELECT at FROM look WHERE at > ? AND official = x'' AND person = x'' AND allowed ORDER BY at"
        return [when for (when,) in self._rows(sql, at)]

    # Coming back after a loss --------------------------------------------------------------------------

    def restore(self, sealed: Sequence[bytes]) -> int:
        """Take looks back from the journal, oldest first; those that are here already are passed over.

        Each must open under our key, and follow the one before it or begin a log. They come from the journal and
        so count as confirmed. Gives the last number. Raises Refusal("looks").
        """
        try:
            entries = [(raw, *self._unseal(raw)) for raw in sealed]
        except RecordsBroken as error:
            raise Refusal("looks", "These looks were not written by this keeper.") from error
        new = []
        for raw, seq, before, entry in entries:
            stored = self._rows("SELECT sealed FROM look WHERE seq = ?", seq)
            if not stored:
                new.append((seq, raw, before, entry))
            elif stored[0][0] != raw:
                raise Refusal("looks", "Another look stands under one of these numbers.")
        hashes = {hashlib.sha256(raw).digest() for raw, _, _, _ in entries}
        for seq, _, before, _ in new:
            stored = self._rows("SELECT sealed FROM look WHERE seq < ? ORDER BY seq DESC LIMIT 1", seq)
            known = before in hashes or before == START
            if not known and not (stored and hashlib.sha256(stored[0][0]).digest() == before):
                raise Refusal("looks", "These looks do not follow each other.")
        if new:
            path = self._folder / f"restored-{new[0][0]}.log"
            with path.open("ab") as file:
                file.write(b"".join(struct.pack(">I", len(raw)) + raw for _, raw, _, _ in new))
                file.flush()
                os.fsync(file.fileno())
            self._index((seq, raw, entry) for seq, raw, _, entry in new)
            with self._lock:
                if not self._unconfirmed or new[-1][0] < self._unconfirmed[0][0]:
                    self._confirmed = max(self._confirmed, new[-1][0])
                confirmed = self._confirmed
            self._remember_confirmed(confirmed)  # else the next start would wait for the journal for ever
        return max(self._seq, new[-1][0] if new else 0)

    def close(self) -> None:
        """Close the files."""
        if self._fd >= 0:
            os.close(self._fd)
        self._db.close()

    def _open_files(self) -> None:
        """Find the end of the chain and index what is not indexed.

        Each start begins a new file, whose first entry follows the last whole one before it: so what a crash tore
        stays where it is, and no number is used again.
        """
        indexed = {row[0] for row in self._rows("SELECT seq FROM look")}
        own = sorted(self._folder.glob("looks-*.log"), key=_first)
        for path in [*self._folder.glob("restored-*.log"), *own]:
            missing = []
            for raw in _frames(path):
                _, seq, before = HEAD.unpack_from(raw)
                if path in own:
                    if before != self._before:
                        log.error("ALARM: %s was changed or its end is torn", path.name)
                        break
                    self._seq, self._before = seq, hashlib.sha256(raw).digest()
                if seq not in indexed:
                    try:
                        missing.append((seq, raw, self._unseal(raw)[2]))
                    except RecordsBroken:
                        log.error("ALARM: an entry of %s does not open", path.name)
                        break
            self._index(missing)

    def _meta(self, name: str) -> int:
        found = self._rows("SELECT value FROM meta WHERE name = ?", name)
        return int(found[0][0]) if found else 0

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._reading:
            return self._db.execute(sql, values).fetchall()


def _first(path: Path) -> int:
    return int(path.stem.split("-")[1])


def _frames(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    offset = 0
    while offset + 4 <= len(data):
        (length,) = struct.unpack_from(">I", data, offset)
        raw = data[offset + 4 : offset + 4 + length]
        if len(raw) < length or length < HEAD.size:
            return
        yield raw
        offset += 4 + length


def _raw(value: UUID | None) -> bytes | None:
    return None if value is None else value.bytes
