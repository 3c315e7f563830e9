"""Tombstones: the frozen format, two officers, thirty days, the cap, objections."""

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbor2
import pytest

from kulla.journal.note import Signer, sign_note
from kulla.mirror.frames import FrameFile
from kulla.mirror.testkit import RunningMirror
from kulla.mirror.tests.client import Answer, Client
from kulla.mirror.tests.conftest import KEEPER, OBJECTOR, OFFICERS, READER
from kulla.mirror.tombstones import DAY, WAIT, Tombstones

NOW = int(time.time() * 1000)


def draw_up(signers: list[Signer] = OFFICERS[:2], **changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "v": 1,
        "record_ids": [bytes([1]) * 16, bytes([2]) * 16],
        "reason": "Article 17, case 1/2026",
        "at": NOW,
        "not_before": NOW + WAIT,
    }
    fields |= changes
    fields = {name: value for name, value in fields.items() if value is not None}
    signed = b"kulla-tombstone/1\n" + cbor2.dumps(fields, canonical=True)
    fields["signatures"] = [[s.name, s.key.sign(signed)] for s in signers]
    return cbor2.dumps(fields, canonical=True)


def schedule(client: Client, data: bytes) -> Answer:
    return client.send("POST", "/keycopy/schedule-destroy", data)


def listed(client: Client) -> list[dict[str, Any]]:
    answer = client.signed(KEEPER.key, "GET", "/keycopy/tombstones")
    assert answer.status == 200
    items: list[dict[str, Any]] = cbor2.loads(answer.body)
    return items


def test_two_officers_schedule_and_nothing_is_destroyed(mirror: RunningMirror, client: Client) -> None:
    put = cbor2.dumps([[1, bytes([1]) * 16, b"sealed"]])
    assert client.signed(KEEPER.key, "POST", "/keycopy/put", put).status == 200
    data = draw_up()
    answer = schedule(client, data)
    assert answer.status == 202
    ident, due = answer.text.split()
    unsigned = {k: v for k, v in cbor2.loads(data).items() if k != "signatures"}
    assert ident == hashlib.sha256(cbor2.dumps(unsigned, canonical=True)).hexdigest()
    assert int(due) >= NOW + WAIT
    assert schedule(client, data).text == answer.text
    mirror.kill()
    client.close()
    mirror.start()
    (item,) = listed(client)
    assert (item["id"], item["state"], item["tombstone"]) == (ident, "pending", data)
    records = client.signed(KEEPER.key, "GET", "/keycopy/records?from=1")
    assert cbor2.loads(records.body) == [[1, bytes([1]) * 16, b"sealed"]]


def test_a_persons_key(client: Client) -> None:
    assert schedule(client, draw_up(record_ids=None, person_key=bytes(16))).status == 202


def test_the_wait_counts_from_when_it_came(tmp_path: Path) -> None:
    officers = {s.name: s.key.public_key() for s in OFFICERS}
    stones = Tombstones(tmp_path, per_day=3)
    standing = stones.schedule(draw_up(), officers, NOW + 20 * DAY)
    assert standing.due == NOW + 50 * DAY
    stones.close()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda: draw_up(OFFICERS[:1]), "version 1"),
        (lambda: draw_up([OFFICERS[0], OFFICERS[0]]), "two different"),
        (lambda: draw_up([OFFICERS[0], KEEPER]), "no erasure officer"),
        (lambda: draw_up([OFFICERS[0], Signer.generate(OFFICERS[1].name)]), "not valid"),
        (lambda: draw_up(not_before=NOW + WAIT - 1), "30 days"),
        (lambda: draw_up(at=NOW + DAY, not_before=NOW + 2 * WAIT), "future"),
        (lambda: draw_up(v=2), "version 1"),
        (lambda: draw_up(v=True), "version 1"),
        (lambda: draw_up(record_ids=[]), "version 1"),
        (lambda: draw_up(record_ids=[bytes(16)] * 2), "version 1"),
        (lambda: draw_up(record_ids=[bytes(15)]), "version 1"),
        (lambda: draw_up(record_ids=[n.to_bytes(16, "big") for n in range(257)]), "version 1"),
        (lambda: draw_up(person_key=bytes(16)), "version 1"),
        (lambda: draw_up(record_ids=None), "version 1"),
        (lambda: draw_up(reason=""), "version 1"),
        (lambda: draw_up(reason="x" * 501), "version 1"),
        (lambda: draw_up(reason=None), "version 1"),
        (lambda: draw_up(extra=1), "version 1"),
        (lambda: draw_up(at=-1), "version 1"),
        (lambda: draw_up(not_before=float(NOW + WAIT)), "version 1"),
        (lambda: draw_up() + b"\0", "version 1"),
        (lambda: cbor2.dumps(dict(reversed(cbor2.loads(draw_up()).items()))), "version 1"),
        (lambda: cbor2.dumps([1]), "version 1"),
        (lambda: b"", "version 1"),
        (lambda: b"\xff" * 100, "version 1"),
    ],
)
def test_refused(client: Client, data: Callable[[], bytes], words: str) -> None:
    answer = schedule(client, data())
    assert answer.status == 422
    assert words in answer.text
    assert listed(client) == []


