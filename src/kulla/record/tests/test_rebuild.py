"""Everything comes back from the mirrors, and what was changed behind the journal's back is named."""

import datetime as dt
import json
import random
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.core.management import call_command
from django.db import connection
from django.db.models import F

from kulla.journal import log as journal_log
from kulla.journal.checkpoint import parse_checkpoint
from kulla.journal.delivery import Delivery
from kulla.journal.entry import Image, Payload, encode_payload
from kulla.journal.mirror_client import nudge, push_all
from kulla.journal.note import split_note
from kulla.journal.store import LogFolder
from kulla.record import api as record_api
from kulla.record import effects, images, readiness, rebuild, triggers, upcasters
from kulla.record.compare import compare
from kulla.record.effects import Effect
from kulla.record.errors import ReadOnly, RebuildError
from kulla.record.kept import db_uuids
from kulla.record.models import Checkpoint, EffectTask, Entry, Grave, Outbox, State
from kulla.record.sequencer import take_outbox
from kulla.record.tests.conftest import HOME, Country, Record
from kulla.record.walking import walk

pytestmark = pytest.mark.django_db(transaction=True)

AT = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)
Rows = dict[str, dict[UUID, dict[str, object]]]


def everything() -> Rows:
    """Every kept row, canonical."""
    found: Rows = {}
    for shape in images.shapes().values():
        fields = [field.attname for field in shape.model._meta.concrete_fields]
        rows = (images.canonical_row(shape, v) for v in shape.model.objects.values_list(*fields))
        found[shape.table] = {row["id"]: row for row in rows}
    return found


def live_a_little(app: ModuleType, record: Record, steps: int, seed: int = 7) -> None:
    """A seeded mix of changes of every kind."""
    chance = random.Random(seed)
    with record():
        office = app.Office.objects.create(home=HOME, name="Qendra\tNr. 1\\ \n«ë»")
    for step in range(steps):
        doctors, slots, visits = (list(m.objects.order_by("pk")) for m in (app.Doctor, app.Slot, app.Visit))
        match chance.randrange(9):
            case 0 | 1 | 2:
                with record():
                    doctor = app.Doctor.objects.create(home=HOME, office=office, name=f"Dr. {step}")
                    app.Slot.objects.bulk_create(
                        app.Slot(home=HOME, doctor=doctor, starts=AT + dt.timedelta(minutes=n))
                        for n in range(3)
                    )
            case 3 | 4 if slots:
                taken = {visit.slot_id for visit in visits}
                free = [slot for slot in slots if slot.pk not in taken]
                if free:
                    with record(person=HOME):
                        app.Visit.objects.create(
                            home=HOME, slot=free[0], extra={"n": step}, reason=bytes([step % 256, 92, 10]),
                            at=dt.time(9, 30), done=bool(step % 2),
                        )  # fmt: skip
            case 5 if doctors:
                with record():
                    app.Doctor.objects.all().update(seen=F("seen") + 1)
            case 6 if doctors:
                with record():
                    chance.choice(doctors).delete()
            case 7 if visits:
                with record():
                    tag = app.Tag.objects.create(home=HOME, word=f"t{seed}-{step}")
                    visits[0].tags.add(tag, through_defaults={"home": HOME})
            case _:
                with record():
                    office.name = f"Qendra {step}"
                    office.save()


@pytest.fixture
def lived(app: ModuleType, record: Record, country: Country) -> Country:
    sequencer = country.sequencer()
    for part in range(4):
        live_a_little(app, record, 15, part)
        country.receive(sequencer)
    settle(country)
    return country


def settle(country: Country) -> None:
    """Wait until the third mirror, for which no round waits, has stored the last round too."""
    settle_at(country, Entry.objects.count())


def settle_at(country: Country, size: int) -> None:
    """Wait until all three mirrors have stored `size` entries."""
    until = time.monotonic() + 30
    sizes: list[str] = []
    while time.monotonic() < until:
        notes = [folder / "checkpoint" for folder in country.mirror_folders()]
        sizes = [note.read_text().split("\n")[1] if note.exists() else "0" for note in notes]
        if sizes == [str(size)] * 3:
            return
        nudge(country.sequencers[-1].clients, country.folder, country.signer)  # as in a quiet moment
        time.sleep(0.1)
    raise AssertionError(f"the mirrors did not become level: {sizes}")


def wipe(country: Country) -> None:
    call_command("flush", interactive=False, verbosity=0)
    shutil.rmtree(country.folder.path)
    assert not Entry.objects.exists()


