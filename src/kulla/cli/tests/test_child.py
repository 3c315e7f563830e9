"""A program that dies is started again and its cause named; a stopped one stays stopped."""

import asyncio
import os
import signal
import sys
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
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


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