def test_a_changed_field_breaks_the_signatures(client: Client) -> None:
    fields = cbor2.loads(draw_up())
    fields["record_ids"] = [bytes(16)]
    assert "not valid" in schedule(client, cbor2.dumps(fields, canonical=True)).text


def test_too_long(client: Client) -> None:
    assert schedule(client, bytes(17_000)).status == 413


def test_the_cap_and_its_alarm(mirror: RunningMirror, client: Client) -> None:
    mirror.stop()
    client.close()
    path = mirror.home / "operator.json"
    config = json.loads(path.read_text())
    config["tombstones_per_day"] = 2
    path.write_text(json.dumps(config))
    mirror.start()
    for n, status in ((1, 202), (2, 202), (3, 429), (1, 202)):
        assert schedule(client, draw_up(record_ids=[bytes([n]) * 16])).status == status
    assert "ALARM: more than 2 tombstones in one day" in mirror.log()
    assert len(listed(client)) == 2


def test_tomorrow_is_another_day(tmp_path: Path) -> None:
    officers = {s.name: s.key.public_key() for s in OFFICERS}
    stones = Tombstones(tmp_path, per_day=1)
    stones.schedule(draw_up(record_ids=[bytes(16)]), officers, NOW)
    stones.schedule(draw_up(), officers, NOW + DAY)
    assert len(stones.all()) == 2
    stones.close()


# --- objections -------------------------------------------------------------------------------------------------


def objection(
    signer: Signer, ident: str, reason: str = "not my wish", head: str = "kulla-objection/1"
) -> bytes:
    return sign_note(f"{head}\n{ident}\n{reason}\n", signer.sign).encode()


@pytest.mark.parametrize("signer", [OFFICERS[2], OBJECTOR, KEEPER])
def test_one_objection_stops_it_for_good(mirror: RunningMirror, client: Client, signer: Signer) -> None:
    ident = schedule(client, draw_up()).text.split()[0]
    note = objection(signer, ident)
    assert client.send("POST", "/keycopy/object", note).status == 200
    assert client.send("POST", "/keycopy/object", note).status == 200
    mirror.kill()
    client.close()
    mirror.start()
    schedule(client, draw_up())
    (item,) = listed(client)
    assert (item["state"], item["objections"]) == ("objected", [note])


def test_objections_that_are_none(client: Client) -> None:
    ident = schedule(client, draw_up()).text.split()[0]
    for body, status in (
        (objection(READER, ident), 403),
        (objection(Signer.generate(KEEPER.name), ident), 403),
        (objection(KEEPER, "0" * 64), 404),
        (objection(KEEPER, ident.upper()), 422),
        (objection(KEEPER, ident, head="kulla-objection/2"), 422),
        (objection(KEEPER, ident, reason="x" * 501), 422),
        (b"", 403),
        (b"\xff", 403),
    ):
        assert client.send("POST", "/keycopy/object", body).status == status
    assert listed(client)[0]["state"] == "pending"


def test_only_those_concerned_may_list(client: Client) -> None:
    for signer, status in ((READER, 200), (OFFICERS[0], 200), (OBJECTOR, 200), (Signer.generate("x"), 403)):
        assert client.signed(signer.key, "GET", "/keycopy/tombstones").status == status
    assert client.send("GET", "/keycopy/tombstones").status == 403


def test_frames_keep_their_order(tmp_path: Path) -> None:
    file = FrameFile(tmp_path / "a.log")
    offsets = file.append([b"one", b"", b"three"])
    file.sync()
    assert [file.body_at(offset) for offset in offsets] == [b"one", b"", b"three"]
    file.close()
    again = FrameFile(tmp_path / "a.log")
    assert [body for _, body in again.bodies()] == [b"one", b"", b"three"]
    again.close()
