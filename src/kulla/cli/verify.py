"""Check a citizen's receipt against the policy, without any network and without trusting the portal.

The receipt is the text file from the receipt page; the policy says whose signatures count and is published by
every mirror operator. Needs nothing but this program: no database, no keys, no portal.

examples:
  kulla verify receipt.txt --policy policy
  kulla verify - --policy policy < receipt.txt

exit codes:
  0  the receipt holds; what it says is printed
  1  it does not hold; one sentence says which step failed and why
  2  not checked: a file is missing or cannot be read
"""

import argparse
import sys
from pathlib import Path

SUMMARY = "check a receipt, offline"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("receipt", metavar="RECEIPT", help="the receipt's text file; - reads standard input")
    parser.add_argument(
        "--policy", type=Path, required=True, metavar="FILE", help="the policy that it must satisfy"
    )


def read(source: str) -> str:
    """The text of a receipt file. Raises CommandError when it is no text."""
    from kulla.cli.errors import CommandError

    data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise CommandError(f"{source} is not a receipt: it is not UTF-8 text.") from None


def run(args: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from kulla.journal.verify import ReceiptInvalid, verify_receipt

    policy = read(str(args.policy))
    try:
        verified = verify_receipt(read(args.receipt), policy)
    except ReceiptInvalid as error:
        print(f"This receipt does not hold. {error}", file=sys.stderr)
        return 1
    print(
        f"This receipt holds: entry {verified.index} of {verified.origin}, check code {verified.check_code}."
    )
    for name, value in verified.claims:
        print(f"  {name}: {value}")
    for name, seconds in verified.witnesses:
        at = datetime.fromtimestamp(seconds, UTC)
        print(f"  signed by {name} at {at:%Y-%m-%d %H:%M:%S} UTC")
    return 0
