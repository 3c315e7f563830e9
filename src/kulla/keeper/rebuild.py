"""Bringing a lost keeper back from the key copies and the root key.

Records are sealed under the root key and chained, so whatever opens and continues the chain is genuine, from
whichever copy it comes. Of two copies at least one has every record that counted.
"""

import hashlib
import json
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from kulla.journal.ids import now_ms
from kulla.keeper.config import Copy
from kulla.keeper.copies import CopyConnection, CopyUnreachable
from kulla.keeper.erasing.judge import Judge, in_folder, known_officers
from kulla.keeper.erasing.plans import sweep
from kulla.keeper.errors import ConfigError, KeeperError, RecordsBroken
from kulla.keeper.keys import FileRootKey, KeyRing, RootKey, copies_signer
from kulla.keeper.kinds import Body
from kulla.keeper.people import derive_pseudonyms
from kulla.keeper.records import HEAD, START, WRITTEN, Record, RecordFile, Sealer, parse
from kulla.keeper.register import Register
from kulla.keeper.vault import Vault

Progress = Callable[[int, int], None]
BATCH = 1000


@dataclass
class Rebuilt:
    """What came back. `sources` tells the last record of each; `sentences` what a person must know."""

    records: int = 0
    people: int = 0
    sources: dict[str, int] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)


def rebuild_keeper(
    home: Path,
    copies: Sequence[str | Path],
    root_key: Path,
    progress: Progress | None = None,
    *,
    copies_run_at: Sequence[str] = (),
    at_ms: int | None = None,
) -> Rebuilt:
    """Make `home` anew from key copies, given as addresses (the mirror runs) or folders (operators/N or its keycopy/).

    Settings come back from the records too; `copies_run_at` replaces the copies' addresses in them. Looks come
    back later, when the portal hands them over (`restore_looks`). A blank record is taken where a valid tombstone
    covers it, a full one becomes blank where it was destroyed; `at_ms` is the time to judge by (default: now).
    Raises ConfigError when there is a keeper in `home`, no source can be read, or the root key is another's.
    """
    if (home / "records.log").exists():
        raise ConfigError(f"There is a keeper in {home} already: move it away first.")
    root = FileRootKey(root_key)
    sealer = Sealer(root)
    readers = {str(source): source_of(source, root) for source in copies}
    (home / "log").mkdir(parents=True, exist_ok=True, mode=0o700)
    report = Rebuilt(sources=dict.fromkeys(readers, 0))
    judge = judge_of(copies, root, at_ms)
    file = RecordFile(home / "records.log")
    register = Register(home / "register.sqlite3", sealer)
    try:
        settings = _take(Truth(readers, sealer, report, judge), file, register, progress)
        if not file.last or settings is None:
            raise ConfigError(
                "No record could be read: these are no copies of this keeper, or the key is another."
            )
        register.forget(sweep)
        _derive(register, root)
        report.records = file.last
        row = register.one("SELECT count(*) FROM person")
        report.people = row[0] if row else 0
        report.sentences += [
            f"Record {seq} lacks something: it was passed over and stays among the records."
            for seq in register.passed_over
        ]
    finally:
        register.close()
        file.close()
        if not file.last:
            for path in (*home.glob("records.log*"), *home.glob("register.sqlite3*")):
                path.unlink()
    _write_settings(home, settings, root_key, copies_run_at)
    _explain(report)
    return report


class Truth:
    """At each number the record that continues the chain, from whichever source has it."""

    def __init__(
        self,
        readers: dict[str, Iterator[Record]],
        sealer: Sealer,
        report: Rebuilt,
        judge: Judge | None = None,
    ) -> None:
        """Without a judge no record may be blank."""
        self._may = judge.may if judge else set[bytes]()
        self._must = judge.must if judge else set[bytes]()
        self._readers, self._sealer, self._report = readers, sealer, report
        self._heads: dict[str, Record] = {}
        for name in readers:
            self._advance(name)

    def records(self) -> Iterator[tuple[Record, Body]]:
        """(record, body), in order, until no source goes on."""
        seq, before = 1, START
        while chosen := self._choose(seq, before):
            yield chosen
            record = chosen[0]
            for name, head in list(self._heads.items()):
                if head.hash == record.hash:
                    self._report.sources[name] = seq
                    self._advance(name)
                elif head.seq <= seq:
                    self._drop(name, f"record {head.seq} is another than the one that counts")
            seq, before = seq + 1, record.hash

    def _choose(self, seq: int, before: bytes) -> tuple[Record, Body] | None:
        """Of two different records with one number the later written counts: the keeper wrote a number anew only
        after it had lost a record that never reached two copies."""
        found: list[tuple[Record, Body]] = []
        for name, head in list(self._heads.items()):
            if head.seq != seq or head.before != before:
                self._drop(name, f"record {head.seq} does not continue the chain")
            elif head.id in self._must or (head.blank and head.id in self._may):
                found.append(self._blanked(head))
            elif head.blank:
                continue  # damaged; told when it turns out whether another copy has it
            elif not any(head.raw == record.raw for record, _ in found):
                try:
                    found.append((head, self._sealer.open(head)))
                except RecordsBroken:
                    self._drop(name, f"record {seq} does not open under this root key")
        chosen = max(found, key=lambda pair: (pair[0].id in self._must, int(pair[1][WRITTEN])), default=None)
        for name, head in list(self._heads.items()):
            if head.blank and head.id not in self._may and (chosen is None or not chosen[0].blank):
                words = f"record {seq} is blank, and no valid tombstone says so"
                if chosen is None or head.hash != chosen[0].hash:
                    self._drop(name, words)
                else:
                    self._report.sentences.append(f"{name}: {words}; another copy's was taken.")
        return chosen

    def _blanked(self, record: Record) -> tuple[Record, Body]:
        blank = Record(record.seq, record.id, record.before, record.raw[: HEAD.size])
        return blank, self._sealer.open(blank)

    def _advance(self, name: str) -> None:
        self._heads.pop(name, None)
        try:
            if (record := next(self._readers[name], None)) is not None:
                self._heads[name] = record
        except KeeperError as error:
            self._report.sentences.append(f"{name}: {error}")

    def _drop(self, name: str, why: str) -> None:
        del self._heads[name]
        self._report.sentences.append(f"{name}: {why}; nothing after it was taken from there.")


