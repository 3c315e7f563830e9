"""Render the public pages of a home into HOME/run/pages, in every language.

`kulla up` takes them from the living portal by itself and serves them while the portal is away; this command
is for a front server that serves them at all times.

examples:
  kulla static --home var/demo

exit codes:
  0  the pages are there
  2  not rendered: one sentence says why
"""

import argparse
from pathlib import Path

SUMMARY = "render the public pages as files"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home", type=Path, required=True, metavar="DIR", help="the folder of the country")


def run(args: argparse.Namespace) -> int:
    from kulla.cli import django_home, static_pages
    from kulla.cli.home import open_home

    home = open_home(args.home)
    django_home.setup(home)
    count = static_pages.save(home.run / "pages", static_pages.rendered())
    print(f"{count} pages in {home.run / 'pages'}.")
    return 0
