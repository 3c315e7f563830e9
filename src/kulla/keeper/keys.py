"""The keys, from the root down.

    root key (outside this program in production) ── derive(purpose)
      ├─ seals the records; wraps the system keys; signs to the key copies
      └─ wraps the key-encrypting key of each year
           └─ wraps data keys: random, one per person and retention class, so that one can be destroyed
                └─ HKDF per purpose: what fields, claims, profiles are sealed with

The root key only ever answers `derive`, which a PKCS#11 token can do without giving the key away.
System keys (tokens, look-ups, pseudonyms, …) are random and stand in records, so they outlive a change of root.
"""

import hashlib
import hmac
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kulla.journal.ids import uuid7
from kulla.journal.wire import length_prefixed
from kulla.keeper import turns
from kulla.keeper.errors import ConfigError, RecordsBroken

log = logging.getLogger("kulla.keeper")
NONCE = 12


class RootKey(Protocol):
    """The one operation that the keeper needs of its root key."""

    kind: str

    def derive(self, purpose: str) -> bytes:
        """32 bytes that only this root key gives for this purpose."""


class FileRootKey:
    """A root key in a file, 32 bytes as hex text. For demonstrations: whoever reads the file reads everything."""

    kind = "file"

    def __init__(self, path: Path) -> None:
        try:
            key = bytes.fromhex(path.read_text().strip())
        except (OSError, ValueError) as error:
            raise ConfigError(f"The root key cannot be read from {path}.") from error
        if len(key) != 32:
            raise ConfigError(f"The root key in {path} does not have 32 bytes.")
        self._key = key
        log.warning(
            "ROOT KEY IN A FILE (%s): whoever reads this file can read the whole register. "
            "Fit for a demonstration only; in production it is split among holders or kept in a token.",
            path.name,
        )

    def derive(self, purpose: str) -> bytes:
        """HMAC-SHA-256 under the root key (RFC 5869's expand step with one block)."""
        return expand(self._key, f"kulla root/1 {purpose}")


def expand(key: bytes, purpose: str | bytes) -> bytes:
    """HKDF-Expand (RFC 5869) with SHA-256: a 32-byte key for one purpose. `key` is uniformly random already."""
    info = purpose.encode() if isinstance(purpose, str) else purpose
    return hmac.digest(key, info + b"\x01", "sha256")  # the expand step for one block of output


def seal_box(key: bytes, data: bytes, associated: bytes) -> bytes:
    """AES-256-GCM with a random nonce: nonce ‖ ciphertext ‖ tag."""
    nonce = turns.random(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, data, associated)


def open_box(key: bytes, box: bytes, associated: bytes) -> bytes:
    """What `seal_box` was given. Raises RecordsBroken."""
    try:
        return AESGCM(key).decrypt(box[:NONCE], box[NONCE:], associated)
    except (InvalidTag, ValueError) as error:
        raise RecordsBroken(
            "A sealed value does not open: it was changed, or the root key is another."
        ) from error


def copies_signer(root: RootKey) -> Ed25519PrivateKey:
    """The key that signs requests to the key copies. Derived, so that holders of the root key can always ask."""
    return Ed25519PrivateKey.from_private_bytes(root.derive("key copies"))


@dataclass(frozen=True)
class WrappedKey:
    """A data key as it stands in a record."""

    id: bytes
    person: UUID
    retention: str
    year: int
    wrapped: bytes
    commitment: bytes


class KeyRing:
    """Opens and makes keys. Holds no person's data; wrapped values come from the register."""

    def __init__(self, root: RootKey) -> None:
        self.root_kind = root.kind
        self._system = root.derive("system keys")
        self._years: dict[int, bytes] = {}

    def wrap_system(self, name: str, secret: bytes) -> bytes:
        """A system key or another secret of the keeper's own, fit for a record."""
        return seal_box(self._system, secret, length_prefixed("kulla-system-key/1", name))

    def unwrap_system(self, name: str, wrapped: bytes) -> bytes:
        """The secret. Raises RecordsBroken."""
        return open_box(self._system, wrapped, length_prefixed("kulla-system-key/1", name))

    def add_year(self, year: int, wrapped: bytes) -> None:
        """Learn the key-encrypting key of a year from its record."""
        self._years[year] = self.unwrap_system(f"year:{year}", wrapped)

    def has_year(self, year: int) -> bool:
        """Whether data keys can be made in this year."""
        return year in self._years

    def make_data_key(self, person: UUID, retention: str, year: int) -> tuple[WrappedKey, bytes]:
        """A fresh random data key, wrapped under the year's key, and in the clear.

        Its id begins with the time: tables that are kept in the order of ids then grow at their ends.
        """
        key, key_id = os.urandom(32), uuid7().bytes
        wrapped = seal_box(self._years[year], key, _data_key_data(key_id, person, retention, year))
        return WrappedKey(key_id, person, retention, year, wrapped, _commitment(key)), key

    def open_data_key(self, key: WrappedKey) -> bytes:
        """The data key. Raises RecordsBroken, also when the commitment is another key's (GCM has none itself)."""
        year = self._years.get(key.year)
        if year is None:
            raise RecordsBroken("The key-encrypting key of a year is missing.")
        data = _data_key_data(key.id, key.person, key.retention, key.year)
        opened = open_box(year, key.wrapped, data)
        if not hmac.compare_digest(_commitment(opened), key.commitment):
            raise RecordsBroken("A data key is not the one that was committed to.")
        return opened


def _data_key_data(key_id: bytes, person: UUID, retention: str, year: int) -> bytes:
    return length_prefixed("kulla-data-key/1", key_id, person.bytes, retention, str(year))


def _commitment(key: bytes) -> bytes:
    return expand(key, "kulla data key commitment/1")


def keyed_uuid(key: bytes, value: bytes) -> UUID:
    """HMAC-SHA-256 in the shape of a UUID (version 8, RFC 9562): a pseudonym."""
    raw = bytearray(hmac.digest(key, value, hashlib.sha256)[:16])
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return UUID(bytes=bytes(raw))
