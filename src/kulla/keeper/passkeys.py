"""Passkeys (WebAuthn), checked with `fido2`. A stolen portal cannot make one, nor use an answer twice.

A challenge is made here and travels through the portal inside a sealed `state` that says what it is for, for whom,
and until when; it opens only in the process that made it, and serves once. Public keys, credential ids and names stand
sealed; a passkey is found by the HMAC of its id. The user handle is 32 random bytes for each person.

Of two tries with one passkey the later counter must be higher (where a device counts at all): else the passkey was
copied, the try is refused and the owner is told.
"""

import hashlib
import hmac
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    PublicKeyCredentialRpEntity,
    RegistrationResponse,
    UserVerificationRequirement,
)

from kulla.journal import wire
from kulla.journal.ids import now_ms
from kulla.keeper import turns
from kulla.keeper.config import RelyingParty
from kulla.keeper.errors import RecordsBroken, Refusal
from kulla.keeper.keys import expand, open_box, seal_box
from kulla.keeper.kinds import Body
from kulla.keeper.register import Register
from kulla.keeper.vault import Vault

CHALLENGE_MS = 5 * 60 * 1000
MAX_PASSKEYS = 8
MADE_A_DAY = 12  # new passkeys of one person, also refused ones: else they would sort real ids from decoys
DAY_S = 24 * 3600.0
MAKERS = 100_000
MAX_NAME = 60
ALGORITHMS = (-7, -8, -257)  # ES256, EdDSA, RS256
_STATE = b"kulla-challenge/1"
T = TypeVar("T")

logging.getLogger("fido2").setLevel(logging.WARNING)  # it logs the ids of credentials


@dataclass(frozen=True)
class Assertion:
    """What a browser gives back for a challenge at sign-in, as the bytes of WebAuthn."""

    id: bytes
    client_data: bytes
    auth_data: bytes
    signature: bytes
    handle: bytes | None = None


@dataclass(frozen=True)
class Found:
    """A passkey that answered its challenge. `verified`: the device checked its owner."""

    person: UUID
    mark: bytes
    verified: bool
    counter: int


@dataclass(frozen=True)
class Passkey:
    """A passkey as its owner sees it. Times in ms; `used` 0: never."""

    mark: bytes
    name: str
    at: int
    used: int
    verified: bool


