"""`kulla people`: files in, what is told, and what an exit code means."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kulla.keeper import testkit
from kulla.keeper.admin import open_keeper
from kulla.keeper.testkit import ARTA, BESA, DRITAN, RunningKeeper
from kulla.keeper_client import Refused, connect

HEAD = "number,first_name,last_name,birth_date,sex,address\n"
LINES = "J01105001A,Zamira,Dervishi,1990-11-05,m,Rruga 1\nJ01105002A,Ana,O'Brien,1990-11-05,m,Rruga 2\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKeeper]:
    kept = testkit.start_keeper(tmp_path_factory.mktemp("people"), start=False)
    yield kept
    testkit.stop_keeper(kept)


def people(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "kulla.cli", "people", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def importing(running: RunningKeeper, path: Path, *options: object) -> "subprocess.CompletedProcess[str]":
    return people("import", path, "--config", running.keeper_home / "keeper.json", *options)


def test_a_file_goes_in_and_the_numbers_are_told(running: RunningKeeper, tmp_path: Path) -> None:
    path, report = tmp_path / "people.csv", tmp_path / "report.json"
    path.write_text(HEAD + LINES + "J0110X003A,Zamira,D,1990-11-05,m,\n")
    dry = importing(running, path, "--dry-run", "--report", report)
    assert dry.returncode == 1
    assert "A dry run: nothing was changed." in dry.stdout
    assert "2 people added, 0 known already, 1 lines not imported." in dry.stdout
    assert "line 4: A personal number" in dry.stderr
    assert json.loads(report.read_text())["summary"]["added"] == 2
    done = importing(running, path)
    assert (done.returncode, "2 people added" in done.stdout) == (1, True)
    path.write_text(HEAD + LINES.replace("Rruga 1", "Rruga 9"))
    again = importing(running, path, "--full")
    assert again.returncode == 0
    assert "0 people added, 1 known already, 0 lines not imported." in again.stdout
    assert "1 changed: 1 moved, 0 renamed, 0 died, 0 deaths taken back." in again.stdout
    assert "  address: 1" in again.stdout
    assert "in the register and not in the extract; nothing was done about them." in again.stdout
    for told in (dry, done, again):
        assert "Zamira" not in told.stdout + told.stderr


def test_families_have_their_own_file(running: RunningKeeper, tmp_path: Path) -> None:
    path = tmp_path / "families.csv"
    path.write_text(f"ward,guardian,scopes\n{BESA.number},{DRITAN.number},school\n")
    done = importing(running, path, "--as", "families")
    assert (done.returncode, "1 families added" in done.stdout) == (0, True)
    wrong = importing(running, path)
    assert wrong.returncode == 2
    assert "must name the columns" in wrong.stderr


def test_what_is_refused_whole_is_one_sentence(running: RunningKeeper, tmp_path: Path) -> None:
    missing = importing(running, tmp_path / "missing.csv")
    assert (missing.returncode, missing.stderr.count("Traceback")) == (2, 0)
    nowhere = people("fetch", "--config", running.keeper_home / "keeper.json")
    assert nowhere.returncode == 2
    assert "names no live register" in nowhere.stderr


def test_an_institution_makes_a_key_signs_and_nothing_else_goes_in(
    running: RunningKeeper, tmp_path: Path
) -> None:
    config = running.keeper_home / "keeper.json"
    before = config.read_text()
    key, path = tmp_path / "registry.key", tmp_path / "signed.csv"
    public = people("keygen", key).stdout.strip()
    assert people("keygen", key).returncode == 2
    try:
        settings = json.loads(before) | {"register_keys": [{"name": "registry", "key": public}]}
        config.write_text(json.dumps(settings))
        path.write_text(HEAD + LINES)
        refused = importing(running, path, "--unsigned")
        assert (refused.returncode, "not signed" in refused.stderr) == (2, True)
        signed = people("sign", path, "--key", key, "--full")
        assert "signed as complete file of people" in signed.stdout
        assert importing(running, path).returncode == 2
        assert importing(running, path, "--full").returncode == 0
    finally:
        config.write_text(before)


def test_who_died_while_the_keeper_was_stopped_is_signed_out_when_it_starts(
    running: RunningKeeper, tmp_path: Path
) -> None:
    running.start()
    client = connect(running.socket)
    arta = client.sign_in(ARTA.number, ARTA.password, network="192.0.2.7", device="a test")
    running.stop()
    path = tmp_path / "deaths.csv"
    path.write_text(f"number,died\n{ARTA.number},2026-01-02\n")
    assert "1 died" in importing(running, path).stdout
    running.start()
    try:
        assert arta.sid in client.revoked(0)[1]
        with pytest.raises(Refused) as caught:
            client.renew(arta.token)
        assert caught.value.code == "session"
        with pytest.raises(Refused) as caught:
            client.sign_in(ARTA.number, ARTA.password, network="192.0.2.7", device="a test")
        assert caught.value.code == "wrong", "as for a wrong password"
    finally:
        client.close()
        running.stop()
    with open_keeper(running.keeper_home) as admin:
        ended = admin._keeper.register.rows("SELECT 1 FROM session WHERE sid = ? AND ended > 0", arta.sid)
        assert len(ended) == 1
