"""The public tree of offices, as the keeper gives it; kept in this process for some seconds, and while it is away."""

import time
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from uuid import UUID

from kulla.identity.offices import words
from kulla.identity.views.public import plain
from kulla.keeper_client import KeeperUnavailable
from kulla.keeper_client.offices import Office
from kulla.registry import door

KEPT_S = 10.0
_ORDER = {"state": 0, "ministry": 1, "agency": 2, "branch": 3}


@dataclass(frozen=True)
class Tree:
    """All open offices."""

    offices: list[Office]

    @cached_property
    def by_id(self) -> dict[UUID, Office]:
        """Offices by id."""
        return {office.id: office for office in self.offices}

    @cached_property
    def _below(self) -> dict[UUID | None, list[Office]]:
        """Offices by the one above; what has none, or one that is closed, stands under the state."""
        state = next((office.id for office in self.offices if office.kind == "state"), None)
        below: dict[UUID | None, list[Office]] = {}
        for office in self.offices:
            above = office.parent if office.parent in self.by_id else state
            below.setdefault(None if office.id == state else above, []).append(office)
        return below

    def below(self, office: UUID | None) -> list[Office]:
        """The offices right under one (None: at the top), the higher kinds first."""
        found = self._below.get(office, [])
        return sorted(found, key=lambda each: (_ORDER.get(each.kind, 9), each.town, words.name(each)))

    def above(self, office: Office) -> list[Office]:
        """The offices over one, the highest first."""
        over = {child.id: parent for parent, children in self._below.items() for child in children}
        found: list[Office] = []
        now = over.get(office.id)
        while now is not None and len(found) < len(self.offices) and self.by_id[now] not in found:
            found.insert(0, self.by_id[now])
            now = over.get(now)
        return found

    def search(self, typed: str) -> list[Office]:
        """Offices whose name, town or address has every word, with or without ë and ç."""
        wanted = plain(typed).split()
        found = [office for office in self.offices if all(word in _text(office) for word in wanted)]
        return sorted(found, key=lambda each: (each.town, words.name(each)))


def _text(office: Office) -> str:
    return plain(f"{office.name} {office.name_en} {office.town} {office.address}")


_kept: dict[str, tuple[float, Tree]] = {}
_lock = Lock()


def tree(*, fresh: bool = False) -> Tree:
    """The tree; at most ten seconds old, or as old as the keeper's absence. Raises KeeperUnavailable when none was
    ever seen here."""
    client = door.keeper()
    key = str(id(client))
    with _lock:
        kept = _kept.get(key)
    if kept is not None and not fresh and time.monotonic() - kept[0] < KEPT_S:
        return kept[1]
    try:
        found = Tree(client.offices())
    except KeeperUnavailable:
        if kept is None:
            raise
        return kept[1]
    with _lock:
        _kept.clear()
        _kept[key] = (time.monotonic(), found)
    return found
