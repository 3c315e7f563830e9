"""What accounts hold about a person, for the person's own download: channels, letters, frozen times, recoveries."""

from typing import Any
from uuid import UUID

from kulla.keeper.accounts.book import Book
from kulla.keeper.delivery.delivery import ALL

Rows = list[dict[str, Any]]


class Held:
    """Two sections of "my data"."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def contacts(self, person: UUID) -> Rows:
        """The addresses that count, and those that wait."""
        now, found = self._book.clock(), self._book.contacts(person)
        rows: Rows = [{"channel": each, "value": found.of(each)} for each in ALL if found.of(each)]
        for change in self._book.changes(person):
            if change.due > now and not change.cancelled:
                due = self._book.local_day(change.due)
                rows.append({"channel": change.channel, "value": change.value, "pending": True, "due": due})
        return rows

    def cases(self, person: UUID) -> Rows:
        """Letters that were given, times when the account was frozen, recoveries that waited; newest first."""
        book = self._book
        letters = book.register.rows(
            "SELECT at, office, until, used, sealed FROM letter WHERE person = ?", person.bytes
        )
        rows: Rows = [
            {
                "kind": "letter",
                "at_ms": at,
                "office": book.keeper.office_name(UUID(bytes=office)) if office else "",
                "document": str(book.vault.open_own(person, "letter", sealed)["document"]),
                "until_ms": until,
                "state": "used" if used is not None else "unused",
            }
            for at, office, until, used, sealed in letters
        ]
        cases = book.register.rows("SELECT at, closed FROM account_case WHERE person = ?", person.bytes)
        rows += [
            {"kind": "frozen", "at_ms": at, "state": "open" if closed is None else "closed"}
            for at, closed in cases
        ]
        waits = book.register.rows("SELECT lost, at, ended FROM recovery_wait WHERE person = ?", person.bytes)
        rows += [
            {"kind": f"recovery_{lost}", "at_ms": at, "state": "open" if ended is None else "closed"}
            for lost, at, ended in waits
        ]
        return sorted(rows, key=lambda row: -int(row["at_ms"]))
