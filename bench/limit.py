"""L: what this PostgreSQL does at most with two plain inserts in one transaction, measured by pgbench."""

import re

from tests.postgres import Server

from bench.town import say

CLIENTS = 32
SECONDS = 8  # before the bookings and again after them: machines are not equally fast all the time
TABLES = """
    CREATE TABLE one (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, body text NOT NULL);
    CREATE TABLE two (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, body text NOT NULL)
"""
SCRIPT = """\\set n random(1, 1000000)
BEGIN;
INSERT INTO one (at, body) VALUES (now(), :n);
INSERT INTO two (at, body) VALUES (now(), :n);
COMMIT;
"""


def measure(server: Server) -> float:
    """Transactions a second."""
    server.psql("DROP DATABASE IF EXISTS bench")
    server.psql("CREATE DATABASE bench")
    server.psql(TABLES, "bench")
    script = server.folder / "two_inserts.sql"
    script.write_text(SCRIPT)
    script.chmod(0o644)
    assert server.psql("SHOW fsync").strip() == "on"
    printed = server.pgbench(
        "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS), "-f", str(script),
        database="bench",
    )  # fmt: skip
    found = re.search(r"tps = ([0-9.]+) \(without initial", printed)
    assert found, printed
    say(f"  pgbench: {float(found[1]):.0f} transactions a second")
    return float(found[1])
