"""Whatever is sent, the answer is a refusal or a well-formed success, and the mirror lives on."""

import gzip
import socket
from collections.abc import Iterator
from pathlib import Path

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kulla.mirror.testkit import RunningMirror, start_mirrors, stop_mirrors
from kulla.mirror.tests.client import ORIGIN, Client, Journal, add_entries
from kulla.mirror.tests.conftest import KEEPER, OFFICERS

FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


class Target:
    def __init__(self, mirror: RunningMirror, journal: Journal) -> None:
        self.mirror, self.journal = mirror, journal
        self.client = Client(mirror.port)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    journal = Journal()
    folder: Path = tmp_path_factory.mktemp("fuzz")
    officers = [officer.vkey for officer in OFFICERS]
    running = start_mirrors(folder, 1, ORIGIN, journal.signer, keeper_vkey=KEEPER.vkey, officers=officers)
    target = Target(running[0], journal)
    journal.add(300)
    assert journal.push(target.client, 0).status == 200
    journal.add(300)
    journal.put_segments(target.client)
    journal.checkpoint(target.client, 300)
    yield target
    target.client.close()
    stop_mirrors(running)
    assert "fault in" not in running[0].log()


def mutated(good: bytes) -> st.SearchStrategy[bytes]:
    """The good bytes with a few places changed, cut, doubled or stuffed."""

    def change(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
        for at, length, new in edits:
            start = at % (len(data) + 1)
            data = data[:start] + new + data[start + length :]
        return data

    edit = st.tuples(st.integers(0, 2**31), st.integers(0, 40), st.binary(max_size=12))
    return st.lists(edit, min_size=1, max_size=3).map(lambda edits: change(good, edits))


@FEW
@given(st.data())
def test_add_checkpoint(target: Target, data: st.DataObject) -> None:
    body = data.draw(st.one_of(mutated(target.journal.submission(600)), st.binary(max_size=300)))
    assert target.client.send("POST", "/add-checkpoint", body).status in {200, 400, 403, 404, 409, 422}


@FEW
@given(st.data(), st.booleans())
def test_add_entries(target: Target, data: st.DataObject, zipped: bool) -> None:
    body = data.draw(st.one_of(mutated(target.journal.upload(300)), st.binary(max_size=300)))
    assert add_entries(target.client, body, zipped=zipped).status in {200, 202, 400, 404, 409, 422}


@FEW
@given(st.data())
def test_broken_gzip(target: Target, data: st.DataObject) -> None:
    body = data.draw(mutated(gzip.compress(target.journal.upload(300))))
    answer = target.client.send("POST", "/add-entries", body, {"Content-Encoding": "gzip"})
    assert answer.status in {200, 202, 400, 404, 409, 422}


@FEW
@given(st.data())
def test_segments(target: Target, data: st.DataObject) -> None:
    path, good = target.journal.segments[-1]
    body = data.draw(mutated(good))
    answer = target.client.signed(target.journal.signer.key, "PUT", path, body)
    assert answer.status in {200, 409, 422}


ANY = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.binary(max_size=20), st.text(max_size=20)
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@FEW
@given(st.one_of(ANY.map(cbor2.dumps), st.binary(max_size=200)))
def test_cbor(target: Target, body: bytes) -> None:
    assert target.client.signed(KEEPER.key, "POST", "/keycopy/put", body).status in {200, 409, 422}
    assert target.client.send("POST", "/keycopy/schedule-destroy", body).status == 422
    assert target.client.send("POST", "/keycopy/object", body).status == 403


@FEW
@given(st.data())
def test_raw_bytes(target: Target, data: st.DataObject) -> None:
    good = b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n"
    sent = data.draw(st.one_of(mutated(good), st.binary(max_size=200)))
    with socket.create_connection(("127.0.0.1", target.mirror.port), timeout=10) as sock:
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        out = b""
        while part := sock.recv(65536):
            out += part
    assert out == b"" or out.startswith(b"HTTP/1.1 ")
    assert b" 500 " not in out
    assert target.mirror.process is not None
    assert target.mirror.process.poll() is None
