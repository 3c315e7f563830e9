"""What belongs to a person: who looked, questions, what is held, corrections, settings, erasure.

Others use of it:
    add_section(name, function)  a part of the register adds what it holds about a person to the download
    channels(person, kind)       on which channels a notice of this kind goes ("phone", "email"), besides the inbox
    needs(person)                what helps this person at a counter, as codes
    hides(person, office, at)    a court delays this look: nothing may tell the person of it now
"""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from kulla.keeper.errors import Refusal
from kulla.keeper.kinds import Body
from kulla.keeper.metering import entry
from kulla.keeper.my_data import held, held_areas
from kulla.keeper.my_data.corrections import Corrections
from kulla.keeper.my_data.delays import Delays
from kulla.keeper.my_data.erasure import Erasures
from kulla.keeper.my_data.offices import handler
from kulla.keeper.my_data.questions import Questions
from kulla.keeper.my_data.sections import Section, Sections
from kulla.keeper.my_data.settings import Settings
from kulla.keeper.my_data.viewing import Viewing
from kulla.keeper.sessions import Live

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper

__all__ = ["MyData"]
DAY_MS = 24 * 3600 * 1000
IDENTITY = "identity"  # the pages that belong to no service
SOURCE = "my data"
DOWNLOADS_A_DAY = 20


class MyData:
    """The parts, put together."""

    def __init__(self, keeper: "Keeper", clock: Callable[[], int]) -> None:
        self._keeper, self._clock = keeper, clock
        self.sections = Sections(keeper)
        self.delays = Delays(keeper, clock)
        self.questions = Questions(keeper, clock)
        self.viewing = Viewing(keeper)
        self.corrections = Corrections(keeper, clock)
        self.settings = Settings(keeper, clock)
        self.erasures = Erasures(keeper, clock)
        held.add_all(keeper, self)
        held_areas.add_all(keeper, self)

    # What others use -----------------------------------------------------------------------------------

    def add_section(self, name: str, section: Section) -> None:
        """Add to what a person downloads: `section(person)` gives rows (see sections.py)."""
        self.sections.add(name, section)

    def channels(self, person: UUID, kind: str) -> set[str]:
        """On which of "phone" and "email" a notice of this kind goes; the inbox has it always."""
        return self.settings.channels(person, kind)

    def needs(self, person: UUID) -> list[str]:
        """What helps this person at a counter, as codes."""
        return self.settings.needs(person)

    def hides(self, person: UUID, office: UUID | None, at_ms: int) -> bool:
        """Whether a court delays this look: then nothing may tell the person of it."""
        return self.delays.hides(person, office, at_ms)

    def status(self) -> dict[str, int]:
        """Counts for the operator and the public."""
        return {**self.questions.counts(), **self.delays.counts()}

    def tend(self) -> None:
        """Timed work."""
        self.delays.tell_due()

    # What the parts use --------------------------------------------------------------------------------

    def tell(self, person: UUID, kind: str, *bodies: Body) -> None:
        """A notice on every channel that the person keeps for this kind (a child's to the guardians); `bodies` count
        together with it. Raises Refusal("copies_unavailable")."""
        told = self._keeper.accounts.telling(person, kind)
        self._keeper.committer.commit(*bodies, *told.bodies)
        told.send()

    def handler(self, office: UUID | None) -> tuple[UUID | None, bool]:
        """(the office whose data-protection official answers for `office`, whether there is such an official)."""
        return handler(self._keeper, office)

    def may_see(self, reader: UUID, person: UUID, service: str) -> bool:
        """Whether somebody who acts for a person reads of looks in this service."""
        families = self._keeper.families
        if service in ("", IDENTITY):  # of no service: who has any scope left
            return any(ward == person for ward, _ in families.wards(reader))
        return families.acts_for(reader, person, service)

    def needs_at(self, session: Live, pseudonym: UUID, service: str) -> list[str]:
        """What helps a person, for an official whose office may look at them today; else nothing. Raises Refusal.

        What is shown is on the log as a look at no cost; where there is nothing to show, there is none.
        """
        keeper = self._keeper
        person = keeper.people.person(pseudonym, service)
        if session.office is None or not keeper.grants.holds(session.office, person):
            return []
        codes = self.needs(person)
        if codes:
            keeper.opening.look_at(session, person, ["needs"], service=service, purpose="needs")
        return codes

    def save(self, person: UUID, changes: dict[str, str], *bodies: Body, kind: str = "") -> None:
        """Change a profile, together with other records and, if named, a notice.

        Raises Refusal("unknown_person", "copies_unavailable").
        """
        people = self._keeper.people
        with people.updating:
            changed = people.update_body(person, changes, SOURCE)
            if kind:
                self.tell(person, kind, changed, *bodies)
            else:
                self._keeper.committer.commit(changed, *bodies)

    def downloaded(self, session: Live, how: str) -> None:
        """Note on the person's own page that everything was downloaded. Raises Refusal("capped", "assisted")."""
        if session.assisted:
            raise Refusal("assisted", "Data is not downloaded in an assisted session.")
        now = self._clock()
        earlier = [
            each
            for each in self._keeper.looks.nobodys_since(session.person, now - DAY_MS)
            if each["kind"] == "own"
        ]
        if len(earlier) >= DOWNLOADS_A_DAY:
            raise Refusal(
                "capped", "There were too many downloads today.", until_ms=earlier[0]["at"] + DAY_MS
            )
        names = {"service": "identity", "purpose": "download"}
        noted = entry("own", session, session.person, [how], **names, cost=0, allowed=True)
        # As nobody's look, so that it is listed; a session that was stolen cannot download unseen.
        self._keeper.looks.add([noted | {"official": None, "office": None}])
