"""Offices and the roles of officials: the tree, who has what where, and the records that say so.

Types: the state (one at most), ministries, agencies, branches. An office without a parent stands under the state.
A role belongs to a person in one office, for at most a year. Nothing here decides who may grant; see
administration.py. All of an office is public; names of officials are not kept here.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from kulla.keeper.errors import Refusal
from kulla.keeper.kinds import Body
from kulla.keeper.kinds.offices import NO_END, NO_OFFICE
from kulla.keeper.register import Register
from kulla.keeper.roles import ADMIN, OFFICE_ROLES, OPERATOR

if TYPE_CHECKING:
    from kulla.keeper.sessions import Live

DAY_MS = 24 * 3600 * 1000
YEAR_MS = 365 * DAY_MS
STATE, MINISTRY, AGENCY, BRANCH = "state", "ministry", "agency", "branch"
TYPES = (STATE, MINISTRY, AGENCY, BRANCH)
MAX_DEPTH = 20  # of the tree; a deeper one, or one in a circle, is cut here
MAX_NAME = 120
DAYS = range(7)  # Monday is 0
MAX_SPANS = 3  # of opening hours in a day
DAY_MINUTES = 24 * 60

Hours = Mapping[int, Sequence[tuple[int, int]]]


@dataclass(frozen=True)
class Office:
    """An office as the public knows it. `hours`: weekday (Monday is 0) to spans of minutes after midnight."""

    id: UUID
    name: str
    name_en: str
    kind: str
    parent: UUID | None
    town: str
    address: str
    hours: dict[int, list[tuple[int, int]]]
    closed: bool


@dataclass(frozen=True)
class Role:
    """A role of a person. `until` is NO_END for roles of the first keepers; `reviewed` is the last yearly review."""

    id: UUID
    person: UUID
    role: str
    office: UUID | None
    since: int
    until: int
    by: tuple[UUID, ...]
    source: str
    reviewed: int | None

    @property
    def due(self) -> int:
        """When somebody must have said again that it is needed (ms)."""
        return max(self.since, self.reviewed or 0) + YEAR_MS


_OFFICE = "SELECT id, name, name_en, kind, parent, town, address, hours, closed FROM office "
_ROLE = "SELECT id, person, role, office, since, until, by1, by2, source, reviewed FROM role "


class Offices:
    """Reads the tree and the roles, and makes the records that change them."""

    def __init__(self, register: Register, clock: Callable[[], int]) -> None:
        self._register, self._clock = register, clock
        self._parents: dict[UUID, UUID | None] | None = None
        self._state: UUID | None = None
        register.on_change.append(self._changed)

    # The tree ------------------------------------------------------------------------------------------

    def office(self, office: UUID | None) -> Office | None:
        """An office, or None when there is none of this id."""
        row = self._register.one(_OFFICE + "WHERE id = ?", office.bytes) if office else None
        return _office(row) if row else None

    def must(self, office: UUID) -> Office:
        """An office. Raises Refusal("unknown_office")."""
        found = self.office(office)
        if found is None:
            raise Refusal("unknown_office", "There is no such office.")
        return found

    def all(self, after: UUID | None = None, limit: int = 1000) -> list[Office]:
        """Open offices by id, from the one after `after` on."""
        start = after.bytes if after else b""
        rows = self._register.rows(_OFFICE + "WHERE id > ? AND NOT closed ORDER BY id LIMIT ?", start, limit)
        return [_office(row) for row in rows]

    def root(self) -> UUID | None:
        """The state, under which every office stands; None in a country without."""
        self._tree()
        return self._state

    def parents(self, office: UUID) -> list[UUID]:
        """The offices above one, the nearest first."""
        tree = self._tree()
        found: list[UUID] = []
        above = tree.get(office)
        while above is not None and above not in found and above != office and len(found) < MAX_DEPTH:
            found.append(above)
            above = tree.get(above)
        return found

    def subtree(self, office: UUID) -> set[UUID]:
        """The office and all that stand under it."""
        below: dict[UUID, list[UUID]] = {}
        for child, parent in self._tree().items():
            if parent is not None:
                below.setdefault(parent, []).append(child)
        found, waiting = {office}, [office]
        while waiting:
            fresh = [child for child in below.get(waiting.pop(), []) if child not in found]
            found.update(fresh)
            waiting += fresh
        return found

    def _tree(self) -> dict[UUID, UUID | None]:
        """Each office's parent. Kept until an office changes; a country has thousands, not millions."""
        tree = self._parents
        if tree is None:
            rows = self._register.rows("SELECT id, parent, kind, closed FROM office ORDER BY id")
            known = {row[0] for row in rows}
            states = [row[0] for row in rows if row[2] == STATE and not row[3]]
            top = states[0] if states else None
            tree = {}
            for own, parent, *_ in rows:
                above = parent if parent in known and parent != own else top
                tree[UUID(bytes=own)] = UUID(bytes=above) if above is not None and own != top else None
            self._state = UUID(bytes=top) if top else None
            self._parents = tree
        return tree

    def _changed(self, body: Body) -> None:
        if body["type"] == "office":
            self._parents = None

    # Roles ---------------------------------------------------------------------------------------------

    def roles_of(self, person: UUID) -> list[tuple[str, UUID | None]]:
        """(role, office) of everything that a person is today, besides a citizen. Offices that closed give none."""
        return [(role.role, role.office) for role in self.held(person)]

    def held(self, person: UUID) -> list[Role]:
        """The live roles of a person."""
        rows = self._register.rows(
            _ROLE + "WHERE person = ? AND ended IS NULL AND until > ? ORDER BY since, role, office",
            *(person.bytes, self._clock()),
        )
        return [role for role in map(_role, rows) if self._stands(role.office)]

    def not_ended(self, person: UUID) -> list[Role]:
        """The roles of a person that nobody ended, also those whose time is over."""
        rows = self._register.rows(
            _ROLE + "WHERE person = ? AND ended IS NULL ORDER BY role, office", person.bytes
        )
        return [role for role in map(_role, rows) if self._stands(role.office)]

    def holds(self, person: UUID, role: str, office: UUID | None, *, at: int | None = None) -> bool:
        """Whether a person has this role there now (and had it `at` that time, ms, without an end since).

        Cheap: asked at every call of an official.
        """
        now = self._clock()
        row = self._register.one(
            "SELECT 1 FROM role WHERE person = ? AND role = ? AND office = ? AND ended IS NULL AND until > ? "
            "AND since <= ?",
            *(person.bytes, role, office.bytes if office else NO_OFFICE, now, now if at is None else at),
        )
        return row is not None and self._stands(office)

    def role(self, role: UUID) -> Role:
        """A live role by its id. Raises Refusal("unknown_role")."""
        row = self._register.one(
            _ROLE + "WHERE id = ? AND ended IS NULL AND until > ?", role.bytes, self._clock()
        )
        if row is None:
            raise Refusal("unknown_role", "There is no such role any more.")
        return _role(row)

    def officials(self, offices: Iterable[UUID]) -> list[Role]:
        """The live roles in these offices, office by office, the oldest first."""
        now, found = self._clock(), []
        for office in sorted(offices):
            rows = self._register.rows(
                _ROLE + "WHERE office = ? AND ended IS NULL AND until > ? ORDER BY since, role, id",
                *(office.bytes, now),
            )
            found += [_role(row) for row in rows]
        return found

    def ending(self, before: int) -> list[Role]:
        """The live roles whose time is over before `before` (ms), office by office."""
        rows = self._register.rows(
            _ROLE + "WHERE ended IS NULL AND until > ? AND until <= ? ORDER BY office, until, id",
            *(self._clock(), before),
        )
        return [role for role in map(_role, rows) if self._stands(role.office)]

    def is_admin_over(self, who: "UUID | Live", office: UUID) -> bool:
        """Whether a person (or, of a session, who acts in it as administrator) administers an office, from itself or
        from above."""
        above = [office, *self.parents(office)]
        if isinstance(who, UUID):
            return any(self.holds(who, ADMIN, each) for each in above)
        acts = who.role == ADMIN and who.office in above
        return acts and self.holds(who.person, ADMIN, who.office)

    def admins_over(self, office: UUID) -> set[UUID]:
        """Everyone who administers an office, from itself or from above."""
        return {role.person for role in self.officials([office, *self.parents(office)]) if role.role == ADMIN}

    def any_admin(self) -> bool:
        """Whether anybody administers anything now."""
        row = self._register.one(
            "SELECT 1 FROM role WHERE role = ? AND ended IS NULL AND until > ? LIMIT 1", ADMIN, self._clock()
        )
        return row is not None

    def _stands(self, office: UUID | None) -> bool:
        if office is None:
            return True
        row = self._register.one("SELECT closed FROM office WHERE id = ?", office.bytes)
        return row is None or not row[0]

    # Records -------------------------------------------------------------------------------------------

    def role_body(
        self,
        person: UUID,
        role: str,
        office: UUID | None,
        *,
        since: int | None = None,
        until: int | None = None,
        by: Sequence[UUID] = (),
        source: str = "import",
    ) -> Body:
        """The record that gives a role, or renews it. Times in ms; `since` is now unless given.

        It ends a year from now unless `until` says earlier. `by`: who granted it, at most two.
        Raises Refusal("bad_role").
        """
        fits = (role == OPERATOR and office is None) or (role in OFFICE_ROLES and office is not None)
        if not fits or len(by) > 2:
            raise Refusal("bad_role", "An official is the operator, or has one of the roles of an office.")
        now = self._clock()
        begin = min(since, now) if since is not None else now
        last = now + YEAR_MS
        names = {"person": person, "role": role, "office": office}
        times = {"since": begin, "until": min(until, last) if until is not None else last}
        return {"type": "role_granted", "id": uuid4(), **names, **times, "by": list(by), "source": source}

    def role_ended_body(self, role: Role, *, by: UUID | None, why: str = "left") -> Body:
        """The record that ends a role."""
        names = {"person": role.person, "role": role.role, "office": role.office}
        return {"type": "role_ended", **names, "at": self._clock(), "by": by, "why": why}

    def office_body(
        self,
        office: UUID,
        name: str,
        *,
        name_en: str | None = None,
        kind: str | None = None,
        parent: UUID | None = None,
        town: str | None = None,
        address: str | None = None,
        hours: Hours | None = None,
        closed: bool | None = None,
    ) -> Body:
        """The record that makes an office or changes it; what is None stays as it is. `kind` is one of TYPES.

        Raises Refusal("bad_office"): bad type or hours, a circle, or a second state.
        """
        values = {"name": name, "name_en": name_en, "kind": kind, "town": town, "address": address}
        given: dict[str, Any] = {key: value.strip() for key, value in values.items() if value is not None}
        if not given["name"] or any(len(value) > MAX_NAME for value in given.values()):
            raise Refusal(
                "bad_office", f"An office has a name; no text is longer than {MAX_NAME} characters."
            )
        if kind is not None and kind not in TYPES:
            raise Refusal("bad_office", "There is no such type of office.")
        if kind == STATE and self.root() not in (None, office):
            raise Refusal("bad_office", "There is one state only.")
        if parent is not None:
            if parent == office or office in self.parents(parent):
                raise Refusal("bad_office", "An office cannot stand under itself.")
            given["parent"] = parent
        if hours is not None:
            given["hours"] = {str(day): spans for day, spans in check_hours(hours).items()}
        if closed is not None:
            given["closed"] = closed
        return {"type": "office", "office": office, **given}


