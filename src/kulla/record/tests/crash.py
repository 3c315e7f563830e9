"""A sequencer of its own process that dies by SIGKILL at a named step. Started by test_crash.py.

    python -m kulla.record.tests.crash HOME STEP

HOME holds policy, signer (the checkpoint key as text), recipient (hex) and journal/; the database comes from the
environment, as for the portal.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = ("before staging", "staged", "cosigned", "files written", "published", "applied", "cleared")


def die() -> None:
    """End as a power cut would, save that the kernel lives on."""
    os.kill(os.getpid(), signal.SIGKILL)


def after(owner: Any, name: str) -> None:
    """Die once owner.name has returned."""
    real: Callable[..., Any] = getattr(owner, name)

    def call(*args: Any, **given: Any) -> Any:
        answer = real(*args, **given)
        die()
        return answer

    setattr(owner, name, call)


def before(owner: Any, name: str) -> None:
    """Die instead of calling owner.name."""
    setattr(owner, name, lambda *_args, **_given: die())


def main() -> None:
    """Run rounds until the step comes."""
    home, step = Path(sys.argv[1]), sys.argv[2]
    from django.conf import settings

    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "kulla.record.tests.app"]
    import django

    django.setup()
    from kulla.journal import log as journal_log
    from kulla.journal.note import Signer
    from kulla.journal.policy import Policy
    from kulla.journal.store import LogFolder
    from kulla.record import applying, sequencer

    points = {
        "before staging": lambda: before(journal_log, "stage"),
        "staged": lambda: after(journal_log, "stage"),
        "cosigned": lambda: after(sequencer, "push_all"),
        "files written": lambda: before(LogFolder, "write_checkpoint_note"),
        "published": lambda: after(journal_log, "publish"),
        "applied": lambda: after(applying, "apply_round"),
        "cleared": lambda: after(journal_log, "clear_staged"),
    }
    points[step]()
    made = sequencer.Sequencer(
        LogFolder(home / "journal"),
        Signer.from_skey((home / "signer").read_text()),
        Policy.parse((home / "policy").read_bytes()),
        [bytes.fromhex((home / "recipient").read_text())],
        lambda header: b"",
    )
    for _ in range(50):
        made.step()
    sys.exit("the step never came")


if __name__ == "__main__":
    main()
