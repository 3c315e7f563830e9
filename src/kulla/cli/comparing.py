"""What `kulla rebuild --compare` does: the portal's tables with the journal, the keeper with the key copies."""

import json
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from kulla.cli import django_home, opening
from kulla.cli.errors import CommandError
from kulla.cli.home import Home
from kulla.cli.restoring import Report


def compare(home: Home, holders: Path | None, sources: Sequence[Path], load: float, report: Report) -> int:
    """Print each difference as a line; how many there are. Raises CommandError when nothing opens the journal.

    1. what of a portal and a keeper is on this host;
    2. the tables, at this load, going on where a broken-off run stood (HOME/portal/comparing), and whether the mirrors
       under `sources` know more than the portal's journal;
    3. the keeper's records and register beside the key copies under `sources`, by default the home's operators.
    """
    if not 0 < load <= 1:
        raise CommandError(f"--load is a part of one core, above 0 and at most 1, not {load}.")
    os.nice(10)
    differences = 0
    if home.portal.is_dir():
        differences += _portal(home, holders, sources, load, report)
    if home.keeper.is_dir():
        differences += _keeper(home, holders, sources, load, report)
    return differences


def _portal(home: Home, holders: Path | None, sources: Sequence[Path], load: float, report: Report) -> int:
    django_home.setup(home)
    from kulla.journal.policy import Policy
    from kulla.record import compare as comparing

    done = comparing.run(
        journal=home.portal / "journal",
        policy=Policy.parse(home.policy.read_text()),
        segment_key=_patient(opening.segment_keys(home, holders, "compare")),
        say=lambda sentence: print(sentence, flush=True),
        load=load,
        state=home.portal / "comparing",
        copies=[] if home.read_only else sources or home.operators,
        progress=report.progress,
    )
    went_on = ", going on where a broken-off run stood" if done.went_on else ""
    speed = (done.entries + done.rows) / max(done.worked_s, 1e-9)
    report.say(
        f"Portal: {done.entries:,} entries and {done.rows:,} rows in {done.took_s:.1f} s, of them {done.worked_s:.1f} s"
        f" of work: {speed:,.0f} a second{went_on}."
    )
    return done.differences


def _patient(segment_key: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Past the keys that the keeper gives in an hour the run ends with a sentence; repeated, it goes on."""
    from kulla.keeper_client import Refused

    def asked(header: bytes) -> bytes:
        try:
            return segment_key(header)
        except Refused as refused:
            if refused.code != "budget":
                raise
            until = datetime.fromtimestamp(int(refused.details.get("until_ms") or 0) / 1000, UTC)
            raise CommandError(
                f"The keeper gives no more keys of segments until {until:%H:%M:%S} UTC. Run this again then:"
                " it goes on where it stands. The holders' key (--keys) knows no limit."
            ) from refused

    return asked


def _keeper(home: Home, holders: Path | None, sources: Sequence[Path], load: float, report: Report) -> int:
    from kulla.keeper.comparing import compare_keeper
    from kulla.record.comparing.pace import Pace

    copies = [path for path in (sources or home.operators) if (path / "keycopy").is_dir()]
    root_key = _root_key(home, holders)
    if root_key is None or not copies:
        lacks = "the holders' root key (--keys)" if root_key is None else "a key copy (--from MIRROR)"
        report.say(f"The keeper was not compared: that needs {lacks}.")
        return 0
    pace = Pace(load)
    done = compare_keeper(
        home.keeper, root_key, copies, lambda line: print(line, flush=True), pace.rest, scratch=home.path
    )
    report.say(f"Keeper: {done.records:,} records and {done.rows:,} rows with {len(copies)} key copies.")
    return done.differences


def _root_key(home: Home, holders: Path | None) -> Path | None:
    if holders is not None:
        return holders / "root.key"
    settings = json.loads((home.keeper / "keeper.json").read_text())
    path: Path = home.keeper / settings["root_key"]
    return path if path.is_file() else None
