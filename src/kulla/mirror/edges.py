"""What a log copy reads at its start: its state files and the right edge of its tree, made again where it is lost."""

from __future__ import annotations

import contextlib
import hashlib
import logging

from kulla.journal.errors import MissingError, NoteError, ProofError
from kulla.journal.merkle import leaf_hash, root_hash
from kulla.journal.note import Verifier
from kulla.journal.segment import parse_segment
from kulla.journal.store import segment_path
from kulla.journal.tiles import (
    HASH,
    WIDTH,
    Edge,
    decode_bundle,
    edge_widths,
    encode_bundle,
    parse_tile_path,
    tile_path,
)
from kulla.mirror.entries import FRAME
from kulla.mirror.notes import SignedCheckpoint, open_checkpoint
from kulla.mirror.stores import Store

log = logging.getLogger("kulla.mirror")


def abandoned_path(note: bytes) -> str:
    """Where a pending checkpoint is kept that an operator has set aside."""
    return f"abandoned/{hashlib.sha256(note).hexdigest()}"


def read_note(
    store: Store, name: str, log_key: Verifier, cosigner: Verifier | None = None
) -> SignedCheckpoint | None:
    """The furthest valid version of a state file: whoever put an older one on top gains nothing.

    None when there is none. Raises NoteError when none of its versions is valid.
    """
    best: SignedCheckpoint | None = None
    fault: NoteError | None = None
    for n, note in enumerate(store.versions(name)):
        try:
            found = open_checkpoint(note, log_key, cosigner)
        except NoteError as error:
            fault = fault or error
            continue
        if cosigner is None and store.exists(abandoned_path(found.note)):
            continue
        if best is None or found.checkpoint.size > best.checkpoint.size:
            if n:
                log.error("ALARM: something else lay over the `%s` of size %d", name, found.checkpoint.size)
            best = found
    if best is None and fault is not None:
        raise fault
    if best is not None:
        with contextlib.suppress(MissingError):
            store.read(name)  # in a bucket: what we write next goes over this version and no other
    return best


def load_edge(store: Store, size: int, root: bytes) -> tuple[Edge, bytes]:
    """The edge of the stored tree, checked against its root, and the partial bundle, checked against the tiles.

    Raises ProofError, MissingError, FormatError.
    """
    try:
        edge = Edge.read(store.read, size, root)
        n, width = divmod(size, WIDTH)
        bundle = store.read(tile_path("entries", n, width)) if width else b""
    except MissingError:
        # Partial tiles carry no lock in a bucket, so a thief can take them: full tiles and segments give them.
        edge, bundle = rebuilt_edge(store, size, root)
        log.error("ALARM: partial tiles of size %d were missing; they were made again from segments", size)
        store.replace_many(partial_files(edge, bundle))
    if b"".join(map(leaf_hash, decode_bundle(bundle))) != (edge.partials[0] if size % WIDTH else b""):
        raise ProofError("The last entry bundle does not belong to its tile.")
    return edge, bundle


def partial_files(edge: Edge, bundle: bytes) -> dict[str, bytes]:
    """The partial tiles of an edge and its partial bundle (`bundle`, b"" when there is none), by path."""
    files = {
        tile_path(level, edge.size // WIDTH ** (level + 1), len(partial) // HASH): partial
        for level, partial in enumerate(edge.partials)
        if partial
    }
    n, width = divmod(edge.size, WIDTH)
    if width:
        files[tile_path("entries", n, width)] = bundle
    return files


def earlier_files(store: Store, edge: Edge, bundle: bytes, size: int, root: bytes) -> dict[str, bytes]:
    """The partial files of the smaller tree of `size` with `root`, for those who read that checkpoint.

    `edge` and `bundle` are of the stored tree. Raises ProofError when that tree has another root at `size`.
    """

    def fetch(path: str) -> bytes:
        level, n, width = parse_tile_path(path)
        if level != "entries" and n == edge.size // WIDTH ** (int(level) + 1):
            return edge.partials[int(level)][: width * HASH]
        return store.read(tile_path(level, n))[: width * HASH]

    earlier = Edge.read(fetch, size, root)
    n, width = divmod(size, WIDTH)
    if width:
        whole = bundle if n == edge.size // WIDTH else store.read(tile_path("entries", n))
        bundle = whole[: width * FRAME]
    return partial_files(earlier, bundle)


def rebuilt_edge(store: Store, size: int, root: bytes) -> tuple[Edge, bytes]:
    """The edge and its partial bundle from full tiles and segments alone.

    Raises MissingError, FormatError, and ProofError when they do not lead to `root`.
    """
    n, width = divmod(size, WIDTH)
    leaves: list[bytes] = []
    for first, following in store.segments(n * WIDTH) if width else ():
        if first >= size:
            break
        inside = parse_segment(store.read(segment_path(first, following))).leaves()
        leaves += inside[max(0, n * WIDTH - first) : size - first]
    if len(leaves) != width:
        raise MissingError(f"The payloads of entries {n * WIDTH} to {size - 1} are not all stored.")
    partials = []
    for level, wide in enumerate(edge_widths(size)):
        first = size // WIDTH ** (level + 1) * WIDTH
        if level == 0:
            row = [leaf_hash(leaf) for leaf in leaves]
        else:
            row = [_tile_root(store.read(tile_path(level - 1, first + i))) for i in range(wide)]
        partials.append(b"".join(row))
    edge = Edge(size, tuple(partials))
    if edge.root() != root:
        raise ProofError(f"The stored segments and tiles do not lead to the root of size {size}.")
    return edge, encode_bundle(leaves)


def _tile_root(tile: bytes) -> bytes:
    return root_hash([tile[i : i + HASH] for i in range(0, len(tile), HASH)])
