"""Wipe this country: destroy the portal and the keeper for real, bring them back from the mirrors, count.

Steps, each visible on the page that all visitors see meanwhile:
1. hold: nothing new is passed to the portal; what is under way gets a moment to end;
2. kill portal and keeper as a power cut would (SIGKILL);
3. count what the dead portal had acknowledged, from its own database: entry ids and leaf hashes;
4. delete the portal's and the keeper's homes;
5. `kulla rebuild` from the mirrors and the holders' keys: the real command, the same a real loss would need;
6. count again and compare with step 3: lost is what is missing or different;
7. start keeper and portal, let visitors through.
"""

import asyncio
import html
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from kulla.cli.supervisor import pages, processes, relay
from kulla.cli.supervisor.supervisor import Supervisor

LET_END_S = 0.5
REBUILD_LIMIT_S = 1800
STEPS = {
    "hold": ("Portali ndalet", "The portal is stopped"),
    "count": ("Numërohet çka ishte marrë", "Counting what had been received"),
    "delete": ("Fshihen portali dhe regjistri", "Deleting the portal and the register"),
    "rebuild": ("Rindërtim nga pasqyrat", "Rebuilding from the mirrors"),
    "compare": ("Krahasim", "Comparing"),
    "start": ("Nisje", "Starting"),
    "done": ("Gati", "Done"),
    "failed": ("Ndërprerë", "Broken off"),
}


class WipeFailed(Exception):
    """A step did not work; the sentence says which and what to do."""


