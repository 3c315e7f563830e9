"""What stops an erasure, what it waits for, and whom it never touches."""

import shutil
from pathlib import Path
from uuid import UUID

import pytest

from kulla.journal.tombstone import HOLD, LIFTED
from kulla.keeper.erasing.finding import find
from kulla.keeper.erasing.tests.conftest import COURT, OFFICERS, Lab
from kulla.keeper.errors import KeeperError, Refusal
from kulla.keeper.my_data.tests.conftest import OFFICIALS
from kulla.keeper.records import RecordFile
from kulla.keeper.testkit import ARTA, BESA, DRITAN, invented
from kulla.keeper.vault import SERVICES

OTHER = invented(5)[0]["number"]


def gone(lab: Lab, person: UUID) -> bool:
    return lab.keeper.register.one("SELECT 1 FROM person WHERE id = ?", person.bytes) is None


def test_a_legal_hold_stops_it_until_its_issuer_lifts_it(lab: Lab) -> None:
    arta, request = lab.person(ARTA.number), lab.agree()
    lab.tend()
    [stone] = lab.unsigned()
    ident = lab.keeper.erasing._stones(request)[0][0]
    assert lab.send(stone) == [202] * 3
    assert lab.note(HOLD, ident, COURT) == [200] * 3
    lab.days_later(400)
    lab.tend()
    assert not gone(lab, arta)
    assert lab.note(LIFTED, ident, OFFICERS[0]) == [403] * 3
    assert lab.note(LIFTED, ident, COURT) == [200] * 3
    lab.days_later(401)
    lab.tend()
    assert gone(lab, arta)


def test_signed_by_one_or_sent_to_one_copy_it_destroys_nothing(lab: Lab) -> None:
    arta, request = lab.person(ARTA.number), lab.agree()
    lab.tend()
    [stone] = lab.unsigned()
    with pytest.raises(Exception, match="not a tombstone"):
        lab.send(stone, officers=OFFICERS[:1])
    assert lab.send(stone, to=[0]) == [202]
    lab.days_later(40)
    lab.tend()
    assert not gone(lab, arta), "one copy is no quorum"
    assert lab.keeper.erasing.standing(request) | {"at": 0, "changed": 0, "until": 0} == {
        "state": "waiting", "at": 0, "changed": 0, "until": 0, "stones": 1, "done": 0,
    }  # fmt: skip
    assert lab.keeper.people.field(arta, "name") == ARTA.name


def test_the_person_withdraws_while_it_waits(lab: Lab) -> None:
    arta, request = lab.person(ARTA.number), lab.agree()
    lab.tend()
    assert lab.send(*lab.unsigned()) == [202] * 3
    lab.days_later(20)
    with pytest.raises(Refusal):
        lab.keeper.my_data.erasures.withdraw(lab.live(OTHER), request)
    lab.keeper.my_data.erasures.withdraw(lab.live(ARTA.number), request)
    assert lab.keeper.my_data.erasures.all_of(arta)[0]["state"] == "withdrawn"
    lab.days_later(60)
    lab.tend()
    assert not gone(lab, arta)
    assert lab.keeper.erasing.standing(request)["state"] == "stopped"
    lab.tend()
    assert lab.keeper.my_data.erasures.ask(lab.live(ARTA.number), "Again.", everything=True), "may ask anew"


def test_withdrawn_before_the_officers_sent_it_stops_it_too(lab: Lab) -> None:
    arta, request = lab.person(ARTA.number), lab.agree()
    lab.tend()
    lab.keeper.my_data.erasures.withdraw(lab.live(ARTA.number), request)
    assert lab.send(*lab.unsigned()) == [202] * 3, "the copies do not know of it yet"
    lab.tend()
    lab.days_later(40)
    lab.tend()
    assert not gone(lab, arta), "the keeper objects to what comes later"
    assert lab.keeper.erasing.standing(request)["state"] == "stopped"


def test_a_key_made_meanwhile_waits_for_a_round_of_its_own(lab: Lab) -> None:
    arta, request = lab.person(ARTA.number), lab.agree()
    lab.tend()
    first = lab.unsigned()
    lab.send(*first)
    lab.keeper.vault.services_keys(arta)
    lab.days_later(31)
    lab.tend()
    assert not gone(lab, arta)
    assert lab.keeper.erasing.standing(request)["state"] == "waiting"
    second = [path for path in lab.unsigned() if path not in first]
    assert second
    assert lab.keeper.vault.data_keys(arta, SERVICES)
    lab.send(*second)
    lab.days_later(62)
    lab.tend()
    assert gone(lab, arta)


