"""Questions about looks: a citizen does not understand one and asks the data-protection official of that office.

The official sees the look and the text, never who asks: a reference number stands for the citizen. One question a
look and person, a few a day; the answer is due in 30 days, and what is overdue is marked for both and counted.
"""

import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from kulla.keeper.budgets import DAY_MS
from kulla.keeper.errors import Refusal
from kulla.keeper.register import Row
from kulla.keeper.roles import PROTECTION
from kulla.keeper.sessions import Live

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper

DUE_MS = 30 * DAY_MS
A_DAY = 5
TEXT, ANSWER = 1000, 4000  # characters
_COLUMNS = "id, look, person, office, at, due, sealed, answered, answered_by, answer"


class Questions:
    """Takes questions, gives them to the right official, takes answers."""

    def __init__(self, keeper: "Keeper", clock: Callable[[], int]) -> None:
        self._keeper, self._clock = keeper, clock

    # The citizen ---------------------------------------------------------------------------------------

    def ask(self, reader: UUID, ref: UUID, text: str) -> dict[str, Any]:
        """A question about a look of this reader. Raises Refusal("unknown_look", "asked_already", "capped")."""
        seq, entry, _ = self._keeper.my_data.viewing.one(reader, ref)
        if entry["kind"] == "own":
            raise Refusal("unknown_look", "This was done by the person.")
        register, now = self._keeper.register, self._clock()
        if register.one("SELECT 1 FROM question WHERE look = ? AND person = ?", seq, reader.bytes):
            raise Refusal("asked_already", "There is a question about this look already.")
        row = register.one(
            "SELECT count(*), min(at) FROM question WHERE person = ? AND at > ?", reader.bytes, now - DAY_MS
        )
        if row and row[0] >= A_DAY:
            raise Refusal("capped", "There were too many questions today.", until_ms=row[1] + DAY_MS)
        question = uuid4()
        kept = {
            name: entry[name] for name in ("at", "office", "role", "service", "purpose", "fields", "official")
        }
        kept |= {"text": text, "allowed": entry["allowed"]}
        body = {
            "type": "look_question",
            "id": question,
            "look": seq,
            "person": reader,
            "office": entry["office"],
        }
        body |= {"at": now, "due": now + DUE_MS, "sealed": self._seal(reader, kept)}
        self._keeper.committer.commit(body)
        return self.mine(reader, question)

    def mine(self, reader: UUID, question: UUID) -> dict[str, Any]:
        """One of one's own questions. Raises Refusal("unknown_question")."""
        row = self._keeper.register.one(
            f"SELECT {_COLUMNS} FROM question WHERE id = ? AND person = ?",  # noqa: S608 - fixed texts
            *(question.bytes, reader.bytes),
        )
        if row is None:
            raise Refusal("unknown_question", "There is no such question.")
        return self._shown(row)

    def all_of(self, reader: UUID) -> list[dict[str, Any]]:
        """One's own questions, newest first."""
        rows = self._keeper.register.rows(
            f"SELECT {_COLUMNS} FROM question WHERE person = ? ORDER BY at DESC",  # noqa: S608 - fixed texts
            reader.bytes,
        )
        return [self._shown(row) for row in rows]

    def of_looks(self, reader: UUID, looks: Sequence[int]) -> dict[int, UUID]:
        """The reader's question about each of these looks, where there is one."""
        if not looks:
            return {}
        marks = ", ".join("?" * len(looks))
        rows = self._keeper.register.rows(
            f"SELECT look, id FROM question WHERE person = ? AND look IN ({marks})",  # noqa: S608 - marks only
            *(reader.bytes, *looks),
        )
        return {look: UUID(bytes=question) for look, question in rows}

    # The official --------------------------------------------------------------------------------------

    def for_official(self, session: Live, *, answered: bool = False) -> list[dict[str, Any]]:
        """What this official is to answer (or has answered, newest first), the most urgent first."""
        self._official(session)
        order = "answered DESC LIMIT 200" if answered else "due"
        rows = self._keeper.register.rows(
            f"SELECT {_COLUMNS} FROM question WHERE answered IS {'NOT ' if answered else ''}NULL ORDER BY {order}"  # noqa: S608 - fixed texts
        )
        return [self._to_answer(row) for row in rows if self._is_theirs(session, row)]

    def one_for(self, session: Live, question: UUID) -> dict[str, Any]:
        """One that is this official's to answer. Raises Refusal("role", "unknown_question")."""
        return self._to_answer(self._theirs(session, question))

    def answer(self, session: Live, question: UUID, text: str) -> None:
        """Answer it, once. Raises Refusal("role", "unknown_question", "answered_already", "no_text")."""
        row = self._theirs(session, question)
        if row[7] is not None:
            raise Refusal("answered_already", "This question was answered already.")
        if not text.strip():
            raise Refusal("no_text", "An answer has words.")
        person = UUID(bytes=row[2])
        body = {"type": "look_answer", "id": question, "at": self._clock(), "by": session.person}
        body |= {"sealed": self._seal(person, {"text": text})}
        self._keeper.my_data.tell(person, "question_answered", body)

    def counts(self) -> dict[str, int]:
        """For the operator: open, overdue, and how many nobody is there to answer."""
        rows = self._keeper.register.rows("SELECT office, due FROM question WHERE answered IS NULL")
        now, handled = self._clock(), {}
        for office in {row[0] for row in rows}:
            handled[office] = self._keeper.my_data.handler(UUID(bytes=office) if office else None)[1]
        return {
            "questions_open": len(rows),
            "questions_overdue": sum(due < now for _, due in rows),
            "questions_nobody": sum(not handled[office] for office, _ in rows),
        }

    def _theirs(self, session: Live, question: UUID) -> Row:
        self._official(session)
        row = self._keeper.register.one(
            f"SELECT {_COLUMNS} FROM question WHERE id = ?",  # noqa: S608 - fixed texts
            question.bytes,
        )
        if row is None or not self._is_theirs(session, row):
            raise Refusal("unknown_question", "There is no such question.")
        return row

    @staticmethod
    def _official(session: Live) -> None:
        if session.role != PROTECTION or session.office is None:
            raise Refusal("role", "Data-protection officials answer questions.")

    def _is_theirs(self, session: Live, row: Row) -> bool:
        """Of the nearest office that has such an official; never one's own question, nor about one's own look."""
        if UUID(bytes=row[2]) == session.person:
            return False
        return self._keeper.my_data.handler(UUID(bytes=row[3]) if row[3] else None)[0] == session.office

    # Both ----------------------------------------------------------------------------------------------

    def _shown(self, row: Row) -> dict[str, Any]:
        person, kept = self._open(row)
        office = UUID(bytes=row[3]) if row[3] else None
        return {
            "id": UUID(bytes=row[0]),
            "reference": reference(UUID(bytes=row[0])),
            "at_ms": row[4],
            "due_ms": row[5],
            "overdue": row[7] is None and row[5] < self._clock(),
            "text": kept["text"],
            "look_at_ms": kept["at"],
            "office": self._keeper.office_name(office),
            "role": kept["role"],
            "service": kept["service"],
            "purpose": kept["purpose"],
            "fields": kept["fields"],
            "allowed": kept["allowed"],
            "answered_ms": row[7],
            "answer": self._keeper.vault.open_own(person, "question", row[9])["text"] if row[9] else "",
            "official": "",
        }

    def _to_answer(self, row: Row) -> dict[str, Any]:
        """With the name of the official who looked; without anything of who asks."""
        _, kept = self._open(row)
        official = kept["official"]
        return self._shown(row) | {
            "official": self._keeper.people.field(official, "name") if official else ""
        }

    def _open(self, row: Row) -> tuple[UUID, dict[str, Any]]:
        person = UUID(bytes=row[2])
        return person, self._keeper.vault.open_own(person, "question", row[6])

    def _seal(self, person: UUID, value: dict[str, Any]) -> bytes:
        return self._keeper.vault.seal_own(person, "question", value)


def reference(case: UUID) -> str:
    """A short name for a case, as two people read it to each other: eight letters and digits."""
    text = base64.b32encode(case.bytes).decode()
    return f"{text[:4]}-{text[4:8]}"
