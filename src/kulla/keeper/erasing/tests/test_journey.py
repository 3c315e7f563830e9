"""From the request to the end: what the copies, the keeper and a rebuilt one hold then, for whoever has all keys."""

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from kulla.journal.ids import now_ms
from kulla.journal.tombstone import DAY
from kulla.journal.wire import seal_with_ticket
from kulla.keeper.comparing import compare_keeper
from kulla.keeper.erasing import rows
from kulla.keeper.erasing.finding import names
from kulla.keeper.erasing.tests.conftest import Lab
from kulla.keeper.errors import KeeperError
from kulla.keeper.keys import FileRootKey, KeyRing, WrappedKey, expand, open_box
from kulla.keeper.rebuild import rebuild_keeper, source_of
from kulla.keeper.records import Record, RecordFile, Sealer
from kulla.keeper.sign_in import Origin
from kulla.keeper.testkit import ARTA, BESA, DRITAN, invented
from kulla.keeper.vault import Cell

SERVICE = "appointments"
HERE = Origin("192.0.2.1", "a test", "sq")
OTHER = invented(5)[0]["number"]


def live_a_little(lab: Lab) -> tuple[Cell, bytes, bytes]:
    """Arta uses the portal; gives a sealed field of hers, and claims as they stand sealed in the journal."""
    keeper, arta = lab.keeper, lab.person(ARTA.number)
    keeper.sign_in.by_password(ARTA.number, ARTA.password, None, HERE)
    pseudonym = keeper.people.pseudonym(arta, SERVICE)
    cell = Cell("appointment", "reason", uuid4(), arta, pseudonym, SERVICE)
    blob = keeper.vault.seal_field(cell, "dhimbje koke")
    [ticket] = keeper.people.mint(arta, SERVICE, 1)
    tomorrow = keeper.people.today() + timedelta(days=100)
    offered = keeper.mandates.offer(lab.live(OTHER), ["health"], tomorrow)
    keeper.mandates.accept(lab.live(ARTA.number), offered.code)
    keeper.mandates.confirm(lab.live(OTHER), offered.id)
    keeper.mandates.offer(lab.live(ARTA.number), ["health"], tomorrow)
    return (
        cell,
        blob,
        seal_with_ticket(ticket["id"], ticket["key"], ticket["wrapped"], b"Claims of a receipt"),
    )


def opened(lab: Lab) -> Iterator[tuple[str, Record, dict[str, Any]]]:
    """All that a thief with the root key reads: of each copy's folder, and of the keeper's own file."""
    root = FileRootKey(lab.running.root_key)
    sealer = Sealer(root)
    for mirror in lab.mirrors:
        for record in source_of(mirror.home, root):
            yield mirror.name, record, sealer.open(record)
    path = lab.running.keeper_home / "copied.log"
    shutil.copy(lab.running.keeper_home / "records.log", path)
    file, at = RecordFile(path), 1
    while found := file.read(at):
        for record in found:
            yield "keeper", record, sealer.open(record)
        at = found[-1].seq + 1
    file.close()
    for each in lab.running.keeper_home.glob("copied.log*"):
        each.unlink()


