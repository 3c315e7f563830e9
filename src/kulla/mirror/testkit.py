"""Real mirrors for tests and measurements: processes on free ports, in homes below a folder, stopped by pid."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kulla.journal.note import Signer
from kulla.mirror.config import create_operator, set_policy


def free_port() -> int:
    """A port on loopback that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@dataclass
class RunningMirror:
    """One mirror process and where it lives."""

    name: str
    vkey: str
    port: int
    home: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Submission and monitoring prefix."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the running mirror."""
        assert self.process is not None  # noqa: S101
        return self.process.pid

    def start(self, wait: float = 10.0) -> None:
        """Start it and wait until /healthz answers. Raises RuntimeError with the end of its log."""
        with (self.home / "mirror.log").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kulla.mirror", "--config", str(self.home / "operator.json")],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        until = time.monotonic() + wait
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
                try:
                    connection.request("GET", "/healthz")
                    if connection.getresponse().status == 200:
                        return
                finally:
                    connection.close()
            time.sleep(0.02)
        self.kill()
        raise RuntimeError(f"{self.name} did not start:\n{self.log()[-2000:]}")

    def log(self) -> str:
        """What it has logged so far."""
        return (self.home / "mirror.log").read_text("utf-8", "replace")

    def stop(self) -> int | None:
        """End it in good order; its exit code."""
        if self.process is None:
            return None
        self.process.terminate()
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait(5)
        self.process = None
        return code

    def kill(self) -> None:
        """End it as a power cut would, save that the kernel lives on (SIGKILL)."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(5)
            self.process = None


def make_policy(log_vkey: str, mirrors: Sequence[RunningMirror], quorum: int) -> str:
    """The tlog-policy text for one log and these mirrors."""
    lines = [f"log {log_vkey}"]
    lines += [f"witness operator-{n} {m.vkey} {m.url}" for n, m in enumerate(mirrors, 1)]
    lines += [f"group mirrors {quorum} " + " ".join(f"operator-{n}" for n in range(1, len(mirrors) + 1))]
    return "\n".join([*lines, "quorum mirrors", ""])


def start_mirrors(
    folder: str | Path,
    n: int = 3,
    origin: str = "test.kulla.example/journal",
    signer: Signer | None = None,
    *,
    keeper_vkey: str | None = None,
    officers: Sequence[str] = (),
    readers: Sequence[str] = (),
    objectors: Sequence[str] = (),
    hold_issuers: Sequence[str] = (),
    start: bool = True,
) -> list[RunningMirror]:
    """Make and start `n` mirrors of the log whose checkpoints `signer` signs, in folder/1, folder/2, …

    Each is a real process on a free port of loopback and answers when this returns; all publish a policy with a
    quorum of a majority. The caller ends them (`stop_mirrors`), or uses `mirrors(...)` in a with block.
    """
    signer = signer or Signer.generate(origin)
    running: list[RunningMirror] = []
    for number in range(1, n + 1):
        home, port = Path(folder) / str(number), free_port()
        vkey = create_operator(
            home,
            number,
            origin,
            signer.vkey,
            keeper_vkey,
            port,
            officers=officers,
            readers=readers,
            objectors=objectors,
            hold_issuers=hold_issuers,
        )
        running.append(RunningMirror(vkey.split("+")[0], vkey, port, home))
    policy = make_policy(signer.vkey, running, n // 2 + 1)
    try:
        for mirror in running:
            set_policy(mirror.home, policy)
            if start:
                mirror.start()
    except BaseException:
        stop_mirrors(running)
        raise
    return running


def stop_mirrors(running: Sequence[RunningMirror]) -> None:
    """Stop every one that still runs."""
    for mirror in running:
        mirror.stop()


@contextlib.contextmanager
def mirrors(folder: str | Path, n: int = 3, **options: object) -> Iterator[list[RunningMirror]]:
    """`start_mirrors` for a with block."""
    running = start_mirrors(folder, n, **options)  # type: ignore[arg-type]
    try:
        yield running
    finally:
        stop_mirrors(running)
