"""A throw-away country for a measurement: on a PostgreSQL of its own, its programs started one by one."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.country import children, clean_env, run_kulla, short_folder
from tests.postgres import Server

from kulla.cli.home import Home, open_home
from kulla.cli.supervisor import processes

# Durable, with memory as a small server has; the same for pgbench and for the portal.
POSTGRES = {"shared_buffers": "256MB", "max_wal_size": "2GB", "checkpoint_timeout": "15min", "fsync": "on"}
START_S = 30.0


def say(line: str) -> None:
    """Progress, beside the figures."""
    print(line, file=sys.stderr, flush=True)


def tree_seconds(pid: int) -> float:
    """Processor time of a process and of what it started, ended children included."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0.0
    for one in [pid, *children(pid)]:
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended since it was listed; its time is its parent's now
        total += sum(int(field) for field in fields[11:15]) / ticks
    return total


class Town:
    """`with Town(people) as town:` makes it; `start(...)` runs its programs; all of it ends with the block."""

    def __init__(self, people: int = 40, server: Server | None = None) -> None:
        self.people = people
        self.folder = short_folder()
        self.server = server or Server(POSTGRES)
        self._own_server = server is None
        self.home: Home
        self.env: dict[str, str] = {}
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            if self._own_server:
                self.server.start()
            self.server.psql("CREATE DATABASE kulla")
            self.env = {"KULLA_DATABASE_URL": self.server.url("kulla"), "KULLA_OUTBOX_LIMIT": "200000"}
            home = self.folder / "c"
            began = time.monotonic()
            run_kulla(
                "demo", "--home", str(home), "--people", str(self.people), "--fast", timeout=300, **self.env
            )
            say(f"  a country of {self.people} people made in {time.monotonic() - began:.0f} s")
            self.home = open_home(home)
            self.env |= self.home.environment()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(*self.running)
        if self._own_server:
            self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_mirrors(self) -> None:
        """The three mirror operators' programs."""
        for operator in self.home.operators:
            port = int(json.loads((operator / "operator.json").read_text())["port"])
            self._start(
                f"mirror {operator.name}",
                ["mirror", "--config", str(operator / "operator.json")],
                lambda port=port: processes.listening(port),  # type: ignore[misc]
            )

    def start_keeper(self) -> None:
        """The keeper."""
        socket = self.home.socket("keeper.sock")
        config = str(self.home.keeper / "keeper.json")
        self._start("keeper", ["keeper", "--config", config], lambda: processes.socket_answers(socket))

    def start_portal(self, workers: int, threads: int) -> int:
        """The portal; gives its port."""
        port = processes.free_port()
        arguments = ["portal", "--home", str(self.home.path), "--port", str(port)]
        arguments += ["--workers", str(workers), "--threads", str(threads)]
        self._start("portal", arguments, lambda: processes.listening(port))
        return port

    def _start(self, name: str, arguments: list[str], ready: Callable[[], bool]) -> None:
        log = self.folder / f"{name}.log"
        env = {**clean_env(), **self.env, processes.PARENT: str(os.getpid())}
        with log.open("ab") as output:
            process = subprocess.Popen(
                processes.command(*arguments), stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env,
                process_group=0,
            )  # fmt: skip
        self.running[name] = process
        until = time.monotonic() + START_S
        while not ready():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{name} did not start:\n{self.log(name)}")
            time.sleep(0.05)

    def stop(self, *names: str) -> None:
        """End these programs."""
        processes.stop([self.running.pop(name) for name in names])

    def processor_seconds(self) -> dict[str, float]:
        """Processor time that each program and its children have used; the load generator's is not in it."""
        roots = {name: process.pid for name, process in self.running.items()}
        return {name: tree_seconds(pid) for name, pid in {**roots, "postgres": self.server.pid}.items()}

    def log(self, name: str) -> str:
        """The end of a program's output."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def inside(
        self, module: str, *arguments: Any, env: dict[str, str] | None = None, timeout: float = 300
    ) -> Any:
        """Run a module of the bench with this country's environment; gives the JSON that it prints."""
        done = subprocess.run(
            [sys.executable, "-m", module, *(str(part) for part in arguments)],
            stdout=subprocess.PIPE,
            timeout=timeout,
            env={**clean_env(), **self.env, "DJANGO_SETTINGS_MODULE": "kulla.settings", **(env or {})},
            cwd=Path(__file__).resolve().parent.parent,
            check=True,
        )
        return json.loads(done.stdout)
