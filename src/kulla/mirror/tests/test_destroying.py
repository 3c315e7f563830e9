"""Tombstones carried out: after the wait, by valid ones only, whole after each crash, again after a restore."""

import hashlib
import json
import shutil
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import cbor2
import pytest

from kulla.journal.note import Signer, sign_note
from kulla.mirror import keycopy as keycopy_module
from kulla.mirror.alarms import Alarms
from kulla.mirror.config import Config, create_operator, load_config
from kulla.mirror.destroying import Destroying, replay
from kulla.mirror.frames import FrameFile
from kulla.mirror.keycopy import Conflict, KeyCopy, Record
from kulla.mirror.testkit import RunningMirror
from kulla.mirror.tests.client import ORIGIN, Client
from kulla.mirror.tests.conftest import ISSUERS, KEEPER, OBJECTOR, OFFICERS
from kulla.mirror.tests.test_tombstones import NOW, draw_up, listed, schedule
from kulla.mirror.tombstones import DAY, WAIT

AFTER = WAIT + DAY
HEAD = 89


def record(seq: int, secret: bytes) -> Record:
    """A record in the keeper's form; the mirror knows of it no more than where the head ends."""
    box, record_id = secret * 5, bytes([seq]) * 16
    head = struct.pack(">BQ16s32s32s", 1, seq, record_id, bytes(32), hashlib.sha256(box).digest())
    return seq, record_id, head + box


RECORDS = [record(seq, b"secret-%d" % seq) for seq in range(1, 10)]


class Stopped(Exception):
    """The power went."""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setattr(keycopy_module, "FILE_SIZE", 700)  # a few records a file
    home = tmp_path / "operator"
    create_operator(
        home,
        1,
        ORIGIN,
        Signer.generate(ORIGIN).vkey,
        KEEPER.vkey,
        0,
        officers=[officer.vkey for officer in OFFICERS],
        objectors=[OBJECTOR.vkey],
        hold_issuers=[issuer.vkey for issuer in ISSUERS],
    )
    return load_config(home / "operator.json")


def opened(config: Config, ahead: int = 0) -> tuple[KeyCopy, Destroying]:
    copy = KeyCopy(config.home / "keycopy")
    return copy, Destroying(config, copy, Alarms(config.home, config.name, None), lambda: NOW + ahead)


def close(parts: tuple[KeyCopy, Destroying]) -> None:
    parts[1].close()
    parts[0].close()


def bytes_of(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted((home / "keycopy").glob("records-*")))


def fill(config: Config, *stones: bytes) -> None:
    copy, destroying = parts = opened(config)
    for each in RECORDS:
        copy.put([each])
    assert len(list((config.home / "keycopy").glob("records-*.log"))) > 2
    for stone in stones:
        destroying.stones.schedule(stone, config.officers, NOW)
    close(parts)


def test_after_the_wait_the_boxes_are_gone_and_the_heads_stand(config: Config) -> None:
    fill(config, draw_up(), draw_up(record_ids=None, person_key=bytes([9]) * 16))
    parts = opened(config, WAIT - 1)
    assert [body for *_, body in parts[0].page(1)] == [body for *_, body in RECORDS], "not a moment too early"
    close(parts)
    copy, destroying = parts = opened(config, AFTER)
    page = copy.page(1)
    assert [body == full[2] for body, full in zip((r[2] for r in page), RECORDS, strict=True)] == [
        False, False, True, True, True, True, True, True, False,
    ]  # fmt: skip
    assert [page[0], page[8]] == [
        (1, RECORDS[0][1], RECORDS[0][2][:HEAD]),
        (9, RECORDS[8][1], RECORDS[8][2][:HEAD]),
    ]
    for seq in (1, 2, 9):
        assert b"secret-%d" % seq not in bytes_of(config.home)
    assert {each.state for each in destroying.stones.all()} == {"done"}
    assert list((config.home / "alarms").glob("destroyed-*.json"))
    assert copy.put([record(10, b"later")]) == 11, "the last file is still appended to"
    close(parts)
    again = opened(config, AFTER + DAY)
    assert again[0].page(1) == [*page, record(10, b"later")]
    assert again[1].pass_now() == 0
    close(again)


def test_the_full_record_again_is_known_and_changes_nothing(config: Config) -> None:
    fill(config, draw_up())
    copy, _ = parts = opened(config, AFTER)
    before = bytes_of(config.home)
    assert copy.put(RECORDS) == 10
    assert copy.put([(*RECORDS[4][:2], RECORDS[4][2][:HEAD])]) == 10, "nor does a blank one destroy anything"
    assert bytes_of(config.home) == before
    for wrong in (RECORDS[0][2] + b"x", record(1, b"another")[2], RECORDS[0][2][: HEAD - 1]):
        with pytest.raises(Conflict):
            copy.put([(1, RECORDS[0][1], wrong)])
    close(parts)


