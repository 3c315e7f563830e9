"""add-entries, as tlog-mirror has it, and what ours adds: no cosignature without the payload."""

import gzip
import hashlib
import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from kulla.journal.errors import MissingError
from kulla.journal.merkle import consistency_proof
from kulla.journal.note import CosignerKey, open_note, parse_vkey
from kulla.journal.tiles import Fetch, TileReader
from kulla.mirror.entries import Head, Package
from kulla.mirror.logcopy import LogCopy
from kulla.mirror.messages import Refused
from kulla.mirror.notes import open_checkpoint
from kulla.mirror.testkit import RunningMirror
from kulla.mirror.tests.client import ORIGIN, Client, Journal, add_entries, upload_head

INFO = "text/x.tlog.mirror-info"


def fetcher(client: Client, journal: Journal) -> Fetch:
    def fetch(path: str) -> bytes:
        answer = client.send("GET", f"/{journal.hash}/{path}")
        if answer.status == 404:
            raise MissingError(path)
        assert answer.status == 200
        return answer.body

    return fetch


def check_published(mirror: RunningMirror, client: Client, journal: Journal) -> None:
    """What the mirror serves: a checkpoint with both signatures, and tiles and bundles that lead to its root."""
    note = client.send("GET", f"/{journal.hash}/checkpoint").body
    opened = open_note(note, [journal.signer.verifier, parse_vkey(mirror.vkey)])
    assert len(opened.signatures) == 2
    size = int(opened.text.split("\n")[1])
    assert opened.text == journal.note(size).partition("\n\n")[0] + "\n"
    fetch = fetcher(client, journal)
    reader = TileReader(fetch, size, journal.root(size))
    assert reader.leaf_hashes(0, size) == journal.reader._levels[0][:size]
    bundles = b""
    for n in range(0, size, 256):
        width = min(256, size - n)
        suffix = "" if width == 256 else f".p/{width}"
        bundles += fetch(f"tile/entries/{n // 256:03d}{suffix}")
    assert bundles == b"".join(struct.pack(">H", 65) + leaf for leaf in journal.leaves[:size])


@pytest.mark.parametrize("zipped", [False, True])
def test_a_journal_grows(mirror: RunningMirror, client: Client, journal: Journal, zipped: bool) -> None:
    for count in (1, 2, 252, 1, 1, 300, 211, 600):
        old = journal.size
        journal.add(count)
        answer = journal.push(client, old, zipped=zipped)
        assert answer.status == 200, answer.text
        assert answer.headers["accept-encoding"] == "gzip"
        note = journal.note() + answer.text
        signed = open_note(note, [parse_vkey(mirror.vkey)]).signatures
        assert [s.name for s in signed] == [mirror.name]
        assert signed[0].timestamp
        check_published(mirror, client, journal)
    # Of tiles that are full now no partial file is left.
    tiles = mirror.home / "mirror" / journal.hash / "tile"
    assert not (tiles / "0/000.p").exists()
    assert not (tiles / "entries/004.p").exists()


def test_the_same_upload_again_gives_the_same_cosignature(client: Client, journal: Journal) -> None:
    journal.add(10)
    first = journal.push(client, 0)
    again = add_entries(client, journal.upload(0))
    empty = add_entries(client, journal.upload(10))
    assert first.body == again.body == empty.body


def test_not_one_leaf_without_its_payload(mirror: RunningMirror, client: Client, journal: Journal) -> None:
    journal.add(5)
    journal.checkpoint(client, 0)
    answer = add_entries(client, journal.upload(0))
    assert answer.status == 422
    assert answer.text == "The payload of entry 0 is not stored here: send its segment first.\n"
    # A segment of the same entries with other payloads does not help.
    other = Journal(signer=journal.signer)
    other.add(5)
    other.put_segments(client)
    assert add_entries(client, journal.upload(0)).status == 422
    assert client.send("GET", f"/{journal.hash}/checkpoint").status == 404
    # The right one does: nothing stands yet, so it replaces the other.
    journal.put_segments(client)
    assert add_entries(client, journal.upload(0)).status == 200
    check_published(mirror, client, journal)


