"""Bring people, families, offices and officials into the keeper's register.

Files are CSV in UTF-8; their columns and the contract with a live register stand in docs/register.md. Good lines are
imported, each bad line is named by its number with what is wrong in it. The same file again changes nothing. The
keeper must not be running; the mirrors must be, since a person counts only when two key copies have the record.

The institution that keeps the register makes a key once (keygen), gives the public key to the keeper's administrator
(register_keys in keeper.json), and signs each file (sign). From then on no unsigned file is imported.

examples:
  kulla people import residents.csv --home var/demo --dry-run --report differences.csv
  kulla people import residents.csv --config /srv/kulla/keeper/keeper.json --full
  kulla people import families.csv --as families --home var/demo
  kulla people keygen registry.key
  kulla people sign residents.csv --key registry.key --full
  kulla people fetch --home var/demo                 ask the live register now
  kulla people fetch --home var/demo --public-key    the key that signs our requests to it

exit codes:
  0  every line was imported
  1  some lines were not; they are listed
  2  nothing was imported: one sentence says why
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kulla.keeper.importing import Report

SUMMARY = "import people, families, offices and officials"
KINDS = ("people", "families", "offices", "officials")
SHOWN = 100  # bad lines on the terminal; --report has all


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    importing = actions.add_parser("import", help="import a CSV file")
    importing.add_argument("file", type=Path, metavar="FILE.csv")
    _where(importing)
    _kind(importing)
    importing.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    importing.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write every difference and bad line, by number, as CSV or JSON",
    )
    importing.add_argument(
        "--unsigned",
        action="store_true",
        help="where keeper.json names no institution that signs: import all the same",
    )
    signing = actions.add_parser("sign", help="sign a file, for the institution that keeps the register")
    signing.add_argument("file", type=Path, metavar="FILE.csv")
    signing.add_argument(
        "--key", type=Path, required=True, metavar="KEY", help="the secret key, made by keygen"
    )
    _kind(signing)
    making = actions.add_parser("keygen", help="make a signing key; prints the public key")
    making.add_argument("key", type=Path, metavar="KEY")
    fetching = actions.add_parser("fetch", help="ask the live register for changes now")
    _where(fetching)
    fetching.add_argument(
        "--public-key", action="store_true", help="print the key that signs our requests, no more"
    )


def _where(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--home", type=Path, metavar="DIR", help="the home whose keeper it is")
    where.add_argument("--config", type=Path, metavar="FILE", help="the keeper's keeper.json")


def _kind(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as", dest="kind", choices=KINDS, default="people", help="what the file holds (people)"
    )
    parser.add_argument(
        "--full", action="store_true", help="a complete extract: tell who is missing in it (else a delta)"
    )


def run(args: argparse.Namespace) -> int:
    return {"import": _import, "sign": _sign, "keygen": _keygen, "fetch": _fetch}[args.action](args)


def _folder(args: argparse.Namespace) -> Path:
    from kulla.cli.home import open_home

    return open_home(args.home).keeper if args.home else Path(args.config).parent


def _import(args: argparse.Namespace) -> int:
    from kulla.cli.progress import Progress
    from kulla.keeper import admin

    if args.unsigned:
        print("UNSIGNED: nobody answers for where this file comes from.", file=sys.stderr)
    with admin.open_keeper(_folder(args)) as keeper:
        report = keeper.import_file(
            args.file,
            file=args.kind,
            full=args.full,
            dry_run=args.dry_run,
            unsigned=args.unsigned,
            report_file=args.report,
            progress=Progress("lines"),
        )
    return _tell(report, args.kind)


def _sign(args: argparse.Namespace) -> int:
    from kulla.keeper.importing import signing

    where = signing.sign_file(args.file, signing.read_key(args.key), file=args.kind, full=args.full)
    print(f"{where}: signed as {'complete' if args.full else 'delta'} file of {args.kind}.")
    return 0


def _keygen(args: argparse.Namespace) -> int:
    from kulla.keeper.importing import signing

    print(signing.make_key(args.key).hex())
    return 0


def _fetch(args: argparse.Namespace) -> int:
    from kulla.keeper import admin

    with admin.open_keeper(_folder(args)) as keeper:
        register = keeper.live_register
        if args.public_key:
            print(register.public_key.hex())
            return 0
        report = register.poll()
    return _tell(report, "people")


def _tell(report: "Report", kind: str) -> int:
    """The report on the terminal: bad lines on standard error, then the numbers."""
    for line, reason in report.bad[:SHOWN]:
        print(f"line {line}: {reason}", file=sys.stderr)
    if report.bad_lines > SHOWN:
        print(f"… and {report.bad_lines - SHOWN} more bad lines.", file=sys.stderr)
    if report.dry_run:
        print("A dry run: nothing was changed.")
    if kind == "people":
        print(
            f"{report.added} people added, {report.already} known already, {report.bad_lines} lines not imported."
        )
        print(
            f"{report.changed} changed: {report.moved} moved, {report.renamed} renamed, {report.died} died, "
            f"{report.revived} deaths taken back."
        )
    else:
        print(
            f"{report.added + report.families} {kind} added, {report.changed} changed, {report.ended} ended, "
            f"{report.already + report.families_already} known already, {report.bad_lines} lines not imported."
        )
    if kind == "people" and (report.families or report.families_already):
        print(f"{report.families} guardians added, {report.families_already} known already.")
    for name, count in report.fields.most_common():
        print(f"  {name}: {count}")
    if report.full:
        print(f"{report.missing} are in the register and not in the extract; nothing was done about them.")
    return 1 if report.bad_lines else 0
