"""Offering a role to somebody new, without learning who is in the register.

The administrator types an identifier; the keeper keeps its mark and looks nobody up, so every answer is the same. The
one who has that identifier finds the offer after signing in with a second factor, and takes it or not. A clerk's role
counts then; a role with power goes to a second administrator, who reads the name. An offer that was declined looks to
the administrator like one that was never found.
"""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from kulla.keeper.administration import Administration
from kulla.keeper.committer import Committer
from kulla.keeper.errors import Refusal
from kulla.keeper.identifiers import NUMBER
from kulla.keeper.kinds import Body
from kulla.keeper.offices import DAY_MS, Offices
from kulla.keeper.people import People
from kulla.keeper.register import Register, Row
from kulla.keeper.roles import ADMIN, OFFICE_ROLES, POWER
from kulla.keeper.sessions import Live
from kulla.keeper.strength import STRONG, strength
from kulla.keeper.vault import Vault

VALID_MS = 14 * DAY_MS
MAX_A_DAY = 40  # offers of one administrator
MAX_NOTE = 80
SHOWN = 50
OPEN, TAKEN, ASKED, DECLINED, WITHDRAWN = "open", "taken", "asked", "declined", "withdrawn"
_COLUMNS = "SELECT id, role, office, by, by_office, at, until, days, note, state, person, request FROM role_invitation "


