"""Run one mirror: stores the journal, checks that nothing was rewritten, cosigns; keeps a copy of the keys.

To be run by an operator who is not the portal's administration, on a machine of his own.

examples:
  kulla mirror --config /srv/mirror/operator.json

exit codes:
  0  stopped by SIGTERM or SIGINT
  2  not started: one sentence says why
"""

import argparse
from pathlib import Path

SUMMARY = "run one mirror alone"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="its operator.json")


def run(args: argparse.Namespace) -> int:
    from kulla.cli.supervisor import processes

    processes.die_with_supervisor()
    processes.run_module("kulla.mirror", "--config", str(args.config))
    return 0
