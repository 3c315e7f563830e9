"""Bring a lost portal and keeper back from the mirrors and the holders' keys.

Give every mirror operator's folder that is left. The keeper comes first, from the key copies under the
operators; then the portal's keys, which are keeper records; then every row of every table, from the journal.
With two operators nothing that was ever called received is missing; with one, the report states the possible
gap. A home that is not empty is refused unless --replace is given, which moves what is left to HOME/replaced;
a running one is refused always.

With --compare nothing is written: the tables of a living home are compared with what the journal says they must
be, the keeper's records and register with the key copies, and every difference is named with the entry or record
that says otherwise. The country goes on meanwhile; --load bounds how much of one core is used. A run that was
broken off goes on where it stood. It asks the running keeper for the segments' keys, or takes --keys.

With --until and --into the tables as they stood at a past point are brought back into another, new home, to look
into: the journal up to its end, tables up to there, no keys and no keeper. It takes no writes, has no sequencer, and
`kulla up` refuses it; `kulla portal` shows its public pages, and any tool may read its database. On PostgreSQL,
KULLA_DATABASE_URL names an empty database of its own.

examples:
  kulla rebuild --home var/demo --keys holders --from operators/1 --from operators/2
  kulla rebuild --home var/demo --keys holders --from operators/1 --until 2026-07-15T06:00 --into /srv/before
  kulla rebuild --home var/demo --compare
  kulla rebuild --home /srv/kulla --compare --load 0.25 --keys holders

exit codes:
  0  rebuilt, or no difference
  1  --compare found differences; each is one line
  2  not rebuilt: one sentence says why
"""

import argparse
from pathlib import Path

SUMMARY = "bring everything back from the mirrors, or compare with them"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--home", type=Path, required=True, metavar="DIR", help="the home to rebuild or compare"
    )
    parser.add_argument("--keys", type=Path, metavar="HOLDERS", help="the folder with the holders' keys")
    parser.add_argument(
        "--from",
        dest="sources",
        type=Path,
        action="append",
        default=[],
        metavar="MIRROR",
        help="a mirror operator's folder; repeat for each that is left",
    )
    parser.add_argument("--compare", action="store_true", help="write nothing, name differences")
    parser.add_argument(
        "--load",
        type=float,
        default=1.0,
        metavar="PART",
        help="--compare: the part of one core to use (default 1)",
    )
    parser.add_argument(
        "--replace", action="store_true", help="move what is left of portal and keeper aside first"
    )
    parser.add_argument(
        "--pass-over",
        action="store_true",
        help="leave out rows of tables that this Kulla does not know; each is named (a newer Kulla may know them)",
    )
    parser.add_argument(
        "--until", metavar="POINT", help="a time (UTC) or a number of entries; needs --into: for forensics"
    )
    parser.add_argument(
        "--into", type=Path, metavar="DIR", help="the new home of what is restored until then"
    )
    parser.add_argument("--json", action="store_true", help="progress and report as JSON lines")


def run(args: argparse.Namespace) -> int:
    from kulla.cli import comparing, past, restoring
    from kulla.cli.errors import CommandError
    from kulla.cli.home import open_home

    home = open_home(args.home)
    report = restoring.Report(json_lines=args.json)
    if args.compare:
        differences = comparing.compare(home, args.keys, args.sources, args.load, report)
        print(f"{differences} differences." if differences else "No difference between tables and journal.")
        return 1 if differences else 0
    if (args.until is None) != (args.into is None):
        raise CommandError("--until POINT and --into DIR belong together.")
    if args.until is not None:
        if args.keys is None:
            raise CommandError("Restoring the past needs --keys HOLDERS.")
        past.restore(home, args.keys, args.sources or home.operators, args.until, args.into, report)
        return 0
    if not args.sources or args.keys is None:
        raise CommandError("A rebuild needs --keys HOLDERS and at least one --from MIRROR.")
    restoring.rebuild(
        home,
        holders=args.keys,
        sources=args.sources,
        replace=args.replace,
        report=report,
        pass_over=args.pass_over,
    )
    return 0
