"""What an import did, in numbers; what concerns single lines by their numbers, without anything that stands in them."""

import csv
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

KEPT = 10_000  # lines that are kept in memory; a report file has all of them


@dataclass
class Report:
    """What an import did. `bad` has (line number, sentence), by line, the first 10,000; `bad_lines` counts all.

    changed: persons of whom something changed; fields: how often each field did. families: ties made or changed.
    missing: persons of the register who do not stand in a complete extract; nothing was done about them.
    """

    added: int = 0
    already: int = 0
    changed: int = 0
    moved: int = 0
    renamed: int = 0
    died: int = 0
    revived: int = 0
    families: int = 0
    families_already: int = 0
    ended: int = 0
    missing: int = 0
    bad_lines: int = 0
    notes: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    bad: list[tuple[int, str]] = field(default_factory=list)
    full: bool = False
    dry_run: bool = False
    writer: "Writer | None" = field(default=None, repr=False)

    def refuse(self, line: int, sentence: str) -> None:
        """A line that was not imported, or not whole."""
        self.bad_lines += 1
        if len(self.bad) < KEPT:
            self.bad.append((line, sentence))
        self.tell(line, "bad", sentence)

    def note(self, line: int, sentence: str) -> None:
        """Something about an imported line that a person should look at."""
        self.notes += 1
        self.tell(line, "note", sentence)

    def tell(self, line: int, what: str, detail: str = "") -> None:
        """One line of the report file."""
        if self.writer:
            self.writer.write(line, what, detail)

    @property
    def summary(self) -> dict[str, Any]:
        """The numbers."""
        names = ("added", "already", "changed", "moved", "renamed", "died", "revived", "families")
        numbers: dict[str, Any] = {
            name: getattr(self, name) for name in (*names, "families_already", "ended")
        }
        numbers |= {"missing": self.missing, "bad_lines": self.bad_lines, "notes": self.notes}
        return {**numbers, "fields": dict(self.fields), "full": self.full, "dry_run": self.dry_run}


class Writer:
    """The report file, written while the import runs: CSV, or JSON when its name ends so."""

    def __init__(self, path: Path) -> None:
        self._json = path.suffix.lower() == ".json"
        self._file: IO[str] = path.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file)
        self._first = True
        if self._json:
            self._file.write('{"lines": [')
        else:
            self._rows.writerow(("line", "what", "detail"))

    def write(self, line: int, what: str, detail: str) -> None:
        """One line; 0 stands for no line of the file."""
        if self._json:
            self._file.write("\n " if self._first else ",\n ")
            self._file.write(json.dumps({"line": line, "what": what, "detail": detail}, ensure_ascii=False))
            self._first = False
        else:
            self._rows.writerow((line or "", what, detail))

    def finish(self, report: Report) -> None:
        """Write the numbers and close."""
        if self._json:
            self._file.write(f'\n], "summary": {json.dumps(report.summary)}}}\n')
        else:
            numbers = dict(report.summary)
            fields = numbers.pop("fields")
            for name, value in (*numbers.items(), *((f"changed {key}", n) for key, n in fields.items())):
                self._rows.writerow(("", f"summary {name}", int(value)))
        self._file.close()
