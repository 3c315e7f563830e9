"""The encrypted session cookie: the only place where a session token lives on the portal's side.

The browser keeps it; the portal's database never does, so a stolen database signs nobody in. AES-256-GCM
under the cookie key; the name of the cookie is the associated data, so no other sealed value fits here.
"""

import base64
import os
from binascii import Error as Base64Error

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

NAME = "kulla"
VERSION = b"\x01"
NONCE = 12


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
