"""Importing one file: whether it may be imported at all, its lines one by one, the report.

A file counts by its signature, by the institutions that keeper.json names (register_keys). Where it names none, files
of people and families go in unsigned: in a demo, or when the administrator says so.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from kulla.keeper.errors import KeeperError, Refusal
from kulla.keeper.importing.people import PATIENCE_S, Importer
from kulla.keeper.importing.reading import Source, open_source
from kulla.keeper.importing.report import Report, Writer
from kulla.keeper.importing.rows import COLUMNS, IDENTIFIERS, BadLine, Checker, Progress, Row
from kulla.keeper.importing.seen import Seen
from kulla.keeper.importing.signing import FAMILIES, OFFICES, OFFICIALS, PEOPLE, NotSigned, Signed, check
from kulla.keeper.kinds import Body

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper

UNSIGNED = (PEOPLE, FAMILIES)  # what may go in without a signature where no institution is named
GROUP = 500


@dataclass
class Job:
    """One file to import and how."""

    keeper: "Keeper"
    path: Path
    file: str = PEOPLE
    full: bool = False
    dry_run: bool = False
    unsigned: bool = False
    report_file: Path | None = None
    progress: Progress | None = None
    report: Report = field(default_factory=Report)


def run(job: Job) -> Report:
    """(1) open and take the digest, (2) the signature and its age, (3) the lines, (4) note that it was imported.

    Raises NotSigned, KeeperError for a file that is refused whole, Refusal("copies_unavailable").
    """
    with open_source(job.path) as source:
        signed = admit(job, source)
        job.report.full, job.report.dry_run = job.full, job.dry_run
        job.report.writer = Writer(job.report_file) if job.report_file else None
        try:
            _lines(job, source)
        finally:
            if job.report.writer:
                job.report.writer.finish(job.report)
        if signed and not job.dry_run:
            _note(job, source, signed)
    return job.report


def admit(job: Job, source: Source) -> Signed | None:
    """Who signed the file, None for one that may go in unsigned. Raises NotSigned."""
    config = job.keeper.config
    if not config.register_keys:
        if job.file not in UNSIGNED and not config.demo:
            raise NotSigned(
                f"Files of {job.file} must be signed: name an institution in keeper.json (register_keys)."
            )
        if not config.demo and not job.unsigned:
            raise NotSigned(
                "keeper.json names no institution that signs (register_keys): say --unsigned to import all the same."
            )
        return None
    signed = check(job.path, source, config.register_keys, file=job.file, full=job.full)
    row = job.keeper.register.one(
        "SELECT made, digest FROM import_done WHERE signer = ? AND file = ?", signed.signer, job.file
    )
    if row is not None and signed.made < row[0] and source.digest != row[1]:
        raise NotSigned(
            "A file that was made later was imported already: an older one would bring back what changed."
        )
    return signed


def _note(job: Job, source: Source, signed: Signed) -> None:
    keeper = job.keeper
    body = {"type": "import_done", "signer": signed.signer, "file": job.file, "made": signed.made}
    body |= {"digest": source.digest, "at": keeper.clock(), "full": job.full}
    keeper.committer.commit({**body, "summary": job.report.summary})


def _lines(job: Job, source: Source) -> None:
    keeper = job.keeper
    if job.file == PEOPLE:
        importer = Importer(keeper.register, keeper.people, keeper.committer, keeper.scheme)
        importer.run(
            source.rows(COLUMNS, IDENTIFIERS),
            job.progress,
            total=source.rows_expected,
            full=job.full,
            dry_run=job.dry_run,
            report=job.report,
        )
        return
    from kulla.keeper.importing.links import FamiliesPass  # noqa: PLC0415 - these import Pass from here
    from kulla.keeper.importing.offices import OfficesPass, OfficialsPass  # noqa: PLC0415

    kinds = {FAMILIES: FamiliesPass, OFFICES: OfficesPass, OFFICIALS: OfficialsPass}
    kinds[job.file](job).run(source)


class Pass:
    """One file of lines, each of which gives some changes. Kinds of files say which."""

    columns: ClassVar[Sequence[str]] = ()
    any_of: ClassVar[Sequence[str]] = ()

    def __init__(self, job: Job) -> None:
        self.job, self.report = job, job.report
        people = job.keeper.people
        self.checker = Checker(people.kinds, job.keeper.scheme, people.today())
        self.seen: Seen

    def bodies(self, row: Row) -> list[Body]:
        """The changes of one line. Raises BadLine, Refusal."""
        raise NotImplementedError

    def missing(self) -> Iterator[str]:
        """What the register has and a complete extract lacks."""
        return iter(())

    def run(self, source: Source) -> None:
        """All lines of a file."""
        self.take(source.rows(self.columns, self.any_of), source.rows_expected)

    def take(self, lines: Iterable[tuple[int, Row | BadLine]], total: int) -> None:
        """All lines, in groups that share a round."""
        job, done, rows = self.job, 0, iter(lines)
        with Seen(job.keeper.register.path.parent) as self.seen:
            while group := list(islice(rows, GROUP)):
                bodies: list[Body] = []
                for line, row in group:
                    bodies += self._one(line, row)
                if bodies and not job.dry_run:
                    committer = job.keeper.committer
                    committer.wait(committer.submit(*bodies, patience_s=PATIENCE_S), PATIENCE_S)
                done += len(group)
                if job.progress:
                    job.progress(min(done, total), total)
            if job.full:
                for detail in self.missing():
                    self.report.missing += 1
                    self.report.tell(0, "not in the extract", detail)

    def _one(self, line: int, row: Row | BadLine) -> list[Body]:
        try:
            if isinstance(row, BadLine):
                raise row
            for name, value in row.items():
                if len(value) > 400 or not value.isprintable():
                    raise BadLine(f"The field {name} is too long or has control characters.")
            return self.bodies(row)
        except (BadLine, Refusal) as error:
            self.report.refuse(line, str(error))
            return []

    @staticmethod
    def text(row: Row, name: str) -> str:
        """A field without blanks around it; empty when the file does not have it."""
        return str(row.get(name) or "").strip()

    def yes(self, row: Row, name: str, *, default: bool) -> bool:
        """A field that says yes or no. Raises BadLine."""
        text = self.text(row, name).lower()
        if text not in {"", "yes", "no"}:
            raise BadLine(f"The field {name} is neither yes nor no.")
        return default if not text else text == "yes"


__all__ = ["Job", "KeeperError", "Pass", "admit", "run"]
