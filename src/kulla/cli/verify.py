"""Check a citizen's receipt against the policy, without any network and without trusting the portal.

The receipt is the text file or the PDF from the receipt page; the policy says whose signatures count and is
published by every mirror operator. Needs nothing but this program: no database, no keys, no portal.
With --log, a copy of the journal's folder or of a mirror's, also that the journal still continues the receipt.

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
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, TypeVar

STDIN_MAX = 16 << 20  # bytes; twice the largest receipt that is read
SUMMARY = "check a receipt, offline"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "receipt", metavar="RECEIPT", help="the receipt: its text file or its PDF; - reads standard input"
    )
    parser.add_argument(
        "--policy", type=Path, required=True, metavar="FILE", help="the policy that it must satisfy"
    )
    parser.add_argument("--log", type=Path, metavar="DIR", help="a copy of the log that must continue it")


T = TypeVar("T")


def read(source: str, how: Callable[[BinaryIO, str], T]) -> T:
    """A receipt or policy, read by `how`. Raises CommandError with a sentence when it cannot be had."""
    from kulla.cli.errors import CommandError
    from kulla.journal.errors import FormatError

    try:
        if source == "-":
            return how(BytesIO(sys.stdin.buffer.read(STDIN_MAX)), "What came on standard input")
        with Path(source).open("rb") as file:
            return how(file, source)
    except OSError as error:
        raise CommandError(f"{source} cannot be read: {error.strerror}.") from None
    except FormatError as error:
        raise CommandError(str(error)) from None


def run(args: argparse.Namespace) -> int:
    from kulla.journal.verify import (
        ReceiptInvalid,
        folder,
        in_words,
        read_file,
        read_policy,
        refusal_in_words,
        verify_against,
        verify_receipt,
    )

    policy = read(str(args.policy), read_policy)
    try:
        verified = verify_receipt(read(args.receipt, read_file), policy)
        newest = verify_against(verified, policy, folder(args.log)) if args.log else None
    except ReceiptInvalid as error:
        print(refusal_in_words(error), file=sys.stderr)
        return 1
    print(in_words(verified, newest))
    return 0
