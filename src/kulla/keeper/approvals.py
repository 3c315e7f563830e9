"""Two people for what one alone must not do: one official asks, others decide, and only then it is done.

Each area declares its kinds of request with a Rule; this module keeps the requests, refuses that anybody decides on
their own request or on themselves, and does what was asked in the same commit as the last answer it needed.
One "no" ends a request; so does its time, and so does the end of the role in which it was asked. A "yes" counts while
whoever said it has the role in which it was said; the same person counts once, in whatever role.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

from kulla.keeper.committer import Committer
from kulla.keeper.errors import Refusal
from kulla.keeper.kinds import Body
from kulla.keeper.offices import Offices
from kulla.keeper.register import Register, Row
from kulla.keeper.roles import CITIZEN
from kulla.keeper.sessions import Live
from kulla.keeper.vault import Vault

HOUR_MS = 3600 * 1000
OPEN, DONE, REFUSED, EXPIRED = "open", "done", "refused", "expired"
LAPSED, WITHDRAWN = "lapsed", "withdrawn"  # the asker's role ended; the asker took it back
MAX_OPEN = 50  # open requests of one person: nobody fills the lists of those who decide


@dataclass(frozen=True)
class Request:
    """What somebody asked for. `about` is the person concerned, `content` what the area put in (opened when read)."""

    id: UUID
    kind: str
    by: UUID
    office: UUID | None
    about: UUID | None
    at: int
    until: int
    state: str
    yes: int
    answered: frozenset[UUID]
    by_role: str
    by_office: UUID | None
    _open: Callable[[], dict[str, Any]] = field(repr=False, compare=False)

    @cached_property
    def content(self) -> dict[str, Any]:
        """What the area put in."""
        return self._open()


@dataclass(frozen=True)
class Rule:
    """How a kind of request is decided.

    may_decide: whether an official may, beyond not being the asker or the person concerned. carry_out: the changes,
    committed together with the last answer (it may raise Refusal when they are not possible any more; it must check
    anew whatever may have changed since the request). afterwards: what is to be told, once it counts. needed: how many
    must say yes. valid_ms: how long it waits.
    """

    may_decide: Callable[[Live, Request], bool]
    carry_out: Callable[[Request, Live], list[Body]]
    afterwards: Callable[[Request, Live], None] | None = None
    needed: int = 1
    valid_ms: int = 72 * HOUR_MS


_COLUMNS = "SELECT id, kind, by, office, about, at, until, sealed, by_role, by_office, closed FROM approval "


class Approvals:
    """Keeps requests, takes answers."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        committer: Committer,
        offices: Offices,
        clock: Callable[[], int],
    ) -> None:
        self._register, self._vault, self._committer, self._clock = register, vault, committer, clock
        self._offices = offices
        self._rules: dict[str, Rule] = {}
        self._deciding = threading.Lock()

    def declare(self, kind: str, rule: Rule) -> None:
        """Say how a kind of request is decided."""
        self._rules[kind] = rule

    def ask(
        self,
        session: Live,
        kind: str,
        content: dict[str, Any],
        *,
        about: UUID | None = None,
        office: UUID | None = None,
    ) -> UUID:
        """Put a request. `office` is the one it concerns (default: the asker's). The area has checked that this
        session may ask. Raises Refusal("too_many", "copies_unavailable")."""
        body = self.asked_body(
            kind,
            content,
            by=session.person,
            by_role=session.role,
            by_office=session.office,
            about=about,
            office=office or session.office,
        )
        self._committer.commit(body)
        request: UUID = body["id"]
        return request

    def asked_body(
        self,
        kind: str,
        content: dict[str, Any],
        *,
        by: UUID,
        by_role: str,
        by_office: UUID | None,
        about: UUID | None,
        office: UUID | None,
    ) -> Body:
        """The record that puts a request, for an area that commits it together with others. Raises "too_many"."""
        now = self._clock()
        waiting = self._register.rows(
            "SELECT 1 FROM approval WHERE by = ? AND closed = 0 AND until > ? LIMIT ?",
            by.bytes,
            now,
            MAX_OPEN,
        )
        if len(waiting) >= MAX_OPEN:
            raise Refusal("too_many", "Too many of your requests wait to be decided.")
        names = {"id": uuid4(), "kind": kind, "by": by, "by_role": by_role, "by_office": by_office}
        sealed = self._vault.seal_own(about or by, "approval", content)
        times = {"at": now, "until": now + self._rules[kind].valid_ms}
        return {
            "type": "approval_asked",
            **names,
            "office": office,
            "about": about,
            **times,
            "sealed": sealed,
        }

    def get(self, request: UUID) -> Request:
        """A request as it stands. Raises Refusal("unknown_request")."""
        row = self._register.one(_COLUMNS + "WHERE id = ?", request.bytes)
        if row is None or row[1] not in self._rules:
            raise Refusal("unknown_request", "There is no such request.")
        return self._made(row, self._answers([row[0]]))

    def open_for(self, session: Live) -> list[Request]:
        """Open requests that this session may decide, oldest first."""
        return [request for request in self._open() if self._may(session, request)]

    def waiting_for(self, session: Live) -> int:
        """How many requests this session may decide."""
        return 0 if session.is_citizen else len(self.open_for(session))

    def asked_by(self, person: UUID, kind: str | None = None, limit: int = 50) -> list[Request]:
        """What a person asked for, newest first, in every state."""
        rows = self._register.rows(
            _COLUMNS + "WHERE by = ? AND (? IS NULL OR kind = ?) ORDER BY at DESC LIMIT ?",
            *(person.bytes, kind, kind, limit),
        )
        rows = [row for row in rows if row[1] in self._rules]
        answers = self._answers([row[0] for row in rows])
        return [self._made(row, answers) for row in rows]

    def own(self, session: Live) -> list[Request]:
        """What this session's person asked for in this very role: who has left it reads no names from then."""
        asked = self.asked_by(session.person)
        return [each for each in asked if (each.by_role, each.by_office) == (session.role, session.office)]

    def answer(self, session: Live, request: UUID, *, yes: bool) -> Request:
        """Say yes or no; the last yes that was needed does what was asked.

        Raises Refusal("unknown_request") (also for whoever may not decide it), "decided" (it is not open any more),
        and whatever the area's carry_out refuses: then nothing happened and the request stands.
        """
        with self._deciding:
            found = self.get(request)
            if not self._may(session, found):
                raise Refusal("unknown_request", "There is no such request.")
            if found.state != OPEN:
                raise Refusal("decided", "This request is not open any more.")
            rule = self._rules[found.kind]
            done = yes and found.yes + 1 >= rule.needed
            who = {"by": session.person, "role": session.role, "office": session.office}
            said = {"at": self._clock(), "yes": yes, "closes": done or not yes}
            bodies: list[Body] = [{"type": "approval_answered", "id": request, **who, **said}]
            if done:
                bodies += rule.carry_out(found, session)
            self._committer.commit(*bodies)
        if done and rule.afterwards:
            rule.afterwards(found, session)
        return self.get(request)

    def withdraw(self, session: Live, request: UUID) -> Request:
        """Take back one's own request while it is open. Raises Refusal("unknown_request", "decided")."""
        with self._deciding:
            found = self.get(request)
            if found.by != session.person:
                raise Refusal("unknown_request", "There is no such request.")
            if found.state not in (OPEN, LAPSED):
                raise Refusal("decided", "This request is not open any more.")
            names = {"id": request, "by": session.person, "at": self._clock()}
            self._committer.commit({"type": "approval_withdrawn", **names})
        return self.get(request)

    def _may(self, session: Live, request: Request) -> bool:
        if session.is_citizen or session.person in {request.by, request.about, *request.answered}:
            return False
        return self._rules[request.kind].may_decide(session, request)

    def _open(self) -> list[Request]:
        now = self._clock()
        rows = self._register.rows(_COLUMNS + "WHERE closed = 0 AND until > ? ORDER BY at", now)
        rows = [row for row in rows if row[1] in self._rules]
        answers = self._answers([row[0] for row in rows if self._rules[row[1]].needed > 1])
        return [made for row in rows if (made := self._made(row, answers)).state == OPEN]

    def _answers(self, requests: Iterable[bytes]) -> dict[bytes, list[Row]]:
        """(who, yes, role, office, when) of the answers to these requests."""
        sql = "SELECT by, yes, role, office, at FROM approval_answer WHERE id = ?"
        return {each: self._register.rows(sql, each) for each in requests}

    def _made(self, row: Row, answers: dict[bytes, list[Row]]) -> Request:
        by, about = UUID(bytes=row[2]), _id(row[4])
        said = answers.get(row[0], [])
        yes = sum(1 for who, agreed, *under in said if agreed and self._stands(who, *under))
        state, by_office = OPEN, _id(row[9])
        if row[10]:
            agreed = all(answer[1] for answer in said)
            state = WITHDRAWN if row[10] == 2 else DONE if agreed else REFUSED
        elif row[6] <= self._clock():
            state = EXPIRED
        elif not self._stands(row[2], row[8], row[9], row[5]):
            state = LAPSED
        names = (UUID(bytes=row[0]), row[1], by, _id(row[3]), about, row[5], row[6], state, yes)
        answered = frozenset(UUID(bytes=answer[0]) for answer in said)
        sealed = row[7]
        opened = lambda: dict(self._vault.open_own(about or by, "approval", sealed))  # noqa: E731
        return Request(*names, answered, row[8], by_office, opened)

    def _stands(self, person: bytes, role: str, office: bytes | None, at: int) -> bool:
        """Whether somebody still has the role in which they asked or answered then; citizens always do. A role that
        ended and was given again is another one."""
        if role in ("", CITIZEN):
            return True
        return self._offices.holds(UUID(bytes=person), role, _id(office), at=at)


def _id(value: bytes | None) -> UUID | None:
    return UUID(bytes=value) if value else None