def bring_back(country: Country, mirrors: list[Path], *, pass_over: bool = False) -> rebuild.Report:
    report = rebuild.rebuild(
        mirrors=mirrors,
        rebuild_key=country.rebuild_key.private_bytes_raw(),
        policy=country.policy,
        journal=country.folder.path,
        pass_over=pass_over,
    )
    country.folder = LogFolder(country.folder.path)
    return report


def check(country: Country) -> list[str]:
    return compare(journal=country.folder.path, policy=country.policy, segment_key=country.segment_key)


def test_every_row_comes_back_from_two_mirrors(app: ModuleType, record: Record, lived: Country) -> None:
    before, graves = everything(), set(Grave.objects.values_list("key", "table", "rev"))
    entries = set(Entry.objects.values_list("uuid", "index", "kind", "at_ms", "person"))
    assert graves
    assert sum(len(rows) for rows in before.values()) > 40
    some = Entry.objects.order_by("index")[5]
    wipe(lived)

    report = bring_back(lived, [mirror.home for mirror in lived.mirrors[:2]])

    assert everything() == before
    assert set(Grave.objects.values_list("key", "table", "rev")) == graves
    assert set(Entry.objects.values_list("uuid", "index", "kind", "at_ms", "person")) == entries
    assert report.rows == {table: len(rows) for table, rows in before.items() if rows} | {
        table: 0 for table in report.rows if not before[table]
    }
    assert report.quorum
    assert report.sentences == []
    assert triggers.missing() == []
    assert check(lived) == []
    status = record_api.status(some.uuid)
    assert status is not None
    assert (status.status, status.leaf_hash) == ("received", bytes(some.leaf_hash))
    sequencer = lived.sequencer()  # and life goes on
    live_a_little(app, record, 5, 9)
    assert lived.receive(sequencer) == 6
    assert check(lived) == []


def test_one_mirror_alone_says_what_may_be_missing_and_waits_for_a_second(
    app: ModuleType, record: Record, lived: Country
) -> None:
    before, size = everything(), Entry.objects.count()
    uuid = Entry.objects.first().uuid  # type: ignore[union-attr]
    wipe(lived)
    report = bring_back(lived, [lived.mirrors[2].home])
    assert everything() == before
    assert report.size == size
    assert not report.quorum
    assert "Only one operator's copy" in report.sentences[0]
    assert record_api.status(uuid).status != "received"  # type: ignore[union-attr]
    with pytest.raises(ReadOnly, match="waits for two mirrors"), record():
        app.Tag.objects.create(home=HOME, word="early")
    sequencer = lived.sequencer()
    lived.receive(sequencer)
    live_a_little(app, record, 3, 9)
    assert lived.receive(sequencer) == 4
    assert record_api.status(uuid).status == "received"  # type: ignore[union-attr]


def test_a_mirror_that_lags_does_not_win(app: ModuleType, record: Record, lived: Country) -> None:
    lived.mirrors[0].kill()
    live_a_little(app, record, 5, 11)
    lived.receive()
    before = everything()
    wipe(lived)
    lived.mirrors[0].start()
    bring_back(lived, [lived.mirrors[0].home, lived.mirrors[1].home])
    assert everything() == before


def test_a_round_that_only_one_mirror_was_told_of_comes_back(
    app: ModuleType, record: Record, lived: Country
) -> None:
    """Wiped between add-checkpoint and publishing: that mirror must not refuse the rebuilt journal for ever."""
    live_a_little(app, record, 4, 13)
    before, waiting, size = everything(), Outbox.objects.count(), Entry.objects.count()
    sequencer = lived.sequencer()
    staged = journal_log.stage(lived.folder, lived.signer, take_outbox(), sequencer.recipients)
    told, delivery = sequencer.clients[0], Delivery.of_staged(lived.folder, staged)
    told._put_segment(delivery, staged.first, staged.next, staged.segment)
    told._add_checkpoint(delivery)
    wipe(lived)

    report = bring_back(lived, [mirror.home for mirror in lived.mirrors[:2]])

    assert report.size == size
    assert "told of 5 entries more" in report.sentences[0]
    lived.receive()
    assert everything() == before
    assert Entry.objects.filter(index__gte=size).count() == waiting == 5
    live_a_little(app, record, 2, 14)
    lived.receive()
    settle(lived)  # also the mirror that was told
    assert check(lived) == []