class Passkeys:
    """Makes challenges and checks answers."""

    def __init__(self, register: Register, vault: Vault, party: RelyingParty | None) -> None:
        """`party` None: this country has no passkeys."""
        self._register, self._vault, self._party = register, vault, party
        self._server = None
        if party is not None:
            entity = PublicKeyCredentialRpEntity(id=party.rp_id, name=party.name)
            self._server = Fido2Server(entity, verify_origin=party.allows)
        # A state opens in this process only: after a restart nobody remembers which ones were used.
        self._state_key = expand(vault.system("trace"), f"passkey {os.urandom(16).hex()}")
        self._used: dict[bytes, int] = {}
        self._made: OrderedDict[UUID, list[float]] = OrderedDict()
        self._counters: dict[bytes, int] = {}
        self._lock = threading.Lock()
        self.told_copied: Callable[[UUID, str], object] = lambda _person, _name: None

    @property
    def on(self) -> bool:
        """Whether this country has passkeys."""
        return self._party is not None

    # Having --------------------------------------------------------------------------------------------

    def of(self, person: UUID) -> list[Passkey]:
        """A person's passkeys, the oldest first."""
        rows = self._register.rows(
            "SELECT mark, at, used, verified, sealed FROM passkey WHERE person = ? ORDER BY at", person.bytes
        )
        return [
            Passkey(mark, self._vault.open_own(person, "passkey", sealed)["name"], at, used, bool(verified))
            for mark, at, used, verified, sealed in rows
        ]

    def has_verified(self, person: UUID) -> bool:
        """Whether there is a passkey whose device checks its owner."""
        row = self._register.one("SELECT 1 FROM passkey WHERE person = ? AND verified LIMIT 1", person.bytes)
        return row is not None

    # Making --------------------------------------------------------------------------------------------

    def begin_registration(self, person: UUID, name: str, *, verified: bool) -> Body:
        """Options for navigator.credentials.create, and the state. `verified`: the device must check its owner.

        Raises Refusal("passkeys_off", "too_many").
        """
        party, rows = self._must(), self._sealed(person)
        if len(rows) >= MAX_PASSKEYS:
            raise Refusal("too_many", "There are eight passkeys already.", most=MAX_PASSKEYS)
        handle = rows[0]["handle"] if rows else os.urandom(32)
        challenge = os.urandom(32)
        need = "required" if verified else "preferred"
        options = {
            "rp": {"id": party.rp_id, "name": party.name},
            "user": {"id": handle, "name": name, "displayName": name},
            "challenge": challenge,
            "pubKeyCredParams": [{"type": "public-key", "alg": each} for each in ALGORITHMS],
            "timeout": CHALLENGE_MS,
            "excludeCredentials": [{"type": "public-key", "id": row["id"]} for row in rows],
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": True,
                "userVerification": need,
            },
            "attestation": "none",
        }
        return {"options": options, "state": self._seal_state(challenge, "register", person, need, handle)}

    def finish_registration(
        self, person: UUID, state: str, name: str, client_data: bytes, attestation: bytes
    ) -> Body:
        """The record body of a new passkey. Raises Refusal("challenge", "passkey", "passkey_known", "slow_down")."""
        self._must()
        challenge, need, handle = self._open_state(state, "register", person)
        self._count_made(person)
        try:
            response = AuthenticatorAttestationResponse(
                client_data=CollectedClientData(client_data),
                attestation_object=AttestationObject(attestation),
            )
            said = response.attestation_object.auth_data.credential_data
            if said is None:
                raise ValueError("no credential")
            answer = RegistrationResponse(raw_id=said.credential_id, response=response)
            made = self._fido().register_complete(_fido_state(challenge, need), answer)
            data = made.credential_data
            if data is None or data.public_key[3] not in ALGORITHMS:
                raise ValueError("no credential of an algorithm of ours")
        except Exception as error:  # fido2 raises what its parsers raise
            raise Refusal("passkey", "This is no passkey for this challenge.") from error
        mark = self._mark(data.credential_id)
        if self._register.one("SELECT 1 FROM passkey WHERE mark = ?", mark):
            raise Refusal("passkey_known", "This passkey is here already.")
        self._spend(challenge)
        kept = {"id": data.credential_id, "data": bytes(data), "handle": handle, "name": clean_name(name)}
        return {
            "type": "passkey",
            "mark": mark,
            "person": person,
            "at": now_ms(),
            "verified": made.is_user_verified(),
            "sealed": self._vault.seal_own(person, "passkey", kept),
            "counter": made.counter,
        }

    def _count_made(self, person: UUID) -> None:
        """Count a new passkey before it is looked at. Raises Refusal("slow_down", retry_after_s)."""
        now = time.monotonic()
        with self._lock:
            times = [at for at in self._made.pop(person, []) if now - at < DAY_S]
            self._made[person] = times
            while len(self._made) > MAKERS:
                self._made.popitem(last=False)
            if len(times) >= MADE_A_DAY:
                wait = int(times[0] + DAY_S - now) + 1
                raise Refusal("slow_down", "Too many new passkeys within a day.", retry_after_s=wait)
            times.append(now)

    def renamed_body(self, person: UUID, mark: bytes, name: str) -> Body:
        """The record body that gives a passkey another name. Raises Refusal("unknown_passkey")."""
        kept = self._one_of(person, mark)
        sealed = self._vault.seal_own(person, "passkey", {**kept, "name": clean_name(name)})
        return {"type": "passkey_renamed", "mark": mark, "sealed": sealed}

    def removed_body(self, person: UUID, mark: bytes) -> Body:
        """The record body that takes a passkey away. Raises Refusal("unknown_passkey")."""
        self._one_of(person, mark)
        return {"type": "passkey_removed", "mark": mark}

    # Using ---------------------------------------------------------------------------------------------

    def begin(self, purpose: str, person: UUID | None, allowed: list[bytes], *, verified: bool) -> Body:
        """Options for navigator.credentials.get, and the state. Raises Refusal("passkeys_off")."""
        party, challenge = self._must(), turns.random(32)
        need = "required" if verified else "preferred"
        options: Body = {
            "challenge": challenge,
            "timeout": CHALLENGE_MS,
            "rpId": party.rp_id,
            "userVerification": need,
            "allowCredentials": [{"type": "public-key", "id": each} for each in allowed],
        }
        return {"options": options, "state": self._seal_state(challenge, purpose, person, need, b"")}

    def ids(self, person: UUID) -> list[bytes]:
        """The credential ids of a person, for their own page only."""
        return [row["id"] for row in self._sealed(person)]

    def ids_or_decoys(self, person: UUID | None, account: bytes) -> list[bytes]:
        """Eight credential ids for what was typed: real ones, filled up with such as nobody has.

        Always the same for the same account, whether or not it exists, and made with the same work.
        """
        rows = self._sealed(person) if person is not None else []
        real = [row["id"] for row in rows]
        key = expand(self._vault.system("lookup"), "passkey decoys")
        for _ in range(MAX_PASSKEYS - len(real)):
            box = seal_box(key, bytes(256), _STATE)
            open_box(key, box, _STATE)  # what opening a real one costs
        decoys = [expand(key, f"{account.hex()} {place}") for place in range(MAX_PASSKEYS)]
        return sorted((real + decoys)[:MAX_PASSKEYS])

    def check(self, state: str, answer: Assertion, purpose: str, person: UUID | None) -> Found:
        """Whose passkey answered the challenge. `person`: it must be theirs.

        Raises Refusal("passkeys_off", "challenge": old, used or not ours, "wrong", "passkey_copied").
        """
        self._must()
        challenge, need, _ = self._open_state(state, purpose, person)
        mark = self._mark(answer.id)
        row = self._register.one("SELECT person, sealed, counter FROM passkey WHERE mark = ?", mark)
        owner = UUID(bytes=row[0]) if row else None
        if row is None or owner is None or person not in {None, owner}:
            raise _wrong()
        kept = self._vault.open_own(owner, "passkey", row[1])
        if answer.handle not in {None, b"", kept["handle"]}:
            raise _wrong()
        try:
            response = _made(
                AuthenticatorAssertionResponse,
                client_data=CollectedClientData(answer.client_data),
                authenticator_data=AuthenticatorData(answer.auth_data),
                signature=answer.signature,
                user_handle=answer.handle or None,
            )
            given = _made(AuthenticationResponse, raw_id=answer.id, response=response)
            self._fido().authenticate_complete(
                _fido_state(challenge, need), [AttestedCredentialData(kept["data"])], given
            )
        except Exception as error:  # fido2 raises what its parsers raise
            raise _wrong() from error
        said = given.response.authenticator_data
        self._spend(challenge)
        self._count(mark, row[2], said.counter, owner, kept["name"])
        return Found(owner, mark, said.is_user_verified(), said.counter)

    def _count(self, mark: bytes, stored: int, counter: int, owner: UUID, name: str) -> None:
        with self._lock:
            before = max(stored, self._counters.get(mark, 0))
            copied = (before > 0 or counter > 0) and counter <= before
            if not copied and counter:
                self._counters[mark] = counter
        if copied:
            self.told_copied(owner, name)
            raise Refusal("passkey_copied", "This passkey's counter went back: it may have been copied.")

    # Challenges ----------------------------------------------------------------------------------------

    def _seal_state(
        self, challenge: bytes, purpose: str, person: UUID | None, need: str, handle: bytes
    ) -> str:
        inside = [challenge, purpose, person, need, handle, now_ms() + CHALLENGE_MS]
        return wire.to_text(seal_box(self._state_key, wire.encode(inside), _STATE))

    def _open_state(self, state: str, purpose: str, person: UUID | None) -> tuple[bytes, str, bytes]:
        try:
            opened = wire.decode(open_box(self._state_key, wire.from_text(state), _STATE))
            challenge, said, whose, need, handle, until = opened
        except (wire.WireError, RecordsBroken, ValueError, TypeError) as error:
            raise _challenge() from error
        if said != purpose or whose != person or until <= now_ms() or challenge in self._used:
            raise _challenge()
        return challenge, need, handle

    def _spend(self, challenge: bytes) -> None:
        """Once: of two that come at the same moment the second is refused."""
        now = now_ms()
        with self._lock:
            if challenge in self._used:
                raise _challenge()
            self._used[challenge] = now + CHALLENGE_MS
            # The oldest stand first; each is forgotten when its state has expired anyhow.
            while self._used and next(iter(self._used.values())) < now:
                del self._used[next(iter(self._used))]

    # Small things --------------------------------------------------------------------------------------

    def _must(self) -> RelyingParty:
        if self._party is None:
            raise Refusal("passkeys_off", "This country has no passkeys.")
        return self._party

    def _fido(self) -> Fido2Server:
        if self._server is None:
            raise Refusal("passkeys_off", "This country has no passkeys.")
        return self._server

    def _mark(self, credential: bytes) -> bytes:
        named = wire.length_prefixed("kulla-passkey/1", credential)
        return hmac.digest(self._vault.system("lookup"), named, hashlib.sha256)[:16]

    def _sealed(self, person: UUID) -> list[dict[str, Any]]:
        rows = self._register.rows("SELECT sealed FROM passkey WHERE person = ? ORDER BY at", person.bytes)
        return [self._vault.open_own(person, "passkey", sealed) for (sealed,) in rows]

    def _one_of(self, person: UUID, mark: bytes) -> dict[str, Any]:
        row = self._register.one(
            "SELECT sealed FROM passkey WHERE mark = ? AND person = ?", mark, person.bytes
        )
        if row is None:
            raise Refusal("unknown_passkey", "There is no such passkey of yours.")
        kept: dict[str, Any] = self._vault.open_own(person, "passkey", row[0])
        return kept


def _made(kind: type[T], **fields: object) -> T:
    """One of fido2's answers out of parts that are parsed already. Their constructors read all type hints anew each
    time, which takes three times as long as checking the signature."""
    made = object.__new__(kind)
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return made


def clean_name(name: str) -> str:
    """A passkey's name: printable, short. Raises Refusal("bad_name")."""
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise Refusal("bad_name", "A passkey's name has 1 to 60 printable characters.")
    return name


def _fido_state(challenge: bytes, need: str) -> dict[str, Any]:
    return {"challenge": websafe_encode(challenge), "user_verification": UserVerificationRequirement(need)}


def _wrong() -> Refusal:
    return Refusal("wrong", "This passkey opens no account here.")


def _challenge() -> Refusal:
    return Refusal("challenge", "That took too long, or was sent twice.")
