"""Signing in: who gets a session, by a password (and a code) or by a passkey.

Whether an account exists, is frozen, belongs to someone dead or has no password changes neither words nor time: what
was typed is always looked up and hashed, and the refusal is "wrong".
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kulla.journal import wire
from kulla.journal.ids import now_ms
from kulla.keeper import turns
from kulla.keeper.attempts import Attempts, truncate_network
from kulla.keeper.credentials import Credentials
from kulla.keeper.errors import RecordsBroken, Refusal
from kulla.keeper.keys import expand, open_box, seal_box
from kulla.keeper.kinds import Body
from kulla.keeper.passkeys import Assertion, Passkeys
from kulla.keeper.people import People
from kulla.keeper.register import Register
from kulla.keeper.roles import CITIZEN
from kulla.keeper.sessions import Sessions
from kulla.keeper.standing import Role
from kulla.keeper.strength import CODE, PASSKEY, PASSWORD, STRONG, TOUCH, WEAK
from kulla.keeper.vault import Vault

MAX_PASSWORD = 256
NOTE_MS = 180 * 24 * 3600 * 1000  # so long a browser remembers that an account was used in it
MAX_NOTES = 5  # accounts that one browser remembers
_NOTE = b"kulla-note/1"


@dataclass(frozen=True)
class Origin:
    """Where a try comes from. `short`: the device is not the person's own. `notes`: what `remember` gave to this
    browser for the accounts used in it."""

    network: str
    device: str
    language: str | None
    short: bool = False
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class _Way:
    """How somebody got in: what was proven, the browser's note, whether the network is known, and more for the
    session's record and beside it."""

    factor: str
    note: bytes
    known: bool
    more: Mapping[str, Any]
    also: Sequence[Body] = ()


