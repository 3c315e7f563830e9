"""Merkle trees as in RFC 6962 §2.1 with SHA-256: roots, and making and verifying of proofs.

Subtrees and their consistency proofs follow draft-ietf-plants-merkle-tree-certs §4 (tlog-mirror's add-entries
uses them). With `start` 0 such a proof is RFC 6962's consistency proof, with one leaf it is its inclusion proof;
so there is one generator, and the tests check it against the draft's accumulated vectors.
"""

import hashlib
from collections.abc import Sequence
from typing import Protocol

from .errors import ProofError

_sha256 = hashlib.sha256

HASH = 32  # bytes of SHA-256
EMPTY_ROOT = _sha256(b"").digest()


class HashReader(Protocol):
    """Where proofs take their hashes from."""

    def hash_at(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree over leaves [index * 2**level, (index + 1) * 2**level)."""
        ...


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 ‖ data)."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return _sha256(b"\x01" + left + right).digest()


def next_level(hashes: Sequence[bytes]) -> list[bytes]:
    """The parents of complete pairs; an odd last hash is left out."""
    # Written as one comprehension: this is where appending spends its time.
    return [_sha256(b"\x01" + hashes[i] + hashes[i + 1]).digest() for i in range(0, len(hashes) - 1, 2)]


def root_hash(leaf_hashes: Sequence[bytes]) -> bytes:
    """The Merkle tree hash over these leaf hashes; SHA-256 of nothing for the empty tree."""
    if not leaf_hashes:
        return EMPTY_ROOT
    level = list(leaf_hashes)
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        level = next_level(level) + odd
    return level[0]


class LeafHashes:
    """A HashReader over a list of leaf hashes in memory."""

    def __init__(self, leaf_hashes: Sequence[bytes]) -> None:
        self._levels = [list(leaf_hashes)]

    def hash_at(self, level: int, index: int) -> bytes:
        while len(self._levels) <= level:
            self._levels.append(next_level(self._levels[-1]))
        return self._levels[level][index]


# --- Subtrees ---------------------------------------------------------------------------------------------------


def valid_subtree(start: int, end: int) -> bool:
    """Whether [start, end) may be proven: start is a multiple of the size rounded up to a power of two."""
    size = end - start
    if start < 0 or size < 0:
        return False
    return size == 0 or start % (1 << (size - 1).bit_length()) == 0


def subtree_root(reader: HashReader, start: int, end: int) -> bytes:
    """MTH(D[start:end]) for a valid subtree, from O(log) hashes."""
    if not valid_subtree(start, end):
        raise ProofError(f"[{start}, {end}) is not a subtree.")
    if start == end:
        return EMPTY_ROOT
    peaks = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(reader.hash_at(level, start >> level))
        start += 1 << level
    return fold_peaks(peaks)


def fold_peaks(peaks: Sequence[bytes]) -> bytes:
    """The root over complete subtrees of falling sizes, leftmost first. At least one."""
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def _split(size: int) -> int:
    """The largest power of two smaller than size (size > 1)."""
    return 1 << ((size - 1).bit_length() - 1)


def subtree_consistency_proof(reader: HashReader, start: int, end: int, size: int) -> list[bytes]:
    """SUBTREE_PROOF(start, end, D_size): hashes that lead from the subtree [start, end) to the root at `size`."""
    if not (valid_subtree(start, end) and end <= size):
        raise ProofError(f"[{start}, {end}) is not a subtree of a tree of size {size}.")
    proof: list[bytes] = []
    if start == end:
        return proof
    low, high, known = 0, size, True
    # The draft's recursion walks down; what it appends after returning is collected here and reversed.
    while not (start == low and end == high):
        k = low + _split(high - low)
        if end <= k:
            proof.append(subtree_root(reader, k, high))
            high = k
        else:
            proof.append(subtree_root(reader, low, k))
            if start < k:  # the subtree straddles k, so it starts at low and its own root is not a node here
                start, known = k, False
            low = k
    if not known:
        proof.append(subtree_root(reader, low, high))
    proof.reverse()
    return proof


def verify_subtree_consistency(
    start: int, end: int, size: int, proof: Sequence[bytes], subtree: bytes, root: bytes
) -> None:
    """Check that the subtree [start, end) with hash `subtree` is in the tree of `size` with `root`.

    Steps as numbered in the draft, "Verifying a Subtree Consistency Proof". Raises ProofError.
    """
    if not (valid_subtree(start, end) and end <= size):
        raise ProofError(f"[{start}, {end}) is not a subtree of a tree of size {size}.")
    if start == end:
        if proof or subtree != EMPTY_ROOT:
            raise ProofError("The proof for an empty subtree must be empty.")
        return
    fn, sn, tn = start, end - 1, size - 1
    while fn != sn and (sn == tn or sn & 1):
        fn, sn, tn = fn >> 1, sn >> 1, tn >> 1
    rest = list(proof)
    if fn == sn:
        fr = sr = subtree
    else:
        if not rest:
            raise ProofError("The consistency proof is too short.")
        fr = sr = rest.pop(0)
    for c in rest:
        if tn == 0:
            raise ProofError("The consistency proof is too long.")
        if sn & 1 or sn == tn:
            if fn < sn:
                fr = node_hash(c, fr)
            sr = node_hash(c, sr)
            while not sn & 1:
                fn, sn, tn = fn >> 1, sn >> 1, tn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn, tn = fn >> 1, sn >> 1, tn >> 1
    if tn != 0:
        raise ProofError("The consistency proof is too short.")
    if fr != subtree:
        raise ProofError("The consistency proof does not lead to the older hash.")
    if sr != root:
        raise ProofError("The consistency proof does not lead to the root.")


# --- The two proofs of RFC 6962 --------------------------------------------------------------------------------


def consistency_proof(reader: HashReader, old: int, new: int) -> list[bytes]:
    """PROOF(old, D_new); empty for old = 0 (tlog-witness) and old = new."""
    return subtree_consistency_proof(reader, 0, old, new)


def verify_consistency(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of `old_size` is a prefix of the one of `new_size`. Raises ProofError."""
    if old_size == new_size and old_root != new_root:  # the draft's steps do not look at an empty tree's root
        raise ProofError("Two trees of one size have different roots.")
    verify_subtree_consistency(0, old_size, new_size, proof, old_root, new_root)


def inclusion_proof(reader: HashReader, index: int, size: int) -> list[bytes]:
    """PATH(index, D_size): from the leaf's sibling up to the root's child."""
    if not 0 <= index < size:
        raise ProofError(f"There is no entry {index} in a tree of size {size}.")
    return subtree_consistency_proof(reader, index, index + 1, size)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf hash `leaf` stands at `index` in the tree of `size` with `root`. Raises ProofError.

    RFC 9162 §2.1.3.2.
    """
    if not 0 <= index < size:
        raise ProofError(f"There is no entry {index} in a tree of size {size}.")
    if len(leaf) != HASH:  # of an empty "leaf" and an empty "root" one would be said to contain the other
        raise ProofError(f"A leaf's hash must have {HASH} bytes.")
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            raise ProofError("The inclusion proof is too long.")
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofError("The inclusion proof is too short.")
    if r != root:
        raise ProofError("The inclusion proof does not lead to the root.")