def test_one_changed_payload_byte_is_seen(client: Client, journal: Journal) -> None:
    data = bytearray(journal.add(3))
    data[-1] ^= 1
    target = journal.segments[0][0]
    assert client.signed(journal.signer.key, "PUT", target, bytes(data)).status == 200
    journal.checkpoint(client, 0)
    answer = add_entries(client, journal.upload(0))
    assert (answer.status, answer.text[:24]) == (422, "The payload of entry 2 i")


def test_payloads_missing_in_the_middle(client: Client, journal: Journal) -> None:
    for count in (300, 300, 300):
        journal.add(count)
    for target, data in (journal.segments[0], journal.segments[2]):
        assert client.signed(journal.signer.key, "PUT", target, data).status == 200
    journal.checkpoint(client, 0)
    answer = add_entries(client, journal.upload(0))
    assert (answer.status, answer.text[:26]) == (422, "The payload of entry 300 i")
    # The package before the gap was kept.
    assert add_entries(client, journal.upload(256, packages=0)).status == 400
    assert add_entries(client, journal.upload(257)).body == b"900\n256\n\n"


def test_a_changed_entry_fails(client: Client, journal: Journal) -> None:
    journal.add(300)
    journal.put_segments(client)
    journal.checkpoint(client, 0)
    body = bytearray(journal.upload(0))
    body[len(upload_head(journal.signer.name, 0, 300)) + 67 * 4 + 9] ^= 1
    assert add_entries(client, bytes(body)).status == 422
    body = bytearray(journal.upload(0))
    body[-1] ^= 1  # the last hash of the second package's proof
    assert add_entries(client, bytes(body)).status == 422
    # The first package was good and is kept.
    assert add_entries(client, journal.upload(299)).body == b"300\n256\n\n"
    assert add_entries(client, journal.upload(256)).status == 200


def test_prefix_and_resume(mirror: RunningMirror, client: Client, journal: Journal) -> None:
    journal.add(700)
    journal.put_segments(client)
    journal.checkpoint(client, 0)
    answer = add_entries(client, journal.upload(0, packages=1))
    assert (answer.status, answer.type, answer.body) == (202, INFO, b"700\n256\n\n")
    whole = journal.upload(256)
    answer = add_entries(client, whole[:-200])
    assert (answer.status, answer.body) == (202, b"700\n512\n\n")
    # How far it came survives a kill.
    mirror.kill()
    client.close()
    mirror.start()
    answer = add_entries(client, journal.upload(600))
    assert (answer.status, answer.type, answer.body) == (409, INFO, b"700\n512\n\n")
    assert add_entries(client, journal.upload(512)).status == 200
    check_published(mirror, client, journal)


def test_start_inside_a_bundle(mirror: RunningMirror, client: Client, journal: Journal) -> None:
    journal.add(600)
    journal.push(client, 0)
    journal.add(100)
    journal.put_segments(client)
    journal.checkpoint(client, 600)
    # Overlapping what stands: below and above the last bundle's start.
    for start in (10, 300, 512, 599):
        assert add_entries(client, journal.upload(start, packages=1)).status in {200, 202}
    assert add_entries(client, journal.upload(600)).status == 200
    check_published(mirror, client, journal)


def test_an_older_pending_checkpoint_may_be_finished(
    mirror: RunningMirror, client: Client, journal: Journal
) -> None:
    journal.add(100)
    journal.checkpoint(client, 0)
    journal.add(250)
    journal.checkpoint(client, 100)
    journal.add(20)
    journal.checkpoint(client, 350)
    journal.put_segments(client)
    # Everything up to 351 goes in towards 370, then 100 and 350 are asked for.
    assert add_entries(client, journal.upload(0, 370, packages=1)).body == b"370\n256\n\n"
    for size in (100, 350, 370):
        answer = add_entries(client, journal.upload(min(size, 256), size))
        assert answer.status == 200, answer.text
        check_published(mirror, client, journal)
    # Never back.
    answer = add_entries(client, journal.upload(100, 350))
    assert (answer.status, answer.body) == (409, b"370\n370\n\n")