def test_others_of_a_shared_record_stand_as_they_were_even_if_they_change_meanwhile(
    lab: Lab, tmp_path: Path
) -> None:
    from kulla.keeper.erasing.tests.test_journey import everything, lab_now
    from kulla.keeper.rebuild import rebuild_keeper

    keeper, other = lab.keeper, lab.person(OTHER)
    shared = [
        body
        for record in keeper.records.read(1, 10 << 20)
        if (body := keeper.erasing._sealer.open(record)).get("type") == "people" and len(body["people"]) > 1
    ]
    assert {ARTA.number, OTHER} <= {
        keeper.people.profile(person)["number"] for body in shared for person, _, _ in body["people"]
    }, "they share a record"

    def move(town: str) -> None:
        with keeper.people.updating:
            keeper.committer.commit(keeper.people.update_body(other, {"address": town}))

    move("Rruga e parë")
    lab.agree()
    lab.tend()
    move("Rruga e dytë")
    lab.send(*lab.unsigned())
    lab.days_later(31)
    lab.tend()
    move("Rruga e tretë")
    assert keeper.people.profile(other)["address"] == "Rruga e tretë"
    assert keeper.people.field(lab.person(BESA.number), "name") == BESA.name
    living = everything(lab.running.keeper_home / "register.sqlite3")
    assert len(living["person"]) == keeper.people.count() > 8
    lab.close()
    homes = [mirror.home for mirror in lab.mirrors]
    rebuild_keeper(tmp_path / "r", homes, lab.running.root_key, at_ms=lab_now(31))
    assert everything(tmp_path / "r/register.sqlite3") == living


def test_a_derivation_anew_in_between_and_after_gives_the_same(lab: Lab) -> None:
    from kulla.keeper.erasing.tests.test_journey import everything

    arta, path = lab.person(ARTA.number), lab.running.keeper_home / "register.sqlite3"
    lab.agree()
    lab.tend()
    lab.send(*lab.unsigned())
    for days in (0, 31):
        if days:
            lab.days_later(days)
            lab.tend()
        before = everything(path)
        lab.close()
        for each in path.parent.glob("register.sqlite3*"):
            each.unlink()
        lab.open()
        assert everything(path) == before
    assert gone(lab, arta)


def test_a_keeper_set_back_to_an_old_disk_takes_the_blank_records_and_blanks_its_own(
    lab: Lab, tmp_path: Path
) -> None:
    arta, home = lab.person(ARTA.number), lab.running.keeper_home
    lab.close()
    shutil.copytree(home, tmp_path / "old")
    lab.open()
    lab.keeper.committer.commit(
        {"type": "person_lives", "person": arta}, {"type": "person_lives", "person": arta}
    )
    marks = [
        mark
        for (mark,) in lab.keeper.register.rows("SELECT mark FROM identifier WHERE person = ?", arta.bytes)
    ]
    lab.agree()
    lab.tend()
    lab.send(*lab.unsigned())
    lab.days_later(31)
    lab.tend()
    assert gone(lab, arta)
    last = lab.keeper.records.last
    lab.close()
    shutil.rmtree(home)
    shutil.copytree(tmp_path / "old", home)
    lab.open()
    lab.tend()
    assert lab.keeper.records.last >= last
    sealer = lab.keeper.erasing._sealer
    vital = [
        each
        for each in find(lab.keeper.records, sealer, 1, last, {arta.bytes})
        if each.kind in {"people", "data_key"}
    ]
    assert vital == []
    assert gone(lab, arta)
    for path in home.glob("re*"):
        assert not any(mark in path.read_bytes() for mark in marks), path.name


def test_a_blank_record_that_no_tombstone_covers_is_a_damaged_one(lab: Lab, tmp_path: Path) -> None:
    from kulla.keeper.erasing.tests.test_journey import everything
    from kulla.keeper.rebuild import rebuild_keeper
    from kulla.mirror.keycopy import KeyCopy

    living = everything(lab.running.keeper_home / "register.sqlite3")
    last, key = lab.keeper.records.last, lab.running.root_key
    ids = {record.id for record in lab.keeper.records.read(10, 1 << 20)[:20]}
    lab.close()
    for mirror in lab.mirrors:
        mirror.stop()
    damaged = KeyCopy(lab.mirrors[0].home / "keycopy")
    assert damaged.blank(ids) == 20
    damaged.close()
    report = rebuild_keeper(tmp_path / "r", [mirror.home for mirror in lab.mirrors[:2]], key)
    assert (report.records, everything(tmp_path / "r/register.sqlite3")) == (last, living)
    assert sum("no valid tombstone says so" in each for each in report.sentences) == 20
    alone = rebuild_keeper(tmp_path / "s", [lab.mirrors[0].home], key)
    assert alone.records == 9, "it ends where the damage begins"


