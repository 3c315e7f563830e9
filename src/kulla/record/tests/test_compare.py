"""Comparing the tables with the journal: every kind of change is named, while the portal goes on, at a bounded load."""

import shutil
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import F

from kulla.journal import log as journal_log
from kulla.journal.store import LogFolder
from kulla.record import compare as comparing
from kulla.record import triggers
from kulla.record.comparing import pieces, verdict
from kulla.record.comparing.copies import odd_copies
from kulla.record.comparing.pace import Pace
from kulla.record.errors import RebuildError
from kulla.record.kept import db_uuids
from kulla.record.models import Checkpoint, Entry
from kulla.record.tests.conftest import HOME, Country, Record
from kulla.record.tests.test_rebuild import check, live_a_little, lived

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["lived"]


def behind(*statements: str, **values: object) -> None:
    """As a thief with the database's own keys: triggers away, and back again."""
    triggers.drop()
    with connection.cursor() as cursor:
        for statement in statements:
            given = {n: db_uuids(v)[0] if isinstance(v, UUID) else v for n, v in values.items()}
            cursor.execute(statement, given or None)
    triggers.install()


def run(country: Country, **more: Any) -> tuple[comparing.Compared, list[str]]:
    said: list[str] = []
    given = {"segment_key": country.segment_key, **more}
    done = comparing.run(journal=country.folder.path, policy=country.policy, say=said.append, **given)
    return done, said


def only(sentences: list[str], *words: str) -> None:
    """One sentence, with all of these words in it."""
    assert len(sentences) == 1, sentences
    assert all(word in sentences[0] for word in words), sentences[0]


def test_a_clean_country_is_clean_and_counted(lived: Country) -> None:
    done, said = run(lived)
    assert said == []
    assert done.entries == Entry.objects.count() and done.rows > 20
    assert done.worked_s > 0


CHANGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "changed": ("UPDATE record_try_doctor SET name = 'Thief' WHERE id = %(doctor)s", ("was changed", "says 'Dr.")),
    "its rev": ("UPDATE record_try_doctor SET rev = rev + 7 WHERE id = %(doctor)s", ("was changed", "rev is")),
    "its home": ("UPDATE record_try_doctor SET home = %(other)s WHERE id = %(doctor)s", ("was changed", "home is")),
    "deleted": ("DELETE FROM record_try_slot WHERE id = %(slot)s", ("was deleted", "holds it", "(try.done, ")),
    "added": ("INSERT INTO record_try_tag (id, home, word, rev) VALUES (%(other)s, %(other)s, 'x', 1)",
              ("was added", "no entry holds it")),
    "brought back": ("INSERT INTO record_try_tag (id, home, word, rev) VALUES (%(buried)s, %(other)s, 'x', 1)",
                     ("was brought back", "deleted it", "(try.done, ")),
    "grave taken": ("DELETE FROM record_grave WHERE key = %(buried)s", ("The grave of", "was taken away")),
    "grave added": ("INSERT INTO record_grave (key, table_name, rev) VALUES (%(other)s, 'record_try_tag', 2)",
                    ("The grave of", "was added")),
    "entry's kind": ("UPDATE record_entry SET kind = 'try.noted' WHERE idx = 3", ("entry 3", "told otherwise")),
    "entry's person": ("UPDATE record_entry SET person = %(other)s WHERE idx = 4", ("entry 4", "told otherwise")),
    "entry lacking": ("DELETE FROM record_entry WHERE idx = 5", ("record_entry lacks entry 5",)),
    "entry added": ("INSERT INTO record_entry (uuid, idx, size, at_ms, kind, service, leaf_hash, claims)"
                    " SELECT %(other)s, 100000, size, at_ms, kind, service, leaf_hash, claims FROM record_entry"
                    " WHERE idx = 1", ("tells of an entry", "at 100000")),
    "checkpoint": ("UPDATE record_checkpoint SET note = replace(note, 'kulla', 'thief')", ("record_checkpoint",)),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_each_kind_of_change_is_named_with_what_says_otherwise(
    app: ModuleType, record: Record, lived: Country, change: str
) -> None:
    with record():
        tag = app.Tag.objects.create(home=HOME, word="to-be-deleted")
    with record():
        tag_key, _ = tag.pk, tag.delete()
    lived.receive()
    Checkpoint.objects.exclude(pk=Checkpoint.objects.order_by("-pk").values("pk")[:1]).delete()
    slot = app.Slot.objects.filter(visit=None).first()
    keys = {"doctor": app.Doctor.objects.first().pk, "slot": slot.pk, "other": uuid4(), "buried": tag_key}
    statement, words = CHANGES[change]
    behind(statement, **{name: key for name, key in keys.items() if f"%({name})s" in statement})
    only(run(lived)[1], *words)


