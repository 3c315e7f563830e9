"""Tombstones: the frozen format by which records of the key copies are destroyed; objections and legal holds.

A tombstone is deterministic CBOR (RFC 8949, section 4.2.1), a map with text keys:

    v            1
    record_ids   list of 1 to 256 record ids of 16 bytes, or
    person_key   the id of one person's data key, 16 bytes (exactly one of the two; a key's record has the key's id)
    reason       text, 1 to 500 characters, no personal data
    at           when it was drawn up, ms since the epoch, UTC
    not_before   at least `at` + 30 days
    signatures   two or more of [name of the officer's key, Ed25519 signature], by different officers, over
                 "kulla-tombstone/1\\n" ‖ the same map without `signatures`, in deterministic CBOR

Its id is the SHA-256 of the map without `signatures`, in hexadecimal.

Notes about one tombstone are signed notes with the text "<kind>\\n<id>\\n<reason>\\n". `kulla-objection/1`, by an
erasure officer, a mirror operator (`objectors`) or the keeper in a person's name, stops it for good.
`kulla-hold/1`, by one of `hold_issuers`, suspends it; `kulla-hold-lifted/1` by the same key ends that hold.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kulla.journal.wire import WireError, decode, encode

DAY = 24 * 3600 * 1000
WAIT = 30 * DAY
MAX_TOMBSTONE = 16 * 1024
MAX_IDS = 256
MAX_SIGNATURES = 8
COMMON = {"v", "reason", "at", "not_before", "signatures"}
SIGNED = b"kulla-tombstone/1\n"
OBJECTION = "kulla-objection/1"
HOLD = "kulla-hold/1"
LIFTED = "kulla-hold-lifted/1"
_NOTE = re.compile(r"(kulla-[a-z-]+/1)\n([0-9a-f]{64})\n([^\n]{1,500})\n\Z")


class TombstoneRefused(Exception):
    """Why a tombstone or a note about one is not taken, as a plain sentence."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A tombstone whose form is right; its signatures are not checked yet. `ids` are record ids."""

    at: int
    not_before: int
    unsigned: bytes
    signatures: list[tuple[str, bytes]]
    ids: tuple[bytes, ...]

    @property
    def id(self) -> str:
        """The SHA-256 of the part without signatures, in hexadecimal."""
        return hashlib.sha256(self.unsigned).hexdigest()


def unsigned_part(fields: Mapping[str, Any]) -> bytes:
    """The bytes that give a tombstone its id; the officers sign SIGNED followed by these."""
    return encode({k: v for k, v in fields.items() if k != "signatures"})


def draw_up(record_ids: list[bytes], reason: str, at: int) -> bytes:
    """An unsigned tombstone of these records (16 bytes each), drawn up at `at` (ms). Raises TombstoneRefused."""
    fields = {"v": 1, "record_ids": record_ids, "reason": reason, "at": at, "not_before": at + WAIT}
    data = unsigned_part(fields)
    read_unsigned(data)
    return data


def read_unsigned(data: bytes) -> dict[str, Any]:
    """The fields of an unsigned tombstone. Raises TombstoneRefused when it is none."""
    refusal = TombstoneRefused("This is not an unsigned tombstone of version 1.")
    try:
        fields = decode(data)
        stand_in = [["", b""], ["", b""]]
        if type(fields) is not dict or not _is_form(fields | {"signatures": stand_in}):
            raise refusal
        if unsigned_part(fields) != data or "signatures" in fields:
            raise refusal
    except WireError:
        raise refusal from None
    return dict(fields)


def sign(unsigned: bytes, key: Ed25519PrivateKey) -> bytes:
    """An officer's signature over an unsigned tombstone."""
    return key.sign(SIGNED + unsigned)


def assemble(unsigned: bytes, signatures: Mapping[str, bytes]) -> bytes:
    """The signed tombstone, as copies take it. Raises TombstoneRefused when the form is wrong."""
    fields = read_unsigned(unsigned)
    data = encode(fields | {"signatures": [[name, signatures[name]] for name in sorted(signatures)]})
    parse_tombstone(data)
    return data


