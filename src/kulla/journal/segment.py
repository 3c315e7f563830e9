"""Segments: the sealed payloads of one checkpoint in one immutable object.

    "KSEG" ‖ version 0x01 ‖ first u64 ‖ next u64 ‖ n u8                                      } the header
    n × (key id 8 bytes = SHA-256(public key)[:8] ‖ segment key sealed by HPKE, 80 bytes)    }
    commitment to the segment key, 32 bytes                                                  }
    (next - first) × (SHA-256 of the claims, 32 bytes ‖ length u32 ‖ sealed payload)

All numbers are big-endian. HPKE (RFC 9180) in base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM,
info = "kulla/segment/1" ‖ first ‖ next. A payload is padded to a size class and sealed with AES-256-GCM under the
segment key: nonce = its index in 12 bytes, associated data = SHA-256(header). The key is fresh in each segment, so
no nonce repeats under it. GCM does not commit to its key, hence the HKDF commitment (and two keys never open one
segment to two stories). Together with the claims' hashes a segment alone gives its leaves.
"""

import hashlib
import hmac
import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .claims import LEAF_VERSION
from .errors import FormatError

MAGIC = b"KSEG\x01"
MAX_ENTRIES = 65_536
MAX_RECIPIENTS = 16

_FIXED = struct.Struct(">5sQQB")
_FRAME = struct.Struct(">32sI")
_KID = 8
_WRAPPED = 32 + 32 + 16  # encapsulated key, segment key, tag
_RECIPIENT = _KID + _WRAPPED
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_sha256 = hashlib.sha256


def key_id(public: bytes) -> bytes:
    """How a recipient's X25519 public key is named in a header."""
    return _sha256(public).digest()[:_KID]


def _info(first: int, following: int) -> bytes:
    return b"kulla/segment/1" + struct.pack(">QQ", first, following)


def _commitment(key: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"kulla/segment/1 commitment").derive(key)


# --- Padding ----------------------------------------------------------------------------------------------------


