"""Offering a role to somebody new, without learning who is in the register.

The administrator types an identifier; the keeper keeps its mark and looks nobody up, so every answer is the same. It
gives a code to hand over. Only the one who has that identifier *and* that code, signed in with a second factor, reads
the offer and takes it: a slip in the number makes no stranger an official, a lost paper neither. A clerk's role counts
then; a role with power goes to a second administrator, who reads the name.
"""

import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from kulla.keeper.accounts import crockford
from kulla.keeper.administration import Administration
from kulla.keeper.committer import Committer
from kulla.keeper.errors import Refusal
from kulla.keeper.identifiers import NUMBER, SIGN_IN
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
TRIES, TRIES_S = 10, 3600.0  # codes that one person may get wrong in an hour; a code has 50 bits
REMEMBERED = 100_000
SHOWN = 50
OPEN, TAKEN, ASKED, DECLINED, WITHDRAWN = "open", "taken", "asked", "declined", "withdrawn"
_COLUMNS = (
    "SELECT id, role, office, by, by_office, at, until, days, note, state, person, request, mark "
    "FROM role_invitation "
)


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
        self._answering, self._lock = threading.Lock(), threading.Lock()
        self._failed: dict[UUID, list[float]] = {}

    def offer(
        self, session: Live, office: UUID, role: str, identifier: str, days: int, note: str
    ) -> tuple[UUID, str]:
        """Offer a role to whoever has this identifier, if anybody has; gives its id and code. Nobody is looked up.

        `note` is the administrator's own reminder whom this was for. Raises Refusal("role", "unknown_office",
        "bad_role", "bad_days", "bad_identifier" (its form), "self", "capped", "too_long", "copies_unavailable").
        """
        found = self._administration.check(session, office)
        if role not in OFFICE_ROLES or found.closed:
            raise Refusal("bad_role", "There is no such role in an office.")
        self._administration.until(days)
        if len(note) > MAX_NOTE:
            raise Refusal("too_long", f"The note is longer than {MAX_NOTE} characters.")
        mark = self._typed(identifier)
        if mark in self._own(session.person):
            raise Refusal("self", "Nobody gives a role to themselves.")
        now = self._clock()
        row = self._register.one(
            "SELECT count(*) FROM role_invitation WHERE by = ? AND at > ?", session.person.bytes, now - DAY_MS
        )
        if row and row[0] >= MAX_A_DAY:
            raise Refusal("capped", "One administrator offers so many roles a day.")
        invitation, code = uuid4(), crockford.make(2, 5)
        names = {"id": invitation, "role": role, "office": office, "by": session.person}
        times = {"at": now, "until": now + VALID_MS, "days": days}
        sealed = self._vault.seal_own(session.person, "invitation", note)
        body = {"type": "role_invited", **names, "by_office": session.office, **times}
        marks = {"mark": mark, "code": self._code_mark(code)}
        self._committer.commit({**body, **marks, "note": sealed})
        self._administration.tell(session.person, "role_offered", found)
        return invitation, code

    def offered(self, session: Live) -> list[dict[str, Any]]:
        """What this administrator offered, newest first. An offer to nobody waits like every other."""
        if session.role != ADMIN:
            raise Refusal("role", "Only administrators of offices may do this.")
        rows = self._register.rows(
            _COLUMNS + "WHERE by = ? ORDER BY at DESC LIMIT ?", session.person.bytes, SHOWN
        )
        return [self._shown_to_asker(row, session) for row in rows]

    def withdraw(self, session: Live, invitation: UUID) -> None:
        """Take an offer back. Raises Refusal("unknown_invitation")."""
        row = self._row(invitation)
        if UUID(bytes=row[3]) != session.person or row[9] != OPEN:
            raise Refusal("unknown_invitation", "There is no such offer any more.")
        self._committer.commit({**_answered(invitation, WITHDRAWN), "at": self._clock()})

    def read(self, session: Live, code: str) -> dict[str, Any]:
        """The offer that this code and this person belong to. Raises Refusal("unknown_invitation", "slow_down")."""
        return self._shown(self._found(session, code))

    def answer(self, session: Live, code: str, *, yes: bool) -> str:
        """Take an offer or not; gives "taken", "asked" (a second administrator decides) or "declined".

        Raises Refusal("unknown_invitation", "slow_down", "assisted", "second_factor_missing", "roles_apart", "self",
        "too_many", "copies_unavailable").
        """
        with self._answering:
            return self._answer(session, code, yes=yes)

    def _answer(self, session: Live, code: str, *, yes: bool) -> str:
        row = self._found(session, code)
        invitation = UUID(bytes=row[0])
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

    def _found(self, session: Live, code: str) -> Row:
        """The open offer of this code, if it is this person's. A few tries an hour; they count when they fail."""
        now = time.monotonic()
        with self._lock:
            failed = [at for at in self._failed.get(session.person, []) if at > now - TRIES_S]
            self._failed[session.person] = failed
            if len(failed) >= TRIES:
                wait = int(failed[0] + TRIES_S - now) + 1
                raise Refusal("slow_down", "Too many codes were tried.", retry_after_s=wait)
        rows = self._register.rows(
            _COLUMNS + "WHERE code = ? AND state = ? AND until > ?",
            self._code_mark(code),
            OPEN,
            self._clock(),
        )
        own = self._own(session.person)
        for row in rows:
            if row[12] in own and self._stands(row):
                return row
        with self._lock:
            self._failed[session.person].append(now)
            if len(self._failed) > REMEMBERED:
                self._failed.clear()
        raise Refusal("unknown_invitation", "There is no such offer.")

    def _code_mark(self, code: str) -> bytes:
        return self._people.mark("role offer", crockford.read(code))

    def _typed(self, text: str) -> bytes:
        """The mark of a national number, or of "permit AB123456" and the like: the kind is said, so that a number with
        a slip is refused and not taken for something else. Raises Refusal("bad_identifier")."""
        said = text.strip().partition(" ")[0].lower().rstrip(":") in SIGN_IN
        for kind, canonical in self._people.kinds.typed(text):
            if canonical and (said or kind == NUMBER):
                return self._people.mark(kind, canonical)
        raise Refusal("bad_identifier", "This identifier does not have the right form.")

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
        if state == OPEN:
            state = "lapsed" if row[6] <= self._clock() or not self._stands(row) else OPEN
        note = self._vault.open_own(session.person, "invitation", row[8])
        return {**self._shown(row), "note": note, "state": state}


def _answered(invitation: UUID, state: str) -> Body:
    return {"type": "role_invitation_answered", "id": invitation, "state": state}
