"""The keeper's home is deleted; two copies and the root key bring all of it back."""

import os
import shutil
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from kulla.keeper.errors import ConfigError, RecordsBroken
from kulla.keeper.keys import FileRootKey
from kulla.keeper.rebuild import rebuild_keeper
from kulla.keeper.records import RecordFile, Sealer
from kulla.keeper.testkit import RunningKeeper, keeper
from kulla.keeper.tests.conftest import Country
from kulla.keeper_client import Field, Refused, RegisterItem, SealedItem, connect

SERVICE = "appointments"
TODAY = datetime.now(ZoneInfo("Europe/Tirane")).date()


@pytest.fixture
def lived(tmp_path: Path) -> Iterator[Country]:
    with keeper(tmp_path) as running:
        client = connect(running.socket)
        yield Country(running, client)
        client.close()


def own(running: RunningKeeper) -> bytes:
    return (running.keeper_home / "records.log").read_bytes()


def test_everything_comes_back_from_two_copies(lived: Country) -> None:
    running, client = lived.running, lived.client
    arta, used = lived.sign_in(running.arta), running.vjosa.code()
    clerk = client.sign_in(
        running.vjosa.number, running.vjosa.password, used, network="192.0.2.9", device="t"
    )
    entered = client.enter(arta.token, SERVICE)
    me, row, ended = entered.person, uuid4(), lived.sign_in(running.arta)
    assert me
    [blob] = client.seal([Field("appointment", "reason", row, me, SERVICE, "dhimbje koke")])
    client.grant(entered.attestation, me, SERVICE, running.office_1, TODAY, uuid4())
    client.notify(me, SERVICE, "booked", entry := uuid4(), {"when": "nesër", "where": "Tiranë"})
    client.store_portal_keys({"checkpoint": b"\x07" * 32})
    client.end(ended.token)
    sealed = [SealedItem("appointment", "reason", row, me, SERVICE, blob)]
    assert client.open(clerk.token, [*sealed, RegisterItem(me, SERVICE, "name")], "day_list")[0].text
    looks = client.looks(0)
    client.looks_confirmed(looks[-1].seq)
    seen, inbox, keys = client.looked_at_me(arta.token), client.inbox(arta.token), client.public_keys()
    running.stop()
    before, templates = own(running), (running.keeper_home / "templates.json").read_text()

    shutil.rmtree(running.keeper_home)
    running.mirrors[0].stop()
    shutil.rmtree(running.mirrors[0].home / "keycopy")
    folders = [mirror.home for mirror in running.mirrors[1:]]
    told: list[tuple[int, int]] = []
    report = rebuild_keeper(
        running.keeper_home, folders, running.root_key, lambda done, total: told.append((done, total))
    )
    assert (report.people, report.sentences) == (6, [])
    assert told[-1] == (report.records, report.records)
    assert own(running) == before, "every record, byte for byte"
    (running.keeper_home / "templates.json").write_text(templates)
    (running.mirrors[0].home / "keycopy").mkdir()
    running.mirrors[0].start()
    running.start()

    assert client.public_keys() == keys
    assert client.portal_keys() == {"checkpoint": b"\x07" * 32}
    assert client.renew(arta.token).sid == arta.sid, "sessions go on"
    with pytest.raises(Refused):
        client.renew(ended.token)
    assert lived.sign_in(running.arta).role == "citizen", "the password that they had"
    with pytest.raises(Refused) as caught:
        client.sign_in(running.vjosa.number, running.vjosa.password, used, network="192.0.2.9", device="t")
    assert caught.value.code == "second_factor", "a code that was used before the loss stays used"
    assert lived.sign_in(running.ilir).office == running.office_2
    assert client.open(arta.token, sealed, "receipt")[0].text == "dhimbje koke"
    assert client.inbox(arta.token) == inbox
    client.notify(me, SERVICE, "booked", entry, {"when": "nesër", "where": "Tiranë"})
    assert client.inbox(arta.token) == inbox, "what was sent is not sent again"

    assert client.looked_at_me(arta.token) == [], "the log of looks comes back from the journal"
    client.restore_looks([look.sealed for look in looks])
    assert client.looked_at_me(arta.token) == seen
    client.restore_looks([look.sealed for look in looks])
    assert client.looked_at_me(arta.token) == seen, "handed back twice it stands once"
    assert client.open(clerk.token, sealed, "day_list")[0].text == "dhimbje koke", "the grant stands"
    assert client.looks(0)[-1].seq > looks[-1].seq


