"""The keeper put together: one object that opens a keeper's home and holds its parts."""

import fcntl
import logging
import os
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kulla.keeper import housekeeping, key_desk, numbers, status
from kulla.keeper.accounts import Accounts
from kulla.keeper.accounts.book import Telling
from kulla.keeper.administration import Administration
from kulla.keeper.approvals import Approvals
from kulla.keeper.budgets import DAY_MS, Budgets
from kulla.keeper.committer import Committer
from kulla.keeper.config import Config
from kulla.keeper.copies import Copies
from kulla.keeper.counter import Counter
from kulla.keeper.credentials import Credentials
from kulla.keeper.delivery.delivery import Delivery
from kulla.keeper.erasing.plans import Erasing, sweep
from kulla.keeper.errors import ConfigError, KeeperError
from kulla.keeper.families.coming_of_age import ComingOfAge
from kulla.keeper.families.desk import FamilyDesk
from kulla.keeper.families.mandates import Mandates
from kulla.keeper.families.store import Families
from kulla.keeper.grants import Grants
from kulla.keeper.importing.live import LiveRegisterClient
from kulla.keeper.invitations import Invitations
from kulla.keeper.keys import FileRootKey, KeyRing, copies_signer
from kulla.keeper.looks import Looks
from kulla.keeper.metering import Meter
from kulla.keeper.my_data import MyData
from kulla.keeper.notices import Notices, Templates
from kulla.keeper.offices import Offices
from kulla.keeper.often import Often
from kulla.keeper.opening import Opening
from kulla.keeper.passkeys import Passkeys
from kulla.keeper.people import People, derive_pseudonyms
from kulla.keeper.pins import Pins
from kulla.keeper.places import Places
from kulla.keeper.protected import Protected
from kulla.keeper.records import Record, RecordFile, Sealer
from kulla.keeper.register import Register
from kulla.keeper.role_ends import RoleEnds
from kulla.keeper.security import Security
from kulla.keeper.sessions import Sessions
from kulla.keeper.sign_in import SignIn
from kulla.keeper.tracing import Tracing
from kulla.keeper.vault import Vault

log = logging.getLogger("kulla.keeper")
SYSTEM_KEYS = ("token", "segment", "lookup", "key_marks", "trace", "looks")