def note_text(kind: str, tombstone_id: str, reason: str) -> str:
    """The text of an objection, a hold or the end of one, to be signed as a note. Raises TombstoneRefused."""
    text = f"{kind}\n{tombstone_id}\n{reason}\n"
    parse_note_text(text)
    return text


def parse_note_text(text: str) -> tuple[str, str, str]:
    """(kind, tombstone id, reason) of a note's text. Raises TombstoneRefused."""
    match = _NOTE.match(text)
    if not match or match[1] not in {OBJECTION, HOLD, LIFTED}:
        raise TombstoneRefused("The note is not an objection to a tombstone, nor a hold or its end.")
    return match[1], match[2], match[3]


def _ids(fields: dict[str, Any]) -> Any:
    """What the tombstone destroys, or None if it names neither or both."""
    named = set(fields) - COMMON
    if len(fields) != 6 or len(named) != 1:
        return None
    return fields["record_ids"] if named == {"record_ids"} else [fields.get("person_key")]


def _is_form(fields: Any) -> bool:
    if type(fields) is not dict or not set(fields) > COMMON:
        return False
    ids, reason, signatures = _ids(fields), fields["reason"], fields["signatures"]
    return (
        fields["v"] == 1
        and all(type(fields[name]) is int for name in ("v", "at", "not_before"))
        and all(0 <= fields[name] < 2**53 for name in ("at", "not_before"))
        and type(reason) is str
        and 1 <= len(reason) <= 500
        and type(ids) is list
        and 1 <= len(ids) <= MAX_IDS
        and all(type(i) is bytes and len(i) == 16 for i in ids)
        and len(set(ids)) == len(ids)
        and type(signatures) is list
        and 2 <= len(signatures) <= MAX_SIGNATURES
        and all(
            type(s) is list and len(s) == 2 and type(s[0]) is str and type(s[1]) is bytes for s in signatures
        )
    )


def parse_tombstone(data: bytes) -> Tombstone:
    """Check the form of a tombstone, every field. Raises TombstoneRefused."""
    refusal = TombstoneRefused("This is not a tombstone of version 1 in deterministic CBOR.")
    if len(data) > MAX_TOMBSTONE:
        raise TombstoneRefused(f"A tombstone has at most {MAX_TOMBSTONE} bytes.")
    try:
        fields = decode(data)
        if not _is_form(fields) or encode(fields) != data:
            raise refusal
    except WireError:
        raise refusal from None
    return Tombstone(
        fields["at"],
        fields["not_before"],
        unsigned_part(fields),
        [(name, sig) for name, sig in fields["signatures"]],
        tuple(_ids(fields)),
    )


def check_tombstone(data: bytes, officers: Mapping[str, Ed25519PublicKey], now: int) -> Tombstone:
    """Validate a tombstone: (1) its form, (2) its dates, (3) two different officers' signatures.

    `now` is in ms since the epoch. Raises TombstoneRefused with the first reason found.
    """
    tombstone = parse_tombstone(data)
    if tombstone.at > now + 5 * 60 * 1000:
        raise TombstoneRefused("The tombstone is dated in the future.")
    if tombstone.not_before < tombstone.at + WAIT:
        raise TombstoneRefused("A tombstone waits at least 30 days.")
    signed_by: set[bytes] = set()
    for name, signature in tombstone.signatures:
        key = officers.get(name)
        if key is None:
            raise TombstoneRefused("One who signed the tombstone is no erasure officer here.")
        try:
            key.verify(signature, SIGNED + tombstone.unsigned)
        except InvalidSignature:
            raise TombstoneRefused("A signature on the tombstone is not valid.") from None
        signed_by.add(key.public_bytes_raw())
    if len(signed_by) < 2:
        raise TombstoneRefused("A tombstone needs the signatures of two different erasure officers.")
    return tombstone
