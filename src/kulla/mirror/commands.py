"""What an operator does beside running the mirror: audit it, let it catch up, make a new one, look at evidence.

Each function is one command and raises CommandFailed with a plain sentence; cli/mirror.py reads the command line.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from kulla.journal.errors import FormatError, JournalError, PolicyError
from kulla.journal.ids import now_ms
from kulla.journal.note import Signer, parse_vkey
from kulla.journal.policy import Policy
from kulla.journal.store import LogFolder, LogStore
from kulla.journal.tls import TlsFilesError, server_context
from kulla.mirror.app import origin_hash
from kulla.mirror.audit import Audit, audit_keycopy, audit_log, policy_of
from kulla.mirror.config import Config, ConfigError, create_operator, is_local, load_config
from kulla.mirror.evidence import judge, parse_evidence
from kulla.mirror.following import Diverged, follow, follow_keycopy, follow_tombstones
from kulla.mirror.frames import StorageFailed
from kulla.mirror.http import Server
from kulla.mirror.keycopy import Conflict, KeyCopy
from kulla.mirror.logcopy import CopyDamaged, LogCopy
from kulla.mirror.messages import Refused
from kulla.mirror.options import ClientTls, OptionError, Tls, reader_key
from kulla.mirror.publish import Publisher
from kulla.mirror.server import CannotStart, lock_home
from kulla.mirror.source import Source, SourceFailed
from kulla.mirror.stores import open_store
from kulla.mirror.tombstones import TombstoneRefused, Tombstones

Say = Callable[[str], None]


class CommandFailed(Exception):
    """Why a command was not done, as one plain sentence."""


def _config(path: Path) -> Config:
    try:
        return load_config(path)
    except ConfigError as error:
        raise CommandFailed(str(error)) from None


class Progress:
    """A line on standard error at each tenth of a step, or every 10,000 where the total is not known."""

    def __init__(self) -> None:
        self._last: tuple[str, int] | None = None

    def __call__(self, step: str, done: int, total: int) -> None:
        mark = (step, 10 * done // total if total else done // 10_000)
        if mark != self._last:
            self._last = mark
            sys.stderr.write(f"  {step}: {done}{f' of {total}' if total else ''}\n")
            sys.stderr.flush()


# --- audit ------------------------------------------------------------------------------------------------------


def audit(place: Path, policy: Path | None, say: Say) -> int:
    """Audit an operator's home, or a log folder with a policy. Gives 0, or 1 when something is wrong."""
    found, progress = Audit(), Progress()
    try:
        if (place / "operator.json").is_file():
            config = _config(place / "operator.json")
            for origin, key in config.logs.items():
                name = origin_hash(origin)
                store = open_store(config.store, config.home, name)
                if store.exists("checkpoint") or store.exists("pending"):
                    policy_here = policy_of(key, config.cosigner.verifier)
                    audit_log(cast(LogStore, store), policy_here, found, progress, own=config.name)
            audit_keycopy(place / "keycopy", found, progress, running=_runs(place))
        elif (place / "checkpoint").is_file():
            audit_log(LogFolder(place), _policy(policy), found, progress)
        else:
            raise CommandFailed(f"{place} is neither an operator's home nor the copy of a journal.")
    except (StorageFailed, OSError, FormatError) as error:
        raise CommandFailed(f"The audit broke off: {error}.") from None
    return _tell(found, say)


def audit_bucket(url: str, endpoint: str | None, policy: Path | None, say: Say) -> int:
    """Audit a log's copy in a bucket: `s3://bucket/prefix/HASH`. Gives 0, or 1 when something is wrong."""
    parts = urlsplit(url)
    prefix, _, name = parts.path.strip("/").rpartition("/")
    if parts.scheme != "s3" or not parts.netloc or not name:
        raise CommandFailed(f"{url} must have the form s3://bucket/prefix/HASH.")
    found = Audit()
    settings = {"kind": "s3", "bucket": parts.netloc, "prefix": prefix, "endpoint": endpoint}
    try:
        store = open_store(settings, Path(), name)
        audit_log(cast(LogStore, store), _policy(policy), found, Progress())
    except (StorageFailed, OSError, FormatError) as error:
        raise CommandFailed(f"The audit broke off: {error}.") from None
    return _tell(found, say)


def _policy(path: Path | None) -> Policy:
    if path is None:
        raise CommandFailed("Give --policy FILE: it says whose signature the checkpoint must bear.")
    try:
        return Policy.parse(path.read_bytes())
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}.") from None
    except PolicyError as error:
        raise CommandFailed(f"{path} is no policy: {error}") from None


def _runs(home: Path) -> bool:
    try:
        os.close(lock_home(home))
    except CannotStart:
        return True
    return False


def _tell(found: Audit, say: Say) -> int:
    for problem in found.problems:
        say(problem)
    counts = (
        f"{found.entries} entries, {found.tiles} tiles, {found.segments} segments ({found.merged} merged files),"
        f" {found.records} records of the key copy"
    )
    say(f"{len(found.problems)} faults in {counts}." if found.problems else f"Nothing is wrong in {counts}.")
    return 1 if found.problems else 0


# --- catching up ------------------------------------------------------------------------------------------------


