"""operator.json: what one mirror operator decides. Whatever is wrong in it is named in one sentence at start."""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kulla.journal.errors import NoteError
from kulla.journal.note import ED25519, CosignerKey, Verifier, parse_vkey
from kulla.journal.store import LogFolder
from kulla.mirror.options import OptionError, Pull, Tls, Watch, read_pull, read_tls, read_watch

VERSION = 1
TOMBSTONES_PER_DAY = 20


class ConfigError(Exception):
    """What is wrong with the configuration, as one plain sentence."""


@dataclass(frozen=True)
class Config:
    """One operator's configuration, checked. Keys are verifier keys (signed-note) in the file."""

    home: Path
    name: str
    host: str
    port: int
    cosigner: CosignerKey
    logs: dict[str, Verifier]  # by origin
    keeper: Verifier | None
    readers: tuple[Verifier, ...]
    officers: dict[str, Ed25519PublicKey]
    officer_keys: tuple[Verifier, ...]
    objectors: tuple[Verifier, ...]
    tombstones_per_day: int
    store: Mapping[str, Any] | None = None
    tls: Tls | None = None
    watch: Watch | None = None
    pull: Pull | None = None
    hold_issuers: tuple[Verifier, ...] = ()
    clock_ahead_s: int = 0  # in a demo only: tombstones see this mirror's clock so far ahead


def _vkeys(values: Any, what: str, kind: int = ED25519) -> tuple[Verifier, ...]:
    if not isinstance(values, list):
        raise ConfigError(f"`{what}` in operator.json must be a list of verifier keys.")
    keys = []
    for value in values:
        try:
            key = parse_vkey(value if isinstance(value, str) else "")
        except NoteError as error:
            raise ConfigError(f"`{what}` in operator.json: {error}") from None
        if key.kind != kind:
            raise ConfigError(
                f"`{what}` in operator.json holds a key of another kind than Ed25519 for notes."
            )
        keys.append(key)
    return tuple(keys)


def public_key(key: Verifier) -> Ed25519PublicKey:
    """The key as `cryptography` wants it."""
    return Ed25519PublicKey.from_public_bytes(key.public)


def load_config(path: str | Path) -> Config:
    """Read and check operator.json; relative paths in it count from its folder. Raises ConfigError."""
    path = Path(path)
    try:
        raw = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path.name} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise ConfigError(f"{path.name} is not JSON in UTF-8.") from None
    if not isinstance(raw, dict) or raw.get("version") != VERSION:
        raise ConfigError(f"{path.name} is not an operator's configuration of version {VERSION}.")
    name, host, port, per_day = (
        raw.get("name"),
        raw.get("host", "127.0.0.1"),
        raw.get("port"),
        raw.get("tombstones_per_day", TOMBSTONES_PER_DAY),
    )
    if not isinstance(name, str) or not isinstance(host, str):
        raise ConfigError("`name` and `host` in operator.json must be texts.")
    if type(port) is not int or not 0 <= port <= 65535:
        raise ConfigError("`port` in operator.json must be a number from 0 to 65535.")
    if type(per_day) is not int or per_day < 0:
        raise ConfigError("`tombstones_per_day` in operator.json must be a number.")
    ahead = raw.get("clock_ahead_s", 0)
    if type(ahead) is not int or ahead < 0 or (ahead and raw.get("demo") is not True):
        raise ConfigError(
            "Only a demo's clock is moved (`clock_ahead_s` in operator.json), and only forwards."
        )
    logs = _vkeys(raw.get("logs", []), "logs")
    officers = _vkeys(raw.get("erasure_officers", []), "erasure_officers")
    if len({key.public for key in officers}) != len(officers) or len({key.name for key in officers}) != len(
        officers
    ):
        raise ConfigError("`erasure_officers` in operator.json names one officer or one key twice.")
    keeper = _vkeys([raw["keeper"]], "keeper")[0] if raw.get("keeper") else None
    home = path.parent.absolute()
    try:
        tls = read_tls(raw, home)
        options: dict[str, Any] = {
            "tls": tls,
            "watch": read_watch(raw, home),
            "pull": read_pull(raw, home),
        }
    except OptionError as error:
        raise ConfigError(str(error)) from None
    if raw.get("store") is not None and not isinstance(raw["store"], dict):
        raise ConfigError("`store` in operator.json must be a section in braces.")
    if tls is None and not is_local(host) and raw.get("plain_http") is not True:
        raise ConfigError(
            f"`host` in operator.json is {host}, which others reach: give `tls`, or `plain_http` true behind a proxy."
        )
    return Config(
        home=home,
        name=name,
        host=host,
        port=port,
        cosigner=_load_key(home / str(raw.get("key", "keys/cosigner.key")), name),
        logs={key.name: key for key in logs},
        keeper=keeper,
        readers=_vkeys(raw.get("readers", []), "readers"),
        officers={key.name: public_key(key) for key in officers},
        officer_keys=officers,
        objectors=_vkeys(raw.get("objectors", []), "objectors"),
        tombstones_per_day=per_day,
        store=raw.get("store"),
        hold_issuers=_vkeys(raw.get("hold_issuers", []), "hold_issuers"),
        clock_ahead_s=ahead,
        **options,
    )


