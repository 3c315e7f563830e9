"""Exchanging the programs of a running country for those of the code that is installed now, one after the other.

Mirrors first, one at a time: two of three go on signing. Then keeper and portal, while the public port keeps new
requests for a moment: what was begun is answered by the old portal, what comes meanwhile by the new one. Between them
the database is brought to the new version. Nobody sees an error; a page takes as long as the two programs' start.
"""

import asyncio
from collections.abc import Callable, Mapping

from kulla.cli.home import Home
from kulla.cli.supervisor import processes
from kulla.cli.supervisor.child import Child
from kulla.cli.supervisor.relay import Relay

UP_S = 30.0  # so long one program may take to come up
ANSWERED_S = 10.0  # so long the old portal may take for what it has begun
GRACE_S = 3.0


class Upgrade:
    """One exchange. `lines`: what was done so far; `done`: it is over; `failed`: why it is not whole, or empty."""

    def __init__(
        self, home: Home, children: Mapping[str, Child], relay: Relay, say: Callable[[str], None]
    ) -> None:
        self._home, self._children, self._relay, self._tell = home, children, relay, say
        self.lines: list[str] = []
        self.failed = ""
        self.done = False

    async def run(self) -> None:
        """Do it; never raises. Whatever fails, everything is started again."""
        try:
            for name in self._children:
                if name not in {"keeper", "portal"}:
                    await self._exchange(name)
            await self._middle()
        except TimeoutError:
            self.failed = self.failed or "A program did not come up in time; its log says why."
        finally:
            self.done = True
            self._say(self.failed or "Every program is of the installed version now.")

    async def _middle(self) -> None:
        if not await self._relay.pause(ANSWERED_S):
            self._relay.go_on()
            self.failed = (
                "The portal did not finish what it had begun, so nothing of it was exchanged. Try again."
            )
            return
        try:
            await self._children["portal"].stop(GRACE_S)
            await self._migrate()
            await self._exchange("keeper")
            await self._start("portal")
        finally:
            self._children["keeper"].start()
            self._children["portal"].start()
            self._relay.go_on()

    async def _exchange(self, name: str) -> None:
        await self._children[name].stop(GRACE_S)
        await self._start(name)

    async def _start(self, name: str) -> None:
        self._children[name].start()
        async with asyncio.timeout(UP_S):
            await self._children[name].up.wait()
        self._say(f"{name} was exchanged.")

    async def _migrate(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *processes.command("migrate", "--home", str(self._home.path)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
        if process.returncode:
            self.failed = f"The database could not be brought to this version: {last}"
        self._say(last)

    def _say(self, line: str) -> None:
        self.lines.append(line)
        self._tell(f"Upgrade: {line}")
