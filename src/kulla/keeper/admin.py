"""What an administrator does to a keeper that is not running: create it, fill it. For the command line and the demo.

The portal's socket offers none of this: whoever steals the portal can make no official and set no password.
The key copies must answer, since nothing counts without two of them.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pyotp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kulla.journal.note import Signer
from kulla.keeper import numbers
from kulla.keeper.committer import new_id
from kulla.keeper.config import load
from kulla.keeper.core import SYSTEM_KEYS, Keeper
from kulla.keeper.errors import ConfigError, KeeperError, Refusal
from kulla.keeper.families import guardian_body
from kulla.keeper.importing import Importer, Progress, Report, Row, files
from kulla.keeper.importing.live import LiveRegisterClient
from kulla.keeper.importing.signing import NotSigned
from kulla.keeper.keys import FileRootKey, KeyRing, RootKey, copies_signer
from kulla.keeper.people import NUMBER, STAFF
from kulla.keeper.records import RecordFile, Sealer
from kulla.keeper.roles import OFFICE_ROLES, OPERATOR
from kulla.keeper.vault import new_system_key

COPIES_S = 30.0


def create_keeper(
    home: Path,
    holders: Path,
    copies: Sequence[str],
    *,
    origin: str,
    demo: bool = False,
    **settings: Any,
) -> dict[str, str]:
    """Make a keeper's home with its keys; the copies need not run yet. Gives its public values as text.

    `copies` are the addresses of the key copies. Further `settings` go into keeper.json (config.py). In `holders`
    root.key and rebuild.key are made unless they are there. Result: "record_vkey" (for operator.json), "token"
    (Ed25519), "segment" and "rebuild" (X25519), the last three as hex. Raises ConfigError when there is a keeper.
    """
    if (home / "keeper.json").exists() or (home / "records.log").exists():
        raise ConfigError(f"There is a keeper in {home} already.")
    for folder in (home, home / "log"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    root = make_root_key(holders)
    rebuild = X25519PrivateKey.from_private_bytes(_secret(holders / "rebuild.key", os.urandom(32)))
    config = {
        "version": 1,
        "demo": demo,
        "origin": origin,
        "socket": os.path.relpath(home.parent / "run" / "keeper.sock", home),
        "root_key": os.path.relpath(holders / "root.key", home),
        "copies": [{"name": f"operator-{n}", "url": url} for n, url in enumerate(copies, 1)],
        **settings,
    }
    text = json.dumps(config, indent=2) + "\n"
    secrets = {name: os.urandom(32) for name in SYSTEM_KEYS}
    _first_records(home, root, secrets, text)
    (home / "keeper.json").write_text(text)
    load(home / "keeper.json")
    token = Ed25519PrivateKey.from_private_bytes(secrets["token"]).public_key()
    segment = X25519PrivateKey.from_private_bytes(secrets["segment"]).public_key()
    return {
        "record_vkey": record_vkey(root),
        "token": token.public_bytes_raw().hex(),
        "segment": segment.public_bytes_raw().hex(),
        "rebuild": rebuild.public_key().public_bytes_raw().hex(),
    }


def make_root_key(holders: Path) -> FileRootKey:
    """The root key in root.key of this folder, made unless it is there."""
    holders.mkdir(parents=True, exist_ok=True, mode=0o700)
    _secret(holders / "root.key", os.urandom(32))
    return FileRootKey(holders / "root.key")


def record_vkey(root: RootKey) -> str:
    """The verifier key under which the key copies know this keeper."""
    return Signer("kulla-keeper", copies_signer(root)).vkey


def _first_records(home: Path, root: FileRootKey, secrets: Mapping[str, bytes], settings: str) -> None:
    """The system keys are the first records; they wait on this disk until the copies run."""
    ring, sealer = KeyRing(root), Sealer(root)
    names = {**secrets, f"year:{datetime.now(UTC).year}": os.urandom(32)}
    bodies: list[dict[str, Any]] = [new_system_key(ring, name, secret) for name, secret in names.items()]
    bodies.append({"type": "settings", "settings": settings})
    file = RecordFile(home / "records.log")
    for body in bodies:
        file.append([sealer.seal(file.last + 1, new_id(), file.last_hash, body)])
    file.close()


def _secret(path: Path, fresh: bytes) -> bytes:
    """The 32 bytes in a file that only its owner reads, written unless it is there."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(fresh.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
    return bytes.fromhex(path.read_text().strip())


@contextmanager
def open_keeper(home: Path) -> Iterator["Admin"]:
    """An administrator's door to the keeper in `home` (the folder of keeper.json).

    Raises ConfigError when the keeper runs or two copies do not answer within 30 seconds.
    """
    with Keeper(load(home / "keeper.json")) as keeper:
        if not keeper.wait_ready(COPIES_S):
            raise ConfigError(
                "Two key copies do not answer, and without them nothing counts: start the mirrors."
            )
        yield Admin(keeper)


