"""What stands around an entry: migrations, the database's roles, the keeper's looks, its bad moments."""

from dataclasses import dataclass, field
from types import ModuleType

import pytest
from django.db import Error, IntegrityError, connection

from kulla.keeper_client import KeeperUnavailable, Look, Refused
from kulla.record import effects, looks, migrating, roles, triggers
from kulla.record.errors import RecordError
from kulla.record.kinds import MIGRATED
from kulla.record.models import EffectTask, Entry, Outbox
from kulla.record.models import Look as LookRow
from kulla.record.tests.conftest import HOME, Country, Record
from kulla.record.tests.test_rebuild import check

pytestmark = pytest.mark.django_db(transaction=True)


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_data_migration_is_recorded_and_the_table_may_change_after_it(
    app: ModuleType, record: Record, country: Country
) -> None:
    with record():
        app.Tag.objects.create(home=HOME, word="old")
    country.receive()
    triggers.drop()  # as pre_migrate does
    with connection.schema_editor() as editor:
        with migrating.data_entry(editor, {app.Tag: 1}):
            app.Tag.objects.update(word="new")
        execute("ALTER TABLE record_try_tag ADD COLUMN colour text")
        execute("ALTER TABLE record_try_tag DROP COLUMN colour")
        with migrating.data_entry(editor, {app.Tag: 1}):  # nothing to do in a new country: no entry
            pass
    triggers.install()
    assert Outbox.objects.get().kind == MIGRATED
    country.receive()
    assert Entry.objects.count() == 2
    assert check(country) == []
    outside = migrating.data_entry(connection.schema_editor(), {app.Tag: 1})
    with pytest.raises(RecordError, match="must be atomic"), outside:
        pass


def test_tables_without_their_triggers_are_not_written(
    app: ModuleType, record: Record, country: Country
) -> None:
    triggers.drop()
    try:
        with pytest.raises(RecordError, match="changed no kept row"), record():
            app.Tag.objects.create(home=HOME, word="x")
        with pytest.raises(RecordError, match="are missing: run kulla migrate"):
            country.sequencer().step()
    finally:
        triggers.install()
    assert triggers.missing() == []


@pytest.mark.postgres
def test_the_portals_role_owns_nothing(app: ModuleType, record: Record) -> None:
    execute("DROP ROLE IF EXISTS kulla_portal")
    execute("CREATE ROLE kulla_portal")
    roles.grant("kulla_portal")
    try:
        execute("SET ROLE kulla_portal")
        with record() as opened:  # what the portal does works
            tag = app.Tag.objects.create(home=HOME, word="one")
        with record():
            tag.delete()
        assert Outbox.objects.filter(pk=opened.uuid).exists()
        with record():
            app.Tag.objects.create(home=HOME, word="two")
        for forbidden in (
            "ALTER TABLE record_try_tag DISABLE TRIGGER ALL",
            "SET session_replication_role = replica",
            "TRUNCATE record_try_tag",
            "DROP TABLE record_try_tag",
            "DROP TRIGGER kulla_kept_insert ON record_try_tag",
            "UPDATE record_entry SET kind = 'x'",
            "DELETE FROM record_entry",
            "UPDATE record_checkpoint SET note = ''",
            "DELETE FROM record_grave",
            "INSERT INTO record_grave VALUES (gen_random_uuid(), 'x', 1)",
            "UPDATE record_outbox SET images = ''",
            "SELECT kulla_kept_delete()",
            "CREATE TABLE mine (a int)",
        ):
            with pytest.raises(Error, match=r"permission denied|must be owner|can only be called as"):
                execute(forbidden)
    finally:
        execute("RESET ROLE")
        execute("DROP OWNED BY kulla_portal")
        execute("DROP ROLE kulla_portal")


