"""Run the keeper: the only program that knows who people are.

It listens on a Unix socket (KULLA_KEEPER_SOCKET, else HOME/run/keeper.sock). In production it runs as a user
of its own on a host of its own.

examples:
  kulla keeper --config /srv/kulla/keeper/keeper.json

exit codes:
  0  stopped by SIGTERM or SIGINT
  2  not started: one sentence says why
"""

import argparse
from pathlib import Path

SUMMARY = "run the keeper alone"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="its keeper.json")


def run(args: argparse.Namespace) -> int:
    from kulla.cli.supervisor import processes

    processes.die_with_supervisor()
    processes.run_module("kulla.keeper", "--config", str(args.config))
    return 0
