"""Every kind of change that Django and SQL offer is found in the entry, or refused with a sentence."""

import datetime as dt
from collections.abc import Callable
from types import ModuleType
from uuid import UUID, uuid4

import pytest
from django.db import Error, connection, models, transaction
from django.db.models import F

from kulla.journal.entry import Image
from kulla.record import images
from kulla.record.errors import RecordError
from kulla.record.models import Grave, Outbox
from kulla.record.tests.conftest import HOME, Record

pytestmark = pytest.mark.django_db(transaction=True)

AT = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)


def images_of(uuid: UUID) -> dict[tuple[str, UUID], Image]:
    found = images.parse_lines(Outbox.objects.get(pk=uuid).images)
    return {(image.table, image.key): image for image in found}


class World:
    """One row of each table, recorded."""

    def __init__(self, app: ModuleType, record: Record) -> None:
        self.app = app
        with record() as opened:
            self.office = app.Office.objects.create(home=HOME, name="Qendra Nr. 1")
            self.doctor = app.Doctor.objects.create(home=HOME, office=self.office, name="Dr. Hoxha")
            self.slot = app.Slot.objects.create(home=HOME, doctor=self.doctor, starts=AT)
            self.visit = app.Visit.objects.create(
                home=HOME,
                slot=self.slot,
                day=AT.date(),
                at=AT.time(),
                reason=b"\x00sealed\\",
                extra={"b": [1, 2.5, "ë"], "a": None},
                count=2**40,
            )
            self.tag = app.Tag.objects.create(home=HOME, word="urgent")
        self.made = opened.uuid


@pytest.fixture
def world(app: ModuleType, record: Record) -> World:
    return World(app, record)


def raw(sql: str, *values: object) -> None:
    given = [v.hex if isinstance(v, UUID) and connection.vendor == "sqlite" else v for v in values]
    with connection.cursor() as cursor:
        cursor.execute(sql, given)


def test_the_images_of_new_rows_are_canonical(world: World) -> None:
    image = images_of(world.made)["record_try_visit", world.visit.pk]
    assert image == Image(
        "record_try_visit",
        world.visit.pk,
        1,
        {
            "id": world.visit.pk,
            "home": HOME,
            "rev": 1,
            "slot_id": world.slot.pk,
            "day": "2026-11-23",
            "at": "09:30:00.000000",
            "reason": b"\x00sealed\\",
            "extra": '{"a":null,"b":[1,2.5,"ë"]}',
            "done": False,
            "count": 2**40,
        },
        1,
    )
    assert images_of(world.made)["record_try_slot", world.slot.pk].columns["starts"] == (
        "2026-11-23T09:30:00.000000Z"
    )
    assert len(images_of(world.made)) == 5


def _save(w: World) -> None:
    w.doctor.name = "Dr. Prifti"
    w.doctor.save()


def _save_stale(w: World) -> None:
    stale = w.app.Doctor.objects.get(pk=w.doctor.pk)
    _save(w)
    stale.name = "Dr. Leka"
    stale.save()


def _save_f(w: World) -> None:
    w.doctor.seen = F("seen") + 1
    w.doctor.save(update_fields=["seen"])


def _update(w: World) -> None:
    w.app.Doctor.objects.filter(pk=w.doctor.pk).update(seen=F("seen") + 5)


def _bulk_update(w: World) -> None:
    w.doctor.seen = 7
    w.app.Doctor.objects.bulk_update([w.doctor], ["seen"])


def _base_manager(w: World) -> None:
    w.app.Doctor._base_manager.filter(pk=w.doctor.pk).update(name="x")


def _save_base(w: World) -> None:
    w.doctor.name = "y"
    w.doctor.save_base(raw=True)


def _raw_update(w: World) -> None:
    raw("UPDATE record_try_doctor SET name = 'z' WHERE id = %s", w.doctor.pk)


def _upsert(w: World) -> None:
    again = w.app.Doctor(pk=w.doctor.pk, home=HOME, office=w.office, name="upsert")
    w.app.Doctor.objects.bulk_create(
        [again], update_conflicts=True, unique_fields=["id"], update_fields=["name"]
    )


