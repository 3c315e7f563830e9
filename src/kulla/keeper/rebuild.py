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

from kulla.keeper.config import Copy
from kulla.keeper.copies import CopyConnection, CopyUnreachable
from kulla.keeper.errors import ConfigError, KeeperError, RecordsBroken
from kulla.keeper.keys import FileRootKey, KeyRing, RootKey, copies_signer
from kulla.keeper.kinds import Body
from kulla.keeper.people import derive_pseudonyms
from kulla.keeper.records import START, WRITTEN, Record, RecordFile, Sealer, parse
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
) -> Rebuilt:
    """Make `home` anew from key copies, given as addresses (the mirror runs) or folders (operators/N or its keycopy/).

    Settings come back from the records too; `copies_run_at` replaces the copies' addresses in them. Looks come
    back later, when the portal hands them over (`restore_looks`). Raises ConfigError when there is a keeper in
    `home`, no source can be read, or the root key is another's.
    """
    if (home / "records.log").exists():
        raise ConfigError(f"There is a keeper in {home} already: move it away first.")
    root = FileRootKey(root_key)
    sealer = Sealer(root)
    readers = {str(source): source_of(source, root) for source in copies}
    (home / "log").mkdir(parents=True, exist_ok=True, mode=0o700)
    report = Rebuilt(sources=dict.fromkeys(readers, 0))
    file = RecordFile(home / "records.log")
    register = Register(home / "register.sqlite3", sealer)
    try:
        settings = _take(Truth(readers, sealer, report), file, register, progress)
        if not file.last or settings is None:
            raise ConfigError(
                "No record could be read: these are no copies of this keeper, or the key is another."
            )
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

    def __init__(self, readers: dict[str, Iterator[Record]], sealer: Sealer, report: Rebuilt) -> None:
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
                if head.raw == record.raw:
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
            elif not any(head.raw == record.raw for record, _ in found):
                try:
                    found.append((head, self._sealer.open(head)))
                except RecordsBroken:
                    self._drop(name, f"record {seq} does not open under this root key")
        return max(found, key=lambda pair: int(pair[1][WRITTEN]), default=None)

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
