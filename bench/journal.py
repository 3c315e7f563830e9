"""How fast the journal takes entries in, how long a receipt takes, how fast a rebuild and a check go, what it costs.

Three real mirror processes that fsync, PostgreSQL with fsync, entries of two rows each.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.town import Town, say
from kulla.journal.check import check_folder
from kulla.journal.policy import Policy
from kulla.journal.receipt import Receipt
from kulla.journal.segment import parse_segment
from kulla.journal.store import LogFolder, segment_path
from kulla.journal.verify import verify_receipt

ENTRIES = 30_000
RATE_S = 20
VERIFIED = 400
STEP = 50_000  # entries of one portion of the growth


def figures() -> Iterator[tuple[str, float]]:
    """journal.* as docs/journal.md lists them, but for the growth."""
    with Town(40) as town:
        town.start_mirrors()
        town.start_keeper()
        filled = town.inside("bench.inside", "fill", ENTRIES)
        say(f"  {filled} entries wait in the outbox")
        done = town.inside("bench.inside", "sequence")
        assert done["entries"] == filled, f"{filled} waited, {done['entries']} were received"
        say(f"  received in {done['rounds']} rounds, {done['seconds']:.1f} s")
        yield "journal.sequenced_per_s", done["entries"] / done["seconds"]
        # One core, so SQLite: everything happens in the one process that is measured.
        other = {"KULLA_HOME": str(town.folder / "again"), "KULLA_DATABASE_URL": ""}
        rebuilt = town.inside("bench.inside", "rebuild", town.home.path, env=other)
        say(
            f"  {rebuilt['entries']} entries with {rebuilt['rows']} rows rebuilt in {rebuilt['seconds']:.1f} s"
        )
        assert rebuilt["entries"] >= filled
        yield "journal.rebuild_per_s", rebuilt["entries"] / rebuilt["seconds"]
        yield "journal.rebuild_vs_copy", _against_copy(town)
        yield from _of_the_folder(town)
        for rate in (200, 800):
            calm = town.inside("bench.inside", "steady", rate, RATE_S)
            waits = ", ".join(f"{name} {calm[f'{name}_ms']:.0f} ms" for name in ("p50", "p99", "max"))
            say(f"  at {calm['rate']:.0f} entries a second: {waits}")
            assert calm["rate"] > 0.95 * rate, f"only {calm['rate']:.0f} entries a second could be recorded"
            yield f"journal.receipt_p99_ms_at_{rate}", calm["p99_ms"]


def _against_copy(town: Town) -> float:
    """The rebuild into an empty PostgreSQL, and a bare COPY of the rows that it made, into the same emptied tables."""
    town.server.psql("CREATE DATABASE again")
    other = {"KULLA_HOME": str(town.folder / "third"), "KULLA_DATABASE_URL": town.server.url("again")}
    rebuilt = town.inside("bench.inside", "rebuild", town.home.path, env=other)
    copied = town.inside("bench.inside", "copy", env=other)
    say(
        f"  on PostgreSQL {rebuilt['seconds']:.1f} s; COPY of its {copied['rows']} rows {copied['seconds']:.2f} s"
    )
    return float(copied["seconds"] / rebuilt["seconds"])


def _of_the_folder(town: Town) -> Iterator[tuple[str, float]]:
    """What a mirror's copy says: the full check, one receipt, bytes an entry."""
    operator = town.home.operators[0]
    (path,) = (operator / "mirror").iterdir()
    policy_text = town.home.policy.read_text()
    folder, policy = LogFolder(path), Policy.parse(policy_text)
    began = time.perf_counter()
    report = check_folder(folder, policy)
    seconds = time.perf_counter() - began
    assert not report.problems, report.problems
    yield "journal.check_per_s", report.size / seconds
    note = LogFolder(town.home.portal / "journal").read_checkpoint_note()  # cosigned by a quorum
    assert note is not None
    segment = parse_segment(folder.read(segment_path(*folder.segment_at(report.size - 1))))
    texts = [
        Receipt.build(folder, segment.first + place, note, b"", sealed, segment.header).text
        for place, sealed in enumerate(segment.sealed[:VERIFIED])
    ]
    began = time.perf_counter()
    for text in texts:
        verify_receipt(text, policy_text)
    yield "journal.verify_ms", 1000 * (time.perf_counter() - began) / len(texts)
    octets = sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
    yield "journal.bytes_per_entry", octets / report.size


def growth(most: int) -> Iterator[tuple[int, float]]:
    """(entries so far, entries a second of the last portion) up to `most`: each portion filled, then sequenced."""
    with Town(40) as town:
        town.start_mirrors()
        town.start_keeper()
        total = 0
        while total < most:
            filled = town.inside("bench.inside", "fill", STEP, timeout=600)
            done = town.inside("bench.inside", "sequence", timeout=600)
            assert done["entries"] == filled
            total += filled
            yield total, done["entries"] / done["seconds"]


def main(most: int, plot: Path) -> None:
    """Print the growth and draw it. Gives the ratio of the last portions' cost to the first ones'."""
    found = []
    for total, rate in growth(most):
        found.append((total, rate))
        print(f"{total} {rate:.0f}", flush=True)
    tenth = max(1, len(found) // 10)
    first, last = (sum(1 / rate for _, rate in part) / tenth for part in (found[:tenth], found[-tenth:]))
    print(f"journal.growth_ratio: {last / first:.3f}")
    plot.write_text(drawing(found))


def drawing(found: list[tuple[int, float]]) -> str:
    """The growth as a picture (SVG): entries so far across, entries a second upwards, from 0."""
    wide, high, left, low = 720, 300, 70, 40
    top, end = max(rate for _, rate in found) * 1.1, found[-1][0]
    points = " ".join(
        f"{left + (wide - left - 10) * total / end:.1f},{(high - low) * (1 - rate / top) + 10:.1f}"
        for total, rate in found
    )
    step = 2000
    lines = "".join(
        f'<line x1="{left}" x2="{wide - 10}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ccc"/>'
        f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{value:,}</text>'
        for value in range(0, int(top), step)
        for y in [(high - low) * (1 - value / top) + 10]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" font-size="13">'
        f"<title>Entries a second while the journal grows to {end:,} entries</title>"
        f'{lines}<polyline points="{points}" fill="none" stroke="#1d5c45" stroke-width="2"/>'
        f'<text x="{wide - 10}" y="{high - 8}" text-anchor="end">{end:,} entries</text>'
        f'<text x="{left}" y="{high - 8}">0</text></svg>\n'
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