def test_a_mirror_that_alone_cosigned_the_last_round_is_believed(
    app: ModuleType, record: Record, lived: Country
) -> None:
    for mirror in lived.mirrors[1:]:
        mirror.kill()
    live_a_little(app, record, 4, 13)
    before, sequencer = everything(), lived.sequencer()
    assert sequencer.step() == sequencer.step() == 0
    wipe(lived)
    for mirror in lived.mirrors[1:]:
        mirror.start()
    assert not bring_back(lived, [mirror.home for mirror in lived.mirrors[:2]]).quorum
    assert everything() == before
    lived.receive()
    live_a_little(app, record, 2, 14)
    assert lived.receive() == 3
    settle(lived)
    assert check(lived) == []


def raw(sql: str, *values: object) -> None:
    triggers.drop()
    with connection.cursor() as cursor:
        cursor.execute(sql, [db_uuids(v)[0] if isinstance(v, UUID) else v for v in values])
    triggers.install()


def test_compare_names_what_was_changed_added_and_deleted(app: ModuleType, lived: Country) -> None:
    assert check(lived) == []
    doctor, slot, gone = (
        app.Doctor.objects.first(),
        app.Slot.objects.filter(visit=None).first(),
        Grave.objects.first(),
    )
    assert gone is not None
    other = uuid4()
    raw("UPDATE record_try_doctor SET name = 'Dr. Thief' WHERE id = %s", doctor.pk)
    raw("DELETE FROM record_try_slot WHERE id = %s", slot.pk)
    raw("INSERT INTO record_try_tag (id, home, word, rev) VALUES (%s, %s, 'x', 1)", other, HOME)
    raw("UPDATE record_entry SET kind = 'try.noted' WHERE idx = 3")
    differences = check(lived)
    assert len(differences) == 4
    changed, deleted, added, told = (
        next(d for d in differences if word in d)
        for word in (str(doctor.pk), str(slot.pk), str(other), "entry 3")
    )
    assert changed.startswith(
        f"record_try_doctor {doctor.pk} was changed behind the journal's back: name is 'Dr. Thief'"
    )
    assert f"says '{doctor.name}'" in changed
    assert "(try.done, " in changed
    assert "was deleted behind the journal's back: entry " in deleted
    assert "was added behind the journal's back: no entry holds it." in added
    assert "is told otherwise" in told


def test_a_row_that_waits_in_the_outbox_is_no_difference(
    app: ModuleType, record: Record, lived: Country
) -> None:
    live_a_little(app, record, 3, 21)
    assert Outbox.objects.exists()
    assert check(lived) == []


def test_a_damaged_copy_is_refused(lived: Country) -> None:
    wipe(lived)
    copy = lived.mirror_folders()[0]
    victim = max(copy.glob("segment/*/*"))
    data = bytearray(victim.read_bytes())
    data[-1] ^= 1
    victim.write_bytes(data)
    with pytest.raises(RebuildError, match="is damaged"):
        bring_back(lived, [copy])
    assert not State.objects.get().applied


def test_an_older_database_is_brought_level_before_writes_open(
    app: ModuleType, record: Record, lived: Country
) -> None:
    before = everything()
    earlier = Checkpoint.objects.order_by("size").first()
    assert earlier is not None
    checkpoint = parse_checkpoint(split_note(earlier.note)[0])
    call_command("flush", interactive=False, verbosity=0)
    rebuild.load(lived.folder, checkpoint, lived.segment_key, earlier.note)  # the backup of that moment
    assert everything() != before
    readiness.forget()
    with pytest.raises(ReadOnly, match=f"The tables hold {earlier.size} of the journal's"), record():
        app.Tag.objects.create(home=HOME, word="early")
    lived.receive()
    assert everything() == before
    assert check(lived) == []
    live_a_little(app, record, 2, 22)


def test_tables_ahead_of_the_journal_stay_closed(app: ModuleType, record: Record, lived: Country) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE record_state SET applied = applied + 1 WHERE id = 1")
    readiness.forget()
    with pytest.raises(ReadOnly, match=r"put back from an\s+older copy"), record():
        app.Tag.objects.create(home=HOME, word="x")


