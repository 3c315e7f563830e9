"""Calls of my data, and what they give. Times are milliseconds since 1970 UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as detail
from datetime import date
from typing import Any
from uuid import UUID

from kulla.keeper_client.pool import Pool

DOCUMENT_S = 15.0  # a document of 2 MB becomes some forty records on every copy
SECTION_S = 15.0
_FOREVER = 1 << 62


@dataclass(frozen=True)
class LookLine:
    """A look as its person reads it. `ref` names it to this reader alone; `kind` "own" is what the person did;
    `late` was delayed by a court; `question` is the reader's question about it. Else as LookView."""

    ref: UUID
    at_ms: int
    kind: str
    office: str
    role: str
    service: str
    purpose: str
    fields: list[str]
    allowed: bool
    late: bool
    question: UUID | None
    whose: str = detail(default="me", repr=False)


@dataclass(frozen=True)
class Question:
    """A question about a look. `official` names who looked, for the official who answers; else ""."""

    id: UUID
    reference: str
    at_ms: int
    due_ms: int
    overdue: bool
    text: str = detail(repr=False)
    look_at_ms: int
    office: str
    role: str
    service: str
    purpose: str
    fields: list[str]
    allowed: bool
    answered_ms: int | None
    answer: str = detail(repr=False)
    official: str = detail(default="", repr=False)


@dataclass(frozen=True)
class Correction:
    """A request to correct a field; `document` is its kind ("jpg", "png", "pdf" or ""). What a registrar opened has
    `name`, `number` and the value as it is `now`; a line of the queue has none of what was written."""

    id: UUID
    reference: str
    field: str
    at_ms: int
    document: str
    size: int
    state: str
    decided_ms: int | None
    value: str = detail(default="", repr=False)
    reason: str = detail(default="", repr=False)
    was: str = detail(default="", repr=False)
    answer: str = detail(default="", repr=False)
    name: str = detail(default="", repr=False)
    number: str = detail(default="", repr=False)
    now: str = detail(default="", repr=False)


@dataclass(frozen=True)
class Erasure:
    """A request to erase. States: open, proposed, agreed, refused, withdrawn; agreed is not erased: `standing` says how
    far it is ("": nothing will be done, begun, waiting, stopped), `until_ms` when it is carried out at the earliest."""

    id: UUID
    reference: str
    at_ms: int
    state: str
    decided_ms: int | None
    text: str = detail(default="", repr=False)
    answer: str = detail(default="", repr=False)
    name: str = detail(default="", repr=False)
    number: str = detail(default="", repr=False)
    standing: str = ""
    until_ms: int = 0


