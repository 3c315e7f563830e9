"""Signed notes (C2SP signed-note v1.0.0) and Ed25519 cosignatures (C2SP tlog-cosignature v1.0.1).

    text, ending in a newline
    (one empty line: the LAST empty line of the note)
    — <key name> base64(4-byte key id ‖ signature)

Key type 0x01 signs the text; 0x04 signs "cosignature/v1\ntime N\n" ‖ text and carries N in the signature.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .errors import NoteError

ED25519 = 0x01
COSIGNATURE = 0x04

MAX_NOTE = 1_000_000  # characters
MAX_SIGNATURES = 100

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")  # all below U+0020 but the newline
_NAME = re.compile(r"[^\s+\x00-\x1f]+")  # \s: Unicode's spaces


def b64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 §4)."""
    return base64.b64encode(data).decode("ascii")


def unb64(text: str) -> bytes:
    """The bytes of canonical base64: no other spelling of the same bytes is accepted. Raises NoteError."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as e:
        raise NoteError("A base64 field is malformed.") from e
    if b64(data) != text:
        raise NoteError("A base64 field is not in its canonical form.")
    return data


def check_name(name: str) -> str:
    """A key name: non-empty, without Unicode spaces, plus signs and control characters. Raises NoteError."""
    if not _NAME.fullmatch(name) or any("\ud800" <= c <= "\udfff" for c in name):  # half a pair is no UTF-8
        raise NoteError(f"{name!r} is not a key name.")
    return name


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """The four bytes that stand before a signature."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def _vkey(name: str, kind: int, public: bytes) -> str:
    return f"{name}+{key_id(name, kind, public).hex()}+{b64(bytes([kind]) + public)}"


def _line(name: str, ident: bytes, signature: bytes) -> str:
    return f"— {name} {b64(ident + signature)}\n"


