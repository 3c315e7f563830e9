"""What administrators of offices may do, and with whom: give, renew and end roles, review them, change offices.

An administrator works in the subtree of the office of the session. Clerks are one administrator's decision; whatever
gives power (registrar, protection, admin), moves an office or closes one needs a second administrator over that office.
Nobody decides about themselves, whoever watches reads nobody, and no administrator of an office ends the last other
one. Administrators see of an official: name, role, office and dates. New roles are offered in invitations.py.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from kulla.journal.ids import now_ms
from kulla.keeper.approvals import Approvals, Request, Rule
from kulla.keeper.committer import Committer
from kulla.keeper.errors import Refusal
from kulla.keeper.kinds import Body
from kulla.keeper.offices import DAY_MS, STATE, YEAR_MS, Hours, Office, Offices, Role
from kulla.keeper.people import People
from kulla.keeper.register import Register
from kulla.keeper.roles import ADMIN, OFFICE_ROLES, POWER, PROTECTION, READERS
from kulla.keeper.sessions import SESSION_MS, Live, Sessions

GRANT, MOVE, CLOSE = "role_grant", "office_move", "office_close"  # kinds of requests
WAIT_MS = 14 * DAY_MS  # how long a request waits for the second administrator
MAX_ENDS = 50  # roles that one administrator ends in 24 hours: a stolen session empties no ministry
MAX_LINES = 2000  # officials in one office; a review is one record
MAX_DAYS = 365
SOON_MS = 30 * DAY_MS
TWO = 2
WATCHERS = (ADMIN, PROTECTION)


class Administration:
    """The rules; offices.py keeps what they decide."""

    def __init__(
        self,
        register: Register,
        committer: Committer,
        people: People,
        offices: Offices,
        approvals: Approvals,
        sessions: Sessions,
        tell: Callable[[UUID, str, dict[str, str]], None],
        clock: Callable[[], int],
    ) -> None:
        """`tell` writes to somebody on every channel and raises nothing."""
        self._register, self._committer, self._people, self._tell = register, committer, people, tell
        self._offices, self._approvals, self._sessions, self._clock = offices, approvals, sessions, clock
        self._ending = threading.Lock()  # two administrators who end each other at once: one is too late
        both = {"may_decide": self._may_decide, "valid_ms": WAIT_MS}
        approvals.declare(GRANT, Rule(carry_out=self._grant, afterwards=self._granted, **both))  # type: ignore[arg-type]
        approvals.declare(MOVE, Rule(self._may_decide_move, self._move, valid_ms=WAIT_MS))
        approvals.declare(CLOSE, Rule(self._may_decide, self._close, self._closed, valid_ms=WAIT_MS))

    # Reading -------------------------------------------------------------------------------------------

    def check(self, session: Live, office: UUID) -> Office:
        """The office, if this session administers it. Raises Refusal("role", "unknown_office")."""
        if session.role != ADMIN:
            raise Refusal("role", "Only administrators of offices may do this.")
        found = self._offices.office(office)
        if found is None or not self._offices.is_admin_over(session, office):
            raise Refusal("unknown_office", "There is no such office in your part of the tree.")
        return found

    def overview(self, session: Live) -> list[tuple[Office, list[Role]]]:
        """Each open office of the subtree with its roles. Raises Refusal("role")."""
        if session.role != ADMIN or session.office is None:
            raise Refusal("role", "Only administrators of offices may do this.")
        subtree = self._offices.subtree(session.office)
        roles: dict[UUID, list[Role]] = {}
        for role in self._offices.officials(subtree):
            roles.setdefault(role.office or session.office, []).append(role)
        found = [office for each in subtree if (office := self._offices.office(each)) and not office.closed]
        return [(office, roles.get(office.id, [])) for office in sorted(found, key=lambda each: each.name)]

    def officials(self, session: Live, office: UUID) -> list[tuple[Role, str]]:
        """The roles in one office with the names of who has them. Raises as `check`."""
        self.check(session, office)
        roles = self._offices.officials([office])[:MAX_LINES]
        return [(role, self._people.field(role.person, "name")) for role in roles]

    def may_end(self, session: Live, role: Role) -> bool:
        """Whether this session may end a role."""
        if role.office is None:
            return False
        own = role.person == session.person
        if not own and not self._offices.is_admin_over(session, role.office):
            return False
        if role.role != ADMIN or (not own and session.office != role.office):
            return True
        return bool(self._offices.admins_over(role.office) - {role.person, session.person})

    # Roles ---------------------------------------------------------------------------------------------

    def renew(self, session: Live, role: UUID, days: int) -> UUID | None:
        """Let a role go on for so many days from now. Gives the request when a second administrator must say yes.

        Raises Refusal("role", "unknown_role", "self", "bad_days", "too_many", "copies_unavailable").
        """
        found = self._in_subtree(session, role)
        if found.person == session.person:
            raise Refusal("self", "Nobody gives a role to themselves.")
        until = self.until(days)
        office = self._offices.must(_office_of(found))
        if found.role in POWER:
            body = self.grant_body(session.person, session.office, found.person, found.role, office, until)
            self._committer.commit(body)
            request: UUID = body["id"]
            return request
        self.check_apart(found.person, found.role)
        by = [session.person]
        self._committer.commit(self._given(found.person, found.role, office.id, until, by, "administrator"))
        self.tell(found.person, "role_given", office, until)
        return None

    def until(self, days: int) -> int:
        """The end of a role that lasts so many days from now. Raises Refusal("bad_days")."""
        if not 1 <= days <= MAX_DAYS:
            raise Refusal("bad_days", f"A role lasts from 1 to {MAX_DAYS} days.")
        return self._clock() + days * DAY_MS

    def grant_body(
        self, by: UUID, by_office: UUID | None, person: UUID, role: str, office: Office, until: int
    ) -> Body:
        """The record that asks a second administrator for a grant of power, in the name of `by`."""
        shown = {"name": self._people.field(person, "name"), "role": role, "office": office.name}
        content = {
            "shown": {**shown, "until_ms": until},
            "role": role,
            "until": until,
            "under": self._offices.parents(office.id),
        }
        return self._approvals.asked_body(
            GRANT, content, by=by, by_role=ADMIN, by_office=by_office, about=person, office=office.id
        )

    def check_apart(self, person: UUID, role: str) -> None:
        """Who watches reads nobody: an administrator or data-protection official is no clerk and no registrar.

        Raises Refusal("roles_apart").
        """
        have = {each for each, _ in self._offices.roles_of(person)}
        if (role in WATCHERS and have & set(READERS)) or (role in READERS and have & set(WATCHERS)):
            raise Refusal(
                "roles_apart", "Who watches over others reads no citizens: end the other role first."
            )

    def end(self, session: Live, role: UUID) -> None:
        """End a role, and its sessions at once: of others in the subtree, or one's own.

        Raises Refusal("unknown_role", "last_admin", "capped", "assisted", "copies_unavailable"); the sessions are ended
        even then when only the copies are silent.
        """
        found = self._offices.role(role)
        if session.assisted:
            raise Refusal("assisted", "A role is left in a session of one's own.")
        if found.person != session.person:
            self._in_subtree(session, role)
        self._end([found], session)

    def _end(self, roles: Sequence[Role], session: Live, also: Iterable[Body] = ()) -> None:
        with self._ending:
            self._check_ends(roles, session)
            for role in roles:
                self._sessions.end_all(role.person, role=role.role, office=role.office)
            bodies = [self._offices.role_ended_body(role, by=session.person) for role in roles]
            self._committer.commit(*also, *bodies)
        for role in roles:
            self._sessions.end_all(role.person, role=role.role, office=role.office)  # begun meanwhile
            if role.person != session.person:
                self.tell(role.person, "role_over", self._offices.must(_office_of(role)))

    def _check_ends(self, roles: Sequence[Role], session: Live) -> None:
        if not self._offices.holds(session.person, session.role, session.office):
            raise Refusal("session", "This role has ended.")
        if not all(self.may_end(session, role) for role in roles):
            raise Refusal("last_admin", "Another administrator must remain over this office.")
        # Together too: of three administrators one may end one other, not both.
        for office in {_office_of(role) for role in roles if role.role == ADMIN}:
            ended = {role.person for role in roles if role.role == ADMIN and role.office == office}
            peers = session.office == office
            if peers and not self._offices.admins_over(office) - ended - {session.person}:
                raise Refusal("last_admin", "Another administrator must remain over this office.")
        row = self._register.one(
            "SELECT count(*) FROM role WHERE ended_by = ? AND ended > ?",
            *(session.person.bytes, self._clock() - DAY_MS),
        )
        if len(roles) + (row[0] if row else 0) > MAX_ENDS:
            raise Refusal("capped", "One administrator ends so many roles a day: ask another one.")

    def _in_subtree(self, session: Live, role: UUID) -> Role:
        if session.role != ADMIN:
            raise Refusal("role", "Only administrators of offices may do this.")
        found = self._offices.role(role)
        if found.office is None or not self._offices.is_admin_over(session, found.office):
            raise Refusal("unknown_role", "There is no such role in your part of the tree.")
        return found

    # The yearly review ---------------------------------------------------------------------------------

    def review(self, session: Live, office: UUID, keep: Sequence[UUID], end: Sequence[UUID]) -> None:
        """Say of everyone in an office (but oneself) that the role is still needed, or end it; kept as a record.

        Raises Refusal("changed") unless each role there is named once, and what `end` raises.
        """
        self.check(session, office)
        lines = [role for role in self._offices.officials([office]) if role.person != session.person]
        if sorted(role.id for role in lines) != sorted([*keep, *end]):
            raise Refusal("changed", "The list has changed meanwhile: look at it again.")
        names = {"office": office, "by": session.person, "at": self._clock()}
        body = {"type": "office_reviewed", **names, "kept": list(keep), "ended": len(end)}
        self._end([role for role in lines if role.id in end], session, [body])

    def last_review(self, office: UUID) -> tuple[int, str] | None:
        """When an office was reviewed last, and by whom."""
        row = self._register.one(
            "SELECT at, by FROM office_review WHERE office = ? ORDER BY at DESC LIMIT 1", office.bytes
        )
        return (row[0], self._people.field(UUID(bytes=row[1]), "name")) if row else None

    def alarms(self) -> list[str]:
        """What the operator must know: reviews that are overdue, and a state that has, or will have within a month,
        fewer than two administrators."""
        now = self._clock()
        row = self._register.one(
            "SELECT count(*) FROM role WHERE ended IS NULL AND until > ? AND max(since, coalesce(reviewed, 0)) < ? "
            "AND office != x''",
            *(now, now - YEAR_MS),
        )
        found = [f"reviews_overdue:{row[0]}"] if row and row[0] else []
        root = self._offices.root()
        if root is None or not self._register.one(
            "SELECT 1 FROM role WHERE role = ? AND office = ? LIMIT 1", ADMIN, root.bytes
        ):
            return found
        admins = [role for role in self._offices.officials([root]) if role.role == ADMIN]
        if len({role.person for role in admins}) < TWO:
            found.append("administrators_few")
        elif len({role.person for role in admins if role.until > now + SOON_MS}) < TWO:
            found.append("administrators_ending")
        return found

    def sweep(self) -> None:
        """End the sessions of roles that are over (their time, a closed office, an import); called now and then."""
        rows = self._register.rows(
            "SELECT person, role, office FROM session WHERE started > ? AND role != 'citizen' AND ended IS NULL",
            now_ms() - SESSION_MS,  # sessions count by the machine's own clock
        )
        for person, role, office in set(rows):
            who, where = UUID(bytes=person), UUID(bytes=office) if office else None
            if not self._offices.holds(who, role, where):
                self._sessions.end_all(who, role=role, office=where)

    # Offices -------------------------------------------------------------------------------------------

    def change_office(
        self, session: Live, office: UUID, name: str, *, hours: Hours | None = None, **texts: str | None
    ) -> None:
        """Change what the public reads of an office: name, name_en, town, address, hours. Raises "bad_office"."""
        self.check(session, office)
        body = self._offices.office_body(office, name, hours=hours, **texts)  # type: ignore[arg-type]
        self._committer.commit(self._signed(body, session))

    def add_office(self, session: Live, parent: UUID, name: str, kind: str, **texts: str | None) -> UUID:
        """A new office under one of the subtree; nobody works there yet. Raises "bad_office"."""
        self.check(session, parent)
        if kind == STATE:
            raise Refusal("bad_office", "There is one state only.")
        office = uuid4()
        body = self._offices.office_body(office, name, kind=kind, parent=parent, **texts)  # type: ignore[arg-type]
        self._committer.commit(self._signed(body, session))
        return office

    def ask_move(self, session: Live, office: UUID, parent: UUID) -> UUID:
        """Ask a second administrator to put an office under another one. Both administer the old and the new place, so
        nobody takes their own office out of the sight of those above. Raises "unknown_office", "bad_office"."""
        found, to = self.check(session, office), self.check(session, parent)
        under = self._offices.parents(office)
        if not under or not self._offices.is_admin_over(session, under[0]):
            raise Refusal("unknown_office", "Only who administers the office above may move this one.")
        self._offices.office_body(office, found.name, parent=parent)  # refuses circles
        shown = {"office": found.name, "under": to.name}
        content = {"shown": shown, "parent": parent, "under": under}
        return self._approvals.ask(session, MOVE, content, office=office)

    def ask_close(self, session: Live, office: UUID) -> UUID:
        """Ask a second administrator to close an office: all roles there end. Raises "unknown_office"."""
        found = self.check(session, office)
        if found.kind == STATE:
            raise Refusal("bad_office", "The state is not closed.")
        content = {"shown": {"office": found.name}, "under": self._offices.parents(office)}
        return self._approvals.ask(session, CLOSE, content, office=office)

    # What a second administrator decides ---------------------------------------------------------------

    def _may_decide(self, session: Live, request: Request) -> bool:
        return request.office is not None and self._offices.is_admin_over(session, request.office)

    def _may_decide_move(self, session: Live, request: Request) -> bool:
        """Over the office above the one that moves, and over where it goes."""
        under = self._offices.parents(request.office) if request.office else []
        if session.role != ADMIN or not under or not self._offices.is_admin_over(session, under[0]):
            return False
        return self._offices.is_admin_over(session, request.content["parent"])

    def _still(self, request: Request) -> UUID:
        """The office of a request, if everything is as it was when it was asked. Raises Refusal("changed")."""
        office = request.office
        asker = [office, *self._offices.parents(office)] if office else []
        same = office is not None and request.content["under"] == self._offices.parents(office)
        if office is None or not same or request.by_office not in asker:
            raise Refusal("changed", "The office stands elsewhere than when this was asked: ask anew.")
        if self._offices.must(office).closed:
            raise Refusal("changed", "The office is closed.")
        return office

    def _grant(self, request: Request, decider: Live) -> list[Body]:
        office, person, role = self._still(request), request.about, request.content["role"]
        if person is None or role not in POWER or role not in OFFICE_ROLES:
            raise Refusal("bad_role", "This is no role that two administrators give.")
        self.check_apart(person, role)
        if self._sessions.standing.barred(person):
            raise Refusal("changed", "This person cannot take a role now.")
        by = [request.by, decider.person]
        return [self._given(person, role, office, request.content["until"], by, "two administrators")]

    def _granted(self, request: Request, _decider: Live) -> None:
        if request.about is not None and request.office is not None:
            office = self._offices.must(request.office)
            self.tell(request.about, "role_given", office, request.content["until"])

    def _move(self, request: Request, _decider: Live) -> list[Body]:
        office, parent = self._still(request), request.content["parent"]
        for over in (self._offices.parents(office)[0], parent):
            if request.by_office not in [over, *self._offices.parents(over)]:
                raise Refusal("changed", "Who asked does not administer both places any more.")
        return [self._offices.office_body(office, self._offices.must(office).name, parent=parent)]

    def _close(self, request: Request, _decider: Live) -> list[Body]:
        office = self._still(request)
        return [self._offices.office_body(office, self._offices.must(office).name, closed=True)]

    def _closed(self, _request: Request, _decider: Live) -> None:
        self.sweep()

    # Help ----------------------------------------------------------------------------------------------

    def _given(self, person: UUID, role: str, office: UUID, until: int, by: list[UUID], source: str) -> Body:
        return self._offices.role_body(person, role, office, until=until, by=by, source=source)

    def _signed(self, body: Body, session: Live) -> Body:
        return {**body, "by": session.person, "at": self._clock()}

    def tell(self, person: UUID, kind: str, office: Office, until: int = 0) -> None:
        """Write to somebody about a role of theirs. It counts already: that it cannot be told changes nothing."""
        day = f"{datetime.fromtimestamp(until / 1000, self._people.zone):%d.%m.%Y}" if until else ""
        self._tell(person, kind, {"office": office.name, "until": day})


def _office_of(role: Role) -> UUID:
    if role.office is None:
        raise Refusal("unknown_role", "This role belongs to no office.")
    return role.office


def facts(office: Office) -> dict[str, Any]:
    """An office as it crosses the wire."""
    hours = {str(day): [list(span) for span in spans] for day, spans in office.hours.items()}
    return {**vars(office), "hours": hours}