def test_looks_of_others_or_changed_ones_are_not_taken_back(lived: Country) -> None:
    client, running = lived.client, lived.running
    clerk = lived.sign_in(running.vjosa)
    for _ in range(3):
        client.find(clerk.token, "number", running.arta.number, SERVICE)
    looks = [look.sealed for look in client.looks(0)]
    running.stop()
    for path in (running.keeper_home / "log").iterdir():
        path.unlink()
    running.start()
    for wrong in ([b""], [b"x" * 200], [looks[0][:-1] + b"x"], [looks[1]], [looks[0], looks[2]]):
        with pytest.raises(Refused) as caught:
            client.restore_looks(wrong)
        assert caught.value.code == "looks"
    client.restore_looks(looks[:2])
    client.restore_looks(looks[1:])
    assert len(client.looked_at_me(lived.sign_in(running.arta).token)) == 3
    running.stop()
    running.start()
    assert client.status()["unconfirmed"] == 0, (
        "what came from the journal does not wait for it, nor close opening"
    )


def test_one_copy_gives_what_it_has_and_says_what_may_be_missing(lived: Country, tmp_path: Path) -> None:
    lived.sign_in(lived.running.arta)
    lived.running.stop()
    report = rebuild_keeper(tmp_path / "again", [lived.running.mirrors[1].url], lived.running.root_key)
    assert report.people == 6
    assert "Only one key copy" in report.sentences[-1]


def test_a_copy_that_lags_or_was_changed_does_no_harm(lived: Country, tmp_path: Path) -> None:
    running = lived.running
    running.mirrors[1].stop()
    lived.sign_in(running.arta)
    running.stop()
    running.mirrors[0].stop()
    [damaged] = (running.mirrors[2].home / "keycopy").glob("records-*.log")
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    folders = [mirror.home for mirror in running.mirrors]
    report = rebuild_keeper(tmp_path / "again", folders, running.root_key)
    assert (tmp_path / "again" / "records.log").read_bytes() == own(running)
    ends = [report.sources[str(folder)] for folder in folders]
    assert ends[0] > ends[1] > ends[2]
    assert any("damaged" in sentence for sentence in report.sentences)


def test_of_two_records_with_one_number_the_later_counts(lived: Country, tmp_path: Path) -> None:
    """Record N reached one copy only and was lost; the keeper wrote N anew. The dead end must not win."""
    import hashlib
    import struct

    running = lived.running
    running.stop()
    for mirror in running.mirrors:
        mirror.stop()
    file = RecordFile(running.keeper_home / "records.log")
    sealer = Sealer(FileRootKey(running.root_key))
    office = {"type": "office", "office": uuid4(), "name": "x"}
    dead_end = [sealer.seal(file.last + 1, b"a" * 16, file.last_hash, office)]
    dead_end.append(sealer.seal(file.last + 2, b"b" * 16, dead_end[0].hash, office))
    time.sleep(0.002)  # the keeper wrote it after a restart; times are in milliseconds
    counts = sealer.seal(file.last + 1, b"c" * 16, file.last_hash, office)
    file.append([counts])
    file.close()
    for number, records in ((0, dead_end), (1, [counts]), (2, [])):
        [path] = (running.mirrors[number].home / "keycopy").glob("records-*.log")
        with path.open("ab") as copy:
            for record in records:
                body = struct.pack(">Q", record.seq) + record.id + record.raw
                copy.write(struct.pack(">I", len(body)) + hashlib.sha256(body).digest() + body)
    report = rebuild_keeper(tmp_path / "again", [mirror.home for mirror in running.mirrors], running.root_key)
    assert (tmp_path / "again" / "records.log").read_bytes() == own(running)
    assert any("another than the one that counts" in sentence for sentence in report.sentences)


