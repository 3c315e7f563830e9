"""Checkpoints (C2SP tlog-checkpoint v1.0.0): origin, size, root, one to a line, as the text of a signed note."""

import re
from dataclasses import dataclass

from .errors import NoteError
from .note import b64, unb64

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class Checkpoint:
    """The journal's state: `size` leaves with Merkle root `root` (32 bytes)."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def body(self) -> str:
        """The note text that is signed and cosigned."""
        lines = (self.origin, str(self.size), b64(self.root), *self.extensions)
        return "".join(line + "\n" for line in lines)


def parse_size(text: str) -> int:
    """An ASCII decimal without leading zeros, below 2**63. Raises NoteError."""
    if not _SIZE.fullmatch(text) or int(text) >= 1 << 63:
        raise NoteError("A size is not a plain decimal number.")
    return int(text)


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's body (a note's text, without its signatures). Raises NoteError.

    Says nothing about signatures: open the note first.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] != "" or "" in lines[:-1]:
        raise NoteError("A checkpoint needs three or more non-empty lines.")
    root = unb64(lines[2])
    if len(root) != 32:
        raise NoteError("A checkpoint's root hash must have 32 bytes.")
    return Checkpoint(lines[0], parse_size(lines[1]), root, tuple(lines[3:-1]))
