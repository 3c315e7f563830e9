"""An attacker's acts among honest ones are answered; nothing honest changes; again does nothing; a rebuild agrees."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection

from kulla.journal import wire
from kulla.record import kinds
from kulla.record.errors import RecordError
from kulla.record.models import Entry, Outbox, Undone, UndoRun
from kulla.record.tests.conftest import HOME, Country, Record
from kulla.record.tests.test_rebuild import bring_back, check, everything, live_a_little, settle, wipe
from kulla.record.undoing import about, run
from kulla.record.undoing.about import Act, Left, NotUndoable, Undo, take_back
from kulla.record.undoing.actors import matcher
from kulla.record.undoing.run import Done, Wanted

pytestmark = pytest.mark.django_db(transaction=True)

MONTH_MS = 30 * 24 * 3600 * 1000
SIGNER = Ed25519PrivateKey.generate()
Undoing = Callable[..., tuple[Done, list[str]]]


class Intruder:
    """Somebody who acts with attestations of one person; each of another session."""

    def __init__(self) -> None:
        self.person = uuid4()

    @property
    def attestation(self) -> bytes:
        body = {"v": 1, "id": uuid4().bytes, "service": "try", "role": "citizen", "at": 1, "who": self.person}
        return wire.sign_statement("attestation", body, SIGNER)

    @property
    def words(self) -> str:
        return f"person:{self.person}"


def back(act: Act, opened: Any) -> str:
    """The test service's answer: every row as it was."""
    from kulla.record.tests.app import models

    del opened
    if any(
        change.table == "record_try_tag" and (change.after or {}).get("word") == "keep"
        for change in act.changes
    ):
        raise Left("this word stays.")
    for model in reversed(models.ALL):
        take_back(act.only(model), model)
    return "all is as before."


@pytest.fixture(autouse=True)
def _declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(about, "_declared", dict(about._declared))
    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))
    kinds.declare("try", ["try.undone"])
    about.declare("try.done", Undo("try.undone", "x:back"), lambda _target: back)
    about.declare("try.noted", NotUndoable("it is a note."), lambda _target: back)


@pytest.fixture
def intruder() -> Intruder:
    return Intruder()


@pytest.fixture
def undoing(country: Country) -> Undoing:
    def go(words: str, since: int = 0, *, dry_run: bool = False, **more: Any) -> tuple[Done, list[str]]:
        said: list[str] = []
        wanted = Wanted("operator@host", words, since, **more)
        done = run.undo(
            journal=country.folder.path, policy=country.policy, segment_key=country.segment_key, wanted=wanted,
            matches=matcher(words), say=said.append, dry_run=dry_run,
        )  # fmt: skip
        return done, said

    return go


