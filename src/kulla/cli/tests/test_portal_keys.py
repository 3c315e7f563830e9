"""The portal's keys come back into files whose names no record decides."""

import json
from pathlib import Path

from kulla.cli import restoring
from kulla.cli.home import Home
from kulla.keeper.testkit import RunningKeeper, keeper


def poison(running: RunningKeeper) -> None:
    """What an older keeper let in: records with names of the thief's choice."""
    with running.administered() as admin:
        admin.store_portal_keys({"checkpoint": b"\x01" * 32, "cookie": b"\x02" * 32})
        ring = admin._keeper.ring
        for name in ("../../pwned", "x" * 1000, "other"):
            body = {
                "type": "portal_key",
                "name": name,
                "wrapped": ring.wrap_system(f"portal:{name}", b"\x03" * 32),
            }
            admin._keeper.committer.commit(body)


def test_names_in_records_become_no_paths(tmp_path: Path) -> None:
    with keeper(tmp_path) as running:
        poison(running)
        running.stop()
        home = Home(tmp_path, {})
        home.portal.mkdir()
        restoring._portal_keys(home, b"\x05" * 32)
        written = sorted(path.name for path in (home.portal / "keys").iterdir())
        assert written == ["checkpoint.key", "cookie.key"]
        assert not list(tmp_path.rglob("*pwned*"))
        assert (home.portal / "keys" / "cookie.key").read_text() == "02" * 32 + "\n"
        assert len(json.loads((home.portal / "recipients.json").read_text())) == 2