UPDATES: list[Callable[[World], None]] = [
    _save, _save_stale, _save_f, _update, _bulk_update, _base_manager, _save_base, _raw_update, _upsert,
]  # fmt: skip


@pytest.mark.parametrize("change", UPDATES)
def test_an_update_is_in_the_entry_with_a_higher_rev(
    change: Callable[[World], None], world: World, record: Record
) -> None:
    with record() as opened:
        change(world)
    found = images_of(opened.uuid)
    assert list(found) == [("record_try_doctor", world.doctor.pk)]
    image = found["record_try_doctor", world.doctor.pk]
    now = world.app.Doctor.objects.get(pk=world.doctor.pk)
    assert image.rev == now.rev > 1
    assert image.columns is not None
    assert (image.columns["name"], image.columns["seen"]) == (now.name, now.seen)
    assert (now.name, now.seen) != ("Dr. Hoxha", 0)


@pytest.mark.parametrize("change", UPDATES)
def test_an_update_outside_an_entry_is_refused(change: Callable[[World], None], world: World) -> None:
    with pytest.raises(Error, match=r"record_try_doctor is kept in the journal.*with record\.entry"):
        change(world)
    world.doctor.refresh_from_db()
    assert (world.doctor.name, world.doctor.seen, world.doctor.rev) == ("Dr. Hoxha", 0, 1)


def _bulk_create(w: World) -> None:
    w.app.Tag.objects.bulk_create([w.app.Tag(home=HOME, word=f"w{n}") for n in range(3)])


def _raw_insert(w: World) -> None:
    raw("INSERT INTO record_try_tag (id, home, word) VALUES (%s, %s, 'raw')", uuid4(), HOME)


def _insert_select(w: World) -> None:
    raw("INSERT INTO record_try_tag (id, home, word) SELECT %s, home, 'copy' FROM record_try_tag", uuid4())


def _m2m_add(w: World) -> None:
    w.visit.tags.add(w.tag, through_defaults={"home": HOME})


def _copy(w: World) -> None:
    w.doctor.pk = uuid4()
    w.doctor.rev = 5  # what an instance carries after a few writes
    w.doctor._state.adding = True
    w.doctor.save()


INSERTS: list[tuple[Callable[[World], None], str, int]] = [
    (_bulk_create, "tag", 3),
    (_raw_insert, "tag", 1),
    (_insert_select, "tag", 1),
    (_m2m_add, "visittag", 1),
    (_copy, "doctor", 1),
]


@pytest.mark.parametrize(("change", "table", "rows"), INSERTS)
def test_an_insert_is_in_the_entry(
    change: Callable[[World], None], table: str, rows: int, world: World, record: Record
) -> None:
    with record() as opened:
        change(world)
    found = images_of(opened.uuid)
    assert {(image.table, image.rev) for image in found.values()} == {(f"record_try_{table}", 1)}
    assert len(found) == rows


@pytest.mark.parametrize(("change", "table", "rows"), INSERTS)
def test_an_insert_outside_an_entry_is_refused(
    change: Callable[[World], None], table: str, rows: int, world: World
) -> None:
    with pytest.raises(Error, match=f"record_try_{table} is kept in the journal"):
        change(world)


def _delete_cascade(w: World) -> None:
    w.office.delete()


def _queryset_delete(w: World) -> None:
    w.app.Office.objects.all().delete()


@pytest.mark.parametrize("change", [_delete_cascade, _queryset_delete])
def test_a_cascade_leaves_graves_and_set_null_an_image(
    change: Callable[[World], None], world: World, record: Record
) -> None:
    gone = {("record_try_office", world.office.pk), ("record_try_doctor", world.doctor.pk)}
    gone.add(("record_try_slot", world.slot.pk))
    with record() as opened:
        change(world)
    found = images_of(opened.uuid)
    assert {place for place, image in found.items() if image.columns is None and image.rev == 2} == gone
    visit = found["record_try_visit", world.visit.pk]
    assert visit.columns is not None
    assert visit.columns["slot_id"] is None
    assert len(found) == 4
    assert set(Grave.objects.values_list("table", "key")) == gone


@pytest.mark.parametrize("change", [_delete_cascade, _queryset_delete])
def test_a_delete_outside_an_entry_is_refused(change: Callable[[World], None], world: World) -> None:
    with pytest.raises(Error, match="is kept in the journal"):
        change(world)
    assert world.app.Slot.objects.count() == 1