def test_a_table_that_was_swapped_is_told_as_a_whole_and_row_by_row(
    app: ModuleType, record: Record, lived: Country
) -> None:
    """Another table under the same name: the same columns, rows from elsewhere, no triggers."""
    for n in range(12):
        with record():
            app.Tag.objects.create(home=HOME, word=f"w{n}")
    lived.receive()
    count = app.Tag.objects.count()
    triggers.drop()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE record_try_tag SET word = word || '-x'")
    only(
        [each for each in run(lived)[1] if "record_try_tag as a whole lacks triggers" in each],
        "kulla migrate",
    )
    triggers.install()
    said = run(lived)[1]
    assert len([each for each in said if "was changed behind" in each]) == count
    only([each for each in said if "as a whole" in each], f"{count} rows differ", "swapped")


def test_a_table_that_is_gone_or_another_thing_is_named(app: ModuleType, lived: Country) -> None:
    cascade = " CASCADE" if connection.vendor == "postgresql" else ""
    count = app.VisitTag.objects.count()
    assert count
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE record_try_visittag RENAME TO hidden")
    said = run(lived)[1]
    assert "record_try_visittag as a whole is missing." in said
    assert len([each for each in said if "was deleted behind the journal's back" in each]) == count
    with connection.cursor() as cursor:
        cursor.execute("CREATE VIEW record_try_visittag AS SELECT * FROM hidden")
    said = run(lived)[1]
    only([each for each in said if "stands a view" in each], "as a whole was replaced")
    with connection.cursor() as cursor:
        cursor.execute(f"DROP VIEW record_try_visittag{cascade}")
        cursor.execute("ALTER TABLE hidden RENAME TO record_try_visittag")
        cursor.execute("ALTER TABLE record_try_tag RENAME COLUMN word TO words")
    said = run(lived)[1]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE record_try_tag RENAME COLUMN words TO word")
    only([each for each in said if "other columns" in each], "word, words")