def test_a_slower_upload_to_a_smaller_size_is_told_so(tmp_path: Path, journal: Journal) -> None:
    """Two uploads run at once; the one to the larger size is cosigned between the other's head and its end."""
    copy = LogCopy(tmp_path, journal.signer.verifier, CosignerKey.generate("m"))
    for count in (100, 50):
        old = journal.size
        journal.add(count)
        note = open_checkpoint(journal.note().encode(), journal.signer.verifier)
        copy.add_checkpoint(old, consistency_proof(journal.reader, old, journal.size), note)
        copy.put_segment(old, journal.size, journal.segments[-1][1])
    slow, fast = copy.begin(Head(ORIGIN, 0, 100, b"")), copy.begin(Head(ORIGIN, 0, 150, b""))
    for upload, size in ((fast, 150), (slow, 100)):
        copy.save(upload, [Package(0, 0, size, journal.leaves[:size], [])])
    assert copy.finish(fast)
    with pytest.raises(Refused) as refused:
        copy.finish(slow)
    assert (refused.value.status, refused.value.body) == (409, b"150\n150\n\n")
    assert copy.size == 150


def test_a_wrong_tree_is_never_signed_and_is_forgotten(tmp_path: Path, journal: Journal) -> None:
    """Should anything get past the proofs, the root of what was written stops it; then it starts over."""
    copy = LogCopy(tmp_path, journal.signer.verifier, CosignerKey.generate("m"))
    journal.add(300)
    copy.put_segment(0, 300, journal.segments[-1][1])
    wrong = Journal(signer=journal.signer)
    wrong.add(300)
    note = wrong.note()
    copy.add_checkpoint(0, [], open_checkpoint(note.encode(), journal.signer.verifier))
    upload = copy.begin(Head(ORIGIN, 0, 300, b""))
    other = copy.begin(Head(ORIGIN, 0, 300, b""))
    copy.save(upload, [Package(0, 0, 256, journal.leaves[:256], [])])
    copy.save(upload, [Package(256, 256, 300, journal.leaves[256:], [])])
    with pytest.raises(Refused) as refused:
        copy.finish(upload)
    assert refused.value.status == 500
    assert (copy.size, copy.next_entry, copy.checkpoint_note) == (0, 0, None)
    with pytest.raises(Refused) as refused:
        copy.save(other, [Package(256, 256, 300, journal.leaves[256:], [])])
    assert (refused.value.status, refused.value.body) == (409, b"300\n0\n\n")


def test_conflicts(client: Client, journal: Journal) -> None:
    journal.add(10)
    head = upload_head(journal.signer.name, 0, 10)
    assert add_entries(client, head).status == 422  # no pending checkpoint yet
    journal.checkpoint(client, 0)
    answer = add_entries(client, upload_head(journal.signer.name, 0, 9))
    assert (answer.status, answer.type, answer.body) == (409, INFO, b"10\n0\n\n")
    answer = add_entries(client, upload_head(journal.signer.name, 3, 10))
    assert (answer.status, answer.body) == (409, b"10\n0\n\n")
    assert add_entries(client, upload_head(journal.signer.name, 11, 10)).status == 400
    assert add_entries(client, upload_head("other.example/log", 0, 10)).status == 404
    # A ticket of ours is always empty; another one is not looked at.
    assert add_entries(client, upload_head(journal.signer.name, 0, 10, b"xyz")).status == 400


def test_too_many_entries_again(client: Client, journal: Journal) -> None:
    journal.add(9000)
    assert journal.push(client, 0).status == 200
    assert add_entries(client, journal.upload(1000)).status == 200
    answer = add_entries(client, journal.upload(0, packages=1))
    assert (answer.status, answer.body) == (409, b"9000\n9000\n\n")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\x00", 400),
        (b"\xff\xff" + bytes(70000), 400),
        (b"\x00\x02\xff\xfe" + bytes(18), 400),
        (b"\x00\x00" + bytes(18), 404),
    ],
)
def test_malformed_heads(client: Client, body: bytes, status: int) -> None:
    assert add_entries(client, body).status == status