def ago(months: float) -> None:
    """What waits in the outbox was recorded so long ago."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE record_outbox SET at_ms = at_ms - {int(months * MONTH_MS)}")  # noqa: S608


@pytest.fixture
def stayed(app: ModuleType, record: Record, country: Country, intruder: Intruder) -> Iterator[dict[str, Any]]:
    """Fourteen months: honest life, and an intruder who makes, changes and deletes rows."""
    sequencer = country.sequencer()
    with record():
        victim = app.Tag.objects.create(home=HOME, word="victim")
        gone = app.Tag.objects.create(home=HOME, word="gone")
        depends = app.Tag.objects.create(home=HOME, word="depends")
    ago(15)
    country.receive(sequencer)
    for month in range(14, 0, -1):
        live_a_little(app, record, 4, seed=100 + month)
        with record(actor=intruder, person=intruder.person):
            app.Tag.objects.create(home=intruder.person, word=f"evil-{month}")
        if month == 9:
            with record(actor=intruder):
                app.Tag.objects.filter(pk=victim.pk).update(word="changed")
            with record(actor=intruder):
                app.Tag.objects.filter(pk=victim.pk).update(word="changed-again")
            with record(actor=intruder):
                app.Tag.objects.filter(pk=gone.pk).delete()
            with record(actor=intruder):
                app.Tag.objects.filter(pk=depends.pk).update(word="bent")
        if month == 3:
            with record():
                app.Tag.objects.filter(pk=depends.pk).update(word="bent-and-used")
        ago(month)
        country.receive(sequencer)
    settle(country)
    yield {"victim": victim.pk, "gone": gone.pk, "depends": depends.pk}


def honest(
    rows: dict[str, dict[UUID, dict[str, object]]], touched: set[UUID]
) -> dict[str, dict[UUID, object]]:
    """Rows that the intruder never touched."""
    return {
        table: {key: row for key, row in some.items() if key not in touched}
        for table, some in rows.items()
        if not table.startswith("record_und")
    }


def test_fourteen_months_are_undone_and_nothing_honest_changes(
    app: ModuleType, country: Country, stayed: dict[str, Any], intruder: Intruder, undoing: Undoing
) -> None:
    before = everything()
    evil = set(app.Tag.objects.filter(word__startswith="evil").values_list("pk", flat=True))
    touched = evil | set(stayed.values())

    rehearsed, would = undoing(intruder.words, dry_run=True)
    assert everything() == before
    assert not Outbox.objects.exists()
    done, said = undoing(intruder.words)
    assert (done, said) == (rehearsed, would), "the dry run said something else"
    assert (done.answered, done.left, done.before) == (17, 1, 0)

    after = everything()
    new = set(app.Tag.objects.filter(word="gone").values_list("pk", flat=True))
    assert len(new) == 1 and stayed["gone"] not in new, "what was deleted came back under another key"
    assert honest(after, touched | new) == honest(before, touched)
    assert not app.Tag.objects.filter(word__startswith="evil").exists()
    assert app.Tag.objects.get(pk=stayed["victim"]).word == "victim"
    assert app.Tag.objects.get(pk=stayed["depends"]).word == "bent-and-used", (
        "a person decides about this one"
    )
    (left,) = [n for n, line in enumerate(said) if line.startswith("left for a person")]
    assert "later entries depend on it" in said[left]
    assert str(stayed["depends"]) in said[left + 1]
    assert UndoRun.objects.get().by == "operator@host"

    country.receive()
    settle(country)
    assert check(country) == []
    again, said = undoing(intruder.words)
    assert (again.answered, again.left, again.before) == (0, 1, 17)
    assert not Outbox.objects.exists(), "a second run wrote something"

    rows = everything()
    wipe(country)
    bring_back(country, [mirror.home for mirror in country.mirrors[:2]])
    assert everything() == rows
    assert undoing(intruder.words)[0] == again


def test_a_run_that_was_broken_off_goes_on(
    app: ModuleType, country: Country, stayed: dict[str, Any], intruder: Intruder, undoing: Undoing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    whole = run._commit
    tries = 0

    def dying(*given: Any) -> str:
        nonlocal tries
        tries += 1
        if tries == 6:
            raise KeyboardInterrupt
        return whole(*given)

    monkeypatch.setattr(run, "_commit", dying)
    with pytest.raises(KeyboardInterrupt):
        undoing(intruder.words)
    assert Undone.objects.count() == 5
    monkeypatch.setattr(run, "_commit", whole)
    done, _ = undoing(intruder.words)  # five of the answers still wait in the outbox
    assert (done.answered, done.before, done.left) == (12, 5, 1)
    assert app.Tag.objects.get(pk=stayed["victim"]).word == "victim"
    country.receive()
    assert check(country) == []


def test_only_the_named_time_and_kind(
    app: ModuleType,
    record: Record,
    country: Country,
    stayed: dict[str, Any],
    intruder: Intruder,
    undoing: Undoing,
) -> None:
    times = list(Entry.objects.order_by("at_ms").values_list("at_ms", flat=True))
    assert undoing(intruder.words, times[-1] + 1, dry_run=True)[0] == Done()
    assert undoing(intruder.words, 0, until_ms=times[0], dry_run=True)[0] == Done()
    assert undoing(intruder.words, 0, kind="try.noted", dry_run=True)[0] == Done()
    early, _ = undoing(intruder.words, 0, until_ms=times[-1] - 5 * MONTH_MS, dry_run=True)
    assert 0 < early.answered < 17, times
    with record("try.noted", actor=intruder):
        app.Tag.objects.create(home=HOME, word="noted")
    done, said = undoing(intruder.words, 0, kind="try.noted")
    assert (done.answered, done.left) == (0, 1)
    assert "it is a note." in said[0] and "waiting in the outbox" in said[0]


def test_what_leans_on_a_row_of_the_intruder_is_named(
    app: ModuleType, record: Record, country: Country, intruder: Intruder, undoing: Undoing
) -> None:
    """An honest row under an office that the intruder opened; and a service that leaves an act."""
    with record(actor=intruder):
        office = app.Office.objects.create(home=HOME, name="false")
    with record():
        doctor = app.Doctor.objects.create(home=HOME, office=office, name="honest")
    with record(actor=intruder):
        app.Tag.objects.create(home=HOME, word="keep")
    country.receive()
    done, said = undoing(intruder.words)
    assert (done.answered, done.left) == (0, 2)
    assert "this word stays." in said[0]
    assert str(office.pk) in said[2] and "(try.done" in said[2]
    assert app.Doctor.objects.get().pk == doctor.pk
    assert not UndoRun.objects.exists(), "a run that answered nothing wrote something"


def test_a_row_that_changes_meanwhile_is_left(
    app: ModuleType, record: Record, country: Country, intruder: Intruder, undoing: Undoing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with record(actor=intruder):
        tag = app.Tag.objects.create(home=HOME, word="evil")
    country.receive()
    whole = run._read

    def read(*given: Any) -> None:
        whole(*given)
        with record():
            app.Tag.objects.filter(pk=tag.pk).update(word="honest")

    monkeypatch.setattr(run, "_read", read)
    done, said = undoing(intruder.words)
    assert (done.answered, done.left) == (0, 1)
    assert "have changed since" in said[0]
    assert app.Tag.objects.get().word == "honest"


def test_two_runs_at_once_answer_once(
    app: ModuleType, record: Record, country: Country, intruder: Intruder, undoing: Undoing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with record(actor=intruder):
        app.Tag.objects.create(home=HOME, word="evil")
    country.receive()
    whole = run._read

    def read(*given: Any) -> None:
        whole(*given)
        monkeypatch.setattr(run, "_read", whole)
        assert undoing(intruder.words)[0].answered == 1

    monkeypatch.setattr(run, "_read", read)
    assert undoing(intruder.words)[1] == [] or Undone.objects.count() == 1
    assert Undone.objects.count() == 1


def test_words_that_name_nobody_are_refused() -> None:
    for words in ("", "Besa", "person:x", "attestation:ff", "job:", "official:clerk"):
        with pytest.raises(RecordError):
            matcher(words)


def test_each_form_of_words_finds_its_acts() -> None:
    from kulla.journal.entry import Payload

    office, ident = uuid4(), uuid4().bytes
    body = {"v": 1, "id": ident, "service": "try", "role": "receptionist", "at": 1, "office": office}
    proof = wire.sign_statement("attestation", body, SIGNER)
    payload = Payload(uuid4(), 1, "try.done", None, None, proof)
    job = Payload(uuid4(), 1, "try.done", None, None, "job:night")
    asked: list[object] = []

    def trace(form: str, which: str, proofs: Any) -> list[bool]:
        asked.append((form, which, list(proofs)))
        return [True]

    for words in (f"office:{office}", f"attestation:{ident.hex()}", "official:clerk"):
        assert matcher(words, trace)(payload), words
        assert not matcher(words, trace)(job), words
    assert matcher("job:night")(job) and not matcher("job:night")(payload)
    assert asked == [("official", "clerk", [proof])]
    citizen = wire.sign_statement("attestation", body | {"role": "citizen", "who": uuid4()}, SIGNER)
    assert not matcher("official:x", trace)(Payload(uuid4(), 1, "try.done", None, None, citizen))
    assert len(asked) == 1, "the keeper was asked about a citizen's session"
