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
    """The text of a receipt or policy. Raises CommandError with a sentence when it cannot be had."""
    from kulla.cli.errors import CommandError
    from kulla.journal.errors import FormatError
    from kulla.journal.verify import read_file

    try:
        if source == "-":
            return read_file(sys.stdin.buffer, "What came on standard input")
        with Path(source).open("rb") as file:
            return read_file(file, source)
    except OSError as error:
        raise CommandError(f"{source} cannot be read: {error.strerror}.") from None
    except FormatError as error:
        raise CommandError(str(error)) from None


def run(args: argparse.Namespace) -> int:
    from kulla.journal.verify import ReceiptInvalid, in_words, verify_receipt

    policy = read(str(args.policy))
    try:
        verified = verify_receipt(read(args.receipt), policy)
    except ReceiptInvalid as error:
        print(f"This receipt does not hold. {error}", file=sys.stderr)
        return 1
    print(in_words(verified))
    return 0
