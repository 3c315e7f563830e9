"""`python -m kulla.journal verify RECEIPT --policy FILE`: the verifier alone, on any machine with `cryptography`."""

import argparse
import sys
from pathlib import Path

from .errors import FormatError
from .verify import ReceiptInvalid, in_words, read_file, verify_receipt


def main(argv: list[str] | None = None) -> int:
    """Exit code 0: the receipt holds. 1: it does not, and one sentence says why. 2: not checked."""
    parser = argparse.ArgumentParser(
        prog="python -m kulla.journal", description="Verify a receipt of Kulla offline."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="verify a receipt against a trust policy")
    verify.add_argument("receipt", type=Path, help="the receipt's text file")
    verify.add_argument("--policy", type=Path, required=True, help="the trust policy (C2SP tlog-policy)")
    arguments = parser.parse_args(argv)
    try:
        with arguments.receipt.open("rb") as receipt, arguments.policy.open("rb") as policy:
            text, trusted = (
                read_file(receipt, str(arguments.receipt)),
                read_file(policy, str(arguments.policy)),
            )
    except OSError as e:
        sys.stderr.write(f"{e.filename} cannot be read: {e.strerror}.\n")
        return 2
    except FormatError as e:
        sys.stderr.write(f"{e}\n")
        return 2
    try:
        verified = verify_receipt(text, trusted)
    except ReceiptInvalid as e:
        sys.stderr.write(f"This receipt does not hold (step {e.step}). {e.sentence}\n")
        return 1
    sys.stdout.write(f"{in_words(verified)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
