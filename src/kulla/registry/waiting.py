"""How many decisions wait for an official: the number beside "Decisions" on every page. It may be half a minute old."""

import threading
import time

from kulla.keeper_client import KeeperUnavailable, Refused, Session
from kulla.registry import door
from kulla.registry.access import OFFICE_ROLES

AGE_S = 30.0
LIMIT = 10_000
_known: dict[str, tuple[float, int]] = {}
_lock = threading.Lock()


def decisions(session: Session | None, *, fresh: bool = False) -> int:
    """How many wait; 0 for citizens, and while the keeper does not say. `fresh` on the page that lists them."""
    if session is None or session.role not in OFFICE_ROLES:
        return 0
    now = time.monotonic()
    known = _known.get(session.sid)
    if known is not None and known[0] > now and not fresh:
        return known[1]
    try:
        count = door.keeper().approvals_waiting(session.token)
    except (KeeperUnavailable, Refused):
        count = 0
    with _lock:
        if len(_known) >= LIMIT:
            _known.clear()
        _known[session.sid] = (now + AGE_S, count)
    return count
