"""Segments over HTTP, signed requests, and what everyone may read."""

import time

import pytest

from kulla.journal.note import Signer
from kulla.journal.segment import encode_segment, seal_segment
from kulla.mirror.signed import sign_request
from kulla.mirror.testkit import RunningMirror
from kulla.mirror.tests.client import RECIPIENT, Client, Journal, add_entries
from kulla.mirror.tests.conftest import KEEPER, READER


def test_put_get_list(client: Client, journal: Journal) -> None:
    for count in (3, 4, 5):
        journal.add(count)
    journal.put_segments(client)
    journal.put_segments(client)  # the same bytes again are fine
    key = journal.signer.key
    for target, data in journal.segments:
        for reader in (key, KEEPER.key, READER.key):
            answer = client.signed(reader, "GET", target)
            assert (answer.status, answer.body) == (200, data)
    sizes = [len(data) for _, data in journal.segments]
    listing = client.signed(key, "GET", f"/{journal.hash}/segments")
    assert listing.text == f"0-3 {sizes[0]}\n3-7 {sizes[1]}\n7-12 {sizes[2]}\n"
    listing = client.signed(key, "GET", f"/{journal.hash}/segments?from=7")
    assert listing.text == f"7-12 {sizes[2]}\n"
    assert client.signed(key, "GET", f"/{journal.hash}/segment/000000/12-13").status == 404
    assert client.signed(key, "GET", f"/{journal.hash}/segments?from=x").status == 400


def test_what_stands_does_not_change(client: Client, journal: Journal) -> None:
    journal.add(5)
    assert journal.push(client, 0).status == 200
    target, data = journal.segments[0]
    header, sealed = seal_segment(0, [b"other"] * 5, [RECIPIENT])
    other = encode_segment(header, sealed, [bytes(32)] * 5)
    answer = client.signed(journal.signer.key, "PUT", target, other)
    assert (answer.status, answer.text) == (409, "Entries below 5 stand; their segments do not change.\n")
    header, sealed = seal_segment(4, [b"other"] * 5, [RECIPIENT])
    overlap = encode_segment(header, sealed, [bytes(32)] * 5)
    assert (
        client.signed(journal.signer.key, "PUT", f"/{journal.hash}/segment/000000/4-9", overlap).status == 409
    )
    assert client.signed(journal.signer.key, "GET", target).body == data


def test_a_lost_portal_seals_anew(mirror: RunningMirror, client: Client, journal: Journal) -> None:
    """Segments beyond the next entry may be replaced by overlapping ones, also after a restart."""
    journal.add(5)
    assert journal.push(client, 0).status == 200
    lost = Journal(signer=journal.signer, leaves=list(journal.leaves))
    lost.add(10)
    lost.put_segments(client)
    mirror.kill()
    client.close()
    mirror.start()
    journal.add(3)
    assert journal.push(client, 5).status == 200
    listing = client.signed(journal.signer.key, "GET", f"/{journal.hash}/segments")
    assert [line.split()[0] for line in listing.text.splitlines()] == ["0-5", "5-8"]


def test_half_accepted_segments_stand(client: Client, journal: Journal) -> None:
    journal.add(300)
    journal.put_segments(client)
    journal.checkpoint(client, 0)
    assert add_entries(client, journal.upload(0, packages=1)).status == 202
    header, sealed = seal_segment(280, [b"other"] * 50, [RECIPIENT])
    other = encode_segment(header, sealed, [bytes(32)] * 50)
    target = f"/{journal.hash}/segment/000000/280-330"
    answer = client.signed(journal.signer.key, "PUT", target, other)
    assert (answer.status, answer.text[:28]) == (409, "A segment with entries that ")
    assert add_entries(client, journal.upload(256)).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "segment/0/0-3",
        "segment/000001/0-3",
        "segment/000000/3-3",
        "segment/000000/0-70000",
        "segment/000000/00-3",
        "segment/000000/../0-3",
        "segment/000000/99999999999999999999-99999999999999999999999",
        "segment/",
        "segment/000000/0-3/",
        "segment/%2e%2e/0-3",
    ],
)
def test_bad_paths(client: Client, journal: Journal, path: str) -> None:
    data = journal.add(3)
    assert client.signed(journal.signer.key, "PUT", f"/{journal.hash}/{path}", data).status == 404


