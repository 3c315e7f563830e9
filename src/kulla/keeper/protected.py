"""Protected persons: victims of violence, dissidents, politicians, who works for the keeper.

Every look at them by an official needs a release by a second official, and is told to their contact (another person,
or the person) before anything is shown. Their address never leaves the keeper to a screen. Nothing lists them.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from kulla.keeper.approvals import OPEN, Approvals, Request, Rule
from kulla.keeper.committer import Committer
from kulla.keeper.errors import KeeperError, Refusal
from kulla.keeper.families.store import Families
from kulla.keeper.kinds import Body
from kulla.keeper.offices import Offices
from kulla.keeper.people import People, full_name
from kulla.keeper.register import Register
from kulla.keeper.roles import PROTECTION, READERS, REGISTRAR
from kulla.keeper.sessions import Live
from kulla.keeper.vault import Vault

log = logging.getLogger("kulla.keeper")
MINUTE_MS = 60 * 1000
RELEASE_MS = 30 * MINUTE_MS
ASKED_MS = 60 * MINUTE_MS  # so long a colleague may take to answer
REASONS = ("violence", "politics", "office", "keeper", "other")
READ_LIMIT = 10_000
HIDDEN = ("address", "place")  # fields of the register that are on no screen
LOOK, PROTECT, UNPROTECT = "protected_look", "protect", "unprotect"

Tell = Callable[[UUID, str, dict[str, str]], object]
Hides = Callable[[UUID, UUID | None, int], bool]


class Protected:
    """Who is protected, and which looks are released."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        people: People,
        committer: Committer,
        families: Families,
        offices: Offices,
        clock: Callable[[], int],
    ) -> None:
        self._register, self._vault, self._people, self._committer = register, vault, people, committer
        self._families, self._offices, self._clock = families, offices, clock
        self._approvals: Approvals | None = None
        self._read: OrderedDict[tuple[UUID, UUID], None] = OrderedDict()
        self.tell: Tell = _nobody  # a notice of the keeper's own on all channels; the core puts it here
        self.hides: Hides = _never  # whether a court delays a look, see my_data.delays; the core puts it here

    def declare(self, approvals: Approvals) -> None:
        """Say how releases, protections and their ends are decided."""
        self._approvals = approvals
        approvals.declare(LOOK, Rule(self._may_release, self._release, valid_ms=ASKED_MS))
        approvals.declare(PROTECT, Rule(self._may_protect, self._protect, self._tell_protected))
        approvals.declare(UNPROTECT, Rule(self._may_protect, self._unprotect, self._tell_unprotected))

    # Who -----------------------------------------------------------------------------------------------

    def is_protected(self, person: UUID) -> bool:
        """Whether looks at this person need a release."""
        return self._register.one("SELECT 1 FROM protected WHERE person = ?", person.bytes) is not None

    def contact(self, person: UUID) -> UUID:
        """Who is told of looks at this person: the one that was named, else the person."""
        row = self._register.one("SELECT contact FROM protected WHERE person = ?", person.bytes)
        return UUID(bytes=row[0]) if row else person

    def hides_address(self, person: UUID) -> bool:
        """Whether the address is on no screen: of a protected person, and of the children who live with one."""
        if self.is_protected(person):
            return True
        return any(self.is_protected(guardian) for guardian in self._families.guardians(person))

    def visible(self, person: UUID, profile: dict[str, Any]) -> dict[str, Any]:
        """A profile as it may be shown, also to the person: without the address where that is hidden."""
        if not self.hides_address(person):
            return profile
        return {name: value for name, value in profile.items() if name not in HIDDEN}

    def body(self, person: UUID, contact: UUID | None, reason: str, by: tuple[UUID, ...] = ()) -> Body:
        """The record that protects a person (two registrars, or the register's signed import).

        Raises Refusal("bad_request") for a reason that is none of REASONS.
        """
        if reason not in REASONS:
            raise Refusal("bad_request", "There is no such reason for protecting a person.")
        sealed = self._vault.seal_own(person, "protected", {"reason": reason, "by": list(by)})
        names = {"type": "protected", "person": person, "contact": contact or person}
        return {**names, "at": self._clock(), "sealed": sealed}

    def end_body(self, person: UUID) -> Body:
        """The record that ends a protection."""
        return {"type": "unprotected", "person": person, "at": self._clock()}

    def held(self, person: UUID) -> list[dict[str, Any]]:
        """That the person is protected, why and who is told, for what the person downloads."""
        row = self._register.one("SELECT contact, at, sealed FROM protected WHERE person = ?", person.bytes)
        if row is None:
            return []
        reason = self._vault.open_own(person, "protected", row[2])["reason"]
        contact = self._people.field(UUID(bytes=row[0]), "name")
        return [{"since_ms": row[1], "reason": reason, "contact": contact}]

    # Looks ---------------------------------------------------------------------------------------------

    def closed(self, session: Live, person: UUID, purpose: str) -> bool:
        """Whether this official may not look at this person now: protected, and no release for this purpose."""
        return self.is_protected(person) and not self._released(session.person, person, purpose)

    def _released(self, official: UUID, person: UUID, purpose: str) -> bool:
        row = self._register.one(
            "SELECT 1 FROM protected_release WHERE person = ? AND official = ? AND purpose = ? AND until > ? LIMIT 1",
            *(person.bytes, official.bytes, purpose, self._clock()),
        )
        return row is not None

    def looked(self, session: Live, person: UUID) -> bool:
        """Tell the contact of a look, before it is answered. False when that failed: then nothing is shown.

        A look that a court delays is told by nobody before its day.
        """
        if self.hides(person, session.office, self._clock()):
            return True
        try:
            self.tell(self.contact(person), "protected_looked", {"office": self.office_name(session.office)})
        except KeeperError:
            log.exception("a look at a protected person could not be told, so it is refused")
            return False
        return True

    def found(self, session: Live, person: UUID | None) -> None:
        """Tell the contact that somebody searched for the number. Aside, so that the answer takes as long as ever."""
        if person is None or not self.is_protected(person):
            return
        if self.hides(person, session.office, self._clock()):
            return

        def tell() -> None:
            try:
                told = {"office": self.office_name(session.office)}
                self.tell(self.contact(person), "protected_found", told)
            except KeeperError:
                log.exception("a search for a protected person could not be told")
            finally:
                self._register.close_thread()

        threading.Thread(target=tell, name="protected", daemon=True).start()

    def names_for_decider(self, session: Live, request: Request, note: Callable[[], None]) -> bool:
        """Whether the names in a request may be shown to who may decide it. Of a protected person that is a look: on
        the log (`note`) and told, once for each official and request. Raises what `note` raises."""
        key = (session.person, request.id)
        if request.about is None or not self.is_protected(request.about) or key in self._read:
            return True
        note()
        if not self.looked(session, request.about):
            return False
        self._read[key] = None
        while len(self._read) > READ_LIMIT:
            self._read.popitem(last=False)
        return True

    def office_name(self, office: UUID | None) -> str:
        """The public name of an office; empty when unknown."""
        found = self._offices.office(office)
        return found.name if found else ""

    # Releases ------------------------------------------------------------------------------------------

    def ask(self, session: Live, person: UUID, service: str, purpose: str) -> str:
        """Ask for a release; gives its state, "open" or "done". The caller has checked that this is an official."""
        if not self.closed(session, person, purpose):
            return "done"
        if self.state(session, person, purpose) != OPEN:
            shown = {"office": self.office_name(session.office), "role": session.role}
            shown |= {"service": service, "look_purpose": purpose}
            self._asked().ask(session, LOOK, {"purpose": purpose, "shown": shown}, about=person)
        return OPEN

    def state(self, session: Live, person: UUID, purpose: str) -> str:
        """Where this official's last request for this person and purpose stands; "" when there is none."""
        if self._released(session.person, person, purpose):
            return "done"
        for request in self._asked().asked_by(session.person, LOOK):
            if request.about == person and request.content["purpose"] == purpose:
                return "expired" if request.state == "done" else request.state
        return ""

    def near(self, session: Live, office: UUID | None) -> bool:
        """Whether this official is of the office, or of the one above it."""
        if session.office is None or office is None:
            return False
        return session.office in [office, *self._offices.parents(office)[:1]]

    def _may_release(self, session: Live, request: Request) -> bool:
        return session.role in (*READERS, PROTECTION) and self.near(session, request.office)

    def _release(self, request: Request, by: Live) -> list[Body]:
        if request.about is None or request.office is None:
            raise Refusal("unknown_request", "There is no such request.")
        return [self.release_body(request.about, request.by, request.office, request.content["purpose"], by)]

    def release_body(self, person: UUID, official: UUID, office: UUID, purpose: str, by: Live) -> Body:
        """The record of a release: 30 minutes for this official, person and purpose."""
        names = {"type": "protected_release", "id": uuid4(), "person": person, "official": official}
        times = {"at": self._clock(), "until": self._clock() + RELEASE_MS}
        return {**names, "office": office, "purpose": purpose, "by": by.person, **times}

    # Protecting ----------------------------------------------------------------------------------------

    def ask_protect(self, session: Live, person: UUID, contact: UUID | None, reason: str) -> None:
        """Ask that a person be protected. Raises Refusal("role", "bad_request", "yourself")."""
        self._registrar(session, person)
        if reason not in REASONS:
            raise Refusal("bad_request", "There is no such reason for protecting a person.")
        shown = self._shown(person, reason)
        own = contact is None or contact == person
        shown["protect_contact"] = "person" if own else self._people.field(contact or person, "name")
        content = {"contact": contact, "reason": reason, "shown": shown}
        self._asked().ask(session, PROTECT, content, about=person)

    def ask_unprotect(self, session: Live, person: UUID, reason: str) -> None:
        """Ask that a protection end. Raises Refusal("role", "bad_request", "yourself")."""
        self._registrar(session, person)
        content = {"shown": {**self._shown(person, ""), "protect_note": reason}}
        self._asked().ask(session, UNPROTECT, content, about=person)

    def _shown(self, person: UUID, reason: str) -> dict[str, str]:
        profile = self._people.profile(person)
        shown = {"counter_person": full_name(profile), "birth_date": str(profile["birth_date"])}
        return shown | ({"protect_reason": reason} if reason else {})

    @staticmethod
    def _registrar(session: Live, person: UUID) -> None:
        if session.role != REGISTRAR:
            raise Refusal("role", "Only registrars protect people.")
        if session.person == person:
            raise Refusal("yourself", "Nobody decides this about themselves.")

    def _may_protect(self, session: Live, request: Request) -> bool:
        return session.role == REGISTRAR and self.near(session, request.office)

    def _protect(self, request: Request, by: Live) -> list[Body]:
        if request.about is None:
            raise Refusal("unknown_request", "There is no such request.")
        content = request.content
        return [self.body(request.about, content["contact"], content["reason"], (request.by, by.person))]

    def _unprotect(self, request: Request, _by: Live) -> list[Body]:
        if request.about is None:
            raise Refusal("unknown_request", "There is no such request.")
        # The contact hears of it too, and afterwards nobody knows who that was.
        self._tell_all(request.about, "protected_ended")
        return [self.end_body(request.about)]

    def _tell_protected(self, request: Request, _by: Live) -> None:
        if request.about is not None:
            self._tell_all(request.about, "protected_set")

    def _tell_unprotected(self, request: Request, _by: Live) -> None:
        """Told in `_unprotect` already, while the contact is known."""

    def _tell_all(self, person: UUID, kind: str) -> None:
        """What cannot be told now must not undo what two people decided."""
        for reader in {person, self.contact(person)}:
            try:
                self.tell(reader, kind, {})
            except KeeperError:
                log.exception("the notice %s could not be sent", kind)

    def _asked(self) -> Approvals:
        if self._approvals is None:
            raise RuntimeError("declare() comes first")
        return self._approvals


def _never(_person: UUID, _office: UUID | None, _at_ms: int) -> bool:
    return False


def _nobody(_person: UUID, _kind: str, _params: dict[str, str]) -> None:
    """Before the core has said how people are told."""
