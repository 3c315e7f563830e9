"""A program that dies is started again and its cause named; a stopped one stays stopped."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from kulla.cli.supervisor import processes
from kulla.cli.supervisor.child import Child, Program

STEADY = "import time; print('working', flush=True); time.sleep(60)"


def program(tmp_path: Path, source: str) -> Program:
    log = tmp_path / "program.log"
    return Program(
        name="program",
        argv=lambda: [sys.executable, "-c", source],
        log=log,
        ready=lambda: processes.last_words(log) == "working",
        env={},
    )


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_killed_program_comes_back(tmp_path: Path) -> None:
    said: list[str] = []

    async def scenario() -> None:
        child = Child(program(tmp_path, STEADY), said.append)
        child.start()
        async with asyncio.timeout(10):
            await child.up.wait()
            first = child.process.pid
            os.kill(first, signal.SIGKILL)
            while child.process.pid == first:
                await asyncio.sleep(0.02)
            await child.up.wait()
        second = child.process.pid
        await child.stop()
        assert gone(first)
        assert gone(second)

    asyncio.run(scenario())
    assert any(
        "program ended (signal SIGKILL); its last line: working. Starting it again in 0.1 s." in s
        for s in said
    )


def test_a_program_that_keeps_failing_is_given_more_time(tmp_path: Path) -> None:
    said: list[str] = []

    async def scenario() -> None:
        child = Child(program(tmp_path, "import sys; sys.exit('no key in the folder')"), said.append)
        child.start()
        async with asyncio.timeout(10):
            while len(said) < 3:
                await asyncio.sleep(0.05)
        await child.stop()

    asyncio.run(scenario())
    assert "exit code 1" in said[0]
    assert "no key in the folder" in said[0]
    assert [line.rsplit("again in ", 1)[1] for line in said[:3]] == ["0.1 s.", "0.5 s.", "1 s."]


def test_stop_ends_what_the_program_started(tmp_path: Path) -> None:
    source = (
        "import subprocess, sys, time, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(p.pid, flush=True); time.sleep(60)"
    )

    async def scenario() -> int:
        child = Child(program(tmp_path, source), lambda line: None)
        child.start()
        async with asyncio.timeout(10):
            while not processes.last_words(child.program.log).isdigit():
                await asyncio.sleep(0.02)
        grandchild = int(processes.last_words(child.program.log))
        await child.stop(grace=0.2)
        return grandchild

    grandchild = asyncio.run(scenario())
    for _ in range(50):
        if gone(grandchild) or "State:\tZ" in Path(f"/proc/{grandchild}/status").read_text():
            break
        import time

        time.sleep(0.05)
    else:
        raise AssertionError("the grandchild is still there")


DEAF = """
import signal, sys, time
from kulla.cli.supervisor import processes
signal.signal(signal.SIGTERM, signal.SIG_IGN)
processes.die_with_supervisor()
print("working", flush=True)
time.sleep(60)
"""
STARTS_ONE_AND_WAITS = """
import sys, time
from pathlib import Path
from kulla.cli.supervisor import processes
child = processes.start([sys.executable, "-c", sys.argv[1]], log=Path(sys.argv[2]))
print(child.pid, flush=True)
time.sleep(60)
"""


def test_a_program_that_does_not_hear_ends_with_its_supervisor_all_the_same(tmp_path: Path) -> None:
    log = tmp_path / "deaf.log"
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_ONE_AND_WAITS, DEAF, str(log)], stdout=subprocess.PIPE, text=True
    ) as supervisor:
        deaf = int(supervisor.stdout.readline())
        deadline = time.monotonic() + 20
        while processes.last_words(log) != "working" and time.monotonic() < deadline:
            time.sleep(0.05)
        assert processes.last_words(log) == "working"
        supervisor.kill()
    while not gone(deaf) and time.monotonic() < deadline + 20:
        time.sleep(0.05)
    assert gone(deaf)
