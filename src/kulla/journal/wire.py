"""What the keeper and its callers must write alike: frames, associated data, padding, statements, sealed claims.

The keeper and its client are siblings that never import each other; this small library is all they share.
Every form starts with a version byte; a change is a new version.
"""

import base64
import hashlib
import hmac
import os
import struct
from collections.abc import Mapping
from io import BytesIO
from socket import socket
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAX_FRAME = 4 * 1024 * 1024
MAX_DEPTH = 32  # of the values in a frame
CLAIMS_VERSION = b"\x02"  # 0x01 is the keeper's own sealed field
STATEMENT_VERSION = b"\x01"
NONCE = 12
_HEAD = struct.Struct(">I")
_PORTION = 64 * 1024
_SIZES = (32, 64, 128, 256, 512, 768, 1024, 1536, 2048, 3072, 4096)


class WireError(Exception):
    """Bytes that do not have the agreed form, or that were changed. The text is a plain sentence."""


# Frames ------------------------------------------------------------------------------------------------


def encode(value: object, *, canonical: bool = True) -> bytes:
    """CBOR, deterministic (RFC 8949 §4.2) unless nobody will sign or compare it. Raises WireError for what CBOR
    cannot say."""
    try:
        return cbor2.dumps(value, canonical=canonical)
    except (cbor2.CBOREncodeError, ValueError, TypeError) as error:
        raise WireError("A value cannot be sent: it has no CBOR form.") from error


def decode(data: bytes) -> Any:
    """One CBOR value that fills `data` whole. Raises WireError."""
    stream = BytesIO(data)
    try:
        value = cbor2.CBORDecoder(stream, max_depth=MAX_DEPTH).decode()
    except Exception as error:  # tag handlers (dates, numbers) raise errors of many kinds
        raise WireError("The message is not valid CBOR.") from error
    if stream.read(1):
        raise WireError("The message has bytes after its end.")
    return value


def write_frame(connection: socket, value: object) -> None:
    """Send one frame: length as u32 big-endian, then CBOR. Raises WireError when it is over 4 MiB, OSError."""
    body = encode(value, canonical=False)
    if len(body) > MAX_FRAME:
        raise WireError("The message is larger than 4 MiB.")
    connection.sendall(_HEAD.pack(len(body)) + body)


def read_frame(connection: socket) -> Any:
    """The next frame's value, or None when the other side has closed. Raises WireError, OSError.

    Only where one side waits for the other's frame: bytes that follow a frame at once are refused.
    """
    data = connection.recv(
        _PORTION
    )  # nearly always the whole frame: each question to the system costs a thread's turn
    if not data:
        return None
    if len(data) < _HEAD.size:
        data += _exactly(connection, _HEAD.size - len(data))
    (length,) = _HEAD.unpack_from(data)
    if length > MAX_FRAME:
        raise WireError("The message is larger than 4 MiB.")
    missing = _HEAD.size + length - len(data)
    if missing < 0:
        raise WireError("The message has bytes after its end.")
    if missing:
        data += _exactly(connection, missing)
    return decode(data[_HEAD.size :])


def _exactly(connection: socket, missing: int) -> bytes:
    parts = []
    while missing:
        part = connection.recv(min(missing, 1 << 20))
        if not part:
            raise WireError("The message ended in its middle.")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


# Associated data and padding ---------------------------------------------------------------------------


def length_prefixed(*parts: bytes | str) -> bytes:
    """Each part after its length as u32 big-endian: two different lists never give the same bytes."""
    raw: list[bytes] = []
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        raw += (_HEAD.pack(len(data)), data)
    return b"".join(raw)


