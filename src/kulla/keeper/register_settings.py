"""Settings of registers in keeper.json: whose files are imported, and a live register to ask.

    "register_keys": [{"name": "civil-registry", "key": "<Ed25519 public key, hex>", "files": ["people", "families"]}]
    "live_register": {"name": "civil-registry", "url": "https://register.example/kulla", "key": "<hex>", "every_s": 60}

`files` defaults to people and families. With any register key no unsigned file is imported.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

DEFAULT_FILES = ("people", "families")
KNOWN_FILES = (*DEFAULT_FILES, "offices", "officials")


@dataclass(frozen=True)
class RegisterKey:
    """An institution that signs files, and which."""

    name: str
    key: bytes
    files: tuple[str, ...] = DEFAULT_FILES


@dataclass(frozen=True)
class LiveRegister:
    """A register that answers over HTTP. Its answers are signed with `key`."""

    name: str
    url: str
    key: bytes
    every_s: float = 60.0


def parse_keys(raw: Any) -> tuple[RegisterKey, ...]:
    """`register_keys`. Raises ValueError, KeyError, TypeError."""
    found = []
    for each in raw:
        files = tuple(str(name) for name in each.get("files", DEFAULT_FILES))
        if set(files) - set(KNOWN_FILES):
            raise ValueError("unknown kind of file")
        found.append(RegisterKey(str(each["name"]), _key(each["key"]), files))
    if len({each.name for each in found}) < len(found):
        raise ValueError("two institutions of one name")
    return tuple(found)


def parse_live(raw: Any) -> LiveRegister | None:
    """`live_register`. Raises ValueError, KeyError, TypeError."""
    if raw is None:
        return None
    parts = urlsplit(str(raw["url"]))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("no http address")
    return LiveRegister(str(raw["name"]), str(raw["url"]), _key(raw["key"]), float(raw.get("every_s", 60)))


def _key(text: Any) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != 32:
        raise ValueError("a key has 32 bytes")
    return key
