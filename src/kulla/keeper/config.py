"""keeper.json: where things are and how much is allowed. Paths in it are relative to its own folder.

{"version": 1, "demo": false, "origin": "portal.example/journal", "socket": "../run/keeper.sock",
 "root_key": "../holders/root.key", "numbers": "al", "time_zone": "Europe/Tirane",
 "copies": [{"name": "operator-1", "url": "http://127.0.0.1:9001"}, …],
 "argon2": {"time": 2, "memory_kib": 19456, "parallelism": 1},
 "budgets": {"official_hour": 150, "official_day": 600, "office_hour": 1500, …},
 "unconfirmed_ms": 5000, "notices_per_day": 20, "notices_per_hour": 20000, "services": ["identity", …],
 "passkeys": {"rp_id": "portal.example", "origins": ["https://portal.example"], "name": "Kulla"},
 "failures_per_minute": 300}

`notices_per_day` is for one person, `notices_per_hour` for the country. `services` names all that may be entered;
empty, any 40 may. Without `passkeys` there are none, except in a demo (localhost). More than `failures_per_minute`
wrong passwords in the country, and ten times what is usual, slow down tries from unknown places. `delivery`: how
messages go out, see delivery/settings.py. `register_keys`, `live_register`: see register_settings.py.
`erasure_officers`: verifier keys of those who sign tombstones, the same as in the copies' operator.json; former ones
stay listed, since what they signed must still be understood after a loss.
`clock_ahead_s`, in a demo only: the keeper lives so many seconds in the future, so that what takes days can be shown
and tested; sessions and codes keep the machine's own time.
"""

import json
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from kulla.journal.ids import now_ms
from kulla.keeper.delivery.settings import Settings as Delivery
from kulla.keeper.delivery.settings import parse as parse_delivery
from kulla.keeper.errors import ConfigError
from kulla.keeper.register_settings import LiveRegister, RegisterKey, parse_keys, parse_live

T = TypeVar("T")


@dataclass(frozen=True)
class Argon2:
    """Cost of a password hash; the default is OWASP's recommendation of 2023 (19 MiB, 2 passes)."""

    time: int = 2
    memory_kib: int = 19456
    parallelism: int = 1


@dataclass(frozen=True)
class Limits:
    """Ceilings of looks: for one official, all officials of an office, and the whole country."""

    official_hour: int = 150
    official_day: int = 600
    office_hour: int = 1500
    office_day: int = 6000
    global_hour: int = 15_000
    global_day: int = 60_000
    segment_keys_hour: int = 5000
    segment_keys_day: int = 20_000
    grants_person_day: int = 20
    late_grants_person_day: int = 3
    late_grants_office_day: int = 20
    late_grants_day: int = 2000


@dataclass(frozen=True)
class Copy:
    """A key copy that a mirror operator runs."""

    name: str
    url: str


@dataclass(frozen=True)
class RelyingParty:
    """For whom passkeys are made: a domain that never changes (with another one all passkeys are lost), and the
    addresses under which its pages are seen. "http://localhost:*" is any port of this machine, for demonstrations."""

    rp_id: str
    origins: tuple[str, ...]
    name: str = "Kulla"

    def allows(self, origin: str) -> bool:
        """Whether a page at this address may use the passkeys."""
        if origin in self.origins:
            return True
        here, _, port = origin.rpartition(":")
        return here == "http://localhost" and port.isdigit() and "http://localhost:*" in self.origins


DEMO_PARTY = RelyingParty("localhost", ("http://localhost", "http://localhost:*"))


@dataclass(frozen=True)
class Config:
    """The keeper's settings. `home` is the folder that keeper.json lies in."""

    home: Path
    origin: str
    socket: Path
    root_key: Path
    copies: tuple[Copy, ...]
    demo: bool = False
    numbers: str = "al"
    time_zone: str = "Europe/Tirane"
    argon2: Argon2 = field(default_factory=Argon2)
    budgets: Limits = field(default_factory=Limits)
    unconfirmed_ms: int = 5000
    notices_per_day: int = 20
    notices_per_hour: int = 20_000
    services: tuple[str, ...] = ()
    passkeys: RelyingParty | None = None
    failures_per_minute: int = 300
    delivery: Delivery = field(default_factory=Delivery)
    register_keys: tuple[RegisterKey, ...] = ()
    live_register: LiveRegister | None = None
    clock_ahead_s: int = 0
    erasure_officers: tuple[str, ...] = ()

    def now_ms(self) -> int:
        """The keeper's time (ms since 1970 UTC)."""
        return now_ms() + self.clock_ahead_s * 1000

    @property
    def quorum(self) -> int:
        """How many copies must hold a record before it counts: 2 of 3."""
        return len(self.copies) // 2 + 1


def load(path: Path) -> Config:
    """Read keeper.json. The socket may be overridden by KULLA_KEEPER_SOCKET. Raises ConfigError."""
    try:
        raw = json.loads(path.read_text())
        home = path.resolve().parent
        socket = os.environ.get("KULLA_KEEPER_SOCKET") or raw["socket"]
        config = Config(
            home=home,
            origin=str(raw["origin"]),
            socket=_absolute(home, socket),
            root_key=_absolute(home, raw["root_key"]),
            copies=tuple(Copy(str(each["name"]), str(each["url"])) for each in raw["copies"]),
            demo=raw.get("demo") is True,
            numbers=str(raw.get("numbers", "al")),
            time_zone=str(raw.get("time_zone", "Europe/Tirane")),
            argon2=_part(Argon2, raw.get("argon2", {})),
            budgets=_part(Limits, raw.get("budgets", {})),
            unconfirmed_ms=int(raw.get("unconfirmed_ms", 5000)),
            notices_per_day=int(raw.get("notices_per_day", 20)),
            notices_per_hour=int(raw.get("notices_per_hour", 20_000)),
            services=tuple(str(name) for name in raw.get("services", ())),
            passkeys=_party(raw.get("passkeys"), raw.get("demo") is True),
            failures_per_minute=int(raw.get("failures_per_minute", 300)),
            delivery=parse_delivery(home, raw.get("delivery", {})),
            register_keys=parse_keys(raw.get("register_keys", ())),
            live_register=parse_live(raw.get("live_register")),
            erasure_officers=tuple(str(vkey) for vkey in raw.get("erasure_officers", ())),
            clock_ahead_s=int(raw.get("clock_ahead_s", 0)),
        )
    except OSError as error:
        raise ConfigError(f"The keeper's settings cannot be read: {path}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"The keeper's settings in {path} are not complete or not valid.") from error
    if config.argon2.parallelism != 1:
        raise ConfigError("Argon2id runs in one lane here: parallelism must be 1.")
    if config.clock_ahead_s and not (config.demo and config.clock_ahead_s > 0):
        raise ConfigError("Only a demo's clock is moved (clock_ahead_s), and only forwards.")
    if not config.copies:
        raise ConfigError("The keeper needs key copies: no record counts on this disk alone.")
    return config


def _party(raw: Any, demo: bool) -> RelyingParty | None:
    if raw is None:
        return DEMO_PARTY if demo else None
    origins = tuple(str(each) for each in raw["origins"])
    return RelyingParty(str(raw["rp_id"]), origins, str(raw.get("name", "Kulla")))


def _absolute(home: Path, text: str) -> Path:
    return Path(os.path.normpath(home / text))


def _part(kind: type[T], raw: Any) -> T:
    known = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(raw) - known):
        raise ConfigError(f"The keeper's settings name something unknown: {', '.join(unknown)}.")
    return kind(**{name: int(value) for name, value in raw.items()})
