"""Makes a demo country: keys, operators, keeper, people, accounts, then the portal's offices and diaries.

Steps:
1. choose a temporary folder beside the wanted one (renamed at the end, so there is never half a home);
2. make the journal's, cookie, root and rebuild keys, the keeper's home, three operators, the policy;
3. start the three mirrors, since nothing the keeper records counts without two key copies;
4. import people, offices, accounts into the keeper;
5. start the keeper; a process of its own (`furnish`) makes the portal's tables through the real actions and
   waits until every entry is received;
6. stop everything, write home.json, rename.
"""

import contextlib
import json
import logging
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kulla.cli.errors import CommandError
from kulla.cli.home import Home
from kulla.cli.supervisor import processes
from kulla.demo import register
from kulla.demo.accounts import Account, Cast, cast
from kulla.demo.offices import Facility, facilities
from kulla.demo.people import Generator, places
from kulla.demo.tree import HEALTH_SERVICES, INSTITUTIONS, USUAL_HOURS
from kulla.journal.ids import uuid7
from kulla.journal.note import Signer
from kulla.keeper import admin
from kulla.mirror import create_operator, set_policy

ORIGIN = "demo.kulla.example/journal"
OPERATORS = 3
QUORUM = 2
# Outside Linux's range for outgoing connections (32768 and up), where a fixed port could be taken by chance.
PORTS = range(20_000, 32_000)
START_LIMIT_S = 20.0
FURNISH_LIMIT_S = 300.0
FAST_OFFICES = 8
FAST_ARGON2 = {"time": 1, "memory_kib": 8, "parallelism": 1}
Say = Callable[[str], None]

HOLDERS_README = """\
One machine is not three administrations.

In production no program holds these keys: five institutions hold a share each, and three of five together can
open them. Here they lie in files, and on the same disk as the portal, the keeper and all three mirror
operators, so that one person can play the whole country. Nothing real may ever be entered into it.

root.key     opens the keeper's records (AES-256, hexadecimal)
rebuild.key  opens the journal's segments (X25519, hexadecimal)
erasure-officer-1.key, -2.key  sign tombstones (kulla erasure); two people who never meet the portal
legal-hold.key  a court's: suspends a tombstone, and lifts only its own suspension
"""


@dataclass(frozen=True)
class Office:
    """A facility with its id, which the keeper and the portal share."""

    id: str
    facility: Facility

    @property
    def public_name(self) -> str:
        """The name under which citizens read who looked at their data."""
        return f"{self.facility.name}, {self.facility.town}"


def create(path: Path, *, people: int, seed: int, fast: bool, say: Say) -> None:
    """Make the country in `path`, which must not exist. Raises CommandError; leaves nothing when interrupted."""
    path = path.absolute()
    if path.exists():
        raise CommandError(
            f"{path} exists already; nothing was touched. Choose another folder, or delete that one."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path)
    building = path.parent / f".{path.name}.making-{os.getpid()}"
    started = time.monotonic()
    say(f"Making a demo country of {people:,} invented people in {path}; Ctrl-C leaves nothing behind.")
    # What the keeper warns of (its root key in a file) stands in holders/README and on the operator's page.
    logging.getLogger("kulla.keeper").addHandler(logging.NullHandler())
    with interruptible():
        try:
            Maker(Home(building, {"demo": True}), seed=seed, fast=fast, say=say).make(people)
            building.rename(path)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    say(
        f"The country is ready in {path} ({time.monotonic() - started:.0f} s). Run it: kulla up --home {path}"
    )


