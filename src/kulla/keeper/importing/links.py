"""A file of families: who acts for whom, in what, until when.

Columns: ward, guardian (a number, or a kind and an identifier: "passport ALB BA1234567"); relation, scopes (separated
by blanks), custody (yes or no), since, until, limits, adult (yes or no), ended (yes, or the day). A line says all of a
tie: what it leaves empty takes its usual value. What two officials have decided (a court's order) no file changes: such
a line is named and left.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from kulla.keeper.families import SCOPES, guardian_body, guardian_ended_body
from kulla.keeper.importing.files import Job, Pass
from kulla.keeper.importing.rows import BadLine, Row
from kulla.keeper.kinds import Body
from kulla.keeper.kinds.families import LONG_OVER

COLUMNS = (
    *("ward", "guardian", "relation", "scopes", "custody", "since", "until", "limits", "adult", "ended"),
)
SOURCE, OFFICIALS = "import", "officials"
# A register's key alone must not give a child to somebody from whom a court took it.
DECIDED = "Two officials decided on this tie; if a court has changed it since, two officials record that."


class FamiliesPass(Pass):
    """One file of families."""

    columns, any_of = COLUMNS, ("ward",)

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._register, self._people = job.keeper.register, job.keeper.people

    def bodies(self, row: Row) -> list[Body]:
        """The changes of one line. Raises BadLine, Refusal."""
        ward, guardian = (self._person(row, name) for name in ("ward", "guardian"))
        if self.seen.pair(guardian.bytes, ward.bytes):
            raise BadLine("The same two people stand on an earlier line.")
        before = self._register.one(
            "SELECT relation, scopes, custody, since, until, limits, adult, source FROM guardianship "
            "WHERE guardian = ? AND ward = ?",
            *(guardian.bytes, ward.bytes),
        )
        decided = before is not None and before[-1] == OFFICIALS
        if self.text(row, "ended") not in {"", "no"}:
            if decided and before is not None and before[4] != LONG_OVER:
                raise BadLine(DECIDED)
            if before is None or decided:
                self.report.families_already += 1
                return []
            self.report.ended += 1
            return [guardian_ended_body(guardian, ward, source=SOURCE)]
        body = guardian_body(
            guardian,
            ward,
            self.text(row, "relation") or "child",
            scopes=self.text(row, "scopes").split() or SCOPES,
            custody=self.yes(row, "custody", default=True),
            since=self.text(row, "since") or None,
            until=self.text(row, "until") or None,
            limits=self.text(row, "limits"),
            adult=self.yes(row, "adult", default=False),
            source=SOURCE,
        )
        if before is not None and self._same(before, body):
            self.report.families_already += 1
            return []
        if decided:
            raise BadLine(DECIDED)
        self.report.families += 1
        return [body]

    def missing(self) -> Iterator[str]:
        """Ties that an import made and that do not stand in this extract."""
        rows = self._register.rows("SELECT guardian, ward FROM guardianship WHERE source = ?", SOURCE)
        for guardian, ward in rows:
            if not self.seen.has_pair(guardian, ward):
                yield f"reference {UUID(bytes=guardian)} for {UUID(bytes=ward)}"

    def _person(self, row: Row, name: str) -> UUID:
        text = self.text(row, name)
        if not text:
            raise BadLine(f"The field {name} is empty.")
        person = self._people.by_identifier(*self.checker.named(text))
        if person is None:
            raise BadLine(f"The {name} is not in the register.")
        return person

    @staticmethod
    def _same(row: Iterable[Any], body: Body) -> bool:
        names = ("relation", "scopes", "custody", "since", "until", "limits", "adult")
        values = [body[name] for name in names]
        values[1] = ",".join(values[1])
        return list(row)[: len(names)] == values
