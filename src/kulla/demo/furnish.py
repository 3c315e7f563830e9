"""Furniture of a demo's portal: `python -m kulla.demo.furnish PLAN.json`, in the home's environment.

Makes offices, practitioners and weekly hours through the actions of the appointments service, and waits until the
mirrors have cosigned every entry.
"""
# ruff: noqa: PLC0415 - Django reads its settings when its parts are imported: the environment comes first

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from kulla.cli.supervisor import processes

RECEIVED_LIMIT_S = 120.0


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(plan: Path) -> None:
    """Do all of it. Raises SystemExit with a sentence when the entries are not received in time."""
    processes.die_with_supervisor()
    os.environ["DJANGO_SETTINGS_MODULE"] = "kulla.settings"
    import django

    django.setup()
    from kulla.record import sequencer
    from kulla.registry.door import keeper

    sequencer.start(keeper=keeper)
    offices = json.loads(plan.read_text())
    for done, office in enumerate(offices, start=1):
        open_office(office)
        if done * 4 // len(offices) > (done - 1) * 4 // len(offices):
            say(f"  {100 * done // len(offices):3d} %  offices and diaries ({done:,} of {len(offices):,})")
    if not sequencer.wait_until_empty(RECEIVED_LIMIT_S):
        raise SystemExit("The mirrors did not cosign the first entries in time.")
    sequencer.stop()


def open_office(plan: dict[str, Any]) -> None:
    """One office with its practitioners and their hours: one entry."""
    from kulla.services.appointments.offices import OfficeData, PractitionerData
    from kulla.services.appointments.offices import open_office as action
    from kulla.services.appointments.times import Hours

    today = datetime.now(UTC).date()
    practitioners = [
        PractitionerData(
            name=each["name"],
            specialty=each["specialty"],
            hours=tuple(Hours(day, start, end, slot, today) for day, start, end, slot in each["hours"]),
        )
        for each in plan["practitioners"]
    ]
    office = OfficeData(
        id=UUID(plan["id"]),
        name=plan["name"],
        kind=plan["kind"],
        town=plan["town"],
        latitude=round(plan["latitude"] * 1_000_000),
        longitude=round(plan["longitude"] * 1_000_000),
    )
    action(actor="job:demo", office=office, practitioners=practitioners)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
