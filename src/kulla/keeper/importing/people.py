"""A whole file of people: batches in a pipeline, then the families, then what is missing in a complete extract."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from itertools import islice
from uuid import UUID

from kulla.keeper import numbers
from kulla.keeper.committer import Committer
from kulla.keeper.families import guardian_body
from kulla.keeper.importing.batches import Batches, Work
from kulla.keeper.importing.report import Report
from kulla.keeper.importing.rows import BadLine, Progress, Row
from kulla.keeper.importing.seen import Seen
from kulla.keeper.kinds import Body
from kulla.keeper.people import People
from kulla.keeper.register import Register

BATCH = 1000  # lines that share a question, a commit and a round to the copies
AHEAD = 2  # batches that may wait for the copies while the next is prepared
PATIENCE_S = 30.0  # for a round of so many records on a busy machine
SOURCE = "import"
MISSING_TOLD = 100_000  # of a report's lines


class Importer:
    """Imports people into one register. Memory does not grow with the number of lines."""

    def __init__(
        self, register: Register, people: People, committer: Committer, scheme: numbers.Scheme
    ) -> None:
        self._register, self._people, self._committer, self._scheme = register, people, committer, scheme

    def run(
        self,
        rows: Iterable[tuple[int, Row | BadLine]],
        progress: Progress | None = None,
        *,
        total: int | None = None,
        full: bool = False,
        dry_run: bool = False,
        report: Report | None = None,
        source: str = SOURCE,
        batch: int = BATCH,
        again: list[int] | None = None,
    ) -> Report:
        """(1) people in batches, (2) families, once everyone is there, (3) who is missing, if the file is complete.

        `total`: how many lines there are, for `progress`. A dry run does all but write. `again`: see Batches. Raises
        Refusal("copies_unavailable"): what was imported until then stands, and the same file may be imported again.
        """
        report = report or Report()
        report.full, report.dry_run = full, dry_run
        if total is None:
            rows = list(rows)
            total = len(rows)
        if not dry_run:
            self._committer.settle()  # someone whom a broken-off import sent may count only now
        with Seen(self._register.path.parent) as seen, ExitStack() as held:
            if dry_run is False and source != SOURCE:
                held.enter_context(self._people.updating)  # a keeper that runs has other writers
            batches = Batches(
                self._people, self._scheme, report, seen, source=source, dry_run=dry_run, again=again
            )
            self._people_in(iter(rows), batches, progress, total, dry_run=dry_run, size=batch)
            self._families(seen, report, dry_run=dry_run)
            if full:
                self._missing(seen, report)
        report.bad.sort()
        return report

    def _people_in(
        self,
        rows: Iterator[tuple[int, Row | BadLine]],
        batches: Batches,
        progress: Progress | None,
        total: int,
        *,
        dry_run: bool,
        size: int,
    ) -> None:
        sent: deque[tuple[Work, Future[None]]] = deque()
        done = 0

        def settle(left: int) -> None:
            while len(sent) > left:
                work, future = sent.popleft()
                self._committer.wait(future, PATIENCE_S)
                batches.counted(work)

        while lines := list(islice(rows, size)):
            work = batches.take(lines)
            if work.records and not dry_run:
                sent.append((work, self._send(work.records)))
                settle(AHEAD - 1)
            elif dry_run:
                batches.counted(work)
            done += len(lines)
            if progress:
                progress(min(done, total), total)
        settle(0)
        if progress and done < total:
            progress(total, total)

    def _send(self, records: list[tuple[bytes, Body]]) -> "Future[None]":
        ids = [record_id or os.urandom(16) for record_id, _ in records]
        return self._committer.submit(*(body for _, body in records), ids=ids, patience_s=PATIENCE_S)

    def _families(self, seen: Seen, report: Report, *, dry_run: bool) -> None:
        """The guardians whom people's lines name. A tie that stands, of whatever form, is left as it is."""
        later = seen.later()
        while group := list(islice(later, BATCH)):
            marks = [mark for _, _, mark in group]
            holders = self._people.holders(marks) | (seen.fresh(marks) if dry_run else {})
            bodies: list[tuple[bytes, Body]] = []
            for line, ward, mark in group:
                guardian = holders.get(mark)
                if guardian is None:
                    report.refuse(
                        line, "The guardian is not in the register; the person was imported without."
                    )
                elif guardian == ward:
                    report.refuse(line, "Nobody is their own guardian.")
                elif seen.pair(guardian, ward) or self._tied(guardian, ward):
                    report.families_already += 1
                else:
                    body = guardian_body(UUID(bytes=guardian), UUID(bytes=ward), source=SOURCE)
                    bodies.append((ward, body))
                    report.families += 1
            if bodies and not dry_run:
                self._committer.wait(self._send(bodies), PATIENCE_S)

    def _tied(self, guardian: bytes, ward: bytes) -> bool:
        row = self._register.one("SELECT 1 FROM guardianship WHERE guardian = ? AND ward = ?", guardian, ward)
        return row is not None

    def _missing(self, seen: Seen, report: Report) -> None:
        """Told, never deleted: an extract may lack people for many reasons."""
        for person in seen.missing(self._register.path):
            report.missing += 1
            if report.missing <= MISSING_TOLD:
                report.tell(0, "not in the extract", f"reference {UUID(bytes=person)}")
