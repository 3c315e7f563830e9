"""Keep a small journal of this version for ever: `python scripts/store_journal.py`, once for each release.

A demo country of 60 people is made and lived in for a minute (booked, booked for a child, cancelled, booked and
cancelled by the office). What its first operator holds, the holders' keys, one receipt, and what stood in the kept
tables go into `tests/journals/kulla-VERSION.tar.xz`, which every later version must rebuild (`tests/test_journals.py`).
The keys in it protect invented people only.
"""

import argparse
import hashlib
import json
import sqlite3
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path.cwd()
sys.path.insert(0, str(ROOT))

from tests import journeys  # noqa: E402
from tests.country import Country  # noqa: E402

# What a rebuild needs, and what a reader of the archive wants to know.
PARTS = ("home.json", "policy", "accounts.json", "holders", "operators/1")


def live(country: Country) -> bytes:
    """A minute of a country's life; a receipt of it."""
    citizen, guardian = country.sign_in("citizen"), country.sign_in("guardian")
    receipt = journeys.wait_received(citizen, journeys.book(citizen, reason="Dhimbje në gju, që nga e hëna"))
    address = next(href for href, _ in receipt.links if "receipt.tlog-proof" in href)
    proof = citizen.open(address).body
    journeys.wait_received(guardian, journeys.book(guardian, ward=True))
    journeys.wait_received(citizen, journeys.cancel(citizen, receipt))
    clerk = country.sign_in("clerk")
    journeys.open_all_day(clerk)
    accounts = country.accounts()
    journeys.phone_book(clerk, accounts["citizen"].number, first=True)
    journeys.office_cancel(clerk, journeys.phone_book(clerk, accounts["guardian"].number).url)
    journeys.wait_received(citizen, journeys.book(citizen))
    return proof


def kept(database: Path) -> dict[str, dict[str, object]]:
    """Of each kept table (it has a column `rev`): how many rows, and the SHA-256 of their sorted `id:rev` lines."""
    with sqlite3.connect(database) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {}
        for name in sorted(names):
            columns = {row[1] for row in db.execute(f"PRAGMA table_info({name})")}
            if {"id", "rev"} <= columns and not name.startswith("record_"):
                lines = sorted(f"{key}:{rev}" for key, rev in db.execute(f"SELECT id, rev FROM {name}"))  # noqa: S608
                digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
                found[name] = {"rows": len(lines), "sha256": digest}
    return found


def main() -> None:
    """Make the archive of the version in pyproject.toml."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "tests" / "journals", metavar="DIR")
    parser.add_argument("--version", help="default: the one in pyproject.toml")
    args = parser.parse_args()
    version = args.version or tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    target = args.out / f"kulla-{version}.tar.xz"
    if target.exists():
        parser.error(f"{target} is there already: a released version's journal is not made again.")
    with TemporaryDirectory(prefix="k-") as folder:
        home = Path(folder) / "demo"
        command = [sys.executable, "-m", "kulla.cli", "demo", "--home", str(home), "--people", "60", "--fast"]
        subprocess.run(command, check=True)
        country = Country(home).up()
        try:
            proof = live(country)
        finally:
            country.stop()
        (home / "receipt.tlog-proof").write_bytes(proof)
        (home / "expected.json").write_text(json.dumps(kept(home / "portal" / "db.sqlite3"), indent=1) + "\n")
        with tarfile.open(target, "w:xz") as archive:
            for part in (*PARTS, "receipt.tlog-proof", "expected.json"):
                archive.add(home / part, part, filter=_plain)
    sys.stdout.write(f"{target}: {target.stat().st_size} bytes\n")


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if (
        member.name.endswith((".log", "/lock"))
        and "records-" not in member.name
        and "tombstones" not in member.name
    ):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    main()