def check_hours(hours: Hours) -> dict[int, list[list[int]]]:
    """Opening hours in order and without overlaps. Raises Refusal("bad_office")."""
    found: dict[int, list[list[int]]] = {}
    for day, spans in sorted(hours.items()):
        times = [minute for span in sorted(spans) for minute in span]
        good = day in DAYS and len(spans) <= MAX_SPANS and all(len(span) == 2 for span in spans)
        rising = all(before < after for before, after in pairwise(times))
        if not good or not rising or (times and (times[0] < 0 or times[-1] > DAY_MINUTES)):
            raise Refusal("bad_office", "Opening hours are spans of a weekday that do not overlap.")
        if spans:
            found[day] = [list(span) for span in sorted(spans)]
    return found


def _office(row: Sequence[Any]) -> Office:
    hours = {int(day): [(a, b) for a, b in spans] for day, spans in json.loads(row[7]).items()}
    parent = UUID(bytes=row[4]) if row[4] else None
    return Office(UUID(bytes=row[0]), row[1], row[2], row[3], parent, row[5], row[6], hours, bool(row[8]))


def _role(row: Sequence[Any]) -> Role:
    office = UUID(bytes=row[3]) if row[3] else None
    by = tuple(UUID(bytes=each) for each in row[6:8] if each)
    return Role(UUID(bytes=row[0]), UUID(bytes=row[1]), row[2], office, row[4], row[5], by, row[8], row[9])


__all__ = ["NO_END", "TYPES", "YEAR_MS", "Office", "Offices", "Role", "check_hours"]
