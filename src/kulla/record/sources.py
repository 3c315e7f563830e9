"""Which of several mirrors' copies the journal is rebuilt from, and what may be missing.

1. Each copy's checkpoint, and its pending one, must carry the journal's signature.
2. A pending checkpoint counts when the copy's stored segments give its root: then a mirror was told of it and
   holds all of it, and the journal has to go on from there, or that mirror would refuse for ever.
3. The longest one is taken; every shorter one must be a prefix of it, else the journal was forked.
4. Cosignatures of the same checkpoint in other copies are gathered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kulla.journal.checkpoint import Checkpoint, parse_checkpoint
from kulla.journal.errors import JournalError, MissingError, PolicyError
from kulla.journal.log import reader
from kulla.journal.merkle import consistency_proof, leaf_hash, verify_consistency
from kulla.journal.note import open_note, split_note
from kulla.journal.policy import Policy
from kulla.journal.segment import parse_segment
from kulla.journal.store import LogFolder, segment_path
from kulla.journal.tiles import Edge
from kulla.record.errors import RebuildError


@dataclass(frozen=True)
class Copy:
    """One mirror's copy: its checkpoint, and the signed rounds beyond it that its segments give."""

    folder: LogFolder
    checkpoint: Checkpoint
    note: str
    pending: tuple[str, bytes] | None = None  # (note, the one segment that leads to it)

    @property
    def reach(self) -> int:
        """How many entries this copy can bring back."""
        if self.pending is None:
            return self.checkpoint.size
        return parse_checkpoint(split_note(self.pending[0])[0]).size


@dataclass
class Chosen:
    """The copy to rebuild from, its note with all cosignatures that were found, and sentences for the operator."""

    copy: Copy
    note: str
    cosigned: dict[str, int]
    quorum: bool
    sentences: list[str] = field(default_factory=list)


def find_copy(path: Path, origin_hash: str) -> Path:
    """The log folder in what the operator pointed to: itself, mirror/<hash> below it, or <hash> below it."""
    for candidate in (path / "mirror" / origin_hash, path / origin_hash, path):
        if (candidate / "checkpoint").is_file():
            return candidate
    raise RebuildError(f"{path} holds no copy of this journal.")


def read_copy(path: Path, policy: Policy) -> Copy:
    """Read a copy's checkpoints. Raises RebuildError when its checkpoint is not signed by the journal."""
    folder = LogFolder(path)
    try:
        note = folder.read_checkpoint_note()
        if note is None:
            raise MissingError("it has no checkpoint.")
        checkpoint = policy.check_signed(note).checkpoint
    except JournalError as error:
        raise RebuildError(f"The copy in {path} cannot be used: {error}") from error
    return Copy(folder, checkpoint, note, _pending(folder, policy, checkpoint))


def _pending(folder: LogFolder, policy: Policy, at: Checkpoint) -> tuple[str, bytes] | None:
    """The pending checkpoint with its segment, if it is one round ahead and the segment gives its root."""
    try:
        note = folder.read("pending").decode()
        ahead = parse_checkpoint(open_note(note, [policy.logs[0].verifier]).text)
        if ahead.size <= at.size:
            return None
        segment = folder.read(segment_path(at.size, ahead.size))
        hashes = [leaf_hash(leaf) for leaf in parse_segment(segment).leaves()]
        edge = Edge.read(folder.read, at.size, at.root).append(hashes)[1]
    except (JournalError, UnicodeDecodeError):
        return None
    return (note, segment) if edge.root() == ahead.root else None


def choose(paths: Sequence[Path], policy: Policy, origin_hash: str) -> Chosen:
    """The copy to rebuild from. Raises RebuildError when there is none, or when two contradict each other."""
    copies = [read_copy(find_copy(path, origin_hash), policy) for path in paths]
    if not copies:
        raise RebuildError("No mirror was named to rebuild from.")
    # of two that reach equally far the one with more published; the rest must be its prefixes
    best = max(copies, key=lambda copy: (copy.checkpoint.size, copy.reach))
    for copy in copies:
        check_prefix(copy, best)
    note, cosigned, quorum = _gather(best, copies, policy)
    chosen = Chosen(best, note, cosigned, quorum)
    ahead = max(copies, key=lambda copy: copy.reach)
    if ahead.reach > best.checkpoint.size and ahead.checkpoint == best.checkpoint:
        chosen.copy = ahead
        chosen.sentences.append(
            f"One mirror was told of {ahead.reach - best.checkpoint.size} entries more, that nobody was promised yet:"
            " they are brought back too."
        )
    if len(copies) < needed(policy):
        chosen.sentences.append(
            "Only one operator's copy was given: what two other mirrors alone had confirmed after its last"
            " checkpoint would be missing. Every receipt that people hold can show such an entry."
        )
    if not quorum:
        chosen.sentences.append("Writes open once two mirrors have confirmed the rebuilt journal again.")
    return chosen


def needed(policy: Policy) -> int:
    """How many copies hold everything that was called received: all but a quorum, and one."""
    names = [witness.name for witness in policy.witnesses]
    for count in range(1, len(names) + 1):
        if not policy.satisfied_by(set(names[count:])):
            return count
    return len(names)


def check_prefix(copy: Copy, best: Copy) -> None:
    """Raise RebuildError unless `copy` is a prefix of `best`."""
    old, new = copy.checkpoint, best.checkpoint
    if old.size == 0:
        return
    try:
        proof = consistency_proof(reader(best.folder, new), old.size, new.size)
        verify_consistency(old.size, new.size, old.root, new.root, proof)
    except JournalError as error:
        raise RebuildError(
            f"{copy.folder.path} ({old.size} entries) and {best.folder.path} ({new.size} entries) are not copies of one"
            f" journal: {error} Rebuild from one of them only after finding out which is true."
        ) from error


def _gather(best: Copy, copies: Sequence[Copy], policy: Policy) -> tuple[str, dict[str, int], bool]:
    text, _ = split_note(best.note)
    lines: dict[str, None] = {}
    for copy in copies:
        body, signatures = split_note(copy.note)
        if body == text:
            lines.update(dict.fromkeys(line for *_, line in signatures))
    note = text + "\n" + "".join(lines)
    known = [policy.logs[0].verifier, *(witness.verifier for witness in policy.witnesses)]
    cosigned = {s.name: s.timestamp for s in open_note(note, known).signatures if s.timestamp is not None}
    try:
        policy.check(note)
    except PolicyError:
        return note, cosigned, False
    return note, cosigned, True
