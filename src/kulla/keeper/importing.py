"""Bringing people into the register from lines of text: good lines go in, bad ones are named by number and reason.

No sentence repeats what stands in a line: the report may be printed and logged.
"""

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from kulla.keeper import numbers
from kulla.keeper.committer import Committer
from kulla.keeper.errors import KeeperError, Refusal
from kulla.keeper.people import NUMBER, People
from kulla.keeper.register import Register

COLUMNS = ("number", "first_name", "last_name", "birth_date", "sex", "phone", "email", "language")
OPTIONAL = ("guardian_number", "address")
BATCH = 400  # persons a commit; each is three records
MAX_LINE = 4000
_PHONE = re.compile(r"\+?[0-9][0-9 ()/-]{4,24}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s.]{2,24}")

Row = Mapping[str, Any]
Progress = Callable[[int, int], None]


class BadLine(ValueError):
    """Why a line was not imported."""


@dataclass
class Report:
    """What an import did. `bad` has (line number, sentence), by line."""

    added: int = 0
    already: int = 0
    families: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)


def read_csv(path: Path) -> Iterator[tuple[int, Row | BadLine]]:
    """(line number, row or what is wrong) of a CSV file in UTF-8, whose first line names the columns.

    Raises KeeperError when the file cannot be read or lacks columns.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise KeeperError("The file with people cannot be read.") from error
    lines = raw.removeprefix(b"\xef\xbb\xbf").splitlines()
    head = _cells(lines[0]) if lines else []
    names = [] if isinstance(head, BadLine) else [name.strip() for name in head]
    if missing := [name for name in COLUMNS if name not in names]:
        raise KeeperError(f"The first line must name the columns; missing: {', '.join(missing)}.")
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        cells = _cells(line)
        if isinstance(cells, BadLine):
            yield number, cells
        elif len(cells) != len(names):
            yield number, BadLine(f"The line has {len(cells)} fields, the first line names {len(names)}.")
        else:
            yield number, dict(zip(names, cells, strict=True))


def _cells(line: bytes) -> list[str] | BadLine:
    """One line is one person: a line break inside quotes is not supported, so that one bad quote spoils one line."""
    if len(line) > MAX_LINE:
        return BadLine("The line is longer than 4,000 bytes.")
    try:
        return next(csv.reader([line.decode("utf-8")], strict=True), [])
    except UnicodeDecodeError:
        return BadLine("The line is not UTF-8.")
    except csv.Error:
        return BadLine("The line's quotes do not match.")


class Importer:
    """Imports into one register."""

    def __init__(
        self, register: Register, people: People, committer: Committer, scheme: numbers.Scheme
    ) -> None:
        self._register, self._people, self._committer, self._scheme = register, people, committer, scheme

    def run(self, rows: Iterable[tuple[int, Row | BadLine]], progress: Progress | None = None) -> Report:
        """(1) people in batches, (2) families, once everyone is there. Raises Refusal("copies_unavailable")."""
        report = Report()
        rows = list(rows)
        seen: set[str] = set()
        families: list[tuple[int, str, str]] = []
        batch: list[tuple[bytes, dict[str, Any]]] = []
        for done, (line, row) in enumerate(rows, 1):
            try:
                profile, guardian = self._check(row)
                number = profile["number"]
                if number in seen:
                    raise BadLine("The same number stands on an earlier line.")
                seen.add(number)
                if guardian:
                    families.append((line, number, guardian))
                if self._people.by_identifier(NUMBER, number):
                    report.already += 1
                    continue
                batch += self._people.new(profile, [(NUMBER, number)])[1]
                report.added += 1
            except BadLine as error:
                report.bad.append((line, str(error)))
            finally:
                if len(batch) >= 3 * BATCH or (done == len(rows) and batch):
                    self._commit(batch)
                    batch = []
                if progress and (done % BATCH == 0 or done == len(rows)):
                    progress(done, len(rows))
        self._families(families, report)
        report.bad.sort()
        return report

    def _families(self, families: list[tuple[int, str, str]], report: Report) -> None:
        batch: list[tuple[bytes, dict[str, Any]]] = []
        for line, number, guardian_number in families:
            ward = self._people.by_identifier(NUMBER, number)
            guardian = self._people.by_identifier(NUMBER, guardian_number)
            if ward is None or guardian is None:
                report.bad.append(
                    (line, "The guardian is not in the register; the person was imported without.")
                )
                continue
            batch.append((ward.bytes, guardian_body(guardian, ward)))
            report.families += 1
        for start in range(0, len(batch), BATCH):
            self._commit(batch[start : start + BATCH])

    def _commit(self, batch: list[tuple[bytes, dict[str, Any]]]) -> None:
        self._committer.commit(*(body for _, body in batch), ids=[record_id for record_id, _ in batch])

    def _check(self, row: Row | BadLine) -> tuple[dict[str, Any], str]:
        """(profile, guardian's number or "") of a good line. Raises BadLine."""
        if isinstance(row, BadLine):
            raise row
        values = {name: _clean(name, row.get(name)) for name in (*COLUMNS, *OPTIONAL)}
        try:
            number = self._people.normalise(NUMBER, values["number"])
            guardian = values.pop("guardian_number")
            guardian = self._people.normalise(NUMBER, guardian) if guardian else ""
        except Refusal as error:
            raise BadLine(str(error)) from error
        try:
            born = date.fromisoformat(values["birth_date"])
        except ValueError as error:
            raise BadLine("The birth date is not a date as YYYY-MM-DD.") from error
        if born != self._scheme.birth_date(number) or values["sex"] != self._scheme.sex(number):
            raise BadLine("Birth date or sex do not agree with the number.")
        if not values["first_name"] or not values["last_name"]:
            raise BadLine("A name is missing.")
        if values["phone"] and not _PHONE.fullmatch(values["phone"]):
            raise BadLine("The telephone number does not have the form of one.")
        if values["email"] and not _EMAIL.fullmatch(values["email"]):
            raise BadLine("The e-mail address does not have the form of one.")
        values["language"] = values["language"] or "sq"
        if values["language"] not in {"sq", "en"}:
            raise BadLine("The language is neither sq nor en.")
        if guardian == number:
            raise BadLine("Nobody is their own guardian.")
        return {**values, "number": number, "birth_date": born.isoformat()}, guardian


def _clean(name: str, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadLine(f"The field {name} is not text.")
    text = unicodedata.normalize("NFC", value).strip()
    if len(text) > 200 or not text.isprintable():
        raise BadLine(f"The field {name} is too long or has control characters.")
    return text


def guardian_body(guardian: UUID, ward: UUID, relation: str = "child") -> dict[str, Any]:
    """The record body that makes someone a guardian."""
    return {"type": "guardian", "guardian": guardian, "ward": ward, "relation": relation}