def test_malformed_packages(client: Client, journal: Journal) -> None:
    journal.add(3)
    journal.put_segments(client)
    journal.checkpoint(client, 0)
    good, head = journal.upload(0), len(upload_head(journal.signer.name, 0, 3))
    assert add_entries(client, good[:-1]).status == 400
    assert add_entries(client, good[: head + 80]).status == 400
    longer = good[:head] + struct.pack(">H", 66) + good[head + 2 :]
    assert add_entries(client, longer + bytes(100)).status == 422
    version = bytearray(good)
    version[head + 2] = 2
    assert add_entries(client, bytes(version)).status == 422
    hashes = good[: head + 3 * 67] + b"\x40" + bytes(64 * 32)
    assert add_entries(client, hashes).status == 422
    # Bytes after the last package are discarded, as the specification says.
    assert add_entries(client, good + b"more").status == 200


def test_gzip_that_is_none_or_bursts(client: Client, journal: Journal) -> None:
    headers = {"Content-Encoding": "gzip"}
    assert client.send("POST", "/add-entries", b"not gzip", headers).status == 400
    assert client.send("POST", "/add-entries", gzip.compress(b"")[:5], headers).status == 400
    assert client.send("POST", "/add-entries", b"x", {"Content-Encoding": "br"}).status == 415
    journal.add(300)
    journal.checkpoint(client, 0)
    bomb = gzip.compress(upload_head(journal.signer.name, 0, 300) + bytes(50_000_000))
    assert client.send("POST", "/add-entries", bomb, headers).status == 422


def test_chunked_body(client: Client, journal: Journal) -> None:
    journal.add(300)
    journal.put_segments(client)
    journal.checkpoint(client, 0)
    body = journal.upload(0)
    pieces = iter([body[i : i + 1000] for i in range(0, len(body), 1000)])
    client.connection.request("POST", "/add-entries", pieces, encode_chunked=True)
    answer = client.connection.getresponse()
    assert (answer.status, len(answer.read()) > 100) == (200, True)


def test_a_client_that_hangs_up_leaves_whole_packages(mirror: RunningMirror, journal: Journal) -> None:
    journal.add(600)
    client = Client(mirror.port)
    journal.put_segments(client)
    journal.checkpoint(client, 0)
    body = journal.upload(0)
    with socket.create_connection(("127.0.0.1", mirror.port)) as sock:
        sock.sendall(f"POST /add-entries HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        sock.sendall(body[: len(body) // 2])
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if add_entries(client, journal.upload(599)).body == b"600\n256\n\n":
            break
        time.sleep(0.02)
    assert add_entries(client, journal.upload(256)).status == 200
    client.close()


def test_many_clients_at_once(mirror: RunningMirror, client: Client, journal: Journal) -> None:
    journal.add(2000)
    journal.put_segments(client)
    journal.checkpoint(client, 0)
    body = journal.upload(0)
    answers: list[bytes] = []

    def push() -> None:
        own = Client(mirror.port)
        answers.append(add_entries(own, body).body)
        own.close()

    threads = [threading.Thread(target=push) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 6
    assert len(set(answers)) == 1
    check_published(mirror, client, journal)


def test_a_forged_tile_on_disk_is_noticed_before_signing(
    mirror: RunningMirror, client: Client, journal: Journal, tmp_path: Path
) -> None:
    journal.add(300)
    assert journal.push(client, 0).status == 200
    folder = mirror.home / "mirror" / journal.hash
    tile = folder / "tile/0/001.p/44"
    mirror.stop()
    client.close()
    good = tile.read_bytes()
    tile.write_bytes(hashlib.sha256(b"forged").digest() + good[32:])
    with pytest.raises(RuntimeError, match="needs a person"):
        mirror.start()
    tile.write_bytes(good)
    bundle = folder / "tile/entries/001.p/44"
    bundle.write_bytes(bundle.read_bytes()[:-1] + b"x")
    with pytest.raises(RuntimeError, match="needs a person"):
        mirror.start()
