"""A role is about to end: its holder is told 30 and 7 days before, once each, and so are those who can renew it.

What was told is a record beside the notices, so neither a restart nor a rebuild tells twice, and nobody is forgotten.
A renewal moves the end; that end is told anew. A keeper that stood still tells what is due now, not both at once.
"""

import threading
from collections.abc import Callable, Iterable
from datetime import date, datetime
from uuid import UUID

from kulla.keeper.accounts.book import Telling
from kulla.keeper.committer import Committer
from kulla.keeper.families.telling import Prepare, commit_and_tell
from kulla.keeper.kinds import Body
from kulla.keeper.offices import DAY_MS, Offices, Role
from kulla.keeper.people import People
from kulla.keeper.register import Register
from kulla.keeper.roles import ADMIN, OPERATOR

DAYS = (30, 7)  # before the end
AT_ONCE = 100  # roles in one commit


class RoleEnds:
    """The daily job of the tender thread."""

    def __init__(
        self,
        register: Register,
        people: People,
        offices: Offices,
        committer: Committer,
        *,
        telling: Prepare,
        clock: Callable[[], int],
        stopping: threading.Event,
    ) -> None:
        self._register, self._people, self._offices, self._committer = register, people, offices, committer
        self._telling, self._clock, self._stopping = telling, clock, stopping
        self._done: date | None = None
        self._turn = threading.Lock()

    def run(self) -> int:
        """Tell what is due; gives of how many roles. Once a day, however often it is called.

        Raises Refusal("copies_unavailable"); then the next call goes on with the rest.
        """
        today = datetime.fromtimestamp(self._clock() / 1000, self._people.zone).date()
        with self._turn:
            if self._done == today:
                return 0
            due = self._due()
            for start in range(0, len(due), AT_ONCE):
                if self._stopping.is_set():
                    return start
                self._tell(due[start : start + AT_ONCE])
            self._done = today
            return len(due)

    def _due(self) -> list[tuple[Role, int]]:
        """Roles that end soon, with which of DAYS it is, in the order of their offices."""
        now, found = self._clock(), []
        told = {
            (row[0], row[1]): row[2]
            for row in self._register.rows(
                "SELECT role, until, min(days) FROM role_end_told GROUP BY role, until"
            )
        }
        for role in self._offices.ending(now + max(DAYS) * DAY_MS):
            days = min(each for each in DAYS if role.until <= now + each * DAY_MS)
            # A role that was given for less than that is no news to who took it a moment ago.
            given_for_less = role.until - role.since <= days * DAY_MS
            if not given_for_less and days < told.get((role.id.bytes, role.until), max(DAYS) + 1):
                found.append((role, days))
        return found

    def _tell(self, due: Iterable[tuple[Role, int]]) -> None:
        bodies: list[Body] = []
        told: list[Telling] = []
        over: dict[UUID, list[Role]] = {}
        for role, days in due:
            names = {"role": role.id, "until": role.until, "days": days, "at": self._clock()}
            bodies.append({"type": "role_end_told", **names})
            if self._people.is_dead(role.person):
                continue
            told.append(self._own(role))
            for admin in self._nearest(role):
                over.setdefault(admin, []).append(role)
        for admin, roles in over.items():
            first = min(roles, key=lambda each: each.until)
            values = {"count": str(len(roles)), "office": self._name(first), "until": self._day(first)}
            told.append(self._telling(admin, "roles_ending", values))
        commit_and_tell(self._committer, bodies, *told)

    def _own(self, role: Role) -> Telling:
        if role.role == OPERATOR:
            return self._telling(role.person, "operator_ending", {"until": self._day(role)})
        values = {"office": self._name(role), "until": self._day(role)}
        return self._telling(role.person, "role_ending", values)

    def _nearest(self, role: Role) -> set[UUID]:
        """The other administrators of the office, or of the nearest one above that has any: each could renew it, and
        the state's need not read of every clerk."""
        start = role.office or self._offices.root()
        for office in [start, *self._offices.parents(start)] if start else []:
            listed = self._offices.officials([office])
            found = {each.person for each in listed if each.role == ADMIN} - {role.person}
            if found:
                return found
        return set()

    def _name(self, role: Role) -> str:
        found = self._offices.office(role.office or self._offices.root())
        return found.name if found else ""

    def _day(self, role: Role) -> str:
        return f"{datetime.fromtimestamp(role.until / 1000, self._people.zone):%d.%m.%Y}"
