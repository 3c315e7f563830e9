"""Checkpoints with the signatures that matter here, and the body of `add-checkpoint` (tlog-witness)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from kulla.journal.checkpoint import Checkpoint, parse_checkpoint, parse_size
from kulla.journal.errors import JournalError, NoteError
from kulla.journal.note import CosignerKey, Verifier, open_note, split_note, unb64
from kulla.mirror.messages import Refused

MAX_PROOF = 63
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})\Z")


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint with the log's verified signature line and, once cosigned, ours."""

    checkpoint: Checkpoint
    log_line: str
    cosignature: str = ""

    @property
    def note(self) -> bytes:
        """The signed note; signatures by anyone else were dropped."""
        return f"{self.checkpoint.body()}\n{self.log_line}{self.cosignature}".encode()

    def cosigned(self, key: CosignerKey, unixtime: int) -> SignedCheckpoint:
        """The same with our cosignature of that time (seconds)."""
        return replace(self, cosignature=key.cosign(self.checkpoint.body(), unixtime))


def open_checkpoint(note: bytes, log_key: Verifier, cosigner: Verifier | None = None) -> SignedCheckpoint:
    """Verify a checkpoint's signature by the log and, if given, by the cosigner. Raises NoteError.

    The origin must be the log's name: in Kulla they are the same.
    """
    opened = open_note(note, [log_key] if cosigner is None else [log_key, cosigner])
    lines = {(s.name, s.key_id): s.line for s in opened.signatures}
    log_line = lines.get((log_key.name, log_key.key_id))
    if log_line is None:
        raise NoteError("The checkpoint is not signed by the log's key.")
    checkpoint = parse_checkpoint(opened.text)
    if checkpoint.origin != log_key.name:
        raise NoteError("The checkpoint is of another log.")
    if cosigner is None:
        return SignedCheckpoint(checkpoint, log_line)
    cosignature = lines.get((cosigner.name, cosigner.key_id))
    if cosignature is None:
        raise NoteError("The checkpoint is not cosigned by this mirror.")
    return SignedCheckpoint(checkpoint, log_line, cosignature)


@dataclass(frozen=True, slots=True)
class Submission:
    """The body of `add-checkpoint`, taken apart; nothing is verified yet."""

    old_size: int
    proof: list[bytes]
    note: bytes
    origin: str


def parse_submission(body: bytes) -> Submission:
    """Read `old N`, proof lines, an empty line and a checkpoint. Raises Refused 400."""
    malformed = Refused(400, "The body must be an old size line, a proof, an empty line and a checkpoint.")
    head, gap, note = body.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
        match = _OLD.match(lines[0])
        if not match or not gap or len(lines) - 1 > MAX_PROOF:
            raise malformed
        proof = [unb64(line) for line in lines[1:]]
        if any(len(item) != 32 for item in proof):
            raise malformed
        text, _ = split_note(note.decode())
        origin = parse_checkpoint(text).origin
        return Submission(parse_size(match[1]), proof, note, origin)
    except (UnicodeDecodeError, JournalError):
        raise malformed from None
