"""Visits: one person at one clerk's counter, and which sessions stand behind which. The rules: counter.py."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from kulla.keeper.errors import Refusal
from kulla.keeper.register import Register, Row
from kulla.keeper.sessions import Live, Sessions

VISIT_MS = 30 * 60 * 1000  # from the search to the confirmation
_VISIT = "SELECT id, person, official, office, clerk_sid, what, at, way, confirmed, sid FROM visit "


@dataclass(frozen=True)
class Visit:
    """A row of the table."""

    id: UUID
    person: UUID
    official: UUID
    office: UUID
    clerk_sid: str
    what: str
    at: int
    way: str
    confirmed: int
    sid: str

    @property
    def sheet(self) -> str:
        """The short number on the paper: the first 40 bits of the id in base32, as check codes are written."""
        code = base64.b32encode(self.id.bytes[:5]).decode()
        return f"{code[:4]}-{code[4:]}"


class Visits:
    """Reads them."""

    def __init__(self, register: Register, sessions: Sessions, clock: Callable[[], int]) -> None:
        self._register, self._sessions, self._clock = register, sessions, clock
        sessions.helper_stands, sessions.helped_by = self.helper_stands, self.helped_by

    def of(self, session: Live, visit_id: UUID) -> Visit:
        """A visit of this very session, not older than half an hour. Raises Refusal("unknown_visit")."""
        visit = self.by_id(visit_id)
        own = visit is not None and (visit.official, visit.clerk_sid) == (session.person, session.sid)
        if visit is None or not own or visit.at + VISIT_MS <= self._clock():
            raise Refusal("unknown_visit", "There is no such visit, or it is over.")
        return visit

    def by_id(self, visit_id: UUID) -> Visit | None:
        """A visit, whosever it is."""
        row = self._register.one(_VISIT + "WHERE id = ?", visit_id.bytes)
        if row is None:
            return None
        visit, person, official, office = (UUID(bytes=each) for each in row[:4])
        sid, what, at, way, confirmed, own_sid = row[4:]
        return Visit(visit, person, official, office, sid, what, at, way or "", confirmed or 0, own_sid or "")

    def confirmed(self, person: UUID, limit: int) -> list[Row]:
        """(begun, ended or to end, office, way, what) of the visits in which somebody acted, newest first."""
        return self._register.rows(
            "SELECT confirmed, coalesce(session.ended, until), visit.office, way, what FROM visit "
            "JOIN session USING (sid) WHERE visit.person = ? ORDER BY at DESC LIMIT ?",
            *(person.bytes, limit),
        )

    # Sessions ------------------------------------------------------------------------------------------

    def stands(self, sid: str) -> bool:
        """Whether a session stands."""
        try:
            self._sessions.of_sid(sid)
        except Refusal:
            return False
        return True

    def helper_stands(self, sid: str) -> bool:
        """Whether the clerk's own session behind an assisted one stands."""
        row = self._register.one("SELECT clerk_sid FROM visit WHERE sid = ?", sid)
        return row is not None and self.stands(row[0])

    def helped_by(self, sids: list[str]) -> list[str]:
        """The assisted sessions behind which these sessions of clerks stand."""
        return [found for sid in sids for found in self._living("clerk_sid = ?", sid)]

    def living_of(self, official: UUID) -> list[str]:
        """The assisted sessions in which this official acts now."""
        return self._living("official = ?", official.bytes)

    def _living(self, where: str, value: object) -> list[str]:
        rows = self._register.rows(
            f"SELECT sid FROM visit JOIN session USING (sid) WHERE {where} "  # noqa: S608 - fixed texts
            "AND until > ? AND session.ended IS NULL",
            *(value, self._clock()),
        )
        return [sid for (sid,) in rows]
