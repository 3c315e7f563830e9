"""The people of many lines at once: who is new, of whom something changed, whom the line may not mean.

One question to the register serves a batch. What a batch changes is a list of records; until they count, whoever they
concern is remembered here, so that a later line of the same file meets them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from kulla.journal.ids import now_ms
from kulla.keeper import numbers
from kulla.keeper.identifiers import NUMBER, REFERENCE
from kulla.keeper.importing.report import Report
from kulla.keeper.importing.rows import BadLine, Checker, Line, Row, Twice
from kulla.keeper.importing.seen import Seen
from kulla.keeper.kinds import Body
from kulla.keeper.people import ABROAD, ALIVE, DEAD, People, known_identifiers

PACKED = 48 * 1024  # bytes of persons in one record; the limit is 64 KiB
PER_PERSON = 64  # bytes beside the sealed profile and the marks
NAMES = ("first_name", "last_name")
NEW = {
    "first_name": "",
    "last_name": "",
    "sex": "",
    "phone": "",
    "email": "",
    "language": "sq",
    "address": "",
}


@dataclass
class Work:
    """What a batch comes to: records by id, and the marks that count with them."""

    records: list[tuple[bytes, Body]] = field(default_factory=list)
    marks: list[bytes] = field(default_factory=list)


class Batches:
    """Turns lines into records."""

    def __init__(
        self,
        people: People,
        scheme: numbers.Scheme,
        report: Report,
        seen: Seen,
        *,
        source: str,
        dry_run: bool,
        again: list[int] | None = None,
    ) -> None:
        """`source` stands in the records of changes. `again`, if given, takes the lines of people who stood in this
        file already; else these are refused."""
        self._people, self._scheme, self._report, self._seen = people, scheme, report, seen
        self._source, self._dry_run, self._again = source, dry_run, again
        self._checker = Checker(people.kinds, scheme, people.today())
        self._waiting: dict[bytes, tuple[bytes, int]] = {}  # mark: (person, line), until the records count

    def take(self, lines: Iterable[tuple[int, Row | BadLine]]) -> Work:
        """The records of these lines. Counts and refusals go into the report."""
        checked: list[tuple[int, Line, list[bytes]]] = []
        for line, row in lines:
            try:
                said = self._checker.check(row)
            except BadLine as error:
                self._report.refuse(line, str(error))
                continue
            checked.append((line, said, [self._people.mark(*each) for each in said.identifiers]))
        batch = _Batch(self, [mark for _, _, marks in checked for mark in marks])
        for line, said, marks in checked:
            try:
                batch.one(line, said, marks)
            except Twice as error:
                if self._again is None:
                    self._report.refuse(line, str(error))
                else:
                    self._again.append(line)
            except BadLine as error:
                self._report.refuse(line, str(error))
        return batch.close()

    def counted(self, work: Work) -> None:
        """These records count: the register knows them from now on."""
        for mark in work.marks:
            self._waiting.pop(mark, None)


class _Batch:
    """One batch in the making."""

    def __init__(self, owner: Batches, marks: list[bytes]) -> None:
        self._owner, self._people, self._report = owner, owner._people, owner._report
        self._keys: list[tuple[bytes, Body]] = []
        self._packed: list[list[Any]] = []
        self._size = 0
        self._records: list[tuple[bytes, Body]] = []
        self._changes: list[Body] = []
        self._stood: list[tuple[bytes, int]] = []
        self._fresh: list[tuple[bytes, bytes]] = []
        self._later: list[tuple[int, bytes, bytes]] = []
        self._marks: list[bytes] = []
        self._holders = self._people.holders(marks)
        self._lines = owner._seen.lines(list(set(self._holders.values())))
        if owner._dry_run:
            fresh = owner._seen.fresh(marks)
            self._holders |= fresh
            self._lines |= owner._seen.lines(list(set(fresh.values())))
        for mark in marks:
            if mark in owner._waiting:
                person, line = owner._waiting[mark]
                self._holders[mark] = person
                self._lines[person] = line

    def one(self, line: int, said: Line, marks: list[bytes]) -> None:
        """One line. Raises BadLine."""
        persons = {self._holders[mark] for mark in marks if mark in self._holders}
        if len(persons) > 1:
            raise BadLine("The line names two different people: an identifier never moves to another person.")
        if persons:
            [raw] = persons
            if raw in self._lines:
                raise Twice(f"The same person stands on an earlier line, {self._lines[raw]}.")
            person = UUID(bytes=raw)
            self._known(line, person, said, marks)
        else:
            person = self._new(line, said, marks)
        raw = person.bytes
        self._stood.append((raw, line))
        self._lines[raw] = line
        for mark in marks:
            if mark not in self._holders:
                self._holders[mark] = raw
                self._marks.append(mark)
                self._owner._waiting[mark] = (raw, line)
                self._fresh.append((mark, raw))
        self._later += [(line, raw, self._people.mark(*each)) for each in said.guardians]

    def close(self) -> Work:
        """All records of the batch, in an order in which each finds what it needs."""
        self._pack()
        owner = self._owner
        owner._seen.add(self._stood)
        owner._seen.add_later(self._later)
        if owner._dry_run:
            owner._seen.add_fresh(self._fresh)
        named = [(b"", body) for body in self._changes]
        return Work(self._keys + self._records + named, self._marks)

    def _new(self, line: int, said: Line, marks: list[bytes]) -> UUID:
        values = said.values
        profile: dict[str, Any] = {**NEW, **values, "number": ""}
        kind, number = said.identifiers[0]
        if kind == NUMBER:
            scheme = self._owner._scheme
            profile["number"] = number
            profile["birth_date"] = values.get("birth_date") or scheme.birth_date(number).isoformat()
            profile["sex"] = profile["sex"] or scheme.sex(number)
        if not profile["first_name"] and not profile["last_name"]:
            raise BadLine("A name is missing, and the person is not in the register.")
        if not profile.get("birth_date"):
            raise BadLine("The birth date is missing, and the person is not in the register.")
        if said.died:
            profile |= {"status": DEAD, "death_date": said.died.strip("?")}
            self._report.died += 1
        if not profile["first_name"] or not profile["last_name"]:
            self._report.note(line, "The person has one name only.")
        person, key, entry = self._people.make(profile, said.identifiers, marks)
        self._keys.append(key)
        self._packed.append(entry)
        self._size += len(entry[1]) + sum(PER_PERSON + len(mark) for _, mark in entry[2])
        if self._size > PACKED:
            self._pack()
        if said.died:
            self._changes.append({"type": "person_died", "person": person, "at": now_ms()})
        self._report.added += 1
        return person

    def _pack(self) -> None:
        if self._packed:
            self._records.append((b"", {"type": "people", "people": self._packed}))
            self._packed, self._size = [], 0

    def _known(self, line: int, person: UUID, said: Line, marks: list[bytes]) -> None:
        profile = self._people.profile(person)
        fresh = [
            each for each, mark in zip(said.identifiers, marks, strict=True) if mark not in self._holders
        ]
        changes = self._differences(profile, said, fresh)
        bodies: list[Body] = []
        if fresh:
            changes["identifiers"] = [list(each) for each in (*known_identifiers(profile), *fresh)]
            changes.update(each for each in fresh if each[0] == NUMBER)
            bodies = [
                {"type": "identifier_added", "identifier": each[0], "person": person, "mark": mark}
                for each, mark in zip(said.identifiers, marks, strict=True)
                if each in fresh
            ]
        bodies += self._life(person, profile, said, changes)
        if not changes:
            self._report.already += 1
            return
        self._changes += [self._people.update_body(person, changes, self._owner._source), *bodies]
        self._count(line, changes)

    def _differences(
        self, profile: Mapping[str, Any], said: Line, fresh: list[tuple[str, str]]
    ) -> dict[str, Any]:
        """The fields that the line says otherwise. Raises BadLine for what an import may not change."""
        known = known_identifiers(profile)
        for kind, _ in fresh:
            if kind in {NUMBER, REFERENCE} and any(each == kind for each, _ in known):
                raise BadLine(f"The person has another {kind} in the register; an import does not change it.")
        names = [said.values.get(name, profile[name]) for name in NAMES]
        before = [profile[name] for name in NAMES]
        if names != before and names == before[::-1]:
            raise BadLine("First and last name stand the other way round in the register: are they swapped?")
        if not any(names):
            raise BadLine("A name is missing: the line takes both away.")
        number = next((text for kind, text in (*known, *fresh) if kind == NUMBER), "")
        if number:
            self._owner._checker.agree(number, said.values.get("birth_date"), said.values.get("sex"))
        if profile.get("status") == DEAD and "status" in said.values and said.died is None:
            raise BadLine('The register says that the person is dead; "-" as day of death takes that back.')
        return {
            name: value
            for name, value in said.values.items()
            if (profile.get(name) or _default(name)) != value
        }

    def _life(
        self, person: UUID, profile: Mapping[str, Any], said: Line, changes: dict[str, Any]
    ) -> list[Body]:
        """A death, or one taken back: into `changes`, and the records that say so."""
        dead = profile.get("status") == DEAD
        if said.died:
            day = said.died.strip("?")
            if not dead or (day and day != profile.get("death_date")):
                if day and day < profile["birth_date"]:
                    raise BadLine("The day of death is before the birth.")
                changes |= {"status": DEAD, "death_date": day}
            if not dead:
                self._report.died += 1
                return [{"type": "person_died", "person": person, "at": now_ms()}]
        elif said.died is not None and dead:
            changes |= {"status": said.values.get("status", ALIVE), "death_date": ""}
            self._report.revived += 1
            return [{"type": "person_lives", "person": person}]
        return []

    def _count(self, line: int, changes: Mapping[str, Any]) -> None:
        report = self._report
        report.changed += 1
        report.fields.update(list(changes))  # names alone
        report.renamed += any(name in changes for name in NAMES)
        moved = "address" in changes or "place" in changes or changes.get("status") == ABROAD
        report.moved += moved
        report.tell(line, "changed", " ".join(sorted(changes)))


def _default(name: str) -> str:
    return ALIVE if name == "status" else ""
