"""Which records may be blank and which must be: by the tombstones that the copies hold, checked here anew.

A copy that gives a blank record without a valid, due tombstone is a damaged one: another copy's full record is taken.
A copy that gives the full record where the tombstone was carried out comes from an old backup: it is blanked here.
"""

import hashlib
import struct
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kulla.journal import wire
from kulla.journal.errors import NoteError
from kulla.journal.note import parse_vkey
from kulla.journal.tombstone import HOLD, WAIT, Tombstone, TombstoneRefused, check_tombstone, parse_tombstone


class Judge:
    """Takes what the copies say of tombstones. `now` in ms since 1970 UTC."""

    def __init__(self, officers: Mapping[str, Ed25519PublicKey], now: int) -> None:
        self._officers, self._now = officers, now
        self._found: dict[str, tuple[Tombstone, int, set[str]]] = {}  # id: tombstone, first due, states

    def add(self, items: Iterable[Mapping[str, Any]]) -> None:
        """Tombstones as one copy describes them; those that are not valid count for nothing."""
        for item in items:
            try:
                stone = check_tombstone(bytes(item["tombstone"]), self._officers, self._now)
                due, state = int(item["due"]), str(item["state"])
            except (TombstoneRefused, KeyError, TypeError, ValueError):
                continue
            _, first, states = self._found.get(stone.id, (stone, due, set[str]()))
            self._found[stone.id] = (stone, min(first, due), states | {state})

    @property
    def may(self) -> set[bytes]:
        """Ids of records that are rightly blank: two officers signed, and 30 days have passed."""
        return {
            each
            for stone, _, _ in self._found.values()
            if stone.not_before <= self._now
            for each in stone.ids
        }

    @property
    def must(self) -> set[bytes]:
        """Ids of records that are destroyed wherever a full one is found: carried out, or due, and stopped nowhere.

        Where one copy carried out what another was told to stop (it was away when the person withdrew), the full
        record counts.
        """
        out: set[bytes] = set()
        for stone, due, states in self._found.values():
            if stone.not_before > self._now:
                continue
            if states == {"pending"} and due > self._now:
                continue
            if states <= {"pending", "done"} or ("done" in states and "objected" not in states):
                out.update(stone.ids)
        return out


def officers_of(vkeys: Iterable[str]) -> dict[str, Ed25519PublicKey]:
    """Erasure officers by the names of their verifier keys. Raises NoteError."""
    keys = [parse_vkey(each) for each in vkeys]
    return {key.name: Ed25519PublicKey.from_public_bytes(key.public) for key in keys}


def known_officers(settings: Iterable[Mapping[str, Any]]) -> dict[str, Ed25519PublicKey]:
    """All erasure officers that any of these settings names; a key that cannot be read is left out."""
    found: dict[str, Ed25519PublicKey] = {}
    for each in settings:
        for vkey in each.get("erasure_officers", ()):
            try:
                found |= officers_of([str(vkey)])
            except NoteError:
                continue
    return found


def in_folder(folder: Path) -> list[dict[str, Any]]:
    """The tombstones in a key copy's folder, as the mirror itself would describe them (mirror/tombstones.py)."""
    found: dict[str, dict[str, Any]] = {}
    held: dict[str, set[bytes]] = {}
    for item in _frames(folder / "tombstones.log"):
        if item[0] == 1:
            stone = parse_tombstone(item[2])
            due = max(stone.not_before, item[1] + WAIT)
            found[stone.id] = {"tombstone": item[2], "due": due, "state": "pending"}
        elif item[0] == 2 and found[item[2]]["state"] != "done":
            found[item[2]]["state"] = "objected"
        elif item[0] == 3:
            found[item[2]]["state"] = "done"
        elif item[0] == 4:
            key, note = item[3]
            keys = held.setdefault(item[2], set())
            keys.add(key) if note.startswith(HOLD.encode() + b"\n") else keys.discard(key)
    for ident, keys in held.items():
        if keys and found[ident]["state"] == "pending":
            found[ident]["state"] = "held"
    return list(found.values())


def _frames(path: Path) -> list[list[Any]]:
    out: list[list[Any]] = []
    if not path.exists():
        return out
    with path.open("rb") as file:
        while len(head := file.read(36)) == 36:
            body = file.read(struct.unpack_from(">I", head)[0])
            if hashlib.sha256(body).digest() != head[4:]:
                break
            out.append(wire.decode(body))
    return out


def covered(ids: Collection[bytes], judge: Judge) -> bool:
    """Whether all of these may be blank."""
    return set(ids) <= judge.may