def everything(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a register."""
    with sqlite3.connect(path) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        kept = [each for each in tables if each not in {"meta", "ended_here", "pseudonym"}]
        return {each: sorted(db.execute(f"SELECT * FROM {each}").fetchall(), key=repr) for each in kept}  # noqa: S608


def test_after_the_delay_nothing_opens_and_nothing_leads_to_the_person(lab: Lab, tmp_path: Path) -> None:
    keeper, arta = lab.keeper, lab.person(ARTA.number)
    cell, blob, claims = live_a_little(lab)
    assert keeper.vault.open_claims(arta, cell.pseudonym, SERVICE, claims)[0] == "Claims of a receipt"
    before = keeper.vault.open_field(cell, blob)
    other = lab.person(DRITAN.number)
    theirs = Cell("appointment", "reason", uuid4(), other, keeper.people.pseudonym(other, SERVICE), SERVICE)
    their_blob = keeper.vault.seal_field(theirs, "e tjetra")
    needles = keeper.register.inside(lambda db: rows.own_names(db, arta))
    marks = {
        mark for (mark,) in keeper.register.rows("SELECT mark FROM identifier WHERE person = ?", arta.bytes)
    }
    backup = tmp_path / "backup"
    shutil.copytree(lab.mirrors[2].home / "keycopy", backup)

    request = lab.agree()
    lab.tend()
    stones = lab.unsigned()
    assert stones
    assert keeper.erasing.standing(request)["state"] == "waiting"
    assert set(lab.send(*stones)) == {202}
    lab.days_later(29)
    lab.tend()
    assert keeper.vault.open_field(cell, blob) == before == "dhimbje koke", "29 days: nothing is destroyed"
    keeper.sign_in.by_password(ARTA.number, ARTA.password, None, HERE)
    lab.days_later(31)
    lab.tend()
    assert keeper.erasing.standing(request)["state"] == "erased"

    # The keeper itself.
    for attempt in (
        lambda: keeper.vault.open_field(cell, blob),
        lambda: keeper.people.person(cell.pseudonym, SERVICE),
        lambda: keeper.vault.open_claims(arta, cell.pseudonym, SERVICE, claims),
        lambda: keeper.people.profile(arta),
        lambda: keeper.sign_in.by_password(ARTA.number, ARTA.password, None, HERE),
    ):
        with pytest.raises(KeeperError):
            attempt()
    assert keeper.people.by_marks(marks) is None
    assert keeper.vault.open_field(theirs, their_blob) == "e tjetra", "others' fields open as before"
    assert lab.person(OTHER)
    assert keeper.people.field(lab.person(BESA.number), "name") == BESA.name

    # A thief with the root key and the number, in every copy and in the keeper's file.
    ring = KeyRing(FileRootKey(lab.running.root_key))
    seen: dict[str, int] = {}
    for where, record, body in opened(lab):
        seen[where] = seen.get(where, 0) + 1
        assert not names(body, marks), f"{where}: record {record.seq} ({body['type']}) holds a mark"
        assert body["type"] not in {"data_key", "person", "people", "profile"} or not names(body, needles), (
            where
        )
        if body["type"] == "system_key" and body["name"].startswith("year:"):
            ring.add_year(int(body["name"].removeprefix("year:")), body["wrapped"])
        if body["type"] == "data_key":
            key = WrappedKey(
                *(body[name] for name in ("id", "person", "retention", "year", "wrapped", "commitment"))
            )
            with pytest.raises(KeeperError):
                opened_key = ring.open_data_key(key)
                open_box(expand(opened_key, f"fields {SERVICE}"), blob[9:], cell.associated(blob[1:9]))
    assert len(seen) == 4
    assert len(set(seen.values())) == 1
    files = [path for path in lab.running.keeper_home.rglob("*") if path.is_file()]
    files += [path for mirror in lab.mirrors for path in (mirror.home / "keycopy").iterdir()]
    for path in files:
        data = path.read_bytes()
        assert not any(mark in data for mark in marks), f"{path.name} holds a mark"
        if path.name.startswith("register"):
            assert arta.bytes not in data, "the register's file holds nothing of what was deleted"
            assert cell.pseudonym.bytes not in data

    # A second round takes what was written while the first waited: the sign-in, the notice of the decision.
    rest = [path for path in lab.unsigned() if path not in stones]
    assert rest
    assert set(lab.send(*rest)) == {202}
    lab.days_later(62)
    lab.tend()
    for where, record, body in opened(lab):
        assert not names(body, needles - {request.bytes}), f"{where}: record {record.seq} ({body['type']})"

    # Living and rebuilt registers are the same, also when one of the copies is an old backup.
    living = everything(lab.running.keeper_home / "register.sqlite3")
    lab.close()
    told: list[str] = []
    homes = [mirror.home for mirror in lab.mirrors]
    rebuilt = tmp_path / "rebuilt"
    report = rebuild_keeper(rebuilt, homes, lab.running.root_key, at_ms=lab_now(62))
    assert report.sentences == []
    assert everything(rebuilt / "register.sqlite3") == living
    compare_keeper(lab.running.keeper_home, lab.running.root_key, homes, told.append, at_ms=lab_now(62))
    lab.mirrors[2].stop()
    shutil.rmtree(lab.mirrors[2].home / "keycopy")
    shutil.copytree(backup, lab.mirrors[2].home / "keycopy")
    again = tmp_path / "again"
    rebuild_keeper(again, homes[1:], lab.running.root_key, at_ms=lab_now(62))
    assert everything(again / "register.sqlite3") == living
    assert (again / "records.log").read_bytes() == (rebuilt / "records.log").read_bytes()
    assert not any(mark in path.read_bytes() for path in again.glob("re*") for mark in marks)
    assert told == []


def lab_now(days: int) -> int:
    return now_ms() + days * DAY