class Admin:
    """Changes of the register that only an administrator makes. People are named by their number."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._scheme = numbers.scheme(keeper.config.numbers)

    @property
    def keeper(self) -> Keeper:
        """The opened keeper, for ceremonies on the command line."""
        return self._keeper

    def import_people(self, rows: Path | Iterable[Row], progress: Progress | None = None) -> Report:
        """Import a CSV file or rows (maps with the same columns; they count from line 1).

        `progress` is called with (done, total). Raises KeeperError for a file that cannot be read, NotSigned.
        """
        keeper = self._keeper
        if isinstance(rows, Path):
            return self.import_file(rows, progress=progress)
        if keeper.config.register_keys and not keeper.config.demo:
            raise NotSigned(
                "People come by files that an institution has signed (register_keys in keeper.json)."
            )
        importer = Importer(keeper.register, keeper.people, keeper.committer, self._scheme)
        return importer.run(list(enumerate(rows, 1)), progress)

    def import_file(self, path: Path, **how: Any) -> Report:
        """Import a file; `how` as in importing.files.Job: file, full, dry_run, unsigned, report_file, progress.

        Raises NotSigned, KeeperError for a file that is refused whole, Refusal("copies_unavailable").
        """
        return files.run(files.Job(self._keeper, path, **how))

    @property
    def live_register(self) -> LiveRegisterClient:
        """The live register that keeper.json names. Raises KeeperError."""
        if self._keeper.live_register is None:
            raise KeeperError("keeper.json names no live register (live_register).")
        return self._keeper.live_register

    def add_office(self, office: UUID | str, name: str, **details: Any) -> None:
        """Make an office known by its public name (again: change it). `details` as of Offices.office_body: name_en,
        kind, parent, town, address, hours. Raises Refusal("bad_office")."""
        self._keeper.committer.commit(self._keeper.offices.office_body(_uuid(office), name, **details))

    def add_official(
        self,
        name: str,
        office: UUID | str | None,
        role: str,
        number: str,
        password: str,
        totp: str | None = None,
        *,
        until: int | None = None,
    ) -> str:
        """An official with a second factor; gives its secret (base32), made unless given.

        `number` is a national number, a document, or a sign-in name of at least three characters. The role ends
        `until` (ms), at most and unless given a year from now. Somebody who has another role keeps it.
        Raises KeeperError.
        """
        if role not in (*OFFICE_ROLES, OPERATOR) or (role != OPERATOR) != (office is not None):
            raise KeeperError("An official is the operator, or has one of the roles of an office.")
        keeper, secret = self._keeper, _totp_secret(totp)
        person = self._find(number)
        if person is None:
            person = self._new_official(name, number)
        keeper.committer.commit(
            keeper.offices.role_body(
                person, role, _uuid(office) if office else None, until=until, source="command line"
            ),
            keeper.credentials.password_body(person, password),
            keeper.credentials.totp_body(person, secret),
        )
        return secret

    def set_password(self, number: str, password: str) -> None:
        """Give a person a password. Raises KeeperError when the number is unknown."""
        self._keeper.committer.commit(self._keeper.credentials.password_body(self._person(number), password))

    def set_second_factor(self, number: str, secret: str | None = None) -> str:
        """Give a person a TOTP secret (base32), made unless given."""
        secret = _totp_secret(secret)
        self._keeper.committer.commit(self._keeper.credentials.totp_body(self._person(number), secret))
        return secret

    def add_guardian(self, child: str, guardian: str, **details: Any) -> None:
        """Make `guardian` act for `child`, until the child is 18. `details` are those of families.guardian_body."""
        body = guardian_body(self._person(guardian), self._person(child), **details)
        self._keeper.committer.commit(body)

    def protect(self, number: str, contact: str, reason: str) -> None:
        """Protect a person: looks need a second official and are told to `contact` (a number). See protected.py."""
        keeper = self._keeper
        keeper.committer.commit(keeper.protected.body(self._person(number), self._person(contact), reason))

    def end_guardian(self, child: str, guardian: str) -> None:
        """End it."""
        names = {"guardian": self._person(guardian), "ward": self._person(child)}
        self._keeper.committer.commit({"type": "guardian_ended", **names})

    def pseudonym(self, number: str, service: str) -> UUID:
        """A person's pseudonym in a service (for the demo's furnishing)."""
        return self._keeper.people.pseudonym(self._person(number), service)

    def portal_keys(self) -> dict[str, bytes]:
        """The portal's keys."""
        return self._keeper.portal_keys()

    def store_portal_keys(self, keys: Mapping[str, bytes]) -> None:
        """Keep the portal's keys as records; one that stands already is replaced."""
        self._keeper.store_portal_keys(keys, may_replace=True)

    def people(self) -> int:
        """How many persons the register has."""
        return self._keeper.people.count()

    def _new_official(self, name: str, number: str) -> UUID:
        first, _, last = name.strip().rpartition(" ")
        profile = {"first_name": first, "last_name": last, "sex": "", "phone": "", "email": "", "address": ""}
        try:
            kind, canonical = NUMBER, self._scheme.normalise(number)
            born = self._scheme.birth_date(canonical)
        except numbers.BadNumber:
            kind, canonical = STAFF, self._keeper.people.normalise(STAFF, number)
            born = date(1900, 1, 1)  # not known and not needed: a staff account is nobody's ward
        profile |= {"birth_date": born.isoformat(), "number": canonical, "language": "sq"}
        person, named = self._keeper.people.new(profile, [(kind, canonical)])
        self._keeper.committer.commit(*(body for _, body in named), ids=[record_id for record_id, _ in named])
        return person

    def _find(self, number: str) -> UUID | None:
        people = self._keeper.people
        return people.by_marks(people.sign_in_marks(number))

    def _person(self, number: str) -> UUID:
        person = self._find(number)
        if person is None:
            raise Refusal("unknown_person", "The register has nobody with this number.")
        return person


def _totp_secret(given: str | None) -> str:
    try:
        return pyotp.TOTP(given).secret if given else pyotp.random_base32()
    except ValueError as error:
        raise KeeperError("A second factor's secret is base32 of at least 14 bytes (RFC 4226).") from error


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
