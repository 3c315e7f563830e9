"""`python -m kulla.mirror --config operator.json`. Exit 0 after a clean stop, 2 if it cannot run."""

import argparse
import sys
from pathlib import Path

from kulla.mirror.server import CannotStart, abandon_pending, configure_log, serve


def main(argv: list[str] | None = None) -> int:
    """Run one mirror, or set a pending checkpoint aside."""
    parser = argparse.ArgumentParser(prog="python -m kulla.mirror", description="Run one mirror.")
    parser.add_argument("--config", required=True, metavar="FILE", help="the operator's operator.json")
    parser.add_argument(
        "--abandon-pending",
        action="store_true",
        help="set aside a pending checkpoint that nobody can complete, and exit; the mirror must be stopped",
    )
    options = parser.parse_args(argv)
    configure_log()
    try:
        if options.abandon_pending:
            count = abandon_pending(Path(options.config).parent)
            sys.stdout.write(f"{count} pending checkpoint(s) set aside.\n")
        else:
            serve(options.config)
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
