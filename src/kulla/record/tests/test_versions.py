"""A journal that earlier versions wrote, with other columns and tables than today's, is rebuilt by this one."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from kulla.journal import log as journal_log
from kulla.journal.entry import Image, Payload, encode_payload
from kulla.journal.ids import uuid7
from kulla.journal.policy import Policy
from kulla.journal.store import LogFolder
from kulla.record import migrating, rebuild, upcasters
from kulla.record.compare import compare
from kulla.record.errors import RebuildError
from kulla.record.models import Grave
from kulla.record.tests.conftest import HOME, Country

pytestmark = pytest.mark.django_db(transaction=True)

CLINIC, OFFICE, DOCTOR, TAG, VISIT, BANNER, LOST = (UUID(int=number) for number in range(1, 8))


@pytest.fixture
def then(app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The steps from the tables of then to those of today."""
    monkeypatch.setattr(upcasters, "_steps", {})
    monkeypatch.setattr(upcasters, "_gone", {})
    for model, version in ((app.Doctor, 2), (app.Tag, 2), (app.Visit, 3), (app.Office, 2)):
        monkeypatch.setattr(model, "schema_version", version)

    @upcasters.upcaster("record_try_doctor", 1)
    def added(columns: dict[str, Any]) -> dict[str, Any]:
        return {**columns, "seen": 0}

    @upcasters.upcaster("record_try_tag", 1)
    def renamed(columns: dict[str, Any]) -> dict[str, Any]:
        return {("word" if name == "label" else name): value for name, value in columns.items()}

    @upcasters.upcaster("record_try_visit", 1)
    def dropped(columns: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in columns.items() if name != "colour"}

    @upcasters.upcaster("record_try_visit", 2)
    def split(columns: dict[str, Any]) -> dict[str, Any]:
        day, _, at = columns["moment"].partition(" ")
        rest = {name: value for name, value in columns.items() if name != "moment"}
        return {**rest, "day": day, "at": at}

    @upcasters.upcaster("record_try_office", 1)
    def trimmed(columns: dict[str, Any]) -> dict[str, Any]:
        return {**columns, "name": columns["name"].strip()}

    @upcasters.upcaster("record_try_clinic", 1)
    def titled(columns: dict[str, Any]) -> dict[str, Any]:
        return {**columns, "title": f"Klinika {columns['title']}"}

    @upcasters.moved("record_try_clinic", at=2, to="record_try_office", version=1)
    def merged(columns: dict[str, Any]) -> dict[str, Any]:
        return {("name" if name == "title" else name): value for name, value in columns.items()}

    upcasters.dropped("record_try_banner")
    yield


def row(key: UUID, rev: int, **columns: Any) -> dict[str, Any]:
    return {"id": key, "home": HOME, "rev": rev, **columns}


VISIT_THEN = {"slot_id": None, "reason": b"", "extra": "{}", "done": False, "count": 0}
THEN = [
    [Image("record_try_clinic", CLINIC, 1, row(CLINIC, 1, title="Sauk"), 1)],
    [
        Image("record_try_office", OFFICE, 1, row(OFFICE, 1, name=" Tiranë "), 1),
        Image("record_try_banner", BANNER, 1, row(BANNER, 1, text="Mirë se vini"), 1),
        Image("record_try_clinic", LOST, 1, row(LOST, 1, title="e mbyllur"), 2),
    ],
    [Image("record_try_doctor", DOCTOR, 1, row(DOCTOR, 1, office_id=OFFICE, name="Dr. Ëndërr"), 1)],
    [Image("record_try_tag", TAG, 1, row(TAG, 1, label="urgjent"), 1)],
    [
        Image(
            "record_try_visit",
            VISIT,
            1,
            row(VISIT, 1, **VISIT_THEN, colour="red", moment="2026-11-20 09:30:00.000000"),
            1,
        )
    ],
    [
        Image(
            "record_try_visit", VISIT, 2, row(VISIT, 2, **VISIT_THEN, moment="2026-11-21 10:00:00.000000"), 2
        ),
        Image("record_try_clinic", CLINIC, 2, row(CLINIC, 2, title="Klinika Nr. 3"), 2),
        Image("record_try_clinic", LOST, 2, None, 2),
    ],
    [Image("record_try_banner", BANNER, 2, None, 1)],
]


@pytest.fixture
def written(country: Country, tmp_path: Path) -> Path:
    """A mirror's copy of the journal that earlier versions wrote, entry by entry."""
    home = tmp_path / "kept"
    copy = home / "mirror" / country.mirror_folders()[0].name
    copy.mkdir(parents=True)
    folder = LogFolder(copy)
    public = country.rebuild_key.public_key().public_bytes_raw()
    for number, rows in enumerate(THEN):
        payload = Payload(uuid7(), 1_700_000_000_000 + number, "try.done", None, None, "job:then", rows=rows)
        staged = journal_log.stage(
            folder, country.signer, [(payload.uuid, encode_payload(payload), bytes(32))], [public]
        )
        journal_log.publish(folder, staged, staged.note)
        journal_log.clear_staged(folder, staged)
    return home


def bring_back(country: Country, mirror: Path) -> None:
    rebuild.rebuild(
        mirrors=[mirror],
        rebuild_key=country.rebuild_key.private_bytes_raw(),
        policy=country.policy,
        journal=country.folder.path,
        pass_over=False,
    )


def test_added_renamed_split_dropped_and_merged(
    app: ModuleType, then: None, country: Country, written: Path
) -> None:
    bring_back(country, written)

    assert dict(app.Office.objects.values_list("id", "name")) == {OFFICE: "Tiranë", CLINIC: "Klinika Nr. 3"}
    assert app.Doctor.objects.get().seen == 0
    assert app.Tag.objects.get().word == "urgjent"
    visit = app.Visit.objects.get()
    assert (visit.rev, visit.day, visit.at) == (2, dt.date(2026, 11, 21), dt.time(10))
    assert set(Grave.objects.values_list("key", "table")) == {(LOST, "record_try_office")}
    alone = Policy.parse(f"log {country.signer.vkey}\nquorum none\n")  # no mirror was asked here
    assert compare(journal=country.folder.path, policy=alone, segment_key=country.segment_key) == []


@pytest.mark.parametrize("table", ["record_try_clinic", "record_try_banner"])
def test_rows_of_a_table_that_nobody_named_stop_the_rebuild(
    then: None, country: Country, written: Path, table: str
) -> None:
    del upcasters._gone[table]
    with pytest.raises(RebuildError, match=rf"holds rows of {table}, which this Kulla does not know"):
        bring_back(country, written)


def test_a_table_leaves_once_only(then: None) -> None:
    with pytest.raises(ValueError, match="twice"):
        upcasters.dropped("record_try_clinic")
    with pytest.raises(ValueError, match="twice"):
        upcasters.moved("record_try_banner", at=1, to="record_try_tag", version=1)(lambda columns: columns)


def test_graves_leave_with_their_table(app: ModuleType) -> None:
    first, second = uuid4(), uuid4()
    Grave.objects.create(key=first, table="record_try_clinic", rev=2)
    Grave.objects.create(key=second, table="record_try_banner", rev=3)
    with connection.schema_editor() as editor:
        migrating.leave_table(editor, "record_try_clinic", to="record_try_office")
        migrating.leave_table(editor, "record_try_banner")
    assert set(Grave.objects.values_list("key", "table", "rev")) == {(first, "record_try_office", 2)}
