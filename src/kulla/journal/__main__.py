"""`python -m kulla.journal verify RECEIPT --policy FILE`: the verifier alone, on any machine with `cryptography`.

`python -m kulla.journal page > verify.html`: the page that does the same in a browser.
"""

import argparse
import sys
from pathlib import Path

from .errors import FormatError
from .page import verifier_page
from .verify import (
    ReceiptInvalid,
    folder,
    in_words,
    read_file,
    read_policy,
    refusal_in_words,
    verify_against,
    verify_receipt,
)


def main(argv: list[str] | None = None) -> int:
    """Exit code 0: the receipt holds. 1: it does not, and one sentence says why. 2: not checked."""
    parser = argparse.ArgumentParser(
        prog="python -m kulla.journal", description="Verify a receipt of Kulla offline."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="verify a receipt against a trust policy")
    verify.add_argument("receipt", type=Path, help="the receipt: its text file or its PDF")
    verify.add_argument("--policy", type=Path, required=True, help="the trust policy (C2SP tlog-policy)")
    verify.add_argument(
        "--log", type=Path, help="a copy of the log, such as a mirror's folder, that must continue it"
    )
    commands.add_parser("page", help="write the page that verifies in a browser to standard output")
    arguments = parser.parse_args(argv)
    if arguments.command == "page":
        sys.stdout.buffer.write(verifier_page())
        return 0
    try:
        with arguments.receipt.open("rb") as receipt, arguments.policy.open("rb") as policy:
            text, trusted = (
                read_file(receipt, str(arguments.receipt)),
                read_policy(policy, str(arguments.policy)),
            )
    except OSError as e:
        sys.stderr.write(f"{e.filename} cannot be read: {e.strerror}.\n")
        return 2
    except FormatError as e:
        sys.stderr.write(f"{e}\n")
        return 2
    try:
        verified = verify_receipt(text, trusted)
        newest = verify_against(verified, trusted, folder(arguments.log)) if arguments.log else None
    except ReceiptInvalid as e:
        sys.stderr.write(f"{refusal_in_words(e)}\n")
        return 1
    sys.stdout.write(f"{in_words(verified, newest)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
