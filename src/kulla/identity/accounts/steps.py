"""What waits in the page between two steps: sealed under the portal's cookie key, for a time. The portal keeps nothing.

A number that somebody typed is a personal value: it is in no address and readable in no page.
"""

import json
import time

from kulla.registry import cookie

PURPOSE = "account step"
AGE_S = 30 * 60


def seal(**values: str) -> str:
    """The values as text that only this portal reads and nobody changes."""
    return cookie.seal(json.dumps({"at": int(time.time()), "values": values}), PURPOSE)


def unseal(text: str) -> dict[str, str] | None:
    """What `seal` was given; None when it is older than half an hour, or not ours."""
    opened = cookie.open_sealed(text, PURPOSE) if text else None
    if opened is None:
        return None
    box = json.loads(opened)
    values: dict[str, str] = box["values"]
    return values if time.time() - box["at"] <= AGE_S else None
