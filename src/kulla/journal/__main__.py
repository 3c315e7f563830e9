"""`python -m kulla.journal verify RECEIPT --policy FILE`: the verifier alone, on any machine with `cryptography`."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from .verify import ReceiptInvalid, verify_receipt


def main(argv: list[str] | None = None) -> int:
    """Exit code 0: the receipt holds. 1: it does not, and one sentence says why. 2: wrong use."""
    parser = argparse.ArgumentParser(
        prog="python -m kulla.journal", description="Verify a receipt of Kulla offline."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="verify a receipt against a trust policy")
    verify.add_argument("receipt", type=Path, help="the receipt's text file")
    verify.add_argument("--policy", type=Path, required=True, help="the trust policy (C2SP tlog-policy)")
    arguments = parser.parse_args(argv)
    try:
        text, policy = arguments.receipt.read_bytes().decode("utf-8"), arguments.policy.read_bytes()
    except (OSError, UnicodeDecodeError) as e:
        sys.stderr.write(f"The file cannot be read: {e}\n")
        return 1
    try:
        verified = verify_receipt(text, policy)
    except ReceiptInvalid as e:
        sys.stderr.write(f"This receipt does not hold (step {e.step}). {e.sentence}\n")
        return 1
    sys.stdout.write(
        f"This receipt holds: entry {verified.index} of {verified.origin}, {verified.check_code}.\n"
    )
    for name, value in verified.claims:
        sys.stdout.write(f"  {name}: {value}\n")
    for name, seconds in verified.witnesses:
        sys.stdout.write(
            f"  signed by {name} at {datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
