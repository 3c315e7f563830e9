"""Letters: a one-time code on paper, given at a counter after a document was shown.

The code has 80 bits, works once within thirty days, and only the newest letter counts. Using it takes every credential
away and sets a new password, so it serves for activation and for whoever has lost everything.
"""

import hmac
import os
from uuid import UUID, uuid4

from kulla.keeper.accounts import crockford
from kulla.keeper.accounts.book import Book
from kulla.keeper.errors import Refusal
from kulla.keeper.keys import expand, open_box, seal_box
from kulla.keeper.kinds import Body

LETTER_MS = 30 * 24 * 3600 * 1000
DOCUMENTS = ("id_card", "passport", "residence_permit", "refugee_document")
LOOKED_AT = 3  # letters of a person that a typed code is compared with, always as many


class Letters:
    """Makes and checks letters."""

    def __init__(self, book: Book) -> None:
        self._book = book
        key = os.urandom(32)
        self._decoy = (key, seal_box(expand(key, "own"), bytes(256), b"decoy"))

    def make(
        self, person: UUID, office: UUID | None, by: UUID, document: str, request: UUID | None = None
    ) -> tuple[str, Body]:
        """(the code to print, the record of the letter). Raises Refusal("bad_request") for another document."""
        if document not in DOCUMENTS:
            raise Refusal("bad_request", "There is no such kind of document.")
        code, letter, now = crockford.make(4, 4), uuid4(), self._book.clock()
        inside = {"mark": self._mark(person, code), "document": document, "by": by}
        sealed = self._book.vault.seal_own(person, "letter", inside)
        body: Body = {"type": "letter", "id": letter, "person": person, "office": office, "request": request}
        return code, {**body, "at": now, "until": now + LETTER_MS, "sealed": sealed}

    def find(self, person: UUID | None, typed: str) -> UUID | None:
        """The letter with this code; None when there is none. The same work is done for whoever does not exist.

        Raises Refusal("letter_used", "letter_expired", "letter_replaced") to who has the right code of such a one.
        """
        asked = person or UUID(int=0)
        rows = self._book.register.rows(
            "SELECT id, until, used, sealed FROM letter WHERE person = ? ORDER BY at DESC, id LIMIT ?",
            *(asked.bytes, LOOKED_AT),
        )
        mark = self._mark(asked, typed)
        found: tuple[int, UUID, int, int | None] | None = None
        for place in range(LOOKED_AT):
            if place >= len(rows):
                key, box = self._decoy
                open_box(expand(key, "own"), box, b"decoy")
                continue
            letter, until, used, sealed = rows[place]
            inside = self._book.vault.open_own(asked, "letter", sealed)
            if hmac.compare_digest(inside["mark"], mark):
                found = (place, UUID(bytes=letter), until, used)
        if found is None:
            return None
        place, letter_id, until, used = found
        if used is not None:
            raise Refusal("letter_used", "This letter was used already.")
        if place:
            raise Refusal("letter_replaced", "A newer letter was given after this one.")
        if until <= self._book.clock():
            raise Refusal("letter_expired", "This letter is older than thirty days.")
        return letter_id

    def stands(self, letter: UUID) -> bool:
        """Whether a letter can still be used."""
        row = self._book.register.one("SELECT until, used FROM letter WHERE id = ?", letter.bytes)
        return row is not None and row[1] is None and row[0] > self._book.clock()

    def given_since(self, person: UUID, at: int, other_than: UUID | None) -> bool:
        """Whether another letter was given to this person since then (ms), used or not."""
        row = self._book.register.one(
            "SELECT 1 FROM letter WHERE person = ? AND at >= ? AND id IS NOT ? LIMIT 1",
            *(person.bytes, at, other_than.bytes if other_than else None),
        )
        return row is not None

    def allowed_by_two(self, letter: UUID) -> bool:
        """Whether two administrators allowed this letter."""
        row = self._book.register.one("SELECT 1 FROM letter_allowed WHERE letter = ?", letter.bytes)
        return row is not None

    def newest(self, person: UUID) -> tuple[int, int] | None:
        """(given at, valid until) of the letter that can be used now."""
        row = self._book.register.one(
            "SELECT at, until, used FROM letter WHERE person = ? ORDER BY at DESC, id LIMIT 1", person.bytes
        )
        alive = row is not None and row[2] is None and row[1] > self._book.clock()
        return (row[0], row[1]) if alive and row is not None else None

    def used(self, letter: UUID) -> Body:
        """The record that it was used."""
        return {"type": "letter_used", "id": letter, "at": self._book.clock()}

    def _mark(self, person: UUID, typed: str) -> bytes:
        return self._book.mark(f"letter {person}", crockford.read(typed))
