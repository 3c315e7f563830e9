"""Comparing a keeper's own records and register with the key copies: what was changed behind their back is named.

1. The register is copied at one moment (SQLite's own backup, so the keeper goes on); it says which record it ends with.
2. The copies give the true chain up to there: what opens under the root key and continues it (rebuild.py).
3. Each record of the keeper's file must be the same bytes; a copy that holds another is named too.
4. A register derived anew from the true records must have the same rows as the copy of the living one.
Writes nothing in the keeper's home.
"""

import hashlib
import os
import sqlite3
import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, takewhile
from pathlib import Path
from typing import Any
from uuid import UUID

from kulla.keeper.erasing.plans import sweep
from kulla.keeper.errors import RecordsBroken
from kulla.keeper.keys import FileRootKey, KeyRing
from kulla.keeper.kinds import Body
from kulla.keeper.people import derive_pseudonyms
from kulla.keeper.rebuild import BATCH, Rebuilt, Truth, judge_of, source_of
from kulla.keeper.records import HEAD, WRITTEN, Record, Sealer, parse
from kulla.keeper.register import Register
from kulla.keeper.vault import Vault

NAMED = 1_000  # rows of a table that are named one by one; the others are counted
_OWN = {"meta", "ended_here", "passed_over"}  # no record stands behind these
_DERIVED = {
    "pseudonym"
}  # derived when a service is first entered: living tables may lack some, never have others
Say = Callable[[str], None]
Row = tuple[Any, ...]


@dataclass
class ComparedKeeper:
    """What was compared."""

    records: int = 0
    rows: int = 0
    differences: int = 0


def compare_keeper(
    home: Path,
    root_key: Path,
    copies: Sequence[str | Path],
    say: Say,
    rest: Callable[[], None] = lambda: None,
    scratch: Path | None = None,
    at_ms: int | None = None,
) -> ComparedKeeper:
    """Name each difference. `copies` as for `rebuild_keeper`; `rest` is called after each piece of work.
    scratch: where two files of the register's size may lie meanwhile (default: the system's temporary folder). at_ms:
    the time by which tombstones are judged (default: now).

    Raises ConfigError when no copy can be read or the root key is another's, KeeperError.
    """
    done = ComparedKeeper()

    def tell(sentence: str) -> None:
        done.differences += 1
        say(sentence)

    root = FileRootKey(root_key)
    sealer = Sealer(root)
    with tempfile.TemporaryDirectory(prefix="kulla-compare-keeper-", dir=scratch) as folder:
        living = Path(folder) / "living.sqlite3"
        last, last_hash = _copy(home / "register.sqlite3", living)
        derived = Register(Path(folder) / "derived.sqlite3", sealer)
        report = Rebuilt()
        judge = judge_of(copies, root, at_ms)
        try:
            readers = {str(copy): source_of(copy, root) for copy in copies}
            truth = takewhile(
                lambda pair: pair[0].seq <= last, Truth(readers, sealer, report, judge).records()
            )
            done.records = _records(home / "records.log", truth, derived, last, tell, rest)
            if done.records < last:
                tell(
                    f"The register says that it holds {last} records; the key copies have {done.records} of them."
                )
            elif derived.applied[1] != last_hash:
                tell(f"The register says that it ends with another record {last} than the key copies hold.")
            for sentence in report.sentences:
                tell(f"A key copy differs: {sentence}")
            derived.forget(sweep)
            derive_pseudonyms(derived, Vault(derived, KeyRing(root), committer=None))
        finally:
            derived.close()
        again = {str(copy): source_of(copy, root) for copy in copies}
        bodies = takewhile(lambda pair: pair[0].seq <= last, Truth(again, sealer, Rebuilt(), judge).records())
        done.rows = _rows(living, Path(folder) / "derived.sqlite3", bodies, tell)
    return done


def _copy(path: Path, target: Path) -> tuple[int, bytes]:
    """Copy a living register; number and hash of the last record in it."""
    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(target)) as copied,
    ):
        source.backup(copied)
        meta = dict(copied.execute("SELECT name, value FROM meta WHERE name LIKE 'applied%'").fetchall())
    return int(meta.get("applied", 0)), bytes(meta.get("applied_hash", b""))


def _records(
    path: Path,
    truth: Iterator[tuple[Record, Body]],
    derived: Register,
    last: int,
    tell: Say,
    rest: Callable[[], None],
) -> int:
    """The file beside the true chain, which also goes into `derived`; how many true records there were."""
    own, seq = _own_records(path), 0
    while batch := list(islice(truth, BATCH)):
        for record, _ in batch:
            seq = record.seq
            raw = next(own, None)
            if raw is None:
                if seq <= last:
                    tell(f"Record {seq} is missing in the keeper's file: its file was cut off before it.")
                    own = iter(())
                    last = seq - 1  # the others are missing too, and are not named
            elif not _same(raw, record):
                tell(
                    f"Record {seq} was changed in the keeper's file behind the copies' back: {_why(raw, seq)}."
                )
        derived.apply([record for record, _ in batch], [body for _, body in batch])
        rest()
    return seq


