"""Run everything of a home: three mirrors, the keeper and the portal. For demo and development.

Keeps the public port for itself: while the portal is away it answers with plain static pages and passes
requests on as soon as the portal is back. A program that dies is started again and its cause is named, one
line per event. Ctrl-C stops all of it within five seconds. In a demo it prints links that sign in with one
click as long as it runs; --links prints them again. After a wipe whose rebuild broke off, --rebuild asks the
running country to try once more. After new code was installed, --upgrade exchanges the programs of the running
country one after the other and brings its database to the new version; requests wait a moment, none fails.

examples:
  kulla up --home var/demo                      the country on http://localhost:8000/
  kulla up --home var/demo --port 8080
  kulla up --home var/demo --links              the links of the country that is running
  kulla up --home var/demo --rebuild            try the broken-off rebuild of a wiped country again
  kulla up --home var/demo --upgrade            run the code that is installed now, without a pause in service

exit codes:
  0  stopped by Ctrl-C or SIGTERM; or what was asked of a running country is done
  2  not started, or not done: one sentence says why (port taken, home missing, damaged or in use, disk full, …)
"""

import argparse
import asyncio
import ipaddress
import time
from pathlib import Path

from kulla.cli.home import port_number

SUMMARY = "run everything of a home until Ctrl-C"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home", type=Path, required=True, metavar="DIR", help="the folder of the country")
    parser.add_argument(
        "--port", type=port_number, default=8000, help="public port (default 8000; 0: any free one)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument(
        "--links", action="store_true", help="only print the sign-in links of a running country"
    )
    parser.add_argument(
        "--rebuild",
        action="store_true",
        help="only ask a running country to try its broken-off rebuild again",
    )
    parser.add_argument(
        "--upgrade",
        action="store_true",
        help="only exchange the programs of a running country for those installed now",
    )


def local(host: str) -> bool:
    """True for an address that only this machine reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def run(args: argparse.Namespace) -> int:
    from kulla.cli.home import open_home
    from kulla.cli.supervisor import control
    from kulla.cli.supervisor.supervisor import Supervisor

    home = open_home(args.home)
    if args.links:
        for line in control.ask(home.socket("up.sock"), "links")["lines"]:
            print(line)
        return 0
    if args.rebuild:
        control.ask(home.socket("up.sock"), "wipe_again")
        print("The country is being rebuilt again; its terminal and its pages show how it goes.")
        return 0
    if args.upgrade:
        return upgrade(home.socket("up.sock"))

    def say(line: str) -> None:
        print(line, flush=True)

    if home.demo and not local(args.host):
        say(
            f"Whoever reaches {args.host} can press the demo's buttons and download its keys. Nothing real in here!"
        )

    async def all_of_it() -> None:
        supervisor = Supervisor(home, args.host, args.port, say)

        def ready(_port: int) -> None:
            say(f"Kulla is open at {supervisor.address}/ - Ctrl-C stops it.")
            for line in supervisor.welcome():
                say(line)

        await supervisor.run(ready)

    asyncio.run(all_of_it())
    return 0


def upgrade(up: Path | str) -> int:
    """Ask the running country for it and print each step. Raises CommandError when it is refused or fails."""
    from kulla.cli.errors import CommandError
    from kulla.cli.supervisor import control

    control.ask(up, "upgrade")
    printed = 0
    while True:
        state = control.ask(up, "upgrade_state")
        for line in state["lines"][printed:]:
            print(line, flush=True)
        printed = len(state["lines"])
        if state["done"]:
            break
        time.sleep(0.2)
    if state["failed"]:
        raise CommandError(state["failed"])
    return 0
