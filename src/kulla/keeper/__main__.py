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


def main() -> int:
    """Exit code 0 after a signal, 2 with one sentence when it cannot start."""
    parser = argparse.ArgumentParser(prog="kulla keeper", description="Run the keeper.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="its keeper.json")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s keeper %(levelname)s %(message)s")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        run(args.config, stopping)
    except KeeperError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def run(config_path: Path, stopping: threading.Event) -> None:
    """Serve until `stopping` is set. Raises KeeperError when it cannot start."""
    config = load(config_path)
    with Keeper(config) as keeper:
        # A home that ran before reads on while the copies are silent; a new one has to wait for two of them.
        patience = 0.0 if keeper.has_system_keys else 3600.0
        if not keeper.has_system_keys:
            log.info("waiting for two key copies, without which nothing counts")
        waited = 0.0
        while not keeper.wait_ready(0.2) and waited < patience and not stopping.is_set():
            waited += 0.2
        if stopping.is_set():
            return
        keeper.serve()
        server = Server(keeper, config.socket)
        thread = threading.Thread(target=server.serve, name="server", daemon=True)
        thread.start()
        log.info("the keeper listens at %s", config.socket)
        stopping.wait()
        server.stop()
        thread.join(2)


if __name__ == "__main__":
    sys.exit(main())
