"""Starting and ending programs so that none is left behind.

Three nets, from fine to coarse:
1. `stop` ends a process politely and, when the time is up, with its whole process group;
2. a started program asks the kernel to be ended when its parent dies (`die_with_parent`, Linux), and ends its whole
   process group if that has not helped after `GRACE_S`, so that even `kill -9` of the supervisor leaves no orphan;
3. every program is the leader of its own process group: a Ctrl-C in the terminal reaches only the supervisor,
   and what a killed program leaves of its own children is ended with the group.
"""

import contextlib
import ctypes
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PARENT = "KULLA_PARENT_PID"
PR_SET_PDEATHSIG = 1  # linux/prctl.h
GRACE_S = 3.0  # between the polite request to end and the end
FULL_BELOW = 1_000_000  # bytes
LOG_LIMIT = 5_000_000  # bytes; an older log is kept once under .1


def die_with_parent(signal_number: int = signal.SIGTERM) -> None:
    """Ask the kernel to send this process `signal_number` when its parent ends. Does nothing off Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)


def die_with_supervisor() -> None:
    """First act of a program that `start` started: follow the parent, and leave at once if it is gone already."""
    parent = os.environ.get(PARENT)
    if parent is None:
        return
    die_with_parent()
    if sys.platform == "linux":
        # All signals are for the program's own threads: one that came here would miss their handlers.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        watch = threading.Thread(target=_end_after, args=(int(parent),), name="supervisor-watch", daemon=True)
        watch.start()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if os.getppid() != int(parent):
        sys.exit("The supervisor that started this program has ended.")


def _end_after(parent: int) -> None:
    """Wait for the end of `parent`; if this process still lives `GRACE_S` later, kill it with its group."""
    try:
        watched = os.pidfd_open(parent)
    except ProcessLookupError:
        pass
    else:
        select.select([watched], [], [])
    time.sleep(GRACE_S)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def command(*arguments: str) -> list[str]:
    """The argument list that runs a `kulla` sub-command with this very interpreter."""
    return [sys.executable, "-m", "kulla.cli", *arguments]


def start(
    argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start a program with its output appended to `log` (mode 0600), as leader of its own process group."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(env or {}), PARENT: str(os.getpid())},
            process_group=0,
        )
    finally:
        os.close(output)


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """End for good what is left of the group of a process that we started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def stop(processes: Sequence["subprocess.Popen[bytes]"], *, grace: float = GRACE_S) -> None:
    """End all of them: SIGTERM to each at once, up to `grace` seconds together, then their groups."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + grace
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.05, deadline - time.monotonic()))
        end_group(process)
        process.wait()


def free_port() -> int:
    """A TCP port of the loopback interface that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int) -> bool:
    """True when something accepts connections on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def socket_answers(path: Path) -> bool:
    """True when something accepts connections on this Unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0.5)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def disk_is_full(folder: Path) -> bool:
    """True when less than a megabyte is left where `folder` lies."""
    return shutil.disk_usage(folder).free < FULL_BELOW


def last_words(log: Path) -> str:
    """The last line of a log that says something, cut to 200 characters; empty when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4096))
            lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines()]
    except OSError:
        return ""
    return next((line for line in reversed(lines) if line), "")[:200]


def cause(returncode: int) -> str:
    """Why a process ended, in words: 'exit code 3' or 'signal SIGKILL'."""
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return f"signal {signal.Signals(-returncode).name}"
    except ValueError:
        return f"signal {-returncode}"


def run_module(module: str, *arguments: str) -> None:
    """Run `python -m module arguments…` inside this process. Raises SystemExit with the program's exit code."""
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
