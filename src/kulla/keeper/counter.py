"""The counter: an official acts with a person who is present, in a session of the person's own.

A *visit* is one person at one clerk's counter: found by identifier (a look: cost 10, on the log), and then confirmed in
one of three ways, of which none is the clerk's alone:
    code       six digits sent to the phone on record; the message says which office asks, and what for
    pin        six digits that the person typed on the pad (pins.py)
    signature  a sheet of paper, and a second official of the same office who has seen the person and a document
Then the keeper opens an assisted session: half an hour at most, one at a time for each clerk, over when the clerk's own
session is. Its attestations carry the office. What it may not do stands in calls/form.py: whatever is not named there.
"""

import threading
from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID, uuid4

from kulla.keeper.approvals import DONE, EXPIRED, OPEN, Approvals, Request, Rule
from kulla.keeper.committer import Committer
from kulla.keeper.counter_words import what_in_words
from kulla.keeper.errors import Refusal
from kulla.keeper.families.store import Families
from kulla.keeper.kinds import Body
from kulla.keeper.metering import Meter, entry
from kulla.keeper.people import People, full_name
from kulla.keeper.pins import Pins
from kulla.keeper.protected import Protected
from kulla.keeper.register import Register
from kulla.keeper.roles import CITIZEN, READERS
from kulla.keeper.sessions import ASSISTED, Live, Sessions
from kulla.keeper.visits import VISIT_MS, Visit, Visits

MINUTE_MS = 60 * 1000
SIGNATURE_MS = 10 * MINUTE_MS
PURPOSE = "counter"  # the word of looks and releases
SERVICE = "identity"
WHAT = ("any", "health", "school", "travel", "money")  # what a visit is for; words in counter_words.py
CODE, PIN, SIGNATURE = "code", "pin", "signature"
SIGNED, DESK_PIN = "assisted_signature", "counter_pin"  # kinds of approvals
SHOWN_VISITS = 100


class Accounts(Protocol):
    """What is asked of accounts."""

    def contacts(self, person: UUID) -> Any:
        """Where the person is reached now; `.phone` is "" when there is none."""

    def confirm_code(self, person: UUID, purpose: str, kind: str = "", **params: str) -> int:
        """Send a code to the phone on record. Raises Refusal("no_channel", "slow_down")."""

    def check_code(self, person: UUID, purpose: str, code: str) -> bool:
        """Whether it is the live code for this purpose; a right one is spent."""

    def tell(self, person: UUID, kind: str, params: dict[str, str]) -> object:
        """A notice of the keeper's own: inbox and all channels."""