def add_to_copies(running: RunningKeeper, *bodies: dict[str, object]) -> None:
    """Records written by the root key's owner, straight into every stopped copy."""
    import hashlib
    import struct

    file = RecordFile(running.keeper_home / "records.log")
    sealer = Sealer(FileRootKey(running.root_key))
    for body in bodies:
        record = sealer.seal(file.last + 1, os.urandom(16), file.last_hash, body)
        file.append([record])
        framed = struct.pack(">Q", record.seq) + record.id + record.raw
        for mirror in running.mirrors:
            [path] = (mirror.home / "keycopy").glob("records-*.log")
            with path.open("ab") as copy:
                copy.write(struct.pack(">I", len(framed)) + hashlib.sha256(framed).digest() + framed)
    file.close()


def test_records_that_lack_something_are_named_and_passed_over(lived: Country, tmp_path: Path) -> None:
    running = lived.running
    lived.client.store_portal_keys({"cookie": b"\x07" * 32})
    running.stop()
    for mirror in running.mirrors:
        mirror.stop()
    odd = {"type": "portal_key", "name": "x" * 100_000, "wrapped": b"?"}
    bad: list[dict[str, object]] = [
        {"type": "portal_key"},
        {"type": "grant", "ref": None, "person": uuid4(), "office": uuid4(), "day": "2026-01-01"},
        {"type": "session_ended", "sid": ["x"], "at": 1},
        {"type": "person", "person": uuid4(), "profile": b"", "identifiers": 7},
        {"type": "guardian", "guardian": uuid4(), "ward": {}, "relation": 2**70},
    ]
    add_to_copies(running, odd, *bad, {"type": "office", "office": running.office_1, "name": "E re"})
    again = tmp_path / "again"
    report = rebuild_keeper(again, [mirror.home for mirror in running.mirrors], running.root_key)
    assert report.people == 6
    assert sum("passed over" in sentence for sentence in report.sentences) == len(bad)
    for mirror in running.mirrors:
        mirror.start()
    running.start()  # the living keeper takes the same records and goes on
    assert lived.client.portal_keys() == {"cookie": b"\x07" * 32}
    assert lived.sign_in(running.arta).role == "citizen"
    assert "records_passed_over" in lived.client.status()["alarms"]


def test_a_record_of_a_newer_keeper_is_not_passed_over(lived: Country, tmp_path: Path) -> None:
    running = lived.running
    running.stop()
    for mirror in running.mirrors:
        mirror.stop()
    add_to_copies(running, {"type": "credential_revoked", "person": uuid4()})
    with pytest.raises(RecordsBroken, match="does not know"):
        rebuild_keeper(tmp_path / "a", [running.mirrors[0].home], running.root_key)


def test_a_register_of_an_older_form_is_derived_anew(lived: Country) -> None:
    import sqlite3

    running, client = lived.running, lived.client
    arta = lived.sign_in(running.arta)
    me = client.enter(arta.token, SERVICE).person
    running.stop()
    db = sqlite3.connect(running.keeper_home / "register.sqlite3", isolation_level=None)
    db.execute("DROP TABLE office")
    db.execute("CREATE TABLE office (something_else)")
    db.execute("PRAGMA user_version = 0")
    db.close()
    running.start()
    assert client.enter(arta.token, SERVICE).person == me
    assert lived.sign_in(running.vjosa).office == running.office_1


def test_rebuild_refuses_what_it_must_not_do(lived: Country, tmp_path: Path) -> None:
    running = lived.running
    folders = [running.mirrors[0].home]
    with pytest.raises(ConfigError, match="move it away"):
        rebuild_keeper(running.keeper_home, folders, running.root_key)
    with pytest.raises(ConfigError, match="no key copy"):
        rebuild_keeper(tmp_path / "again", [tmp_path / "nowhere"], running.root_key)
    other = tmp_path / "other.key"
    other.write_text("ab" * 32)
    with pytest.raises(ConfigError, match="the key is another"):
        rebuild_keeper(tmp_path / "again", folders, other)
    with pytest.raises(ConfigError):
        rebuild_keeper(tmp_path / "again", folders, tmp_path / "missing.key")
    assert rebuild_keeper(tmp_path / "again", folders, running.root_key).people == 6
