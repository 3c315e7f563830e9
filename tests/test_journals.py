"""What earlier versions wrote is rebuilt by this one: a stored journal of each (`scripts/store_journal.py`)."""

import hashlib
import json
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.country import run_kulla

JOURNALS = Path(__file__).with_name("journals")
VERSIONS = sorted(
    path.name.removeprefix("kulla-").removesuffix(".tar.xz") for path in JOURNALS.glob("*.tar.xz")
)


@pytest.fixture(scope="module", params=VERSIONS)
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was left of a country of that version: one operator's folder and the holders' keys; rebuilt by this one."""
    home = tmp_path_factory.mktemp("stored") / "demo"
    with tarfile.open(JOURNALS / f"kulla-{request.param}.tar.xz") as archive:
        archive.extractall(home, filter="data")
    done = run_kulla(
        *("rebuild", "--home", str(home), "--keys", str(home / "holders")),
        *("--from", str(home / "operators" / "1")),
    )
    assert "passed over" not in done.stdout + done.stderr, done.stdout
    return home


def test_each_version_has_its_journal() -> None:
    released = [
        line.split()[1]
        for line in (JOURNALS.parent.parent / "CHANGELOG.md").read_text().splitlines()
        if line.startswith("## ")
    ]
    # The newest is still being written.
    assert set(released[1:]) <= set(VERSIONS), f"no stored journal of some of {released[1:]}"


def test_every_row_of_then_is_there(home: Path) -> None:
    expected = json.loads((home / "expected.json").read_text())
    assert expected
    with sqlite3.connect(home / "portal" / "db.sqlite3") as db:
        for table, then in expected.items():
            lines = sorted(f"{key}:{rev}" for key, rev in db.execute(f"SELECT id, rev FROM {table}"))  # noqa: S608
            assert len(lines) == then["rows"], table
            assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == then["sha256"], table


def test_the_people_of_then_are_there(home: Path) -> None:
    """The keeper's index, derived anew from records of that version, holds each account that could sign in."""
    accounts = json.loads((home / "accounts.json").read_text())
    with sqlite3.connect(home / "keeper" / "register.sqlite3") as db:
        (people,) = db.execute("SELECT count(*) FROM person").fetchone()
        (passwords,) = db.execute("SELECT count(*) FROM credential").fetchone()
        (odd,) = db.execute("SELECT count(*) FROM passed_over").fetchone()
    assert people >= 60
    assert passwords >= sum(1 for account in accounts if account.get("password"))
    assert odd == 0


def test_a_receipt_of_then_verifies(home: Path) -> None:
    receipt, policy = home / "receipt.tlog-proof", home / "policy"
    done = run_kulla("verify", str(receipt), "--policy", str(policy))
    assert done.stdout.strip()
    changed = bytearray(receipt.read_bytes())
    changed[len(changed) // 2] ^= 1
    receipt.with_name("forged").write_bytes(changed)
    forged = subprocess.run(
        [sys.executable, "-m", "kulla.journal", "verify", receipt.with_name("forged"), "--policy", policy],
        capture_output=True,
        check=False,
    )
    assert forged.returncode == 1
