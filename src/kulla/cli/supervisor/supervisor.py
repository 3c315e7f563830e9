"""The supervisor of one home: mirrors, keeper and portal as children, the public port, the control socket."""

import asyncio
import contextlib
import fcntl
import http.client
import importlib
import importlib.util
import json
import mimetypes
import signal
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import IO, Any, Protocol

from kulla.cli import static_pages
from kulla.cli.errors import CommandError
from kulla.cli.home import Home
from kulla.cli.supervisor import control, pages, processes, relay, sound
from kulla.cli.supervisor.child import Child, Program
from kulla.cli.supervisor.upgrading import Upgrade
from kulla.cli.supervisor.words import AWAY

STOP_PORTAL_S = 2.0
STOP_REST_S = 1.5
LATE_MIRROR_S = 10.0  # the country opens without a mirror that takes longer
SPACE_TICK_S = 10.0
GIVE_UP_AFTER = 4  # deaths of keeper or portal before the country was ever open


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
        self.children = {
            program.name: Child(program, self.say, self.note, self._died) for program in self._programs()
        }
        self._portal_port = 0
        self._print = print_line
        self._stop = asyncio.Event()
        self._opened = False
        self._gave_up = ""
        self._lock: IO[str] | None = None
        self._upgrade: Upgrade | None = None
        self._upgrading: asyncio.Task[None] | None = None
        # The demo's part lies above this room and is absent from production builds: found by name.
        self._demo: DemoPart | None = None
        if home.demo and importlib.util.find_spec("kulla.demo") is not None:
            self._demo = importlib.import_module("kulla.demo.control").DemoControl(self)

    # -- what is said --------------------------------------------------------------------------------------
    def say(self, line: str) -> None:
        """One event, for the terminal and for run/up.log."""
        self._print(line)
        self.note(line)

    def note(self, line: str) -> None:
        """One event for run/up.log alone. A full disk costs the line there, nothing else."""
        with contextlib.suppress(OSError), (self.home.run / "up.log").open("a") as log:
            log.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {line}\n")

    def _died(self, name: str, deaths: int, why: str) -> None:
        """Give up where starting again would go on for ever: nobody has been served yet, and the cause stays."""
        if not self._opened and deaths >= GIVE_UP_AFTER and name in {"keeper", "portal"}:
            self._gave_up = f"The {name} does not start: {why}."
            self.stop()

    # -- the programs --------------------------------------------------------------------------------------
    def _programs(self) -> Iterable[Program]:
        for operator in self.home.operators:
            port = sound.mirror_port(operator)
            if port is None:  # said already by sound.check
                continue
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
        register = self.home.path / "register" / "standin.json"
        if self.home.demo and register.exists() and importlib.util.find_spec("kulla.demo") is not None:
            port = int(json.loads(register.read_text())["port"])
            yield Program(
                name="register",
                argv=lambda: [sys.executable, "-m", "kulla.demo.register", "--home", str(self.home.path)],
                log=self.home.run / "register.log",
                ready=lambda: processes.listening(port),
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
    @property
    def address(self) -> str:
        """The address to open in a browser. Passkeys belong to a name, never to a number: so "localhost"."""
        return f"http://{'localhost' if self.host == '127.0.0.1' else self.host}:{self.port}"

    async def run(self, ready: Callable[[int], None]) -> None:
        """Take the port, start everything, call `ready(port)` when all answer, go on until `stop`.

        Raises CommandError when the home cannot run, is in use, the port is taken, or keeper or portal do not start.
        """
        self._take_lock()
        try:
            self.port = await self.relay.listen(self.host, self.port)
        except OSError:
            raise CommandError(
                f"Port {self.port} is taken by another program; choose another one with --port."
            ) from None
        try:
            warnings = await asyncio.to_thread(sound.check, self.home)
        except CommandError:
            await self.relay.close()
            raise
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.stop)
        for warning in warnings:
            self.say(warning)
        mirrors = sum(name.startswith("mirror ") for name in self.children)
        also = ", the demo's register" if "register" in self.children else ""
        self.say(f"Starting {self.home.path}: {mirrors} mirrors, the keeper, the portal{also}.")
        ear = await control.serve(self.home.socket("up.sock"), self._handlers())
        announce = asyncio.create_task(self._announce(ready))
        space = asyncio.create_task(self._watch_space())
        try:
            for child in self.children.values():
                child.start()
            await self._stop.wait()
            self.say("Stopping." if not self._gave_up else "Giving up.")
        finally:
            announce.cancel()
            space.cancel()
            if self._upgrading is not None:
                self._upgrading.cancel()
                await asyncio.gather(self._upgrading, return_exceptions=True)
            ear.close()
            await self.relay.close()
            await self.children["portal"].stop(STOP_PORTAL_S)
            rest = [child for name, child in self.children.items() if name != "portal"]
            await asyncio.gather(*(child.stop(STOP_REST_S) for child in rest))
            self.home.remove_sockets()
            self.say("Everything is stopped.")
        if self._gave_up:
            raise CommandError(self._gave_up)

    def stop(self) -> None:
        """Begin to stop; `run` returns within five seconds."""
        self._stop.set()

    async def _announce(self, ready: Callable[[int], None]) -> None:
        await asyncio.gather(*(self.children[name].up.wait() for name in ("keeper", "portal")))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LATE_MIRROR_S):
                await asyncio.gather(*(child.up.wait() for child in self.children.values()))
        self._opened = True
        ready(self.port)
        copies = static_pages.from_portal(self._portal_port)
        with contextlib.suppress(OSError):
            await asyncio.to_thread(static_pages.save, self.home.run / "pages", copies)

    async def _watch_space(self) -> None:
        """Say once, while there is still time, that the disk is filling up."""
        while sound.space_left(self.home) > sound.SPACE_TO_WARN:
            await asyncio.sleep(SPACE_TICK_S)
        self.say(
            f"The disk of {self.home.path} has only {sound.space_left(self.home) / 1e6:.0f} MB left; "
            "when it is full nothing can be taken any more."
        )

    def _take_lock(self) -> None:
        self.home.run.mkdir(exist_ok=True)
        self._lock = (self.home.run / "up.lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandError(f"{self.home.path} is already running under another `kulla up`.") from None

    # -- answers -------------------------------------------------------------------------------------------
    def _answer(self, head: bytes, forwarded: bool) -> bytes:
        method, target = relay.request_line(head)
        if not method:
            return pages.response("400 Bad Request", pages.spoken(head, AWAY))
        if method == "GET":
            if (content := static_pages.asset(pages.ASSETS, target)) is not None:
                content_type = mimetypes.guess_type(target)[0] or "application/octet-stream"
                return pages.response("200 OK", content, content_type=content_type)
            if (switched := pages.language_switch(head)) is not None:
                return switched
        if self.relay.held and self.held_answer is not None:
            return self.held_answer(head)
        if method == "GET":
            kept = static_pages.kept(self.home.run / "pages", target, pages.language_of(head))
            if kept is not None:
                return pages.copy(head, kept)
        return pages.away(method, head, forwarded=forwarded)

    def _handlers(self) -> dict[str, control.Handler]:
        own = {"status": self._status, "upgrade": self._begin_upgrade, "upgrade_state": self._upgrade_state}
        return {**own, **(self._demo.handlers() if self._demo else {})}

    async def _begin_upgrade(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        if not self._opened or self.relay.held or (self._upgrade is not None and not self._upgrade.done):
            return {"refused": "The country is not open, or an upgrade is under way: try again in a minute."}
        self._upgrade = Upgrade(self.home, self.children, self.relay, self.say)
        self._upgrading = asyncio.create_task(self._upgrade.run())
        return {}

    async def _upgrade_state(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        upgrade = self._upgrade
        if upgrade is None:
            return {"refused": "No upgrade was begun."}
        return {"lines": upgrade.lines, "done": upgrade.done, "failed": upgrade.failed}

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
