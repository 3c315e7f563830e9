"""From the outbox to the receipt, with three real mirrors."""

from types import ModuleType

import pytest

from kulla.record import api as record_api
from kulla.record.effects import Effect, run_due
from kulla.record.errors import NotReceived
from kulla.record.models import Checkpoint, EffectTask, Entry, Outbox, State
from kulla.record.tests.conftest import HOME, Country, Record

pytestmark = pytest.mark.django_db(transaction=True)


def test_entries_are_received_in_one_round(app: ModuleType, record: Record, country: Country) -> None:
    made = []
    for n in range(3):
        with record(person=HOME) as opened:
            app.Tag.objects.create(home=HOME, word=f"w{n}")
        made.append(opened.uuid)
    assert {s.status for s in record_api.statuses(made).values()} == {"waiting"}
    with pytest.raises(NotReceived):
        record_api.receipt(made[0], b"", None)

    assert country.receive() == 3

    found = record_api.statuses(made)
    assert [found[uuid].status for uuid in made] == ["received"] * 3
    assert sorted(s.index for s in found.values()) == [0, 1, 2]  # type: ignore[type-var]
    assert found[made[0]].check_code == record_api.check_code_of(found[made[0]].leaf_hash or b"")
    assert [s.uuid for s in record_api.entries_of(HOME)] == made[::-1]
    assert Entry.objects.count() == 3
    assert not Outbox.objects.exists()
    assert State.objects.get().applied == 3
    assert country.policy.check(Checkpoint.objects.get(size=3).note).checkpoint.size == 3


def test_one_dead_mirror_changes_nothing_two_stop_the_receipt(
    app: ModuleType, record: Record, country: Country
) -> None:
    sequencer = country.sequencer()
    country.mirrors[0].kill()
    with record() as first:
        app.Tag.objects.create(home=HOME, word="one")
    assert country.receive(sequencer) == 1
    country.mirrors[1].kill()
    with record() as second:
        app.Tag.objects.create(home=HOME, word="two")
    assert sequencer.step() == 0
    assert record_api.status(first.uuid).status == "received"  # type: ignore[union-attr]
    assert record_api.status(second.uuid).status == "waiting"  # type: ignore[union-attr]
    Outbox.objects.update(at_ms=1)
    assert record_api.status(second.uuid).status == "late"  # type: ignore[union-attr]
    assert any("has waited" in alarm for alarm in record_api.health().alarms)
    country.mirrors[0].start()
    assert country.receive(sequencer) == 1
    assert record_api.status(second.uuid).status == "received"  # type: ignore[union-attr]
    assert record_api.health().alarms == []


def test_effects_run_once_received_and_not_before(app: ModuleType, record: Record, country: Country) -> None:
    class Keeper:
        """Stands for the client's two calls; the real one is in the spanning tests."""

        def __init__(self) -> None:
            self.calls: list[tuple[str, dict[str, object]]] = []

        def notify(self, **given: object) -> None:
            self.calls.append(("notify", given))

    keeper = Keeper()
    with record(after=[Effect("notify", {"person": HOME, "template": "booked"})]) as opened:
        app.Tag.objects.create(home=HOME, word="one")
    assert run_due(lambda: keeper) == 0
    country.receive()
    assert run_due(lambda: keeper) == 1
    assert keeper.calls == [("notify", {"person": HOME, "template": "booked", "entry": opened.uuid})]
    assert run_due(lambda: keeper) == 0
    assert not EffectTask.objects.exists()
