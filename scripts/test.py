#!/usr/bin/env python3
"""Every check and every test, in stages; the first stage that fails ends the run with its name.

Usage: python scripts/test.py            all stages (`make test`, and the CI)
       python scripts/test.py STAGE …    only these, such as: types sqlite
       python scripts/test.py --list

What is missing on the machine (Chromium, PostgreSQL) is installed with apt-get when the user is root, else named
with the command that installs it. Nothing is skipped: conftest.py turns every skip into a failure.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTEST = [
    sys.executable, "-m", "pytest", "--no-header", "--durations=8", "--durations-min=5",
    "-n", os.environ.get("KULLA_TEST_WORKERS", "2"), "--dist", "loadfile",
]  # fmt: skip


class StageFailed(Exception):
    """Why a stage failed, as a sentence."""


def say(line: str) -> None:
    """One line to the terminal at once, so that it stands before the output of the programs."""
    print(line, flush=True)  # noqa: T201


def run(*command: str | Path, **env: str) -> None:
    """Run one program in the root folder. Raises StageFailed when it fails."""
    done = subprocess.run([str(part) for part in command], cwd=ROOT, env={**os.environ, **env}, check=False)
    if done.returncode:
        shown = " ".join(str(part).replace(f"{BIN}/", "") for part in command)
        raise StageFailed(f"`{shown}` ended with {done.returncode}")


def missing() -> dict[str, str]:
    """What the tests need and the machine lacks: Debian package -> why."""
    needed = {}
    if not shutil.which("chromium"):
        needed["chromium"] = "the browser tests drive Chromium"
    if not any(Path("/usr/lib/postgresql").glob("*/bin/initdb")) and not shutil.which("initdb"):
        needed["postgresql"] = "the tests start a PostgreSQL server of their own"
    return needed


def tools() -> None:
    """Chromium and PostgreSQL are there, or are installed now."""
    needed = missing()
    if not needed:
        return
    command = f"apt-get install -y --no-install-recommends {' '.join(needed)}"
    why = " and ".join(needed.values())
    if os.getuid() != 0 or not shutil.which("apt-get"):
        raise StageFailed(f"{why}. Install what is missing: sudo {command}")
    say(f"Installing {', '.join(needed)}: {why} …")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", "-qq", **quiet)
    # Debian would start a server of its own at once; ours must be the only one.
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *needed, **quiet)
    if missing():
        raise StageFailed(f"{', '.join(missing())} could not be installed; try: {command}")


def style() -> None:
    """ruff: faults, then format."""
    run(BIN / "ruff", "check", "--quiet", ".")
    run(BIN / "ruff", "format", "--check", "--quiet", ".")


def types() -> None:
    """mypy, strict."""
    run(
        BIN / "mypy", "--cache-dir", "/dev/null"
    )  # a cache left by another state of the tree tells of faults long gone


def layers() -> None:
    """import-linter: each room imports only rooms below it."""
    run(BIN / "lint-imports", "--no-cache")


def migrations() -> None:
    """No model has changed without its migration."""
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "portal").mkdir()
        run(
            sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run",
            DJANGO_SETTINGS_MODULE="kulla.settings", KULLA_HOME=home, KULLA_DEMO="1", KULLA_DATABASE_URL="",
        )  # fmt: skip


def catalogues() -> None:
    """No text without its Albanian."""
    run(sys.executable, "scripts/catalogues.py", "--check")


def pins() -> None:
    """Hashes, no download addresses, licences."""
    run(sys.executable, "scripts/check_pins.py")


closing_lines: list[str] = []


def pytest(engine: str) -> None:
    """Run pytest on an engine, show its output as it comes, and keep its closing line for the end."""
    command = [*PYTEST, "--engine", engine]
    closing = ""
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            closing = line.rstrip() if line.strip() else closing
    closing_lines.append(f"{closing} ({engine})")
    if process.returncode:
        raise StageFailed(f"pytest --engine {engine}: {closing.strip('= ')}")


def sqlite() -> None:
    """Every test on SQLite: rooms, promises that span rooms, browser."""
    pytest("sqlite")


def postgresql() -> None:
    """Every test that touches a database, on PostgreSQL."""
    pytest("postgresql")


STAGES: list[Callable[[], None]] = [
    tools, style, types, layers, migrations, catalogues, pins, sqlite, postgresql,
]  # fmt: skip


def main(arguments: list[str]) -> int:
    """Run the stages, all or those named. Exit code 1 at the first that fails, 2 for an unknown name."""
    known = {stage.__name__: stage for stage in STAGES}
    if "--list" in arguments:
        for stage in STAGES:
            say(f"{stage.__name__:12} {stage.__doc__}")
        return 0
    if unknown := [name for name in arguments if name not in known]:
        say(f"There is no stage {', '.join(unknown)}; there are {', '.join(known)}.")
        return 2
    chosen = [known[name] for name in arguments] or STAGES
    began = time.monotonic()
    for number, stage in enumerate(chosen, 1):
        say(f"── {number}/{len(chosen)} {stage.__name__}: {(stage.__doc__ or '').rstrip('.')}")
        started = time.monotonic()
        try:
            stage()
        except StageFailed as failed:
            say(f"\n✗ {stage.__name__} failed: {failed}")
            return 1
        say(f"   {time.monotonic() - started:.0f} s")
    say(
        f"\n✓ Every stage passed: {', '.join(stage.__name__ for stage in chosen)} ({time.monotonic() - began:.0f} s)"
    )
    for line in closing_lines:
        say(line)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
