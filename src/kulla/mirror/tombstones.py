"""Tombstones: the frozen format by which records of the key copy will be destroyed, and the objections to them.

This program validates, records and lists them. Carrying them out after the 30 days comes with a later issue; until
then nothing here removes a byte.

A tombstone is deterministic CBOR (RFC 8949, section 4.2.1), a map with text keys:

    v            1
    record_ids   list of 1 to 256 record ids of 16 bytes, or
    person_key   the id of one person's data key, 16 bytes (exactly one of the two)
    reason       text, 1 to 500 characters, no personal data
    at           when it was drawn up, ms since the epoch, UTC
    not_before   at least `at` + 30 days
    signatures   two or more of [name of the officer's key, Ed25519 signature], by different officers, over
                 "kulla-tombstone/1\\n" ‖ the same map without `signatures`, in deterministic CBOR

Its id is the SHA-256 of the map without `signatures`, in hexadecimal.

An objection is a signed note whose text is "kulla-objection/1\\n<id>\\n<reason>\\n", signed by an erasure officer,
a mirror operator (`objectors`) or the keeper in a person's name. One objection stops the tombstone for good.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kulla.journal.wire import WireError, decode, encode
from kulla.mirror.frames import FrameFile

log = logging.getLogger("kulla.mirror")

DAY = 24 * 3600 * 1000
WAIT = 30 * DAY
MAX_TOMBSTONE = 16 * 1024
MAX_IDS = 256
MAX_SIGNATURES = 8
COMMON = {"v", "reason", "at", "not_before", "signatures"}
SIGNED = b"kulla-tombstone/1\n"
OBJECTION = "kulla-objection/1"


class TombstoneRefused(Exception):
    """Why a tombstone or an objection is not taken, as a plain sentence."""


class CapReached(TombstoneRefused):
    """More tombstones came today than one day allows."""


@dataclass(slots=True)
class Standing:
    """One tombstone as it stands here: `due` is when it may be carried out at the earliest."""

    id: str
    tombstone: bytes
    received: int
    due: int
    objections: list[bytes]

    @property
    def state(self) -> str:
        """`pending`, or `objected` once anyone who may has objected."""
        return "objected" if self.objections else "pending"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A tombstone whose form is right; its signatures are not checked yet."""

    at: int
    not_before: int
    unsigned: bytes
    signatures: list[tuple[str, bytes]]

    @property
    def id(self) -> str:
        """The SHA-256 of the part without signatures, in hexadecimal."""
        return hashlib.sha256(self.unsigned).hexdigest()


def unsigned_part(fields: Mapping[str, Any]) -> bytes:
    """The bytes that give a tombstone its id; the officers sign SIGNED followed by these."""
    return encode({k: v for k, v in fields.items() if k != "signatures"})


def _ids(fields: dict[str, Any]) -> object:
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


class Tombstones:
    """The tombstones and objections of one key copy, in `tombstones.log` (append-only frames).

    Frame body: deterministic CBOR [1, received ms, tombstone bytes] or [2, received ms, id, objection bytes].
    """

    def __init__(self, folder: Path, *, per_day: int) -> None:
        """`per_day`: how many are taken in one UTC day; above it they are refused and an alarm is logged."""
        self._per_day = per_day
        self._lock = threading.Lock()
        self._standing: dict[str, Standing] = {}
        self._file = FrameFile(folder / "tombstones.log")
        for _, body in self._file.bodies():
            self._apply(decode(body))

    def _apply(self, item: list[Any]) -> None:
        if item[0] == 1:
            tombstone = parse_tombstone(item[2])
            due = max(tombstone.not_before, item[1] + WAIT)
            self._standing[tombstone.id] = Standing(tombstone.id, item[2], item[1], due, [])
        else:
            self._standing[item[2]].objections.append(item[3])

    def schedule(self, data: bytes, officers: Mapping[str, Ed25519PublicKey], now: int) -> Standing:
        """Record a valid tombstone as pending, durable on return; the same one again changes nothing.

        It is due at its `not_before`, and never sooner than 30 days after it came here: that is the time in
        which this copy's operator can object. Raises TombstoneRefused, CapReached, StorageFailed.
        """
        tombstone = check_tombstone(data, officers, now)
        with self._lock:
            standing = self._standing.get(tombstone.id)
            if standing is None:
                today = sum(1 for other in self._standing.values() if other.received // DAY == now // DAY)
                if today >= self._per_day:
                    log.error("ALARM: more than %d tombstones in one day; one was refused", self._per_day)
                    raise CapReached(
                        f"More than {self._per_day} tombstones came today; the operator was told."
                    )
                item = [1, now, data]
                self._file.append([encode(item)])
                self._file.sync()
                self._apply(item)
                standing = self._standing[tombstone.id]
                log.warning("tombstone %s is pending", tombstone.id[:16])
            return standing

    def object(self, tombstone_id: str, note: bytes, now: int) -> Standing:
        """Record an objection whose signature the caller has checked; durable on return.

        Raises KeyError if no such tombstone stands here, TombstoneRefused past 16 objections, StorageFailed.
        """
        with self._lock:
            standing = self._standing[tombstone_id]
            if note not in standing.objections:
                if len(standing.objections) >= 16:
                    raise TombstoneRefused("This tombstone is stopped already.")
                item = [2, now, tombstone_id, note]
                self._file.append([encode(item)])
                self._file.sync()
                self._apply(item)
                log.warning("tombstone %s is stopped by an objection", tombstone_id[:16])
            return standing

    def all(self) -> list[Standing]:
        """Every tombstone that came here, oldest first."""
        with self._lock:
            return list(self._standing.values())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
