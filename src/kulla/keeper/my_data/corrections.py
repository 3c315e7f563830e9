"""Corrections: a person says what is wrong, shows a document, and a registrar decides.

The document stands in the records in sealed parts of 48 KiB. Opening a request costs and is logged like any look;
again within an hour it is logged and costs nothing. Accepting changes the profile in the same commit.
"""

import threading
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from kulla.keeper.budgets import DAY_MS
from kulla.keeper.errors import Refusal
from kulla.keeper.kinds import Body
from kulla.keeper.my_data import documents
from kulla.keeper.my_data.questions import reference
from kulla.keeper.protected import HIDDEN
from kulla.keeper.register import Row
from kulla.keeper.roles import REGISTRAR
from kulla.keeper.sessions import Live

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper

FIELDS = ("first_name", "last_name", "birth_date", "sex", "address", "place")
OPEN_AT_ONCE = 3
MONTH_MS, MONTH_BYTES = 30 * DAY_MS, 6 * 1024 * 1024
VALUE, REASON = 200, 1000  # characters
PURPOSE = "correction"
NOTICE = "correction_decided"
_COLUMNS = "id, person, field, at, sealed, kind, size, chunks, state, decided, decided_by, reason"


class Corrections:
    """Takes requests, shows them to registrars, takes decisions."""

    def __init__(self, keeper: "Keeper", clock: Callable[[], int]) -> None:
        self._keeper, self._clock = keeper, clock
        self._deciding = threading.Lock()
        self._asking = threading.Lock()

    # The citizen ---------------------------------------------------------------------------------------

    def ask(self, session: Live, field: str, value: str, reason: str, document: bytes | None) -> UUID:
        """Ask that a field be corrected. Raises Refusal("bad_request", "bad_value", "bad_document", "capped")."""
        person, value = session.person, " ".join(value.split())
        self._check(person, field, value)
        kind = documents.kind_of(document) if document is not None else ""
        parts = documents.chunks(document) if document else []
        with self._asking:
            self._room(person, len(document or b""))
            request, vault = uuid4(), self._keeper.vault
            said = {
                "value": value,
                "reason": reason,
                "was": str(self._keeper.people.profile(person).get(field) or ""),
            }
            sealed = vault.seal_own(person, "correction", said)
            body: Body = {
                "type": "correction",
                "id": request,
                "person": person,
                "field": field,
                "at": self._clock(),
            }
            body |= {"sealed": sealed, "kind": kind, "size": len(document or b""), "chunks": len(parts)}
            chunk = {"type": "correction_chunk", "id": request}
            bodies = [
                chunk
                | {"number": number, "sealed": vault.seal_own(person, f"document {request} {number}", part)}
                for number, part in enumerate(parts)
            ]
            # The request comes last: while it is not there, its parts are nobody's.
            self._keeper.committer.commit(*bodies, body)
        return request

    def all_of(self, person: UUID) -> list[dict[str, Any]]:
        """One's own requests, newest first."""
        rows = self._keeper.register.rows(
            f"SELECT {_COLUMNS} FROM correction WHERE person = ? ORDER BY at DESC",  # noqa: S608 - fixed texts
            person.bytes,
        )
        return [self._head(row) | self._said(row) | {"answer": self._answer(row)} for row in rows]

    # The registrar -------------------------------------------------------------------------------------

    def queue(self, session: Live) -> list[dict[str, Any]]:
        """What waits, oldest first: without names and without what was written."""
        self._registrar(session)
        rows = self._keeper.register.rows(
            f"SELECT {_COLUMNS} FROM correction WHERE state = 'open' ORDER BY at LIMIT 500"  # noqa: S608 - fixed texts
        )
        return [self._head(row) for row in rows if row[1] != session.person.bytes]

    def open(self, session: Live, request: UUID) -> dict[str, Any]:
        """A request with the person's name and number: a look. Raises Refusal("role", "unknown_request", "budget")."""
        row = self._theirs(session, request)
        person = UUID(bytes=row[1])
        self._look(session, person, ["name", "number", row[2]])
        people = self._keeper.people
        about = {"name": people.field(person, "name"), "number": people.field(person, "number")}
        now = str(people.profile(person).get(row[2]) or "")
        said = self._said(row)
        if row[2] in HIDDEN and self._keeper.protected.hides_address(
            person
        ):  # asked for before the protection
            now, said = "", said | {"value": "", "was": ""}
        return self._head(row) | said | about | {"now": now, "answer": self._answer(row)}

    def release(self, session: Live, request: UUID) -> str:
        """Ask a second official to release a protected person for this; "open" or "done"."""
        row = self._theirs(session, request)
        return self._keeper.protected.ask(session, UUID(bytes=row[1]), "identity", PURPOSE)

    def document(self, session: Live, request: UUID) -> dict[str, Any]:
        """{"kind", "data"}: a look too. Raises Refusal("role", "unknown_request", "budget", "no_value")."""
        row = self._theirs(session, request)
        if not row[7]:
            raise Refusal("no_value", "This request has no document.")
        self._look(session, UUID(bytes=row[1]), ["document"])
        return {"kind": row[5], "data": self._joined(row)}

    def decide(self, session: Live, request: UUID, *, yes: bool, reason: str) -> None:
        """Accept or refuse, with a reason; the person is told.

        Raises Refusal("role", "unknown_request", "decided", "no_text", "bad_value").
        """
        with self._deciding:  # two at once: the second reads what the first has decided
            self._decide(session, request, yes=yes, reason=reason)

    def _decide(self, session: Live, request: UUID, *, yes: bool, reason: str) -> None:
        row = self._theirs(session, request)
        if row[8] != "open":
            raise Refusal("decided", "This request is not open any more.")
        if not reason.strip():
            raise Refusal("no_text", "A decision has a reason.")
        person, field = UUID(bytes=row[1]), row[2]
        # Whoever decides has seen the request: nobody changes a register blindly.
        if not self._keeper.looks.looked_since(session.person, person, self._clock() - DAY_MS, PURPOSE):
            raise Refusal("not_opened", "Open the request before deciding it.")
        sealed = self._keeper.vault.seal_own(person, "correction", {"text": reason})
        state = "accepted" if yes else "refused"
        decided: Body = {"type": "correction_decided", "id": request, "state": state, "at": self._clock()}
        decided |= {"by": session.person, "reason": sealed}
        if yes:
            value = self._said(row)["value"]
            self._check(person, field, value, asking=False)
            self._keeper.my_data.save(person, {field: value}, decided, kind=NOTICE)
        else:
            self._keeper.my_data.tell(person, NOTICE, decided)

    # Both ----------------------------------------------------------------------------------------------

    def _check(self, person: UUID, field: str, value: str, *, asking: bool = True) -> None:
        reason = ""
        if field not in FIELDS:
            raise Refusal("bad_request", "This field is not corrected in this way.")
        if field in HIDDEN and self._keeper.protected.hides_address(person):
            raise Refusal("hidden", "The address of a protected person is changed by the register itself.")
        if (
            not value
            or len(value) > VALUE
            or not value.isprintable()
            or (field == "sex" and value not in {"f", "m"})
        ):
            reason = "form"
        elif field == "birth_date":
            reason = _bad_birth(value, self._keeper.people.today())
        elif asking and value == str(self._keeper.people.profile(person).get(field) or ""):
            reason = "same"
        if reason:
            raise Refusal("bad_value", "This cannot be the right value.", reason=reason)

    def _room(self, person: UUID, size: int) -> None:
        """At most 3 open requests, and 6 MB of documents in 30 days. Raises Refusal("capped") with reason."""
        row = self._keeper.register.one(
            "SELECT sum(state = 'open'), sum(CASE WHEN at > ? THEN size ELSE 0 END) FROM correction WHERE person = ?",
            *(self._clock() - MONTH_MS, person.bytes),
        )
        waiting, taken = (row[0] or 0, row[1] or 0) if row else (0, 0)
        if waiting >= OPEN_AT_ONCE:
            raise Refusal("capped", "Three requests wait already.", reason="open")
        if taken + size > MONTH_BYTES:
            raise Refusal("capped", "There were too many documents within 30 days.", reason="bytes")

    def _registrar(self, session: Live) -> None:
        if session.role != REGISTRAR or session.office is None:
            raise Refusal("role", "Registrars decide corrections.")

    def _theirs(self, session: Live, request: UUID) -> Row:
        """A request that this registrar may decide: never one's own."""
        self._registrar(session)
        row = self._keeper.register.one(
            f"SELECT {_COLUMNS} FROM correction WHERE id = ?",  # noqa: S608 - fixed texts
            request.bytes,
        )
        if row is None or row[1] == session.person.bytes:
            raise Refusal("unknown_request", "There is no such request.")
        return row

    def _look(self, session: Live, person: UUID, fields: list[str]) -> None:
        self._keeper.opening.look_at(session, person, fields, service="identity", purpose=PURPOSE)

    def _head(self, row: Row) -> dict[str, Any]:
        return {
            "id": UUID(bytes=row[0]),
            "reference": reference(UUID(bytes=row[0])),
            "field": row[2],
            "at_ms": row[3],
            "document": row[5],
            "size": row[6],
            "state": row[8],
            "decided_ms": row[9],
        }

    def _said(self, row: Row) -> dict[str, str]:
        opened: dict[str, str] = self._keeper.vault.open_own(UUID(bytes=row[1]), "correction", row[4])
        return {name: opened.get(name, "") for name in ("value", "reason", "was")}

    def _answer(self, row: Row) -> str:
        if not row[11]:
            return ""
        return str(self._keeper.vault.open_own(UUID(bytes=row[1]), "correction", row[11])["text"])

    def _joined(self, row: Row) -> bytes:
        request, person = UUID(bytes=row[0]), UUID(bytes=row[1])
        parts = self._keeper.register.rows(
            "SELECT number, sealed FROM correction_chunk WHERE id = ? ORDER BY number", request.bytes
        )
        opened = [
            self._keeper.vault.open_own(person, f"document {request} {number}", sealed)
            for number, sealed in parts
        ]
        data = b"".join(opened)
        if len(data) != row[6]:
            raise Refusal("broken", "The document is not complete.")
        return data


def _bad_birth(value: str, today: date) -> str:
    try:
        born = date.fromisoformat(value)
    except ValueError:
        return "form"
    return "" if date(1890, 1, 1) <= born <= today and value == born.isoformat() else "form"