def is_local(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _load_key(path: Path, name: str) -> CosignerKey:
    try:
        key = CosignerKey.from_skey(path.read_text("ascii"))
    except OSError as error:
        raise ConfigError(f"The cosigning key {path.name} cannot be read: {error.strerror}.") from None
    except (NoteError, ValueError):
        raise ConfigError(f"{path.name} is not a cosigning key.") from None
    if key.name != name:
        raise ConfigError(f"The cosigning key {path.name} is called {key.name}, not {name}.")
    return key


def create_operator(
    directory: str | Path,
    n: int,
    origin: str,
    log_vkey: str,
    keeper_vkey: str | None,
    port: int,
    *,
    host: str = "127.0.0.1",
    name: str | None = None,
    officers: Sequence[str] = (),
    readers: Sequence[str] = (),
    objectors: Sequence[str] = (),
    hold_issuers: Sequence[str] = (),
) -> str:
    """Make the home of mirror operator `n` with a fresh cosigning key. Returns its verifier key (type 0x04).

    `log_vkey` is the journal's key (its name is the origin), `keeper_vkey` the key that signs the key copy's
    requests, or None for a mirror without one. `officers`, `readers`, `objectors` and `hold_issuers` are verifier keys
    too.
    `port` 0 takes any free port. Raises ConfigError, also if the home exists already.
    """
    directory = Path(directory)
    if (directory / "operator.json").exists():
        raise ConfigError(f"There is an operator in {directory.name} already.")
    name = name or f"operator-{n}.{origin.partition('/')[0]}"
    key = CosignerKey(name, Ed25519PrivateKey.generate())
    raw = {
        "version": VERSION,
        "name": name,
        "vkey": key.vkey,
        "host": host,
        "port": port,
        "key": "keys/cosigner.key",
        "origin": origin,
        "logs": [log_vkey],
        "keeper": keeper_vkey,
        "readers": list(readers),
        "erasure_officers": list(officers),
        "objectors": list(objectors),
        "hold_issuers": list(hold_issuers),
        "tombstones_per_day": TOMBSTONES_PER_DAY,
    }
    for folder in ("keys", "mirror", "keycopy"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    (directory / "keys").chmod(0o700)
    fd = os.open(directory / "keys/cosigner.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(key.skey + "\n")
        file.flush()
        os.fsync(file.fileno())
    LogFolder(directory).replace("operator.json", (json.dumps(raw, indent=2) + "\n").encode())
    config = load_config(directory / "operator.json")
    if origin not in config.logs:
        raise ConfigError("The log's verifier key does not carry the origin as its name.")
    return key.vkey


def set_policy(directory: str | Path, text: str) -> None:
    """Put the tlog-policy text that this operator publishes at /policy."""
    LogFolder(directory).replace("policy", text.encode())
