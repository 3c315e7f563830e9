"""The sequencer's steps on disk: stage, then the mirrors, then publish. The caller holds the folder's lock.

1. `stage` gives the new entries their indexes, seals them as one segment, appends them to the tree, signs the
   checkpoint, and writes all of it as ONE durable file, `staged`. Only then may anybody see the signature.
2. The mirrors store and cosign (mirror_client).
3. `publish` writes segment, bundles and tiles, then the cosigned checkpoint. `clear_staged` ends the round.

After a crash `load_staged` gives the same object that `stage` gave, and the same steps 2 and 3 run: each of them
does no harm when repeated. A staged checkpoint is never replaced by another of the same size: `stage` refuses
while there is one, since a mirror may have seen its signature.

    staged = "KSTG" ‖ version 0x01 ‖ SHA-256(body) ‖ body
    body   = length u32 ‖ checkpoint note signed by the log ‖ count u32 ‖ uuids (16 bytes each) ‖ segment
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from .checkpoint import Checkpoint, parse_checkpoint
from .claims import leaf_of
from .errors import FormatError, JournalError, MissingError, StagedError
from .merkle import EMPTY_ROOT, leaf_hash
from .note import Signer, Verifier, open_note, sign_note, split_note
from .policy import Policy
from .segment import encode_segment, parse_header, parse_segment, seal_segment
from .store import LogFolder, LogStore, segment_path
from .tiles import (
    WIDTH,
    Edge,
    TileReader,
    decode_bundle,
    encode_bundle,
    new_bundles,
    outdated_partials,
    tile_path,
)

MAGIC = b"KSTG\x01"
_COUNT = struct.Struct(">I")
STAGED = "staged"


@dataclass(frozen=True)
class Staged:
    """A round on its way: entries [first, next) with the log-signed checkpoint of size `next`."""

    first: int
    next: int
    note: str
    checkpoint: Checkpoint
    segment: bytes
    uuids: tuple[UUID, ...]
    leaves: tuple[bytes, ...]
    tiles: dict[str, bytes]

    @property
    def segment_header(self) -> bytes:
        """The segment's header, as receipts carry it."""
        return parse_header(self.segment)[2]

    @property
    def sealed(self) -> list[bytes]:
        """The sealed payloads, in order."""
        return parse_segment(self.segment).sealed


# --- What is published ------------------------------------------------------------------------------------------


def published(folder: LogFolder, key: Verifier) -> Checkpoint:
    """The folder's published checkpoint, its log signature verified; size 0 for a new folder. Raises NoteError."""
    note = folder.read_checkpoint_note()
    if note is None:
        return Checkpoint(key.name, 0, EMPTY_ROOT)
    checkpoint = parse_checkpoint(open_note(note, [key]).text)
    if checkpoint.origin != key.name:
        raise JournalError(f"The checkpoint in {folder.path} is of another journal.")
    return checkpoint


def reader(folder: LogStore, checkpoint: Checkpoint) -> TileReader:
    """Hashes of the tree under a checkpoint, authenticated against its root."""
    return TileReader(folder.read, checkpoint.size, checkpoint.root)


def read_leaves(folder: LogStore, start: int, end: int, size: int) -> list[bytes]:
    """The leaf data [start, end) of the tree of `size` from the entry bundles; not authenticated.

    Raises MissingError, FormatError.
    """
    found: list[bytes] = []
    while start < end:
        n, at = divmod(start, WIDTH)
        width = min(WIDTH, size - n * WIDTH)
        bundle = decode_bundle(_bundle(folder, n, width))
        if len(bundle) != width:
            raise FormatError(f"{tile_path('entries', n, width)} holds {len(bundle)} entries.")
        part = bundle[at : min(width, end - n * WIDTH)]
        found += part
        start += len(part)
    return found


def _bundle(folder: LogStore, n: int, width: int) -> bytes:
    try:
        return folder.read(tile_path("entries", n, width))
    except MissingError:
        if width == WIDTH:
            raise
        return encode_bundle(decode_bundle(folder.read(tile_path("entries", n)))[:width])


def _append(folder: LogFolder, at: Checkpoint, leaves: Sequence[bytes]) -> tuple[dict[str, bytes], Edge]:
    """Tiles and entry bundles for appending leaves to the published tree, and the new edge. O(leaves + log)."""
    tiles, edge = Edge.read(folder.read, at.size, at.root).append([leaf_hash(leaf) for leaf in leaves])
    n, width = divmod(at.size, WIDTH)
    partial = _bundle(folder, n, width) if width else b""
    return {**new_bundles(at.size, partial, leaves), **tiles}, edge


# --- 1. stage ---------------------------------------------------------------------------------------------------


