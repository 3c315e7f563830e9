"""At a counter: an official finds one person by an identifier (metered, on the log of looks), ticks which document was
shown, and gives a letter, changes a channel at once, or lifts a freeze. Nobody browses.

The account of an official is no counter's to open: a clerk asks, two administrators of that office's subtree agree,
and then the one who asked prints the letter, once.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kulla.keeper.accounts import contacts as forms
from kulla.keeper.accounts.book import Book
from kulla.keeper.accounts.channels import Channels
from kulla.keeper.accounts.codes import Codes, Passes
from kulla.keeper.accounts.freezing import Freezing
from kulla.keeper.accounts.letters import DOCUMENTS, Letters
from kulla.keeper.accounts.locks import Locks
from kulla.keeper.approvals import DONE, Request, Rule
from kulla.keeper.errors import Refusal
from kulla.keeper.kinds import Body
from kulla.keeper.metering import COST, entry
from kulla.keeper.roles import ADMIN
from kulla.keeper.sessions import Live

VISIT_MS = 20 * 60 * 1000
OFFICIAL_RECOVERY = "official_recovery"
ALLOWED_MS = 7 * 24 * 3600 * 1000
FIELDS = ("name", "birth_date", "phone", "email")
PURPOSE = "account desk"
NOTHING: dict[str, Any] = {
    **dict.fromkeys(("name", "birth_date", "phone", "email", "release"), ""),
    **dict.fromkeys(("active", "dead", "under_age", "official", "closed"), False),
    **dict.fromkeys(("frozen_ms", "letter_ms", "letter_until_ms"), 0),
    "waiting": [],
}


@dataclass(frozen=True)
class _Visit:
    person: UUID
    sid: str


class Desk:
    """What officials do about accounts."""

    def __init__(
        self,
        book: Book,
        codes: Codes,
        letters: Letters,
        channels: Channels,
        freezing: Freezing,
        locks: Locks,
    ) -> None:
        self._book, self._codes, self._letters, self._channels = book, codes, letters, channels
        self._freezing, self._locks = freezing, locks
        self._visits: Passes[_Visit] = Passes(book.clock, VISIT_MS)
        self._looked: set[str] = set()  # visits of protected persons whose look is on the log and told
        rule = Rule(self._may_decide, self._carry_out, self._afterwards, needed=2)
        book.keeper.approvals.declare(OFFICIAL_RECOVERY, rule)

    # Finding -------------------------------------------------------------------------------------------

    def find(self, session: Live, kind: str, identifier: str) -> str | None:
        """A name for this visit (20 minutes, this session only), or None when there is nobody. Costs 10 either way.

        Raises Refusal("role", "bad_identifier", "budget", "log_unconfirmed", "not_yours").
        """
        keeper = self._book.keeper
        keeper.meter.official(session)
        canonical = keeper.people.normalise(kind, identifier)
        person = keeper.people.by_identifier(kind, canonical)
        if person == session.person:
            raise Refusal("not_yours", "Nobody serves themselves at a counter.")
        cost = 0 if person is not None and keeper.grants.holds(session.office, person) else COST
        until = keeper.budgets.take(session.person, session.office, cost) if cost else None
        names = list(FIELDS) if person and not keeper.protected.is_protected(person) else []
        what = {"service": "identity", "purpose": PURPOSE}
        look = entry("find", session, person, names, **what, cost=cost, allowed=until is None)
        keeper.looks.add([look])
        if until is not None:
            raise Refusal("budget", "The budget for looking at people's data is spent.", until_ms=until)
        keeper.protected.found(session, person)
        return self._visits.give(_Visit(person, session.sid)) if person else None

    def release(self, session: Live, visit: str) -> str:
        """Ask a second official to release a protected person for this desk; gives the state ("open" or "done")."""
        person = self._found(session, visit)
        return self._book.keeper.protected.ask(session, person, "identity", PURPOSE)

    def view(self, session: Live, visit: str) -> dict[str, Any]:
        """What the official sees of the account: who it is, its state, the ends of the addresses on record.

        Of a protected person nothing, until a second official has released them: then the look is logged and told.
        """
        person, protected = self._found(session, visit), self._book.keeper.protected
        if protected.closed(session, person, PURPOSE):
            return {**NOTHING, "closed": True, "release": protected.state(session, person, PURPOSE)}
        self._look(session, visit, person)
        book, now = self._book, self._book.clock()
        contacts, case = book.contacts(person), self._freezing.case(person)
        letter = self._letters.newest(person)
        return {
            **NOTHING,
            "name": book.name(person),
            "birth_date": book.people.field(person, "birth_date"),
            "active": book.active(person),
            "dead": book.people.is_dead(person),
            "under_age": not book.of_age(person),
            "official": book.official(person),
            "frozen_ms": case[1] if case else 0,
            "phone": forms.hint(contacts.phone),
            "email": forms.hint(contacts.email),
            "waiting": [
                {"channel": each.channel, "value": forms.hint(each.value), "due_ms": each.due}
                for each in self._channels.waiting(person, now)
            ],
            "letter_ms": letter[0] if letter else 0,
            "letter_until_ms": letter[1] if letter else 0,
        }

    # Letters -------------------------------------------------------------------------------------------

    def letter(self, session: Live, visit: str, document: str) -> dict[str, Any]:
        """Give a letter. Where a case is open it is closed, and every credential goes at once.

        Raises Refusal("dead", "under_age", "needs_two", "bad_request", "copies_unavailable").
        """
        person = self._person(session, visit)
        if self._book.people.is_dead(person):
            raise Refusal("dead", "The register says that this person has died.")
        if not self._book.of_age(person):
            raise Refusal("under_age", "Guardians act for children; the account comes with full age.")
        if self._book.official(person):
            raise Refusal("needs_two", "This person is an official: two administrators decide.")
        return self._give(session, person, document)

    def _give(
        self, session: Live, person: UUID, document: str, request: UUID | None = None
    ) -> dict[str, Any]:
        with self._locks.of(person):
            code, body = self._letters.make(person, session.office, session.person, document, request)
            released = self._freezing.released(person)
            office = self._book.keeper.office_name(session.office)
            kind = "released" if released else "letter_given"
            told = self._book.telling(person, kind, {"office": office}, link="letter", about=body["id"])
            self._book.keeper.committer.commit(body, *released, *told.bodies)
        if released:
            self._book.end_sessions(person)
        self._codes.drop(person)
        told.send()
        shown = {"code": code, "name": self._book.name(person), "office": office}
        return {**shown, "until_ms": body["until"], "at_ms": body["at"], "released": bool(released)}

    # Channels ------------------------------------------------------------------------------------------

    def channel_ask(
        self, session: Live, visit: str, channel: str, text: str, document: str
    ) -> dict[str, Any]:
        """Send a code to the new address; it counts at once when the citizen has read the code out.

        Raises Refusal("dead", "needs_two", and as `Channels.ask`).
        """
        person = self._changeable(session, visit)
        if document not in DOCUMENTS:
            raise Refusal("bad_request", "There is no such kind of document.")
        return self._channels.ask(person, channel, text, desk=True)

    def channel_confirm(self, session: Live, visit: str, channel: str, code: str) -> None:
        """Put it in force. Raises Refusal("wrong_code")."""
        self._channels.confirm(self._changeable(session, visit), channel, code, desk=True)

    def _changeable(self, session: Live, visit: str) -> UUID:
        person = self._person(session, visit)
        if self._book.people.is_dead(person):
            raise Refusal("dead", "The register says that this person has died.")
        if self._book.official(person):
            raise Refusal("needs_two", "An official changes this alone, and waits.")
        return person

    # Officials -----------------------------------------------------------------------------------------

    def official_ask(self, session: Live, visit: str, document: str) -> UUID:
        """Ask two administrators for the recovery of an official who stands here with a document.

        Raises Refusal("not_official", "asked_already", "bad_request").
        """
        person = self._person(session, visit)
        if document not in DOCUMENTS:
            raise Refusal("bad_request", "There is no such kind of document.")
        roles = self._book.keeper.offices.roles_of(person)
        if not roles:
            raise Refusal("not_official", "This person is no official: give a letter.")
        approvals = self._book.keeper.approvals
        for request in approvals.asked_by(session.person, OFFICIAL_RECOVERY):
            if request.about == person and request.state == "open":
                raise Refusal("asked_already", "This was asked for already and waits for two administrators.")
        office = next((office for _, office in roles if office), None) or self._book.keeper.offices.root()
        shown = {"name": self._book.name(person), "office": self._book.keeper.office_name(office)}
        content = {"shown": {**shown, "document": document}, "document": document}
        request_id = approvals.ask(session, OFFICIAL_RECOVERY, content, about=person, office=office)
        told = self._book.telling(person, "official_recovery_asked", link="recovery")
        self._book.keeper.committer.commit(*told.bodies)
        told.send()
        return request_id

    def official_requests(self, session: Live) -> list[dict[str, Any]]:
        """What this official asked for, newest first: id, name, at_ms, state (also "ready" and "printed")."""
        self._book.keeper.meter.official(session)
        found = []
        for request in self._book.keeper.approvals.asked_by(session.person, OFFICIAL_RECOVERY):
            state = request.state
            if state == DONE:
                state = "ready" if self._allowed(request.id) else "printed"
            named = {"name": request.content["shown"]["name"], "at_ms": request.at, "until_ms": request.until}
            found.append({"id": request.id, **named, "state": state, "yes": request.yes})
        return found

    def official_letter(self, session: Live, request_id: UUID) -> dict[str, Any]:
        """Print the letter that two administrators allowed, once. Raises Refusal("unknown_request")."""
        self._book.keeper.meter.official(session)
        request = self._book.keeper.approvals.get(request_id)
        person = request.about
        mine = request.by == session.person and request.kind == OFFICIAL_RECOVERY
        if not mine or person is None or person == session.person:
            raise Refusal("unknown_request", "There is no such request.")
        with self._locks.of(person):
            if not self._allowed(request_id):
                raise Refusal("unknown_request", "This letter was printed already, or its time is over.")
            return self._give(session, person, str(request.content["document"]), request_id)

    def _allowed(self, request: UUID) -> bool:
        row = self._book.register.one(
            "SELECT until, letter FROM letter_allowed WHERE request = ?", request.bytes
        )
        return row is not None and row[1] is None and row[0] > self._book.clock()

    def _may_decide(self, session: Live, request: Request) -> bool:
        """Over each office where the official has a role: else the two of a small office open another's account."""
        if session.role != ADMIN or request.office is None or request.about is None:
            return False
        offices = self._book.keeper.offices
        wanted = {office or offices.root() for _, office in offices.roles_of(request.about)}
        if not all(office is not None and offices.is_admin_over(session, office) for office in wanted):
            return False
        return self._book.keeper.offices.is_admin_over(session, request.office)

    def _carry_out(self, request: Request, _session: Live) -> list[Body]:
        body: Body = {"type": "letter_allowed", "request": request.id, "person": request.about}
        return [{**body, "until": self._book.clock() + ALLOWED_MS}]

    def _afterwards(self, request: Request, _session: Live) -> None:
        """The official hears that two have agreed; the letter itself is told when it is printed."""
        if request.about is not None:
            told = self._book.telling(request.about, "official_recovery_agreed", link="recovery")
            self._book.keeper.committer.commit(*told.bodies)
            told.send()

    def _person(self, session: Live, visit: str) -> UUID:
        """Whom a visit is about, when it may be acted on. Raises Refusal("role", "too_late", "protected")."""
        person = self._found(session, visit)
        if self._book.keeper.protected.closed(session, person, PURPOSE):
            raise Refusal("protected", "A second official must release this person first.")
        self._look(session, visit, person)
        return person

    def _found(self, session: Live, visit: str) -> UUID:
        self._book.keeper.meter.official(session)
        found = self._visits.read(visit)
        if found.sid != session.sid:
            raise Refusal("too_late", "Find the person again.")
        return found.person

    def _look(self, session: Live, visit: str, person: UUID) -> None:
        """A released look at a protected person: on the log and told, once a visit. Raises Refusal("protected")."""
        keeper = self._book.keeper
        if visit in self._looked or not keeper.protected.is_protected(person):
            return
        what = {"service": "identity", "purpose": PURPOSE}
        keeper.looks.add([entry("open", session, person, FIELDS, **what, cost=0, allowed=True)])
        if not keeper.protected.looked(session, person):
            raise Refusal("protected", "The contact could not be told: nothing is shown now.")
        self._looked.add(visit)