def test_no_false_alarm_while_rows_come_change_and_go(
    app: ModuleType, record: Record, lived: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each piece something is written: rows in flight, in the outbox, received, deleted."""
    monkeypatch.setattr(pieces, "CHUNK", 3)
    monkeypatch.setattr(verdict, "AT_ONCE", 4)
    sequencer, pieces_read = lived.sequencer(), [0]

    class Busy(Pace):
        """Other people write while the comparison rests."""

        def rest(self) -> None:
            pieces_read[0] += 1
            if pieces_read[0] > 60:
                return
            other = threading.Thread(target=self._live, args=(1000 + pieces_read[0],))
            other.start()
            other.join(30)

        def _live(self, seed: int) -> None:
            try:
                live_a_little(app, record, 3, seed)
                with record():
                    app.Doctor.objects.all().update(seen=F("seen") + 1)
                if seed % 3 == 0:
                    lived.receive(sequencer)
            finally:
                connection.close()

    monkeypatch.setattr(comparing, "Pace", Busy)
    assert run(lived)[1] == []
    assert pieces_read[0] > 20
    doctor = app.Doctor.objects.order_by("-pk").first()
    pieces_read[0] = 0
    behind("UPDATE record_try_doctor SET name = 'Thief' WHERE id = %(doctor)s", doctor=doctor.pk)
    with record():
        app.Slot.objects.first().delete()
    # an honest change of the row meanwhile would take the thief's name into the journal: then nothing differs
    monkeypatch.setattr(Busy, "_live", lambda self, seed: None)
    only(run(lived)[1], str(doctor.pk), "'Thief'")


def test_a_run_that_was_broken_off_goes_on_where_it_stood(
    app: ModuleType, record: Record, lived: Country, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind("UPDATE record_entry SET kind = 'try.noted' WHERE idx = 3")
    behind(
        "DELETE FROM record_try_slot WHERE id = %(slot)s", slot=app.Slot.objects.filter(visit=None).first().pk
    )
    whole = run(lived)[1]
    monkeypatch.setattr(pieces, "ENTRIES", 5)
    monkeypatch.setattr(pieces, "CHUNK", 5)
    state, said, starts, at = tmp_path / "state", set[str](), [0], [0]

    class Dying(Pace):
        """Dies at each seventh rest."""

        def rest(self) -> None:
            at[0] += 1
            if at[0] % 7 == 0:
                raise KeyboardInterrupt

    monkeypatch.setattr(comparing, "Pace", Dying)
    asked = [0]

    def segment_key(header: bytes) -> bytes:
        asked[0] += 1
        return lived.segment_key(header)

    while True:
        starts[0] += 1
        assert starts[0] < 60, "it never came to its end"
        try:
            done, some = run(lived, state=state, segment_key=segment_key)
        except KeyboardInterrupt:
            assert (state / "expected.sqlite3").stat().st_mode & 0o777 == 0o600
            live_a_little(app, record, 1, 500 + starts[0])
            lived.receive()
            continue
        said.update(some)
        break
    assert starts[0] > 3 and done.went_on
    assert said == set(whole)
    assert not state.exists()


def test_what_is_left_of_another_run_is_thrown_away_when_it_does_not_fit(
    lived: Country, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "expected.sqlite3").write_bytes(b"no database, after a power cut" * 100)
    done, said = run(lived, state=state)
    assert said == [] and not done.went_on


def test_the_load_is_bounded() -> None:
    pace = Pace(0.25)
    until, started = time.monotonic() + 0.05, time.monotonic()
    while time.monotonic() < until:
        pass
    pace.rest()
    assert time.monotonic() - started >= 0.19
    assert 0.04 < pace.worked_s < 0.15
    for load in (0, -1, 1.5):
        with pytest.raises(ValueError, match="above 0"):
            Pace(load)


def test_tables_that_are_ahead_of_the_journal_are_refused(lived: Country) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE record_state SET applied = applied + 1 WHERE id = 1")
    with pytest.raises(RebuildError, match="the journal has"):
        check(lived)


def test_a_journal_that_was_set_back_with_its_tables_is_found_by_the_mirrors(
    app: ModuleType, record: Record, lived: Country, tmp_path: Path
) -> None:
    copies = [mirror.home for mirror in lived.mirrors]
    assert run(lived, copies=copies)[1] == []
    older = Checkpoint.objects.order_by("size").first()
    assert older is not None
    set_back = LogFolder(shutil.copytree(lived.folder.path, tmp_path / "set-back"))
    set_back.write_checkpoint_note(older.note)
    said = list(odd_copies(set_back, lived.policy, copies[:1]))
    only(said, "was set back", f"ends at {older.size}", str(copies[0]))
    story = tmp_path / "story"
    shutil.copytree(lived.mirror_folders()[0], story)
    public = lived.rebuild_key.public_key().public_bytes_raw()
    other = LogFolder(story)
    staged = journal_log.stage(other, lived.signer, [(uuid4(), b"another story", bytes(32))], [public])
    journal_log.publish(other, staged, staged.note)
    with record():
        app.Tag.objects.create(home=HOME, word="true-story")
    lived.receive()
    only(run(lived, copies=[story])[1], "not copies of one journal")
