""" "This was not me": a link in each message about the account. Following it shows; pressing the button freezes.

A frozen account has no sessions, signs nobody in, and gets no codes. What was under way (a new channel, a recovery) is
taken back. A case is open until somebody has shown a document at a counter; links from before then are spent.
"""

from typing import Any
from uuid import UUID, uuid4

from kulla.keeper.accounts import crockford
from kulla.keeper.accounts.book import Book
from kulla.keeper.accounts.codes import Codes
from kulla.keeper.accounts.locks import Locks
from kulla.keeper.errors import Refusal
from kulla.keeper.kinds import Body


class Freezing:
    """Freezes accounts, keeps cases."""

    def __init__(self, book: Book, codes: Codes, locks: Locks) -> None:
        self._book, self._codes, self._locks = book, codes, locks

    def look(self, token: str) -> dict[str, Any]:
        """What a link is about: kind, at_ms, state (open, used, expired). Changes nothing.

        Raises Refusal("unknown_link").
        """
        _, kind, _, at, state = self._link(token)
        return {"kind": kind, "at_ms": at, "state": state}

    def report(self, token: str) -> None:
        """Freeze the account that a link is about. Again: nothing happens.

        Raises Refusal("unknown_link", "link_expired", "copies_unavailable").
        """
        person, kind, mark, _, state = self._link(token)
        if state == "expired":
            raise Refusal("link_expired", "This link is older than thirty days.")
        with self._locks.of(person):
            if state == "open" and self._link(token)[4] == "open":
                used = {"type": "account_link_used", "mark": mark, "at": self._book.clock()}
                self._freeze(person, kind, used)

    def _freeze(self, person: UUID, kind: str, *bodies: Body) -> None:
        now, book = self._book.clock(), self._book
        told = book.telling(person, "frozen")
        more: list[Body] = []
        if not book.frozen(person):
            more.append({"type": "account_frozen", "id": uuid4(), "person": person, "at": now, "kind": kind})
        for change in book.changes(person):
            if not change.cancelled and change.due > now:
                more.append({"type": "channel_cancelled", "id": change.id, "at": now})
        more += self.waits_ended(person)
        book.keeper.committer.commit(*bodies, *more, *told.bodies)
        book.end_sessions(person)
        self._codes.drop(person)
        told.send()

    def waits_ended(self, person: UUID) -> list[Body]:
        """The records that end a person's waiting recoveries."""
        rows = self._book.register.rows(
            "SELECT id FROM recovery_wait WHERE person = ? AND ended IS NULL", person.bytes
        )
        now = self._book.clock()
        return [{"type": "recovery_wait_ended", "id": UUID(bytes=row[0]), "at": now} for row in rows]

    def case(self, person: UUID) -> tuple[UUID, int, str] | None:
        """(id, since, what was reported) of a person's open case."""
        row = self._book.register.one(
            "SELECT id, at, kind FROM account_case WHERE person = ? AND closed IS NULL", person.bytes
        )
        return (UUID(bytes=row[0]), row[1], row[2]) if row else None

    def released(self, person: UUID) -> list[Body]:
        """The records that close a person's cases and take every credential away."""
        rows = self._book.register.rows(
            "SELECT id FROM account_case WHERE person = ? AND closed IS NULL", person.bytes
        )
        now = self._book.clock()
        closed: list[Body] = [
            {"type": "account_released", "id": UUID(bytes=row[0]), "at": now} for row in rows
        ]
        cleared: Body = {"type": "credentials_cleared", "person": person, "at": now, "what": "all"}
        return [*closed, cleared] if closed else []

    def ever(self, person: UUID) -> bool:
        """Whether the account was frozen once, even if that is over."""
        row = self._book.register.one("SELECT 1 FROM account_case WHERE person = ? LIMIT 1", person.bytes)
        return row is not None

    def open_cases(self) -> int:
        """How many cases are open in the country."""
        row = self._book.register.one("SELECT count(*) FROM account_case WHERE closed IS NULL")
        return int(row[0]) if row else 0

    def _link(self, token: str) -> tuple[UUID, str, bytes, int, str]:
        mark = self._book.mark("link", crockford.read(token))
        row = self._book.register.one(
            "SELECT person, kind, at, until, used FROM account_link WHERE mark = ?", mark
        )
        if row is None:
            raise Refusal("unknown_link", "There is no such link.")
        # A link from before a release is about what that release has settled.
        settled = self._book.register.one(
            "SELECT 1 FROM account_case WHERE person = ? AND closed > ? LIMIT 1", row[0], row[2]
        )
        state = "used" if row[4] is not None or settled else "open"
        if state == "open" and row[3] <= self._book.clock():
            state = "expired"
        return UUID(bytes=row[0]), row[1], mark, row[2], state
