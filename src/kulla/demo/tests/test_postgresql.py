"""The wipe on PostgreSQL, where the tables do not go with the portal's folder: once broken off, then once whole."""

from pathlib import Path

import pytest
from tests.postgres import Server

from kulla.demo.tests.test_country import kulla, start, stop, wait


@pytest.mark.postgres
def test_broken_off_and_then_wiped_with_nothing_lost(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    with Server() as server:
        server.psql("CREATE DATABASE kulla")
        url = server.url("kulla")
        made = kulla(
            "demo", "--home", home, "--people", "40", "--seed", "7", "--fast", KULLA_DATABASE_URL=url
        )
        assert made.returncode == 0, made.stderr
        up = start(home, KULLA_DATABASE_URL=url)
        up.cookies.load("language=en")
        key = home / "holders" / "rebuild.key"
        right = key.read_text()
        try:
            entries = server.psql("SELECT uuid FROM record_entry ORDER BY uuid", "kulla").split()
            assert len(entries) >= 8
            key.write_text("11" * 32)
            assert up.post("/", "/demo/wipe", back="/")[0] == 302
            wait(lambda: "The rebuild failed" in up.fetch("GET", "/")[1], 60, "it never failed")
            key.write_text(right)
            assert kulla("up", "--home", home, "--rebuild").returncode == 0
            wait(lambda: up.fetch("GET", "/demo/wiped")[0] == 200, 60, (home / "run/up.log").read_text())
            assert "0 lost" in up.fetch("GET", "/demo/wiped")[1]
            after = server.psql("SELECT uuid FROM record_entry ORDER BY uuid", "kulla").split()
            assert set(entries) <= set(after)
            assert not (home / "portal" / "db.sqlite3").exists()
        finally:
            stop(up)
