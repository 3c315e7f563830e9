"""The threads beside the web threads: the sequencer, and timed jobs where the sequencer leads.

One process writes the journal: whichever holds the lock. Jobs run in the same process, so that with several
workers each job still runs once.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import cast

from django.core import checks
from django.db import close_old_connections

from kulla.record import sequencer
from kulla.registry import services
from kulla.registry.door import keeper

log = logging.getLogger("kulla.background")


def start() -> None:
    """Check the configuration, then start the sequencer and the jobs. Raises SystemExit with a sentence."""
    errors = [message for message in checks.run_checks(tags=["kulla"]) if message.is_serious()]
    if errors:
        raise SystemExit("The portal does not start: " + " ".join(str(message.msg) for message in errors))
    sequencer.start(keeper=keeper)
    threading.Thread(target=_jobs, name="jobs", daemon=True).start()


def due_jobs() -> list[tuple[str, int, Callable[..., object]]]:
    """Every declared job: its actor name "job:<name>", its period in seconds, and what it runs."""
    return [
        (f"job:{job.name}", job.every_s, cast("Callable[..., object]", services.load(job.run)))
        for service in services.all_services()
        for job in service.jobs
    ]


def _jobs() -> None:
    waiting = {name: time.monotonic() + min(every, 30) for name, every, _ in due_jobs()}
    while True:
        time.sleep(1)
        if not sequencer.is_leader():
            continue
        for name, every, run in due_jobs():
            if waiting[name] > time.monotonic():
                continue
            waiting[name] = time.monotonic() + every
            try:
                run(job=name)
            except Exception:
                # One job's fault must stop neither the others nor the portal; the operator reads it in the log.
                log.exception("The job %s failed; it is tried again in %d s.", name, every)
            finally:
                close_old_connections()