def catch_up(config_file: Path, url: str, key_file: Path, tls: ClientTls, say: Say) -> int:
    """Bring a stopped mirror up to what another one serves. Gives 0; raises CommandFailed."""
    config = _config(config_file)
    try:
        lock = lock_home(config.home)
    except CannotStart as error:
        raise CommandFailed(f"{error} Stop it first, or let it pull.") from None
    source, progress = None, Progress()
    try:
        source = Source(url.rstrip("/"), tls, reader_key(key_file))
        for origin, key in config.logs.items():
            name = origin_hash(origin)
            copy = LogCopy(open_store(config.store, config.home, name), key, config.cosigner)
            new = follow(copy, source, name, key, partial(progress, "entries"))
            say(f"{new} entries taken; {copy.size} are cosigned now.")
        if config.keeper is None:
            return 0
        (config.home / "keycopy").mkdir(exist_ok=True)
        records = KeyCopy(config.home / "keycopy")
        say(
            f"{follow_keycopy(records, source)} records of the key copy taken; {records.next - 1} are held now."
        )
        records.close()
        stones = Tombstones(config.home / "keycopy", per_day=config.tombstones_per_day)
        try:
            taken, held = follow_tombstones(stones, source, config.officers, now_ms())
        finally:
            stones.close()
        say(f"{taken} tombstones taken; they are carried out when their time has come.")
        if held:
            say(
                f"{held} under a legal hold were not: take the other operator's keycopy/tombstones.log with"
                " --replay-tombstones, which brings the holds too."
            )
    except TombstoneRefused as error:
        raise CommandFailed(
            f"The tombstones were not taken: {error} Put the officers into `erasure_officers`, and do it again."
        ) from None
    except (SourceFailed, Diverged, OptionError, TlsFilesError, CopyDamaged, Conflict, Refused) as error:
        raise CommandFailed(str(error)) from None
    except (StorageFailed, FormatError, OSError) as error:
        raise CommandFailed(f"The mirror's store refuses: {error}.") from None
    finally:
        if source is not None:
            source.close()
        os.close(lock)
    return 0


# --- a new operator ---------------------------------------------------------------------------------------------


def new(
    home: Path, name: str, log_vkey: str, keeper_vkey: str | None, officers: list[str], port: int, say: Say
) -> int:
    """Make the home of a mirror with fresh keys, and say what its operator does next. Gives 0."""
    try:
        origin = parse_vkey(log_vkey).name
        vkey = create_operator(home, 0, origin, log_vkey, keeper_vkey, port, name=name, officers=officers)
    except (ConfigError, JournalError) as error:
        raise CommandFailed(str(error)) from None
    reader = Signer.generate(f"{name}/reader")
    fd = os.open(home / "keys/reader.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(reader.skey + "\n")
        file.flush()
        os.fsync(file.fileno())
    say(f"""{home} is the home of a new mirror. Its keys were made here; they leave this machine for nobody.

1. Send these two lines to the owner of the journal, and confirm them by voice:
     cosigner  {vkey}
     reader    {reader.vkey}
2. Another operator puts the reader line into `readers` of his operator.json and starts his mirror again.
3. Take the whole journal and the key copy from him:
     kulla mirror catch-up --config {home / "operator.json"} --from HIS-ADDRESS
4. The owner of the journal names the cosigner in the policy (an entry of the journal, with the new policy text).
   Put that text into {home / "policy"} when the other operators publish the same.
5. Start it: kulla mirror --config {home / "operator.json"}
   It signs from the first checkpoint that the journal sends. `kulla mirror audit {home}` re-reads all it holds.""")
    return 0


# --- showing the journal itself ---------------------------------------------------------------------------------


def publish(
    folder: Path, log_vkey: str, readers: list[str], host: str, port: int, tls: Tls | None, say: Say
) -> int:
    """Show the journal's own folder until SIGTERM or SIGINT. Gives 0."""
    if tls is None and not is_local(host):
        raise CommandFailed(f"{host} is reached by others: give --certificate and --keyfile.")
    if not folder.is_dir():
        raise CommandFailed(f"{folder} is not the folder of a journal.")
    try:
        keys = [parse_vkey(reader) for reader in readers]
        certificates = tls is not None and tls.clients is not None
        shown = Publisher(folder, parse_vkey(log_vkey).name, keys, certificates=certificates)
        context = server_context(tls.certificate, tls.key, tls.clients) if tls else None
        server = Server(host, port, shown.handle, context=context)
    except (JournalError, TlsFilesError) as error:
        raise CommandFailed(str(error)) from None
    except OSError as error:
        raise CommandFailed(f"Port {port} on {host} cannot be used: {error.strerror}.") from None
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: server.stop())
    say(f"The journal in {folder} is shown on {host} port {server.port}.")
    server.run()
    return 0


# --- evidence ---------------------------------------------------------------------------------------------------


def evidence(file: Path, log_vkey: str, say: Say) -> int:
    """Say what a file of evidence proves. Gives 0, or 1 when it proves nothing."""
    try:
        key, text = parse_vkey(log_vkey), file.read_text("utf-8")
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}.") from None
    except (JournalError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{error}") from None
    try:
        say(judge(parse_evidence(text), key))
    except JournalError as error:
        say(f"It proves nothing. {error}")
        return 1
    return 0
