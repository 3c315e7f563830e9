"""The forms that both sides of the door share."""

import socket
import struct
import threading
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from kulla.journal import wire
from kulla.keeper_client import Ticket, seal_claims

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw()


@given(st.binary(max_size=10_000))
def test_padding_comes_off_and_hides_the_length(data: bytes) -> None:
    padded = wire.pad(data)
    assert wire.unpad(padded) == data
    assert len(padded) > len(data)
    assert len(padded) in {32, 64, 128, 256, 512, 768, 1536} or len(padded) % 1024 == 0


@pytest.mark.parametrize("data", [b"", b"\x00" * 32, b"abc"])
def test_broken_padding_is_refused(data: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.unpad(data)


@given(st.lists(st.binary(max_size=5), max_size=4), st.lists(st.binary(max_size=5), max_size=4))
def test_two_lists_never_give_the_same_bytes(one: list[bytes], other: list[bytes]) -> None:
    assert (wire.length_prefixed(*one) == wire.length_prefixed(*other)) == (one == other)


def test_a_statement_opens_for_its_kind_and_key_only() -> None:
    statement = wire.sign_statement("token", {"sid": "x"}, KEY)
    assert wire.open_statement("token", statement, PUBLIC) == {"sid": "x"}
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    for kind, data, key in (
        ("attestation", statement, PUBLIC),
        ("token", statement, other),
        ("token", statement, b""),
        ("token", statement[:-1], PUBLIC),
        ("token", b"\x02" + statement[1:], PUBLIC),
        ("token", b"", PUBLIC),
    ):
        with pytest.raises(wire.WireError):
            wire.open_statement(kind, data, key)


@given(st.binary(max_size=200))
def test_no_bytes_make_the_readers_stumble(data: bytes) -> None:
    for read in (
        wire.decode,
        wire.split_sealed_claims,
        lambda raw: wire.open_statement("token", raw, PUBLIC),
    ):
        try:
            read(data)
        except wire.WireError:
            continue


def test_claims_open_with_their_own_ticket_only() -> None:
    ticket = Ticket(b"i" * 16, b"c" * 32, b"k" * 32, b"wrapped")
    blob = seal_claims(ticket, b"claims")
    ticket_id, wrapped, rest = wire.split_sealed_claims(blob)
    assert wire.open_with_ticket(ticket_id, ticket.key, wrapped, rest) == b"claims"
    for changed in (
        (b"j" * 16, b"k" * 32, wrapped, rest),
        (ticket_id, b"l" * 32, wrapped, rest),
        (ticket_id, b"k" * 32, b"other", rest),
    ):
        with pytest.raises(wire.WireError):
            wire.open_with_ticket(*changed)
    for cut in (blob[:18], blob[:30], b"\x01" + blob[1:], b""):
        with pytest.raises(wire.WireError):
            wire.split_sealed_claims(cut)


def test_a_ticket_shows_no_secret_when_printed() -> None:
    assert "kkkk" not in repr(Ticket(b"i" * 16, b"c" * 32, b"k" * 32, b"w"))


def test_frames_over_a_socket() -> None:
    one, other = socket.socketpair()
    with one, other:
        wire.write_frame(one, {"a": [1, b"x", None]})
        assert wire.read_frame(other) == {"a": [1, b"x", None]}
        with pytest.raises(wire.WireError, match="4 MiB"):
            wire.write_frame(one, b"x" * (4 * 1024 * 1024))
        one.sendall(struct.pack(">I", 1 << 30))
        with pytest.raises(wire.WireError, match="4 MiB"):
            wire.read_frame(other)
        one.sendall(b"\x00\x00")
        one.close()
        with pytest.raises(wire.WireError, match="middle"):
            wire.read_frame(other)


@pytest.mark.parametrize("portions", [(1, 2, 3), (4, 1), (5, 90_000), (200_000,)])
def test_a_frame_may_come_in_any_portions(portions: tuple[int, ...]) -> None:
    value = {"a": b"x" * 150_000}
    one, other = socket.socketpair()
    collected: list[Any] = []
    reader = threading.Thread(target=lambda: collected.append(wire.read_frame(other)))
    with one, other:
        reader.start()
        frame = struct.pack(">I", len(wire.encode(value))) + wire.encode(value)
        at = 0
        for portion in portions:
            one.sendall(frame[at : at + portion])
            at += portion
            time.sleep(0.02)  # so that the reader meets a part
        one.sendall(frame[at:])
        reader.join(10)
    assert collected == [value]


def test_a_second_frame_before_the_answer_is_refused() -> None:
    one, other = socket.socketpair()
    with one, other:
        one.sendall((struct.pack(">I", 1) + b"\x01") * 2)
        with pytest.raises(wire.WireError, match="after its end"):
            wire.read_frame(other)
    one, other = socket.socketpair()
    with one, other:
        one.sendall(struct.pack(">I", 5) + b"\x01")
        one.close()
        with pytest.raises(wire.WireError, match="middle"):
            wire.read_frame(other)
        assert wire.read_frame(other) is None


def test_a_value_nested_without_end_is_refused() -> None:
    with pytest.raises(wire.WireError):
        wire.decode(b"\x81" * 5000 + b"\x00")
