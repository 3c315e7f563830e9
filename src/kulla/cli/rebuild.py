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

examples:
  kulla rebuild --home var/demo --keys holders --from operators/1 --from operators/2
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
    parser.add_argument("--json", action="store_true", help="progress and report as JSON lines")


def run(args: argparse.Namespace) -> int:
    from kulla.cli import comparing, restoring
    from kulla.cli.errors import CommandError
    from kulla.cli.home import open_home

    home = open_home(args.home)
    report = restoring.Report(json_lines=args.json)
    if args.compare:
        differences = comparing.compare(home, args.keys, args.sources, args.load, report)
        print(f"{differences} differences." if differences else "No difference between tables and journal.")
        return 1 if differences else 0
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
