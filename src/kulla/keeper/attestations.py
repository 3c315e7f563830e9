"""Attestations: signed statements of who acts in one service, fit to stand in the journal."""

import contextlib
import os
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kulla.journal import wire
from kulla.journal.ids import now_ms
from kulla.keeper.errors import RecordsBroken, Refusal
from kulla.keeper.keys import open_box, seal_box
from kulla.keeper.live import Live, Proven
from kulla.keeper.vault import Vault


class Attestations:
    """Makes them and reads them again. No two share a value."""

    def __init__(self, vault: Vault, signer: Ed25519PrivateKey) -> None:
        self._vault, self._signer = vault, signer
        self._public_key = signer.public_key().public_bytes_raw()

    def make(self, session: Live, service: str, pseudonym: UUID | None) -> bytes:
        """One for a session in a service. `trace` is sealed: with it the keeper, and nobody else, finds the person
        and session again."""
        attestation_id = os.urandom(16)
        inside = [session.person, session.sid, session.role, session.office]
        if session.assisted:
            inside += [session.assisted, session.helper]
        trace = seal_box(
            self._vault.system("trace"),
            wire.encode(inside),
            wire.length_prefixed("kulla-trace/1", attestation_id, service),
        )
        body = {
            "v": 1,
            "id": attestation_id,
            "service": service,
            "role": session.role,
            "at": now_ms(),
            "trace": trace,
        }
        body |= {"who": pseudonym} if pseudonym else {"office": session.office}
        if session.assisted:
            body["assisted"] = session.assisted
        return wire.sign_statement("attestation", body, self._signer)

    def read(self, proof: bytes, service: str | None) -> Proven:
        """Who stands behind one of any age; of this service, if one is named. Raises Refusal("attestation")."""
        return _read(proof, service, self._public_key, self._vault.system("trace"))

    def traced(self, proof: bytes) -> Proven:
        """As `read`, also of a time before the keys were rotated: good for finding acts, and for nothing else."""
        try:
            return self.read(proof, None)
        except Refusal:
            for name in self._vault.system_names("token:"):
                when = name.removeprefix("token:")
                key = Ed25519PrivateKey.from_private_bytes(self._vault.system(name))
                with contextlib.suppress(Refusal):
                    public = key.public_key().public_bytes_raw()
                    return _read(proof, None, public, self._vault.system(f"trace:{when}"))
            raise


def _read(proof: bytes, service: str | None, public_key: bytes, trace: bytes) -> Proven:
    try:
        body = wire.open_statement("attestation", proof, public_key)
        named = str(body["service"])
        associated = wire.length_prefixed("kulla-trace/1", body["id"], named)
        person, sid, role, office, *rest = wire.decode(open_box(trace, body["trace"], associated))
        assisted, helper = rest or (None, None)
        at = int(body["at"])
        session = Live(sid, person, role, office, "", at, assisted=assisted, helper=helper)
    except (wire.WireError, RecordsBroken, KeyError, TypeError, ValueError) as error:
        raise Refusal("attestation", "This is not an attestation of this keeper.") from error
    if service is not None and named != service:
        raise Refusal("attestation", "This is not an attestation for this service.")
    return Proven(session, named, at)
