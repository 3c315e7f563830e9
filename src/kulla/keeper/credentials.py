"""Passwords and second factors. Only here are they checked; each kind stands in a record of its own.

Kinds of credentials: "password" (Argon2id), "totp" (RFC 6238, 30 s). Passkeys are records of their own: passkeys.py.
"""

import os
import threading
import time
import unicodedata
from typing import Any
from uuid import UUID

import pyotp

from kulla.journal.ids import now_ms
from kulla.keeper import passwords, turns
from kulla.keeper.config import Argon2
from kulla.keeper.hashing import Hasher
from kulla.keeper.keys import expand, open_box, seal_box
from kulla.keeper.people import People
from kulla.keeper.register import Register
from kulla.keeper.vault import Vault

STEP_S = 30
WINDOW = 1  # steps that a phone's clock may be off
AT_ONCE = max(2, os.cpu_count() or 2)  # each check takes 19 MiB of memory


class Credentials:
    """Checks and makes credentials."""

    def __init__(self, register: Register, vault: Vault, cost: Argon2, people: People) -> None:
        self._register, self._vault, self._people = register, vault, people
        self._hasher = Hasher(cost)
        self._turn = threading.BoundedSemaphore(AT_ONCE)
        # Somebody who does not exist is checked against this, with the same steps and the same cost.
        self._nobody = self._hasher.hash(os.urandom(16).hex())
        key = os.urandom(32)
        self._decoy = (key, seal_box(expand(key, "own"), bytes(256), b"decoy"))

    def password_body(self, person: UUID, password: str) -> dict[str, Any]:
        """The record body that sets a password."""
        sealed = self._vault.seal_own(person, "password", self._hasher.hash(_normal(password)))
        return _credential(person, "password", sealed)

    def set_rules(self, person: UUID, password: str) -> None:
        """Raise Refusal("weak_password", reason=…) unless this person may have this password (see passwords.py)."""
        profile = self._people.profile(person)
        names = ("first_name", "last_name", "birth_date", "number", "phone", "email", "address", "place")
        known = [str(profile.get(name) or "") for name in names]
        known.append(f"{profile['first_name']}{profile['last_name']}")
        known.append(f"{profile['last_name']}{profile['first_name']}")
        passwords.check(password, [*known, *(text for _, text in self._people.identifiers(person))])

    def totp_body(self, person: UUID, secret: str) -> dict[str, Any]:
        """The record body that sets the TOTP secret (base32)."""
        sealed = self._vault.seal_own(person, "totp", secret)
        return _credential(person, "totp", sealed)

    @staticmethod
    def removed_body(person: UUID, kind: str) -> dict[str, Any]:
        """The record body that takes a credential away."""
        return {"type": "credential_removed", "person": person, "kind": kind, "name": ""}

    def has_password(self, person: UUID) -> bool:
        """Whether there is a password."""
        return self._since(person, "password") is not None

    def totp_since(self, person: UUID) -> int | None:
        """When the second factor was set (ms; 0: before that was noted), None when there is none."""
        return self._since(person, "totp")

    def password_right(self, person: UUID | None, password: str) -> bool:
        """Whether it is the person's password. Takes the same time when there is no person or no password."""
        stored = self._read(person, "password") if person is not None else None
        if stored is None:
            key, box = self._decoy
            open_box(expand(key, "own"), box, b"decoy")
        turns.end()
        with self._turn:
            right = self._hasher.right(stored or self._nobody, _normal(password))
        return right and stored is not None

    def outdated(self, person: UUID) -> bool:
        """Whether the password was hashed at another cost than today's."""
        stored = self._read(person, "password")
        return stored is not None and self._hasher.outdated(stored)

    def has_totp(self, person: UUID) -> bool:
        """Whether a second factor is asked for."""
        return self._read(person, "totp") is not None

    def totp_step(self, person: UUID, code: str) -> int | None:
        """The time step that a code is of, or None when it is wrong. The caller refuses a step used before."""
        secret = self._read(person, "totp")
        return step_of(secret, code) if secret is not None else None

    def current_code(self, person: UUID) -> str | None:
        """The code of this moment, for the demo's one-click sign-in."""
        secret = self._read(person, "totp")
        return pyotp.TOTP(secret).now() if secret else None

    def _since(self, person: UUID, kind: str) -> int | None:
        row = self._register.one(
            "SELECT at FROM credential WHERE person = ? AND kind = ? AND name = ''", person.bytes, kind
        )
        return int(row[0]) if row else None

    def _read(self, person: UUID, kind: str) -> str | None:
        row = self._register.one(
            "SELECT sealed FROM credential WHERE person = ? AND kind = ? AND name = ''", person.bytes, kind
        )
        return str(self._vault.open_own(person, kind, row[0])) if row else None


def step_of(secret: str, code: str) -> int | None:
    """The time step of a code under this secret (base32), now or one step beside; None when it is wrong."""
    code = code.replace(" ", "")
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        return None
    totp, now = pyotp.TOTP(secret), int(time.time()) // STEP_S
    for step in range(now - WINDOW, now + WINDOW + 1):
        if pyotp.utils.strings_equal(totp.generate_otp(step), code):
            return step
    return None


def _credential(person: UUID, kind: str, sealed: bytes) -> dict[str, Any]:
    return {
        "type": "credential",
        "person": person,
        "kind": kind,
        "name": "",
        "sealed": sealed,
        "at": now_ms(),
    }


def _normal(password: str) -> str:
    """The same password typed on another keyboard gives the same characters (RFC 8265 uses NFC)."""
    return unicodedata.normalize("NFC", password)
