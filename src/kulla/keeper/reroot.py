"""The keeper's records under another root key: the same records, sealed and chained anew. Part of `kulla rotate`.

Record by record the same number, id, time and content; what stood wrapped under the old root key (system keys, keys of
years, the portal's keys) is wrapped under the new one. Data keys are wrapped under keys of years and stay as they are.
The key copies begin anew with the new chain, since they are asked in the name of the root key too. Whoever had the old
root key can open what he has taken, and nothing that is written from here on.
"""

import os
from pathlib import Path

from kulla.journal import wire
from kulla.keeper.errors import RecordsBroken
from kulla.keeper.keys import KeyRing, RootKey
from kulla.keeper.records import START, RecordFile, Sealer

_WRAPPED = {"system_key": "", "portal_key": "portal:"}  # kind of record: what stands before the name


def write_anew(home: Path, old: RootKey, new: RootKey) -> int:
    """Write HOME/records.new from records.log; how many records. Again: from the beginning. Raises RecordsBroken."""
    target = home / "records.new"
    for path in (target, target.with_name("records.new.index")):
        path.unlink(missing_ok=True)
    source, written = RecordFile(home / "records.log"), RecordFile(target)
    opener, sealer, before_ring, ring = Sealer(old), Sealer(new), KeyRing(old), KeyRing(new)
    before = START
    try:
        while records := source.read(written.last + 1):
            made = []
            for record in records:
                body = opener.open(record)
                prefix = _WRAPPED.get(str(body.get("type")))
                if prefix is not None:
                    name = f"{prefix}{body['name']}"
                    body["wrapped"] = ring.wrap_system(name, before_ring.unwrap_system(name, body["wrapped"]))
                made.append(sealer.seal_prepared(record.seq, record.id, before, wire.encode(body)))
                before = made[-1].hash
            written.append(made)
        if written.last != source.last:
            raise RecordsBroken(f"Only {written.last} of {source.last} records could be written anew.")
        return written.last
    finally:
        source.close()
        written.close()


def swap(home: Path, aside: Path) -> None:
    """Put HOME/records.new in the place of records.log, which goes to `aside`; the register is made anew from it at the
    next start. Again: what is left to do."""
    new, log = home / "records.new", home / "records.log"
    aside.mkdir(mode=0o700, exist_ok=True)
    if new.exists():
        if not (aside / log.name).exists():
            os.link(log, aside / log.name)
        new.replace(log)
    for name in ("records.log.index", "records.new.index"):
        (home / name).unlink(missing_ok=True)
    for path in home.glob("register.sqlite3*"):
        path.unlink()
