"""The tables of a past point are exactly those of then, on both engines, by number of entries and by time."""

import shutil
import time
from types import ModuleType

import pytest

from kulla.record import rebuild
from kulla.record.errors import ReadOnly
from kulla.record.models import EffectTask, Entry
from kulla.record.tests.conftest import HOME, Country, Record
from kulla.record.tests.test_rebuild import Rows, everything, live_a_little, settle, wipe

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_past_point(app: ModuleType, record: Record, country: Country) -> None:
    sequencer = country.sequencer()
    points: list[tuple[int, int, Rows]] = []
    for part in range(4):
        live_a_little(app, record, 8, part)
        country.receive(sequencer)
        time.sleep(0.01)
        points.append((Entry.objects.count(), time.time_ns() // 1_000_000, everything()))
        time.sleep(0.01)
    settle(country)
    for size, at_ms, rows in points:
        for until in (rebuild.Until(size=size), rebuild.Until(size=size + 1), rebuild.Until(at_ms=at_ms)):
            if until.size == size + 1 and size == points[-1][0]:
                continue
            wipe(country)
            report = rebuild.rebuild(
                mirrors=[mirror.home for mirror in country.mirrors],
                rebuild_key=country.rebuild_key.private_bytes_raw(),
                policy=country.policy,
                journal=country.folder.path,
                until=until,
            )
            assert (report.size, everything()) == (size, rows), until
            assert f"the first {size} entries" in report.sentences[-1]
            assert not EffectTask.objects.exists(), "the keeper would be asked again for what was done then"
            with pytest.raises(ReadOnly), record():
                app.Tag.objects.create(home=HOME, word="later")
    shutil.rmtree(country.folder.path)
