"""The tombstones of one key copy: what came, what stops it, what was carried out. The format: journal/tombstone.py.

`tombstones.log` holds append-only frames; a body is deterministic CBOR:

    [1, received ms, tombstone]                a valid tombstone came
    [2, received ms, tombstone id, note]       an objection; one stops the tombstone for good
    [3, ms, tombstone id]                      its records were blanked here (destroying.py)
    [4, received ms, tombstone id, note]       a legal hold, or the end of one, as its text says
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kulla.journal.tombstone import (
    DAY,
    HOLD,
    MAX_IDS,
    MAX_TOMBSTONE,
    OBJECTION,
    SIGNED,
    WAIT,
    Tombstone,
    TombstoneRefused,
    check_tombstone,
    parse_tombstone,
    unsigned_part,
)
from kulla.journal.wire import decode, encode
from kulla.mirror.frames import FrameFile

__all__ = [
    "DAY", "MAX_IDS", "MAX_TOMBSTONE", "OBJECTION", "SIGNED", "WAIT", "CapReached", "Standing", "Tombstone",
    "TombstoneRefused", "Tombstones", "check_tombstone", "parse_tombstone", "unsigned_part",
]  # fmt: skip

log = logging.getLogger("kulla.mirror")
MAX_NOTES = 16  # objections to one tombstone; holds of it


class CapReached(TombstoneRefused):
    """More tombstones came today than one day allows."""


@dataclass(slots=True)
class Standing:
    """One tombstone as it stands here: `due` is when it may be carried out at the earliest, `done` when it was."""

    id: str
    tombstone: bytes
    received: int
    due: int
    objections: list[bytes]
    holders: set[bytes] = field(default_factory=set)  # public keys of those whose hold stands
    hold_notes: list[bytes] = field(default_factory=list)
    done: int | None = None

    @property
    def state(self) -> str:
        """`done`; `objected` once anyone who may has objected; `held` while a legal hold stands; else `pending`."""
        if self.done is not None:
            return "done"
        return "objected" if self.objections else "held" if self.holders else "pending"


class Tombstones:
    """The tombstones, objections and holds of one key copy. Thread-safe."""

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
        elif item[0] == 2:
            self._standing[item[2]].objections.append(item[3])
        elif item[0] == 3:
            self._standing[item[2]].done = item[1]
        else:
            standing, (key, note) = self._standing[item[2]], item[3]
            standing.hold_notes.append(note)
            if note.startswith(HOLD.encode() + b"\n"):
                standing.holders.add(key)
            else:
                standing.holders.discard(key)

    def _keep(self, item: list[Any]) -> None:
        """Durable on return. With the lock held. Raises StorageFailed."""
        self._file.append([encode(item)])
        self._file.sync()
        self._apply(item)

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
                self._keep([1, now, data])
                standing = self._standing[tombstone.id]
                log.warning("tombstone %s is pending", tombstone.id[:16])
            return standing

    def take_over(self, other: Path, officers: Mapping[str, Ed25519PublicKey], now: int) -> int:
        """What another copy's `tombstones.log` has and ours lacks, with the times at which it came there.

        For an operator who has restored a backup that is older than the tombstones: his own act, with the mirror
        stopped. Every tombstone is checked as if it came today; what the other carried out stands here as pending.
        Gives how many were new. Raises TombstoneRefused, StorageFailed.
        """
        theirs = FrameFile(other)
        new = 0
        try:
            for _, body in theirs.bodies():
                item = decode(body)
                with self._lock:
                    if item[0] == 1:
                        tombstone = check_tombstone(item[2], officers, now)
                        if tombstone.id not in self._standing:
                            self._keep([1, min(int(item[1]), now), item[2]])
                            new += 1
                    elif (item[0] == 2 and item[3] not in self._standing[item[2]].objections) or (
                        item[0] == 4 and item[3][1] not in self._standing[item[2]].hold_notes
                    ):
                        self._keep(item)
        finally:
            theirs.close()
        return new

    def object(self, tombstone_id: str, note: bytes, now: int) -> Standing:
        """Record an objection whose signature the caller has checked; durable on return.

        Raises KeyError if no such tombstone stands here, TombstoneRefused past 16 objections or when it was carried
        out, StorageFailed.
        """
        with self._lock:
            standing = self._standing[tombstone_id]
            if standing.done is not None:
                raise TombstoneRefused("This tombstone was carried out already.")
            if note not in standing.objections:
                if len(standing.objections) >= MAX_NOTES:
                    raise TombstoneRefused("This tombstone is stopped already.")
                self._keep([2, now, tombstone_id, note])
                log.warning("tombstone %s is stopped by an objection", tombstone_id[:16])
            return standing

    def hold(self, tombstone_id: str, note: bytes, key: bytes, now: int, *, lift: bool) -> Standing:
        """Record a legal hold by the issuer with this public key, or the end of it; the caller has checked the note.

        Raises KeyError, TombstoneRefused (carried out; no hold of this key to lift; too many), StorageFailed.
        """
        with self._lock:
            standing = self._standing[tombstone_id]
            if standing.done is not None:
                raise TombstoneRefused("This tombstone was carried out already.")
            if note in standing.hold_notes:
                return standing
            if lift and key not in standing.holders:
                raise TombstoneRefused(
                    "Only who issued a hold lifts it; this key has none on this tombstone."
                )
            if not lift and (key in standing.holders or len(standing.hold_notes) >= 4 * MAX_NOTES):
                raise TombstoneRefused("This tombstone is held already.")
            self._keep([4, now, tombstone_id, [key, note]])
            log.warning(
                "a legal hold of tombstone %s was %s", tombstone_id[:16], "lifted" if lift else "issued"
            )
            return standing

    def carried_out(self, tombstone_id: str, now: int) -> None:
        """Note that its records are blank here; durable on return. Raises StorageFailed."""
        with self._lock:
            if self._standing[tombstone_id].done is None:
                self._keep([3, now, tombstone_id])

    def due(self, now: int) -> list[Standing]:
        """What is to be carried out by now, or was: nobody objected, nothing is held."""
        with self._lock:
            return [
                each for each in self._standing.values()
                if each.due <= now and each.state in {"pending", "done"}
            ]  # fmt: skip

    def all(self) -> list[Standing]:
        """Every tombstone that came here, oldest first."""
        with self._lock:
            return list(self._standing.values())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
