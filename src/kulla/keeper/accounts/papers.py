"""Recovery codes on paper: ten at a time, each works once. Stored are their marks only, sealed, as one credential."""

import hmac
import os
from uuid import UUID

from kulla.keeper.accounts import crockford
from kulla.keeper.accounts.book import Book
from kulla.keeper.keys import expand, open_box, seal_box
from kulla.keeper.kinds import Body

COUNT = 10
KIND = "paper"


class Papers:
    """Makes, checks and spends recovery codes."""

    def __init__(self, book: Book) -> None:
        self._book = book
        key = os.urandom(32)
        self._decoy = (key, seal_box(expand(key, "own"), bytes(256), b"decoy"))

    def make(self, person: UUID) -> tuple[list[str], Body]:
        """(ten codes of 50 bits, the record that puts them in the place of the older ones)."""
        codes = [crockford.make(2, 5) for _ in range(COUNT)]
        return codes, self._body(person, [self._mark(person, code) for code in codes])

    def left(self, person: UUID) -> int:
        """How many codes are unused."""
        return len(self._marks(person))

    def find(self, person: UUID | None, typed: str) -> bytes | None:
        """The mark of an unused code, or None. The same work is done for whoever does not exist."""
        asked = person or UUID(int=0)
        mark, found = self._mark(asked, typed), None
        for each in self._marks(asked):
            if hmac.compare_digest(each, mark):
                found = each
        return found

    def spent(self, person: UUID, mark: bytes) -> Body | None:
        """The record after this code was used; None when it was used meanwhile."""
        marks = self._marks(person)
        return self._body(person, [each for each in marks if each != mark]) if mark in marks else None

    def _marks(self, person: UUID) -> list[bytes]:
        row = self._book.register.one(
            "SELECT sealed FROM credential WHERE person = ? AND kind = ? AND name = ''", person.bytes, KIND
        )
        if row is None:
            key, box = self._decoy
            open_box(expand(key, "own"), box, b"decoy")
            return []
        return list(self._book.vault.open_own(person, KIND, row[0]))

    def _body(self, person: UUID, marks: list[bytes]) -> Body:
        sealed = self._book.vault.seal_own(person, KIND, marks)
        return {"type": "credential", "person": person, "kind": KIND, "name": "", "sealed": sealed}

    def _mark(self, person: UUID, typed: str) -> bytes:
        return self._book.mark(f"paper {person}", crockford.read(typed))
