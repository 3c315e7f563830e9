"""Records count on two of three copies: one away changes nothing, two away refuse, and all of them catch up."""

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kulla.keeper.admin import open_keeper
from kulla.keeper.errors import ConfigError
from kulla.keeper.records import RecordFile
from kulla.keeper.testkit import RunningKeeper, invented, keeper
from kulla.keeper.tests.conftest import Country
from kulla.keeper_client import KeeperUnavailable, Refused, RegisterItem, connect


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Country]:
    with keeper(tmp_path) as running:
        client = connect(running.socket)
        yield Country(running, client)
        client.close()


def stored(country: Country, number: int) -> list[bytes]:
    """The records of one copy, read from its files without its program."""
    import hashlib
    import struct

    found = []
    for path in sorted((country.running.mirrors[number].home / "keycopy").glob("records-*.log")):
        data, at = path.read_bytes(), 0
        while at + 36 <= len(data):
            (length,) = struct.unpack_from(">I", data, at)
            body = data[at + 36 : at + 36 + length]
            assert hashlib.sha256(body).digest() == data[at + 4 : at + 36]
            found.append(body[24:])
            at += 36 + length
    return found


def own(country: Country) -> list[bytes]:
    file = RecordFile(country.running.keeper_home / "records.log")
    records = [record.raw for start in range(1, file.last + 1) for record in file.read(start, 1)]
    file.close()
    return records


