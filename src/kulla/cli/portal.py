"""Run the portal: the web pages, the sequencer and the timed jobs.

Listens on loopback only; a front server (nginx) or `kulla up` stands before it. On SQLite all writers must be
one process, so one worker with several threads; on PostgreSQL more workers are possible, and the one that
holds the journal's lock is the sequencer. There is no access log: addresses of visitors are not written down.

examples:
  kulla portal --home /srv/kulla --port 8001
  KULLA_DATABASE_URL=postgresql://kulla@/kulla kulla portal --home /srv/kulla --port 8001 --workers 2

exit codes:
  0  stopped by SIGTERM or SIGINT
  1  the portal's process ended unexpectedly
  2  not started: one sentence says why
"""

import argparse
import os
from pathlib import Path
from typing import Any

from kulla.cli.home import port_number

SUMMARY = "run the portal alone"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home", type=Path, required=True, metavar="DIR", help="the folder of the country")
    parser.add_argument("--port", type=port_number, required=True, help="loopback port to listen on")
    parser.add_argument("--workers", type=int, default=1, help="processes (PostgreSQL only; default 1)")
    parser.add_argument("--threads", type=int, default=8, help="web threads per process (default 8)")


def run(args: argparse.Namespace) -> int:
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces

    from kulla.cli.errors import CommandError
    from kulla.cli.home import open_home
    from kulla.cli.supervisor import processes

    processes.die_with_supervisor()
    home = open_home(args.home)
    if args.workers > 1 and not os.environ.get("KULLA_DATABASE_URL"):
        raise CommandError("SQLite takes one writing process; several workers need KULLA_DATABASE_URL.")
    if processes.listening(args.port):
        raise CommandError(f"Port {args.port} is taken by another program; choose another one with --port.")
    for name, value in home.environment().items():
        os.environ.setdefault(name, value)
    os.environ["KULLA_SEQUENCER"] = "0" if home.read_only else "1"
    if home.read_only:
        print(home.read_only, flush=True)
    server = Granian(
        "kulla.cli.portal:application",
        factory=True,
        address="127.0.0.1",
        port=args.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=args.workers,
        blocking_threads=args.threads,
        workers_kill_timeout=2,
        log_access=False,
        # Its own lines would hide the last words of the worker, which name the cause.
        log_enabled=False,
    )
    server.serve()
    return 0


def application() -> Any:
    """Made in each worker: the WSGI application, in a process that cannot outlive its server."""
    import importlib
    import signal

    from kulla.cli.supervisor import processes

    # SIGKILL: everything the worker writes is safe against a crash at any moment, and this cannot hang.
    processes.die_with_parent(signal.SIGKILL)
    return importlib.import_module("kulla.wsgi").application
