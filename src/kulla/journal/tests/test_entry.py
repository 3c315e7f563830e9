"""Payloads, claims and segments: canonical forms, what is refused, and that nothing opens for a stranger."""

import datetime
import hashlib
import uuid
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from kulla.journal import entry, segment
from kulla.journal.claims import Claims, check_code, leaf_data, leaf_of
from kulla.journal.errors import FormatError

U = [uuid.UUID(int=i) for i in range(10)]
REBUILD, KEEPER = X25519PrivateKey.generate(), X25519PrivateKey.generate()
RECIPIENTS = [k.public_key().public_bytes_raw() for k in (REBUILD, KEEPER)]


def payload(**columns: Any) -> entry.Payload:
    rows = [
        entry.Image("appointments_slot", U[4], 3, columns, 2),
        entry.Image("appointments_hold", U[5], 4, None),
    ]
    return entry.Payload(U[1], 1795000000000, "appointment.booked", U[2], U[3], b"\x01actor", b"sealed", rows)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.binary() | st.uuids(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(), values, max_size=5))
def test_payloads_round_trip_and_are_deterministic(columns: dict[str, Any]) -> None:
    p = payload(**columns)
    data = entry.encode_payload(p)
    assert entry.decode_payload(data) == p
    backwards = payload(**dict(reversed(columns.items())))
    assert entry.encode_payload(backwards) == data


def test_the_encoding_is_frozen() -> None:
    """Whoever changes these bytes makes a new version of the format."""
    data = entry.encode_payload(payload(b=1, a="x", id=U[4]))
    assert (
        hashlib.sha256(data).hexdigest() == "2a2dd8e66cbd06eebac538a152c82c9ae1c5350dc9ee5d7d4e53cfd61b763b64"
    )
    fields = cbor2.loads(data)
    assert list(fields) == ["v", "at", "kind", "rows", "uuid", "actor", "after", "claims", "office", "person"]
    assert fields["rows"][1] == ["appointments_hold", U[5], 4, None, 1]


@pytest.mark.parametrize(
    "value", [1.5, 2**63, datetime.date(2026, 1, 1), {1: 2}, [[2.0]], (1,), {"a": {"b": 1.0}}]
)
def test_values_that_no_entry_may_hold_are_named(value: Any) -> None:
    with pytest.raises(FormatError, match=r"appointments_slot\.when"):
        entry.encode_payload(payload(when=value))


def test_texts_that_are_not_unicode_are_refused() -> None:
    with pytest.raises(FormatError):
        entry.encode_payload(payload(name="\ud800"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        cbor2.dumps([]),
        cbor2.dumps({"v": 1}),
        cbor2.dumps({**cbor2.loads(entry.encode_payload(payload())), "v": 2}),
        cbor2.dumps({**cbor2.loads(entry.encode_payload(payload())), "uuid": "x"}),
        cbor2.dumps({**cbor2.loads(entry.encode_payload(payload())), "rows": [[1]]}),
        cbor2.dumps({**cbor2.loads(entry.encode_payload(payload())), "rows": 7}),
    ],
)
def test_other_bytes_are_no_payload(data: bytes) -> None:
    with pytest.raises(FormatError):
        entry.decode_payload(data)


# --- claims -----------------------------------------------------------------------------------------------------


def test_claims_have_one_spelling() -> None:
    claims = Claims((("what", "Takim te mjeku"), ("where", "Shkode\u0308r"), ("when", "")), bytes(range(16)))
    data = claims.encode()
    assert data.decode() == (
        "kulla-claims/1\nwhat: Takim te mjeku\nwhere: Shkodër\nwhen: \nsalt: 000102030405060708090a0b0c0d0e0f\n"
    )
    assert Claims.parse(data) == claims
    for bad in [
        b"",
        b"\xff",
        data[:-1],
        data + b"x: y\n",
        data.replace(b"/1", b"/2"),
        data.replace(b"what: ", b"what:"),
        data.replace(b"what", b"What"),
        data.replace(b"where", b"what"),
        data.replace("ë".encode(), "e\u0308".encode()),
        data.replace(b"0a0b", b"0A0B"),
        data.replace(b"mjeku", b"mje\rku"),
        data.replace(b"salt", b"sale"),
    ]:
        with pytest.raises(FormatError):
            Claims.parse(bad)


@pytest.mark.parametrize("value", ["a\nb", "a\tb", "\x7f", "a\u2028b", "\x85", "\ud800"])
def test_claims_are_single_lines(value: str) -> None:
    with pytest.raises(FormatError, match="one line"):
        Claims((("what", value),))