def stage(
    folder: LogFolder,
    signer: Signer,
    entries: Sequence[tuple[UUID, bytes, bytes]],
    recipients: Sequence[bytes],
) -> Staged:
    """Stage entries (uuid, payload bytes, SHA-256 of the claims in plain) for X25519 recipients; durable on return.

    Raises StagedError while another round is staged, NoteError or ProofError when the folder is damaged, OSError.
    """
    if folder.exists(STAGED):
        raise StagedError("A checkpoint is staged already: it must be published before the next.")
    before = published(folder, signer.verifier)
    header, sealed = seal_segment(before.size, [payload for _, payload, _ in entries], recipients)
    hashes = [claims_hash for _, _, claims_hash in entries]
    if any(len(h) != 32 for h in hashes):
        raise FormatError("The hash of an entry's claims must have 32 bytes.")
    leaves = [leaf_of(blob, claims_hash) for blob, claims_hash in zip(sealed, hashes, strict=True)]
    tiles, edge = _append(folder, before, leaves)
    checkpoint = Checkpoint(before.origin, edge.size, edge.root())
    note = sign_note(checkpoint.body(), signer.sign)
    segment = encode_segment(header, sealed, hashes)
    uuids = tuple(uuid for uuid, _, _ in entries)
    folder.replace(STAGED, _encode_staged(note, uuids, segment))
    return Staged(before.size, edge.size, note, checkpoint, segment, uuids, tuple(leaves), tiles)


def adopt(folder: LogFolder, note: str, segment: bytes, uuids: Sequence[UUID], key: Verifier) -> Staged:
    """Stage again a round that this folder lost but whose signed checkpoint a mirror keeps as pending.

    `note` carries the log's signature, `segment` is its stored segment; the folder must be published up to the
    segment's first entry. The root is recomputed. For rebuild. Raises JournalError.
    """
    if folder.exists(STAGED):
        raise StagedError("A checkpoint is staged already: it must be published before the next.")
    data = _encode_staged(note, uuids, segment)
    staged = _decode_staged(folder, data, key)
    if published(folder, key).size != staged.first:
        raise StagedError(f"The journal must be published up to entry {staged.first} first.")
    folder.replace(STAGED, data)
    return staged


def load_staged(folder: LogFolder, key: Verifier) -> Staged | None:
    """The round that a crash interrupted, or None. `key` is the log's. Raises StagedError when it is damaged."""
    try:
        data = folder.read(STAGED)
    except MissingError:
        return None
    return _decode_staged(folder, data, key)


def _encode_staged(note: str, uuids: Sequence[UUID], segment: bytes) -> bytes:
    text = note.encode()
    body = (
        _COUNT.pack(len(text)) + text + _COUNT.pack(len(uuids)) + b"".join([u.bytes for u in uuids]) + segment
    )
    return MAGIC + hashlib.sha256(body).digest() + body


def _decode_staged(folder: LogFolder, data: bytes, key: Verifier) -> Staged:
    body = data[len(MAGIC) + 32 :]
    if not data.startswith(MAGIC) or hashlib.sha256(body).digest() != data[len(MAGIC) : len(MAGIC) + 32]:
        raise StagedError(f"The staged file in {folder.path} is damaged.")
    end = 4 + _COUNT.unpack_from(body)[0]
    note = body[4:end].decode()
    start = end + 4 + 16 * _COUNT.unpack_from(body, end)[0]
    uuids = tuple(UUID(bytes=body[i : i + 16]) for i in range(end + 4, start, 16))
    segment = parse_segment(body[start:])
    leaves = tuple(segment.leaves())
    checkpoint = parse_checkpoint(open_note(note, [key]).text)
    before = published(folder, key)
    tiles: dict[str, bytes] = {}
    if before.size == segment.first:
        tiles, edge = _append(folder, before, leaves)
        if edge.root() != checkpoint.root:
            raise StagedError("The staged entries do not give the root of the staged checkpoint.")
    elif before != checkpoint:  # else: the crash came after publishing, before clearing
        raise StagedError("The staged checkpoint does not continue the published one.")
    if not (segment.next == checkpoint.size and len(uuids) == len(leaves) and checkpoint.origin == key.name):
        raise StagedError("The staged checkpoint and its segment are not of one size.")
    return Staged(segment.first, segment.next, note, checkpoint, body[start:], uuids, leaves, tiles)


# --- 3. publish -------------------------------------------------------------------------------------------------


def publish(folder: LogFolder, staged: Staged, cosigned_note: str, policy: Policy | None = None) -> None:
    """Publish a round: its files, then its cosigned checkpoint. Durable on return; again does no harm.

    With a policy the quorum is checked once more. Raises PolicyError, StagedError, ImmutableError, OSError.
    """
    if policy is not None:
        policy.check(cosigned_note)
    if split_note(cosigned_note)[0] != split_note(staged.note)[0]:
        raise StagedError("The cosigned checkpoint is not the staged one.")
    before = folder.read_checkpoint_note()
    if before is not None and parse_checkpoint(split_note(before)[0]).size >= staged.next:
        return
    folder.put_many({segment_path(staged.first, staged.next): staged.segment, **staged.tiles})
    folder.write_checkpoint_note(cosigned_note)
    for path in outdated_partials(staged.first, staged.next):
        folder.remove(path)


def clear_staged(folder: LogFolder, staged: Staged) -> None:
    """End the round. Call when whoever needs `staged.uuids` has noted them durably. Raises StagedError."""
    note = folder.read_checkpoint_note()
    if note is None or parse_checkpoint(split_note(note)[0]).size < staged.next:
        raise StagedError("The staged checkpoint has not been published.")
    folder.remove(STAGED)
