"""`python -m kulla.mirror --config operator.json`. Exit 0 after a clean stop, 2 if it cannot run."""

import argparse
import os
import sys
from pathlib import Path

from kulla.mirror.config import ConfigError, load_config
from kulla.mirror.destroying import replay
from kulla.mirror.server import CannotStart, abandon_pending, configure_log, lock_home, serve
from kulla.mirror.tombstones import TombstoneRefused


def main(argv: list[str] | None = None) -> int:
    """Run one mirror, or set a pending checkpoint aside."""
    parser = argparse.ArgumentParser(prog="python -m kulla.mirror", description="Run one mirror.")
    parser.add_argument("--config", required=True, metavar="FILE", help="the operator's operator.json")
    parser.add_argument(
        "--abandon-pending",
        action="store_true",
        help="set aside a pending checkpoint that nobody can complete, and exit; the mirror must be stopped",
    )
    parser.add_argument(
        "--replay-tombstones",
        type=Path,
        metavar="FILE",
        help="after a restore: take the tombstones of another copy from its tombstones.log, and exit",
    )
    options = parser.parse_args(argv)
    configure_log()
    try:
        if options.abandon_pending:
            count = abandon_pending(Path(options.config).parent)
            sys.stdout.write(f"{count} pending checkpoint(s) set aside.\n")
        elif options.replay_tombstones:
            count = _replay(Path(options.config), options.replay_tombstones)
            sys.stdout.write(f"{count} tombstone(s) taken; what is due is carried out at the next start.\n")
        else:
            serve(options.config)
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _replay(config_path: Path, other: Path) -> int:
    """Raises CannotStart."""
    try:
        config = load_config(config_path)
        lock = lock_home(config.home)
        try:
            if not other.is_file():
                raise CannotStart(f"{other.name} is no file of tombstones.")
            return replay(config, other)
        finally:
            os.close(lock)
    except (ConfigError, TombstoneRefused) as error:
        raise CannotStart(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
