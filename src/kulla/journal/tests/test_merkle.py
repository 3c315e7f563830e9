"""Roots and proofs against the draft's accumulated vectors, direct computation, and mutations."""

import hashlib
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulla.journal import merkle
from kulla.journal.errors import ProofError

LEAVES = [merkle.leaf_hash(bytes([i])) for i in range(200)]
READER = merkle.LeafHashes(LEAVES)


@cache
def mth(start: int, end: int) -> bytes:
    """RFC 6962 §2.1 word for word: the slow, obviously right one."""
    if start == end:
        return hashlib.sha256(b"").digest()
    if end - start == 1:
        return LEAVES[start]
    k = 1
    while k * 2 < end - start:
        k *= 2
    return hashlib.sha256(b"\x01" + mth(start, start + k) + mth(start + k, end)).digest()


def subtrees(limit: int) -> list[tuple[int, int]]:
    return [(s, e) for e in range(limit + 1) for s in range(e + 1) if merkle.valid_subtree(s, e)]


def test_subtree_hashes_match_the_drafts_accumulated_vector() -> None:
    h = hashlib.sha256()
    for start, end in subtrees(130):
        h.update(f"[{start}, {end}) {merkle.subtree_root(READER, start, end).hex()}\n".encode())
    assert h.hexdigest() == "b82806ad4265bb151c1119c0f4db437bb4d1a1f887b3a7fba1cd4ebf552e3e81"


def test_subtree_consistency_proofs_match_the_drafts_accumulated_vector_and_verify() -> None:
    h = hashlib.sha256()
    for n in range(131):
        for start, end in subtrees(n):
            proof = merkle.subtree_consistency_proof(READER, start, end, n)
            merkle.verify_subtree_consistency(start, end, n, proof, mth(start, end), mth(0, n))
            h.update((f"[{start}, {end}) {n}" + "".join(f" {p.hex()}" for p in proof) + "\n").encode())
    assert h.hexdigest() == "10fa99b37bf9bf9ffa26b412fbd98bd75363256d0b75d61bc4538b9c9c5a0a74"


def test_root_hash_equals_the_definition() -> None:
    assert [merkle.root_hash(LEAVES[:n]) for n in range(131)] == [mth(0, n) for n in range(131)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_inclusion_proofs_verify_and_mutated_ones_are_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 200))
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(READER, index, size)
    root = mth(0, size)
    merkle.verify_inclusion(LEAVES[index], index, size, proof, root)
    bad: list[tuple[bytes, int, int, list[bytes], bytes]] = [
        (merkle.leaf_hash(b"other"), index, size, proof, root),
        (LEAVES[index], index, size, [*proof, root], root),
        (LEAVES[index], index, size, proof, merkle.leaf_hash(b"x")),
        (LEAVES[index], size, size, proof, root),
        (LEAVES[index], -1, size, proof, root),
    ]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        bad.append((LEAVES[index], index, size, proof[:at] + proof[at + 1 :], root))
        bad.append((LEAVES[index], index, size, [*proof[:at], bytes(32), *proof[at + 1 :]], root))
        other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index))
        bad.append((LEAVES[index], other, size, proof, root))
    for arguments in bad:
        with pytest.raises(ProofError):
            merkle.verify_inclusion(*arguments)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_consistency_proofs_verify_and_mutated_ones_are_refused(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 200))
    old = data.draw(st.integers(1, new - 1))
    proof = merkle.consistency_proof(READER, old, new)
    merkle.verify_consistency(old, new, mth(0, old), mth(0, new), proof)
    at = data.draw(st.integers(0, len(proof) - 1))
    for old_root, new_root, hashes in [
        (bytes(32), mth(0, new), proof),
        (mth(0, old), bytes(32), proof),
        (mth(0, old), mth(0, new), [*proof, bytes(32)]),
        (mth(0, old), mth(0, new), proof[:at] + proof[at + 1 :]),
        (mth(0, old), mth(0, new), [*proof[:at], bytes(32), *proof[at + 1 :]]),
    ]:
        with pytest.raises(ProofError):
            merkle.verify_consistency(old, new, old_root, new_root, hashes)


def test_the_edges_of_consistency() -> None:
    assert merkle.consistency_proof(READER, 0, 7) == []
    merkle.verify_consistency(0, 7, merkle.EMPTY_ROOT, mth(0, 7), [])
    merkle.verify_consistency(7, 7, mth(0, 7), mth(0, 7), [])
    with pytest.raises(ProofError):
        merkle.verify_consistency(7, 7, mth(0, 7), mth(0, 6), [])
    with pytest.raises(ProofError):
        merkle.verify_consistency(8, 7, mth(0, 8), mth(0, 7), [])
    with pytest.raises(ProofError):
        merkle.subtree_root(READER, 3, 6)


def test_a_hash_that_fits_a_smaller_tree_proves_nothing_about_the_claimed_size() -> None:
    with pytest.raises(ProofError, match="too short"):
        merkle.verify_inclusion(LEAVES[0], 0, 2, [], LEAVES[0])
    with pytest.raises(ProofError, match="too short"):
        merkle.verify_consistency(2, 4, mth(0, 2), mth(0, 2), [])
    with pytest.raises(ProofError, match="too short"):
        merkle.verify_consistency(3, 4, mth(0, 3), mth(0, 4), [])
