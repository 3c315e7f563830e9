"""Wipe this country: destroy the portal and the keeper for real, bring them back from the mirrors, count.

Steps, each visible on the page that all visitors see meanwhile:
0. refuse when the holders' keys, the policy or the mirrors' copies are not there: nothing could bring it back;
1. hold: nothing new is passed to the portal; portal and keeper are killed as a power cut would (SIGKILL);
2. count what the dead portal had acknowledged, from its own database: entry ids and leaf hashes;
3. delete the portal's and the keeper's homes;
4. `kulla rebuild` from the mirrors and the holders' keys: the real command, the same a real loss would need;
5. count again and compare with step 2: lost is what is missing or different;
6. start keeper and portal, let visitors through.

When a step fails, what is left decides. Nothing deleted yet, or everything rebuilt: the programs are started again.
Otherwise the portal stays closed, the page says why, and `kulla up --home DIR --rebuild` tries again. What had been
received before the first try is kept in run/wipe-before.json until a wipe ends well: a second try is counted against
the first one's number, not against the ruins.
"""

import asyncio
import contextlib
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from kulla.cli import restoring
from kulla.cli.errors import CommandError
from kulla.cli.supervisor import pages, processes, relay
from kulla.cli.supervisor.supervisor import Supervisor
from kulla.demo import wipe_page

LET_END_S = 0.5
START_LIMIT_S = 60
REBUILD_LIMIT_S = 1800
COPIES = 2  # operators whose copies together hold everything that was called received
PROGRAMS = ("keeper", "portal")


class WipeFailed(Exception):
    """A step did not work; the sentence says which and why."""


