"""A whole country for a test: made by `kulla demo`, run by `kulla up`, as real processes on loopback.

Nothing here reaches inside: a country is driven by its command line, its HTTP pages and signals to its own
processes, whose ids the supervisor's control socket gives.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pyotp

from tests.person import Page, Person
from tests.tables import Tables

KULLA = [sys.executable, "-m", "kulla.cli"]
START_S = 60


@dataclass(frozen=True)
class Account:
    """Someone of the demo's cast; without a password the account is not activated yet."""

    who: str
    role: str
    name: str
    number: str = ""
    password: str = ""
    born: str = ""
    passport: str = ""
    phone: str = ""
    email: str = ""
    totp_secret: str = ""
    child: str = ""
    child_number: str = ""
    office: str = ""

    @property
    def identifier(self) -> str:
        """What this person types to sign in."""
        return self.number or self.passport


def run_kulla(
    *arguments: str, timeout: float = 120, check: bool = True, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run one `kulla` command to its end. Raises AssertionError with its output when it fails and `check` is on."""
    done = subprocess.run(
        [*KULLA, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**clean_env(), **env},
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, (
        f"kulla {arguments} shows a stack trace:\n{done.stderr}"
    )
    if check:
        assert done.returncode == 0, f"kulla {arguments} failed:\n{done.stdout}\n{done.stderr}"
    return done


def clean_env() -> dict[str, str]:
    """Our environment without the settings of the tests themselves: a country has its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("KULLA_", "DJANGO_"))}