def lost(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Acknowledged entries (id -> leaf hash) that are missing afterwards or that have another hash."""
    return [entry for entry, leaf in before.items() if after.get(entry) != leaf]


class Wipe:
    """The one wipe that can be under way."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._task: asyncio.Task[None] | None = None
        self.state: dict[str, Any] = {"step": None}

    # -- the control socket's calls ----------------------------------------------------------------------------
    async def begin(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Start the wipe; refused while one is under way."""
        if self._task is not None and not self._task.done():
            return {"refused": "The country is being wiped already."}
        self.state = {"step": "hold", "started": time.time(), "progress": {}}
        self._task = asyncio.create_task(self._guarded())
        return {"ok": True}

    async def status(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Where the wipe stands; after it, its report."""
        return self.state

    # -- the steps -----------------------------------------------------------------------------------------
    async def _guarded(self) -> None:
        supervisor = self._supervisor
        supervisor.held_answer = self.page
        supervisor.relay.held = True
        try:
            await self._run()
        except Exception as error:
            # Whatever it was: nobody else looks at this task, and visitors must not wait for ever.
            sentence = str(error) if isinstance(error, WipeFailed | OSError) else repr(error)
            self.state |= {"step": "failed", "sentence": sentence}
            supervisor.say(f"The wipe broke off: {sentence}")
            return
        supervisor.relay.held = False
        supervisor.say(
            f"Wiped and rebuilt in {self.state['seconds']:.1f} s: {self.state['before']} entries were received "
            f"before, {self.state['lost']} lost."
        )

    async def _run(self) -> None:
        supervisor, home = self._supervisor, self._supervisor.home
        began = time.monotonic()
        supervisor.say("Wiping this country: killing portal and keeper.")
        await asyncio.sleep(LET_END_S)
        for name in ("portal", "keeper"):
            await supervisor.children[name].kill()
        self._step("count")
        before = await self._inventory("before")
        self.state |= {"before": len(before["received"]), "waiting": before["waiting"]}
        self._step("delete")
        await self._delete()
        supervisor.say(f"Deleted {home.portal} and {home.keeper}.")
        self._step("rebuild")
        await self._rebuild()
        self._step("compare")
        after = await self._inventory("after")
        missing = lost(before["received"], after["received"])
        self.state |= {"after": len(after["received"]), "lost": len(missing), "missing": missing[:20]}
        self._step("start")
        for name in ("keeper", "portal"):
            supervisor.children[name].start()
        async with asyncio.timeout(60):
            await asyncio.gather(*(supervisor.children[name].up.wait() for name in ("keeper", "portal")))
        self.state |= {"seconds": time.monotonic() - began}
        self._step("done")

    def _step(self, name: str) -> None:
        self.state["step"] = name

    async def _inventory(self, name: str) -> dict[str, Any]:
        """What the portal's database says was received, and how much was still waiting."""
        out = self._supervisor.home.run / f"wipe-{name}.json"
        await self._call([sys.executable, "-m", "kulla.demo.inventory", str(out)], "counting")
        found: dict[str, Any] = json.loads(out.read_text())
        return found

    async def _delete(self) -> None:
        home = self._supervisor.home
        await self._call([sys.executable, "-m", "kulla.demo.inventory", "--destroy"], "deleting the tables")
        for folder in (home.portal, home.keeper):
            await asyncio.to_thread(shutil.rmtree, folder)

    async def _rebuild(self) -> None:
        home = self._supervisor.home
        sources = [argument for operator in home.operators for argument in ("--from", str(operator))]
        argv = processes.command(
            "rebuild", "--home", str(home.path), "--keys", str(home.holders), *sources, "--json"
        )
        await self._call(argv, "rebuilding", watch=True)

    async def _call(self, argv: list[str], what: str, *, watch: bool = False) -> None:
        """Run a program of ours to its end. watch: its log holds JSON lines of progress."""
        log = self._supervisor.home.run / "wipe.log"
        start = log.stat().st_size if log.exists() else 0
        process = processes.start(argv, log=log, env=self._supervisor.env)
        try:
            async with asyncio.timeout(REBUILD_LIMIT_S):
                while process.poll() is None:
                    await asyncio.sleep(0.1)
                    if watch:
                        self._read_progress(log, start)
        finally:
            processes.end_group(process)
        if process.returncode != 0:
            raise WipeFailed(
                f"{what} ended with {processes.cause(process.returncode)}: {processes.last_words(log)} "
                f"The mirrors still hold everything; `kulla rebuild --replace` can be run by hand."
            )

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
        failed = self.state["step"] == "failed"
        body = render(self.state, pages.in_order(head))
        return pages.response(
            "503 Service Unavailable",
            pages.page(
                "Rezervimet janë të sigurta / Bookings are safe", body, refresh_s=None if failed else 1
            ),
            retry_s=1,
            head_only=method == "HEAD",
        )


LABELS = {
    "keeper": ("Shënime të regjistrit", "Records of the register"),
    "entries": ("Hyrje të verifikuara", "Entries verified"),
    "copy": ("Skedarë të ditarit", "Files of the journal"),
    "rows": ("Hyrje të rikthyera në tabela", "Entries back in the tables"),
}


def render(state: dict[str, Any], order: tuple[str, str]) -> str:
    """The counter in both languages, in this order, as trusted HTML, from the state of a wipe."""
    parts = []
    for number, language in enumerate(order, start=1):
        place = ("sq", "en").index(language)
        title = ("Rezervimet tuaja janë të sigurta", "Your bookings are safe")[place]
        explain = (
            "Portali dhe regjistri u fshinë vërtet. Ata po rindërtohen nga pasqyrat e pavarura.",
            "The portal and the register were deleted for real. They are being rebuilt from the independent mirrors.",
        )[place]
        facts = [((STEPS[state["step"]][place]), "")]
        if "before" in state:
            facts.append(
                (("Të marra para fshirjes", "Received before the wipe")[place], f"{state['before']:,}")
            )
        for step, (done, total) in state.get("progress", {}).items():
            label = LABELS.get(step, (step, step))[place]
            facts.append((label, f"{done:,}" if done == total else f"{done:,} / {total:,}"))
        listed = "".join(f"<dt>{html.escape(label)}</dt><dd>{value}</dd>" for label, value in facts[1:])
        trouble = (
            f"<p><strong>{html.escape(state.get('sentence', ''))}</strong></p>" if "sentence" in state else ""
        )
        parts.append(
            f'<section lang="{language}">{pages.heading(number, title)}<p>{html.escape(explain)}</p>'
            f"<p><strong>{html.escape(facts[0][0])} …</strong></p><dl>{listed}</dl>{trouble}</section>"
        )
    return "".join(parts)
