"""Calls of security, and what they give. Times are milliseconds since 1970 UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from kulla.keeper_client.pool import Pool
from kulla.keeper_client.types import Session

HASHING_S = 15.0  # Argon2 of many people at once waits its turn


@dataclass(frozen=True)
class Challenge:
    """Options for the browser (`navigator.credentials`; ids and challenges are bytes), and the keeper's sealed
    `state`, to be handed back with the answer within five minutes, once."""

    options: Mapping[str, Any] = field(repr=False)
    state: str = field(repr=False)


@dataclass(frozen=True)
class Assertion:
    """What a browser's passkey answered, as the bytes of WebAuthn."""

    id: bytes = field(repr=False)
    client_data: bytes = field(repr=False)
    auth_data: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    handle: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class PasskeyInfo:
    """A passkey of one's own. `used` 0: never; `verified`: its device checks finger, face or PIN."""

    mark: bytes
    name: str = field(repr=False)
    at: int
    used: int
    verified: bool


@dataclass(frozen=True)
class SecurityState:
    """What a person signs in with. `strong`: a second factor is there. `fresh`: proven within ten minutes, so that
    something may be changed. `may_change`: not from somebody else's device nor at the counter."""

    password: bool
    totp_ms: int | None
    passkeys: list[PasskeyInfo]
    passkeys_on: bool
    official: bool
    factor: str
    strong: bool
    fresh: bool
    may_change: bool


@dataclass(frozen=True)
class Enrolment:
    """A secret for the phone's app, and the `state` to hand back with its first code."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    state: str = field(repr=False)


@dataclass(frozen=True)
class RoleInfo:
    """Something that the person may act as."""

    role: str
    office: UUID | None
    office_name: str
    current: bool


class Security:
    """The calls of security; part of KeeperClient."""

    _pool: Pool

    # Signing in by passkey -----------------------------------------------------------------------------

    def passkey_begin(self, identifier: str = "") -> Challenge:
        """A challenge for signing in; with a number typed, for its passkeys (eight ids, real or not). Refused
        "passkeys_off"."""
        return Challenge(**self._pool.ask("passkey_begin", {"identifier": identifier}))

    def passkey_sign_in(
        self,
        state: str,
        answer: Assertion,
        *,
        network: str,
        device: str,
        language: str | None = None,
        short: bool = False,
        notes: Sequence[str] = (),
    ) -> Session:
        """Start a session by passkey; see `sign_in`. Refused "challenge" (old, or used), "wrong", "user_verification"
        (the device must check its owner), "passkey_copied", "slow_down", "copies_unavailable"."""
        where = {"network": network, "device": device, "language": language, "short": short}
        args = {"state": state, **vars(answer), **where, "notes": list(notes)}
        return Session(**self._pool.ask("passkey_sign_in", args))

    # What one has --------------------------------------------------------------------------------------

    def security_state(self, token: str) -> SecurityState:
        """What the person signs in with."""
        answer = self._pool.ask("security_state", {"token": token})
        passkeys = [PasskeyInfo(**each) for each in answer.pop("passkeys")]
        return SecurityState(**answer, passkeys=passkeys)

    def security_confirm(self, token: str, password: str, code: str | None = None) -> None:
        """Prove again who this is. Refused "wrong", "second_factor" (wrong_code), "slow_down", "role"."""
        args = {"token": token, "password": password, "code": code}
        self._pool.ask("security_confirm", args, HASHING_S)

    def security_confirm_begin(self, token: str) -> Challenge:
        """A challenge for the person's own passkeys."""
        return Challenge(**self._pool.ask("security_confirm_begin", {"token": token}))

    def security_confirm_passkey(self, token: str, state: str, answer: Assertion) -> None:
        """Prove it with a passkey. Refused "challenge", "wrong", "passkey_copied", "role"."""
        self._pool.ask("security_confirm_passkey", {"token": token, "state": state, **vars(answer)})

    # Changes: each is refused "confirm" unless proven within ten minutes --------------------------------

    def password_change(self, token: str, old: str, new: str) -> list[str]:
        """Another password; gives the ids of the sessions that ended with it. Refused "confirm", "wrong",
        "weak_password" (reason: short, long, common, personal, pattern, guessable, same), "slow_down"."""
        return list(self._pool.ask("password_change", {"token": token, "old": old, "new": new}, HASHING_S))

    def totp_begin(self, token: str) -> Enrolment:
        """A new secret for the phone's app, which does not count yet. Refused "confirm"."""
        return Enrolment(**self._pool.ask("totp_begin", {"token": token}))

    def totp_again(self, token: str, state: str) -> Enrolment:
        """The secret of a state, for the page to be drawn again. Refused "challenge"."""
        return Enrolment(**self._pool.ask("totp_again", {"token": token, "state": state}))

    def totp_finish(self, token: str, state: str, code: str) -> None:
        """The secret counts. Refused "confirm", "challenge", "second_factor", "slow_down"."""
        self._pool.ask("totp_finish", {"token": token, "state": state, "code": code})

    def totp_remove(self, token: str) -> None:
        """No codes any more. Refused "confirm", "last_factor"."""
        self._pool.ask("totp_remove", {"token": token})

    def passkey_new(self, token: str) -> Challenge:
        """Options for a new passkey. Refused "confirm", "too_many", "passkeys_off"."""
        return Challenge(**self._pool.ask("passkey_new", {"token": token}))

    def passkey_add(self, token: str, state: str, name: str, client_data: bytes, attestation: bytes) -> None:
        """The passkey counts. Refused "confirm", "challenge", "passkey", "passkey_known", "bad_name"."""
        args = {"token": token, "state": state, "name": name}
        self._pool.ask("passkey_add", {**args, "client_data": client_data, "attestation": attestation})

    def passkey_rename(self, token: str, mark: bytes, name: str) -> None:
        """Another name. Refused "unknown_passkey", "bad_name"."""
        self._pool.ask("passkey_rename", {"token": token, "mark": mark, "name": name})

    def passkey_remove(self, token: str, mark: bytes) -> None:
        """Take one away. Refused "confirm", "unknown_passkey", "last_factor"."""
        self._pool.ask("passkey_remove", {"token": token, "mark": mark})

    # Roles ---------------------------------------------------------------------------------------------

    def my_roles(self, token: str) -> list[RoleInfo]:
        """All that the person may act as."""
        return [RoleInfo(**each) for each in self._pool.ask("my_roles", {"token": token})]

    def act_as(self, token: str, role: str, office: UUID | None, *, network: str, device: str) -> Session:
        """A session in another role, in place of this one, which ends. Refused "role", "second_factor_missing"."""
        where = {"network": network, "device": device}
        return Session(**self._pool.ask("act_as", {"token": token, "role": role, "office": office, **where}))