def test_bad_segments(client: Client, journal: Journal) -> None:
    journal.add(3)
    target, data = journal.segments[0]
    for bad in (b"", b"KSEG", data[:-1], data + b"x", b"X" + data[1:], bytes(len(data))):
        assert client.signed(journal.signer.key, "PUT", target, bad).status == 422
    moved = f"/{journal.hash}/segment/000000/1-4"
    assert client.signed(journal.signer.key, "PUT", moved, data).status == 422
    far = f"/{journal.hash}/segment/000015/1000000-1000003"
    header, sealed = seal_segment(1_000_000, [b"x"] * 3, [RECIPIENT])
    answer = client.signed(journal.signer.key, "PUT", far, encode_segment(header, sealed, [bytes(32)] * 3))
    assert (answer.status, answer.text) == (409, "The segment lies too far ahead of entry 0.\n")


def test_only_the_right_keys(client: Client, journal: Journal) -> None:
    journal.add(3)
    target, data = journal.segments[0]
    stranger = Signer.generate("stranger.example").key
    for key in (stranger, KEEPER.key, READER.key):
        assert client.signed(key, "PUT", target, data).status == 403
    assert client.send("PUT", target, data).status == 403
    journal.put_segments(client)
    for private in (target, f"/{journal.hash}/segments", f"/{journal.hash}/pending"):
        assert client.send("GET", private).status == 403
        assert client.signed(stranger, "GET", private).status == 403


def test_a_signature_covers_all_of_the_request(client: Client, journal: Journal) -> None:
    journal.add(3)
    target, data = journal.segments[0]
    key = journal.signer.key
    good = sign_request(key, "PUT", target, data)
    late = sign_request(key, "PUT", target, data, unixtime=int(time.time()) - 310)
    early = sign_request(key, "PUT", target, data, unixtime=int(time.time()) + 310)
    for headers in (
        late,
        early,
        sign_request(key, "POST", target, data),
        sign_request(key, "PUT", target + "?", data),
        sign_request(key, "PUT", target, data + b"x"),
        good | {"Kulla-Time": str(int(good["Kulla-Time"]) + 1)},
        good | {"Kulla-Time": "soon"},
        good | {"Kulla-Time": ""},
        good | {"Kulla-Signature": "AAAA"},
        good | {"Kulla-Signature": "%%%"},
    ):
        assert client.send("PUT", target, data, headers).status == 403, headers
    assert client.send("PUT", target, data, good).status == 200


def test_public_addresses(mirror: RunningMirror, client: Client, journal: Journal) -> None:
    journal.add(3)
    assert journal.push(client, 0).status == 200
    tile = client.send("GET", f"/{journal.hash}/tile/0/000.p/3")
    assert (tile.status, len(tile.body), tile.type) == (200, 96, "application/octet-stream")
    assert "immutable" in tile.headers["cache-control"]
    note = client.send("GET", f"/{journal.hash}/checkpoint")
    assert note.type == "text/plain; charset=utf-8"
    assert note.headers["access-control-allow-origin"] == "*"
    assert mirror.vkey in client.send("GET", "/policy").text
    for nothing in (
        "/",
        "/x",
        f"/{journal.hash}",
        f"/{journal.hash}/",
        f"/{journal.hash}/next",
        f"/{journal.hash}/tile/0/000",
        f"/{journal.hash}/tile/0/000.p/256",
        f"/{journal.hash}/tile/0/000.p/03",
        f"/{journal.hash}/tile/64/000",
        f"/{journal.hash}/tile/0/../../pending",
        f"/{journal.hash}/tile/0/x000",
        f"/{'0' * 64}/checkpoint",
        "/../operator.json",
        "/keys/cosigner.key",
    ):
        assert client.send("GET", nothing).status == 404, nothing
    assert client.send("POST", "/healthz").status == 405
    assert client.send("GET", "/add-entries").status == 405
    assert client.send("PUT", f"/{journal.hash}/checkpoint", b"").status == 405
    assert client.send("BREW", "/healthz").status == 405
