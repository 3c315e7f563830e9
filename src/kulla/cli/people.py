"""Bring people into the keeper's register.

The file is CSV in UTF-8 with the columns number, first_name, last_name, birth_date (YYYY-MM-DD), sex (f or m),
phone, email, language (sq or en), guardian_number (for children), address. Good lines are imported, each bad
line is named by its number with what is wrong in it. The keeper must not be running; the mirrors must be, since
a person counts only when two key copies have the record.

examples:
  kulla people import residents.csv --config /srv/kulla/keeper/keeper.json
  kulla people import residents.csv --home var/demo

exit codes:
  0  every line was imported
  1  some lines were not; they are listed
  2  nothing was imported: one sentence says why
"""

import argparse
import sys
from pathlib import Path

SUMMARY = "import people into the keeper's register"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    importing = actions.add_parser("import", help="import a CSV file")
    importing.add_argument("file", type=Path, metavar="FILE.csv")
    where = importing.add_mutually_exclusive_group(required=True)
    where.add_argument("--home", type=Path, metavar="DIR", help="the home whose keeper it is")
    where.add_argument("--config", type=Path, metavar="FILE", help="the keeper's keeper.json")


def run(args: argparse.Namespace) -> int:
    from kulla.cli.home import open_home
    from kulla.cli.progress import Progress
    from kulla.keeper import admin

    folder = open_home(args.home).keeper if args.home else args.config.parent
    with admin.open_keeper(folder) as keeper:
        report = keeper.import_people(args.file, Progress("lines"))
    for line, reason in report.bad:
        print(f"line {line}: {reason}", file=sys.stderr)
    print(
        f"{report.added} people added, {report.already} known already, {len(report.bad)} lines not imported."
    )
    return 1 if report.bad else 0
