"""One program under the supervisor: started, watched, started again when it dies, with the cause named."""

import asyncio
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kulla.cli.supervisor import processes

PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
STEADY_S = 30.0  # a program that lived this long begins again with the shortest pause
READY_TIMEOUT_S = 30.0
TICK_S = 0.05


@dataclass(frozen=True)
class Program:
    """What to start. argv is made anew for each start (the portal gets a fresh port each time)."""

    name: str
    argv: Callable[[], list[str]]
    log: Path
    ready: Callable[[], bool]
    env: Mapping[str, str]


class Child:
    """Keeps one program running until `stop`.

    say: gets one line per event; note: the line that it came up without ever having died.
    died: gets the program's name, its deaths since it last lived steadily, and why it died.
    """

    def __init__(
        self,
        program: Program,
        say: Callable[[str], None],
        note: Callable[[str], None] | None = None,
        died: Callable[[str, int, str], None] = lambda *_: None,
    ) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.up = asyncio.Event()
        self._say = say
        self._note = note or say
        self._died = died
        self._watch: asyncio.Task[None] | None = None
        self._deaths = 0

    def start(self) -> None:
        """Start watching, unless that is so already; the program itself starts at once."""
        if self._watch is not None:
            return
        self._deaths = 0
        self._watch = asyncio.create_task(self._run(), name=self.program.name)

    async def stop(self, grace: float = 3.0) -> None:
        """End the program and stop watching it."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        self.up.clear()
        if self.process is not None:
            await asyncio.to_thread(processes.stop, [self.process], grace=grace)
            self.process = None

    async def kill(self) -> None:
        """End the program at once, as a crash would (SIGKILL to its group), and stop watching it."""
        if self.process is not None:
            processes.end_group(self.process)
        await self.stop(grace=0.1)

    async def _run(self) -> None:
        while True:
            started = time.monotonic()
            why = await self._one_life(started)
            if time.monotonic() - started > STEADY_S:
                self._deaths = 0
            pause = PAUSES_S[min(self._deaths, len(PAUSES_S) - 1)]
            self._deaths += 1
            self._died(self.program.name, self._deaths, why)
            self._say(f"{self.program.name} {why}. Starting it again in {pause:g} s.")
            await asyncio.sleep(pause)

    async def _one_life(self, started: float) -> str:
        """Run the program to its end; returns why it ended, as half a sentence."""
        try:
            spoken = self.program.log.stat().st_size if self.program.log.exists() else 0
            self.process = processes.start(self.program.argv(), log=self.program.log, env=self.program.env)
        except OSError as error:
            return f"could not be started ({error.strerror}: {error.filename})"
        await self._until_death(self.process, started)
        self.up.clear()
        processes.end_group(self.process)
        why = f"ended ({processes.cause(self.process.wait())})"
        # A log that did not grow holds the words of an earlier life.
        if self.program.log.exists() and self.program.log.stat().st_size != spoken:
            why += f"; its last line: {processes.last_words(self.program.log).rstrip('.')}"
        elif processes.disk_is_full(self.program.log.parent):
            why += "; its disk is full"
        return why

    async def _until_death(self, process: "subprocess.Popen[bytes]", started: float) -> None:
        late = False
        while process.poll() is None:
            if not self.up.is_set():
                if await asyncio.to_thread(self.program.ready):
                    self.up.set()
                    (self._say if self._deaths else self._note)(
                        f"{self.program.name} is up (process {process.pid})."
                    )
                elif not late and time.monotonic() - started > READY_TIMEOUT_S:
                    late = True
                    self._say(f"{self.program.name} runs but does not answer yet; see {self.program.log}.")
            await asyncio.sleep(TICK_S)
