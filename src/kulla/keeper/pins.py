"""The counter PIN: six digits that a person types on the pad of a clerk, to confirm that they are there.

It opens nothing by itself: it is good only at a counter, after a clerk has found the person. Five wrong tries lock
this way, and no other; a new PIN, set by the person signed in or at a desk with two officials, opens it again.
"""

import threading
import time
from collections.abc import Callable
from uuid import UUID

from kulla.keeper.committer import Committer
from kulla.keeper.config import Argon2
from kulla.keeper.credentials import Credentials
from kulla.keeper.errors import Refusal
from kulla.keeper.hashing import Hasher
from kulla.keeper.kinds import Body
from kulla.keeper.people import People
from kulla.keeper.register import Register
from kulla.keeper.sessions import Live
from kulla.keeper.vault import Vault

DIGITS = 6
TRIES = 5
SEALED = "counter_pin"
PASSWORD_TRIES = 5  # an hour, when the PIN is set
HOUR_S = 3600.0
_RUNS = "01234567890123456789", "98765432109876543210"


class Pins:
    """Sets and checks PINs."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        people: People,
        committer: Committer,
        credentials: Credentials,
        cost: Argon2,
        clock: Callable[[], int],
    ) -> None:
        self._register, self._vault, self._people = register, vault, people
        self._committer, self._credentials, self._clock = committer, credentials, clock
        self._hasher = Hasher(cost)
        self._checking = threading.Lock()  # one try after the other: a count is read and written
        self._wrong: dict[UUID, int] = {}  # tries whose records could not be written
        self._passwords: dict[UUID, tuple[int, float]] = {}

    def state(self, person: UUID) -> str:
        """ "", "set" or "locked"."""
        row = self._row(person)
        return "" if row is None else "locked" if row[1] >= TRIES else "set"

    def since(self, person: UUID) -> tuple[int, UUID | None]:
        """When the PIN was set (ms; 0: there is none), and the office where, None when it was on my page."""
        row = self._register.one("SELECT at, office FROM counter_pin WHERE person = ?", person.bytes)
        return (row[0], UUID(bytes=row[1]) if row[1] else None) if row else (0, None)

    def check(self, person: UUID, pin: str) -> None:
        """Return when it is the person's PIN. A wrong one is on record before the answer.

        Raises Refusal("no_pin", "pin_locked", "wrong_pin" with `left`).
        """
        with self._checking:
            row = self._row(person)
            if row is None:
                raise Refusal("no_pin", "This person has no counter PIN.")
            if row[1] >= TRIES:
                raise Refusal("pin_locked", "The PIN is locked after too many wrong tries.")
            stored = self._vault.open_own(person, SEALED, row[0])
            if not self._hasher.right(str(stored), "".join(pin.split())):
                left = TRIES - row[1] - 1
                # Counted here too: while the copies are silent nothing can be written, and guessing must not be free.
                self._wrong[person] = self._wrong.get(person, 0) + 1
                self._committer.commit({"type": "counter_pin_wrong", "person": person})
                self._wrong.pop(person, None)
                raise Refusal("wrong_pin", "The PIN is wrong.", left=left)
            if row[1]:
                self._committer.commit({"type": "counter_pin_right", "person": person})
                self._wrong.pop(person, None)

    def choose(self, session: Live, password: str, pin: str) -> None:
        """Set by the person, signed in, with the password again where there is one.

        Raises Refusal("weak_pin", "wrong", "slow_down").
        """
        person = session.person
        hashed = self.hash(person, pin)
        self._ask_password(person, password)
        self._committer.commit(self.body(person, hashed, None))
        self._wrong.pop(person, None)

    def hash(self, person: UUID, pin: str) -> str:
        """The PIN as it is kept. Raises Refusal("weak_pin", reason: "form", "easy" or "own")."""
        pin = "".join(pin.split())
        if not (len(pin) == DIGITS and pin.isascii() and pin.isdigit()):
            raise Refusal("weak_pin", f"A PIN has {DIGITS} digits.", reason="form")
        if any(pin in run for run in _RUNS) or len(set(pin)) <= 2 or pin[:3] == pin[3:]:
            raise Refusal("weak_pin", "This PIN is too easy to guess.", reason="easy")
        if pin in self._own(person):
            raise Refusal("weak_pin", "This PIN is a birth date or part of a number.", reason="own")
        return self._hasher.hash(pin)

    def body(self, person: UUID, hashed: str, office: UUID | None) -> Body:
        """The record that sets a PIN."""
        sealed = self._vault.seal_own(person, SEALED, hashed)
        return {
            "type": "counter_pin",
            "person": person,
            "sealed": sealed,
            "at": self._clock(),
            "office": office,
        }

    def remove(self, person: UUID) -> None:
        """Take the PIN away."""
        self._committer.commit({"type": "counter_pin_removed", "person": person})
        self._wrong.pop(person, None)

    def _row(self, person: UUID) -> tuple[bytes, int] | None:
        row = self._register.one("SELECT sealed, failures FROM counter_pin WHERE person = ?", person.bytes)
        return (row[0], int(row[1]) + self._wrong.get(person, 0)) if row else None

    def _own(self, person: UUID) -> set[str]:
        """Six digits that everybody who knows the person can guess: the birth date, parts of number and phone."""
        profile = self._people.profile(person)
        year, month, day = str(profile.get("birth_date") or "0000-00-00").split("-")
        found = {day + month + year[2:], year[2:] + month + day, month + day + year[2:], year + month}
        found |= {month + year, year + day, day + year}
        for text in (profile.get("number"), profile.get("phone")):
            digits = "".join(c for c in str(text or "") if c.isdigit())
            found |= {digits[n : n + DIGITS] for n in range(len(digits) - DIGITS + 1)}
        return found

    def _ask_password(self, person: UUID, password: str) -> None:
        """A session that somebody else sits at must not become a PIN."""
        if not self.has_password(person):
            return
        now = time.monotonic()
        with self._checking:
            tries, first = self._passwords.get(person, (0, now))
            if now - first > HOUR_S:
                tries, first = 0, now
            if tries >= PASSWORD_TRIES:
                wait = int(HOUR_S - (now - first)) + 1
                raise Refusal("slow_down", "Too many tries.", retry_after_s=wait)
            self._passwords[person] = (tries + 1, first)
        if not self._credentials.password_right(person, password):
            raise Refusal("wrong", "The password is wrong.")
        self._passwords.pop(person, None)

    def has_password(self, person: UUID) -> bool:
        """Whether setting the PIN asks for a password."""
        sql = "SELECT 1 FROM credential WHERE person = ? AND kind = 'password' LIMIT 1"
        return self._register.one(sql, person.bytes) is not None
