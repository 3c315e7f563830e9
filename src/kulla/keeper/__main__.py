"""`python -m kulla.keeper --config keeper/keeper.json`: run the keeper until SIGTERM or SIGINT."""

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from kulla.keeper.config import load
from kulla.keeper.core import Keeper
from kulla.keeper.errors import KeeperError
from kulla.keeper.server import Server

log = logging.getLogger("kulla.keeper")
ENDINGS = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    """Exit code 0 after a signal, 2 with one sentence when it cannot start."""
    parser = argparse.ArgumentParser(prog="kulla keeper", description="Run the keeper.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="its keeper.json")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s keeper %(levelname)s %(message)s")
    try:
        run(args.config)
    except KeeperError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def run(config_path: Path) -> None:
    """Serve until SIGTERM or SIGINT. Raises KeeperError when it cannot start.

    The signals are blocked in every thread and waited for: a handler that sets an event can meet the main thread
    inside that event's lock and hang.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    config = load(config_path)
    with Keeper(config) as keeper:
        # A home that ran before reads on while the copies are silent; a new one has to wait for two of them.
        if not keeper.has_system_keys:
            log.info("waiting for two key copies, without which nothing counts")
            while not keeper.wait_ready(0.2):
                if signal.sigtimedwait(ENDINGS, 0):
                    return
        keeper.serve()
        server = Server(keeper, config.socket)
        thread = threading.Thread(target=server.serve, name="server", daemon=True)
        thread.start()
        log.info("the keeper listens at %s", config.socket)
        signal.sigwait(ENDINGS)
        server.stop()
        thread.join(2)


if __name__ == "__main__":
    sys.exit(main())
