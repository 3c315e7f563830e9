"""How fast `kulla rebuild --compare` goes on one core: rows of tables beside the journal, on each engine."""

from collections.abc import Iterator

from bench.town import Town, say

ENTRIES = 150_000
NIGHT_S = 8 * 3600


def figures() -> Iterator[tuple[str, float]]:
    """compare.rows_per_s (PostgreSQL), compare.rows_per_s_sqlite; every entry has two rows."""
    with Town(40) as town:
        town.start_mirrors()
        town.start_keeper()
        filled = town.inside("bench.inside", "fill", ENTRIES)
        town.inside("bench.inside", "sequence")
        town.server.psql("CREATE DATABASE again")  # `fill` makes entries only: a rebuild makes their rows
        for name, url in (("", town.server.url("again")), ("_sqlite", "")):
            other = {"KULLA_HOME": str(town.folder / f"again{name}"), "KULLA_DATABASE_URL": url}
            town.inside("bench.inside", "rebuild", town.home.path, env=other)
            found = town.inside("bench.inside", "compare", town.home.path, env=other)
            assert found["entries"] >= filled
            yield f"compare.rows_per_s{name}", _said(found)


def _said(found: dict[str, float]) -> float:
    rate = found["rows"] / found["seconds"]
    say(
        f"  {found['entries']:.0f} entries with {found['rows']:.0f} rows in {found['seconds']:.1f} s:"
        f" {rate * NIGHT_S / 1e6:.0f} million rows in eight hours of one core"
    )
    return rate