def pad(data: bytes) -> bytes:
    """`data` ‖ 0x80 ‖ zeros up to the next size class, so that a stored length tells little."""
    need = len(data) + 1
    size = next((size for size in _SIZES if size >= need), -(-need // 1024) * 1024)
    return data + b"\x80" + bytes(size - need)


def unpad(padded: bytes) -> bytes:
    """The data that `pad` was given. Raises WireError."""
    stripped = padded.rstrip(b"\x00")
    if not stripped.endswith(b"\x80"):
        raise WireError("The padding is broken.")
    return stripped[:-1]


# Statements: what the keeper signs (session tokens, attestations) ---------------------------------------


def sign_statement(kind: str, body: Mapping[str, object], key: Ed25519PrivateKey) -> bytes:
    """0x01 ‖ signature ‖ CBOR; the signature covers the kind, so that no statement passes for another kind."""
    content = encode(dict(body))
    return STATEMENT_VERSION + key.sign(length_prefixed("kulla-statement/1", kind, content)) + content


def open_statement(kind: str, statement: bytes, public_key: bytes) -> dict[str, Any]:
    """The body of a genuine statement of this kind. Raises WireError."""
    if statement[:1] != STATEMENT_VERSION or len(statement) < 65:
        raise WireError("This is not a statement of the keeper.")
    content = statement[65:]
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
        key.verify(statement[1:65], length_prefixed("kulla-statement/1", kind, content))
    except (InvalidSignature, ValueError) as error:
        raise WireError("The signature of the statement is not the keeper's.") from error
    body = decode(content)
    if not isinstance(body, dict):
        raise WireError("The statement is empty.")
    return body


def to_text(statement: bytes) -> str:
    """base64url without padding: fit for a cookie."""
    return base64.urlsafe_b64encode(statement).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """The bytes behind `to_text`. Raises WireError."""
    try:
        return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise WireError("This is not base64url.") from error


# Claims sealed with a ticket ---------------------------------------------------------------------------
#
# A ticket is minted by the keeper ahead of its use: a one-time key, given in the clear to the portal and wrapped
# for the keeper under the person's data key. So a booking seals its claims while the keeper is away, and only
# the keeper opens them. Form: 0x02 ‖ ticket id (16) ‖ u16 length ‖ wrapped ‖ nonce (12) ‖ ciphertext and tag.


def holder_commitment(salt: bytes, number: str, name: str, birth_date: str) -> bytes:
    """HMAC-SHA-256 under the receipt's holder salt of who the receipt belongs to (see formats: Claims).

    `number` as registered, `name` is first and last name with one space, `birth_date` is YYYY-MM-DD.
    """
    return hmac.digest(salt, length_prefixed("kulla-holder/1", number, name, birth_date), "sha256")


def _claims_data(ticket_id: bytes, wrapped: bytes) -> bytes:
    return length_prefixed("kulla-sealed-claims/1", ticket_id, hashlib.sha256(wrapped).digest())


def seal_with_ticket(ticket_id: bytes, key: bytes, wrapped: bytes, claims: bytes) -> bytes:
    """Seal claims under a ticket's one-time key; no keeper is needed."""
    nonce = os.urandom(NONCE)
    box = AESGCM(key).encrypt(nonce, pad(claims), _claims_data(ticket_id, wrapped))
    return CLAIMS_VERSION + ticket_id + struct.pack(">H", len(wrapped)) + wrapped + nonce + box


def split_sealed_claims(blob: bytes) -> tuple[bytes, bytes, bytes]:
    """(ticket id, wrapped key, nonce ‖ box) of sealed claims. Raises WireError."""
    if len(blob) < 19 or blob[:1] != CLAIMS_VERSION:
        raise WireError("These are not sealed claims.")
    (length,) = struct.unpack(">H", blob[17:19])
    wrapped, rest = blob[19 : 19 + length], blob[19 + length :]
    if len(wrapped) != length or len(rest) < NONCE + 16:
        raise WireError("These sealed claims are cut off.")
    return blob[1:17], wrapped, rest


def open_with_ticket(ticket_id: bytes, key: bytes, wrapped: bytes, rest: bytes) -> bytes:
    """The claims, with the key that the keeper unwrapped. Raises WireError."""
    try:
        return unpad(AESGCM(key).decrypt(rest[:NONCE], rest[NONCE:], _claims_data(ticket_id, wrapped)))
    except InvalidTag as error:
        raise WireError("These sealed claims do not open: they were changed.") from error