def _take(
    merge: Truth, file: RecordFile, register: Register, progress: Progress | None
) -> dict[str, Any] | None:
    """Write what the merge gives, in batches; gives the settings that stand in the records."""
    settings: dict[str, Any] | None = None
    found = merge.records()
    while batch := list(islice(found, BATCH)):
        records, bodies = [record for record, _ in batch], [body for _, body in batch]
        file.append(records)
        register.apply(records, bodies)
        for body in bodies:
            if body["type"] == "settings":
                settings = json.loads(body["settings"])
        if progress:
            progress(file.last, file.last)
    return settings


def source_of(source: str | Path, root: RootKey) -> Iterator[Record]:
    """The records of one copy, given as an address or a folder. Raises ConfigError when there is none."""
    if str(source).startswith(("http://", "https://")):
        return _from_address(str(source), root)
    folder = Path(source)
    folder = folder if folder.name == "keycopy" else folder / "keycopy"
    if not folder.is_dir():
        raise ConfigError(f"There is no key copy in {source}.")
    return _from_folder(folder)


def judge_of(copies: Sequence[str | Path], root: RootKey, at_ms: int | None = None) -> Judge:
    """What the tombstones of all these copies allow and ask for.

    The officers' keys come from every `settings` record, which only this keeper can have sealed; the copies are read
    for them only where there are tombstones at all.
    """
    stones: list[list[dict[str, Any]]] = []
    for copy in copies:
        try:
            stones.append(_stones_of(copy, root))
        except CopyUnreachable:
            continue  # the reading of its records tells
    settings: list[dict[str, Any]] = []
    if any(stones):
        sealer = Sealer(root)
        for copy in copies:
            try:
                for record in source_of(copy, root):
                    body = {} if record.blank else sealer.open(record)
                    if body.get("type") == "settings":
                        settings.append(json.loads(body["settings"]))
            except KeeperError:
                continue
    ahead = max(
        (int(each.get("clock_ahead_s", 0)) for each in settings if each.get("demo") is True), default=0
    )
    judge = Judge(known_officers(settings), now_ms() + ahead * 1000 if at_ms is None else at_ms)
    for items in stones:
        judge.add(items)
    return judge


def _stones_of(source: str | Path, root: RootKey) -> list[dict[str, Any]]:
    if str(source).startswith(("http://", "https://")):
        connection = CopyConnection(Copy(str(source), str(source)), copies_signer(root))
        try:
            return connection.tombstones()
        finally:
            connection.close()
    folder = Path(source)
    return in_folder(folder if folder.name == "keycopy" else folder / "keycopy")


def _from_address(url: str, root: RootKey) -> Iterator[Record]:
    connection = CopyConnection(Copy(url, url), copies_signer(root))
    start = 1
    try:
        while records := connection.records(start):
            yield from records
            start = records[-1].seq + 1
    finally:
        connection.close()


def _from_folder(folder: Path) -> Iterator[Record]:
    """The mirror's own files (mirror/keycopy.py): u32 length ‖ SHA-256 ‖ (u64 seq ‖ 16 bytes id ‖ record)."""
    for path in sorted(folder.glob("records-*.log")):
        with path.open("rb") as file:
            while len(head := file.read(36)) == 36:
                body = file.read(struct.unpack_from(">I", head)[0])
                if hashlib.sha256(body).digest() != head[4:]:
                    raise CopyUnreachable(
                        f"{path.name} ends in a damaged record; what stands before it was read."
                    )
                yield parse(body[24:])


def _derive(register: Register, root: RootKey) -> None:
    """Pseudonyms have no records: they are computed for every person in every service that was ever entered."""
    derive_pseudonyms(register, Vault(register, KeyRing(root), committer=None))


def _write_settings(home: Path, settings: dict[str, Any], root_key: Path, urls: Sequence[str]) -> None:
    settings["root_key"] = os.path.relpath(root_key, home)
    if urls:
        settings["copies"] = [{"name": f"operator-{n}", "url": url} for n, url in enumerate(urls, 1)]
    (home / "keeper.json").write_text(json.dumps(settings, indent=2) + "\n")


def _explain(report: Rebuilt) -> None:
    ends = sorted(report.sources.values())
    if len(report.sources) < 2:
        report.sentences.append(
            "Only one key copy was read: records that counted on the two others alone may be missing at the end."
        )
    elif ends[0] < ends[-1]:
        report.sentences.append(
            f"The copies end at different records ({ends[0]} to {ends[-1]}); all were taken."
        )
