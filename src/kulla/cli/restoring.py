"""What `kulla rebuild` does: keeper, keys, tables, in this order."""

import fcntl
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kulla.cli import django_home
from kulla.cli.errors import CommandError
from kulla.cli.home import Home
from kulla.cli.supervisor import processes, sound

# What the portal signs with. It may store other names with the keeper: none of them ever becomes a path here.
PORTAL_KEYS = {"checkpoint", "cookie"}


class Report:
    """Progress and findings, as plain lines or as JSON lines ({"step", "done", "total"} and {"say"})."""

    def __init__(self, *, json_lines: bool) -> None:
        self._json = json_lines
        self._last: dict[str, tuple[int, float]] = {}

    def progress(self, step: str, done: int, total: int) -> None:
        """Tell how far a step is: at each hundredth as JSON, at each tenth as text, and at its end."""
        parts = 100 if self._json else 10
        part = parts * done // total if total else parts
        if self._last.get(step, (-1, 0.0))[0] == part and done < total:
            return
        self._last[step] = (part, time.monotonic())
        if self._json:
            self._print({"step": step, "done": done, "total": total})
        else:
            print(f"  {step}: {done} of {total}", flush=True)

    def step(self, name: str) -> "Step":
        """A callable (done, total) for one step."""
        return Step(self, name)

    def say(self, sentence: str) -> None:
        """A finding, for the reader."""
        if self._json:
            self._print({"say": sentence})
        else:
            print(sentence, flush=True)

    @staticmethod
    def _print(line: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


class Step:
    """Progress of one step."""

    def __init__(self, report: Report, name: str) -> None:
        self._report, self._name = report, name

    def __call__(self, done: int, total: int) -> None:
        self._report.progress(self._name, done, total)


def refuse_living(home: Home) -> None:
    """Raise CommandError when the keeper or the sequencer of this home runs."""
    if processes.socket_answers(home.socket("keeper.sock")):
        raise CommandError("The keeper of this home is running; stop it first.")
    lock = home.portal / "journal" / "lock"
    if lock.exists():
        with lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise CommandError("The portal of this home is running; stop it first.") from None


def make_room(home: Home, *, replace: bool, say: Callable[[str], None]) -> None:
    """Leave no portal and no keeper in the home; with `replace` what is there moves to HOME/replaced/<time>.

    Nothing is deleted, since after an attack it is evidence. Raises CommandError when there is something and not
    `replace`.
    """
    aside = home.path / "replaced" / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    for folder in (home.portal, home.keeper):
        if folder.exists() and any(path.is_file() and path.suffix != ".log" for path in folder.rglob("*")):
            if not replace:
                raise CommandError(f"{folder} is not empty; --replace moves it aside and rebuilds it.")
            aside.mkdir(parents=True, exist_ok=True)
            folder.rename(aside / folder.name)
            say(f"{folder} is now in {aside}.")


def key_file(holders: Path, name: str) -> bytes:
    """The 32 bytes of one of the holders' keys. Raises CommandError when the file holds no such key."""
    path = holders / name
    try:
        key = bytes.fromhex(path.read_text().strip())
    except FileNotFoundError:
        raise CommandError(f"{path} is missing; --keys names the folder with the holders' keys.") from None
    except ValueError:
        key = b""
    if len(key) != 32:
        raise CommandError(f"{path} holds no key: 64 hexadecimal digits are expected.")
    return key


def rebuild(
    home: Home,
    *,
    holders: Path,
    sources: Sequence[Path],
    replace: bool,
    report: Report,
    pass_over: bool = False,
) -> None:
    """Bring keeper and portal back into `home`. Raises CommandError, or what the rooms refuse with.

    1. refuse a living home, a missing key or source, and a home that is not empty;
    2. keeper: records from the key copies, opened with the root key;
    3. the portal's keys, which are keeper records, and the segments' recipients;
    4. journal and tables, from the mirrors' copies, opened with the rebuild key;
    5. what the deployment adds: the notices' templates; and the keeper's looks, from the journal.
    """
    refuse_living(home)
    rebuild_key = check_means(home, holders, sources)
    make_room(home, replace=replace, say=report.say)
    home.rebuilding.touch()
    home.portal.mkdir(exist_ok=True)
    home.portal.chmod(0o700)
    _keeper(home, holders, sources, report)
    _portal_keys(home, rebuild_key)
    portal_role = urlsplit(os.environ.get(django_home.PORTAL_URL, ""))
    django_home.setup(home, owner=True)
    _portal(home, rebuild_key, sources, replace, report, pass_over)
    django_home.grant(portal_role)
    django_home.write_templates(home)
    _looks(home)
    home.rebuilding.unlink()


def check_means(home: Home, holders: Path, sources: Sequence[Path]) -> bytes:
    """The rebuild key, if everything that a rebuild needs is there. Raises CommandError with what is not."""
    key_file(holders, "root.key")
    rebuild_key = key_file(holders, "rebuild.key")
    for source in sources:
        if not source.is_dir():
            raise CommandError(f"{source} is not an operator's folder.")
    sound.read_policy(home)
    return rebuild_key


def _keeper(home: Home, holders: Path, sources: Sequence[Path], report: Report) -> None:
    from kulla.keeper.rebuild import rebuild_keeper

    home.keeper.mkdir(mode=0o700, exist_ok=True)
    rebuilt = rebuild_keeper(
        home.keeper, list(sources), holders.absolute() / "root.key", report.step("keeper")
    )
    report.say(f"The keeper is back: {rebuilt.records:,} records, {rebuilt.people:,} people.")
    for sentence in rebuilt.sentences:
        report.say(sentence)


def _portal_keys(home: Home, rebuild_key: bytes) -> None:
    """Write what the portal needs of the keeper's records; the copies need not run for that."""
    from kulla.keeper.config import load
    from kulla.keeper.core import Keeper

    with Keeper(load(home.keeper / "keeper.json")) as keeper:
        keys = keeper.portal_keys()
        segment = keeper.vault.system("segment")
    if "checkpoint" not in keys:
        raise CommandError(
            "The keeper's records do not hold the portal's keys: nothing can sign the journal."
        )
    write_keys(home.portal / "keys", keys)
    recipients = [
        X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw().hex()
        for private in (rebuild_key, segment)
    ]
    (home.portal / "recipients.json").write_text(json.dumps(recipients))


def write_keys(folder: Path, keys: Mapping[str, bytes]) -> None:
    """Write the portal's keys among `keys` as <name>.key, in hexadecimal; every other name is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in sorted(PORTAL_KEYS & keys.keys()):
        descriptor = os.open(folder / f"{name}.key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(keys[name].hex() + "\n")


def _portal(
    home: Home, rebuild_key: bytes, sources: Sequence[Path], replace: bool, report: Report, pass_over: bool
) -> None:
    from kulla.journal.policy import Policy
    from kulla.record.rebuild import rebuild as rebuild_record

    if replace:
        django_home.empty_database()

    def progress(step: str, done: int, total: int) -> None:
        if step == "check":  # counts every entry twice, once in the tree and once in its segment
            report.progress("entries", done // 2, total // 2)
        else:
            report.progress(step, done, total)

    rebuilt = rebuild_record(
        mirrors=list(sources),
        rebuild_key=rebuild_key,
        policy=Policy.parse(home.policy.read_text()),
        journal=home.portal / "journal",
        progress=progress,
        pass_over=pass_over,
    )
    report.say(f"The portal is back: {rebuilt.size:,} entries, {sum(rebuilt.rows.values()):,} rows.")
    for sentence in rebuilt.sentences:
        report.say(sentence)


def _looks(home: Home) -> None:
    """Hand the keeper its looks back, which the journal kept for it."""
    from kulla.keeper.config import load
    from kulla.keeper.core import Keeper
    from kulla.record.models import Look

    sealed = [bytes(look) for look in Look.objects.order_by("seq").values_list("sealed", flat=True)]
    with Keeper(load(home.keeper / "keeper.json")) as keeper:
        keeper.serve()
        keeper.restore_looks(sealed)
