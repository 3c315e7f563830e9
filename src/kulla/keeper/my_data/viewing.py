"""Who looked at a person and at those in their care: a page at a time, filtered, without what a court delays."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kulla.keeper.errors import Refusal
from kulla.keeper.looks import Look, Wanted
from kulla.keeper.my_data.refs import Refs
from kulla.keeper.people import full_name

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper

BATCH = 200
LATEST = 500
ME = "me"


@dataclass(frozen=True)
class Filter:
    """What of all looks is asked for. `whose` is a person; times are ms, from and before."""

    office: UUID | None = None
    service: str = ""
    whose: UUID | None = None
    since_ms: int = 0
    until_ms: int = 1 << 62
    refused: bool = False


class Viewing:
    """Looks as their person reads them."""

    def __init__(self, keeper: "Keeper") -> None:
        self._keeper = keeper
        self._refs = Refs(keeper.vault.system("looks"))

    def page(
        self, reader: UUID, wanted: Filter, *, before: UUID | None = None, limit: int = 50
    ) -> tuple[list[dict[str, Any]], UUID | None]:
        """(lines, the name after which the next page begins or None), newest first.

        Raises Refusal("unknown_look") for a place that is none of this reader's.
        """
        place = None if before is None else self._refs.read(reader, before)
        if before is not None and place is None:
            raise Refusal("unknown_look", "There is no such look.")
        lines: list[tuple[int, Look]] = []
        whose = self._whose(reader, wanted.whose)
        while len(lines) <= limit:
            found = self._keeper.looks.page(
                whose,
                before=place,
                since_ms=wanted.since_ms,
                until_ms=wanted.until_ms,
                office=wanted.office,
                refused=wanted.refused,
                limit=BATCH,
            )
            lines += [(seq, entry) for seq, entry in found if self._shown(reader, entry, wanted)]
            if len(found) < BATCH:
                break
            place = found[-1][0]
        shown = lines[:limit]
        following = self._refs.give(reader, shown[-1][0]) if len(lines) > limit else None
        return self._lines(reader, shown), following

    def one(self, reader: UUID, ref: UUID) -> tuple[int, Look, dict[str, Any]]:
        """(number, look, line) of one look of this reader. Raises Refusal("unknown_look") for anybody else's."""
        seq = self._refs.read(reader, ref)
        entry = None if seq is None else self._keeper.looks.one(self._whose(reader, None), seq)
        if seq is None or entry is None or not self._shown(reader, entry, Filter()):
            raise Refusal("unknown_look", "There is no such look.")
        return seq, entry, self._lines(reader, [(seq, entry)])[0]

    def offices(self, reader: UUID) -> list[dict[str, Any]]:
        """The offices to choose from."""
        found = self._keeper.looks.offices_of(self._whose(reader, None))
        named = [{"id": office, "name": self._keeper.office_name(office)} for office in found]
        return sorted((each for each in named if each["name"]), key=lambda each: str(each["name"]))

    def _whose(self, reader: UUID, only: UUID | None) -> list[Wanted]:
        people = [reader, *(ward for ward, _ in self._keeper.families.wards(reader))]
        if only is not None:
            people = [person for person in people if person == only]
        hidden = self._keeper.my_data.delays.hidden
        return [Wanted(person, reader, hidden(person)) for person in people]

    def _shown(self, reader: UUID, entry: Look, wanted: Filter) -> bool:
        if wanted.service and entry["service"] != wanted.service:
            return False
        # A parent sees a child's looks in the matters in which the parent acts for the child.
        person = entry["person"]
        return bool(person == reader or self._keeper.my_data.may_see(reader, person, entry["service"]))

    def _lines(self, reader: UUID, entries: list[tuple[int, Look]]) -> list[dict[str, Any]]:
        people = {entry["person"] for _, entry in entries}
        profile = self._keeper.people.profile
        names = {person: ME if person == reader else full_name(profile(person)) for person in people}
        late = {person: self._keeper.my_data.delays.over(person) for person in people}
        asked = self._keeper.my_data.questions.of_looks(reader, [seq for seq, _ in entries])
        return [
            {
                "ref": self._refs.give(reader, seq),
                "at_ms": entry["at"],
                "kind": entry["kind"],
                "office": self._keeper.office_name(entry["office"]),
                "role": entry["role"],
                "service": entry["service"],
                "purpose": entry["purpose"],
                "fields": entry["fields"],
                "whose": names[entry["person"]],
                "allowed": entry["allowed"],
                "late": any(
                    span.office == entry["office"] and span.since_ms <= entry["at"] < span.until_ms
                    for span in late[entry["person"]]
                ),
                "question": asked.get(seq),
            }
            for seq, entry in entries
        ]
