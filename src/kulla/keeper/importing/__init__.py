"""Bringing people, families, offices and officials into the register from files, or from a live register.

    reading    lines of a CSV file, one at a time, whatever its size
    rows       what one line says, checked
    batches    the people of many lines: who is new, who changed, what is refused
    people     a whole file of people, in a pipeline; what is missing in a complete extract
    families, offices, officials   the other files
    seen       what has stood in this file already, on disk
    report     what an import did
    signing    whose file it is, and that it is not an older one
    live       a register that answers over HTTP; standin is one for tests

Good lines go in, bad ones are named by number and reason. No sentence repeats what stands in a line: the report may be
printed and logged.
"""

from kulla.keeper.families import guardian_body
from kulla.keeper.importing.people import Importer
from kulla.keeper.importing.reading import Source, open_source
from kulla.keeper.importing.report import Report
from kulla.keeper.importing.rows import COLUMNS, BadLine, Progress, Row

__all__ = [
    "COLUMNS",
    "BadLine",
    "Importer",
    "Progress",
    "Report",
    "Row",
    "Source",
    "guardian_body",
    "open_source",
]
