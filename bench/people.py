"""People: how fast they come into the register, and how fast they sign in.

The keeper is a real one with three real mirror processes on loopback, each with its own folder, all on this machine.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from bench import sign_ins
from kulla.keeper.admin import Admin, open_keeper
from kulla.keeper.numbers import al
from kulla.keeper.testkit import start_keeper, stop_keeper

IMPORTED = 60_000
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVW"
DAYS = 30_000  # of birth, so that a hundred million numbers are different


def figures() -> Iterator[tuple[str, float]]:
    """All figures about people."""
    yield from import_figures()
    yield from sign_ins.figures()


# Import ---------------------------------------------------------------------------------------------------


def import_figures(count: int = IMPORTED) -> Iterator[tuple[str, float]]:
    """People a second from a CSV file into the register, each on two of three key copies, for the whole file."""
    with tempfile.TemporaryDirectory(prefix="kulla-bench-") as folder:
        path = Path(folder) / "people.csv"
        write_people(path, count)
        running = start_keeper(Path(folder) / "country", start=False)
        try:
            with open_keeper(running.keeper_home) as admin:
                yield "people.import_per_s", _import(admin, path, count)
        finally:
            stop_keeper(running)


def _import(admin: Admin, path: Path, count: int) -> float:
    before = _memory()
    started = time.perf_counter()
    report = admin.import_file(path, progress=_say)
    took = time.perf_counter() - started
    assert (report.added, report.bad_lines) == (count, 0)
    print(f"  {count} people in {took:.1f} s; {before} MB before, {_memory()} MB at most", file=sys.stderr)
    return count / took


def _say(done: int, total: int) -> None:
    if done % 50_000 < 1000:
        print(f"  {done} of {total}, {_memory()} MB at most", file=sys.stderr)


def _memory() -> int:
    """MB that this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _name(number: int) -> str:
    """A made-up name, as names are: letters only."""
    syllables = ("ba", "rë", "çi", "lo", "mu", "ne", "ti", "sha", "gje", "ko")
    return "".join(syllables[int(digit)] for digit in f"{number:04}").capitalize()


def write_people(path: Path, count: int) -> None:
    """A file of made-up people, all different."""
    with path.open("w", encoding="utf-8") as file:
        file.write("number,first_name,last_name,birth_date,sex,phone,email,language,address\n")
        for number in range(count):
            born, rest = date(1930, 1, 1) + timedelta(days=number % DAYS), number // DAYS
            sex, rest = "fm"[rest % 2], rest // 2
            text = al.make(born, sex, 1 + rest % 999, LETTERS[rest // 999])
            name = f"{_name(number % 5003)},{_name(number % 7001)},{born},{sex}"
            phone, address = f"+355 69 {number % 10_000_000:07}", f'"Rruga e Dibrës {number % 300}, Tiranë"'
            file.write(f"{text},{name},{phone},,sq,{address}\n")
