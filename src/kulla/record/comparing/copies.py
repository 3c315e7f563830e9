"""The portal's own journal beside the mirrors' copies: a thief may have set back journal and tables together.

Both then agree with each other and with an old checkpoint that a quorum once signed; only the mirrors know more.
"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from kulla.journal.policy import Policy
from kulla.journal.store import LogFolder
from kulla.record.checked import newest_checkpoint
from kulla.record.errors import RebuildError
from kulla.record.sources import Copy, check_prefix, find_copy, read_copy

ON_ITS_WAY_S = 5.0  # a mirror has a round for a moment before the portal publishes it


def odd_copies(folder: LogFolder, policy: Policy, copies: Sequence[Path]) -> Iterator[str]:
    """A sentence for each operator's folder whose copy holds more than this journal, or another story."""
    origin = hashlib.sha256(policy.logs[0].verifier.name.encode()).hexdigest()
    for path in copies:
        try:
            copy = read_copy(find_copy(path, origin), policy)
            until = time.monotonic() + ON_ITS_WAY_S
            while (own := newest_checkpoint(folder, policy)).size < copy.checkpoint.size:
                if time.monotonic() > until:
                    break
                time.sleep(0.2)
            if own.size < copy.checkpoint.size:
                yield (
                    f"The portal's journal was set back: it ends at {own.size}, and the copy in {path} holds"
                    f" {copy.checkpoint.size} entries. Rebuild from the mirrors."
                )
                continue
            check_prefix(copy, Copy(folder, own, folder.read_checkpoint_note() or ""))
        except RebuildError as error:
            yield str(error)
