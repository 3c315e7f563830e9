"""How fast the journal takes entries in, how long a receipt takes, how fast a rebuild goes.

Three real mirror processes that fsync, PostgreSQL with fsync, entries of two rows each.
"""

from collections.abc import Iterator

from bench.town import Town, say

ENTRIES = 30_000
RATE = 200
RATE_S = 20


def figures() -> Iterator[tuple[str, float]]:
    """journal.sequenced_per_s, journal.receipt_p99_ms_at_200, journal.rebuild_per_s."""
    with Town(20) as town:
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
        calm = town.inside("bench.inside", "steady", RATE, RATE_S)
        waits = ", ".join(f"{name} {calm[f'{name}_ms']:.0f} ms" for name in ("p50", "p99", "max"))
        say(f"  at {calm['rate']:.0f} entries a second: {waits}")
        assert calm["rate"] > 0.95 * RATE, f"only {calm['rate']:.0f} entries a second could be recorded"
        yield "journal.receipt_p99_ms_at_200", calm["p99_ms"]