def test_claims_that_repeat_themselves_or_are_endless_are_refused() -> None:
    with pytest.raises(FormatError, match="of its own"):
        Claims((("what", "a"), ("what", "b")))
    with pytest.raises(FormatError, match="of its own"):
        Claims((("salt", "a"),))
    with pytest.raises(FormatError, match="too long"):
        Claims((("what", "a" * 20_000),)).encode()


def test_leaves_and_check_codes() -> None:
    leaf = leaf_data(b"sealed", b"claims")
    assert leaf == b"\x01" + hashlib.sha256(b"sealed").digest() + hashlib.sha256(b"claims").digest()
    assert leaf_of(b"sealed", hashlib.sha256(b"claims").digest()) == leaf
    assert check_code(bytes(32)) == "AAAA-AAAA"
    assert check_code(b"\xff" * 32) == "7777-7777"


# --- segments ---------------------------------------------------------------------------------------------------


def sealed_segment(payloads: list[bytes], first: int = 1000) -> tuple[bytes, bytes, list[bytes]]:
    header, sealed = segment.seal_segment(first, payloads, RECIPIENTS)
    hashes = [hashlib.sha256(bytes([i % 256])).digest() for i in range(len(payloads))]
    return segment.encode_segment(header, sealed, hashes), header, sealed


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=5), st.integers(0, 2**40))
def test_segments_open_for_each_recipient_and_nobody_else(payloads: list[bytes], first: int) -> None:
    data, header, sealed = sealed_segment(payloads, first)
    parsed = segment.parse_segment(data)
    assert (parsed.first, parsed.next, parsed.header, parsed.sealed) == (
        first,
        first + len(payloads),
        header,
        sealed,
    )
    assert parsed.leaves() == [leaf_of(s, h) for s, h in zip(sealed, parsed.claims_hashes, strict=True)]
    for private in (REBUILD, KEEPER.private_bytes_raw()):
        assert segment.decrypt_all(segment.open_segment_key(header, private), parsed) == payloads
    with pytest.raises(FormatError, match="not sealed for this key"):
        segment.open_segment_key(header, X25519PrivateKey.generate())


def test_a_segment_keeps_sizes_vague() -> None:
    assert [segment.size_class(n) for n in (1, 256, 257, 1024, 1025, 1536, 1537, 2049, 3073, 4097, 6145)] == [
        256, 256, 512, 1024, 1536, 1536, 2048, 3072, 4096, 6144, 8192,
    ]  # fmt: skip
    _, _, sealed = sealed_segment([b"", b"x" * 255, b"x" * 256, b"\x80\0\0"])
    assert [len(s) - 16 for s in sealed] == [256, 256, 512, 256]


def test_payloads_do_not_open_elsewhere_or_changed() -> None:
    _, header, sealed = sealed_segment([b"one", b"two"])
    key = segment.open_segment_key(header, KEEPER)
    assert segment.decrypt(key, header, 1001, sealed[1]) == b"two"
    other = bytearray(header)
    other[-1] ^= 1
    for h, index, blob in [
        (header, 1000, sealed[1]),
        (header, 1001, sealed[1][:-1] + b"\0"),
        (bytes(other), 1001, sealed[1]),
    ]:
        with pytest.raises(FormatError, match="does not open"):
            segment.decrypt(key, h, index, blob)
    with pytest.raises(FormatError, match="commits to"):
        segment.open_segment_key(bytes(other), KEEPER)
    wrapped = bytearray(header)
    wrapped[40] ^= 1
    with pytest.raises(FormatError, match="does not open"):
        segment.open_segment_key(bytes(wrapped), REBUILD)


def test_broken_segments_are_refused() -> None:
    data, _, _ = sealed_segment([b"one", b"two"])
    for cut in range(0, len(data), 13):
        with pytest.raises(FormatError):
            segment.parse_segment(data[:cut])
    for bad in [data + b"\0", b"KSEG\x02" + data[5:], data[:5] + data[13:21] + data[5:13] + data[21:]]:
        with pytest.raises(FormatError):
            segment.parse_segment(bad)
    for payloads, recipients in [([], RECIPIENTS), ([b"x"], [])]:
        with pytest.raises(FormatError):
            segment.seal_segment(0, payloads, recipients)
    with pytest.raises(FormatError, match="padding"):
        segment.unpad(bytes(256))