def test_images_of_an_older_version_are_brought_up(
    app: ModuleType, record: Record, country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    with record():
        app.Tag.objects.create(home=HOME, word="old")
    country.receive()
    settle(country)
    wipe(country)
    monkeypatch.setattr(app.Tag, "schema_version", 3)
    with pytest.raises(RebuildError, match="no upcaster from version 1 to 2"):
        bring_back(country, [country.mirrors[0].home])
    shutil.rmtree(country.folder.path)
    mirrors = [mirror.home for mirror in country.mirrors]
    steps: dict[tuple[str, int], Callable[[dict[str, object]], dict[str, object]]] = {}
    monkeypatch.setattr(upcasters, "_steps", steps)
    upcasters.upcaster("record_try_tag", 1)(lambda columns: {**columns, "word": f"{columns['word']}-2"})
    upcasters.upcaster("record_try_tag", 2)(lambda columns: {**columns, "word": f"{columns['word']}-3"})
    with pytest.raises(ValueError, match="two upcasters"):
        upcasters.upcaster("record_try_tag", 1)(lambda columns: columns)
    bring_back(country, mirrors)
    assert app.Tag.objects.get().word == "old-2-3"
    assert json.dumps(check(country)) == "[]"


def test_two_copies_that_contradict_each_other_are_not_rebuilt_from(lived: Country, tmp_path: Path) -> None:
    """The journal's key signed two stories: nobody but people can say which is true."""
    copies = []
    for story in range(2):
        copy = tmp_path / f"story-{story}"
        shutil.copytree(lived.mirror_folders()[0], copy)
        folder = LogFolder(copy)
        entries = [(uuid4(), b"story %d" % story, bytes(32))] * (story + 1)
        public = lived.rebuild_key.public_key().public_bytes_raw()
        staged = journal_log.stage(folder, lived.signer, entries, [public])
        journal_log.publish(folder, staged, staged.note)
        copies.append(copy)
    wipe(lived)
    with pytest.raises(RebuildError, match="are not copies of one journal"):
        bring_back(lived, copies)


def test_compare_believes_no_payload_that_does_not_lead_to_the_root(lived: Country) -> None:
    """A thief who changes the tables may change the portal's own journal folder too."""
    victim = max(lived.folder.path.glob("segment/*/*"))
    data = bytearray(victim.read_bytes())
    data[-1] ^= 1
    victim.write_bytes(data)
    with pytest.raises(RebuildError, match="are not those of the tree"):
        check(lived)
    victim.unlink()
    with pytest.raises(RebuildError, match="are missing"):
        check(lived)


def test_compare_may_run_while_the_portal_goes_on(app: ModuleType, record: Record, lived: Country) -> None:
    """Asking the keeper for a segment's key records a look: compare itself makes entries."""
    live_a_little(app, record, 2, 31)
    sequencer, busy = lived.sequencer(), [0]

    def on_other_connection(seed: int) -> None:
        try:
            live_a_little(app, record, 2, seed)
            lived.receive(sequencer)
        finally:
            connection.close()

    def segment_key(header: bytes) -> bytes:
        busy[0] += 1
        other = threading.Thread(target=on_other_connection, args=(100 + busy[0],))
        other.start()
        other.join(30)
        return lived.segment_key(header)

    assert compare(journal=lived.folder.path, policy=lived.policy, segment_key=segment_key) == []
    assert busy[0] >= 4
    assert check(lived) == []


def test_reconcile_does_not_bend_a_row_that_a_waiting_entry_changed(
    app: ModuleType, record: Record, country: Country
) -> None:
    with record():
        tag = app.Tag.objects.create(home=HOME, word="old")
    country.receive()
    with record():
        app.Tag.objects.update(word="new")
    with connection.cursor() as cursor:  # an older record of where the tables stand
        cursor.execute("DELETE FROM record_entry")
        cursor.execute("UPDATE record_state SET applied = 0")
    sequencer = country.sequencer()
    sequencer.step()
    tag.refresh_from_db()
    assert (tag.word, tag.rev) == ("new", 2)
    assert State.objects.get().applied == 1
    assert country.receive(sequencer) == 1
    assert check(country) == []


def announced() -> list[tuple[UUID, str, dict[str, object]]]:
    """What the keeper is still to be asked."""
    tasks = EffectTask.objects.order_by("id")
    return [(task.entry, task.name, effects.arguments_of(task.arguments)) for task in tasks]


@pytest.fixture
def announcing(app: ModuleType, record: Record, country: Country) -> Country:
    """Two received entries with effects, the older one from three days before the other."""
    clerk = SimpleNamespace(attestation=b"\x01attested")
    day = dt.date(2026, 11, 23)
    for word in ("old", "new"):
        with record(actor=clerk) as opened:
            app.Tag.objects.create(home=HOME, word=word)
            opened.after.append(Effect("grant", {"proof": clerk.attestation, "person": HOME, "day": day}))
            opened.after.append(Effect("notify", {"template": word, "params": {"where": "Vlorë"}}))
        if word == "old":
            Outbox.objects.update(at_ms=F("at_ms") - 3 * 24 * 3600 * 1000)
    country.receive()
    settle(country)
    return country


def test_what_was_announced_but_not_yet_done_is_asked_again_after_a_wipe(announcing: Country) -> None:
    """The notice of the last booking before the wipe is sent by the rebuilt portal; last week's is not."""
    before = announced()
    assert [(name, given.get("template")) for _, name, given in before] == [
        ("grant", None), ("notify", "old"), ("grant", None), ("notify", "new"),
    ]  # fmt: skip
    wipe(announcing)
    assert announced() == []
    bring_back(announcing, [mirror.home for mirror in announcing.mirrors[:2]])
    assert announced() == before[2:]


def test_what_a_restored_database_lacks_is_asked_again_too(announcing: Country) -> None:
    before = announced()
    EffectTask.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM record_entry")
        cursor.execute("UPDATE record_state SET applied = 0")
    announcing.sequencer().step()
    assert announced() == before[2:]


def test_an_attestation_is_not_written_twice_into_a_payload(announcing: Country) -> None:
    """It is most of a small entry's size."""
    for found in walk(announcing.folder, journal_log.published(announcing.folder, announcing.signer.verifier),
                      announcing.segment_key):  # fmt: skip
        for entry in found:
            assert entry.payload.actor == b"\x01attested"
            assert b"\x01attested".hex() not in entry.payload.after
            assert "$actor" in entry.payload.after


@pytest.fixture
def poisoned(app: ModuleType, record: Record, country: Country) -> Country:
    """A thief with the checkpoint key had four things cosigned between two true entries."""
    with record():
        app.Tag.objects.create(home=HOME, word="before")
    country.receive()
    recipients = [country.rebuild_key.public_key().public_bytes_raw()]
    strange = Payload(
        uuid4(), 1, "try.done", None, None, "job:thief", b"", [Image("no_such_table", uuid4(), 1, {"a": 1})]
    )
    for data, keys in (
        (b"not CBOR", recipients),
        (b"\xa1\x61v\x02", recipients),
        (b"for other eyes", [X25519PrivateKey.generate().public_key().public_bytes_raw()]),
        (encode_payload(strange), recipients),
    ):
        staged = journal_log.stage(country.folder, country.signer, [(uuid4(), data, bytes(32))], keys)
        note = push_all(country.sequencers[-1].clients, country.folder, staged, country.policy, 10)
        assert note is not None
        journal_log.publish(country.folder, staged, note)
        journal_log.clear_staged(country.folder, staged)
    State.objects.update(applied=F("applied") + 4)
    with record():
        app.Tag.objects.create(home=HOME, word="after")
    assert country.receive() == 1
    settle_at(country, 6)
    return country


def test_what_nobody_can_read_does_not_stop_a_rebuild(
    app: ModuleType, record: Record, poisoned: Country
) -> None:
    """It is named. Rows of unknown tables are left out only when a person says so: a newer Kulla may know them."""
    mirrors = [mirror.home for mirror in poisoned.mirrors[:2]]
    wipe(poisoned)
    with pytest.raises(RebuildError, match="no_such_table"):
        bring_back(poisoned, mirrors)
    shutil.rmtree(poisoned.folder.path)
    report = bring_back(poisoned, mirrors, pass_over=True)
    assert set(app.Tag.objects.values_list("word", flat=True)) == {"before", "after"}
    assert [sentence.split(" was passed over")[0] for sentence in report.sentences] == [
        "Entry 1", "Entry 2", "Entry 3", "Entry 4",
    ]  # fmt: skip
    sequencer = poisoned.sequencer()
    with record():
        app.Tag.objects.create(home=HOME, word="later")
    assert poisoned.receive(sequencer) == 1


def test_the_key_of_another_journal_opens_nothing_and_says_so(lived: Country) -> None:
    wipe(lived)
    lived.rebuild_key = X25519PrivateKey.generate()
    with pytest.raises(RebuildError, match="No entry of this journal opens with this rebuild key"):
        bring_back(lived, [mirror.home for mirror in lived.mirrors[:2]])
