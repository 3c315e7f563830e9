"""Whether a home can run at all: looked at before anything starts, so that the cause is one sentence."""

import json
import os
import shutil
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kulla.cli.errors import CommandError
from kulla.cli.home import Home
from kulla.cli.supervisor import processes
from kulla.journal.errors import JournalError
from kulla.journal.policy import Policy

SPACE_TO_START = 16_000_000  # bytes; logs, the database's log of changes and the first entries
SPACE_TO_WARN = 64_000_000
LEAVING_S = 3.0  # what a killed supervisor's programs need to be gone


def check(home: Home) -> list[str]:
    """Raise CommandError with the first reason why this home cannot run; return what it can do without.

    1. room on the disk; 2. the policy; 3. as many mirror operators as its quorum needs; 4. keeper and portal are
    there and whole; 5. the key that opens the keeper; 6. no copy of this home runs beside it: both would sign with
    the same keys for different things, and the mirrors would believe neither again.
    """
    if home.read_only:
        raise CommandError(
            f"{home.path} was restored for looking into the past and is not run. {home.read_only}"
            f" `kulla portal --home {home.path} --port 8001` shows its public pages."
        )
    free = space_left(home)
    if free < SPACE_TO_START:
        raise CommandError(
            f"The disk of {home.path} is full ({free / 1e6:.1f} MB left); free "
            f"{SPACE_TO_START / 1e6:.0f} MB and start again. Nothing was started."
        )
    policy = read_policy(home)
    warnings = _mirrors(home, policy)
    if home.rebuilding.exists():
        raise CommandError(f"A rebuild of {home.path} was broken off. Do it again: {how_to_rebuild(home)}")
    if (home.path / "rotation").exists():
        raise CommandError(
            f"A rotation of {home.path} was broken off. Do it again: kulla rotate --home {home.path} --keys HOLDERS"
        )
    needed = [home.keeper / "keeper.json", home.portal / "keys" / "checkpoint.key"]
    if not os.environ.get("KULLA_DATABASE_URL"):
        needed.append(home.portal / "db.sqlite3")
    for path in needed:
        if not path.exists():
            raise CommandError(f"{path} is missing. Bring it back from the mirrors: {how_to_rebuild(home)}")
    _check_checkpoint_key(home.portal / "keys" / "checkpoint.key", policy)
    for name in ("root.key", "rebuild.key"):
        path = home.holders / name
        if home.demo and not path.exists():
            if name == "root.key":
                raise CommandError(f"{path} is missing: without it nothing can open the keeper's records.")
            warnings.append(f"{path} is missing: the country runs, but could not be rebuilt after a loss.")
    _refuse_copies(home)
    return warnings


def _check_checkpoint_key(path: Path, policy: Policy) -> None:
    """Raise CommandError unless the portal can sign the journal that the policy names."""
    try:
        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text()))
    except ValueError:
        raise CommandError(f"{path} holds no key: 64 hexadecimal digits are expected.") from None
    public = private.public_key().public_bytes_raw()
    if all(log.verifier.public != public for log in policy.logs):
        raise CommandError(
            f"{path} is not the key of the journal that the policy names: no mirror would believe it."
        )


def space_left(home: Home) -> int:
    """Bytes that are free where the home lies."""
    return shutil.disk_usage(home.path).free


def _refuse_copies(home: Home) -> None:
    """Raise CommandError when something listens on a mirror's port; waits a little for programs that are leaving."""
    deadline = time.monotonic() + LEAVING_S
    for operator in home.operators:
        port = mirror_port(operator)
        while port is not None and processes.listening(port):
            if time.monotonic() > deadline:
                raise CommandError(
                    f"Port {port} of mirror {operator.name} is in use already, perhaps by a copy of this country. "
                    "Two copies must never run: stop the other one first."
                )
            time.sleep(0.1)


def read_policy(home: Home) -> Policy:
    """The home's policy. Raises CommandError when it is missing or broken."""
    try:
        return Policy.parse(home.policy.read_bytes())
    except FileNotFoundError:
        raise CommandError(f"{home.policy} is missing; put the published policy there first.") from None
    except JournalError as error:
        raise CommandError(f"{home.policy} is broken. {error}") from None


def _mirrors(home: Home, policy: Policy) -> list[str]:
    """What is said about mirrors that cannot run here. Raises CommandError when too few are left for the quorum."""
    left, warnings = set(), []
    for witness in policy.witnesses:
        number = witness.name.rpartition("-")[2]
        if mirror_port(home.path / "operators" / number) is not None:
            left.add(witness.name)
        elif home.demo:  # elsewhere the mirrors are other people's machines
            warnings.append(
                f"{home.path / 'operators' / number} is missing or has no readable operator.json."
            )
    if home.demo and not policy.satisfied_by(left):
        raise CommandError(
            f"{' '.join(warnings)} "
            f"{len(left)} of {len(policy.witnesses)} mirrors are left, too few to confirm anything."
        )
    return [f"{warning} The country runs without that mirror." for warning in warnings]


def mirror_port(operator: Path) -> int | None:
    """The port that a mirror operator's configuration names; None when it cannot be read."""
    try:
        return int(json.loads((operator / "operator.json").read_text())["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def how_to_rebuild(home: Home) -> str:
    """The command that rebuilds this home by hand, from every operator's folder that is there."""
    sources = " ".join(f"--from {operator}" for operator in home.operators)
    return f"kulla rebuild --home {home.path} --keys {home.holders} {sources} --replace"
