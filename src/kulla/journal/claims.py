"""Claims: what a receipt says in plain words, as canonical UTF-8 lines that are hashed into the leaf.

    kulla-claims/1
    what: Appointment booked
    where: …
    holder: <hex of the keeper's commitment>
    salt: <32 hex digits>

Names are lower-case ASCII and occur once; values are one line in Unicode's NFC without control characters. The
salt stands last and keeps the hash, which is public, from being guessed. Leaves and check codes are here too,
because verifying needs both and must need neither CBOR nor keys.
"""

import base64
import hashlib
import os
import re
import unicodedata
from dataclasses import dataclass, field

from .errors import FormatError
from .merkle import leaf_hash

HEADER = "kulla-claims/1\n"
SALT = 16
MAX_CLAIMS = 16_384  # bytes

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_HEX_SALT = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Claims:
    """Lines of a receipt (name, value), without the salt line, and the 16 random bytes of salt."""

    lines: tuple[tuple[str, str], ...]
    salt: bytes = field(default_factory=lambda: os.urandom(SALT))

    def __post_init__(self) -> None:
        """Normalise values to NFC. Raises FormatError for what a line cannot hold."""
        object.__setattr__(
            self, "lines", tuple((name, unicodedata.normalize("NFC", value)) for name, value in self.lines)
        )
        if len(self.salt) != SALT:
            raise FormatError("The salt of claims must have 16 bytes.")
        names = [name for name, _ in self.lines]
        if len(set(names)) != len(names) or "salt" in names:
            raise FormatError("Each claim must have a name of its own.")
        for name, value in self.lines:
            if not _NAME.fullmatch(name) or not _one_line(value):
                raise FormatError(f"The claim {name!r} is not one line of plain text.")

    def encode(self) -> bytes:
        """The canonical bytes. Raises FormatError when they are too long."""
        lines = "".join(f"{name}: {value}\n" for name, value in self.lines)
        data = f"{HEADER}{lines}salt: {self.salt.hex()}\n".encode()
        if len(data) > MAX_CLAIMS:
            raise FormatError("The claims are too long.")
        return data

    @classmethod
    def parse(cls, data: bytes) -> "Claims":
        """Read canonical bytes; no other spelling is accepted. Raises FormatError."""
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as e:
            raise FormatError("The claims are not UTF-8.") from e
        if not text.startswith(HEADER) or not text.endswith("\n"):
            raise FormatError("The claims are not of version kulla-claims/1.")
        pairs = []
        for line in text[len(HEADER) : -1].split("\n"):
            name, colon, value = line.partition(": ")
            if not colon:
                raise FormatError("A line of the claims has no name.")
            pairs.append((name, value))
        last, salt = pairs.pop()
        if last != "salt" or not _HEX_SALT.fullmatch(salt):
            raise FormatError("The claims do not end in their salt.")
        claims = cls(tuple(pairs), bytes.fromhex(salt))
        if claims.encode() != data:
            raise FormatError("The claims are not in their canonical form.")
        return claims


def _one_line(value: str) -> bool:
    # Zl and Zp are line breaks to some programs, Cs cannot be written as UTF-8.
    return all(unicodedata.category(c) not in {"Cc", "Zl", "Zp", "Cs"} for c in value)


LEAF_VERSION = b"\x01"
NO_CLAIMS = hashlib.sha256(b"").digest()
"""The claims hash of an entry that makes no claims."""


def leaf_data(sealed: bytes, claims: bytes) -> bytes:
    """The 65 bytes that the tree holds: 0x01 ‖ SHA-256(sealed payload) ‖ SHA-256(claims in plain)."""
    return leaf_of(sealed, hashlib.sha256(claims).digest())


def leaf_of(sealed: bytes, claims_hash: bytes) -> bytes:
    """`leaf_data` where only the hash of the claims is at hand."""
    return LEAF_VERSION + hashlib.sha256(sealed).digest() + claims_hash


def check_code(leaf: bytes) -> str:
    """The short code on a receipt: the first 40 bits of the leaf hash in base32, as "ABCD-EFGH"."""
    code = base64.b32encode(leaf[:5]).decode("ascii")
    return f"{code[:4]}-{code[4:]}"


__all__ = ["LEAF_VERSION", "NO_CLAIMS", "Claims", "check_code", "leaf_data", "leaf_hash", "leaf_of"]
