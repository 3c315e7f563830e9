"""The key copy: gapless, unchanging, durable, opaque."""

import os
from pathlib import Path

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kulla.mirror import keycopy
from kulla.mirror.frames import StorageFailed, frame
from kulla.mirror.keycopy import Conflict, Gap, KeyCopy
from kulla.mirror.testkit import RunningMirror
from kulla.mirror.tests.client import Answer, Client, Journal
from kulla.mirror.tests.conftest import KEEPER, READER

NEXT = "text/x.kulla.next"


def record(seq: int, size: int = 100) -> tuple[int, bytes, bytes]:
    return seq, seq.to_bytes(16, "big"), bytes([seq % 251]) * size


def put(client: Client, *records: object, key: Ed25519PrivateKey = KEEPER.key) -> Answer:
    return client.signed(key, "POST", "/keycopy/put", cbor2.dumps(list(records)))


def everything(client: Client, start: int = 1) -> list[list[object]]:
    out: list[list[object]] = []
    while True:
        answer = client.signed(KEEPER.key, "GET", f"/keycopy/records?from={start}")
        assert (answer.status, answer.type) == (200, "application/cbor")
        assert len(answer.body) <= keycopy.PAGE
        page = cbor2.loads(answer.body)
        if not page:
            return out
        out += page
        start = page[-1][0] + 1


def test_put_and_read(client: Client) -> None:
    answer = put(client, record(1), record(2))
    assert (answer.status, answer.body, answer.headers["kulla-next"]) == (200, b"3\n", "3")
    assert put(client, record(2), record(3)).body == b"4\n"  # a part again
    assert put(client, record(1)).body == b"4\n"  # all of it again
    assert put(client).body == b"4\n"
    assert everything(client) == [list(record(n)) for n in (1, 2, 3)]
    assert everything(client, 3) == [list(record(3))]
    answer = client.signed(READER.key, "GET", "/keycopy/records?from=1")
    assert answer.status == 200


def test_gaps_are_told(client: Client) -> None:
    answer = put(client, record(2))
    assert (answer.status, answer.type, answer.body) == (409, NEXT, b"1\n")
    put(client, record(1), record(2))
    answer = put(client, record(4))
    assert (answer.status, answer.type, answer.body) == (409, NEXT, b"3\n")
    assert len(everything(client)) == 2


def test_other_bytes_are_refused_and_nothing_of_the_call_is_kept(
    mirror: RunningMirror, client: Client
) -> None:
    put(client, record(1), record(2))
    answer = put(client, (2, bytes(16), b"other"), record(3))
    assert (answer.status, answer.text) == (409, "Another record already stands under number 2.\n")
    assert everything(client) == [list(record(n)) for n in (1, 2)]
    assert "ALARM" in mirror.log()


def test_pages(client: Client) -> None:
    for first in range(1, 21, 2):
        assert put(client, record(first, 900_000), record(first + 1, 900_000)).status == 200
    assert everything(client) == [list(record(n, 900_000)) for n in range(1, 21)]


def test_survives_a_kill(mirror: RunningMirror, client: Client) -> None:
    put(client, record(1), record(2))
    mirror.kill()
    client.close()
    mirror.start()
    assert put(client, record(3)).body == b"4\n"
    assert everything(client) == [list(record(n)) for n in (1, 2, 3)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"\x80x",
        cbor2.dumps({}),
        cbor2.dumps([1]),
        cbor2.dumps([[1, bytes(16)]]),
        cbor2.dumps([[0, bytes(16), b""]]),
        cbor2.dumps([[True, bytes(16), b""]]),
        cbor2.dumps([[1, bytes(15), b""]]),
        cbor2.dumps([["1", bytes(16), b""]]),
        cbor2.dumps([[1, bytes(16), "text"]]),
        cbor2.dumps([[1, bytes(16), b""], [3, bytes(16), b""]]),
        cbor2.dumps([[1, bytes(16), bytes(4 * 1024 * 1024 + 1)]]),
        b"\x81" * 5000,
        b"\x9b" + b"\xff" * 8,
        b"\x5b" + b"\x7f" * 8,
        b"\xd8\x1c\x81\xd8\x1d\x00",
    ],
)
def test_malformed(client: Client, body: bytes) -> None:
    answer = client.signed(KEEPER.key, "POST", "/keycopy/put", body)
    assert (answer.status, answer.text.count("\n")) == (422, 1)
    assert everything(client) == []


def test_only_the_keeper(client: Client, journal: Journal) -> None:
    for key in (journal.signer.key, READER.key, Ed25519PrivateKey.generate()):
        assert put(client, record(1), key=key).status == 403
    assert client.send("POST", "/keycopy/put", cbor2.dumps([record(1)])).status == 403
    assert client.send("GET", "/keycopy/records?from=1").status == 403
    assert client.signed(journal.signer.key, "GET", "/keycopy/records?from=1").status == 403
    assert put(client, record(1), record(2, 8 * 1024 * 1024)).status == 413


# --- the files --------------------------------------------------------------------------------------------------


def test_a_torn_end_is_cut_off_and_set_aside(tmp_path: Path) -> None:
    copy = KeyCopy(tmp_path)
    assert copy.put([record(1), record(2)]) == 3
    copy.close()
    (file,) = tmp_path.glob("records-*.log")
    whole = file.read_bytes()
    half = frame(b"x" * 50)
    for torn in (half[:3], half[:30], half[:-1], half[:-1] + b"?", bytes(100), b"\xff" * 100):
        file.write_bytes(whole + torn)
        copy = KeyCopy(tmp_path)
        assert copy.next == 3
        assert copy.page(0) == [record(1), record(2)]
        copy.close()
        assert file.read_bytes() == whole
        (aside,) = tmp_path.glob("*.torn-*")
        assert aside.read_bytes() == torn
        aside.unlink()
    copy = KeyCopy(tmp_path)
    assert copy.put([record(3)]) == 4
    copy.close()


def test_a_damaged_record_costs_what_follows_and_the_keeper_fills_it_up(tmp_path: Path) -> None:
    copy = KeyCopy(tmp_path)
    copy.put([record(n) for n in range(1, 6)])
    copy.close()
    (file,) = tmp_path.glob("records-*.log")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    copy = KeyCopy(tmp_path)
    assert copy.next == 3
    with pytest.raises(Gap) as gap:
        copy.put([record(6)])
    assert gap.value.next == 3
    assert copy.put([record(n) for n in range(3, 7)]) == 7
    copy.close()


def test_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keycopy, "FILE_SIZE", 1000)
    copy = KeyCopy(tmp_path)
    for n in range(1, 40):
        assert copy.put([record(n)]) == n + 1
    copy.close()
    files = sorted(tmp_path.glob("records-*.log"))
    assert len(files) > 4
    assert files[0].name == "records-00000000000000000001.log"
    copy = KeyCopy(tmp_path)
    assert copy.page(0) == [record(n) for n in range(1, 40)]
    assert copy.page(37) == [record(n) for n in range(37, 40)]
    with pytest.raises(Conflict):
        copy.put([(5, bytes(16), b"other")])
    copy.close()
    # Damage before the last file is not silently cut off.
    os.truncate(files[1], files[1].stat().st_size - 1)
    with pytest.raises(StorageFailed, match="does not continue"):
        KeyCopy(tmp_path)
