"""The data key for services is made at the first use: once, on the copies, and never again after it was destroyed."""

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from kulla.keeper.admin import Admin, open_keeper
from kulla.keeper.errors import RecordsBroken, Refusal
from kulla.keeper.importing import Report
from kulla.keeper.people import NUMBER
from kulla.keeper.rebuild import rebuild_keeper
from kulla.keeper.testkit import ARTA, BESA, DRITAN, RunningKeeper, start_keeper, stop_keeper
from kulla.keeper.vault import IDENTITY, SERVICES, Cell, seal_own

SERVICE = "appointments"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningKeeper]:
    found = start_keeper(tmp_path, start=False)
    yield found
    stop_keeper(found)


def who(admin: Admin, number: str) -> UUID:
    person = admin._keeper.people.by_identifier(NUMBER, number)
    assert person is not None
    return person


def cell(admin: Admin, person: UUID) -> Cell:
    return Cell("t", "c", uuid4(), person, admin._keeper.people.pseudonym(person, SERVICE), SERVICE)


def rows(admin: Admin, sql: str, *values: object) -> int:
    return len(admin._keeper.register.rows(sql, *values))


def test_it_is_made_once_however_many_ask_at_once(running: RunningKeeper) -> None:
    with open_keeper(running.keeper_home) as admin:
        vault, arta = admin._keeper.vault, who(admin, ARTA.number)
        assert rows(admin, "SELECT 1 FROM data_key WHERE retention = ?", SERVICES) == 0
        place, blobs = cell(admin, arta), []
        threads = [
            threading.Thread(target=lambda: blobs.append(vault.seal_field(place, "dhimbje koke")))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert rows(admin, "SELECT 1 FROM data_key WHERE retention = ?", SERVICES) == 1
        assert [vault.open_field(place, blob) for blob in blobs] == ["dhimbje koke"] * 8
        before = admin._keeper.records.last
        vault.seal_field(place, "x")
        assert admin._keeper.records.last == before
    with open_keeper(running.keeper_home) as admin:
        assert admin._keeper.vault.open_field(place, blobs[0]) == "dhimbje koke"


def test_opening_makes_no_key(running: RunningKeeper) -> None:
    with open_keeper(running.keeper_home) as admin:
        arta, dritan = who(admin, ARTA.number), who(admin, DRITAN.number)
        blob, before = admin._keeper.vault.seal_field(cell(admin, arta), "x"), admin._keeper.records.last
        place = cell(admin, dritan)
        before = admin._keeper.records.last
        with pytest.raises(RecordsBroken):
            admin._keeper.vault.open_field(place, blob)
        assert admin._keeper.records.last == before


def destroy(running: RunningKeeper, person: UUID, retention: str) -> None:
    """As a tombstone does to the register: the key's row goes."""
    db = sqlite3.connect(running.keeper_home / "register.sqlite3", isolation_level=None)
    gone = db.execute("DELETE FROM data_key WHERE person = ? AND retention = ?", (person.bytes, retention))
    assert gone.rowcount == 1
    db.close()


def test_a_destroyed_key_is_not_made_again(running: RunningKeeper) -> None:
    with open_keeper(running.keeper_home) as admin:
        arta = who(admin, ARTA.number)
        admin._keeper.vault.seal_field(cell(admin, arta), "x")
    destroy(running, arta, SERVICES)
    with open_keeper(running.keeper_home) as admin:
        with pytest.raises(RecordsBroken, match="gone"):
            admin._keeper.vault.seal_field(cell(admin, arta), "y")
        assert (
            rows(admin, "SELECT 1 FROM data_key WHERE person = ? AND retention = ?", arta.bytes, SERVICES)
            == 0
        )


def test_whoever_was_erased_gets_no_first_key(running: RunningKeeper) -> None:
    with open_keeper(running.keeper_home) as admin:
        besa = who(admin, BESA.number)
    destroy(running, besa, IDENTITY)
    with open_keeper(running.keeper_home) as admin, pytest.raises(RecordsBroken, match="gone"):
        admin._keeper.vault.seal_field(cell(admin, besa), "y")


def test_without_copies_a_first_use_is_refused_and_later_ones_are_not(running: RunningKeeper) -> None:
    with open_keeper(running.keeper_home) as admin:
        vault = admin._keeper.vault
        arta, dritan = cell(admin, who(admin, ARTA.number)), cell(admin, who(admin, DRITAN.number))
        vault.seal_field(arta, "x")
        for mirror in running.mirrors[1:]:
            mirror.stop()
        assert vault.seal_field(arta, "y")
        with pytest.raises(Refusal) as caught:
            vault.seal_field(dritan, "y")
        assert caught.value.code == "copies_unavailable"
        for mirror in running.mirrors[1:]:
            mirror.start()


def old_person(admin: Admin, profile: dict[str, Any]) -> UUID:
    """The three records of a person as the first keepers wrote them."""
    keeper, person = admin._keeper, uuid4()
    own, key = keeper.vault.new_data_key(person, IDENTITY)
    services, _ = keeper.vault.new_data_key(person, SERVICES)
    sealed = seal_own(own["id"], key, person, "profile", profile)
    marks = [[NUMBER, keeper.people.mark(NUMBER, profile["number"])]]
    body = {"type": "person", "person": person, "profile": sealed, "identifiers": marks}
    keeper.committer.commit(own, services, body, ids=[own["id"], services["id"], person.bytes])
    return person


def test_people_of_the_first_keepers_are_rebuilt_changed_and_never_given_a_second_first_key(
    running: RunningKeeper, tmp_path: Path
) -> None:
    profile = {"first_name": "Old", "last_name": "Form", "birth_date": "1990-11-05", "sex": "m", "phone": ""}
    profile |= {"number": "J01105001A", "email": "", "language": "sq", "address": ""}
    with open_keeper(running.keeper_home) as admin:
        old = old_person(admin, profile)
        assert admin._keeper.people.identifiers(old) == [(NUMBER, "J01105001A")]
        place = cell(admin, old)
        blob, before = admin._keeper.vault.seal_field(place, "x"), admin._keeper.records.last
        row = {**profile, "phone": "+355 69 1", "address": "Rruga 1", "passport": "ALB BA1"}
        report: Report = admin.import_people([{**row, "phone": "+355 69 111 222"}])
        assert dict(report.fields) == {"phone": 1, "address": 1, "identifiers": 1}
        assert admin._keeper.records.last == before + 2
    shutil.move(running.keeper_home, tmp_path / "lost")
    folders = [mirror.home for mirror in running.mirrors]
    rebuilt = rebuild_keeper(running.keeper_home, folders, running.root_key)
    assert rebuilt.sentences == []
    with open_keeper(running.keeper_home) as admin:
        people, vault = admin._keeper.people, admin._keeper.vault
        assert people.identifiers(old) == [(NUMBER, "J01105001A"), ("passport", "ALB BA1")]
        assert people.profile(old)["address"] == "Rruga 1"
        assert people.commitment(old) == ("J01105001A", "Old Form", "1990-11-05")
        assert vault.open_field(place, blob) == "x"
        assert people.by_identifier("passport", "ALB BA1") == old
    destroy(running, old, SERVICES)
    with open_keeper(running.keeper_home) as admin, pytest.raises(RecordsBroken, match="gone"):
        admin._keeper.vault.seal_field(cell(admin, old), "y")