def size_class(size: int) -> int:
    """The smallest of 256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, … that holds `size` bytes."""
    if size <= 1024:
        return max(1, -(-size // 256)) * 256
    power = 1 << (size - 1).bit_length()
    return power * 3 // 4 if size <= power * 3 // 4 else power


def pad(payload: bytes) -> bytes:
    """The payload, 0x80, then zeros up to the size class (ISO/IEC 7816-4)."""
    return (payload + b"\x80").ljust(size_class(len(payload) + 1), b"\0")


def unpad(padded: bytes) -> bytes:
    """Undo `pad`. Raises FormatError."""
    bare = padded.rstrip(b"\0")
    if not bare.endswith(b"\x80"):
        raise FormatError("A payload's padding is malformed.")
    return bare[:-1]


# --- Sealing ----------------------------------------------------------------------------------------------------


def seal_segment(
    first: int, payloads: Sequence[bytes], recipients: Sequence[bytes]
) -> tuple[bytes, list[bytes]]:
    """Seal payloads for leaves `first`, `first` + 1, … under a fresh key for each recipient (X25519 public).

    Gives the header and the sealed payloads. Raises FormatError for an empty or too large segment.
    """
    following = first + len(payloads)
    if not 0 < len(payloads) <= MAX_ENTRIES or not 0 < len(recipients) <= MAX_RECIPIENTS:
        raise FormatError("A segment needs 1 to 65536 payloads and 1 to 16 recipients.")
    key = os.urandom(32)
    info = _info(first, following)
    wrapped = [
        key_id(public) + _SUITE.encrypt(key, X25519PublicKey.from_public_bytes(public), info)
        for public in recipients
    ]
    header = _FIXED.pack(MAGIC, first, following, len(wrapped)) + b"".join(wrapped) + _commitment(key)
    seal, aad = AESGCM(key).encrypt, _sha256(header).digest()
    sealed = [
        seal(index.to_bytes(12, "big"), pad(payload), aad) for index, payload in enumerate(payloads, first)
    ]
    return header, sealed


def encode_segment(header: bytes, sealed: Sequence[bytes], claims_hashes: Sequence[bytes]) -> bytes:
    """The segment as stored and sent. `claims_hashes` holds SHA-256 of each entry's claims in plain."""
    parts = [header]
    for claims_hash, blob in zip(claims_hashes, sealed, strict=True):
        parts += (_FRAME.pack(claims_hash, len(blob)), blob)
    return b"".join(parts)


# --- Reading ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Segment:
    """A segment taken apart; nothing in it is verified but its form."""

    first: int
    next: int
    header: bytes
    sealed: list[bytes]
    claims_hashes: list[bytes]

    def leaves(self) -> list[bytes]:
        """The 65-byte leaf data of its entries."""
        return [
            LEAF_VERSION + _sha256(sealed).digest() + claims
            for sealed, claims in zip(self.sealed, self.claims_hashes, strict=True)
        ]


def parse_header(data: bytes) -> tuple[int, int, bytes, list[tuple[bytes, bytes]], bytes]:
    """(first, next, header, [(key id, wrapped key)], commitment) from bytes that begin with a header.

    Raises FormatError.
    """
    if len(data) < _FIXED.size:
        raise FormatError("A segment's header breaks off.")
    magic, first, following, n = _FIXED.unpack_from(data)
    if magic != MAGIC:
        raise FormatError("This is no segment of version 1.")
    if not first < following <= first + MAX_ENTRIES or not 0 < n <= MAX_RECIPIENTS:
        raise FormatError("A segment's header contradicts itself.")
    end = _FIXED.size + n * _RECIPIENT + 32
    if len(data) < end:
        raise FormatError("A segment's header breaks off.")
    wrapped = []
    for at in range(_FIXED.size, end - 32, _RECIPIENT):
        wrapped.append((data[at : at + _KID], data[at + _KID : at + _RECIPIENT]))
    return first, following, data[:end], wrapped, data[end - 32 : end]


def parse_segment(data: bytes) -> Segment:
    """Take a segment's bytes apart. Raises FormatError unless they are exactly one segment."""
    first, following, header, _, _ = parse_header(data)
    sealed, claims_hashes = [], []
    at, end = len(header), len(data)
    for _ in range(following - first):
        if at + _FRAME.size > end:
            raise FormatError("A segment breaks off.")
        claims_hash, size = _FRAME.unpack_from(data, at)
        at += _FRAME.size
        sealed.append(data[at : at + size])
        claims_hashes.append(claims_hash)
        at += size
    if at != end:
        raise FormatError("A segment does not end where its payloads do.")
    return Segment(first, following, header, sealed, claims_hashes)


def open_segment_key(header: bytes, private: X25519PrivateKey | bytes) -> bytes:
    """The segment key, for one of the header's recipients. Raises FormatError when it is none of them."""
    if isinstance(private, bytes):
        private = X25519PrivateKey.from_private_bytes(private)
    wanted = key_id(private.public_key().public_bytes_raw())
    first, following, _, wrapped, commitment = parse_header(header)
    for kid, blob in wrapped:
        if kid == wanted:
            try:
                key = _SUITE.decrypt(blob, private, _info(first, following))
            except InvalidTag as e:
                raise FormatError("The key in a segment's header does not open.") from e
            if not hmac.compare_digest(_commitment(key), commitment):
                raise FormatError("The key in a segment's header is not the one it commits to.")
            return key
    raise FormatError("This segment is not sealed for this key.")


def opener(key: bytes, header: bytes) -> Callable[[int, bytes], bytes]:
    """A function (index, sealed payload) -> payload for one segment; it raises FormatError."""
    decrypt_gcm, aad = AESGCM(key).decrypt, _sha256(header).digest()

    def open_one(index: int, sealed: bytes) -> bytes:
        try:
            return unpad(decrypt_gcm(index.to_bytes(12, "big"), sealed, aad))
        except InvalidTag as e:
            raise FormatError(f"The payload of entry {index} does not open.") from e

    return open_one


def decrypt(key: bytes, header: bytes, index: int, sealed: bytes) -> bytes:
    """One payload. Raises FormatError. For many of one segment use `decrypt_all`."""
    return opener(key, header)(index, sealed)


def decrypt_all(key: bytes, segment: Segment) -> list[bytes]:
    """All payloads of a segment, in order. Raises FormatError."""
    open_one = opener(key, segment.header)
    return [open_one(index, sealed) for index, sealed in enumerate(segment.sealed, segment.first)]
