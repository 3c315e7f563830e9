"""The supervisor of one home: mirrors, keeper and portal as children, the public port, the control socket."""

import asyncio
import contextlib
import fcntl
import http.client
import importlib
import importlib.util
import json
import mimetypes
import os
import signal
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol

from kulla.cli import static_pages
from kulla.cli.errors import CommandError
from kulla.cli.home import Home
from kulla.cli.supervisor import control, pages, processes, relay
from kulla.cli.supervisor.child import Child, Program

ASSETS = Path(__file__).resolve().parents[2] / "web" / "static"
STOP_PORTAL_S = 2.0
STOP_REST_S = 1.5


class DemoPart(Protocol):
    """What the demo adds to a supervisor: calls on the control socket and sign-in links."""

    def handlers(self) -> dict[str, control.Handler]: ...

    def links(self) -> list[str]: ...


class Supervisor:
    """Everything of one home, until `stop` is called.

    print_line gets one line per event; the same lines go to HOME/run/up.log.
    """

    def __init__(self, home: Home, host: str, port: int, print_line: Callable[[str], None]) -> None:
        self.home = home
        self.host, self.port = host, port
        self.env = home.environment()
        self.relay = relay.Relay(self._answer)
        self.held_answer: Callable[[bytes], bytes] | None = None
        self.children = {program.name: Child(program, self.say) for program in self._programs()}
        self._portal_port = 0
        self._print = print_line
        self._stop = asyncio.Event()
        self._lock: IO[str] | None = None
        # The demo's part lies above this room and is absent from production builds: found by name.
        self._demo: DemoPart | None = None
        if home.demo and importlib.util.find_spec("kulla.demo") is not None:
            self._demo = importlib.import_module("kulla.demo.control").DemoControl(self)

    # -- what is said --------------------------------------------------------------------------------------
    def say(self, line: str) -> None:
        """One event, for the terminal and for run/up.log."""
        self._print(line)
        with (self.home.run / "up.log").open("a") as log:
            log.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {line}\n")

    # -- the programs --------------------------------------------------------------------------------------
    def _programs(self) -> Iterable[Program]:
        for operator in self.home.operators:
            port = int(mirror_port(operator))
            yield Program(
                name=f"mirror {operator.name}",
                argv=lambda operator=operator: processes.command(  # type: ignore[misc]
                    "mirror", "--config", str(operator / "operator.json")
                ),
                log=operator / "log" / "mirror.log",
                ready=lambda port=port: processes.listening(port),  # type: ignore[misc]
                env=self.env,
            )
        keeper_socket = self.home.socket("keeper.sock")
        yield Program(
            name="keeper",
            argv=lambda: processes.command("keeper", "--config", str(self.home.keeper / "keeper.json")),
            log=self.home.keeper / "log" / "keeper.log",
            ready=lambda: processes.socket_answers(keeper_socket),
            env=self.env,
        )
        yield Program(
            name="portal",
            argv=self._portal_argv,
            log=self.home.portal / "log" / "portal.log",
            ready=self._portal_ready,
            env=self.env,
        )

    def _portal_argv(self) -> list[str]:
        self.relay.backend = 0
        self._portal_port = processes.free_port()
        return processes.command("portal", "--home", str(self.home.path), "--port", str(self._portal_port))

    def _portal_ready(self) -> bool:
        """True once the portal answers HTTP; from then on the relay passes requests to it."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self._portal_port, timeout=5)
            connection.request("HEAD", "/status", headers={"Host": "localhost"})
            connection.getresponse().read()
            connection.close()
            self.relay.backend = self._portal_port
            return True
        return False

    # -- life ----------------------------------------------------------------------------------------------
    async def run(self, ready: Callable[[int], None]) -> None:
        """Take the port, start everything, call `ready(port)` when all answer, go on until `stop`.

        Raises CommandError when the home is in use or the port is taken.
        """
        self.home.run.mkdir(exist_ok=True)
        self._take_lock()
        try:
            self.port = await self.relay.listen(self.host, self.port)
        except OSError:
            raise CommandError(
                f"Port {self.port} is taken by another program; choose another one with --port."
            ) from None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.stop)
        ear = await control.serve(self.home.socket("up.sock"), self._handlers())
        announce = asyncio.create_task(self._announce(ready))
        try:
            for child in self.children.values():
                child.start()
            await self._stop.wait()
            self.say("Stopping.")
        finally:
            announce.cancel()
            ear.close()
            await self.relay.close()
            await self.children["portal"].stop(STOP_PORTAL_S)
            rest = [child for name, child in self.children.items() if name != "portal"]
            await asyncio.gather(*(child.stop(STOP_REST_S) for child in rest))
            self.home.remove_sockets()
            self.say("Everything is stopped.")

    def stop(self) -> None:
        """Begin to stop; `run` returns within five seconds."""
        self._stop.set()

    async def _announce(self, ready: Callable[[int], None]) -> None:
        await asyncio.gather(*(child.up.wait() for child in self.children.values()))
        ready(self.port)
        copies = static_pages.from_portal(self._portal_port)
        await asyncio.to_thread(static_pages.save, self.home.run / "pages", copies)

    def _take_lock(self) -> None:
        self._lock = (self.home.run / "up.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandError(f"{self.home.path} is already running under another `kulla up`.") from None
        self._lock.write(str(os.getpid()))
        self._lock.flush()

    # -- answers -------------------------------------------------------------------------------------------
    def _answer(self, head: bytes, forwarded: bool) -> bytes:
        if self.relay.held and self.held_answer is not None:
            return self.held_answer(head)
        method, target = relay.request_line(head)
        if not method:
            return pages.response("400 Bad Request", pages.in_both(pages.AWAY, head))
        if method == "GET":
            if (page := static_pages.kept(self.home.run / "pages", target, head)) is not None:
                return pages.copy(page)
            if (content := static_pages.asset(ASSETS, target)) is not None:
                content_type = mimetypes.guess_type(target)[0] or "application/octet-stream"
                return pages.response("200 OK", content, content_type=content_type)
        return pages.away(method, head, forwarded=forwarded)

    def _handlers(self) -> dict[str, control.Handler]:
        return {"status": self._status, **(self._demo.handlers() if self._demo else {})}

    def welcome(self) -> list[str]:
        """What to print once everything is up: the demo's sign-in links."""
        return self._demo.links() if self._demo else []

    async def _status(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return {
            "port": self.port,
            "at": time.time(),
            "programs": {
                name: {"up": child.up.is_set(), "pid": child.process.pid if child.process else None}
                for name, child in self.children.items()
            },
        }


def mirror_port(operator: Path) -> int:
    """The port that a mirror operator's configuration names."""
    return int(json.loads((operator / "operator.json").read_text())["port"])
