"""Where each mirror stands, read from the mirrors themselves: their public checkpoint against ours."""

import hashlib
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kulla.identity.policy import text as policy_text
from kulla.journal.checkpoint import parse_checkpoint
from kulla.journal.errors import JournalError
from kulla.journal.policy import Policy

TIMEOUT_S = 1.5
LONGEST = 16_384  # bytes of a checkpoint


@dataclass(frozen=True)
class MirrorState:
    """One mirror: its name and how many entries it has cosigned; None when it does not answer."""

    name: str
    size: int | None


def states() -> list[MirrorState]:
    """Ask every mirror of the policy at once; none delays the page by more than TIMEOUT_S."""
    if not policy_text():
        return []
    policy = Policy.parse(policy_text())
    origin = policy.logs[0].verifier.name
    folder = hashlib.sha256(origin.encode()).hexdigest()
    urls = [
        (witness.name, f"{witness.url.rstrip('/')}/{folder}/checkpoint")
        for witness in policy.witnesses
        if witness.url
    ]
    if not urls:
        return []
    with ThreadPoolExecutor(len(urls)) as pool:
        return list(pool.map(_ask, urls))


def _ask(mirror: tuple[str, str]) -> MirrorState:
    name, url = mirror
    if not url.startswith(("http://", "https://")):
        return MirrorState(name, None)
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310  (scheme checked above)
            note = answer.read(LONGEST).decode()
        return MirrorState(name, parse_checkpoint(note.split("\n\n", 1)[0] + "\n").size)
    except (OSError, UnicodeDecodeError, JournalError, urllib.error.URLError):
        return MirrorState(name, None)
