"""Receipts: a C2SP tlog-proof whose extra data makes it whole, so that it verifies offline and brings its record back.

extra = base64 of JSON {"v": 1, "claims": b64, "sealed": b64, "segment": b64, "holder_salt": b64}: the claims in
plain, the sealed payload, the header of its segment (with a holders' key it opens the payload), and, in the
citizen's own copy only, the salt that proves whose the receipt is.
"""

import json
from dataclasses import dataclass

from .checkpoint import Checkpoint, parse_checkpoint
from .claims import leaf_data
from .errors import FormatError, JournalError, ProofError
from .merkle import HashReader, inclusion_proof, leaf_hash, verify_inclusion
from .note import b64, split_note, unb64
from .proof import Proof
from .store import LogFolder
from .tiles import TileReader

VERSION = 1
_REQUIRED = ("claims", "sealed", "segment")


@dataclass(frozen=True)
class Receipt:
    """A receipt taken apart; what is in it is verified by `verify.verify_receipt`, not here."""

    proof: Proof
    claims: bytes
    sealed: bytes
    segment_header: bytes
    holder_salt: bytes | None

    @property
    def text(self) -> str:
        """The file that the citizen keeps."""
        return self.proof.encode()

    @property
    def leaf_hash(self) -> bytes:
        """The hash that the tree holds for this entry, computed from the receipt's own bytes."""
        return leaf_hash(leaf_data(self.sealed, self.claims))

    @classmethod
    def build(
        cls,
        source: LogFolder | HashReader,
        index: int,
        checkpoint_note: str,
        claims: bytes,
        sealed: bytes,
        segment_header: bytes,
        holder_salt: bytes | None = None,
    ) -> "Receipt":
        """A receipt for entry `index` under a cosigned checkpoint. `claims` in plain, b"" for none.

        The proof is checked before it is given out: raises ProofError when these bytes are not entry `index`,
        MissingError when the folder lacks a tile.
        """
        checkpoint = parse_checkpoint(split_note(checkpoint_note)[0])
        reader = _reader(source, checkpoint)
        hashes = inclusion_proof(reader, index, checkpoint.size)
        leaf = leaf_hash(leaf_data(sealed, claims))
        try:
            verify_inclusion(leaf, index, checkpoint.size, hashes, checkpoint.root)
        except ProofError as e:
            raise ProofError(f"The claims and the payload are not those of entry {index}.") from e
        fields = {"v": VERSION, "claims": b64(claims), "sealed": b64(sealed), "segment": b64(segment_header)}
        if holder_salt is not None:
            fields["holder_salt"] = b64(holder_salt)
        extra = json.dumps(fields, separators=(",", ":")).encode()
        proof = Proof(index, tuple(hashes), checkpoint_note, extra)
        return cls(proof, claims, sealed, segment_header, holder_salt)

    @classmethod
    def parse(cls, text: str) -> "Receipt":
        """Read a receipt; only its form is checked. Raises FormatError."""
        proof = Proof.parse(text)
        if proof.extra is None:
            raise FormatError("The receipt has no extra line, so it does not say what it is about.")
        try:
            # Decoded here: json would take UTF-16 too, which other readers do not.
            fields = json.loads(proof.extra.decode("utf-8"), parse_constant=_refuse)
        except (ValueError, RecursionError) as e:
            raise FormatError("The receipt's extra line is not JSON.") from e
        if not isinstance(fields, dict) or fields.get("v") is True or fields.get("v") != VERSION:
            raise FormatError("The receipt is of a version that is not known here.")
        values: dict[str, bytes] = {}
        for name in (*_REQUIRED, "holder_salt"):
            value = fields.get(name)
            if value is None and name not in _REQUIRED:
                continue
            if not isinstance(value, str):
                raise FormatError(f"The receipt's extra line has no {name}.")
            try:
                values[name] = unb64(value)
            except JournalError as e:
                raise FormatError(f"In the receipt's extra line {name} is not base64.") from e
        return cls(proof, values["claims"], values["sealed"], values["segment"], values.get("holder_salt"))


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")  # Python's json would read it


def _reader(source: LogFolder | HashReader, checkpoint: Checkpoint) -> HashReader:
    if isinstance(source, LogFolder):
        return TileReader(source.read, checkpoint.size, checkpoint.root)
    return source
