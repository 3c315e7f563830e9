"""Comparing the tables with the journal: what a thief changed behind its back is named. Adopts and changes nothing.

1. Every kept table as a whole (comparing/whole.py).
2. The journal is read to its root, up to where the tables stood at the start; of every row the newest image's hash goes
   into a scratch file, and record_entry must say of each entry what the journal says.
3. Tables are read in small pieces; what differs is suspected (comparing/pieces.py).
4. Each suspect is looked at again at one moment, with what the journal and the outbox say then (comparing/verdict.py).
5. The mirrors' copies, where they are at hand, must not know more than this journal (comparing/copies.py).
The portal goes on meanwhile. With `state` a run that was broken off goes on where it stood.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from kulla.journal.policy import Policy
from kulla.journal.store import LogFolder
from kulla.record import readiness
from kulla.record.checked import newest_checkpoint
from kulla.record.comparing import pieces, whole
from kulla.record.comparing.copies import odd_copies
from kulla.record.comparing.expected import Expected
from kulla.record.comparing.pace import Pace
from kulla.record.comparing.verdict import Judge
from kulla.record.errors import RebuildError
from kulla.record.walking import SegmentKey

Progress = Callable[[str, int, int], None]


@dataclass
class Compared:
    """What was compared in this run, and how long that took without the rests."""

    entries: int = 0
    rows: int = 0
    differences: int = 0
    went_on: bool = False
    worked_s: float = 0.0
    took_s: float = 0.0


def compare(
    *,
    journal: Path,
    policy: Policy,
    segment_key: SegmentKey,
    progress: Progress = lambda _step, _done, _total: None,
) -> list[str]:
    """Each difference between the tables and the journal as one sentence; [] when there is none. See `run`."""
    found: list[str] = []
    run(journal=journal, policy=policy, segment_key=segment_key, say=found.append, progress=progress)
    return found


def run(
    *,
    journal: Path,
    policy: Policy,
    segment_key: SegmentKey,
    say: Callable[[str], None],
    load: float = 1.0,
    state: Path | None = None,
    copies: Sequence[Path] = (),
    progress: Progress = lambda _step, _done, _total: None,
) -> Compared:
    """Compare; `say` takes each difference as one sentence, once.

    load: the part of one core that may be used. state: a folder of our own where a broken-off run goes on; removed at
    the end. Raises RebuildError when the journal itself does not hold; whatever `segment_key` raises goes through, and
    the state stays.
    """
    folder = LogFolder(journal)
    newest_checkpoint(folder, policy)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kulla-compare-") as scratch:
        place = Path(scratch) if state is None else state
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        expected = Expected(place / "expected.sqlite3", policy.logs[0].verifier.name)
        with closing(expected):
            done = _run(expected, folder, policy, segment_key, say, load, progress)
            for sentence in odd_copies(folder, policy, copies):
                done.differences += 1
                say(sentence)
            expected.remove()
        if state is not None:
            state.rmdir()
    done.took_s = time.monotonic() - started
    return done


def _run(
    expected: Expected,
    folder: LogFolder,
    policy: Policy,
    segment_key: SegmentKey,
    say: Callable[[str], None],
    load: float,
    progress: Progress,
) -> Compared:
    pace = Pace(load)
    done = Compared(went_on=expected.went_on)
    for sentence in expected.findings():
        done.differences += 1
        say(sentence)

    def tell(sentence: str) -> None:
        if expected.find(sentence):
            done.differences += 1
            say(sentence)

    odd, missing, unreadable = whole.odd_tables()
    for sentence in odd:
        tell(sentence)
    applied = readiness.applied()  # first: everything below it stands in the journal and in record_entry
    size = newest_checkpoint(folder, policy).size
    if applied > size:
        raise RebuildError(f"The tables say that they hold {applied} entries; the journal has {size}.")
    judge = Judge(expected, folder, policy, segment_key, pace, tell)
    done.entries = max(0, applied - expected.position)
    pieces.read_journal(expected, folder, policy, segment_key, applied, pace, tell, progress)
    done.rows = pieces.read_tables(expected, missing, unreadable, pace, progress)
    pieces.read_graves(expected, pace)
    judge.all()
    judge.too_many_entries()
    for sentence in pieces.read_checkpoints(policy, pace):
        tell(sentence)
    counts = {table: expected.count(expected.numbers[table]) for table in judge.differing}
    for sentence in whole.mostly(judge.differing, counts):
        tell(sentence)
    pace.rest()
    done.worked_s = pace.worked_s
    return done
