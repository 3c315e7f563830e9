"""Whose file it is: a detached Ed25519 signature in FILE.sig, made by the institution that keeps the register.

FILE.sig is text: the statement, an empty line, the signature over the statement's bytes as base64.

    kulla-register-file/1
    file people                      people, families, offices or officials
    extent delta                     delta or full
    made 1790000000000               when it was signed, ms since 1970 UTC
    size 1234                        bytes
    sha256 0123…                     of the file

The statement names what the file is, so that a delta cannot pass for a complete extract, nor one kind for another. A
file that was made before the last one of the same signer and kind is refused: an old one would bring back what changed.
"""

import base64
import binascii
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kulla.keeper.errors import KeeperError
from kulla.keeper.importing.reading import Source, open_source
from kulla.keeper.register_settings import RegisterKey

PEOPLE, FAMILIES, OFFICES, OFFICIALS = "people", "families", "offices", "officials"
FILES = (PEOPLE, FAMILIES, OFFICES, OFFICIALS)
AHEAD_MS = 24 * 3600 * 1000  # so far a signer's clock may be ahead
MAX_SIGNATURE = 2000  # bytes of FILE.sig
_FORM = re.compile(
    r"kulla-register-file/1\nfile ([a-z]+)\nextent (delta|full)\nmade ([0-9]{1,15})\nsize ([0-9]{1,15})\n"
    r"sha256 ([0-9a-f]{64})\n"
)


class NotSigned(KeeperError):
    """Why a file is not taken: one plain sentence."""


@dataclass(frozen=True)
class Signed:
    """A genuine statement about a file."""

    signer: str
    file: str
    full: bool
    made: int


def signature_path(path: Path) -> Path:
    """Where the signature of a file lies."""
    return path.with_name(f"{path.name}.sig")


def make_key(path: Path) -> bytes:
    """Write a new secret key, 32 bytes as hex, readable by its owner only; gives the public key."""
    secret = os.urandom(32)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise KeeperError("There is a file of this name already: a key is never overwritten.") from error
    with os.fdopen(handle, "w") as file:
        file.write(secret.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def read_key(path: Path) -> Ed25519PrivateKey:
    """The secret key in a file. Raises KeeperError."""
    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip()))
    except (OSError, ValueError) as error:
        raise KeeperError("The key cannot be read: it is 32 bytes as hexadecimal text.") from error


def sign_file(path: Path, key: Ed25519PrivateKey, *, file: str, full: bool, made: int | None = None) -> Path:
    """Sign a file; gives where the signature lies. Raises KeeperError."""
    made = time.time_ns() // 1_000_000 if made is None else made
    with open_source(path) as source:
        text = statement(source, file=file, full=full, made=made)
    where = signature_path(path)
    where.write_text(f"{text}\n{base64.b64encode(key.sign(text.encode())).decode()}\n")
    return where


def statement(source: Source, *, file: str, full: bool, made: int) -> str:
    """What is signed."""
    if file not in FILES:
        raise KeeperError(f"A file is one of {', '.join(FILES)}.")
    extent = "full" if full else "delta"
    head = f"kulla-register-file/1\nfile {file}\nextent {extent}\nmade {made}\n"
    return f"{head}size {source.size}\nsha256 {source.digest.hex()}\n"


def check(path: Path, source: Source, keys: Sequence[RegisterKey], *, file: str, full: bool) -> Signed:
    """The genuine statement about an opened file. Raises NotSigned with what does not hold."""
    where = signature_path(path)
    try:
        with where.open("rb") as opened:
            raw = opened.read(MAX_SIGNATURE + 1)
        text, _, encoded = raw.decode("ascii").partition("\n\n")
        signature = base64.b64decode(encoded.strip(), validate=True)
    except OSError as error:
        raise NotSigned(f"The file is not signed: there is no {where.name} beside it.") from error
    except (UnicodeDecodeError, binascii.Error, ValueError) as error:
        raise NotSigned("The signature cannot be read.") from error
    text += "\n"
    match = _FORM.fullmatch(text)
    if match is None or len(raw) > MAX_SIGNATURE:
        raise NotSigned("The signature cannot be read.")
    signer = _signer(keys, text.encode(), signature)
    if signer is None:
        raise NotSigned("The signature is by no institution whose key stands in keeper.json (register_keys).")
    if file not in signer.files:
        raise NotSigned(f"{signer.name} may not sign files of {file}; see register_keys in keeper.json.")
    if match[1] != file or match[2] != ("full" if full else "delta"):
        raise NotSigned(
            f"The file was signed as {match[2]} file of {match[1]}, and is not taken as anything else."
        )
    if int(match[4]) != source.size or match[5] != source.digest.hex():
        raise NotSigned("The file is not the one that was signed.")
    if int(match[3]) > time.time_ns() // 1_000_000 + AHEAD_MS:
        raise NotSigned("The file was signed in the future: look at the clocks.")
    return Signed(signer.name, file, full, int(match[3]))


def _signer(keys: Sequence[RegisterKey], text: bytes, signature: bytes) -> RegisterKey | None:
    for each in keys:
        try:
            Ed25519PublicKey.from_public_bytes(each.key).verify(signature, text)
        except (InvalidSignature, ValueError):
            continue
        return each
    return None