class Keeper:
    """An opened home. Only one process at a time can have it open."""

    def __init__(self, config: Config, clock: Callable[[], int] | None = None) -> None:
        """Open the files and start talking to the key copies. Raises ConfigError, RecordsBroken."""
        clock = clock or config.now_ms
        self.config, self._clock, self.clock = config, clock, clock
        self._lock_fd = _lock(config)
        root = FileRootKey(config.root_key)
        sealer = Sealer(root)
        self.ring = KeyRing(root)
        self.records = RecordFile(config.home / "records.log")
        self.register = Register(config.home / "register.sqlite3", sealer)
        self.copies = Copies(config.copies, copies_signer(root), self.records, self._adopt)
        self.committer = Committer(
            self.records,
            sealer,
            self.copies,
            self.register,
            self._made_anew,
        )
        self.erasing = Erasing(self, root, clock)
        self.committer.covers, self.committer.set_back = self.erasing.covers, self.erasing.set_back
        self.vault = Vault(self.register, self.ring, self.committer)
        numbering = numbers.scheme(config.numbers)
        self.scheme = numbering
        self.offices = Offices(self.register, clock)
        self.people = People(self.register, self.vault, numbering, config.time_zone, config.services)
        self.families = Families(self.register, self.vault, self.people, config.home, clock)
        self.protected = Protected(
            self.register, self.vault, self.people, self.committer, self.families, self.offices, clock
        )
        self.credentials = Credentials(self.register, self.vault, config.argon2, self.people)
        live = config.live_register
        self.live_register = LiveRegisterClient(self, live) if live else None
        self._stopping = threading.Event()
        self.copies.start()
        self.committer.start()

    def wait_ready(self, timeout_s: float) -> bool:
        """Whether the register holds everything that counts; needs two copies to have answered since the start."""
        return self.committer.ready.wait(timeout_s)

    def serve(self) -> None:
        """Open the parts that need system keys: sessions, looks, opening, notices.

        On a home that ran before this works while the copies are silent (reading goes on); a new or rebuilt home
        must be ready first. Raises RecordsBroken when the system keys are not there.
        """
        self.often = Often(self._clock)
        self.sessions = Sessions(self.register, self.vault, self.committer, self.people, self.offices)
        self.sessions.standing.telling = lambda person, kind, params: self.accounts.telling(
            person, kind, params, link="security"
        )
        self.sessions.standing.dead = self.people.is_dead
        self.places = Places(self.config.home / "places.csv")
        self.passkeys = Passkeys(self.register, self.vault, self.config.passkeys)
        self.sign_in = SignIn(
            self.register,
            self.vault,
            self.people,
            self.credentials,
            self.passkeys,
            self.sessions,
            self.config.failures_per_minute,
        )
        self.security = Security(
            self.vault,
            self.committer,
            self.people,
            self.credentials,
            self.passkeys,
            self.sessions,
            self.sign_in,
        )
        self.looks = Looks(
            self.config.home / "log", self.vault.system("looks"), self.config.unconfirmed_ms, self._clock
        )
        self.tracing = Tracing(self.sessions, self.people, self.looks, self._clock)
        self.budgets = Budgets(self.config.budgets, self._clock)
        self._restore_budgets()
        parts = (self.register, self.vault, self.people, self.committer)
        config, meter = self.config, Meter(self.looks, self.budgets)
        self.grants = Grants(
            self.register, self.people, self.families, self.committer, meter, config.budgets, self._clock
        )
        self.opening = Opening(self.vault, self.people, self.families, self.protected, self.grants, meter)
        self.approvals = Approvals(self.register, self.vault, self.committer, self.offices, self._clock)
        self.meter = meter
        self._serve_accounts()
        self._serve_families(meter)
        self._serve_counter(meter)
        templates = Templates(self.config.home / "templates.json")
        self.notices = Notices(
            *parts,
            families=self.families,
            sessions=self.sessions,
            templates=templates,
            per_day=config.notices_per_day,
            per_hour=config.notices_per_hour,
            clock=self._clock,
        )
        self.notices.told = self.delivery.pass_on
        self.administration = Administration(
            self.register,
            self.committer,
            self.people,
            self.offices,
            self.approvals,
            self.sessions,
            self._tell,
            self._clock,
        )
        self.invitations = Invitations(
            self.register,
            self.vault,
            self.committer,
            self.people,
            self.offices,
            self.administration,
            self._clock,
        )
        self.my_data = MyData(self, self._clock)
        self.delivery.wanted = self.my_data.channels
        self.accounts.add_sections(self.my_data.add_section)
        self.my_data.add_section("visits", self.counter.held)
        self.my_data.add_section("counter_pin", self.counter.held_pin)
        self.my_data.add_section("protected", self.protected.held)
        self.protected.hides = self.my_data.hides
        if self.live_register:
            self.live_register.start()
        self._tender = threading.Thread(
            target=housekeeping.tend, args=(self, self._stopping), name="tender", daemon=True
        )
        self._tender.start()

    def _serve_accounts(self) -> None:
        demo, clock = self.config.demo, self._clock
        self.delivery = Delivery(self.config.home, self.config.delivery, self.vault, demo=demo, clock=clock)
        self.accounts = Accounts(self, clock)
        self.sessions.standing.frozen = self.accounts.frozen
        self.delivery.start()

    def _serve_families(self, meter: Meter) -> None:
        parts, clock = (self.register, self.people, self.families), self._clock

        def telling(person: UUID, kind: str, params: dict[str, str]) -> Telling:
            return self.accounts.telling(person, kind, params)

        self.mandates = Mandates(*parts, self.vault, self.committer, telling=telling, clock=clock)
        self.family_desk = FamilyDesk(
            *parts, self.approvals, self.opening, meter, tell=self._tell, clock=clock
        )
        self.coming_of_age = ComingOfAge(
            *parts, self.committer, telling=telling, clock=clock, stopping=self._stopping
        )
        self.role_ends = RoleEnds(
            self.register,
            self.people,
            self.offices,
            self.committer,
            telling=telling,
            clock=clock,
            stopping=self._stopping,
        )

    def _serve_counter(self, meter: Meter) -> None:
        self.protected.declare(self.approvals)
        self.protected.tell = self.accounts.tell
        parts = (self.register, self.vault, self.people, self.committer)
        pins = Pins(*parts, self.credentials, self.config.argon2, self._clock)
        self.counter = Counter(
            self.register,
            self.people,
            self.families,
            self.committer,
            self.sessions,
            self.protected,
            pins,
            meter,
            self._clock,
        )
        self.counter.declare(self.approvals, lambda: self.accounts)

    def _tell(self, person: UUID, kind: str, params: dict[str, str]) -> None:
        """Tell a person on every channel, see accounts; what cannot be sent now must not undo what was done."""
        accounts = getattr(self, "accounts", None)
        try:
            if accounts is not None:
                accounts.tell(person, kind, params)
        except KeeperError:
            log.exception("a notice of the kind %s could not be sent", kind)

    @property
    def has_system_keys(self) -> bool:
        """Whether this register was ever filled."""
        return self.register.one("SELECT 1 FROM system_key WHERE name = 'looks'") is not None

    def restore_looks(self, sealed: list[bytes]) -> int:
        """Take looks back from the journal, and count them in the budgets again."""
        last = self.looks.restore(sealed)
        self._restore_budgets()
        return last

    def segment_key(self, header: bytes, caller: str) -> bytes:
        """The key of a segment, metered and logged. Raises Refusal("bad_request", "budget", "segment")."""
        return key_desk.segment_key(self, header, caller)

    def public_keys(self) -> dict[str, bytes]:
        """See keeper_client."""
        segment = X25519PrivateKey.from_private_bytes(self.vault.system("segment"))
        return {"token": self.sessions.public_key, "segment": segment.public_key().public_bytes_raw()}

    def portal_keys(self) -> dict[str, bytes]:
        """The portal's keys; what an older version let in under another name or of another size is left out."""
        return key_desk.portal_keys(self)

    def store_portal_keys(self, keys: Mapping[str, object], *, may_replace: bool = False) -> None:
        """Make the portal's keys records; the same again writes nothing. Only an administrator replaces one.

        Raises Refusal("bad_request", "key_exists", "copies_unavailable").
        """
        key_desk.store_portal_keys(self, keys, may_replace=may_replace)

    def office_name(self, office: UUID | None) -> str:
        """The public name of an office; empty when unknown."""
        row = self.register.one("SELECT name FROM office WHERE id = ?", office.bytes) if office else None
        return str(row[0]) if row else ""

    def status(self) -> dict[str, object]:
        """See keeper_client."""
        return status.of(self)

    def close(self) -> None:
        """Stop the threads and close the files."""
        self._stopping.set()
        if self.live_register:
            self.live_register.stop()
        self.committer.stop()
        self.copies.stop()
        if hasattr(self, "accounts"):
            self.accounts.close()
            self.delivery.close()
        if hasattr(self, "looks"):
            self._tender.join()
            self.looks.close()
        self.register.close()
        self.records.close()
        os.close(self._lock_fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def _made_anew(self) -> None:
        self.register.forget(sweep)
        derive_pseudonyms(self.register, self.vault)

    def _adopt(self, records: list[Record]) -> None:
        self.committer.adopt(records)

    def _restore_budgets(self) -> None:
        since = self._clock() - DAY_MS
        self.budgets.restore(self.looks.spent_since(since), self.looks.segments_since(since))


def _lock(config: Config) -> int:
    fd = os.open(config.home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        raise ConfigError("This keeper is running already: stop it first.") from error
    return fd
