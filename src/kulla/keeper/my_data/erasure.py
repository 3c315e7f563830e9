"""Requests to erase: two registrars agree, or one refuses with a reason. What is agreed is done by `erasing`.

The person may take a request back, also after it was agreed, until the copies have carried it out.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from kulla.keeper.approvals import HOUR_MS, Request, Rule
from kulla.keeper.errors import Refusal
from kulla.keeper.kinds import Body
from kulla.keeper.my_data.questions import reference
from kulla.keeper.register import Row
from kulla.keeper.roles import REGISTRAR
from kulla.keeper.sessions import Live

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper

KIND = "erasure"
TEXT = 1000
WAITS_MS = 30 * 24 * HOUR_MS
PURPOSE = "erasure request"
NOTICE = "erasure_decided"
_COLUMNS = "id, person, at, sealed, state, decided, decided_by, reason"


class Erasures:
    """Takes requests and decisions. States: open, proposed (one registrar said yes), agreed, refused, withdrawn."""

    def __init__(self, keeper: "Keeper", clock: Callable[[], int]) -> None:
        self._keeper, self._clock = keeper, clock
        self._deciding = threading.Lock()
        rule = Rule(self._may_decide, self._carry_out, self._afterwards, valid_ms=WAITS_MS)
        keeper.approvals.declare(KIND, rule)

    # The citizen ---------------------------------------------------------------------------------------

    def ask(self, session: Live, text: str, *, everything: bool = False) -> UUID:
        """Ask for erasure; one request at a time. Only a request for `everything` is ever carried out: earlier versions
        asked what should go, and promised that nothing does. Raises Refusal("asked_already")."""
        if any(self._under_way(each) for each in self.all_of(session.person)):
            raise Refusal("asked_already", "There is a request already.")
        request = uuid4()
        sealed = self._keeper.vault.seal_own(session.person, KIND, {"text": text, "everything": everything})
        body = {"type": "erasure_asked", "id": request, "person": session.person, "at": self._clock()}
        self._keeper.committer.commit(body | {"sealed": sealed})
        return request

    def _under_way(self, request: dict[str, Any]) -> bool:
        standing = self._keeper.erasing.standing(request["id"])["state"]
        return request["state"] in {"open", "proposed"} or (
            request["state"] == "agreed" and standing in {"begun", "waiting"}
        )

    def withdraw(self, session: Live, request: UUID) -> None:
        """Take one's own request back; its tombstones are objected to on the copies, now and whenever one comes later.

        Raises Refusal("unknown_request", "decided").
        """
        row = self._row(request)
        if row[1] != session.person.bytes:
            raise Refusal("unknown_request", "There is no such request.")
        if self._state(row) not in {"open", "proposed", "agreed"}:
            raise Refusal("decided", "This request is not open any more.")
        if not self._keeper.erasing.may_withdraw(request):
            raise Refusal(
                "decided", "The copies have begun to carry this out: it is too late to take it back."
            )
        self._keeper.committer.commit(self._decided(request, session, "withdrawn", ""))
        self._keeper.erasing.stop(request)

    def all_of(self, person: UUID) -> list[dict[str, Any]]:
        """One's own requests, newest first."""
        rows = self._keeper.register.rows(
            f"SELECT {_COLUMNS} FROM erasure WHERE person = ? ORDER BY at DESC",  # noqa: S608 - fixed texts
            person.bytes,
        )
        return [self._head(row) | self._said(row) for row in rows]

    # Registrars ----------------------------------------------------------------------------------------

    def queue(self, session: Live) -> list[dict[str, Any]]:
        """What waits, oldest first, without names."""
        self._registrar(session)
        rows = self._keeper.register.rows(
            f"SELECT {_COLUMNS} FROM erasure WHERE state = 'open' ORDER BY at LIMIT 500"  # noqa: S608 - fixed texts
        )
        return [self._head(row) for row in rows if row[1] != session.person.bytes]

    def open(self, session: Live, request: UUID) -> dict[str, Any]:
        """A request with the person's name: a look. Raises Refusal("role", "unknown_request", "budget")."""
        row = self._theirs(session, request)
        person, people = UUID(bytes=row[1]), self._keeper.people
        self._keeper.opening.look_at(session, person, ["name", "number"], service="identity", purpose=PURPOSE)
        about = {"name": people.field(person, "name"), "number": people.field(person, "number")}
        return self._head(row) | self._said(row) | about

    def release(self, session: Live, request: UUID) -> str:
        """Ask a second official to release a protected person for this; "open" or "done"."""
        row = self._theirs(session, request)
        return self._keeper.protected.ask(session, UUID(bytes=row[1]), "identity", PURPOSE)

    def decide(self, session: Live, request: UUID, *, yes: bool, reason: str) -> None:
        """No ends it; yes puts it before a second registrar (on the page of decisions).

        Raises Refusal("role", "unknown_request", "decided", "no_text").
        """
        with self._deciding:  # two at once: the second reads what the first has decided
            self._decide(session, request, yes=yes, reason=reason)

    def _decide(self, session: Live, request: UUID, *, yes: bool, reason: str) -> None:
        row = self._theirs(session, request)
        if self._state(row) != "open":
            raise Refusal("decided", "This request is not open any more.")
        if not reason.strip():
            raise Refusal("no_text", "A decision has a reason.")
        person = UUID(bytes=row[1])
        if not self._keeper.looks.looked_since(session.person, person, self._clock() - 24 * HOUR_MS, PURPOSE):
            raise Refusal("not_opened", "Open the request before deciding it.")
        if yes:
            if self._everything(row):
                self._keeper.erasing.refuse_unfit(person)
            shown = {"reference": reference(request), "reason": reason}
            content = {"shown": shown, "request": request, "reason": reason}
            self._keeper.approvals.ask(session, KIND, content, about=person)
            return
        self._keeper.my_data.tell(person, NOTICE, self._decided(request, session, "refused", reason, person))

    @staticmethod
    def _may_decide(session: Live, _request: Request) -> bool:
        return session.role == REGISTRAR

    def _carry_out(self, request: Request, session: Live) -> list[Body]:
        row = self._row(request.content["request"])
        if row[4] != "open":
            raise Refusal("decided", "This request is not open any more.")
        person = UUID(bytes=row[1])
        ident = UUID(bytes=row[0])
        decided = self._decided(ident, session, "agreed", str(request.content["reason"]), person)
        if not self._everything(row):
            return [decided]
        self._keeper.erasing.refuse_unfit(person)
        return [decided, {"type": "erasure_begun", "request": ident, "at": self._clock()}]

    def _everything(self, row: Row) -> bool:
        return self._keeper.vault.open_own(UUID(bytes=row[1]), KIND, row[3]).get("everything") is True

    def _afterwards(self, request: Request, _session: Live) -> None:
        if request.about is not None:
            self._keeper.my_data.tell(request.about, NOTICE)

    # Both ----------------------------------------------------------------------------------------------

    def _decided(
        self, request: UUID, session: Live, state: str, reason: str, person: UUID | None = None
    ) -> Body:
        sealed = self._keeper.vault.seal_own(person or session.person, KIND, {"text": reason})
        body: Body = {"type": "erasure_decided", "id": request, "state": state, "at": self._clock()}
        return body | {"by": session.person, "reason": sealed}

    @staticmethod
    def _registrar(session: Live) -> None:
        if session.role != REGISTRAR or session.office is None:
            raise Refusal("role", "Registrars decide about erasure.")

    def _theirs(self, session: Live, request: UUID) -> Row:
        self._registrar(session)
        row = self._row(request)
        if row[1] == session.person.bytes:
            raise Refusal("unknown_request", "There is no such request.")
        return row

    def _row(self, request: UUID) -> Row:
        row = self._keeper.register.one(
            f"SELECT {_COLUMNS} FROM erasure WHERE id = ?",  # noqa: S608 - fixed texts
            request.bytes,
        )
        if row is None:
            raise Refusal("unknown_request", "There is no such request.")
        return row

    def _state(self, row: Row) -> str:
        """An open request that waits for a second registrar is "proposed"."""
        if row[4] != "open":
            return str(row[4])
        waiting = self._keeper.register.rows(
            "SELECT id FROM approval WHERE kind = ? AND about = ? AND until > ?", KIND, row[1], self._clock()
        )
        requests = [self._keeper.approvals.get(UUID(bytes=each)) for (each,) in waiting]
        mine = [each for each in requests if each.content["request"].bytes == row[0]]
        return "proposed" if any(each.state == "open" for each in mine) else "open"

    def _head(self, row: Row) -> dict[str, Any]:
        request = UUID(bytes=row[0])
        standing = self._keeper.erasing.standing(request)
        return {
            "id": request,
            "reference": reference(request),
            "at_ms": row[2],
            "state": self._state(row),
            "decided_ms": row[5],
            "standing": standing["state"],
            "until_ms": standing["until"],
        }

    def _said(self, row: Row) -> dict[str, str]:
        person, vault = UUID(bytes=row[1]), self._keeper.vault
        answer = vault.open_own(person, KIND, row[7])["text"] if row[7] else ""
        return {"text": vault.open_own(person, KIND, row[3])["text"], "answer": answer}
