"""A real keeper with real key copies for tests and measurements: processes, stopped by their pids.

    with keeper(tmp_path) as running:
        client = keeper_client.connect(running.socket)
        session = client.sign_in(running.arta.number, running.arta.password, network="192.0.2.7", device="test")

The cast, so that every access test reads the same: Arta and her child Besa, the stranger Dritan, a receptionist in
each of two offices, and the operator.
"""

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pyotp

from kulla.keeper.admin import Admin, create_keeper, make_root_key, open_keeper, record_vkey
from kulla.keeper.numbers import al

FAST_ARGON2 = {"time": 1, "memory_kib": 8, "parallelism": 1}
OFFICE_1 = UUID("0198c000-0000-7000-8000-000000000001")
OFFICE_2 = UUID("0198c000-0000-7000-8000-000000000002")
OFFICES = {OFFICE_1: "Poliklinika Nr. 1, Tiranë", OFFICE_2: "Poliklinika Qendrore, Shkodër"}
TEMPLATES = {
    "appointments": {
        "booked": {
            "sq": {"subject": "Takimi juaj", "body": "Takimi juaj: $when, $where."},
            "en": {"subject": "Your appointment", "body": "Your appointment: $when, $where."},
        }
    }
}


@dataclass(frozen=True)
class Member:
    """One of the cast. Children have no password, citizens no second factor."""

    name: str
    number: str
    birth_date: date
    password: str = ""
    totp: str = ""
    office: UUID | None = None

    def code(self) -> str:
        """The TOTP code of this moment. Each works once: use `fresh_code` for a second sign-in."""
        return pyotp.TOTP(self.totp).now()

    def fresh_code(self, step: int = 1) -> str:
        """The code of a neighbouring 30-second step, which the keeper accepts too."""
        return pyotp.TOTP(self.totp).at(int(time.time()) + 30 * step)


def _member(name: str, born: date, sex: str, serial: int, **more: Any) -> Member:
    return Member(name, al.make(born, sex, serial, "K"), born, **more)


def _child_born() -> date:
    return date.today() - timedelta(days=9 * 365)  # noqa: DTZ011 - any day nine years ago will do


ARTA = _member("Arta Hoxha", date(1988, 5, 14), "f", 123, password="besa-dhe-bukë-1")
BESA = _member("Besa Hoxha", _child_born(), "f", 45)
DRITAN = _member("Dritan Leka", date(1975, 11, 2), "m", 7, password="mal-i-lartë-22")
VJOSA = _member(
    "Vjosa Marku",
    date(1990, 1, 30),
    "f",
    9,
    password="sporteli-nje-1",
    totp="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    office=OFFICE_1,
)
ILIR = _member(
    "Ilir Prifti",
    date(1982, 8, 9),
    "m",
    11,
    password="sporteli-dy-2",
    totp="KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU",
    office=OFFICE_2,
)
LUAN = _member(
    "Luan Gjoni",
    date(1979, 3, 3),
    "m",
    13,
    password="operatori-kulla-3",
    totp="MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK",
)