@pytest.mark.parametrize("step", ["written", "synced", "replaced"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_crash_at_each_step(config: Config, step: str, nth: int) -> None:
    fill(config, draw_up(record_ids=[RECORDS[0][1], RECORDS[8][1]]))
    copy, seen = KeyCopy(config.home / "keycopy"), []

    def stop(at: str) -> None:
        seen.append(at)
        if seen.count(step) == nth:
            raise Stopped

    with pytest.raises(Stopped):
        copy.blank({RECORDS[0][1], RECORDS[8][1]}, stop)
    copy.close()
    copy = KeyCopy(config.home / "keycopy")
    for stands, full in zip(copy.page(1), RECORDS, strict=True):
        assert stands[2] in {full[2], full[2][:HEAD]}
    copy.close()
    parts = opened(config, AFTER)
    assert [len(body) == HEAD for *_, body in parts[0].page(1)] == [n in {0, 8} for n in range(9)]
    assert not list((config.home / "keycopy").glob("*.blank"))
    close(parts)


def test_a_restored_backup_is_blanked_before_it_is_served(config: Config, tmp_path: Path) -> None:
    fill(config)
    shutil.copytree(config.home / "keycopy", tmp_path / "backup")  # older than the tombstone
    _, destroying = parts = opened(config)
    destroying.stones.schedule(draw_up(), config.officers, NOW)
    close(parts)
    close(opened(config, AFTER))
    # Only the records came from the backup: the tombstone says that it was carried out, and is carried out again.
    for path in (tmp_path / "backup").glob("records-*.log"):
        shutil.copy(path, config.home / "keycopy" / path.name)
    assert b"secret-1" in bytes_of(config.home)
    close(opened(config, AFTER))
    assert b"secret-1" not in bytes_of(config.home)
    # All of it came from the backup: the operator takes another copy's tombstones, with the time at which they came.
    shutil.copytree(config.home / "keycopy", tmp_path / "another")
    shutil.rmtree(config.home / "keycopy")
    shutil.copytree(tmp_path / "backup", config.home / "keycopy")
    assert replay(config, tmp_path / "another/tombstones.log") == 1
    assert replay(config, tmp_path / "another/tombstones.log") == 0
    close(opened(config, AFTER))
    assert b"secret-1" not in bytes_of(config.home)


def test_what_a_torn_end_left_aside_goes_too(config: Config) -> None:
    fill(config, draw_up())
    torn = config.home / "keycopy/records-1.log.torn-1"
    torn.write_bytes(RECORDS[0][2])
    close(opened(config, AFTER))
    assert not torn.exists()


def test_an_officer_dismissed_during_the_wait_destroys_nothing(config: Config) -> None:
    fill(config, draw_up())
    path = config.home / "operator.json"
    raw = json.loads(path.read_text())
    raw["erasure_officers"] = raw["erasure_officers"][1:]
    path.write_text(json.dumps(raw))
    parts = opened(load_config(path), AFTER)
    assert all(len(body) > HEAD for *_, body in parts[0].page(1))
    assert [each.state for each in parts[1].stones.all()] == ["pending"]
    assert list((config.home / "alarms").glob("tombstone-*.json"))
    close(parts)


def test_a_record_of_an_unknown_version_is_not_touched(config: Config) -> None:
    copy = KeyCopy(config.home / "keycopy")
    copy.put([(1, bytes(16), b"\x02 another form")])
    with pytest.raises(Exception, match="cannot blank"):
        copy.blank({bytes(16)})
    assert copy.page(1)[0][2] == b"\x02 another form"
    copy.close()


def notes(kind: str, ident: str, *signers: Signer, reason: str = "case 7") -> bytes:
    return sign_note(f"{kind}\n{ident}\n{reason}\n", *(s.sign for s in signers)).encode()


def ahead(mirror: RunningMirror, client: Client, seconds: int) -> None:
    """The mirror is restarted with its clock ahead."""
    mirror.stop()
    client.close()
    path = mirror.home / "operator.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"demo": True, "clock_ahead_s": seconds}))
    mirror.start()


def held_records(client: Client) -> list[bytes]:
    answer = client.signed(KEEPER.key, "GET", "/keycopy/records?from=1")
    return [raw for _, _, raw in cbor2.loads(answer.body)]


def test_a_hold_suspends_and_only_its_issuer_lifts_it(mirror: RunningMirror, client: Client) -> None:
    put = cbor2.dumps([list(each) for each in RECORDS])
    assert client.signed(KEEPER.key, "POST", "/keycopy/put", put).status == 200
    ident = schedule(client, draw_up()).text.split()[0]

    def send(note: bytes) -> int:
        return client.send("POST", "/keycopy/hold", note).status

    hold, lift = "kulla-hold/1", "kulla-hold-lifted/1"
    for stranger in (OFFICERS[0], KEEPER, OBJECTOR, Signer.generate(ISSUERS[0].name)):
        assert send(notes(hold, ident, stranger)) == 403
    assert send(notes("kulla-objection/1", ident, ISSUERS[0])) == 403
    assert send(notes(hold, "0" * 64, ISSUERS[0])) == 404
    first = notes(hold, ident, ISSUERS[0])
    assert [send(first), send(first)] == [200, 200]
    assert [listed(client)[0][name] for name in ("state", "held")] == ["held", 1]
    for other in (ISSUERS[1], OFFICERS[0], KEEPER):
        assert send(notes(lift, ident, other)) in {403, 409}
    ahead(mirror, client, AFTER // 1000)
    assert held_records(client) == [full for *_, full in RECORDS], "held: not carried out though due"
    assert send(notes(hold, ident, ISSUERS[1])) == 200
    assert send(notes(lift, ident, ISSUERS[0])) == 200
    assert send(first) == 200
    assert listed(client)[0]["held"] == 1, "the first hold sent again does not come back; the second stands"
    ahead(mirror, client, AFTER // 1000)
    assert held_records(client) == [full for *_, full in RECORDS]
    assert send(notes(lift, ident, ISSUERS[1])) == 200
    ahead(mirror, client, AFTER // 1000)
    assert [len(raw) for raw in held_records(client)[:3]] == [HEAD, HEAD, len(RECORDS[2][2])]
    assert listed(client)[0]["state"] == "done"
    assert send(notes(hold, ident, ISSUERS[0], reason="too late")) == 409


def test_a_flood_of_bad_ones_destroys_nothing_and_raises_the_alarm(
    mirror: RunningMirror, client: Client
) -> None:
    put = cbor2.dumps([list(each) for each in RECORDS])
    assert client.signed(KEEPER.key, "POST", "/keycopy/put", put).status == 200
    forged: list[Callable[[int], bytes]] = [
        lambda n: draw_up(OFFICERS[:1], record_ids=[bytes([n]) * 16]),
        lambda n: draw_up([OFFICERS[0], OFFICERS[0]], record_ids=[bytes([n]) * 16]),
        lambda n: draw_up([OFFICERS[0], Signer.generate(OFFICERS[1].name)], record_ids=[bytes([n]) * 16]),
        lambda n: draw_up([KEEPER, OBJECTOR], record_ids=[bytes([n]) * 16]),
        lambda n: draw_up(record_ids=[bytes([n]) * 16], not_before=NOW),
    ]
    for n in range(1, 10):
        for make in forged:
            assert schedule(client, make(n)).status == 422
    assert listed(client) == []
    for n in range(1, 30):
        status = schedule(client, draw_up(record_ids=[bytes([100 + n]) * 16])).status
        assert status == (202 if n <= 20 else 429)
    kinds = [each["kind"] for each in json.loads(client.send("GET", "/status").body)["alarms"]]
    assert set(kinds) == {"tombstone"}
    assert 5 <= len(kinds) <= 6, "one alarm for each reason, however many came"
    ahead(mirror, client, AFTER // 1000)
    assert held_records(client) == [full for *_, full in RECORDS]


def test_a_damaged_file_is_not_rewritten(config: Config) -> None:
    fill(config, draw_up())
    copy = KeyCopy(config.home / "keycopy")
    path = sorted((config.home / "keycopy").glob("records-*.log"))[0]
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    with pytest.raises(Exception, match="damaged frame"):
        copy.blank({RECORDS[1][1]})
    assert path.read_bytes() == bytes(data)
    copy.close()


def test_syncs_meanwhile_meet_the_old_or_the_new_file(tmp_path: Path) -> None:
    file = FrameFile(tmp_path / "a.log")
    list(file.bodies())
    file.append([b"one", b"two"])
    anew = FrameFile(tmp_path / "a.log.blank")
    anew.append([b"one"])
    anew.sync()
    anew.close()
    file.replaced_by(tmp_path / "a.log.blank")
    assert [body for _, body in file.bodies()] == [b"one"]
    file.append([b"three"])
    file.sync()
    file.close()
    assert [body for _, body in FrameFile(tmp_path / "a.log").bodies()] == [b"one", b"three"]


def test_only_a_demos_clock_is_moved(config: Config) -> None:
    path = config.home / "operator.json"
    for raw in ({"clock_ahead_s": 5}, {"demo": True, "clock_ahead_s": -5}):
        path.write_text(json.dumps(json.loads(path.read_text()) | raw))
        with pytest.raises(Exception, match="demo's clock"):
            load_config(path)


def test_records_that_come_meanwhile_are_not_lost(config: Config) -> None:
    many = [
        (seq, bytes([seq % 256, seq // 256]) * 8, record(1, b"secret-%d" % seq)[2]) for seq in range(1, 401)
    ]
    copy = KeyCopy(config.home / "keycopy")
    copy.put(many[:10])

    def come() -> None:
        for each in many[10:]:
            copy.put([each])

    thread = threading.Thread(target=come)
    thread.start()
    blanked = 0
    while thread.is_alive() or blanked < 100:
        # Also in the file that is being appended to, so that a sync may meet either of two files.
        newest = max(copy.next - 2, 1)
        copy.blank({many[newest - 1][1]})
        blanked += 1
    thread.join()
    copy.close()
    again = KeyCopy(config.home / "keycopy")
    assert again.next == 401
    found: list[Record] = []
    while page := again.page(len(found) + 1):
        found += page
    for stands, full in zip(found, many, strict=True):
        assert stands in (full, (full[0], full[1], full[2][:HEAD]))
    again.close()