def _own_records(path: Path) -> Iterator[bytes]:
    """The records' bytes as they stand in a living file; a torn end is no record."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        while len(head := file.read(4)) == 4:
            length = struct.unpack(">I", head)[0]
            if length > size - file.tell():
                return
            yield file.read(length)


def _same(raw: bytes, record: Record) -> bool:
    """Whether these bytes are that record: the head covers the box by its hash, so a box that was destroyed on one
    side only (an erasure on its way) is no change."""
    try:
        return raw == record.raw or parse(raw).hash == record.hash
    except RecordsBroken:
        return False


def _why(raw: bytes, seq: int) -> str:
    try:
        record = parse(raw)
    except RecordsBroken as error:
        return str(error).rstrip(".").lower()
    digest = hashlib.sha256(raw[: HEAD.size]).hexdigest()[:12]
    return f"the copies hold another record {seq} than {digest} (number {record.seq})"


def _rows(living: Path, derived: Path, truth: Iterator[tuple[Record, Body]], tell: Say) -> int:
    """Rows that only one of the two registers has, with the record that says otherwise; how many were compared."""
    with closing(sqlite3.connect(derived)) as db:
        db.execute("ATTACH ? AS living", [str(living)])
        tables = {name for (name,) in db.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")}
        theirs = {
            name for (name,) in db.execute("SELECT name FROM living.sqlite_master WHERE type = 'table'")
        }
        odd: list[tuple[str, str, tuple[Any, ...]]] = []
        total = 0
        for table in sorted(tables - _OWN):
            if table not in theirs:
                tell(f"The register's table {table} as a whole is missing.")
                continue
            total += db.execute(f"SELECT count(*) FROM living.{table}").fetchone()[0]  # noqa: S608
            odd += _differing(db, table, tell)
        said = _who_says(odd, truth)
    for table, how, key in odd:
        name = said.get((table, key))
        words = f"{name} says otherwise" if name else "no record holds it"
        tell(f"{table} {_words(key)} of the register was {how} behind the records' back: {words}.")
    return total


def _differing(db: sqlite3.Connection, table: str, tell: Say) -> list[tuple[str, str, Row]]:
    columns = db.execute(f"PRAGMA main.table_info({table})").fetchall()
    keys = [name for _, name, *_, place in sorted(columns, key=lambda column: column[5]) if place]
    places = [[column[1] for column in columns].index(name) for name in keys]
    if [column[1] for column in db.execute(f"PRAGMA living.table_info({table})").fetchall()] != [
        column[1] for column in columns
    ]:
        tell(f"The register's table {table} as a whole has other columns than this keeper's.")
        return []
    found: dict[Row, set[str]] = {}
    for side, other, word in (("living", "main", "here"), ("main", "living", "there")):
        if word == "there" and table in _DERIVED:
            continue
        sql = f"SELECT * FROM {side}.{table} EXCEPT SELECT * FROM {other}.{table} LIMIT {NAMED + 1}"  # noqa: S608
        for row in db.execute(sql):
            found.setdefault(tuple(row[place] for place in places), set()).add(word)
    if len(found) > NAMED:
        tell(f"The register's table {table} as a whole is another: more than {NAMED} rows differ.")
    how = {frozenset({"here"}): "added", frozenset({"there"}): "deleted"}
    return [(table, how.get(frozenset(sides), "changed"), key) for key, sides in islice(found.items(), NAMED)]


def _who_says(
    odd: Sequence[tuple[str, str, Row]], truth: Iterator[tuple[Record, Body]]
) -> Mapping[tuple[str, Row], str]:
    """(table, key) -> the last record that names all parts of that key."""
    wanted = [(table, key, {_plain(part) for part in key}) for table, _, key in odd]
    said: dict[tuple[str, Row], str] = {}
    if not wanted:
        return said
    parts = set[Any]().union(*(each for _, _, each in wanted))
    for record, body in truth:
        values = set(_values(body))
        if not values & parts:
            continue
        for table, key, needed in wanted:
            if needed <= values or (
                len(needed) > 1 and (table, key) not in said and _plain(key[0]) in values
            ):
                at = datetime.fromtimestamp(body[WRITTEN] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
                said[table, key] = f"record {record.seq} ({body.get('type')}, {at})"
    return said


def _values(value: object) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _values(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _values(inner)
    elif isinstance(value, UUID | bytes | str | int):
        yield _plain(value)


def _plain(value: object) -> object:
    return value.bytes if isinstance(value, UUID) else value


def _words(key: Row) -> str:
    return "/".join(
        str(UUID(bytes=part)) if isinstance(part, bytes) and len(part) == 16 else
        part.hex() if isinstance(part, bytes) else str(part)
        for part in key
    )  # fmt: skip
