"""The newest checkpoint of a journal's folder that satisfies the policy: what every reading of it starts from."""

from kulla.journal.checkpoint import Checkpoint
from kulla.journal.errors import JournalError
from kulla.journal.policy import Policy
from kulla.journal.store import LogFolder
from kulla.record.errors import RebuildError


def newest_checkpoint(folder: LogFolder, policy: Policy) -> Checkpoint:
    """Signed by the journal and cosigned by the policy's quorum. Raises RebuildError when there is none."""
    note = folder.read_checkpoint_note()
    if note is None:
        raise RebuildError(f"{folder.path} holds no journal.")
    try:
        return policy.check(note).checkpoint
    except JournalError as error:
        raise RebuildError(f"The journal's checkpoint does not hold: {error}") from error