def test_who_had_a_role_or_protects_somebody_is_not_erased(lab: Lab) -> None:
    with pytest.raises(Refusal) as caught:
        lab.keeper.erasing.refuse_unfit(lab.person(OFFICIALS["registrar"][0]))
    assert caught.value.code == "holds_role"
    lab.keeper.committer.commit(
        {
            "type": "protected",
            "person": lab.person(DRITAN.number),
            "contact": lab.person(OTHER),
            "at": 1,
            "sealed": b"",
        }
    )
    with pytest.raises(Refusal) as caught:
        lab.keeper.erasing.refuse_unfit(lab.person(OTHER))
    assert caught.value.code == "is_contact"
    lab.keeper.erasing.refuse_unfit(lab.person(ARTA.number))


@pytest.mark.parametrize("step", ["noted", "overwritten", "synced"])
def test_a_crash_at_each_step_of_the_keepers_own_blanking(lab: Lab, tmp_path: Path, step: str) -> None:
    lab.close()
    path = tmp_path / "records.log"
    shutil.copy(lab.running.keeper_home / "records.log", path)
    file = RecordFile(path)
    last, end = file.last, file.last_hash
    size = path.stat().st_size
    (tmp_path / "records.log.torn-1").write_bytes(b"what was set aside")

    def stop(at: str) -> None:
        if at == step:
            raise KeeperError("the power went")

    with pytest.raises(KeeperError):
        file.blank([3, 20, last], stop)
    file.close()
    file = RecordFile(path)
    assert (file.last, file.last_hash, path.stat().st_size) == (last, end, size)
    assert [record.seq for record in file.read(1, 10 << 20) if record.blank] == [3, 20, last]
    file.blank([3, 20, last])
    assert not list(tmp_path.glob("*.torn-*"))
    assert not list(tmp_path.glob("*.blanking"))
    file.close()
    (tmp_path / "records.log.blanking").write_bytes(b"half a note")
    file = RecordFile(path)
    assert file.last == last
    file.close()


def test_what_was_asked_of_an_earlier_version_is_never_carried_out(lab: Lab) -> None:
    """Then the page asked what should go, and said that nothing does."""
    erasures, keeper, arta = lab.keeper.my_data.erasures, lab.keeper, lab.live(ARTA.number)
    request = erasures.ask(arta, "Mesazhet e vjetra.")
    keeper.looks.confirm(1 << 62)
    erasures.open(lab.official("registrar"), request)
    erasures.decide(lab.official("registrar"), request, yes=True, reason="Neni 17")
    [asked] = keeper.approvals.open_for(lab.official("registrar2"))
    keeper.approvals.answer(lab.official("registrar2"), asked.id, yes=True)
    assert [each["state"] for each in erasures.all_of(arta.person)] == ["agreed"]
    lab.tend()
    assert lab.unsigned() == []
    assert keeper.erasing.standing(request)["state"] == ""
    assert erasures.ask(arta, "Gjithçka.", everything=True), "asked anew, for everything"


def test_it_is_too_late_to_withdraw_once_a_copy_has_begun(lab: Lab) -> None:
    arta, request = lab.person(ARTA.number), lab.agree()
    lab.tend()
    lab.send(*lab.unsigned())
    lab.days_later(31, only=[1])
    with pytest.raises(Refusal) as caught:
        lab.keeper.my_data.erasures.withdraw(lab.live(ARTA.number), request)
    assert caught.value.code == "decided"
    lab.days_later(31)
    lab.tend()
    assert gone(lab, arta)


def test_a_silent_copy_may_have_begun(lab: Lab) -> None:
    request = lab.agree()
    lab.tend()
    lab.send(*lab.unsigned())
    lab.mirrors[2].stop()
    assert lab.keeper.erasing.may_withdraw(request), "before the time has come none has"
    lab.days_later(31, only=[])
    assert not lab.keeper.erasing.may_withdraw(request)