class Counter:
    """Finds, has confirmed, opens, ends."""

    def __init__(
        self,
        register: Register,
        people: People,
        families: Families,
        committer: Committer,
        sessions: Sessions,
        protected: Protected,
        pins: Pins,
        meter: Meter,
        clock: Callable[[], int],
    ) -> None:
        self._people, self._families = people, families
        self._committer, self._sessions, self._protected = committer, sessions, protected
        self._pins, self._meter, self._clock = pins, meter, clock
        self._accounts: Callable[[], Accounts] | None = None
        self._approvals: Approvals | None = None
        self._beginning = threading.Lock()
        self._shown: set[UUID] = set()  # visits of protected persons whose name is on the log already
        self._visits = Visits(register, sessions, clock)

    def declare(self, approvals: Approvals, accounts: Callable[[], Accounts]) -> None:
        """Say how signatures and PINs at the desk are decided, and who sends."""
        self._approvals, self._accounts = approvals, accounts
        signed = Rule(self._may_confirm, self._carry_signature, valid_ms=SIGNATURE_MS)
        approvals.declare(SIGNED, signed)
        approvals.declare(
            DESK_PIN, Rule(self._may_confirm, self._carry_pin, self._tell_pin, valid_ms=SIGNATURE_MS)
        )

    # Finding -------------------------------------------------------------------------------------------

    def find(self, session: Live, identifier_type: str, identifier: str, what: str) -> UUID | None:
        """Begin a visit. Costs 10 whether or not there is anybody; the look names what the clerk will see.

        Raises Refusal("role", "log_unconfirmed", "bad_identifier", "bad_request", "yourself", "budget").
        """
        self._meter.official(session)
        if what not in WHAT:
            raise Refusal("bad_request", "There is no such purpose of a visit.")
        canonical = self._people.normalise(identifier_type, identifier)
        person = self._people.by_identifier(identifier_type, canonical)
        if person == session.person:
            raise Refusal("yourself", "Nobody helps themselves at their own counter.")
        fields = ["name", "birth_date"] if person and not self._protected.is_protected(person) else []
        self._meter.pay("find", session, person, SERVICE, PURPOSE, fields)
        self._protected.found(session, person)
        if person is None or session.office is None:
            return None
        names = {"type": "visit", "id": uuid4(), "person": person, "official": session.person}
        more = {"office": session.office, "clerk_sid": session.sid, "what": what, "at": self._clock()}
        self._committer.commit({**names, **more})
        return UUID(str(names["id"]))

    def show(self, session: Live, visit_id: UUID) -> dict[str, Any]:
        """A visit as its page needs it. Raises Refusal("unknown_visit")."""
        visit = self._visits.of(session, visit_id)
        closed = self._protected.closed(session, visit.person, PURPOSE)
        protected = self._protected.is_protected(visit.person)
        name, born = "", ""
        if not closed and (not protected or self._look(session, visit)):
            profile = self._people.profile(visit.person)
            name, born = full_name(profile), str(profile["birth_date"])
        return {
            "id": visit.id,
            "sheet": visit.sheet,
            "name": name,
            "birth_date": born,
            "office": self._protected.office_name(visit.office),
            "what": visit.what,
            "at_ms": visit.at,
            "until_ms": visit.at + VISIT_MS,
            "protected": protected,
            "release": self._protected.state(session, visit.person, PURPOSE) if protected else "",
            "phone": not closed and bool(self._other.contacts(visit.person).phone),
            "pin": "" if closed else self._pins.state(visit.person),
            "signature": self._state(SIGNED, visit),
            "pin_request": self._state(DESK_PIN, visit),
            "begun": bool(visit.confirmed),
        }

    def ask_release(self, session: Live, visit_id: UUID) -> str:
        """Ask a second official to release a protected person for this visit; gives the state."""
        self._meter.official(session)
        visit = self._visits.of(session, visit_id)
        return self._protected.ask(session, visit.person, SERVICE, PURPOSE)

    def _look(self, session: Live, visit: Visit) -> bool:
        """A released look at a protected person: on the log and told, once a visit."""
        if visit.id not in self._shown:
            fields = ["name", "birth_date"]
            self._meter.looks.add([self._entry(session, visit.person, PURPOSE, fields)])
            if not self._protected.looked(session, visit.person):
                return False
            self._shown.add(visit.id)
        return True

    @staticmethod
    def _entry(session: Live, person: UUID, purpose: str, fields: list[str]) -> dict[str, Any]:
        return entry("open", session, person, fields, service=SERVICE, purpose=purpose, cost=0, allowed=True)

    # Confirming ----------------------------------------------------------------------------------------

    def send_code(self, session: Live, visit_id: UUID) -> None:
        """A code to the phone on record. Raises Refusal("unknown_visit", "protected_look", "no_phone", "slow_down")."""
        visit = self._open(session, visit_id)
        if not self._other.contacts(visit.person).phone:
            raise Refusal("no_phone", "There is no telephone on record.")
        what = what_in_words(self._language(visit.person), visit.what)
        office = self._protected.office_name(visit.office)
        self._other.confirm_code(
            visit.person, f"counter {visit.id}", "code_counter", office=office, what=what
        )

    def ask_signature(self, session: Live, visit_id: UUID) -> None:
        """Ask a colleague to confirm the person who signs. While a question is open, or just answered: nothing.

        For a protected person a colleague's yes is the release too. Raises Refusal("unknown_visit").
        """
        visit = self._visits.of(session, visit_id)
        self._able(visit.person)
        if self._state(SIGNED, visit) not in (OPEN, DONE):
            self._asked.ask(
                session, SIGNED, self._content(visit, {}), about=visit.person, office=visit.office
            )

    def ask_pin(self, session: Live, visit_id: UUID, pin: str) -> None:
        """A PIN typed at the desk, to be confirmed by a colleague: a clerk alone must not be able to set one, since
        it would let the clerk act when the person is gone. Raises Refusal("unknown_visit", "weak_pin")."""
        visit = self._open(session, visit_id)
        if self._state(DESK_PIN, visit) != OPEN:
            hashed = self._pins.hash(visit.person, pin)
            content = self._content(visit, {"hashed": hashed})
            self._asked.ask(session, DESK_PIN, content, about=visit.person, office=visit.office)

    def _content(self, visit: Visit, more: dict[str, Any]) -> dict[str, Any]:
        """The second official compares the name and the birth date with the document."""
        profile = self._people.profile(visit.person)
        shown = {"sheet": visit.sheet, "counter_person": full_name(profile)}
        shown["birth_date"] = str(profile["birth_date"])
        return {"visit": visit.id, **more, "shown": {**shown, "counter_what": visit.what}}

    def _may_confirm(self, session: Live, request: Request) -> bool:
        return session.role in READERS and session.office is not None and session.office == request.office

    def _carry_signature(self, request: Request, by: Live) -> list[Body]:
        visit = self._of_request(request)
        self._meter.looks.add([self._entry(by, visit.person, "presence", ["name", "birth_date"])])
        if not self._protected.is_protected(visit.person):
            return []
        release = self._protected.release_body(visit.person, visit.official, visit.office, PURPOSE, by)
        return [release]

    def _carry_pin(self, request: Request, by: Live) -> list[Body]:
        visit = self._of_request(request)
        self._meter.looks.add([self._entry(by, visit.person, "presence", ["name", "birth_date"])])
        return [self._pins.body(visit.person, request.content["hashed"], visit.office)]

    def _tell_pin(self, request: Request, _by: Live) -> None:
        visit = self._of_request(request)
        self._other.tell(
            visit.person, "counter_pin_desk", {"office": self._protected.office_name(visit.office)}
        )

    def _of_request(self, request: Request) -> Visit:
        """The visit that a request is about, while the clerk's session stands. Raises Refusal("decided")."""
        visit = self._visits.by_id(request.content["visit"])
        if visit is None or visit.confirmed or not self._visits.stands(visit.clerk_sid):
            raise Refusal("decided", "The visit is over.")
        return visit

    def _state(self, kind: str, visit: Visit) -> str:
        """The newest request of a kind for a visit. A yes is good as long as the question was: ten minutes."""
        for request in self._asked.asked_by(visit.official, kind):
            if request.content.get("visit") == visit.id:
                late = request.state == DONE and request.until <= self._clock()
                return EXPIRED if late else request.state
        return ""

    # Acting --------------------------------------------------------------------------------------------

    def begin(
        self,
        session: Live,
        visit_id: UUID,
        way: str,
        secret: str,
        *,
        network: str,
        device: str,
        language: str,
    ) -> dict[str, Any]:
        """(1) the visit is this session's and open; (2) the person confirms; (3) the clerk's earlier one ends; (4) the
        look is on the log, the session a record in one batch with the visit's end; (5) the person is told.

        Raises Refusal("unknown_visit", "protected_look", "wrong_code", "wrong_pin", "pin_locked", "no_pin",
        "not_confirmed", "frozen", "dead", "under_age", "role", "log_unconfirmed").
        """
        self._meter.official(session)
        self._open(session, visit_id)
        with self._beginning:
            visit = self._open(session, visit_id)
            self._confirm(visit, way, secret)
            if self._protected.is_protected(visit.person) and not self._look(session, visit):
                raise Refusal("protected_look", "The contact of a protected person could not be told.")
            self._meter.looks.add([self._entry(session, visit.person, "assisted", [])])
            if earlier := self._visits.living_of(session.person):
                self._sessions.end_sids(earlier)
            now, sid = self._clock(), uuid4().hex
            confirmed = {"type": "visit_confirmed", "id": visit.id, "way": way, "at": now, "sid": sid}
            until = now + ASSISTED.whole_ms
            body = self._sessions.open_for(
                visit.person,
                CITIZEN,
                None,
                network=network,
                device=device,
                language=language,
                assisted={"official": session.person, "office": visit.office},
                factor=f"counter-{way}",
                more={"sid": sid},
                also=[{**confirmed, "until": until}],
            )
            office = self._protected.office_name(visit.office)
            try:
                self._other.tell(visit.person, f"counter_begun_{way}", {"office": office})
            except Refusal:
                self._sessions.end_sids([sid])
                raise
        return {
            "session": body,
            "name": self._people.field(visit.person, "name"),
            "office": office,
            "until_ms": until,
        }

    def _confirm(self, visit: Visit, way: str, secret: str) -> None:
        """Raise unless the person has confirmed in this way."""
        if way == CODE:
            if not self._other.check_code(visit.person, f"counter {visit.id}", secret):
                raise Refusal("wrong_code", "The code is wrong, too old, or was used already.")
        elif way == PIN:
            self._check_pin(visit, secret)
        elif way != SIGNATURE or self._state(SIGNED, visit) != DONE:
            raise Refusal("not_confirmed", "Nobody has confirmed that the person is there.")

    def _check_pin(self, visit: Visit, pin: str) -> None:
        """The person hears of it when the PIN locks."""
        try:
            self._pins.check(visit.person, pin)
        except Refusal as refusal:
            if refusal.details.get("left") == 0:
                office = self._protected.office_name(visit.office)
                self._other.tell(visit.person, "counter_pin_locked", {"office": office})
            raise

    def _able(self, person: UUID) -> None:
        """Raise for those for whom nobody acts at a counter as themselves."""
        standing = self._sessions.standing
        if standing.dead(person) or self._people.is_dead(person):
            raise Refusal("dead", "This person has died.")
        if standing.frozen(person):
            raise Refusal("frozen", "This account is frozen.")
        if self._families.under_age(person):
            raise Refusal("under_age", "For a child a guardian comes to the counter.")

    # The person ----------------------------------------------------------------------------------------

    def mine(self, person: UUID) -> dict[str, Any]:
        """The PIN's state and the visits of a person, newest first."""
        at, office = self._pins.since(person)
        rows = self._visits.confirmed(person, SHOWN_VISITS)
        visits = [
            {
                "at_ms": begun,
                "until_ms": until,
                "office": self._protected.office_name(UUID(bytes=where)),
                "way": way,
                "what": what,
            }
            for begun, until, where, way, what in rows
        ]
        return {
            "pin": self._pins.state(person),
            "pin_at_ms": at,
            "pin_office": self._protected.office_name(office),
            "has_password": self._pins.has_password(person),
            "visits": visits,
        }

    def held(self, person: UUID) -> list[dict[str, Any]]:
        """The visits, for what the person downloads."""
        return list(self.mine(person)["visits"])

    def held_pin(self, person: UUID) -> list[dict[str, Any]]:
        """That there is a PIN and since when; never the PIN."""
        mine = self.mine(person)
        if not mine["pin"]:
            return []
        return [{"state": mine["pin"], "since_ms": mine["pin_at_ms"], "office": mine["pin_office"]}]

    def set_pin(self, session: Live, password: str, pin: str) -> None:
        """The person sets the PIN. Raises as Pins.choose."""
        self._pins.choose(session, password, pin)
        self._other.tell(session.person, "counter_pin_set", {})

    def remove_pin(self, session: Live) -> None:
        """The person takes the PIN away."""
        if self._pins.state(session.person):
            self._pins.remove(session.person)
            self._other.tell(session.person, "counter_pin_removed", {})

    # Parts ---------------------------------------------------------------------------------------------

    def _open(self, session: Live, visit_id: UUID) -> Visit:
        """A visit that may still be confirmed, of a person for whom one may act."""
        visit = self._visits.of(session, visit_id)
        if visit.confirmed:
            raise Refusal("unknown_visit", "This visit was confirmed already.")
        if self._protected.closed(session, visit.person, PURPOSE):
            raise Refusal("protected_look", "A second official must release this person first.")
        self._able(visit.person)
        return visit

    def _language(self, person: UUID) -> str:
        return self._people.field(person, "language") or "sq"

    @property
    def _other(self) -> Accounts:
        if self._accounts is None:
            raise RuntimeError("declare() comes first")
        return self._accounts()

    @property
    def _asked(self) -> Approvals:
        if self._approvals is None:
            raise RuntimeError("declare() comes first")
        return self._approvals
