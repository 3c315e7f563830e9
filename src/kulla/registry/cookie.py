"""The encrypted session cookie: the only place where a session token lives on the portal's side.

The browser keeps it; the portal's database never does, so a stolen database signs nobody in. AES-256-GCM
under the cookie key; the name of the cookie is the associated data, so no other sealed value fits here.
"""

import base64
import json
import os
from binascii import Error as Base64Error
from dataclasses import asdict, dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

NAME = "kulla"
VERSION = b"\x01"
NONCE = 12
HELP_MS = 30 * 60 * 1000  # how long an assisted session lasts at most


def _cipher(purpose: str) -> AESGCM:
    key = HKDF(hashes.SHA256(), 32, None, f"kulla cookie {purpose}".encode()).derive(
        settings.KULLA_COOKIE_KEY.encode()
    )
    return AESGCM(key)


def seal(value: str, purpose: str = NAME) -> str:
    """The value as text that only this portal can read and nobody can change: base64url(version, nonce, box)."""
    nonce = os.urandom(NONCE)
    box = _cipher(purpose).encrypt(nonce, value.encode(), VERSION + purpose.encode())
    return base64.urlsafe_b64encode(VERSION + nonce + box).decode()


def open_sealed(text: str, purpose: str = NAME) -> str | None:
    """What `seal` was given, or None when the text is not ours (changed, cut, from another country)."""
    try:
        raw = base64.urlsafe_b64decode(text.encode())
        if raw[:1] != VERSION:
            return None
        opened = _cipher(purpose).decrypt(raw[1 : 1 + NONCE], raw[1 + NONCE :], VERSION + purpose.encode())
        return opened.decode()
    except (Base64Error, InvalidTag, ValueError):
        return None


@dataclass(frozen=True)
class Helping:
    """What the browser of an official keeps while acting with a person who is present: the own token to come back to,
    whom the banner names, and since when. It lives in the encrypted cookie only, and goes with the assisted session."""

    token: str = field(repr=False)
    sid: str
    name: str = field(repr=False)
    office: str
    since_ms: int
    until_ms: int


def pack(token: str, helping: Helping | None = None) -> str:
    """The sealed cookie of a session."""
    return seal(token if helping is None else json.dumps({"token": token, "helping": asdict(helping)}))


def unpack(text: str | None) -> tuple[str | None, Helping | None]:
    """The token of a sealed cookie and, of an assisted session, what to come back to; (None, None) when not ours."""
    opened = open_sealed(text) if text else None
    if opened is None or not opened.startswith("{"):
        return opened, None
    try:
        held = json.loads(opened)
        return str(held["token"]), Helping(**held["helping"])
    except (ValueError, KeyError, TypeError):  # of an older version of this portal
        return None, None