@dataclass
class RunningKeeper:
    """A keeper process, its copies, and the cast."""

    home: Path
    mirrors: list[Any]
    public: Mapping[str, str]
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    arta: Member = ARTA
    besa: Member = BESA
    dritan: Member = DRITAN
    vjosa: Member = VJOSA
    ilir: Member = ILIR
    luan: Member = LUAN
    office_1: UUID = OFFICE_1
    office_2: UUID = OFFICE_2

    @property
    def socket(self) -> Path:
        """The keeper's socket."""
        return self.home / "run" / "keeper.sock"

    @property
    def keeper_home(self) -> Path:
        """The folder of keeper.json."""
        return self.home / "keeper"

    @property
    def root_key(self) -> Path:
        """The holders' root key."""
        return self.home / "holders" / "root.key"

    def start(self, wait_s: float = 15.0) -> None:
        """Start the keeper and wait for its socket. Raises RuntimeError with the end of its log."""
        config = self.keeper_home / "keeper.json"
        with (self.home / "keeper.log").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kulla.keeper", "--config", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={name: value for name, value in os.environ.items() if name != "KULLA_KEEPER_SOCKET"},
            )
        until = time.monotonic() + wait_s
        while time.monotonic() < until and self.process.poll() is None:
            if self._listens():
                return
            time.sleep(0.02)
        log = (self.home / "keeper.log").read_text(errors="replace")[-2000:]
        self.kill()
        raise RuntimeError(f"The keeper did not start: {log}")

    def _listens(self) -> bool:
        where = self.socket.with_name("keeper.sock.where")
        path = where.read_text().strip() if where.exists() else str(self.socket)
        with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
            probe.connect(path)
            return True
        return False

    def stop(self) -> None:
        """Stop the keeper in order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the keeper as a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
            self.process = None

    @contextmanager
    def administered(self) -> Iterator[Admin]:
        """The keeper stopped, an administrator at work, the keeper started again."""
        self.stop()
        with open_keeper(self.keeper_home) as admin:
            yield admin
        self.start()

    def log(self) -> str:
        """What the keeper has logged."""
        return (self.home / "keeper.log").read_text(errors="replace")


def start_keeper(
    folder: Path,
    people: Iterable[Mapping[str, str]] = (),
    *,
    origin: str = "test.kulla.example/journal",
    templates: Mapping[str, Any] = TEMPLATES,
    start: bool = True,
    mirrors: list[Any] | None = None,
    **settings: Any,
) -> RunningKeeper:
    """A country's keeper under `folder` with three key copies, the cast and further `people` (rows as for import).

    `settings` go into keeper.json. The caller ends it with `stop_keeper`. `mirrors`: running ones that were made
    with `keeper_vkey=record_vkey(make_root_key(folder / "holders"))`; else three are started here.
    """
    settings = {"demo": True, "argon2": FAST_ARGON2, "unconfirmed_ms": 3_600_000, **settings}
    if mirrors is None:
        kit = importlib.import_module("kulla.mirror.testkit")  # by name: the programs never import each other
        vkey = record_vkey(make_root_key(folder / "holders"))
        mirrors = kit.start_mirrors(folder / "operators", origin=origin, keeper_vkey=vkey)
    urls = [mirror.url for mirror in mirrors]
    public = create_keeper(folder / "keeper", folder / "holders", urls, origin=origin, **settings)
    (folder / "run").mkdir(exist_ok=True)
    running = RunningKeeper(folder, mirrors, public)
    (folder / "keeper" / "templates.json").write_text(json.dumps(templates))
    try:
        with open_keeper(folder / "keeper") as admin:
            fill(admin, people)
        if start:
            running.start()
    except BaseException:
        stop_keeper(running)
        raise
    return running


def fill(admin: Admin, people: Iterable[Mapping[str, str]] = ()) -> None:
    """The cast, and others."""
    report = admin.import_people([row(ARTA), row(BESA, guardian=ARTA), row(DRITAN), *people])
    if report.bad:
        raise RuntimeError(f"People were refused: {report.bad}")
    for office, name in OFFICES.items():
        admin.add_office(office, name)
    for citizen in (ARTA, DRITAN):
        admin.set_password(citizen.number, citizen.password)
    for member, role in ((VJOSA, "receptionist"), (ILIR, "receptionist"), (LUAN, "operator")):
        admin.add_official(member.name, member.office, role, member.number, member.password, member.totp)


def row(member: Member, guardian: Member | None = None) -> dict[str, str]:
    """A member as a row of the import."""
    first, last = member.name.split(" ")
    return {
        "number": member.number,
        "first_name": first,
        "last_name": last,
        "birth_date": member.birth_date.isoformat(),
        "sex": al.sex(member.number),
        "phone": "" if guardian else "+355 69 2012345",
        "email": "",
        "language": "sq",
        "guardian_number": guardian.number if guardian else "",
        "address": "Rruga e Dibrës 12, Tiranë",
    }


def invented(count: int) -> list[dict[str, str]]:
    """Rows of made-up adults, all different."""
    rows = []
    for number in range(count):
        born, sex = date(1950, 1, 1) + timedelta(days=number % 15_000), "fm"[number % 2]
        member = Member(
            f"Emri{number} Mbiemri{number}", al.make(born, sex, 100 + number // 15_000, "A"), born
        )
        rows.append(row(member))
    return rows


def stop_keeper(running: RunningKeeper) -> None:
    """End the keeper and its mirrors."""
    running.stop()
    for mirror in running.mirrors:
        mirror.stop()


@contextmanager
def keeper(
    folder: Path, people: Iterable[Mapping[str, str]] = (), **settings: Any
) -> Iterator[RunningKeeper]:
    """`start_keeper` for a with block."""
    running = start_keeper(folder, people, **settings)
    try:
        yield running
    finally:
        stop_keeper(running)