def lost(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Acknowledged entries (id -> leaf hash) that are missing afterwards or that have another hash."""
    return [entry for entry, leaf in before.items() if after.get(entry) != leaf]


class Wipe:
    """The one wipe that can be under way."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._home = supervisor.home
        self._task: asyncio.Task[None] | None = None
        self._before: dict[str, str] = {}
        self.state: dict[str, Any] = {"step": None}

    # -- the control socket's calls ----------------------------------------------------------------------------
    async def begin(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Start the wipe; refused while one is under way, and when nothing could bring the country back."""
        if self._task is not None and not self._task.done():
            if self.state["step"] != "failed":
                return {"refused": "The country is being wiped already."}
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            restoring.check_means(self._home, self._home.holders, self._home.operators)
        except CommandError as error:
            return {
                "refused": f"{error} Without it nothing could bring the country back, so nothing was wiped."
            }
        whole = [one for one in self._home.operators if list(one.glob("mirror/*/checkpoint"))]
        if len(whole) < COPIES:
            return {
                "refused": f"Only {len(whole)} mirror holds the journal; {COPIES} are needed to wipe safely."
            }
        self.state = {"step": "hold", "started": time.time(), "progress": {}, "took": {}, "left": "untouched"}
        self._task = asyncio.create_task(self._guarded())
        return {"ok": True}

    async def again(self, request: dict[str, Any]) -> dict[str, Any]:
        """Try a wipe that broke off once more; refused when none did."""
        if self.state["step"] != "failed" or self.state["left"] != "nothing":
            return {"refused": "No rebuild of this country is broken off; there is nothing to try again."}
        return await self.begin(request)

    async def status(self, request: dict[str, Any]) -> dict[str, Any]:
        """Where the wipe stands; after it, its report. entry: an id, whose leaf hash before the wipe is added."""
        return {**self.state, "entry_before": self._before.get(str(request.get("entry")))}

    # -- the steps -----------------------------------------------------------------------------------------
    async def _guarded(self) -> None:
        supervisor = self._supervisor
        supervisor.held_answer = self.page
        supervisor.relay.held = True
        try:
            await self._run()
        except Exception as error:
            # Whatever it was: nobody else looks at this task, and visitors must not wait for ever.
            self._failed(str(error) if isinstance(error, WipeFailed | OSError) else repr(error))
            if self.state["left"] == "nothing":
                return
        await self._open_again()
        supervisor.relay.held = False
        if self.state["step"] == "start":
            self.state["seconds"] = time.time() - self.state["started"]
            self._step("done")
            (self._home.run / "wipe-before.json").unlink(missing_ok=True)
            supervisor.say(
                f"Wiped and rebuilt in {self.state['seconds']:.1f} s: {self.state['lost']} lost of "
                f"{self.state['before']} that had been received."
            )

    async def _run(self) -> None:
        supervisor = self._supervisor
        supervisor.say("Wiping this country: killing portal and keeper.")
        await asyncio.sleep(LET_END_S)
        for name in reversed(PROGRAMS):
            await supervisor.children[name].kill()
        self._step("count")
        await self._count_before()
        self._step("delete")
        await self._delete()
        self._step("rebuild")
        await self._rebuild()
        self.state["left"] = "rebuilt"
        self._step("compare")
        after = (await self._inventory("after"))["received"]
        missing = lost(self._before, after)
        self.state |= {"after": len(after), "lost": len(missing), "missing": missing[:20]}
        self._step("start")

    def _step(self, name: str) -> None:
        now = time.time()
        self.state["took"][self.state["step"]] = now - self.state.get("since", self.state["started"])
        self.state |= {"step": name, "since": now}

    def _failed(self, sentence: str) -> None:
        """Note where it broke off, for the page and for the terminal."""
        command = f"kulla up --home {self._home.path} --rebuild"
        self.state |= {"at": self.state["step"], "sentence": sentence, "command": command}
        self.state["step"] = "failed"
        told = {
            "untouched": "Nothing was deleted; portal and keeper are started again.",
            "rebuilt": "Everything is rebuilt; keeper and portal are started again.",
            "nothing": f"The mirrors still hold everything that was received. Try again: {command}",
        }[self.state["left"]]
        step = wipe_page.STEPS[self.state["at"]][1]
        self._supervisor.say(f"The wipe broke off at this step: {step}. {sentence.rstrip('.')}. {told}")

    async def _open_again(self) -> None:
        """Start keeper and portal and wait until both answer; says so when that takes long, and waits on."""
        children = [self._supervisor.children[name] for name in PROGRAMS]
        for child in children:
            child.start()
        try:
            async with asyncio.timeout(START_LIMIT_S):
                await asyncio.gather(*(child.up.wait() for child in children))
        except TimeoutError:
            if self.state["step"] != "failed":
                self._failed(f"Keeper or portal does not answer after {START_LIMIT_S} s")
            await asyncio.gather(*(child.up.wait() for child in children))

    async def _count_before(self) -> None:
        """What had been received: by the database that is there, and by the one before a try that broke off."""
        kept = self._home.run / "wipe-before.json"
        earlier = json.loads(kept.read_text()) if kept.exists() else None
        try:
            now = await self._inventory("now")
        except WipeFailed:
            if earlier is None:
                raise
            now = {"received": {}, "waiting": 0}  # what a broken-off rebuild leaves need not be a database
        if earlier is not None:
            now["received"] = earlier["received"] | now["received"]
            now["waiting"] = max(now["waiting"], earlier["waiting"])
        temporary = kept.with_suffix(".new")
        temporary.write_text(json.dumps(now))
        temporary.replace(kept)
        self._before = now["received"]
        self.state |= {"before": len(self._before), "waiting": now["waiting"]}

    async def _inventory(self, name: str) -> dict[str, Any]:
        """What the portal's database says was received, and how much was still waiting."""
        out = self._home.run / f"wipe-{name}.json"
        await self._call([sys.executable, "-m", "kulla.demo.inventory", str(out)], "counting")
        found: dict[str, Any] = json.loads(out.read_text())
        out.unlink()
        return found

    async def _delete(self) -> None:
        self.state["left"] = "nothing"
        with contextlib.suppress(FileNotFoundError):
            files = [path for folder in (self._home.portal, self._home.keeper) for path in folder.rglob("*")]
            sizes = [path.stat().st_size for path in files if path.is_file()]
            self.state["deleted"] = {"files": len(sizes), "size": sum(sizes)}
        if os.environ.get("KULLA_DATABASE_URL"):  # SQLite's file goes with the portal's folder
            await self._call(
                [sys.executable, "-m", "kulla.demo.inventory", "--destroy"], "deleting the tables"
            )
        for folder in (self._home.portal, self._home.keeper):
            if folder.exists():
                await asyncio.to_thread(shutil.rmtree, folder)
        self._supervisor.say(f"Deleted {self._home.portal} and {self._home.keeper}.")

    async def _rebuild(self) -> None:
        home = self._home
        self.state["sources"] = len(home.operators)
        sources = [argument for operator in home.operators for argument in ("--from", str(operator))]
        argv = processes.command(
            "rebuild", "--home", str(home.path), "--keys", str(home.holders), *sources, "--json"
        )
        await self._call(argv, "the rebuild", watch=True)

    async def _call(self, argv: list[str], what: str, *, watch: bool = False) -> None:
        """Run a program of ours to its end. watch: its log holds JSON lines of progress."""
        log = self._home.run / "wipe.log"
        start = log.stat().st_size if log.exists() else 0
        process = processes.start(argv, log=log, env=self._supervisor.env)
        try:
            async with asyncio.timeout(REBUILD_LIMIT_S):
                while process.poll() is None:
                    await asyncio.sleep(0.1)
                    if watch:
                        self._read_progress(log, start)
        except TimeoutError:
            raise WipeFailed(f"{what} took longer than {REBUILD_LIMIT_S // 60} minutes") from None
        finally:
            processes.end_group(process)
        if watch:
            self._read_progress(log, start)
        if process.returncode != 0:
            why = processes.last_words(log)
            raise WipeFailed(f"{what} ended with {processes.cause(process.returncode)}: {why}")

    def _read_progress(self, log: Path, start: int) -> None:
        with log.open("rb") as file:
            file.seek(start)
            for line in file:
                if line.startswith(b'{"step"') and line.endswith(b"}\n"):
                    step = json.loads(line)
                    self.state["progress"][step["step"]] = [step["done"], step["total"]]

    # -- the page ------------------------------------------------------------------------------------------
    def page(self, head: bytes) -> bytes:
        """What every visitor sees while it goes on: the counter for readers, 'not taken' for senders."""
        method, _ = relay.request_line(head)
        if method not in {"GET", "HEAD"}:
            return pages.away(method or "POST", head, forwarded=False)
        return pages.response(
            "503 Service Unavailable",
            wipe_page.whole(self.state, head),
            retry_s=1,
            head_only=method == "HEAD",
        )
