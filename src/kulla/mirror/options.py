"""The optional sections of operator.json: `store`, `tls`, `watch`, `pull`. Without them a mirror is as it always was.

"store": {"kind": "s3", "bucket": "…", "prefix": "…", "retention_days": 3650}     (s3.py)
"tls":   {"certificate": "keys/server.pem", "key": "keys/server.key", "clients": "keys/clients-ca.pem"}
"watch": {"silent_minutes": 60, "every_s": 60, "origin": URL, "others": [URL, …], "ca": FILE,
          "command": ["/usr/local/bin/alarm"], "mail": {"to": […], "from": "…", "server": "host:25"},
          "tries": 5, "wait_s": 30}
"pull":  {"from": URL, "every_s": 5, "key": "keys/reader.key", "ca": FILE, "certificate": FILE, "keyfile": FILE,
          "keycopy": true}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kulla.journal.errors import NoteError
from kulla.journal.note import Signer


class OptionError(Exception):
    """What is wrong in a section, as one plain sentence."""


@dataclass(frozen=True)
class Tls:
    """Files of this mirror's own certificate, and of the authority whose certificates clients must show."""

    certificate: Path
    key: Path
    clients: Path | None


@dataclass(frozen=True)
class ClientTls:
    """How this mirror speaks to others over https: whose certificates it believes, and which it shows."""

    ca: Path | None
    certificate: Path | None
    key: Path | None


@dataclass(frozen=True)
class Mail:
    """Where alarms go as mail."""

    to: tuple[str, ...]
    sender: str
    host: str
    port: int


@dataclass(frozen=True)
class Watch:
    """What is watched, and who is told. Times in seconds."""

    silent_s: float | None
    every_s: float
    origin: str | None
    others: tuple[str, ...]
    tls: ClientTls
    command: tuple[str, ...]
    mail: Mail | None
    tries: int
    wait_s: float


@dataclass(frozen=True)
class Pull:
    """Another copy of the journal that this mirror follows."""

    url: str
    every_s: float
    key: Ed25519PrivateKey
    tls: ClientTls
    keycopy: bool


def _number(raw: Mapping[str, Any], section: str, name: str, default: float | None) -> float | None:
    value = raw.get(name, default)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value <= 0):
        raise OptionError(f"`{section}.{name}` in operator.json must be a number above 0.")
    return value


def _url(value: Any, where: str) -> str:
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise OptionError(f"`{where}` in operator.json must be an http or https address.")
    return str(value).rstrip("/")


def _file(home: Path, raw: Mapping[str, Any], section: str, name: str) -> Path | None:
    value = raw.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise OptionError(f"`{section}.{name}` in operator.json must be the name of a file.")
    path = home / value
    if not path.is_file():
        raise OptionError(f"`{section}.{name}` in operator.json: there is no file {path.name}.")
    return path


def _section(raw: Mapping[str, Any], name: str, known: set[str]) -> Mapping[str, Any] | None:
    section = raw.get(name)
    if section is None:
        return None
    if not isinstance(section, dict):
        raise OptionError(f"`{name}` in operator.json must be a section in braces.")
    if unknown := sorted(set(section) - known):
        raise OptionError(f"`{name}` in operator.json has no setting `{unknown[0]}`.")
    return section


def read_tls(raw: Mapping[str, Any], home: Path) -> Tls | None:
    """The `tls` section. Raises OptionError."""
    section = _section(raw, "tls", {"certificate", "key", "clients"})
    if section is None:
        return None
    certificate = _file(home, section, "tls", "certificate")
    key = _file(home, section, "tls", "key")
    if certificate is None or key is None:
        raise OptionError("`tls` in operator.json needs a `certificate` and a `key`.")
    return Tls(certificate, key, _file(home, section, "tls", "clients"))


def read_watch(raw: Mapping[str, Any], home: Path) -> Watch | None:
    """The `watch` section. Raises OptionError."""
    known = {"silent_minutes", "every_s", "origin", "others", "ca", "command", "mail", "tries", "wait_s"}
    section = _section(raw, "watch", known)
    if section is None:
        return None
    others, command = section.get("others", []), section.get("command", [])
    if not isinstance(others, list):
        raise OptionError("`watch.others` in operator.json must be a list of addresses.")
    if not isinstance(command, list) or not all(isinstance(word, str) for word in command):
        raise OptionError("`watch.command` in operator.json must be a list of words, the program first.")
    minutes = _number(section, "watch", "silent_minutes", None)
    origin = section.get("origin")
    tries = _number(section, "watch", "tries", 5) or 5
    return Watch(
        silent_s=minutes * 60 if minutes else None,
        every_s=_number(section, "watch", "every_s", 60) or 60,
        origin=None if origin is None else _url(origin, "watch.origin"),
        others=tuple(_url(other, "watch.others") for other in others),
        tls=ClientTls(_file(home, section, "watch", "ca"), None, None),
        command=tuple(command),
        mail=_mail(section.get("mail")),
        tries=min(int(tries), 20),
        wait_s=_number(section, "watch", "wait_s", 30) or 30,
    )


def _mail(raw: Any) -> Mail | None:
    if raw is None:
        return None
    try:
        to, sender, (host, _, port) = raw["to"], raw["from"], raw["server"].rpartition(":")
        to = [to] if isinstance(to, str) else list(to)
        good = all(isinstance(item, str) and "@" in item and "\n" not in item for item in [*to, sender])
        if to and good and host:
            return Mail(tuple(to), sender, host, int(port))
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    raise OptionError("`watch.mail` in operator.json needs `to`, `from` and `server` as host:port.")


def read_pull(raw: Mapping[str, Any], home: Path) -> Pull | None:
    """The `pull` section. Raises OptionError."""
    section = _section(raw, "pull", {"from", "every_s", "key", "ca", "certificate", "keyfile", "keycopy"})
    if section is None:
        return None
    key_file = _file(home, section, "pull", "key")
    if key_file is None:
        raise OptionError(
            "`pull` in operator.json needs a `key`: the other side lists its public half as a reader."
        )
    tls = ClientTls(*(_file(home, section, "pull", name) for name in ("ca", "certificate", "keyfile")))
    return Pull(
        url=_url(section.get("from"), "pull.from"),
        every_s=_number(section, "pull", "every_s", 5) or 5,
        key=reader_key(key_file),
        tls=tls,
        keycopy=section.get("keycopy", True) is True,
    )


def reader_key(path: Path) -> Ed25519PrivateKey:
    """The key with which requests to another mirror are signed. Raises OptionError."""
    try:
        return Signer.from_skey(path.read_text("ascii")).key
    except OSError as error:
        raise OptionError(f"{path.name} cannot be read: {error.strerror}.") from None
    except (NoteError, ValueError):
        raise OptionError(f"{path.name} is not a reader's key.") from None
