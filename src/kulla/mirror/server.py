"""The process: configuration, one lock, the port, signals."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import sys
import time
from pathlib import Path

from kulla.journal.errors import FormatError
from kulla.journal.tls import TlsFilesError, server_context
from kulla.mirror.app import App, origin_hash
from kulla.mirror.config import Config, ConfigError, load_config
from kulla.mirror.edges import abandoned_path, read_note
from kulla.mirror.frames import StorageFailed
from kulla.mirror.http import Server
from kulla.mirror.logcopy import CopyDamaged
from kulla.mirror.stores import open_store

log = logging.getLogger("kulla.mirror")


class CannotStart(Exception):
    """Why the mirror does not run, as one plain sentence."""


def lock_home(home: Path) -> int:
    """Hold this home for one process. Raises CannotStart."""
    fd = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise CannotStart(f"Another mirror already runs in {home.name}.") from None
    return fd


def serve(config_path: str | Path) -> None:
    """Run a mirror until SIGTERM or SIGINT. Raises CannotStart (a plain sentence) if it cannot run.

    Prints nothing but its log, on standard error. Call it in the main thread of a process of its own.
    """
    try:
        config = load_config(config_path)
    except ConfigError as error:
        raise CannotStart(str(error)) from None
    lock = lock_home(config.home)
    try:
        app = App(config)
    except (CopyDamaged, StorageFailed, FormatError) as error:
        raise CannotStart(f"The mirror's store needs a person: {error}") from None
    except TlsFilesError as error:
        raise CannotStart(str(error)) from None
    try:
        files = config.tls
        context = server_context(files.certificate, files.key, files.clients) if files else None
        server = Server(config.host, config.port, app.handle, context=context)
    except TlsFilesError as error:
        raise CannotStart(str(error)) from None
    except OSError as error:
        raise CannotStart(f"Port {config.port} on {config.host} cannot be used: {error.strerror}.") from None
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: server.stop())
    app.start()
    log.info("%s listens on %s port %d", config.name, config.host, server.port)
    server.run()
    app.close()
    os.close(lock)
    log.info("stopped")


def abandon_pending(operator_dir: str | Path) -> int:
    """Forget pending checkpoints that this mirror has not cosigned. Returns how many were set aside.

    For an operator whose journal was lost after signing a checkpoint that nobody can complete. What was cosigned
    stays; the forgotten note is kept as `abandoned-…`, since the log signed it. The mirror must not be running.
    Raises CannotStart.
    """
    try:
        config = load_config(Path(operator_dir) / "operator.json")
    except ConfigError as error:
        raise CannotStart(str(error)) from None
    lock = lock_home(config.home)
    try:
        return sum(_abandon(config, origin) for origin in config.logs)
    except (StorageFailed, FormatError) as error:
        raise CannotStart(f"The mirror's store needs a person: {error}") from None
    finally:
        os.close(lock)


def _abandon(config: Config, origin: str) -> bool:
    store = open_store(config.store, config.home, origin_hash(origin))
    pending = read_note(store, "pending", config.logs[origin])
    ours = read_note(store, "checkpoint", config.logs[origin], config.cosigner.verifier)
    if pending is None or (ours is not None and ours.checkpoint.size >= pending.checkpoint.size):
        return False
    size = pending.checkpoint.size
    # Kept under its hash too: in a bucket `pending` has older versions, and this one must not count again.
    store.put_many({abandoned_path(pending.note): pending.note})
    store.replace(f"abandoned-{size}-{time.time_ns()}", pending.note)
    for name in ("next", "pending"):
        if store.exists(name):
            store.remove(name)
    store.settle()
    log.warning("a pending checkpoint of size %d was set aside", size)
    return True


def configure_log() -> None:
    """Plain lines on standard error: time, level, what."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
