"""Offline proofs of logging (C2SP tlog-proof): the index, the inclusion proof, the checkpoint, and extra data."""

from dataclasses import dataclass

from .checkpoint import parse_size
from .errors import FormatError, NoteError
from .note import b64, unb64

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF = 8_000_000  # characters
MAX_HASHES = 63


@dataclass(frozen=True)
class Proof:
    """That the leaf at `index` is in the tree of the signed checkpoint `checkpoint_note`.

    `extra` is opaque and not authenticated by the proof itself; None where there is none.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint_note: str
    extra: bytes | None = None

    def encode(self) -> str:
        """The proof as text (a `.tlog-proof` file)."""
        extra = [] if self.extra is None else [f"extra {b64(self.extra)}"]
        lines = [HEADER, *extra, f"index {self.index}", *(b64(h) for h in self.hashes), "", ""]
        return "\n".join(lines) + self.checkpoint_note

    @classmethod
    def parse(cls, text: str) -> "Proof":
        """Read a proof. Raises FormatError. Verifies nothing but the form."""
        if len(text) > MAX_PROOF:
            raise FormatError("The proof is too long.")
        head, blank, note = text.partition("\n\n")
        if not blank or not note:
            raise FormatError("The proof has no checkpoint.")
        lines = head.split("\n")
        if lines[0] != HEADER:
            raise FormatError(f"The proof does not begin with {HEADER}.")
        rest = lines[1:]
        try:
            extra = None
            if rest and rest[0].startswith("extra "):
                extra = unb64(rest.pop(0)[len("extra ") :])
            if not rest or not rest[0].startswith("index "):
                raise FormatError("The proof has no index line.")
            index = parse_size(rest.pop(0)[len("index ") :])
            hashes = tuple(unb64(line) for line in rest)
        except NoteError as e:
            raise FormatError(f"The proof is malformed: {e}") from e
        if len(hashes) > MAX_HASHES or any(len(h) != 32 for h in hashes):
            raise FormatError("The proof's hashes are malformed.")
        return cls(index, hashes, note, extra)