@pytest.mark.postgres
def test_a_second_entry_of_one_id_is_caught_at_its_commit(app: ModuleType, record: Record) -> None:
    """The window between the two looks at record_entry: the first one was moved there meanwhile."""
    with pytest.raises(IntegrityError, match="is recorded already"), record() as opened:
        app.Tag.objects.create(home=HOME, word="one")
        Entry.objects.create(
            uuid=opened.uuid, index=0, size=1, at_ms=1, kind="try.done", service="try", leaf_hash=b"", claims=b""
        )  # fmt: skip
    assert not app.Tag.objects.exists()


@dataclass
class Keeper:
    """The calls of keeper_client that these tests need, with a log of what came."""

    log: list[Look]
    confirmed: int = 0
    away: bool = False
    refuse: str = ""
    details: dict[str, int] = field(default_factory=dict)
    done: int = 0

    def looks(self, since: int) -> list[Look]:
        if self.away:
            raise KeeperUnavailable("away")
        return [look for look in self.log if look.seq > since]

    def looks_confirmed(self, upto: int) -> None:
        self.confirmed = upto

    def grant(self, **given: object) -> None:
        if self.away:
            raise KeeperUnavailable("away")
        if self.refuse:
            raise Refused(self.refuse, **self.details)
        self.done += 1


def test_looks_are_journaled_and_then_confirmed(
    country: Country, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "_confirmed", 0)
    start = 1_790_000_000 << 20
    keeper = Keeper([Look(start + n, bytes([n])) for n in range(3)])
    assert looks.poll(lambda: keeper) == 3
    assert looks.poll(lambda: keeper) == 0  # nothing is confirmed before the receipt
    assert keeper.confirmed == 0
    country.receive()
    keeper.log.append(Look(start + 3, b"x"))
    assert looks.poll(lambda: keeper) == 1
    assert keeper.confirmed == start + 2
    assert LookRow.objects.count() == 4
    keeper.away = True
    country.receive()
    assert looks.poll(lambda: keeper) == 0
    keeper.away = False
    assert looks.poll(lambda: keeper) == 0
    assert keeper.confirmed == start + 3


def test_effects_wait_for_a_keeper_in_trouble_and_name_a_refusal() -> None:
    def task() -> EffectTask:
        return EffectTask.objects.create(entry=HOME, name="grant", arguments="{}")

    keeper, one = Keeper([], away=True), task()
    assert effects.run_due(lambda: keeper) == 0
    one.refresh_from_db()
    assert (one.tries, one.refused) == (1, "")
    assert one.due_ms > 0
    EffectTask.objects.update(due_ms=0)
    keeper.away, keeper.refuse = False, "copies_unavailable"
    assert effects.run_due(lambda: keeper) == 0
    EffectTask.objects.update(due_ms=0)
    keeper.refuse = "bad_day"
    assert effects.run_due(lambda: keeper) == 0
    assert EffectTask.objects.get().refused == "bad_day"
    keeper.refuse = ""
    task()
    assert effects.run_due(lambda: keeper) == 1
    assert EffectTask.objects.count() == 1


def test_a_notice_over_the_keepers_ceiling_waits_until_it_ends_and_is_not_lost() -> None:
    EffectTask.objects.create(entry=HOME, name="grant", arguments="{}")
    keeper = Keeper([], refuse="capped", details={"until_ms": 9_000_000_000_000})
    assert effects.run_due(lambda: keeper) == 0
    task = EffectTask.objects.get()
    assert (task.refused, task.due_ms) == ("", 9_000_000_000_000)


def test_arguments_of_effects_come_back_as_they_were() -> None:
    import datetime as dt

    given = {
        "person": HOME,
        "day": dt.date(2026, 11, 23),
        "proof": b"\x00\xff",
        "params": {"when": ["a", 1, None]},
    }
    ((name, text),) = effects.unpack(effects.pack([effects.Effect("grant", given)]))
    assert (name, effects.arguments_of(text)) == ("grant", given)
    with pytest.raises(TypeError, match="cannot carry a float"):
        effects.pack([effects.Effect("grant", {"x": 1.5})])