def remove_leftovers(path: Path) -> None:
    """Delete what creations of `path` left that were ended by a power cut or SIGKILL."""
    for leftover in path.parent.glob(f".{path.name}.making-*"):
        if not Path(f"/proc/{leftover.name.rpartition('-')[2]}").exists():
            shutil.rmtree(leftover)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Within it SIGTERM ends like Ctrl-C: through the code that cleans up."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Maker:
    """Makes one country in an empty folder."""

    def __init__(self, home: Home, *, seed: int, fast: bool, say: Say) -> None:
        self.home = home
        self.fast = fast
        self.say = say
        self.chance = random.Random(seed)  # noqa: S311 - invented people, no secrets
        self.generator = Generator(seed, datetime.now(UTC).date(), places())
        self.programs: list[subprocess.Popen[bytes]] = []
        *self.ports, self.register_port = free_ports(OPERATORS + 1)

    def make(self, people: int) -> None:
        """All steps; whatever was started is stopped again."""
        for folder in ("portal/keys", "portal/journal", "portal/log", "run", "holders"):
            (self.home.path / folder).mkdir(parents=True)
        for folder in ("portal/keys", "holders", "run"):
            (self.home.path / folder).chmod(0o700)
        try:
            self.say("Making keys, three mirror operators and the keeper.")
            self.make_institutions()
            offices = self.offices()
            self.institutions = {one.key: str(uuid7()) for one in INSTITUTIONS}
            everyone = cast(self.generator, offices, self.institutions)
            self.fill_keeper(people, offices, everyone)
            for private in (self.home.portal, *self.home.operators):
                private.chmod(0o700)  # sealed or not, it is nobody else's on this machine
            self.write_facts(people, everyone.accounts)
            self.furnish(offices)
        finally:
            processes.stop(self.programs)
            self.home.remove_sockets()

    def make_signer(self, name: str) -> str:
        """A key that signs notes, in the holders' folder; its verifier key."""
        key = Signer.generate(f"{name}.{ORIGIN.partition('/')[0]}")
        self.home.holders.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_secret(self.home.holders / f"{name}.key", key.skey)
        return key.vkey

    # -- institutions ----------------------------------------------------------------------------------------
    def make_institutions(self) -> None:
        """Keys, keeper, operators, policy; the mirrors run afterwards."""
        home = self.home
        checkpoint_key = Ed25519PrivateKey.generate()
        signer = Signer(ORIGIN, checkpoint_key)
        portal_keys = {"checkpoint": checkpoint_key.private_bytes_raw(), "cookie": secrets.token_bytes(32)}
        for name, key in portal_keys.items():
            write_secret(home.portal / "keys" / f"{name}.key", key.hex())
        urls = [f"http://127.0.0.1:{port}" for port in self.ports]
        officers = [self.make_signer(f"erasure-officer-{number}") for number in (1, 2)]
        court = self.make_signer("legal-hold")
        public = admin.create_keeper(
            home.keeper,
            home.holders,
            urls,
            origin=ORIGIN,
            demo=True,
            erasure_officers=officers,
            live_register=register.create(home.path, self.register_port, fast=self.fast),
            **({"argon2": FAST_ARGON2} if self.fast else {}),
        )
        (home.holders / "README").write_text(HOLDERS_README)
        lines = [f"log {signer.vkey}"]
        for number, (port, url) in enumerate(zip(self.ports, urls, strict=True), start=1):
            folder = home.path / "operators" / str(number)
            vkey = create_operator(
                folder,
                number,
                ORIGIN,
                signer.vkey,
                public["record_vkey"],
                port,
                officers=officers,
                hold_issuers=[court],
            )
            lines.append(f"witness operator-{number} {vkey} {url}")
        names = " ".join(f"operator-{number}" for number in range(1, OPERATORS + 1))
        lines += [f"group mirrors {QUORUM} {names}", "quorum mirrors"]
        policy = "\n".join(lines) + "\n"
        home.policy.write_text(policy)
        for operator in home.operators:
            set_policy(operator, policy)
        (home.portal / "recipients.json").write_text(json.dumps([public["rebuild"], public["segment"]]))
        self.portal_keys = portal_keys
        for operator in home.operators:
            self.start(
                "mirror", "--config", str(operator / "operator.json"), log=operator / "log" / "mirror.log"
            )
        self.wait_for(lambda: all(processes.listening(port) for port in self.ports), "The mirrors")

    # -- people ----------------------------------------------------------------------------------------------
    def offices(self) -> list[Office]:
        """The offices of the country; a fast one has a few in the two towns with the most facilities."""
        found = facilities(self.chance)
        if self.fast:
            found = [one for one in found if one.town in {"Tiranë", "Shkodër"}]
            found = sorted(found, key=lambda one: -len(one.specialties))[:FAST_OFFICES]
        return [Office(str(uuid7()), facility) for facility in found]

    def fill_keeper(self, people: int, offices: list[Office], everyone: Cast) -> None:
        """People, families, offices, officials and passwords, as keeper records on the key copies."""
        with admin.open_keeper(self.home.keeper) as keeper:
            persons = everyone.persons
            persons += self.generator.people(max(0, people - len(persons)))
            say = Quarters("people in the register", self.say)
            report = keeper.import_people((person.row for person in persons), progress=say)
            if report.bad:
                line, reason = report.bad[0]
                raise CommandError(f"The keeper refused {len(report.bad)} people; line {line}: {reason}")
            for tie in everyone.ties:
                keeper.add_guardian(
                    tie.ward,
                    tie.guardian,
                    relation="ward" if tie.adult else "child",
                    custody=tie.custody,
                    adult=tie.adult,
                )
            for number, contact, reason in everyone.protected:
                keeper.protect(number, contact, reason)
            for institution in INSTITUTIONS:
                details = institution.details(self.institutions)
                keeper.add_office(self.institutions[institution.key], institution.name, **details)
            branch = {
                "kind": "branch",
                "parent": UUID(self.institutions[HEALTH_SERVICES]),
                "hours": USUAL_HOURS,
            }
            for office in offices:
                keeper.add_office(office.id, office.public_name, town=office.facility.town, **branch)
            for account in everyone.accounts:
                if account.totp:
                    keeper.add_official(
                        account.name,
                        account.office,
                        account.role,
                        account.identifier,
                        account.password,
                        account.totp,
                    )
                elif account.password:
                    keeper.set_password(account.identifier, account.password)
            keeper.store_portal_keys(self.portal_keys)
            register.introduce(self.home.path, self.register_port, keeper.live_register.public_key)

    # -- the portal --------------------------------------------------------------------------------------------
    def furnish(self, offices: list[Office]) -> None:
        """Tables, offices, practitioners and their hours, journaled; by a process that ends before the rename."""
        keeper_json = self.home.keeper / "keeper.json"
        self.start("keeper", "--config", str(keeper_json), log=self.home.keeper / "log" / "keeper.log")
        self.wait_for(lambda: processes.socket_answers(self.home.socket("keeper.sock")), "The keeper")
        plan = self.home.run / "plan.json"
        plan.write_text(json.dumps([self.plan(office) for office in offices]))
        self.say("Making the tables.")
        self.finish(processes.command("migrate", "--home", str(self.home.path)), "The tables")
        self.finish([sys.executable, "-m", "kulla.demo.furnish", str(plan)], "The offices", heard=True)
        plan.unlink()

    def finish(self, argv: list[str], what: str, *, heard: bool = False) -> None:
        """Run a program to its end; `heard` passes its lines on. Raises CommandError when it fails."""
        log = self.home.portal / "log" / "portal.log"
        with log.open("ab") as errors:
            process = subprocess.Popen(
                argv,
                env={**os.environ, **self.home.environment(), processes.PARENT: str(os.getpid())},
                stdout=subprocess.PIPE,
                stderr=errors,
                process_group=0,
            )
        self.programs.append(process)
        for line in process.stdout or ():
            if heard:
                self.say(line.decode().rstrip("\n"))
        if process.wait(FURNISH_LIMIT_S) != 0:
            raise CommandError(f"{what} could not be made: {processes.last_words(log)}")

    def plan(self, office: Office) -> dict[str, Any]:
        """What `furnish` needs for one office: itself, its practitioners and their weekly hours."""
        facility = office.facility
        return {
            "id": office.id,
            "name": facility.name,
            "kind": facility.kind,
            "town": facility.town,
            "latitude": facility.latitude,
            "longitude": facility.longitude,
            "practitioners": [
                {"name": self.generator.practitioner(), "specialty": code, "hours": self.hours(code)}
                for code in facility.specialties
            ],
        }

    def hours(self, specialty: str) -> list[list[int]]:
        """Weekly hours as [weekday, start minute, end minute, minutes per slot]: mornings, some afternoons."""
        minutes = {"laboratory": 10, "vaccination": 10, "gp": 20}.get(specialty, 30)
        morning = self.chance.choice((480, 510, 540))
        days = [[weekday, morning, 720 + self.chance.choice((0, 60)), minutes] for weekday in range(5)]
        afternoons = self.chance.sample(range(5), 2)
        return days + [[weekday, 840, 1020, minutes] for weekday in sorted(afternoons)]

    # -- help ------------------------------------------------------------------------------------------------
    def start(self, *arguments: str, log: Path) -> None:
        """Start a program of this home."""
        argv = processes.command(*arguments)
        self.programs.append(processes.start(argv, log=log, env=self.home.environment()))

    def wait_for(self, ready: Callable[[], bool], what: str) -> None:
        """Wait until `ready`. Raises CommandError when a program ended or after 20 seconds."""
        deadline = time.monotonic() + START_LIMIT_S
        while not ready():
            if time.monotonic() > deadline or any(program.poll() is not None for program in self.programs):
                logs = sorted(self.home.path.glob("*/**/log/*.log"))
                words = next(
                    (said for log in logs if (said := processes.last_words(log))), "no line in any log"
                )
                raise CommandError(f"{what} did not start: {words}")
            time.sleep(0.05)

    def write_facts(self, people: int, accounts: list[Account]) -> None:
        """home.json, and accounts.json (readable by its owner only, since it holds the passwords of the cast)."""
        facts = {
            "version": 1,
            "demo": True,
            "origin": ORIGIN,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "people": people,
            "fast": self.fast,
            "ports": {f"operator-{number}": port for number, port in enumerate(self.ports, start=1)},
        }
        (self.home.path / "home.json").write_text(json.dumps(facts, indent=2) + "\n")
        listed = [account.facts for account in accounts]
        write_secret(self.home.accounts, json.dumps(listed, indent=2, ensure_ascii=False))


class Quarters:
    """Progress for (done, total): one line at each quarter."""

    def __init__(self, what: str, say: Say) -> None:
        self.what, self.say = what, say
        self._quarter = 0

    def __call__(self, done: int, total: int) -> None:
        quarter = 4 * done // total if total else 4
        if quarter > self._quarter:
            self._quarter = quarter
            self.say(f"  {100 * done // total if total else 100:3d} %  {self.what} ({done:,} of {total:,})")


def write_secret(path: Path, text: str) -> None:
    """A file that only its owner can read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
        file.write(text + "\n")


def free_ports(count: int) -> list[int]:
    """Different free loopback ports that stay the country's own."""
    chosen: list[int] = []
    while len(chosen) < count:
        port = secrets.choice(PORTS)
        if port not in chosen and not processes.listening(port):
            chosen.append(port)
    return chosen
