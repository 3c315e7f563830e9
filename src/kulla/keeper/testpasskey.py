"""A passkey in software, for tests and measurements: answers challenges as a browser with its device does."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

ORIGIN = "http://localhost:8000"
PRESENT, VERIFIED, ATTESTED = AuthenticatorData.FLAG.UP, AuthenticatorData.FLAG.UV, AuthenticatorData.FLAG.AT


@dataclass
class SoftPasskey:
    """One key pair. `verified`: it says that it checked its owner. `counts`: it has a counter, as devices of metal."""

    verified: bool = True
    counts: bool = True
    origin: str = ORIGIN
    rp_id: str = "localhost"
    id: bytes = field(default_factory=lambda: os.urandom(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    counter: int = 0
    handle: bytes = b""

    def register(self, options: Mapping[str, Any]) -> dict[str, bytes]:
        """The answer to the options of a new passkey: client_data and attestation."""
        self.handle = options["user"]["id"]
        public = ES256.from_cryptography_key(self.key.public_key())  # type: ignore[no-untyped-call]
        said = AttestedCredentialData.create(Aaguid.NONE, self.id, public)
        auth = AuthenticatorData.create(self._rp_hash(), self._flags() | ATTESTED, self._count(), bytes(said))
        made = AttestationObject.create("none", auth, {})
        return {"client_data": self._client("webauthn.create", options), "attestation": bytes(made)}

    def answer(self, options: Mapping[str, Any]) -> dict[str, bytes]:
        """The answer to a challenge: what `keeper_client.Assertion` is made of."""
        client = self._client("webauthn.get", options)
        auth = bytes(AuthenticatorData.create(self._rp_hash(), self._flags(), self._count()))
        signature = self.key.sign(auth + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        names = {"id": self.id, "client_data": client, "auth_data": auth, "signature": signature}
        return {**names, "handle": self.handle}

    def _client(self, kind: str, options: Mapping[str, Any]) -> bytes:
        challenge = websafe_encode(options["challenge"])
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _count(self) -> int:
        self.counter += self.counts
        return self.counter

    def _flags(self) -> AuthenticatorData.FLAG:
        return PRESENT | VERIFIED if self.verified else PRESENT

    def _rp_hash(self) -> bytes:
        return sha256(self.rp_id.encode()).digest()