class MyData:
    """The calls of my data; part of KeeperClient."""

    _pool: Pool

    # Looks ----------------------------------------------------------------------------------------------

    def my_looks(
        self,
        token: str,
        *,
        office: UUID | None = None,
        service: str = "",
        whose: UUID | None = None,
        since_ms: int = 0,
        until_ms: int = _FOREVER,
        refused: bool = False,
        before: UUID | None = None,
        limit: int = 50,
    ) -> tuple[list[LookLine], UUID | None]:
        """A page of looks, newest first, and the `before` of the next page (None: the last).

        `whose`: the pseudonym in "identity" of the person or a ward. Refused "unknown_look" for a bad `before`.
        """
        args = {"token": token, "office": office, "service": service, "whose": whose, "since_ms": since_ms}
        args |= {"until_ms": until_ms, "refused": refused, "before": before, "limit": limit}
        answer = self._pool.ask("my_looks", args)
        return [LookLine(**line) for line in answer["lines"]], answer["next"]

    def my_looks_offices(self, token: str) -> list[tuple[UUID, str]]:
        """The offices that looked: (id, name), by name."""
        return [(each["id"], each["name"]) for each in self._pool.ask("my_looks_offices", {"token": token})]

    def my_look(self, token: str, ref: UUID) -> LookLine:
        """One look. Refused "unknown_look" (also somebody else's)."""
        return LookLine(**self._pool.ask("my_look", {"token": token, "ref": ref}))

    def question_ask(self, token: str, ref: UUID, text: str) -> Question:
        """Ask about a look. Refused "unknown_look", "asked_already", "capped" (until_ms), "too_long"."""
        return Question(**self._pool.ask("question_ask", {"token": token, "ref": ref, "text": text}))

    def questions_mine(self, token: str) -> list[Question]:
        """One's own questions, newest first."""
        return [Question(**each) for each in self._pool.ask("questions_mine", {"token": token})]

    def question_mine(self, token: str, question: UUID) -> Question:
        """One of them. Refused "unknown_question"."""
        return Question(**self._pool.ask("question_mine", {"token": token, "id": question}))

    def questions_to_answer(self, token: str, *, answered: bool = False) -> list[Question]:
        """What a data-protection official is to answer, most urgent first. Refused "role"."""
        args = {"token": token, "answered": answered}
        return [Question(**each) for each in self._pool.ask("questions_to_answer", args)]

    def question_to_answer(self, token: str, question: UUID) -> Question:
        """One of them. Refused "role", "unknown_question" (also of another office)."""
        return Question(**self._pool.ask("question_to_answer", {"token": token, "id": question}))

    def question_answer(self, token: str, question: UUID, text: str) -> None:
        """Answer once. Refused "role", "unknown_question", "answered_already", "no_text"."""
        self._pool.ask("question_answer", {"token": token, "id": question, "text": text})

    def look_delay_ask(
        self,
        token: str,
        number: str,
        *,
        order: str,
        court: str,
        office: UUID,
        since: date,
        until: date,
        shown: date,
    ) -> UUID:
        """Put a court's order before a second official. Costs 10. Refused "role", "bad_order" (reason: empty, shown,
        period), "unknown_office", "unknown_person", "bad_identifier", "budget"."""
        args = {"token": token, "number": number, "order": order, "court": court, "office": office}
        args |= {"since": since.isoformat(), "until": until.isoformat(), "shown": shown.isoformat()}
        return UUID(str(self._pool.ask("look_delay_ask", args)))

    def transparency(self) -> dict[str, int]:
        """Counts for anyone: delays_now, delays_ever, questions_open, questions_overdue, questions_nobody."""
        return dict(self._pool.ask("transparency", {}))

    # What is held ---------------------------------------------------------------------------------------

    def my_sections(self, token: str) -> list[str]:
        """Names of the sections of what is held about the person."""
        return list(self._pool.ask("my_sections", {"token": token}))

    def my_section(self, token: str, name: str) -> tuple[list[dict[str, Any]], bool]:
        """(all rows, whether something of it does not open). Refused "unknown_section"."""
        rows: list[dict[str, Any]] = []
        offset: int | None = 0
        broken = False
        while offset is not None:
            args = {"token": token, "name": name, "offset": offset}
            answer = self._pool.ask("my_section", args, SECTION_S)
            rows += [dict(row) for row in answer["rows"]]
            offset, broken = answer["next"], broken or answer["broken"]
        return rows, broken

    def my_download(self, token: str, how: str) -> None:
        """Note that everything is downloaded as `how`. Refused "capped" (until_ms), "assisted"."""
        self._pool.ask("my_download", {"token": token, "how": how})

    def my_settings(self, token: str) -> dict[str, Any]:
        """language, channels {group: ["phone", "email"]}, needs [code]."""
        return dict(self._pool.ask("my_settings", {"token": token}))

    def my_settings_change(
        self,
        token: str,
        *,
        language: str | None = None,
        channels: Mapping[str, Sequence[str]] | None = None,
        needs: Sequence[str] | None = None,
    ) -> None:
        """Change what is given. Refused "no_channel" (safety needs one), "bad_request", "assisted"."""
        given = None if channels is None else {group: list(some) for group, some in channels.items()}
        args = {"token": token, "language": language, "channels": given}
        self._pool.ask("my_settings_change", args | {"needs": None if needs is None else list(needs)})

    def needs(self, token: str, people: Sequence[UUID], service: str) -> dict[UUID, list[str]]:
        """What helps these people, where this official's office may look at them today; a look. Others are left out."""
        return dict(self._pool.ask("needs", {"token": token, "people": list(people), "service": service}))

    # Corrections ----------------------------------------------------------------------------------------

    def correction_ask(
        self, token: str, field_name: str, value: str, reason: str, document: bytes | None = None
    ) -> UUID:
        """Ask for a correction. Refused "bad_value" (reason form, same), "bad_document" (reason empty, too_large,
        kind, broken, acts, locked), "capped" (reason open, bytes)."""
        args = {"token": token, "field": field_name, "value": value, "reason": reason, "document": document}
        return UUID(str(self._pool.ask("correction_ask", args, DOCUMENT_S)))

    def corrections_mine(self, token: str) -> list[Correction]:
        """One's own requests, newest first."""
        return [Correction(**each) for each in self._pool.ask("corrections_mine", {"token": token})]

    def correction_queue(self, token: str) -> list[Correction]:
        """What waits for registrars, oldest first. Refused "role"."""
        return [Correction(**each) for each in self._pool.ask("correction_queue", {"token": token})]

    def correction_open(self, token: str, request: UUID) -> Correction:
        """A request with the person: a look. Refused "role", "unknown_request", "budget", "protected"."""
        return Correction(**self._pool.ask("correction_open", {"token": token, "id": request}))

    def correction_release(self, token: str, request: UUID) -> str:
        """After "protected": ask a second official to release the person for this. Gives "open" or "done"."""
        return str(self._pool.ask("correction_release", {"token": token, "id": request}))

    def correction_document(self, token: str, request: UUID) -> tuple[str, bytes]:
        """(kind, bytes): a look. Refused as `correction_open`, "no_value"."""
        answer = self._pool.ask("correction_document", {"token": token, "id": request}, DOCUMENT_S)
        return str(answer["kind"]), bytes(answer["data"])

    def correction_decide(self, token: str, request: UUID, *, yes: bool, reason: str) -> None:
        """Decide. Refused "role", "unknown_request", "decided", "no_text", "not_opened", "bad_value"."""
        self._pool.ask("correction_decide", {"token": token, "id": request, "yes": yes, "reason": reason})

    # Erasure --------------------------------------------------------------------------------------------

    def erasure_ask(self, token: str, text: str) -> UUID:
        """Ask that everything held about oneself is erased. Refused "asked_already"."""
        return UUID(str(self._pool.ask("erasure_ask", {"token": token, "text": text, "everything": True})))

    def erasure_withdraw(self, token: str, request: UUID) -> None:
        """Take it back. Refused "unknown_request", "decided"."""
        self._pool.ask("erasure_withdraw", {"token": token, "id": request})

    def erasures_mine(self, token: str) -> list[Erasure]:
        """One's own requests, newest first."""
        return [Erasure(**each) for each in self._pool.ask("erasures_mine", {"token": token})]

    def erasure_queue(self, token: str) -> list[Erasure]:
        """What waits for registrars. Refused "role"."""
        return [Erasure(**each) for each in self._pool.ask("erasure_queue", {"token": token})]

    def erasure_open(self, token: str, request: UUID) -> Erasure:
        """A request with the person: a look. Refused "role", "unknown_request", "budget", "protected"."""
        return Erasure(**self._pool.ask("erasure_open", {"token": token, "id": request}))

    def erasure_release(self, token: str, request: UUID) -> str:
        """As `correction_release`."""
        return str(self._pool.ask("erasure_release", {"token": token, "id": request}))

    def erasure_decide(self, token: str, request: UUID, *, yes: bool, reason: str) -> None:
        """No ends it; yes waits for a second registrar. Refused "role", "unknown_request", "decided", "no_text",
        "not_opened"."""
        self._pool.ask("erasure_decide", {"token": token, "id": request, "yes": yes, "reason": reason})