class SignIn:
    """The two ways in."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        people: People,
        credentials: Credentials,
        passkeys: Passkeys,
        sessions: Sessions,
        storm_floor: int,
    ) -> None:
        self._register, self._vault, self._people = register, vault, people
        self._credentials, self._passkeys, self._sessions = credentials, passkeys, sessions
        self.attempts = Attempts(storm_floor)
        self._note_key = expand(vault.system("trace"), "browser note")
        self._steps: dict[UUID, int] = {}
        self._lock = threading.Lock()

    # By password ---------------------------------------------------------------------------------------

    def by_password(self, identifier: str, password: str, code: str | None, origin: Origin) -> Body:
        """(1) slow down guessers, (2) password, (3) second factor, (4) a session.

        Raises Refusal("slow_down", "wrong", "second_factor", "passkey_needed", "copies_unavailable").
        """
        network = truncate_network(origin.network)
        marks = self._people.sign_in_marks(identifier)
        person = self._people.by_marks(marks)
        account = self._people.account_mark(identifier)
        place = self._sessions.mark("network", network)
        known = self._sessions.came_from(person, network)
        note = self._note_of(person, origin.notes)
        counted = self.attempts.check(account, place, known=known, note=note)
        if len(password) > MAX_PASSWORD:
            password, person = "", None
        barred = self._sessions.standing.barred(person)
        right = self._credentials.password_right(person, password)
        if not right or person is None or barred:
            raise Refusal("wrong", "The number or the password is wrong.")
        self.attempts.password_right(counted)
        roles = self._roles(person)
        role, office = roles[0]
        has_totp, factor, step = self._credentials.has_totp(person), PASSWORD, 0
        if has_totp:
            if not code:
                raise Refusal("second_factor", "The code of the second factor is needed.", wrong_code=False)
            self.attempts.check_code(account)
            factor, step = CODE, self.use_code(person, code)
        elif role != CITIZEN:
            role, office = self._without_code(person)
        self.attempts.signed_in(account, place)
        also = []
        if self._credentials.outdated(person):
            also.append(self._credentials.password_body(person, password))
        way = _Way(factor, note, known, {"step": step}, also)
        return self._open(person, (role, office), roles, origin, way)

    def use_code(self, person: UUID, code: str) -> int:
        """The time step of a code, which is spent with it: seen over a shoulder, it serves nobody.

        Raises Refusal("second_factor", wrong_code=True).
        """
        step = self._credentials.totp_step(person, code)
        if step is None:
            raise Refusal("second_factor", "The code is wrong or was used already.", wrong_code=True)
        return self.spend_step(person, step)

    def spend_step(self, person: UUID, step: int) -> int:
        """Take a time step of this person, once. Raises Refusal("second_factor", wrong_code=True)."""
        with self._lock:
            row = self._register.one("SELECT max(step) FROM session WHERE person = ?", person.bytes)
            used = max(self._steps.get(person, 0), (row[0] or 0) if row else 0)
            if step <= used:
                raise Refusal("second_factor", "The code is wrong or was used already.", wrong_code=True)
            self._steps[person] = step
        return step

    def spend_code(self, person: UUID, code: str) -> bool:
        """Whether it is the person's code of now; it is spent with that."""
        try:
            return self.use_code(person, code) > 0
        except Refusal:
            return False

    def _without_code(self, person: UUID) -> tuple[str, UUID | None]:
        """An official with a password alone: not as an official. Who has a passkey uses it; who has none signs in as
        a citizen and sets up a second factor."""
        if self._passkeys.has_verified(person):
            raise Refusal("passkey_needed", "Officials without a code sign in with their passkey.")
        if (CITIZEN, None) not in self._sessions.roles(person):
            raise Refusal("wrong", "The number or the password is wrong.")
        return CITIZEN, None

    # By passkey ----------------------------------------------------------------------------------------

    def by_passkey(self, state: str, answer: Assertion, origin: Origin) -> Body:
        """A session for the owner of a passkey, who need not have typed anything.

        Raises Refusal("slow_down", "challenge", "wrong", "user_verification", "passkey_copied",
        "copies_unavailable").
        """
        network = truncate_network(origin.network)
        counted = self.attempts.check_passkey(self._sessions.mark("network", network))
        found = self._passkeys.check(state, answer, "sign-in", None)
        if self._sessions.standing.barred(found.person):
            raise Refusal("wrong", "This passkey opens no account here.")
        self.attempts.passkey_right(counted)
        person = found.person
        roles = self._roles(person)
        factor = PASSKEY if found.verified else TOUCH
        if factor == TOUCH and (roles[0][0] != CITIZEN or self.level(person) == STRONG):
            raise Refusal("user_verification", "The device must check its owner: finger, face or PIN.")
        note = self._note_of(person, origin.notes)
        known = bool(note) or self._sessions.came_from(person, network)
        way = _Way(factor, note, known, {"passkey": [found.mark, found.counter]})
        return self._open(person, roles[0], roles, origin, way)

    # What both share -----------------------------------------------------------------------------------

    def level(self, person: UUID) -> int:
        """How strong the strongest thing is that this person signs in with (strength.py)."""
        strong = self._credentials.has_totp(person) or self._passkeys.has_verified(person)
        return STRONG if strong else WEAK

    def _roles(self, person: UUID) -> list[Role]:
        """All that the person may act as; the first is what they begin with (see `Sessions.act_as`)."""
        roles = self._sessions.roles(person)
        if not roles:
            raise Refusal("wrong", "The number or the password is wrong.")  # a staff account without any role
        return roles

    def _open(self, person: UUID, role: Role, roles: list[Role], origin: Origin, way: "_Way") -> Body:
        standing, told = self._sessions.standing, None
        if not (way.known or way.note) and self._sessions.any_before(person):
            # Written with the session itself: nobody signs in from a new place without being told of it.
            told = standing.telling(person, "signed_in_new_place", {"name": origin.device[:80] or "?"})
        opened = self._sessions.open_for(
            person,
            *role,
            network=origin.network,
            device=origin.device,
            language=origin.language,
            short=origin.short,
            factor=way.factor,
            more=way.more,
            also=[*way.also, *(told.bodies if told else ())],
        )
        if told:
            told.send()
        several = sum(1 for each, _ in roles if each != CITIZEN) > 1
        notes = [] if origin.short else self.remember(person, way.note, origin.notes)
        return {**opened, "several": several, "remember": notes}

    # Browsers that were used before --------------------------------------------------------------------

    def remember(self, person: UUID, note: bytes, notes: Sequence[str]) -> list[str]:
        """What the browser keeps, sealed: that this account was used in it, and the others' notes. It proves
        nothing else."""
        inside = [person.bytes, note or turns.random(16), now_ms()]
        own = wire.to_text(seal_box(self._note_key, wire.encode(inside), _NOTE))
        return [own, *(text for text, owner, _ in self._open_notes(notes) if owner != person.bytes)][
            :MAX_NOTES
        ]

    def _note_of(self, person: UUID | None, notes: Sequence[str]) -> bytes:
        """The browser's name in the note for this person; empty when it has none. Strangers' notes do nothing."""
        opened = self._open_notes(notes)
        return next((name for _, owner, name in opened if person is not None and owner == person.bytes), b"")

    def _open_notes(self, notes: Sequence[str]) -> list[tuple[str, bytes, bytes]]:
        found = []
        for text in notes[:MAX_NOTES]:
            try:
                owner, name, at = wire.decode(open_box(self._note_key, wire.from_text(text), _NOTE))
            except (wire.WireError, RecordsBroken, ValueError, TypeError):
                continue
            if now_ms() - at < NOTE_MS:
                found.append((text, owner, name))
        return found