def wait(condition: object, seconds: float = 8.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


def test_all_copies_hold_the_same_bytes_as_the_keeper(fresh: Country) -> None:
    fresh.sign_in(fresh.running.arta)
    assert wait(lambda: all(copy["behind"] == 0 for copy in fresh.client.status()["copies"]))
    mine = own(fresh)
    assert len(mine) > 20
    assert [stored(fresh, number) == mine for number in range(3)] == [True] * 3


def test_one_dead_copy_changes_nothing_and_is_caught_up(fresh: Country) -> None:
    fresh.running.mirrors[1].kill()
    sessions = [fresh.sign_in(fresh.running.arta) for _ in range(3)]
    assert len({session.sid for session in sessions}) == 3
    status = fresh.client.status()
    assert [copy["ok"] for copy in status["copies"]] == [True, False, True]
    assert status["alarms"] == ["copy_silent:operator-2"]
    fresh.running.mirrors[1].start()
    assert wait(lambda: fresh.client.status()["alarms"] == [])
    assert stored(fresh, 1) == own(fresh)


def test_with_two_dead_copies_nothing_changes_but_reading_and_ending_go_on(fresh: Country) -> None:
    session, other = fresh.sign_in(fresh.running.arta), fresh.sign_in(fresh.running.arta)
    fresh.client.enter(session.token, "appointments")
    for number in (0, 1):
        fresh.running.mirrors[number].kill()
    start = time.monotonic()
    with pytest.raises(Refused) as caught:
        fresh.sign_in(fresh.running.dritan)
    assert caught.value.code == "copies_unavailable"
    assert time.monotonic() - start < 5
    assert fresh.client.enter(session.token, "appointments").person
    assert fresh.client.end(session.token, other.sid) == [other.sid]
    with pytest.raises(Refused):
        fresh.client.renew(other.token)
    fresh.running.kill()
    fresh.running.start()  # reading goes on after a restart too, and the end still holds
    assert fresh.client.renew(session.token).sid == session.sid
    with pytest.raises(Refused):
        fresh.client.renew(other.token)
    for number in (0, 1):
        fresh.running.mirrors[number].start()
    assert wait(lambda: not fresh.client.status()["alarms"])
    assert fresh.sign_in(fresh.running.dritan)
    assert wait(lambda: stored(fresh, 0) == own(fresh))  # a copy may be the third, which nobody waited for


def test_a_change_reported_lost_may_be_stored_and_then_counts_everywhere(fresh: Country) -> None:
    """The other half of a failure: it was sent, so it must keep its number."""
    for number in (0, 1):
        fresh.running.mirrors[number].kill()
    before = fresh.client.status()["records"]
    with pytest.raises(Refused):
        fresh.sign_in(fresh.running.dritan)
    assert fresh.client.status()["records"] == before + 1
    fresh.running.kill()
    for number in (0, 1):
        fresh.running.mirrors[number].start()
    fresh.running.start()
    assert wait(lambda: not fresh.client.status()["alarms"])
    mine = own(fresh)
    assert len(mine) == before + 1
    assert [stored(fresh, number) == mine for number in range(3)] == [True] * 3


def test_killed_in_the_middle_of_writing_it_loses_nothing_acknowledged(fresh: Country) -> None:
    acknowledged: list[str] = []

    def work(member: object) -> None:
        client = connect(fresh.running.socket)
        try:
            while True:
                acknowledged.append(
                    client.sign_in(member.number, member.password, network="192.0.2.8", device="t").token  # type: ignore[attr-defined]
                )
        except (KeeperUnavailable, Refused):
            pass
        finally:
            client.close()

    for _ in range(3):
        threads = [threading.Thread(target=work, args=(fresh.running.arta,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.4)
        fresh.running.kill()
        for thread in threads:
            thread.join()
        fresh.running.start()
    assert len(acknowledged) > 10
    assert all(fresh.client.renew(token) for token in acknowledged)
    assert wait(lambda: all(copy["behind"] == 0 and copy["ok"] for copy in fresh.client.status()["copies"]))
    mine = own(fresh)
    assert [stored(fresh, number) == mine for number in range(3)] == [True] * 3


def test_a_keeper_whose_disk_was_set_back_takes_its_records_from_the_copies(fresh: Country) -> None:
    home = fresh.running.keeper_home
    fresh.running.stop()
    old = {path: path.read_bytes() for path in home.glob("re*") if path.is_file()}
    fresh.running.start()
    session = fresh.sign_in(fresh.running.arta)
    assert wait(lambda: all(copy["behind"] == 0 for copy in fresh.client.status()["copies"]))
    fresh.running.kill()
    expected = own(fresh)
    for path in home.glob("register.sqlite3*"):
        path.unlink()
    for path, data in old.items():
        path.write_bytes(data)
    fresh.running.start()
    assert wait(lambda: not fresh.client.status()["alarms"])
    assert fresh.client.renew(session.token).sid == session.sid
    assert own(fresh) == expected


def test_a_register_of_another_chain_is_made_anew(fresh: Country) -> None:
    import sqlite3

    session = fresh.sign_in(fresh.running.arta)
    fresh.running.stop()
    register = sqlite3.connect(fresh.running.keeper_home / "register.sqlite3")
    register.execute("UPDATE meta SET value = x'00' WHERE name = 'applied_hash'")
    register.execute("DELETE FROM person")
    register.commit()
    register.close()
    fresh.running.start()
    assert wait(lambda: fresh.client.status()["people"] == 6)
    assert fresh.client.renew(session.token).sid == session.sid
    assert "ALARM" in fresh.running.log()


def test_a_deleted_register_is_made_anew_with_all_pseudonyms(fresh: Country) -> None:
    session = fresh.sign_in(fresh.running.arta)
    me = fresh.client.enter(session.token, "appointments").person
    assert me
    fresh.running.stop()
    for path in fresh.running.keeper_home.glob("register.sqlite3*"):
        path.unlink()
    fresh.running.start()
    [opened] = fresh.client.open(session.token, [RegisterItem(me, "appointments", "name")], "x")
    assert opened.text == "Arta Hoxha"


def test_changed_settings_become_a_record(fresh: Country) -> None:
    import json

    before = fresh.client.status()["records"]
    path = fresh.running.keeper_home / "keeper.json"
    fresh.running.stop()
    path.write_text(json.dumps({**json.loads(path.read_text()), "notices_per_day": 3}))
    fresh.running.start()
    assert wait(lambda: fresh.client.status()["records"] == before + 1)


def test_a_copy_with_another_record_is_not_overwritten_and_raises_an_alarm(
    fresh: Country, tmp_path: Path
) -> None:
    """A copy that was changed, or belongs to another keeper: 2 of 3 go on, somebody must look."""
    fresh.running.stop()
    mirror = fresh.running.mirrors[2]
    mirror.stop()
    [path] = (mirror.home / "keycopy").glob("records-*.log")
    import hashlib
    import struct

    data = path.read_bytes()
    at, start = 0, 0
    while at < len(data):
        start, at = at, at + 36 + struct.unpack_from(">I", data, at)[0]
    body = bytearray(data[start + 36 :])
    body[-1] ^= 1
    path.write_bytes(data[: start + 4] + hashlib.sha256(body).digest() + body)
    mirror.start()
    fresh.running.start()
    assert fresh.sign_in(fresh.running.arta)
    assert wait(lambda: "copy_conflict:operator-3" in fresh.client.status()["alarms"])


def test_a_copy_of_the_home_beside_the_original_costs_a_restart_and_no_rebuild(
    fresh: Country, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Two keepers of one root key: whoever comes second is refused, and after a restart has what counted."""
    running, elsewhere = fresh.running, tmp_path_factory.mktemp("beside")
    running.stop()
    for name in ("keeper", "holders", "run"):
        ignore = shutil.ignore_patterns("*.sock", "lock")
        shutil.copytree(running.home / name, elsewhere / name, ignore=ignore)
    running.start()
    assert wait(lambda: not fresh.client.status()["alarms"])
    beside = RunningKeeper(elsewhere, running.mirrors, running.public)
    beside.start()
    other = Country(beside, connect(beside.socket))
    assert wait(lambda: not other.client.status()["alarms"])
    theirs = [other.sign_in(running.arta) for _ in range(3)]
    with pytest.raises(Refused) as caught:
        fresh.sign_in(running.dritan)
    assert caught.value.code == "copies_unavailable"
    assert wait(lambda: any("copy_conflict" in alarm for alarm in fresh.client.status()["alarms"]))
    other.client.close()
    beside.stop()
    running.kill()
    dead_end = (running.keeper_home / "records.log").read_bytes()
    running.start()
    assert wait(lambda: not fresh.client.status()["alarms"])
    session = fresh.sign_in(running.dritan)
    assert fresh.client.renew(session.token).sid == session.sid
    assert fresh.client.renew(theirs[-1].token).sid == theirs[-1].sid
    assert wait(lambda: all(copy["behind"] == 0 for copy in fresh.client.status()["copies"]))
    assert [stored(fresh, number) == own(fresh) for number in range(3)] == [True] * 3
    aside = list(running.keeper_home.glob("records.log.torn-*"))
    assert len(aside) == 1
    assert dead_end.endswith(aside[0].read_bytes()), "evidence is kept"


def test_an_administrator_needs_the_keeper_stopped(fresh: Country) -> None:
    with pytest.raises(ConfigError, match="running already"), open_keeper(fresh.running.keeper_home):
        pass


def test_groups_are_committed_together(fresh: Country) -> None:
    """Five thousand people are fifteen thousand records: they must not be written one by one."""
    start = time.monotonic()
    with fresh.running.administered() as admin:
        report = admin.import_people(invented(1000))
    assert (report.added, report.bad) == (1000, [])
    assert time.monotonic() - start < 10
    assert fresh.client.status()["people"] == 1006