def _cosigned_message(timestamp: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


# --- Keys that verify -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verifier:
    """A public key with its name and signature type (0x01 or 0x04)."""

    name: str
    kind: int
    public: bytes
    key_id: bytes

    @property
    def vkey(self) -> str:
        """The key as text."""
        return _vkey(self.name, self.kind, self.public)

    def verify(self, text: str, signature: bytes) -> int | None:
        """Check the bytes after the key id. Gives the cosignature's POSIX time, or None for a plain signature.

        Raises NoteError.
        """
        timestamp = None
        message = text.encode()
        if self.kind == COSIGNATURE:
            if len(signature) != 72:
                raise NoteError(f"The cosignature of {self.name} has the wrong length.")
            timestamp = int.from_bytes(signature[:8], "big")
            if timestamp >= 1 << 63:
                raise NoteError(f"The cosignature of {self.name} has an impossible time.")
            message, signature = _cosigned_message(timestamp, text), signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature as e:
            raise NoteError(f"The signature of {self.name} does not verify.") from e
        return timestamp


def parse_vkey(vkey: str) -> Verifier:
    """Read a verifier key: <name>+<hex id>+<base64(type ‖ key)>. Raises NoteError."""
    parts = vkey.split("+", 2)
    if len(parts) != 3:
        raise NoteError("A verifier key must have the form name+id+key.")
    name, ident, material = check_name(parts[0]), parts[1], unb64(parts[2])
    if len(material) != 33 or material[0] not in (ED25519, COSIGNATURE):
        raise NoteError(f"The verifier key of {name} is not an Ed25519 key that is understood here.")
    kind, public = material[0], material[1:]
    if ident != key_id(name, kind, public).hex():
        raise NoteError(f"The verifier key of {name} carries the wrong key id.")
    return Verifier(name, kind, public, bytes.fromhex(ident))


# --- Keys that sign ---------------------------------------------------------------------------------------------


class _PrivateKey:
    kind: int

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self.name = check_name(name)
        self.key = key
        self.public = key.public_key().public_bytes_raw()
        self.key_id = key_id(name, self.kind, self.public)

    @property
    def vkey(self) -> str:
        """The verifier key that belongs to it."""
        return _vkey(self.name, self.kind, self.public)

    @property
    def verifier(self) -> Verifier:
        """The same as an object."""
        return Verifier(self.name, self.kind, self.public, self.key_id)

    @property
    def skey(self) -> str:
        """The private key as text, in the form that Go's note package uses. Keep it secret."""
        seed = self.key.private_bytes_raw()
        return f"PRIVATE+KEY+{self.name}+{self.key_id.hex()}+{b64(bytes([self.kind]) + seed)}"


class Signer(_PrivateKey):
    """An Ed25519 key that signs notes (type 0x01): a log's checkpoint key."""

    kind = ED25519

    @classmethod
    def generate(cls, name: str) -> "Signer":
        """A fresh key."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def from_skey(cls, text: str) -> "Signer":
        """Read what `.skey` gave. Raises NoteError."""
        return cls(*_parse_skey(text, cls.kind))

    def sign(self, text: str) -> str:
        """The signature line for a note's text (which ends in a newline)."""
        return _line(self.name, self.key_id, self.key.sign(text.encode()))


class CosignerKey(_PrivateKey):
    """An Ed25519 key that cosigns checkpoints (type 0x04): a mirror's key."""

    kind = COSIGNATURE

    @classmethod
    def generate(cls, name: str) -> "CosignerKey":
        """A fresh key."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def from_skey(cls, text: str) -> "CosignerKey":
        """Read what `.skey` gave. Raises NoteError."""
        return cls(*_parse_skey(text, cls.kind))

    def cosign(self, checkpoint_body: str, timestamp: int) -> str:
        """The cosignature line for a checkpoint's body at a POSIX time in seconds."""
        signature = self.key.sign(_cosigned_message(timestamp, checkpoint_body))
        return _line(self.name, self.key_id, timestamp.to_bytes(8, "big") + signature)


def _parse_skey(text: str, kind: int) -> tuple[str, Ed25519PrivateKey]:
    parts = text.strip().split("+", 4)
    if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:
        raise NoteError("A private key must have the form PRIVATE+KEY+name+id+key.")
    material = unb64(parts[4])
    if len(material) != 33 or material[0] != kind:
        raise NoteError(f"The private key of {parts[2]} is not of the kind that is needed here.")
    key = Ed25519PrivateKey.from_private_bytes(material[1:])
    if key_id(parts[2], kind, key.public_key().public_bytes_raw()).hex() != parts[3]:
        raise NoteError(f"The private key of {parts[2]} carries the wrong key id.")
    return parts[2], key


# --- Notes ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signature:
    """One signature line that verified. `timestamp` (POSIX seconds) only for cosignatures."""

    name: str
    key_id: bytes
    timestamp: int | None
    line: str


@dataclass(frozen=True)
class Note:
    """A note's text with the signatures by known keys, in the note's order, each key at most once."""

    text: str
    signatures: tuple[Signature, ...]


def split_note(note: str | bytes) -> tuple[str, list[tuple[str, bytes, bytes, str]]]:
    """Take a note apart without verifying: text, and (name, key id, signature, line) for each signature line.

    The text ends before the LAST empty line. Raises NoteError.
    """
    if isinstance(note, bytes):
        try:
            note = note.decode("utf-8")
        except UnicodeDecodeError as e:
            raise NoteError("The note is not UTF-8.") from e
    if len(note) > MAX_NOTE:
        raise NoteError("The note is too long.")
    if _CONTROL.search(note):
        raise NoteError("The note contains control characters.")
    at = note.rfind("\n\n")
    if at < 0:
        raise NoteError("The note has no signatures.")
    text, block = note[: at + 1], note[at + 2 :]
    if not block.endswith("\n"):
        raise NoteError("The note does not end in a complete signature line.")
    return text, split_signatures(block)


def split_signatures(block: str) -> list[tuple[str, bytes, bytes, str]]:
    """(name, key id, signature, line) for each line of a block of signature lines. Raises NoteError."""
    lines = block.removesuffix("\n").split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError("The note has too many signatures.")
    found = []
    for line in lines:
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "—":
            raise NoteError("A signature line is malformed.")
        data = unb64(parts[2])
        if len(data) < 5:
            raise NoteError("A signature is too short.")
        found.append((check_name(parts[1]), data[:4], data[4:], line + "\n"))
    return found


def open_note(note: str | bytes, verifiers: Iterable[Verifier]) -> Note:
    """Read and verify a note.

    Signatures by unknown keys are passed over; a known key's signature that does not verify rejects the note;
    so does a note without any signature by a known key. Raises NoteError.
    """
    text, lines = split_note(note)
    good = verified_by(text, lines, verifiers)
    if not good:
        raise NoteError("The note is not signed by a key that is trusted here.")
    return Note(text, good)


def verified_by(
    text: str, lines: Iterable[tuple[str, bytes, bytes, str]], verifiers: Iterable[Verifier]
) -> tuple[Signature, ...]:
    """The signatures of these keys among a note's `lines`, each key at most once; none is no error here.

    Raises NoteError for a signature by one of the keys that does not verify.
    """
    known = {(v.name, v.key_id): v for v in verifiers}
    good: dict[tuple[str, bytes], Signature] = {}
    for name, ident, signature, line in lines:
        verifier = known.get((name, ident))
        if verifier is None:
            continue
        timestamp = verifier.verify(text, signature)
        good.setdefault((name, ident), Signature(name, ident, timestamp, line))
    return tuple(good.values())


def sign_note(text: str, *sign: Callable[[str], str]) -> str:
    """Put a note together: `sign_note(text, signer.sign, ...)`. Raises NoteError for text that cannot be signed."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise NoteError("A note's text must end in a newline and hold no other control characters.")
    return text + "\n" + "".join(s(text) for s in sign)
