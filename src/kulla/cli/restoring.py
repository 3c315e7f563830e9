"""What `kulla rebuild` does: keeper, keys, tables, in this order; and `--compare`."""

import fcntl
import json
import shutil
import sys
import time
from typing import Any

from kulla.cli.errors import CommandError
from kulla.cli.home import Home
from kulla.cli.supervisor import processes

QUORUM_SOURCES = (
    2  # with the folders of two operators, every entry that was called received is in one of them
)


class Report:
    """Progress and findings, as plain lines or as JSON lines ({"step", "done", "total"} and {"say"})."""

    def __init__(self, *, json_lines: bool) -> None:
        self._json = json_lines
        self._last: dict[str, tuple[int, float]] = {}

    def progress(self, step: str, done: int, total: int) -> None:
        """Tell how far a step is: at each hundredth as JSON, at each tenth as text, and at its end."""
        parts = 100 if self._json else 10
        part = parts * done // total if total else parts
        if self._last.get(step, (-1, 0.0))[0] == part and done < total:
            return
        self._last[step] = (part, time.monotonic())
        if self._json:
            self._print({"step": step, "done": done, "total": total})
        else:
            print(f"  {step}: {done} of {total}", flush=True)

    def step(self, name: str) -> "Step":
        """A callable (done, total) for one step."""
        return Step(self, name)

    def say(self, sentence: str) -> None:
        """A finding, for the reader."""
        if self._json:
            self._print({"say": sentence})
        else:
            print(sentence, flush=True)

    @staticmethod
    def _print(line: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


class Step:
    """Progress of one step."""

    def __init__(self, report: Report, name: str) -> None:
        self._report, self._name = report, name

    def __call__(self, done: int, total: int) -> None:
        self._report.progress(self._name, done, total)


def refuse_living(home: Home) -> None:
    """Raise CommandError when the keeper or the sequencer of this home runs."""
    if processes.socket_answers(home.socket("keeper.sock")):
        raise CommandError("The keeper of this home is running; stop it first.")
    lock = home.portal / "journal" / "lock"
    if lock.exists():
        with lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise CommandError("The portal of this home is running; stop it first.") from None


def make_room(home: Home, *, replace: bool) -> None:
    """Leave no portal and no keeper in the home. Raises CommandError when there is one and not `replace`."""
    for folder in (home.portal, home.keeper):
        if folder.exists() and any(path.is_file() for path in folder.rglob("*") if path.suffix != ".log"):
            if not replace:
                raise CommandError(f"{folder} is not empty; --replace deletes it and rebuilds it.")
            shutil.rmtree(folder)
