"""Bring the database to this version: tables, triggers, the rights of the portal's role, the texts of notices.

On PostgreSQL it connects as the owner (KULLA_DATABASE_OWNER_URL); the portal itself owns no table. Safe to run
while the portal of the version before still works.

examples:
  kulla migrate --home var/demo
  KULLA_DATABASE_OWNER_URL=postgresql://owner@/kulla kulla migrate --home /srv/kulla

exit codes:
  0  the database is at this version
  2  it is not: one sentence says why
"""

import argparse
from pathlib import Path

SUMMARY = "bring the database to this version"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home", type=Path, required=True, metavar="DIR", help="the folder of the country")


def run(args: argparse.Namespace) -> int:
    from kulla.cli import django_home
    from kulla.cli.home import open_home

    django_home.migrate(open_home(args.home))
    print("The database is at this version.")
    return 0
