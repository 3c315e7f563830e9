"""Signed requests: who may write, and who may read what is not public.

    Kulla-Time: <seconds since the epoch, UTC>
    Kulla-Signature: <base64 of an Ed25519 signature over
        "kulla-request/1\\n" METHOD "\\n" TARGET "\\n" UNIXTIME "\\n" SHA-256hex(body) "\\n">

TARGET is the address as sent, query included. The time may be off by 300 seconds. Within these a request can be
repeated by whoever saw it; every signed call is therefore one that does no harm when it comes twice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kulla.mirror.messages import Refused, Request

SKEW = 300


def signed_text(method: str, target: str, unixtime: int, body: bytes) -> bytes:
    """The bytes under a request's signature."""
    digest = hashlib.sha256(body).hexdigest()
    return f"kulla-request/1\n{method}\n{target}\n{unixtime}\n{digest}\n".encode("ascii")


def sign_request(
    key: Ed25519PrivateKey, method: str, target: str, body: bytes = b"", *, unixtime: int | None = None
) -> dict[str, str]:
    """The two headers for a request (used by tests and tools; a room of the portal's side has its own)."""
    at = int(time.time()) if unixtime is None else unixtime
    signature = key.sign(signed_text(method, target, at, body))
    return {"Kulla-Time": str(at), "Kulla-Signature": base64.b64encode(signature).decode()}


def require_signature(request: Request, body: bytes, keys: Iterable[Ed25519PublicKey]) -> None:
    """Raise Refused 403 unless one of `keys` signed this request within the last 300 seconds."""
    stamp, encoded = request.headers.get("kulla-time", ""), request.headers.get("kulla-signature", "")
    if not stamp or not encoded:
        raise Refused(403, "This address answers only signed requests.")
    if not (stamp.isdigit() and len(stamp) <= 12):
        raise Refused(403, "The header Kulla-Time is not a number.")
    if abs(time.time() - int(stamp)) > SKEW:
        raise Refused(
            403, "The request was signed more than 300 seconds ago, or the clocks differ by as much."
        )
    try:
        signature = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(403, "The header Kulla-Signature is not base64.") from None
    text = signed_text(request.method, request.target, int(stamp), body)
    for key in keys:
        try:
            key.verify(signature, text)
        except InvalidSignature:
            continue
        return
    raise Refused(403, "The signature of this request is not by a key that may do this.")
