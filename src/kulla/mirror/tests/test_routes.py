"""Every address with every kind of credentials: the public part for all, the rest for nobody without a key."""

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kulla.journal.store import merged_path
from kulla.mirror import app, reading
from kulla.mirror.config import load_config
from kulla.mirror.merging import merge
from kulla.mirror.stores import FolderStore
from kulla.mirror.testkit import RunningMirror
from kulla.mirror.tests.client import Client, Journal
from kulla.mirror.tests.conftest import KEEPER, OFFICERS, READER
from kulla.mirror.tests.origin import fill, push

STRANGER = Ed25519PrivateKey.generate()


def everyone(journal: Journal) -> dict[str, Ed25519PrivateKey | None]:
    return {
        "nobody": None,
        "stranger": STRANGER,
        "journal": journal.signer.key,
        "keeper": KEEPER.key,
        "reader": READER.key,
        "officer": OFFICERS[0].key,
    }


SEALED = {"journal", "keeper", "reader"}
# What each may have; what is missing here is a route that this test does not know.
ROUTES: dict[tuple[str, str], set[str]] = {
    ("GET", "/healthz"): {"*"},
    ("GET", "/status"): {"*"},
    ("GET", "/policy"): {"*"},
    ("GET", "/verify"): {"*"},
    ("GET", "/HASH/checkpoint"): {"*"},
    ("GET", "/HASH/tile/0/000"): {"*"},
    ("GET", "/HASH/tile/0/001.p/44"): {"*"},
    ("GET", "/HASH/tile/1/000.p/1"): {"*"},
    ("GET", "/HASH/tile/entries/000"): {"*"},
    ("GET", "/HASH/tile/entries/001.p/44"): {"*"},
    ("GET", "/HASH/pending"): SEALED,
    ("GET", "/HASH/segments"): SEALED,
    ("GET", "/HASH/merged"): SEALED,
    ("GET", "/HASH/segment/000000/0-300"): SEALED,
    ("PUT", "/HASH/segment/000000/300-301"): {"journal"},
    ("GET", "/keycopy/records"): {"keeper", "reader"},
    ("GET", "/keycopy/tombstones"): {"keeper", "reader", "officer"},
    ("POST", "/keycopy/put"): {"keeper"},
    # Judged by what is inside, whoever brings it.
    ("POST", "/add-checkpoint"): {"*"},
    ("POST", "/add-entries"): {"*"},
    ("POST", "/keycopy/schedule-destroy"): {"*"},
    ("POST", "/keycopy/object"): {"*"},
    ("POST", "/keycopy/hold"): {"*"},
}
GUARDED = {"/keycopy/object": 403, "/keycopy/hold": 403}  # an objection without a good signature inside


def test_every_route_is_known_here(mirror: RunningMirror) -> None:
    mirror.stop()
    made = app.App(load_config(mirror.home / "operator.json"))
    try:
        assert set(made._routes) == {route for route in ROUTES if "HASH" not in route[1]}
        assert {("GET", path) for _, path in app.PUBLIC} == app.PUBLIC
        assert {
            route
            for route, who in ROUTES.items()
            if who == {"*"} and route[0] == "GET" and "HASH" not in route[1]
        } == (app.PUBLIC)
    finally:
        made.close()
    for _, path in ROUTES:
        inside = path.removeprefix("/HASH/")
        if inside != path:
            assert reading.is_public(inside) == (ROUTES.get(("GET", path)) == {"*"})


@pytest.mark.parametrize("route", sorted(ROUTES), ids=lambda route: f"{route[0]}{route[1]}".replace("/", "_"))
def test_who_gets_what(mirror: RunningMirror, journal: Journal, route: tuple[str, str]) -> None:
    journal.add(300)
    push(mirror, journal)
    method, path = route
    path = path.replace("HASH", journal.hash)
    for name, key in everyone(journal).items():
        client = Client(mirror.port)
        body = b"" if method == "GET" else b"x"
        answer = client.signed(key, method, path, body) if key else client.send(method, path, body)
        client.close()
        may = ROUTES[route] == {"*"} or name in ROUTES[route]
        if path in GUARDED:
            assert answer.status == GUARDED[path]
        else:
            assert (answer.status != 403) == may, (name, answer.status, answer.text)
        if method == "GET":
            assert (answer.status == 200) == may, (name, answer.status, answer.text)
        if not may:
            assert re.fullmatch(r"[^\n]{1,100}\n", answer.text)


def test_no_way_around(mirror: RunningMirror, journal: Journal) -> None:
    """Spellings of private paths and of files outside: nothing of a segment or a key ever comes out."""
    for count in (40_000, 26_000):
        journal.add(count)
    mirror.stop()
    folder = fill(mirror.home, journal)
    merge(FolderStore(folder.path), journal.size)
    mirror.start()
    secret = journal.segments[0][1][500:600]
    client = Client(mirror.port)
    base = f"/{journal.hash}"
    for path in (
        f"{base}/{merged_path(0, 66_000)}",
        f"{base}/merged/000000/0-66000?from=0",
        f"{base}/tile/../merged/000000/0-66000",
        f"{base}/tile/0/../../merged/000000/0-66000",
        f"{base}//merged/000000/0-66000",
        f"{base}/segment/000000/0-40000",
        f"{base}/segment/0/0-40000",
        f"{base}/./segment/000000/0-40000",
        f"{base}/%73egment/000000/0-40000",
        f"{base}/tile/entries/../../segment/000000/0-40000",
        f"{base}/staged",
        f"{base}/next",
        f"{base}/lock",
        f"{base}/../../keys/cosigner.key",
        "/operator.json",
        "/keys/cosigner.key",
        "/alarms",
        "/watched.json",
    ):
        for method in ("GET", "HEAD"):
            answer = client.send(method, path)
            assert answer.status in {400, 403, 404}, path
            assert secret not in answer.body
    assert client.signed(READER.key, "GET", f"{base}/{merged_path(0, 66_000)}").body.count(secret) == 1
    client.close()


def test_the_status_says_nothing_private(mirror: RunningMirror, journal: Journal, tmp_path: Path) -> None:
    journal.add(3)
    push(mirror, journal)
    client = Client(mirror.port)
    text = client.send("GET", "/status").text
    client.close()
    assert str(mirror.home) not in text
    assert "cosigner" not in text
