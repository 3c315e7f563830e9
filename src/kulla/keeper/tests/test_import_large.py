"""Large files: read as they are written, broken off anywhere, sent again; a file of records that is not read whole."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kulla.keeper.admin import Admin, open_keeper
from kulla.keeper.errors import RecordsBroken, Refusal
from kulla.keeper.importing import Importer, Row
from kulla.keeper.importing.people import AHEAD, BATCH
from kulla.keeper.rebuild import rebuild_keeper
from kulla.keeper.records import STEP, Record, RecordFile
from kulla.keeper.testkit import RunningKeeper, invented, start_keeper, stop_keeper
from kulla.keeper.tests.test_parts import SEALER, chain

HEAD = "number,first_name,last_name,birth_date,sex,phone,email,language,guardian_number,address\n"
RUN = """
import sys
from pathlib import Path
from kulla.keeper.admin import open_keeper
with open_keeper(Path(sys.argv[1])) as admin:
    print("ready", flush=True)
    admin.import_people(Path(sys.argv[2]), lambda done, total: print(done, flush=True))
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningKeeper]:
    found = start_keeper(tmp_path, start=False)
    yield found
    stop_keeper(found)


def without_identifier(admin: Admin) -> int:
    row = admin._keeper.register.one(
        "SELECT count(*) FROM person WHERE id NOT IN (SELECT person FROM identifier)"
    )
    assert row is not None
    return int(row[0])


def test_lines_are_read_as_people_are_written(running: RunningKeeper) -> None:
    """So memory does not grow with the file: at most some batches are between the file and the register."""
    with open_keeper(running.keeper_home) as admin:
        keeper, given, far = admin._keeper, 0, 0
        start = admin.people()

        def rows() -> Iterator[tuple[int, Row]]:
            nonlocal given, far
            for number, each in enumerate(invented(8 * BATCH), 1):
                given += 1
                if given % 250 == 0:
                    far = max(far, given - (admin.people() - start))
                yield number, each

        importer = Importer(keeper.register, keeper.people, keeper.committer, keeper.scheme)
        assert importer.run(rows(), total=8 * BATCH).added == 8 * BATCH
    assert far <= (AHEAD + 1) * BATCH


def test_an_import_that_is_killed_is_simply_done_again(running: RunningKeeper, tmp_path: Path) -> None:
    path, count = tmp_path / "people.csv", 12 * BATCH
    with path.open("w") as file:
        file.write(HEAD)
        for each in invented(count):
            file.write(",".join(f'"{each[name]}"' for name in HEAD.strip().split(",")) + "\n")
    for after in (1, 3):
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(running.keeper_home), str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        for _ in range(after):
            process.stdout.readline()
        time.sleep(0.05 * after)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    with open_keeper(running.keeper_home) as admin:
        assert 0 < admin.people() < count
        report = admin.import_people(path)
        assert (report.added + report.already, report.bad) == (count, [])
        assert report.added > 0
        assert admin.people() == count + 6
        assert without_identifier(admin) == 0
        assert admin.import_people(path).already == count
        assert list(running.keeper_home.glob("import-*")) == [], "nothing is left lying about"
    folders = [mirror.home for mirror in running.mirrors[:2]]
    for mirror in running.mirrors:
        mirror.stop()
    again = rebuild_keeper(tmp_path / "again", folders, running.root_key)
    assert (again.people, again.sentences) == (count + 6, [])
    assert (tmp_path / "again" / "records.log").read_bytes() == (
        running.keeper_home / "records.log"
    ).read_bytes()


