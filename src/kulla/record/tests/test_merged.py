"""A mirror that has merged its old segments is as good a source as any."""

from pathlib import Path
from types import ModuleType

import pytest

from kulla.journal.merged import encode_merged
from kulla.journal.store import LogFolder, merged_path, segment_path
from kulla.record.models import Entry
from kulla.record.tests.conftest import Country, Record
from kulla.record.tests.test_rebuild import bring_back, check, everything, lived, settle, wipe

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["lived"]  # the fixture


def merge_by_hand(folder: Path) -> int:
    """Put all segments but the last into one merged file, as a mirror's upkeep does; how many."""
    log = LogFolder(folder)
    spans = list(log.segments())[:-1]
    parts = [(first, following, log.read(segment_path(first, following))) for first, following in spans]
    log.put_many({merged_path(parts[0][0], parts[-1][1]): encode_merged(parts)})
    for first, following in spans:
        log.remove(segment_path(first, following))
    return len(spans)


def test_rebuilt_from_merged_segments(app: ModuleType, record: Record, lived: Country) -> None:
    settle(lived)
    before, size = everything(), Entry.objects.count()
    for folder in lived.mirror_folders():
        assert merge_by_hand(folder) > 1
    wipe(lived)
    report = bring_back(lived, [mirror.home for mirror in lived.mirrors[:2]])
    assert report.size == size
    assert everything() == before
    assert check(lived) == []
    assert len(list(lived.folder.segments())) > 2
