"""Make a demo country: real places and health facilities, invented people, three mirror operators, all keys.

The same seed makes the same people. Everything in it goes through the same actions as in real life, so it is
journaled and mirrored from the first row. An interrupted creation leaves nothing behind; an existing folder is
never overwritten. One machine is not three administrations: a demo home holds all operators and all keys, for
playing and testing only.

examples:
  kulla demo --home var/demo --people 5000
  kulla demo --home /tmp/tiny --people 60 --seed 7 --fast

exit codes:
  0  the country is there; `kulla up --home DIR` runs it
  2  not made: the folder exists, or one sentence says why
"""

import argparse
import importlib
import importlib.util
from pathlib import Path

SUMMARY = "make a country to play with"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--home", type=Path, required=True, metavar="DIR", help="the folder to make; must not exist"
    )
    parser.add_argument(
        "--people", type=int, default=5000, metavar="N", help="how many people (default 5000)"
    )
    parser.add_argument(
        "--seed", type=int, default=1912, metavar="S", help="what the people grow from (default 1912)"
    )
    parser.add_argument(
        "--fast", action="store_true", help="cheap password hashes, for tests and measurements only"
    )


def run(args: argparse.Namespace) -> int:
    from kulla.cli.errors import CommandError

    if importlib.util.find_spec("kulla.demo") is None:
        raise CommandError("This is a production build: it contains no demo.")
    if args.people < 40:
        raise CommandError("A country needs at least 40 people: --people 40 or more.")
    # Found by name: the demo lies above this room and may be absent.
    importlib.import_module("kulla.demo.country").create(
        args.home,
        people=args.people,
        seed=args.seed,
        fast=args.fast,
        say=lambda line: print(line, flush=True),
    )
    return 0
