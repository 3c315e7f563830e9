"""The 18th birthday: guardianship ends by itself, and the young adult is invited to an account of their own. Once.

Birth dates are sealed, so the day's young adults are found by opening the wards' profiles, a thousand at a time.
A record notes who was told; nobody is told who came of age long before (an import of old families tells nobody).
"""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

from kulla.keeper.committer import Committer
from kulla.keeper.families.links import GUARDIANSHIP
from kulla.keeper.families.store import Families
from kulla.keeper.families.telling import Prepare, commit_and_tell
from kulla.keeper.people import People
from kulla.keeper.register import Register

AT_ONCE = 1000
BETWEEN_S = 0.02  # a breath between two thousands: people's pages go first
LATE = timedelta(days=30)  # a keeper that stood still tells afterwards


class ComingOfAge:
    """The daily job of the tender thread."""

    def __init__(
        self,
        register: Register,
        people: People,
        families: Families,
        committer: Committer,
        *,
        telling: Prepare,
        clock: Callable[[], int],
        stopping: threading.Event,
    ) -> None:
        self._register, self._people, self._families, self._committer = register, people, families, committer
        self._telling, self._clock, self._stopping = telling, clock, stopping
        self._done: date | None = None

    def run(self) -> int:
        """Invite those who have come of age; gives how many. Once a day, whatever it is called.

        Raises Refusal("copies_unavailable"); then the next call goes on with the rest.
        """
        today = self._families.today()
        if self._done == today:
            return 0
        invited, last = 0, b""
        while not self._stopping.is_set():
            wards = self._wards(last)
            if not wards:
                self._done = today
                break
            last = wards[-1].bytes
            for ward in wards:
                facts = self._families.read_facts(ward)
                if facts.of_age is None or facts.dead or not facts.of_age <= today <= facts.of_age + LATE:
                    continue
                self._invite(ward)
                invited += 1
            self._stopping.wait(BETWEEN_S)
        return invited

    def _wards(self, after: bytes) -> list[UUID]:
        rows = self._register.rows(
            "SELECT DISTINCT ward FROM guardianship WHERE ward > ? AND NOT adult "
            "AND ward NOT IN (SELECT person FROM came_of_age) ORDER BY ward LIMIT ?",
            *(after, AT_ONCE),
        )
        return [UUID(bytes=row[0]) for row in rows]

    def _invite(self, ward: UUID) -> None:
        """The record and the notices count together, so that nobody is told twice and nobody forgotten."""
        name = {"name": self._people.field(ward, "name")}
        told = [
            self._telling(guardian, "ward_came_of_age", name)
            for guardian in self._families.guardians_before(ward)
        ]
        if not any(link.kind == GUARDIANSHIP for link in self._families.links_to(ward)):
            told.append(self._telling(ward, "came_of_age", {}))
        body = {"type": "came_of_age", "person": ward, "at": self._clock()}
        commit_and_tell(self._committer, body, *told)
