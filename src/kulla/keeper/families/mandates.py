"""Representatives: an adult lets another act for them, in chosen scopes and until a day. Both must say yes.

(1) The person makes an offer and gets a code to read out or hand over. (2) Who has the code enters it on their own
page, sees who asks and for what, and accepts. (3) The person sees that name and confirms: only now it counts. Either
ends it at once. Nobody is looked up by a number, so nothing here tells whether somebody has an account. A mandate
reaches the person alone, never those for whom that person acts, and it cannot be handed on.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

from kulla.keeper.accounts import crockford
from kulla.keeper.accounts.book import Telling
from kulla.keeper.committer import Committer
from kulla.keeper.errors import Refusal
from kulla.keeper.families.links import GUARDIANSHIP, Body, checked_scopes
from kulla.keeper.families.store import Families
from kulla.keeper.families.telling import Prepare, commit_and_tell
from kulla.keeper.people import People
from kulla.keeper.register import Register, Row
from kulla.keeper.sessions import Live
from kulla.keeper.vault import Vault

HOUR_MS = 3600 * 1000
OFFER_MS = 7 * 24 * HOUR_MS  # so long a code can be entered, and then an acceptance be confirmed
AT_MOST = timedelta(days=3 * 366)
OPEN_OFFERS = 5
GROUPS, SIZE = 3, 4  # of a code: 60 bits
GUESSES, GUESSES_S = 5, 3600.0
GUESSERS = 50_000
OFFERED, ACCEPTED, HOLDS = "offered", "accepted", "holds"


@dataclass(frozen=True)
class Mandate:
    """As it stands: offered, accepted (waits for the person), or holds. `code` while it is offered."""

    id: UUID
    person: UUID
    representative: UUID | None
    scopes: tuple[str, ...]
    until: date
    expires: int
    state: str
    code: str = ""


class Mandates:
    """Offers, acceptances, ends."""

    def __init__(
        self,
        register: Register,
        people: People,
        families: Families,
        vault: Vault,
        committer: Committer,
        *,
        telling: Prepare,
        clock: Callable[[], int],
    ) -> None:
        """`telling` prepares a notice to a person on every channel: (person, kind, words)."""
        self._register, self._vault, self._people, self._committer = register, vault, people, committer
        self._families, self._telling, self._clock = families, telling, clock
        self._changing = threading.Lock()
        self._guesses = _Guesses()

    # The person ----------------------------------------------------------------------------------------

    def offer(self, session: Live, scopes: Iterable[str], until: date) -> Mandate:
        """Make an offer. Raises Refusal("role", "assisted", "not_adult", "under_guardianship", "bad_scope",
        "bad_day", "too_many")."""
        self._grown_up(session)
        wanted = checked_scopes(scopes)
        if not self._families.today() <= until <= self._families.today() + AT_MOST:
            raise Refusal("bad_day", "A mandate lasts until a day from today to three years ahead.")
        with self._changing:
            if sum(1 for each in self.of(session.person) if each.state != HOLDS) >= OPEN_OFFERS:
                raise Refusal("too_many", "There are too many offers: take one back first.")
            code = crockford.make(GROUPS, SIZE)
            mandate, now = uuid4(), self._clock()
            body = {
                "type": "mandate_offered",
                "id": mandate,
                "person": session.person,
                "scopes": wanted,
                "until": until.isoformat(),
                "code": self._mark(code),
                "sealed": self._vault.seal_own(session.person, "mandate", {"code": code}),
                "at": now,
                "expires": now + OFFER_MS,
            }
            self._committer.commit(body)
        return self._get(mandate)

    def confirm(self, session: Live, mandate: UUID) -> None:
        """The person says yes to the representative whose name they have seen. Raises Refusal("unknown_mandate",
        "role", "assisted")."""
        self._grown_up(session)
        with self._changing:
            found = self._mine(session, mandate)
            if found.state == HOLDS:
                return
            if found.person != session.person or found.state != ACCEPTED or found.representative is None:
                raise _unknown()
            if self._families.is_dead(found.representative):
                raise _unknown()
            body = self._body("mandate_confirmed", found)
            commit_and_tell(self._committer, body, *self._told(found, "mandate_holds"))

    def end(self, session: Live, mandate: UUID) -> None:
        """Either ends it, at once; the person also takes an offer back. Raises Refusal("unknown_mandate", "role",
        "assisted")."""
        self._own_session(session)
        with self._changing:
            found = self._mine(session, mandate)
            why = "by_person" if session.person == found.person else "by_representative"
            body = {**self._body("mandate_ended", found), "why": why}
            commit_and_tell(self._committer, body, *self._told(found, "mandate_ended"))

    def of(self, person: UUID) -> list[Mandate]:
        """What a person offered and gave: everything that still stands or waits, newest first."""
        return self._rows("person = ?", person)

    # The representative --------------------------------------------------------------------------------

    def look(self, session: Live, code: str) -> Mandate:
        """The offer behind a code. Raises Refusal("unknown_code") alike for wrong, used, expired and taken back ones,
        "self", "slow_down" (retry_after_s), "role", "assisted", "not_adult", "under_guardianship"."""
        self._grown_up(session)
        self._guesses.check(session.person)
        found = self._find("code = ?", self._mark(code))
        if found is None or found.state != OFFERED or self._families.is_dead(found.person):
            self._guesses.wrong(session.person)
            raise Refusal("unknown_code", "There is no offer with this code, or it does not hold any more.")
        if found.person == session.person:
            raise Refusal("self", "This is your own offer: give the code to the other person.")
        return found

    def accept(self, session: Live, code: str) -> Mandate:
        """Say yes to an offer; it counts when the person has confirmed. Raises as `look`."""
        with self._changing:
            found = self.look(session, code)
            body = {**self._body("mandate_accepted", found), "representative": session.person}
            named = {"name": self._name(session.person)}
            commit_and_tell(self._committer, body, self._telling(found.person, "mandate_accepted", named))
            return self._get(found.id)

    def accepted_by(self, representative: UUID) -> list[Mandate]:
        """What a representative accepted: everything that still stands or waits, newest first."""
        return self._rows("representative = ?", representative)

    # Inside --------------------------------------------------------------------------------------------

    def _mine(self, session: Live, mandate: UUID) -> Mandate:
        found = self._get(mandate)
        if session.person not in (found.person, found.representative):
            raise _unknown()
        return found

    def _get(self, mandate: UUID) -> Mandate:
        found = self._find("id = ?", mandate.bytes)
        if found is None:
            raise _unknown()
        return found

    def _find(self, where: str, value: bytes) -> Mandate | None:
        row = self._register.one(f"{_SELECT} WHERE {where} AND ended IS NULL", value)
        return self._of(row) if row else None

    def _rows(self, where: str, person: UUID) -> list[Mandate]:
        rows = self._register.rows(
            f"{_SELECT} WHERE {where} AND ended IS NULL ORDER BY offered DESC, id LIMIT 100", person.bytes
        )
        found = [self._of(row) for row in rows]
        return [each for each in found if each is not None and not self._one_dead(each)]

    def _one_dead(self, mandate: Mandate) -> bool:
        both = (mandate.person, mandate.representative)
        return any(self._families.is_dead(each) for each in both if each is not None)

    def _of(self, row: Row) -> Mandate | None:
        """None: over, because its last day or the time of the offer has passed."""
        tie, owner, other, scopes, until, expires, accepted, confirmed, sealed = row
        person, last = UUID(bytes=owner), date.fromisoformat(until)
        state = HOLDS if confirmed else ACCEPTED if accepted else OFFERED
        if last < self._families.today() or (state != HOLDS and expires <= self._clock()):
            return None
        code = self._vault.open_own(person, "mandate", sealed)["code"] if state == OFFERED else ""
        representative = UUID(bytes=other) if other else None
        return Mandate(
            UUID(bytes=tie), person, representative, tuple(scopes.split(",")), last, expires, state, code
        )

    def _body(self, kind: str, mandate: Mandate) -> Body:
        """Both persons stand in each record, so that what is remembered about them is dropped."""
        names = {"person": mandate.person, "representative": mandate.representative}
        return {"type": kind, "id": mandate.id, **names, "at": self._clock()}

    def _own_session(self, session: Live) -> None:
        if not session.is_citizen:
            raise Refusal("role", "Only a person for themselves may do this.")
        if session.assisted is not None:
            raise Refusal(
                "assisted", "This cannot be done with an official's help, only in one's own session."
            )

    def _grown_up(self, session: Live) -> None:
        """An adult who decides for themselves, alone at their own session."""
        self._own_session(session)
        if (
            session.short
        ):  # what is left open on somebody else's device must not become years of acting for one
            raise Refusal("short_session", "On a device that is not one's own nobody is appointed.")
        if self._families.under_age(session.person):
            raise Refusal("not_adult", "Only adults appoint a representative or are one.")
        if any(link.kind == GUARDIANSHIP for link in self._families.links_to(session.person)):
            raise Refusal("under_guardianship", "Who is under guardianship cannot do this.")

    def _told(self, mandate: Mandate, kind: str) -> list[Telling]:
        """A notice to both, each with the other's name; none of an offer that nobody took."""
        other = mandate.representative
        if other is None:
            return []
        return [
            self._telling(mandate.person, f"{kind}_person", {"name": self._name(other)}),
            self._telling(other, f"{kind}_representative", {"name": self._name(mandate.person)}),
        ]

    def _mark(self, code: str) -> bytes:
        """Under which a code is looked up."""
        return self._people.mark("mandate", crockford.read(code))

    def _name(self, person: UUID) -> str:
        return self._people.field(person, "name")


