"""`delivery` in keeper.json: how messages leave the house.

{"portal": "https://kulla.example",
 "sms": {"url": "https://gateway.example/send", "key_file": "../secrets/sms.key", "sender": "Kulla"},
 "smtp": {"host": "mail.example", "port": 587, "sender": "Kulla <mos-u-pergjigj@kulla.example>",
          "starttls": true, "ca_file": "", "user": "kulla", "password_file": "../secrets/smtp.password"},
 "sms_per_hour": 20000}

All of it may be missing: a demo then keeps what it would have sent and shows it, any other keeper raises an alarm.
Secrets stand in files of their own, since keeper.json becomes a record; their paths are relative to its folder.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kulla.keeper.errors import ConfigError


@dataclass(frozen=True)
class SmsGateway:
    """An SMS gateway that takes JSON over HTTP: {"id", "to", "from", "text"}, with a bearer key."""

    url: str
    key_file: Path | None = None
    sender: str = "Kulla"


@dataclass(frozen=True)
class MailServer:
    """A mail server that takes our messages for others. `ca_file`: who signed its certificate, else the system's."""

    host: str
    port: int = 587
    sender: str = ""
    starttls: bool = True
    ca_file: Path | None = None
    user: str = ""
    password_file: Path | None = None


@dataclass(frozen=True)
class Settings:
    """Where messages go out. `portal` is the address that links in messages begin with."""

    portal: str = "http://localhost:8000"
    sms: SmsGateway | None = None
    smtp: MailServer | None = None
    sms_per_hour: int = 20_000


def parse(home: Path, raw: Mapping[str, Any]) -> Settings:
    """The settings of `delivery`. Raises ConfigError for a name that is not known or an address of another kind."""
    _only(raw, {"portal", "sms", "smtp", "sms_per_hour"})
    portal = str(raw.get("portal", Settings.portal)).rstrip("/")
    if urlsplit(portal).scheme not in {"http", "https"}:
        raise ConfigError("delivery.portal is the portal's address and begins with https:// or http://.")
    return Settings(
        portal=portal,
        sms=_sms(home, raw["sms"]) if raw.get("sms") else None,
        smtp=_smtp(home, raw["smtp"]) if raw.get("smtp") else None,
        sms_per_hour=int(raw.get("sms_per_hour", Settings.sms_per_hour)),
    )


def _sms(home: Path, raw: Mapping[str, Any]) -> SmsGateway:
    _only(raw, {"url", "key_file", "sender"})
    url = str(raw["url"])
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ConfigError("delivery.sms.url begins with https:// or http://.")
    return SmsGateway(url, _path(home, raw.get("key_file")), str(raw.get("sender", "Kulla")))


def _smtp(home: Path, raw: Mapping[str, Any]) -> MailServer:
    _only(raw, {"host", "port", "sender", "starttls", "ca_file", "user", "password_file"})
    return MailServer(
        host=str(raw["host"]),
        port=int(raw.get("port", 587)),
        sender=str(raw["sender"]),
        starttls=raw.get("starttls", True) is not False,
        ca_file=_path(home, raw.get("ca_file")),
        user=str(raw.get("user", "")),
        password_file=_path(home, raw.get("password_file")),
    )


def _path(home: Path, text: object) -> Path | None:
    return Path(os.path.normpath(home / str(text))) if text else None


def _only(raw: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(raw) - known):
        raise ConfigError(f"The keeper's settings name something unknown: {', '.join(unknown)}.")
