"""Two people for what one alone must not do: one official asks, others decide, and only then it is done.

Each area declares its kinds of request with a Rule; this module keeps the requests, refuses that anybody decides on
their own request or on themselves, and does what was asked in the same commit as the last answer it needed.
One "no" ends a request; so does its time.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from kulla.keeper.committer import Committer
from kulla.keeper.errors import Refusal
from kulla.keeper.kinds import Body
from kulla.keeper.register import Register
from kulla.keeper.sessions import Live
from kulla.keeper.vault import Vault

HOUR_MS = 3600 * 1000
OPEN, DONE, REFUSED, EXPIRED = "open", "done", "refused", "expired"


@dataclass(frozen=True)
class Request:
    """What somebody asked for. `about` is the person concerned, `content` what the area put in."""

    id: UUID
    kind: str
    by: UUID
    office: UUID | None
    about: UUID | None
    at: int
    until: int
    content: dict[str, Any]
    state: str = OPEN
    yes: int = 0


@dataclass(frozen=True)
class Rule:
    """How a kind of request is decided.

    may_decide: whether an official may, beyond not being the asker or the person concerned. carry_out: the changes,
    committed together with the last answer (it may raise Refusal when they are not possible any more).
    afterwards: what is to be told, once it counts. needed: how many must say yes. valid_ms: how long it waits.
    """

    may_decide: Callable[[Live, Request], bool]
    carry_out: Callable[[Request, Live], list[Body]]
    afterwards: Callable[[Request, Live], None] | None = None
    needed: int = 1
    valid_ms: int = 72 * HOUR_MS


class Approvals:
    """Keeps requests, takes answers."""

    def __init__(
        self, register: Register, vault: Vault, committer: Committer, clock: Callable[[], int]
    ) -> None:
        self._register, self._vault, self._committer, self._clock = register, vault, committer, clock
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
        session may ask. Raises Refusal("copies_unavailable")."""
        request, now = uuid4(), self._clock()
        owner = about or session.person
        body = {
            "type": "approval_asked",
            "id": request,
            "kind": kind,
            "by": session.person,
            "office": office or session.office,
            "about": about,
            "at": now,
            "until": now + self._rules[kind].valid_ms,
            "sealed": self._vault.seal_own(owner, "approval", content),
        }
        self._committer.commit(body)
        return request

    def get(self, request: UUID) -> Request:
        """A request as it stands. Raises Refusal("unknown_request")."""
        row = self._register.one(
            "SELECT id, kind, by, office, about, at, until, sealed FROM approval WHERE id = ?", request.bytes
        )
        if row is None or row[1] not in self._rules:
            raise Refusal("unknown_request", "There is no such request.")
        by, about = UUID(bytes=row[2]), UUID(bytes=row[4]) if row[4] else None
        content = self._vault.open_own(about or by, "approval", row[7])
        answers = self._register.rows("SELECT yes FROM approval_answer WHERE id = ?", request.bytes)
        yes = sum(1 for (said,) in answers if said)
        state = OPEN
        if yes < len(answers):
            state = REFUSED
        elif yes >= self._rules[row[1]].needed:
            state = DONE
        elif row[6] <= self._clock():
            state = EXPIRED
        office = UUID(bytes=row[3]) if row[3] else None
        return Request(request, row[1], by, office, about, row[5], row[6], content, state, yes)

    def open_for(self, session: Live) -> list[Request]:
        """Open requests that this session may decide, oldest first."""
        return [request for request in self._open() if self._may(session, request)]

    def asked_by(self, person: UUID, kind: str | None = None, limit: int = 50) -> list[Request]:
        """What a person asked for, newest first, in every state."""
        rows = self._register.rows(
            "SELECT id FROM approval WHERE by = ? AND (? IS NULL OR kind = ?) ORDER BY at DESC LIMIT ?",
            *(person.bytes, kind, kind, limit),
        )
        return [self.get(UUID(bytes=row[0])) for row in rows]

    def answer(self, session: Live, request: UUID, *, yes: bool) -> Request:
        """Say yes or no; the last yes that was needed does what was asked.

        Raises Refusal("unknown_request") (also for whoever may not decide it), "decided" (it is not open any more),
        and whatever the area's carry_out refuses.
        """
        with self._deciding:
            found = self.get(request)
            if not self._may(session, found):
                raise Refusal("unknown_request", "There is no such request.")
            if found.state != OPEN:
                raise Refusal("decided", "This request is not open any more.")
            rule = self._rules[found.kind]
            answered = {"type": "approval_answered", "id": request, "by": session.person}
            bodies: list[Body] = [{**answered, "at": self._clock(), "yes": yes}]
            done = yes and found.yes + 1 >= rule.needed
            if done:
                bodies += rule.carry_out(found, session)
            self._committer.commit(*bodies)
        if done and rule.afterwards:
            rule.afterwards(found, session)
        return self.get(request)

    def _may(self, session: Live, request: Request) -> bool:
        if session.is_citizen or session.person in (request.by, request.about):
            return False
        answered = self._register.one(
            "SELECT 1 FROM approval_answer WHERE id = ? AND by = ?", request.id.bytes, session.person.bytes
        )
        return answered is None and self._rules[request.kind].may_decide(session, request)

    def _open(self) -> list[Request]:
        rows = self._register.rows("SELECT id FROM approval WHERE until > ? ORDER BY at", self._clock())
        found = [self.get(UUID(bytes=row[0])) for row in rows]
        return [request for request in found if request.state == OPEN]