class Invitations:
    """Offers of roles."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        committer: Committer,
        people: People,
        offices: Offices,
        administration: Administration,
        clock: Callable[[], int],
    ) -> None:
        self._register, self._vault, self._committer, self._people = register, vault, committer, people
        self._offices, self._administration, self._clock = offices, administration, clock
        self._answering = threading.Lock()

    def offer(self, session: Live, office: UUID, role: str, identifier: str, days: int, note: str) -> UUID:
        """Offer a role to whoever has this identifier, if anybody has. Nobody is looked up.

        `note` is the administrator's own reminder whom this was for. Raises Refusal("role", "unknown_office",
        "bad_role", "bad_days", "bad_identifier" (its form), "self", "capped", "too_long", "copies_unavailable").
        """
        found = self._administration.check(session, office)
        if role not in OFFICE_ROLES or found.closed:
            raise Refusal("bad_role", "There is no such role in an office.")
        self._administration.until(days)
        if len(note) > MAX_NOTE:
            raise Refusal("too_long", f"The note is longer than {MAX_NOTE} characters.")
        marks = self._typed(identifier)
        if set(marks) & set(self._own(session.person)):
            raise Refusal("self", "Nobody gives a role to themselves.")
        now = self._clock()
        row = self._register.one(
            "SELECT count(*) FROM role_invitation WHERE by = ? AND at > ?", session.person.bytes, now - DAY_MS
        )
        if row and row[0] >= MAX_A_DAY:
            raise Refusal("capped", "One administrator offers so many roles a day.")
        invitation = uuid4()
        names = {"id": invitation, "role": role, "office": office, "by": session.person}
        times = {"at": now, "until": now + VALID_MS, "days": days}
        sealed = self._vault.seal_own(session.person, "invitation", note)
        body = {"type": "role_invited", **names, "by_office": session.office, **times}
        self._committer.commit({**body, "marks": marks, "note": sealed})
        return invitation

    def offered(self, session: Live) -> list[dict[str, Any]]:
        """What this administrator offered, newest first. Who declined, and who is not there, looks the same."""
        if session.role != ADMIN:
            raise Refusal("role", "Only administrators of offices may do this.")
        rows = self._register.rows(
            _COLUMNS + "WHERE by = ? ORDER BY at DESC LIMIT ?", session.person.bytes, SHOWN
        )
        return [self._shown_to_asker(row, session) for row in rows]

    def withdraw(self, session: Live, invitation: UUID) -> None:
        """Take an offer back. Raises Refusal("unknown_invitation")."""
        row = self._row(invitation)
        if UUID(bytes=row[3]) != session.person or row[9] not in (OPEN, DECLINED):
            raise Refusal("unknown_invitation", "There is no such offer any more.")
        if row[9] == OPEN:
            self._committer.commit({**_answered(invitation, WITHDRAWN), "at": self._clock()})

    def for_me(self, session: Live) -> list[dict[str, Any]]:
        """The offers that wait for this person, newest first."""
        rows: dict[bytes, Row] = {}
        for mark in self._own(session.person):
            for row in self._register.rows(
                _COLUMNS + "JOIN role_invitation_mark USING (id) WHERE mark = ? AND state = ? AND until > ?",
                *(mark, OPEN, self._clock()),
            ):
                rows[row[0]] = row
        found = sorted(rows.values(), key=lambda row: -row[5])
        return [self._shown(row) for row in found if self._stands(row)][:SHOWN]

    def answer(self, session: Live, invitation: UUID, *, yes: bool) -> str:
        """Take an offer or not; gives "taken", "asked" (a second administrator decides) or "declined".

        Raises Refusal("unknown_invitation", "assisted", "second_factor_missing", "roles_apart", "self", "too_many",
        "copies_unavailable").
        """
        with self._answering:
            return self._answer(session, invitation, yes=yes)

    def _answer(self, session: Live, invitation: UUID, *, yes: bool) -> str:
        row = self._row(invitation)
        mine = any(UUID(bytes=row[0]) == each["id"] for each in self.for_me(session))
        if not mine or row[9] != OPEN:
            raise Refusal("unknown_invitation", "There is no such offer any more.")
        if session.assisted or session.short:
            raise Refusal("assisted", "A role is taken in a session of one's own, on a device of one's own.")
        if not yes:
            self._committer.commit({**_answered(invitation, DECLINED), "at": self._clock()})
            return DECLINED
        if strength(session.factor) < STRONG:
            raise Refusal("second_factor_missing", "Officials sign in with a second factor.")
        by, role, office = UUID(bytes=row[3]), row[1], self._offices.must(UUID(bytes=row[2]))
        if by == session.person:
            raise Refusal("self", "Nobody gives a role to themselves.")
        self._administration.check_apart(session.person, role)
        until = self._administration.until(row[7])
        taken = {"person": session.person, "at": self._clock()}
        if role in POWER:
            by_office = UUID(bytes=row[4])
            asked = self._administration.grant_body(by, by_office, session.person, role, office, until)
            self._committer.commit({**_answered(invitation, ASKED), **taken, "request": asked["id"]}, asked)
            return ASKED
        given = self._offices.role_body(
            session.person, role, office.id, until=until, by=[by], source="administrator"
        )
        self._committer.commit({**_answered(invitation, TAKEN), **taken}, given)
        self._administration.tell(session.person, "role_given", office, until)
        return TAKEN

    # Help ----------------------------------------------------------------------------------------------

    def _typed(self, identifier: str) -> list[bytes]:
        """The marks of all that a text may stand for. Raises Refusal("bad_identifier") when it can be nothing."""
        kinds = {kind: canonical for kind, canonical in self._people.kinds.typed(identifier) if canonical}
        if not kinds:
            raise Refusal("bad_identifier", "This identifier does not have the right form.")
        if NUMBER in kinds:  # no document that happens to read like somebody's number
            kinds = {NUMBER: kinds[NUMBER]}
        return sorted(self._people.mark(kind, canonical) for kind, canonical in kinds.items())

    def _own(self, person: UUID) -> list[bytes]:
        return [self._people.mark(kind, canonical) for kind, canonical in self._people.identifiers(person)]

    def _row(self, invitation: UUID) -> Row:
        row = self._register.one(_COLUMNS + "WHERE id = ?", invitation.bytes)
        if row is None:
            raise Refusal("unknown_invitation", "There is no such offer any more.")
        return row

    def _stands(self, row: Row) -> bool:
        """Whether whoever offered still administers that office, without an end since."""
        by, office, by_office = UUID(bytes=row[3]), UUID(bytes=row[2]), UUID(bytes=row[4])
        over = [office, *self._offices.parents(office)]
        found = self._offices.office(office)
        held = self._offices.holds(by, ADMIN, by_office, at=row[5])
        return held and by_office in over and found is not None and not found.closed

    def _shown(self, row: Row) -> dict[str, Any]:
        office = self._offices.must(UUID(bytes=row[2]))
        names = {"id": UUID(bytes=row[0]), "role": row[1], "office": office.name, "days": row[7]}
        return {**names, "at_ms": row[5], "until_ms": row[6], "power": row[1] in POWER}

    def _shown_to_asker(self, row: Row, session: Live) -> dict[str, Any]:
        state = row[9]
        if state in (OPEN, DECLINED):
            state = "lapsed" if row[6] <= self._clock() or not self._stands(row) else OPEN
        note = self._vault.open_own(session.person, "invitation", row[8])
        return {**self._shown(row), "note": note, "state": state}


def _answered(invitation: UUID, state: str) -> Body:
    return {"type": "role_invitation_answered", "id": invitation, "state": state}
