"""Bring back facts from receipts that people handed in, after a loss that left no other copy.

When the portal and two mirror operators are lost together, the last facts that only those two had signed stand in
nobody's journal. A citizen's receipt proves such a fact and carries it sealed; handed in on the page /verify/hand-in it
waits here. This command opens what waits with the holders' keys (or asks the running keeper), and shows for each row
what it means beside the tables of today:

  missing   the row is not there: it is brought back
  older     the row here is older: it is changed
  same      nothing to do
  newer     somebody changed the row later: left as it is
  deleted   the row was deleted later: left as it is

Nothing is written without --bring-back. Who decided stands in the journal: the account on this machine.

examples:
  kulla receipts --home /srv/kulla                                 what waits
  kulla receipts --home /srv/kulla --bring-back ABCD-EFGH          one, by the check code on the receipt
  kulla receipts --home /srv/kulla --bring-back all
  kulla receipts --home /srv/kulla --set-aside ABCD-EFGH --reason "the time was given to somebody else; called"

exit codes:
  0  done, or nothing waits
  1  something could not be brought back; each is named, with the reason
  2  not done: one sentence says why
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kulla.record.handing_in import Item

SUMMARY = "bring back facts from receipts that were handed in"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home", type=Path, required=True, metavar="DIR", help="the folder of the country")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--bring-back", metavar="CODE", help="a check code, or all")
    what.add_argument("--set-aside", metavar="CODE", help="a check code: not brought back, with --reason")
    parser.add_argument(
        "--reason", default="", metavar="TEXT", help="why it is set aside; no names of persons"
    )
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="HOLDERS",
        help="the folder with the holders' keys; default: ask the keeper",
    )


def run(args: argparse.Namespace) -> int:
    from kulla.cli import django_home
    from kulla.cli.errors import CommandError
    from kulla.cli.home import open_home
    from kulla.cli.opening import segment_keys
    from kulla.cli.undo import account

    if args.set_aside and not args.reason.strip():
        raise CommandError("Say with --reason why it is set aside.")
    home = open_home(args.home)
    django_home.setup(home)
    from kulla.record.handing_in import set_aside, waiting

    wanted = (args.bring_back or args.set_aside or "").upper()
    found = failed = 0
    for item in waiting(segment_keys(home, args.keys, "receipts")):
        if isinstance(item, str):
            print(item)
            failed += 1
            continue
        found += 1
        if wanted not in {"", "ALL", item.check_code}:
            continue
        show(item)
        if args.set_aside:
            set_aside(item.kept, account(), args.reason.strip())
            print("  set aside.")
        elif args.bring_back:
            failed += not back(item, account())
        if wanted not in {"", "ALL"}:
            return 1 if failed else 0
    if wanted not in {"", "ALL"}:
        raise CommandError(f"No receipt with the check code {wanted} waits here.")
    if not found and not failed:
        print("No receipt waits.")
    return 1 if failed else 0


def show(item: "Item") -> None:
    """What one item is, and what each of its rows means here."""
    from datetime import UTC, datetime

    at = datetime.fromtimestamp(item.payload.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    print(
        f"{item.check_code}  {item.payload.kind}, recorded {at}, entry {item.kept.index} of the lost journal"
    )
    for image, verdict in item.rows:
        print(f"  {verdict:8} {image.table} {image.key}, revision {image.rev}")


def back(item: "Item", by: str) -> bool:
    """Bring one item back; whether it is."""
    from django.db import IntegrityError

    from kulla.record.errors import RecordError
    from kulla.record.handing_in import bring_back

    try:
        rows = bring_back(item, by)
    except IntegrityError as error:
        print(
            f"  not brought back: its place is taken ({str(error).splitlines()[0]}). An office must decide."
        )
        return False
    except RecordError as error:
        print(f"  not brought back: {error}")
        return False
    done = sum(verdict in {"missing", "older"} for _, verdict in rows)
    print(f"  brought back: {done} of {len(rows)} rows.")
    return True