def test_with_two_copies_dead_an_import_stops_and_what_was_sent_is_not_added_twice(
    running: RunningKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kulla.keeper.importing.people.PATIENCE_S", 0.5)
    people = invented(300)
    with open_keeper(running.keeper_home) as admin:
        for mirror in running.mirrors[1:]:
            mirror.stop()
        before = admin.people()
        for _ in range(2):
            with pytest.raises(Refusal) as caught:
                admin.import_people(people)
            assert caught.value.code == "copies_unavailable"
        assert admin.people() == before, "nothing counts on one copy"
        keeper, read = admin._keeper, []
        importer = Importer(keeper.register, keeper.people, keeper.committer, keeper.scheme)
        with pytest.raises(Refusal):
            importer.run(
                (read.append(number) or (number, row) for number, row in enumerate(people, 1)), total=300
            )
        assert read == [], "nobody is looked up while somebody who was sent may count any moment"
        for mirror in running.mirrors[1:]:
            mirror.start()
        until = time.monotonic() + 15
        while admin._keeper.committer.waiting and time.monotonic() < until:
            time.sleep(0.05)
        report = admin.import_people(people)
        assert (report.added, report.already) == (0, 300), "what was refused may be stored all the same"
        assert admin.people() == before + 300
        assert without_identifier(admin) == 0


# The file of records ------------------------------------------------------------------------------------


def filled(path: Path, count: int = 5 * STEP) -> list[Record]:
    file = RecordFile(path)
    records = chain(count, file)
    for start in range(0, count, 100):
        file.append(records[start : start + 100])
    file.close()
    return records


def test_only_the_end_of_a_large_file_is_read_at_a_start(tmp_path: Path) -> None:
    path = tmp_path / "r"
    records = filled(path)
    data = bytearray(path.read_bytes())
    data[len(records[0].raw) + 150] ^= 1  # in the box of the second record
    path.write_bytes(data)
    file = RecordFile(path, checked=1000)
    assert (file.last, file.last_hash) == (len(records), records[-1].hash)
    assert file.read(STEP + 7) == records[STEP + 6 :]
    for start in (3, STEP, STEP + 1, 2 * STEP, len(records)):
        assert file.read(start, 1)[0] == records[start - 1]
    with pytest.raises(RecordsBroken):
        file.read(2)  # what is older is checked when it is read
    file.append([SEALER.seal(file.last + 1, bytes(16), file.last_hash, {"type": "x"})])
    file.close()
    file = RecordFile(path)  # as far as everything is checked, the damage is seen
    assert file.last == 1
    file.close()


@pytest.mark.parametrize("index", ["none", "empty", "cut", "zeros", "shifted", "another"])
def test_an_index_that_is_wrong_is_not_believed(tmp_path: Path, index: str) -> None:
    path, where = tmp_path / "r", tmp_path / "r.index"
    records = filled(path)
    good = where.read_bytes()
    filled(tmp_path / "other")
    wrong = {
        "empty": b"",
        "cut": good[:-11],
        "zeros": bytes(len(good)),
        "shifted": good[40:],
        "another": b"".join(
            (int.from_bytes(good[n : n + 8], "big") + 1).to_bytes(8, "big") + good[n + 8 : n + 40]
            for n in range(0, len(good), 40)
        ),
    }
    if index == "none":
        where.unlink()
    else:
        where.write_bytes(wrong[index])
    file = RecordFile(path, checked=1000)
    assert (file.last, file.last_hash) == (len(records), records[-1].hash)
    assert file.read(1, 1 << 30) == records
    file.close()
    assert where.read_bytes() == good


@pytest.mark.parametrize("keep", [1, STEP - 1, STEP, STEP + 1, 2 * STEP + 3])
def test_an_end_that_is_set_aside_goes_from_the_index_too(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "r"
    records = filled(path)
    file = RecordFile(path)
    assert file.read(keep + 2, 1)
    file.set_aside_after(keep)
    assert (file.last, file.last_hash) == (keep, records[keep - 1].hash)
    assert file.read(keep + 1) == []
    larger = SEALER.seal(keep + 1, bytes(16), file.last_hash, {"type": "x", "data": b"x" * 900})
    file.append([larger])
    more = [larger, *chain(STEP + 5, file)]
    file.append(more[1:])
    assert file.read(keep, 1 << 30) == [records[keep - 1], *more]
    for seq in range(keep + 5, keep, -1):
        assert file.read(seq, 1)[0] == more[seq - keep - 1], "what was known of the old end is forgotten"
    file.close()
    file = RecordFile(path, checked=100)
    assert file.read(1, 1 << 30) == [*records[:keep], *more]
    file.close()
    assert len(list(tmp_path.glob("r.torn-*"))) == 1


def test_a_record_larger_than_asked_for_is_read_whole(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "r")
    large = SEALER.seal(1, bytes(16), file.last_hash, {"type": "x", "data": b"x" * 100_000})
    file.append([large])
    assert file.read(1, 10) == [large]
    file.close()