def free_port() -> int:
    """A port of loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int) -> bool:
    """Whether something accepts connections on this port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Country:
    """One demo country. `up()` starts it, `stop()` ends it as Ctrl-C does, `kill_all()` as a power cut does."""

    def __init__(self, home: Path, env: dict[str, str] | None = None) -> None:
        self.home = home
        self.env = env or {}
        self.db = Tables(home, self.env.get("KULLA_DATABASE_URL", ""))
        self.port = 0
        self.printed: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._killed: set[int] = set()

    @classmethod
    def create(
        cls, folder: Path, people: int = 60, seed: int = 7, env: dict[str, str] | None = None
    ) -> "Country":
        """Make a new country in folder/c (short: Unix sockets have short paths)."""
        home = folder / "c"
        run_kulla(
            "demo", "--home", str(home), "--people", str(people), "--seed", str(seed), "--fast", **(env or {})
        )
        return cls(home, env)

    # -- running
    def up(self) -> "Country":
        """Start everything; returns when the supervisor says that it is open."""
        self.port = self.port or free_port()
        self._process = subprocess.Popen(
            [*KULLA, "up", "--home", str(self.home), "--port", str(self.port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**clean_env(), **self.env},
            start_new_session=True,
        )
        self.printed = []
        self._open = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        until = time.monotonic() + START_S
        while not self._open.wait(0.1) and self.running and time.monotonic() < until:
            pass
        if self._open.is_set():
            return self
        logs = self.logs()
        self.kill_all()
        raise AssertionError(f"the country did not start:\n{chr(10).join(self.printed)}\n{logs[-6000:]}")

    def _read(self, process: "subprocess.Popen[str]") -> None:
        """Keep what the supervisor prints, to its end, so that it never blocks on a full pipe."""
        assert process.stdout is not None
        for line in process.stdout:
            self.printed.append(line.rstrip("\n"))
            if "Kulla is open at" in line:
                self._open.set()

    @property
    def base(self) -> str:
        """The address of the portal."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        """Whether the supervisor lives."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it in good order; fails when it takes longer than it promises."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            code = self._process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill_all()
            raise AssertionError(f"kulla up did not stop:\n{chr(10).join(self.printed)}") from None
        self._close()
        assert code == 0, f"kulla up ended with {code}:\n{chr(10).join(self.printed)}"

    def kill_all(self) -> None:
        """SIGKILL to every process of this country, the supervisor first, each by its own id."""
        pids = []
        if self.running:
            try:
                pids = [pid for pid in self.pids().values() if pid]
            except (OSError, ValueError, AssertionError):
                pids = []
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
        for pid in pids:
            _kill_tree(pid)
        self._close()

    def _close(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._reader.join(5)
            self._process.stdout.close()
        self._process = None

    @contextlib.contextmanager
    def mirrors(self) -> Iterator[None]:
        """The three mirror operators' programs alone, for commands that need them while the country is down."""
        running: list[subprocess.Popen[bytes]] = []
        try:
            for operator in sorted((self.home / "operators").iterdir()):
                config = operator / "operator.json"
                command = [*KULLA, "mirror", "--config", str(config)]
                running.append(
                    subprocess.Popen(
                        command, env=clean_env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                    )
                )
                port = int(json.loads(config.read_text())["port"])
                until = time.monotonic() + START_S
                while not listening(port):
                    assert time.monotonic() < until, f"{operator} did not start"
                    time.sleep(0.05)
            yield
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(10)

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """One question to the supervisor's control socket."""
        from kulla.cli.home import open_home
        from kulla.cli.supervisor import control

        return control.ask(open_home(self.home).socket("up.sock"), do, **arguments)

    def pids(self) -> dict[str, int]:
        """Process id of each program: "portal", "keeper", "mirror 1" …; 0 when it is down."""
        programs = self.ask("status")["programs"]
        return {name: state["pid"] or 0 for name, state in programs.items()}

    def kill(self, name: str) -> int:
        """SIGKILL to one program and what it started; the supervisor starts it again. Gives the old id."""
        pid = self.pids()[name]
        assert pid, f"{name} is not running"
        self._killed.add(pid)
        _kill_tree(pid)
        return pid

    def freeze(self, name: str) -> int:
        """SIGSTOP to one program and what it started: it hangs, and nobody restarts it. `thaw` ends that."""
        pid = self.pids()[name]
        for one in [pid, *children(pid)]:
            os.kill(one, signal.SIGSTOP)
        return pid

    def thaw(self, pid: int) -> None:
        """SIGCONT to what `freeze` stopped."""
        for one in [pid, *children(pid)]:
            os.kill(one, signal.SIGCONT)

    def wait_up(self, *names: str, seconds: float = 30) -> None:
        """Wait until these programs (all, when none is named) answer again.

        A program that `kill` ended still counts as up until the supervisor has noticed: only a new process counts.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            programs = self.ask("status")["programs"]
            states = [programs[name] for name in names or programs]
            if all(state["up"] and state["pid"] not in self._killed for state in states):
                return
            time.sleep(0.1)
        raise AssertionError(
            f"{names or 'everything'} did not come back in {seconds} s:\n{self.logs()[-3000:]}"
        )

    def logs(self) -> str:
        """The end of every log of this home."""
        parts = []
        for path in sorted([*self.home.rglob("log/*.log"), *self.home.glob("run/*.log")]):
            parts.append(f"--- {path.relative_to(self.home)}\n{path.read_text(errors='replace')[-2500:]}")
        return "\n".join(parts)

    # -- people
    def accounts(self) -> dict[str, Account]:
        """The cast of the demo: who -> account."""
        names = {field.name for field in fields(Account)}
        listed = json.loads((self.home / "accounts.json").read_text())
        return {one["who"]: Account(**{k: v for k, v in one.items() if k in names}) for one in listed}

    def visitor(self, language: str = "en") -> Person:
        """A browser that nobody has signed in with."""
        return Person(self.base, language)

    def sign_in(self, who: str | Account = "citizen", language: str = "en") -> Person:
        """A browser with this member of the cast signed in, through the sign-in form."""
        account = self.accounts()[who] if isinstance(who, str) else who
        person = self.visitor(language)
        page = sign_in(person, account)
        assert page.status == 200, f"{account.who} could not sign in: {page.status} {page.text[:500]}"
        assert page.path != "/sign-in", f"{account.who} could not sign in: {page.text[:500]}"
        return person


def sign_in(person: Person, account: Account) -> Page:
    """Fill in the sign-in form and, where it is asked for, the second factor's."""
    person.open("/sign-in")
    page = person.submit(having="password", identifier=account.identifier, password=account.password)
    if account.totp_secret and any("code" in form.names() for form in page.forms):
        page = person.submit(having="code", code=next_code(account.totp_secret))
    return page


_used_codes: dict[str, int] = {}


def next_code(secret: str) -> str:
    """A code that has not been used: the keeper takes each once, and clocks may be one step ahead."""
    totp = pyotp.TOTP(secret)
    step = max(int(time.time()) // totp.interval, _used_codes.get(secret, 0) + 1)
    while step > int(time.time()) // totp.interval + 1:
        time.sleep(0.2)
    _used_codes[secret] = step
    return totp.generate_otp(step)


def children(pid: int) -> list[int]:
    """Every process below `pid`."""
    found, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        try:
            listed = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        except OSError:
            continue
        found += [int(child) for child in listed]
        waiting += [int(child) for child in listed]
    return found


def _kill_tree(pid: int) -> None:
    for one in [pid, *children(pid)]:
        try:
            os.kill(one, signal.SIGKILL)
        except ProcessLookupError:
            continue
    until = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        try:  # a zombie is dead enough; its parent is the supervisor
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return
        time.sleep(0.02)


def short_folder() -> Path:
    """A private folder with a short path (pytest's own are too long for Unix sockets)."""
    return Path(tempfile.mkdtemp(prefix="k-"))


def remove(folder: Path) -> None:
    """Delete a folder made by `short_folder`."""
    shutil.rmtree(folder, ignore_errors=True)
