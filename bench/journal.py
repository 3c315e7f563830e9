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
        calm = town.inside("bench.inside", "steady", RATE, RATE_S)
        waits = ", ".join(f"{name} {calm[f'{name}_ms']:.0f} ms" for name in ("p50", "p99", "max"))
        say(f"  at {calm['rate']:.0f} entries a second: {waits}")
        filled = town.inside("bench.inside", "fill", ENTRIES)
        say(f"  {filled} entries wait in the outbox")
        done = town.inside("bench.inside", "sequence")
        assert done["entries"] == filled
        yield "journal.sequenced_per_s", done["entries"] / done["seconds"]
        yield "journal.receipt_p99_ms_at_200", calm["p99_ms"]
        rebuilt = town.inside("bench.inside", "rebuild")
        yield "journal.rebuild_per_s", rebuilt["entries"] / rebuilt["seconds"]
