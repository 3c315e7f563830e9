"""Files of offices and of officials.

Offices: id (a UUID), name, name_en, kind (state, ministry, agency, branch), parent (an id that stands in the
register or on an earlier line), town, address, hours ("mo 8:00-12:00 13:00-16:00; tu 8:00-14:00"), closed (yes or no).
Officials: person (a number, or a kind and an identifier), office (an id), role, until (the last day), ended (yes).
Only clerks come by import: a role of power needs two people who answer for it, and has its own pages.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from kulla.keeper.importing.files import Job, Pass
from kulla.keeper.importing.rows import BadLine, Row
from kulla.keeper.kinds import Body
from kulla.keeper.offices import Office
from kulla.keeper.roles import OPERATOR, POWER

DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
_SPAN = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)", re.ASCII)
SLACK_MS = 36 * 3600 * 1000  # between two ways to say the same last day


class OfficesPass(Pass):
    """One file of offices."""

    columns = ("id", "name", "name_en", "kind", "parent", "town", "address", "hours", "closed")
    any_of = ("id",)

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._offices = job.keeper.offices

    def bodies(self, row: Row) -> list[Body]:
        """The changes of one line. Raises BadLine, Refusal."""
        office = _id(self.text(row, "id"), "id")
        if self.seen.pair(office.bytes, b""):
            raise BadLine("The same office stands on an earlier line.")
        known = self._offices.office(office)
        name = self.text(row, "name") or (known.name if known else "")
        if not name:
            raise BadLine("A new office needs a name.")
        details = {key: self.text(row, key) or None for key in ("name_en", "kind", "town", "address")}
        above = self.text(row, "parent")
        parent = _id(above, "parent") if above else None
        if parent and self._offices.office(parent) is None and not self.seen.has_pair(parent.bytes, b""):
            raise BadLine("The office above is not in the register, nor on an earlier line.")
        hours = self.text(row, "hours")
        closed = self.yes(row, "closed", default=False) if self.text(row, "closed") else None
        body = self._offices.office_body(
            office, name, parent=parent, hours=_hours(hours) if hours else None, closed=closed, **details
        )
        if known is not None and _same(known, body):
            self.report.already += 1
            return []
        self.report.changed += known is not None
        self.report.added += known is None
        return [body]

    def missing(self) -> Iterator[str]:
        """Open offices that do not stand in this extract."""
        after: UUID | None = None
        while page := self._offices.all(after):
            for office in page:
                if not self.seen.has_pair(office.id.bytes, b""):
                    yield f"office {office.id}"
            after = page[-1].id


class OfficialsPass(Pass):
    """One file of officials."""

    columns = ("person", "office", "role", "until", "ended")
    any_of = ("person",)

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._people, self._offices = job.keeper.people, job.keeper.offices

    def bodies(self, row: Row) -> list[Body]:
        """The changes of one line. Raises BadLine, Refusal."""
        person = self._people.by_identifier(*self.checker.named(self.text(row, "person")))
        if person is None:
            raise BadLine("The person is not in the register.")
        office, role = _id(self.text(row, "office"), "office"), self.text(row, "role")
        if self._offices.office(office) is None:
            raise BadLine("The office is not in the register.")
        if role in (*POWER, OPERATOR):
            raise BadLine("This role gives power: two people grant it on the offices' pages, no import does.")
        if self.seen.pair(person.bytes, office.bytes + role.encode()):
            raise BadLine("The same role of the same person stands on an earlier line.")
        held = next(
            (each for each in self._offices.held(person) if (each.role, each.office) == (role, office)), None
        )
        if self.text(row, "ended") not in {"", "no"}:
            if held is None:
                self.report.already += 1
                return []
            self.report.ended += 1
            return [self._offices.role_ended_body(held, by=None, why="import")]
        until = self._until(self.text(row, "until"))
        if self._people.is_dead(person):
            raise BadLine("The person is dead.")
        body = self._offices.role_body(person, role, office, until=until, source="import")
        if held is not None and abs(held.until - body["until"]) < SLACK_MS:
            self.report.already += 1
            return []
        self.report.changed += held is not None
        self.report.added += held is None
        return [body]

    def _until(self, text: str) -> int | None:
        """The end of the last day, in ms."""
        if not text:
            return None
        try:
            day = date.fromisoformat(text) + timedelta(days=1)
        except (ValueError, OverflowError) as error:
            raise BadLine("The last day is not a date as YYYY-MM-DD.") from error
        if day <= self._people.today():
            raise BadLine("The last day is over.")
        return int(datetime.combine(day, time(), self._people.zone).timestamp() * 1000)


def _id(text: str, name: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise BadLine(f"The field {name} is not an office's id (a UUID).") from error


def _hours(text: str) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = {}
    for part in text.lower().split(";"):
        if not part.strip():
            continue
        day, *spans = part.split()
        matches = [_SPAN.fullmatch(span) for span in spans]
        if day not in DAYS or DAYS.index(day) in found or not all(matches):
            raise BadLine('The hours do not read as "mo 8:00-12:00 13:00-16:00; tu 8:00-14:00".')
        found[DAYS.index(day)] = [
            (60 * int(match[1]) + int(match[2]), 60 * int(match[3]) + int(match[4]))
            for match in matches
            if match
        ]
    return found


def _same(known: Office, body: Body) -> bool:
    now: dict[str, Any] = {
        "name": known.name,
        "name_en": known.name_en,
        "kind": known.kind,
        "parent": known.parent,
    }
    now |= {"town": known.town, "address": known.address, "closed": known.closed}
    now["hours"] = {str(day): [list(span) for span in spans] for day, spans in known.hours.items()}
    return all(now[name] == value for name, value in body.items() if name in now)
