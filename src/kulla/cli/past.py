"""What `kulla rebuild --until … --into …` does: the tables of a past point in a home that never writes."""

import argparse
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from kulla.cli import django_home, opening, restoring
from kulla.cli.errors import CommandError
from kulla.cli.home import Home
from kulla.cli.restoring import Report


def restore(
    home: Home, holders: Path, sources: Sequence[Path], point: str, into: Path, report: Report
) -> None:
    """Bring back the tables of `home` as they stood at `point` into the new home `into`.

    1. the point, the keys, the copies and the new folder are looked at; 2. the new home gets the policy and a marker
    that keeps every program from writing; 3. journal and tables, as in a rebuild. A failure leaves no half home.
    Raises CommandError, RebuildError.
    """
    rebuild_key = restoring.key_file(holders, "rebuild.key")
    if into.exists():
        raise CommandError(f"{into} exists already; nothing was touched. Choose another folder.")
    wanted = _point(point)
    portal = into / "portal"
    portal.mkdir(parents=True, mode=0o700)
    try:
        (into / "run").mkdir()
        shutil.copyfile(home.policy, into / "policy")
        (into / "home.json").write_text(json.dumps({"restored_until": point}))
        marker = portal / "read-only"
        marker.write_text("This home is being restored to a past point.")
        marker.write_text(_load(Home(into.resolve(), {}), rebuild_key, sources, wanted, report))
    except BaseException:
        shutil.rmtree(into)
        raise
    report.say(f"It lies in {into}. Nothing writes to it.")


def _point(point: str) -> dict[str, int]:
    if point.isascii() and point.isdigit() and len(point) < 13:
        return {"size": int(point)}
    try:
        return {"at_ms": opening.moment_ms(point)}
    except argparse.ArgumentTypeError as error:
        raise CommandError(f"{error}; or a number of entries.") from None


def _load(
    into: Home, rebuild_key: bytes, sources: Sequence[Path], wanted: dict[str, int], report: Report
) -> str:
    """Load; what the tables show, in words."""
    os.environ["KULLA_SEQUENCER"] = "0"
    django_home.setup(into, owner=True)
    from kulla.journal.policy import Policy
    from kulla.record.rebuild import Until, rebuild

    until = Until(**wanted)
    restored = rebuild(
        mirrors=list(sources),
        rebuild_key=rebuild_key,
        policy=Policy.parse(into.policy.read_text()),
        journal=into.portal / "journal",
        progress=report.progress,
        pass_over=True,
        until=until,
    )
    report.say(f"{sum(restored.rows.values()):,} rows.")
    for sentence in restored.sentences:
        report.say(sentence)
    return until.in_words(restored.size)
