"""The socket: whatever comes in is answered by a sentence, and the next caller is served."""

import os
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kulla.keeper.calls import CALLS
from kulla.keeper.testkit import keeper
from kulla.keeper.tests.conftest import Country
from kulla.keeper_client import KeeperUnavailable, Refused, connect


def raw(country: Country, data: bytes, *, close: bool = True) -> bytes:
    """What the keeper answers to these bytes."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(country.running.socket))
        connection.sendall(data)
        if close:
            connection.shutdown(socket.SHUT_WR)
        parts = []
        try:
            while part := connection.recv(65536):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)


def frame(value: object) -> bytes:
    body = cbor2.dumps(value)
    return struct.pack(">I", len(body)) + body


def refusal(answer: bytes) -> str:
    assert answer
    value = cbor2.loads(answer[4:])
    return str(value["refused"]["code"])


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        struct.pack(">I", 5 << 20) + b"x",
        b"\x00\x00\x00\x01\xff",
        b"\x00\x00\x00\x04\xa1\x61\x61",
        b"\x00\x00\x00\x02\x01\x02",
        b"\x00\x00\x00\x00",
        b"GET / HTTP/1.1\r\n\r\n",
        frame([]),
        frame({"call": "nothing"}),
        frame({"call": "__class__"}),
        frame({"call": 7}),
        frame({"call": "enter"}),
        frame({"call": "enter", "args": []}),
        frame({"call": "enter", "args": {"token": b"x"}}),
        frame({"call": "seal", "args": {"fields": [1]}}),
        frame({"call": "seal", "args": {"fields": [{}] * 2001}}),
        frame({"call": "looks", "args": {"since": -1}}),
        frame({"call": "looks", "args": {"since": True}}),
        frame({"call": "restore_looks", "args": {"sealed": ["x"]}}),
        frame({"call": "restore_looks", "args": {"sealed": [1 << 40]}}),
        frame({"call": "store_portal_keys", "args": {"keys": {1: b"x"}}}),
        frame({"call": "open", "args": {"token": "x" * 5000}}),
        b"\x00\x00\x00\x27" + b"\x81" * 39,
    ],
)
def test_bad_frames_are_refused_with_a_sentence(country: Country, data: bytes) -> None:
    assert refusal(raw(country, data)) in {"bad_request", "too_long", "token", "looks"}
    assert country.client.status()["people"] == 6


def test_a_frame_cut_in_its_middle_is_forgotten(country: Country) -> None:
    raw(country, b"\x00\x00\x10\x00abc")
    assert country.client.status()["people"] == 6


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=20) | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = ["token", "service", "person", "fields", "items", "proof", "purpose", "since", "upto", "n", "tickets"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    call=st.sampled_from(sorted(set(CALLS) - {"sign_in"})),
    args=st.dictionaries(st.sampled_from(NAMES), ANYTHING),
)
def test_no_arguments_make_it_stumble(country: Country, call: str, args: dict[str, object]) -> None:
    value = cbor2.loads(raw(country, frame({"call": call, "args": args}))[4:])
    assert "ok" in value or value["refused"]["code"] not in {"internal", "broken"}


def test_many_threads_share_one_client(country: Country) -> None:
    session = country.sign_in(country.running.arta)

    def work(number: int) -> bool:
        entered = country.client.enter(session.token, "appointments")
        return entered.person is not None

    start = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(400)))
    assert time.monotonic() - start < 8, "far above a hundred a second"


def test_many_sign_ins_at_once(country: Country) -> None:
    def work(number: int) -> str:
        return country.sign_in(country.running.arta, network=f"198.51.{number}.1").sid

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(work, range(24)))) == 24


def test_a_page_of_25_fields_is_opened_within_the_budget_of_time(country: Country) -> None:
    """3 ms at the median is promised; the machine is shared here, so the best must stay below twice that."""
    from kulla.keeper_client import Field, SealedItem

    client, clerk = country.client, country.sign_in(country.running.vjosa)
    arta = client.enter(country.sign_in(country.running.arta).token, "appointments")
    assert arta.person
    today = datetime.now(ZoneInfo("Europe/Tirane")).date()
    client.grant(arta.attestation, arta.person, "appointments", country.running.office_1, today, uuid4())
    rows = [uuid4() for _ in range(25)]
    fields = [Field("a", "reason", row, arta.person, "appointments", "dhimbje") for row in rows]
    items = [
        SealedItem("a", "reason", row, arta.person, "appointments", blob)
        for row, blob in zip(rows, client.seal(fields), strict=True)
    ]
    times = []
    for _ in range(15):
        start = time.perf_counter()
        assert all(each.text for each in client.open(clerk.token, items, "day_list"))
        times.append(time.perf_counter() - start)
    assert min(times) < 0.006


def test_a_keeper_that_is_away_is_named_and_found_again(tmp_path: Path) -> None:
    client = connect(tmp_path / "nowhere.sock")
    with pytest.raises(KeeperUnavailable):
        client.status()
    with keeper(tmp_path / "country") as running:
        client = connect(running.socket)
        assert client.status()["people"] == 6
        running.kill()
        with pytest.raises(KeeperUnavailable):
            client.status()
        running.start()
        assert client.status()["people"] == 6
        client.close()


def test_a_path_too_long_for_a_socket_still_works(tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    deep.mkdir(parents=True)
    with keeper(deep) as running:
        assert len(os.fsencode(running.socket)) > 107
        client = connect(running.socket)
        assert client.status()["people"] == 6
        client.close()
        assert "is longer than" in running.log()
        running.stop()
        assert not running.socket.with_name("keeper.sock.where").exists()


def test_more_connections_than_places_are_turned_away_and_places_come_free(country: Country) -> None:
    open_sockets = []
    try:
        for _ in range(300):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(str(country.running.socket))
            open_sockets.append(connection)
    finally:
        for connection in open_sockets:
            connection.close()
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            assert country.client.status()["people"] == 6
            return
        except KeeperUnavailable:
            time.sleep(0.1)
    raise AssertionError("the keeper did not come back to answering")


def test_in_a_country_that_is_no_demo_the_demo_calls_are_refused(tmp_path: Path) -> None:
    with keeper(tmp_path, demo=False) as running:
        country = Country(running, connect(running.socket))
        session = country.sign_in(running.arta)
        for call in (
            lambda: country.client.inbox(session.token),
            lambda: country.client.demo_second_factor(running.vjosa.number),
        ):
            with pytest.raises(Refused) as caught:
                call()
            assert caught.value.code == "demo_only"
        country.client.close()
    assert threading.active_count() < 50
