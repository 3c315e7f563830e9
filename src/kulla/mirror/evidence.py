"""What proves to a stranger that a journal told two stories: two checkpoints that its own key signed.

    kulla-evidence/1 fork | shrunk
    seen <time, UTC> by <mirror's name>

    -----BEGIN CHECKPOINT-----      the one of the smaller tree (of a fork), or the one that was seen first
    signed note
    -----END CHECKPOINT-----
    -----BEGIN CHECKPOINT-----
    signed note
    -----END CHECKPOINT-----
    other-root <base64>             only of a fork with two sizes: the root that the larger tree had at the smaller
    proof <base64>                  size, and its consistency proof (RFC 6962), a line for each hash

A *fork* is proven when both notes are signed by the log and (a) they have one size and two roots, or (b) the proof
leads from `other-root` to the larger tree's root and `other-root` is not what the smaller note says. `shrunk` holds
what an origin served first and what it served later: who reads it must take the mirror's word for the order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kulla.journal.checkpoint import Checkpoint, parse_checkpoint
from kulla.journal.errors import FormatError, JournalError, ProofError
from kulla.journal.merkle import verify_consistency
from kulla.journal.note import Verifier, b64, open_note, unb64

MAX_EVIDENCE = 256 * 1024
_FORM = re.compile(
    r"kulla-evidence/1 (fork|shrunk)\nseen ([0-9TZ:-]+) by ([^\n]+)\n\n"
    r"-----BEGIN CHECKPOINT-----\n(.+?)-----END CHECKPOINT-----\n"
    r"-----BEGIN CHECKPOINT-----\n(.+?)-----END CHECKPOINT-----\n"
    r"(?:other-root ([A-Za-z0-9+/=]+)\n((?:proof [A-Za-z0-9+/=]+\n)*))?\Z",
    re.DOTALL,
)


@dataclass(frozen=True)
class Evidence:
    """Two notes by one log. `other_root` and `proof` only for a fork between two sizes."""

    kind: str
    first: str
    second: str
    other_root: bytes | None = None
    proof: tuple[bytes, ...] = ()

    def text(self, seen: str, by: str) -> str:
        """The file."""
        lines = [f"kulla-evidence/1 {self.kind}\nseen {seen} by {by}\n\n"]
        for note in (self.first, self.second):
            lines.append(f"-----BEGIN CHECKPOINT-----\n{note}-----END CHECKPOINT-----\n")
        if self.other_root is not None:
            lines.append(f"other-root {b64(self.other_root)}\n")
            lines += [f"proof {b64(item)}\n" for item in self.proof]
        return "".join(lines)


def parse_evidence(text: str) -> Evidence:
    """Read such a file. Raises FormatError."""
    match = _FORM.match(text) if len(text) <= MAX_EVIDENCE else None
    if match is None:
        raise FormatError("This is no evidence of version 1.")
    kind, _, _, first, second, root, proof = match.groups()
    try:
        hashes = tuple(unb64(line.removeprefix("proof ")) for line in (proof or "").splitlines())
        return Evidence(kind, first, second, unb64(root) if root else None, hashes)
    except JournalError as error:
        raise FormatError(f"The evidence cannot be read: {error}") from None


def _opened(note: str, key: Verifier) -> Checkpoint:
    checkpoint = parse_checkpoint(open_note(note, [key]).text)
    if checkpoint.origin != key.name:
        raise ProofError("A checkpoint in it is of another journal.")
    return checkpoint


def judge(evidence: Evidence, key: Verifier) -> str:
    """What the evidence proves about the journal with this key, as one sentence. Raises JournalError if nothing."""
    a, b = _opened(evidence.first, key), _opened(evidence.second, key)
    if evidence.kind == "shrunk":
        if b.size >= a.size:
            raise ProofError("The later checkpoint is not smaller than the first: nothing is proven.")
        return (
            f"{key.name} signed a journal of {a.size} entries; by the word of the mirror that saw it, it served one "
            f"of {b.size} later."
        )
    if a.size == b.size:
        if a.root == b.root:
            raise ProofError("Both checkpoints say the same: nothing is proven.")
        return f"{key.name} signed two different journals of {a.size} entries. This is a fork, proven."
    if evidence.other_root is None or a.size > b.size or evidence.other_root == a.root:
        raise ProofError("The checkpoints do not contradict each other: nothing is proven.")
    verify_consistency(a.size, b.size, evidence.other_root, b.root, evidence.proof)
    return (
        f"{key.name} signed a journal of {b.size} entries that does not begin with the {a.size} entries which it"
        " had signed. This is a fork, proven."
    )
