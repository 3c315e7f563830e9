"""One error family. Every message is one plain sentence that may be shown to an operator."""


class JournalError(Exception):
    """Anything the journal refuses. `str(error)` is a plain sentence."""


class ProofError(JournalError):
    """A Merkle proof, or a tile, does not lead to the root it was checked against."""


class NoteError(JournalError):
    """A signed note is malformed, or a known key's signature does not verify, or none is by a known key."""


class FormatError(JournalError):
    """Bytes that are not what their format says."""


class PolicyError(JournalError):
    """A policy file is malformed, or a checkpoint does not satisfy it."""


class QuorumError(PolicyError):
    """A journal signed the checkpoint, but not the mirrors that the policy asks for; or one's signature is wrong."""


class ImmutableError(JournalError):
    """Somebody tried to replace an immutable object by other bytes."""


class MissingError(JournalError):
    """A file that must be in the log folder is not there."""


class JournalBusy(JournalError):
    """Another process holds this log folder's lock."""


class StagedError(JournalError):
    """A checkpoint is staged already; it is never replaced by another of the same size."""


class MirrorError(JournalError):
    """Anything that went wrong with one mirror; `.mirror` is its name."""

    def __init__(self, mirror: str, sentence: str) -> None:
        super().__init__(f"{mirror}: {sentence}")
        self.mirror = mirror


class MirrorUnreachable(MirrorError):
    """No connection, a time-out or an answer that is not HTTP. Trying again later makes sense."""


class MirrorRefused(MirrorError):
    """The mirror answered and said no; `.status` is the HTTP status."""

    def __init__(self, mirror: str, status: int, sentence: str) -> None:
        super().__init__(mirror, sentence)
        self.status = status


class MirrorAhead(MirrorError):
    """The mirror has cosigned more than this journal knows: it must not go on, but be rebuilt."""


class SequencerFenced(MirrorError):
    """The mirror holds another checkpoint of this size: another sequencer wrote."""
