"""What lies on disks: no personal value anywhere, and nothing in logs, without the root key."""

import contextlib
import time
from pathlib import Path
from resource import RLIMIT_FSIZE, prlimit

import pytest

from kulla.keeper.admin import open_keeper
from kulla.keeper.config import load
from kulla.keeper.core import Keeper
from kulla.keeper.errors import RecordsBroken
from kulla.keeper.rebuild import rebuild_keeper
from kulla.keeper.testkit import ARTA, BESA, DRITAN, ILIR, LUAN, VJOSA, keeper
from kulla.keeper.tests.conftest import Country
from kulla.keeper_client import Field, Refused, RegisterItem, connect

SERVICE = "appointments"


def personal() -> list[str]:
    values = ["dhimbje koke", "2012345", "Rruga e Dibrës", "192.0.2.77", "telefoni-im", "Takimi juaj: nesër"]
    for member in (ARTA, BESA, DRITAN, VJOSA, ILIR, LUAN):
        values += [member.number, member.birth_date.isoformat(), *member.name.split(" ")]
        values += [value for value in (member.password, member.totp) if value]
    return values


def test_no_disk_and_no_log_holds_a_personal_value(tmp_path: Path) -> None:
    from uuid import uuid4

    with keeper(tmp_path) as running:
        client = connect(running.socket)
        country = Country(running, client)
        arta = country.sign_in(ARTA, network="192.0.2.77", device="telefoni-im")
        clerk = country.sign_in(VJOSA, network="192.0.2.77")
        me = client.enter(arta.token, SERVICE).person
        assert me
        client.seal([Field("appointment", "reason", uuid4(), me, SERVICE, "dhimbje koke")])
        client.notify(me, SERVICE, "booked", uuid4(), {"when": "nesër", "where": "Tiranë"})
        client.find(clerk.token, "number", DRITAN.number, SERVICE)
        client.open(clerk.token, [RegisterItem(me, SERVICE, "name")], "day_list")
        for identifier in (DRITAN.number, DRITAN.name):
            with pytest.raises(Refused) as caught:
                client.sign_in(identifier, DRITAN.password + "x", network="192.0.2.77", device="telefoni-im")
            assert DRITAN.name not in str(caught.value)
        client.close()
        running.stop()
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.parent.name != "holders"]
    assert {"records.log", "register.sqlite3", "keeper.log"} <= {path.name for path in files}
    found = [
        (path.name, value)
        for path in files
        for value in personal()
        if value.encode() in path.read_bytes() or value in path.name
    ]
    assert found == []


def test_the_search_finds_what_it_searches_for(tmp_path: Path) -> None:
    """The test above cannot pass by searching wrongly: the office names are public and are found."""
    with keeper(tmp_path) as running:
        running.stop()
    register = (tmp_path / "keeper" / "register.sqlite3").read_bytes()
    wal = tmp_path / "keeper" / "register.sqlite3-wal"
    assert b"Poliklinika Nr. 1" in register + (wal.read_bytes() if wal.exists() else b"")


def test_another_root_key_opens_nothing(tmp_path: Path) -> None:
    with keeper(tmp_path, start=False) as running:
        good = running.root_key.read_text()
        running.root_key.write_text("00" * 32 + "\n")
        with Keeper(load(running.keeper_home / "keeper.json")) as opened, pytest.raises(RecordsBroken):
            opened.vault.system("lookup")
        running.root_key.write_text(good)
        with open_keeper(running.keeper_home) as admin:
            assert admin.people() == 6


def test_the_root_key_in_a_file_is_warned_of_loudly(tmp_path: Path) -> None:
    with keeper(tmp_path) as running:
        assert "ROOT KEY IN A FILE" in running.log()
        assert (running.root_key.stat().st_mode & 0o777) == 0o600
        assert (running.socket.stat().st_mode & 0o007) == 0


def test_a_full_disk_refuses_changes_until_there_is_room_and_no_longer(tmp_path: Path) -> None:
    """The living process may write no file any further (RLIMIT_FSIZE); then it may again, without a restart."""
    with keeper(tmp_path) as running:
        client = connect(running.socket)
        country = Country(running, client)
        arta = country.sign_in(ARTA)
        client.enter(arta.token, SERVICE)  # a service's first use makes a record
        assert running.process
        for limit in ((running.keeper_home / "records.log").stat().st_size, 1):
            prlimit(running.process.pid, RLIMIT_FSIZE, (limit, -1))
            for _ in range(3):
                with pytest.raises(Refused) as caught:
                    country.sign_in(ARTA)
                assert caught.value.code == "copies_unavailable"
            assert "disk_full" in client.status()["alarms"]
            assert client.enter(arta.token, SERVICE).person, "reading goes on"
            prlimit(running.process.pid, RLIMIT_FSIZE, (-1, -1))
            until = time.monotonic() + 10
            while "disk_full" in client.status()["alarms"] and time.monotonic() < until:
                with contextlib.suppress(Refused):
                    country.sign_in(ARTA)
            session = country.sign_in(ARTA)
        client.close()
        running.stop()
        report = rebuild_keeper(tmp_path / "again", [each.home for each in running.mirrors], running.root_key)
        assert (report.people, report.sentences) == (6, [])
        running.start()
        assert connect(running.socket).renew(session.token).sid == session.sid
