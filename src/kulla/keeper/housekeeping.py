"""What a keeper does without being asked: ends, reviews, birthdays, roles that run out. One thread, now and then."""

import json
import logging
import threading
from typing import TYPE_CHECKING

from kulla.keeper.errors import KeeperError

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper

log = logging.getLogger("kulla.keeper")
EVERY_S = 30.0


def tend(keeper: "Keeper", stopping: threading.Event) -> None:
    """Work until `stopping`; what fails now is tried again the next time."""
    try:
        # In short waits: a rebuild closes a keeper that is never ready.
        while not stopping.is_set():
            if keeper.wait_ready(0.1):
                keep_settings(keeper)
                keeper.role_ends.run()  # a keeper that stood still has something to tell
                break
    except KeeperError:
        log.exception("what comes first after a start could not be kept as records")
    while not stopping.wait(EVERY_S):
        try:
            keeper.sessions.record_ends()
            keeper.administration.sweep()
            keeper.my_data.tend()
            keeper.coming_of_age.run()
            keeper.role_ends.run()
            keeper.erasing.tend()
        except KeeperError:
            log.exception("housekeeping failed")
    keeper.register.close_thread()


def keep_settings(keeper: "Keeper") -> None:
    """A change of keeper.json becomes a record, so that a rebuilt keeper has it."""
    now = (keeper.config.home / "keeper.json").read_text()
    row = keeper.register.one("SELECT value FROM meta WHERE name = 'settings'")
    if row is None or json.loads(row[0]) != json.loads(now):
        keeper.committer.commit({"type": "settings", "settings": now})