def test_many_to_many_clear_and_remove(world: World, record: Record) -> None:
    with record():
        _m2m_add(world)
    with record() as opened:
        world.visit.tags.clear()
    assert [(i.table, i.columns, i.rev) for i in images_of(opened.uuid).values()] == [
        ("record_try_visittag", None, 2)
    ]
    with record():
        _m2m_add(world)
    with pytest.raises(Error, match="is kept in the journal"):
        world.visit.tags.remove(world.tag)


def test_raw_delete(world: World, record: Record) -> None:
    with record() as opened:
        raw("DELETE FROM record_try_tag WHERE id = %s", world.tag.pk)
    assert images_of(opened.uuid)["record_try_tag", world.tag.pk].columns is None


def test_a_row_inserted_and_deleted_in_one_entry_is_a_deletion(world: World, record: Record) -> None:
    with record() as opened:
        tag = world.app.Tag.objects.create(home=HOME, word="brief")
        key = tag.pk
        tag.delete()
    assert images_of(opened.uuid)["record_try_tag", key] == Image("record_try_tag", key, 2, None, 1)


def test_a_deleted_key_is_never_used_again(world: World, record: Record) -> None:
    key = world.tag.pk
    with record():
        world.tag.delete()
    with pytest.raises(Error, match="was deleted: a new row takes a new key"), record():
        world.app.Tag.objects.create(pk=key, home=HOME, word="again")


def test_a_key_never_changes(world: World, record: Record) -> None:
    with pytest.raises(Error, match="never changes: delete the row"), record():
        raw("UPDATE record_try_tag SET id = %s", uuid4())


def test_a_new_row_cannot_choose_its_rev(world: World, record: Record) -> None:
    with pytest.raises(Error, match="must have rev 1"), record():
        raw("INSERT INTO record_try_tag (id, home, word, rev) VALUES (%s, %s, 'r', 9)", uuid4(), HOME)


@pytest.mark.sqlite
def test_insert_or_replace_is_refused(world: World, record: Record) -> None:
    with pytest.raises(Error, match="was deleted"), record():
        raw("INSERT OR REPLACE INTO record_try_tag (id, home, word) VALUES (%s, %s, 'r')", world.tag.pk, HOME)
    with pytest.raises(Error, match="is kept in the journal"):
        raw("UPDATE record_try_tag SET rev = 99")


@pytest.mark.postgres
def test_truncate_is_refused(world: World, record: Record) -> None:
    with pytest.raises(Error, match="cannot be truncated: delete its rows inside an entry"):
        raw("TRUNCATE record_try_tag CASCADE")
    with pytest.raises(Error, match="cannot be truncated"), record():
        raw("TRUNCATE record_try_office CASCADE")


@pytest.mark.postgres
def test_setting_the_entry_by_hand_does_not_pass_the_commit(world: World) -> None:
    with pytest.raises(Error, match="its entry is not in the outbox"), transaction.atomic():
        raw("SELECT set_config('kulla.entry', %s, true)", str(uuid4()))
        raw("UPDATE record_try_tag SET word = 'x'")
    world.tag.refresh_from_db()
    assert world.tag.word == "urgent"


def test_an_entry_that_changes_nothing_is_refused(app: ModuleType, record: Record) -> None:
    with pytest.raises(RecordError, match="changed no kept row"), record():
        app.Tag.objects.filter(word="nobody").update(word="x")
    with record("try.noted") as opened:
        pass
    assert Outbox.objects.get(pk=opened.uuid).images == ""


def test_a_model_with_a_decimal_is_refused_by_the_checks(app: ModuleType) -> None:
    from django.test.utils import isolate_apps

    from kulla.record.kept import Kept

    with isolate_apps("kulla.record.tests.app"):

        class Other(Kept):
            class Meta:
                app_label = "record_try"

        class Bill(Kept):
            price = models.DecimalField(max_digits=9, decimal_places=2)
            others = models.ManyToManyField(Other)

            class Meta:
                app_label = "record_try"

        assert {error.id for error in Bill.check()} == {"record.E001", "record.E002"}
        assert Other.check() == []