_SELECT = (
    "SELECT id, person, representative, scopes, until, expires, accepted, confirmed, sealed FROM mandate"
)


def _unknown() -> Refusal:
    return Refusal("unknown_mandate", "There is no such mandate of yours, or it has ended.")


class _Guesses:
    """Wrong codes by person: five an hour. The code's 60 bits are the protection; this keeps guessing dull."""

    def __init__(self) -> None:
        self._wrong: dict[UUID, list[float]] = {}
        self._lock = threading.Lock()

    def check(self, person: UUID) -> None:
        """Raise Refusal("slow_down", retry_after_s) after too many."""
        with self._lock:
            recent = self._recent(person)
            if len(recent) >= GUESSES:
                wait = int(recent[-GUESSES] + GUESSES_S - time.monotonic()) + 1
                raise Refusal(
                    "slow_down", "There were too many wrong codes: wait a while.", retry_after_s=wait
                )

    def wrong(self, person: UUID) -> None:
        """Count one."""
        with self._lock:
            if len(self._wrong) >= GUESSERS:
                self._wrong = {known: times for known in list(self._wrong) if (times := self._recent(known))}
            self._wrong[person] = [*self._recent(person), time.monotonic()]

    def _recent(self, person: UUID) -> list[float]:
        since = time.monotonic() - GUESSES_S
        return [each for each in self._wrong.get(person, []) if each > since]
