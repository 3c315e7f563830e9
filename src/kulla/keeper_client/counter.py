"""Calls of the counter, and what they give. Times are milliseconds since 1970 UTC."""

from dataclasses import dataclass, field
from uuid import UUID

from kulla.keeper_client.pool import Pool
from kulla.keeper_client.types import Session

PIN_S = 15.0  # Argon2 of many people at once waits its turn


@dataclass(frozen=True)
class Visit:
    """One person at a clerk's counter, before the person has confirmed.

    `name` is empty for a protected person without a release. `phone`: a code can be sent; `pin`: "", "set" or
    "locked"; `signature`, `release`, `pin_request`: "", "open", "done", "refused" or "expired".
    `sheet` is the short number on the paper; `what` one of the fixed words of what it is for.
    """

    id: UUID
    sheet: str
    name: str = field(repr=False)
    birth_date: str = field(repr=False)
    office: str
    what: str
    at_ms: int
    until_ms: int
    protected: bool
    release: str
    phone: bool
    pin: str
    signature: str
    pin_request: str
    begun: bool


@dataclass(frozen=True)
class Begun:
    """An assisted session: its token, whom it acts for, and the office that says so on receipts."""

    session: Session = field(repr=False)
    name: str = field(repr=False)
    office: str
    until_ms: int


@dataclass(frozen=True)
class PastVisit:
    """One time when somebody acted at a counter with this person. `until_ms` is when it ended or will end."""

    at_ms: int
    until_ms: int
    office: str
    way: str
    what: str


@dataclass(frozen=True)
class MyCounter:
    """What a person sees of the counter: the PIN ("", "set" or "locked"), since when, and the visits."""

    pin: str
    pin_at_ms: int
    pin_office: str
    has_password: bool
    visits: list[PastVisit]


class Counter:
    """The calls of the counter; part of KeeperClient."""

    _pool: Pool

    # The clerk -------------------------------------------------------------------------------------------

    def counter_find(self, token: str, identifier_type: str, identifier: str, what: str) -> UUID | None:
        """Begin a visit of the one with exactly this identifier; None when there is nobody. Cost 10, logged.

        Refused "bad_identifier" (costs nothing), "budget" (until_ms), "role", "yourself".
        """
        args = {"token": token, "identifier_type": identifier_type, "identifier": identifier, "what": what}
        found: UUID | None = self._pool.ask("counter_find", args)
        return found

    def counter_visit(self, token: str, visit: UUID) -> Visit:
        """A visit of this clerk's session as it stands. Refused "unknown_visit" (also after 30 minutes)."""
        return Visit(**self._pool.ask("counter_visit", {"token": token, "visit": visit}))

    def counter_release(self, token: str, visit: UUID) -> str:
        """Ask a colleague to release a protected person for this visit. Gives "open" or "done"."""
        return str(self._pool.ask("counter_release", {"token": token, "visit": visit}))

    def counter_send_code(self, token: str, visit: UUID) -> None:
        """Send a code to the phone on record. Refused "no_phone", "slow_down", "protected_look", "capped"."""
        self._pool.ask("counter_send_code", {"token": token, "visit": visit})

    def counter_ask_signature(self, token: str, visit: UUID) -> None:
        """Ask a colleague of this office to confirm the person who signs. Again while it is open: nothing."""
        self._pool.ask("counter_ask_signature", {"token": token, "visit": visit})

    def counter_begin(
        self, token: str, visit: UUID, way: str, secret: str, *, network: str, device: str, language: str
    ) -> Begun:
        """Act with the person. `way`: "code", "pin" (with `secret`) or "signature" (secret "").

        Refused "wrong_code", "wrong_pin" (left), "pin_locked", "no_pin", "not_confirmed", "protected_look", "frozen",
        "dead", "under_age", "unknown_visit".
        """
        args = {"token": token, "visit": visit, "way": way, "secret": secret, "network": network}
        answer = self._pool.ask("counter_begin", {**args, "device": device, "language": language}, PIN_S)
        return Begun(Session(**answer.pop("session")), **answer)

    def counter_ask_pin(self, token: str, visit: UUID, pin: str) -> None:
        """A PIN that the person typed at the desk: it counts once a colleague has confirmed the person.

        Refused "weak_pin".
        """
        self._pool.ask("counter_ask_pin", {"token": token, "visit": visit, "pin": pin}, PIN_S)

    # Protected persons -----------------------------------------------------------------------------------

    def protected_ask(self, token: str, person: UUID, service: str, purpose: str) -> str:
        """Ask for a release: 30 minutes, for this official, person (pseudonym) and purpose. Gives "open" or "done".

        For a person who is not protected nothing is asked, and the answer is "done".
        """
        args = {"token": token, "person": person, "service": service, "purpose": purpose}
        return str(self._pool.ask("protected_ask", args))

    def protect(
        self, token: str, identifier: tuple[str, str], contact: tuple[str, str] | None, reason: str
    ) -> bool:
        """Ask that a person be protected (another registrar must agree). `contact`: (type, identifier) of who is
        told of each look; None: the person. Each search costs 10. False when one of the two is nobody."""
        args: dict[str, object] = {"token": token, "type": identifier[0], "identifier": identifier[1]}
        args |= {"contact_type": contact[0], "contact": contact[1]} if contact else {}
        return bool(self._pool.ask("protect", {**args, "reason": reason}))

    def unprotect(self, token: str, identifier: tuple[str, str], reason: str) -> bool:
        """Ask that the protection end. False when there is nobody, or nobody protected, with this identifier."""
        args = {"token": token, "type": identifier[0], "identifier": identifier[1], "reason": reason}
        return bool(self._pool.ask("unprotect", args))

    # The person ------------------------------------------------------------------------------------------

    def my_counter(self, token: str) -> MyCounter:
        """The person's PIN and visits, newest first, at most 100."""
        answer = self._pool.ask("my_counter", {"token": token})
        return MyCounter(visits=[PastVisit(**each) for each in answer.pop("visits")], **answer)

    def counter_pin_set(self, token: str, password: str, pin: str) -> None:
        """Set the PIN. Refused "weak_pin", "wrong" (the password, where there is one), "slow_down", "assisted"."""
        self._pool.ask("counter_pin_set", {"token": token, "password": password, "pin": pin}, PIN_S)

    def counter_pin_remove(self, token: str) -> None:
        """Remove the PIN."""
        self._pool.ask("counter_pin_remove", {"token": token})
