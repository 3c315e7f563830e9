"""Strangers' readers, written from the specifications, read what we write; and every proof is the defined one."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulla.journal import merkle, tiles
from kulla.journal.errors import FormatError, ProofError
from kulla.journal.tests import outsider
from kulla.journal.tests.demo import DemoJournal
from kulla.journal.tests.forged import INDEX, ROUNDS, Case
from kulla.journal.tests.test_forged import forge_leaf_and_tile


@pytest.fixture
def journal(tmp_path: Path) -> DemoJournal:
    demo = DemoJournal(tmp_path / "journal")
    for count in ROUNDS:
        demo.round(count)
    return demo


def from_folder(folder: Path) -> outsider.Get:
    return lambda name: (folder / name).read_bytes() if (folder / name).is_file() else None


def test_a_stranger_audits_the_folder(journal: DemoJournal) -> None:
    folder = Path(journal.folder.path)
    size, entries = outsider.audit(from_folder(folder), journal.signer.vkey)
    assert (size, len(entries), {len(entry) for entry in entries}) == (705, 705, {65})
    forge_leaf_and_tile(journal)
    with pytest.raises(AssertionError, match="is not what is below it"):
        outsider.audit(from_folder(folder), journal.signer.vkey)


def test_a_stranger_verifies_a_receipt(journal: DemoJournal) -> None:
    case = Case.of(journal)
    index, leaf, extra = outsider.holds(case.text, case.policy)
    assert (index, leaf, extra["v"]) == (INDEX, case.good.leaf_hash, 1)
    with pytest.raises(AssertionError):
        outsider.holds(case.text.replace("index 301", "index 302"), case.policy)


def test_the_outsider_imports_nothing_of_ours() -> None:
    """In an interpreter that can see no other code of this project."""
    program = (
        "import runpy, sys; runpy.run_path(sys.argv[1]); assert not any('kulla' in m for m in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, outsider.__file__], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


# --- Proofs against their definitions --------------------------------------------------------------------------


def read_tiles(leaves: list[bytes], step: int) -> tiles.TileReader:
    """The tree over these leaf hashes, appended in steps, read back from its tiles."""
    files: dict[str, bytes] = {}
    edge = tiles.Edge(0, ())
    while edge.size < len(leaves):
        new, edge = edge.append(leaves[edge.size : edge.size + step])
        files.update(new)
    return tiles.TileReader(files.__getitem__, edge.size, edge.root())


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_every_proof_is_the_one_of_the_definition(data: st.DataObject) -> None:
    """Random trees of random leaves: roots, paths and consistency proofs by RFC 6962's recursion, and by tiles."""
    size = data.draw(st.one_of(st.integers(1, 40), st.integers(200, 1100)), "size")
    seed = data.draw(st.binary(min_size=1, max_size=8), "seed")
    leaves = [merkle.leaf_hash(seed + i.to_bytes(4, "big")) for i in range(size)]
    reader = read_tiles(leaves, data.draw(st.integers(1, 400), "step"))
    root = outsider.mth(leaves)
    assert reader.root == root == merkle.root_hash(leaves)
    index = data.draw(st.integers(0, size - 1), "index")
    proof = merkle.inclusion_proof(reader, index, size)
    assert proof == outsider.path(index, leaves)
    assert outsider.climb(leaves[index], index, size, proof) == root
    merkle.verify_inclusion(leaves[index], index, size, proof, root)
    old = data.draw(st.integers(1, size), "old")
    consistency = merkle.consistency_proof(reader, old, size)
    assert consistency == outsider.subproof(old, leaves, True)
    merkle.verify_consistency(old, size, outsider.mth(leaves[:old]), root, consistency)
    # any other tree, index, size or leaf is refused
    other = merkle.leaf_hash(b"other" + seed)
    wrong = [
        (other, index, size, root),
        (leaves[index], index, size, other),
        (leaves[index], index, size + 1, outsider.mth([*leaves, other])),
    ]
    if size > 1:
        wrong.append((leaves[index], (index + 1) % size, size, root))
    for leaf, at, of, top in wrong:
        with pytest.raises(ProofError):
            merkle.verify_inclusion(leaf, at, of, proof, top)
    forged = [*leaves[: old - 1], other]
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, size, outsider.mth(forged), root, consistency)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_hold_any_entries_and_nothing_else(entries: list[bytes]) -> None:
    bundle = tiles.encode_bundle(entries)
    assert tiles.decode_bundle(bundle) == entries
    for cut in range(1, min(len(bundle), 3)):
        if entries[-1:] and len(entries[-1]) >= cut:
            with pytest.raises(FormatError):
                tiles.decode_bundle(bundle[:-cut])


def test_what_published_vectors_found_stays_found() -> None:
    """Hashes that are none, and two empty trees with different roots: refused since others' vectors were run."""
    with pytest.raises(ProofError, match="32 bytes"):
        merkle.verify_inclusion(b"", 0, 1, [], b"")
    with pytest.raises(ProofError, match="different roots"):
        merkle.verify_consistency(0, 0, merkle.EMPTY_ROOT, b"x" * 32, [])


# The words that transparency-dev/tessera appends one by one to the log that it keeps for its tests, and what all
# files of that log give: SHA-256 over "path SHA-256\n" in the order of their paths.
TESSERA = "one two three four five six seven eit nain ten ileven twelf threeten fourten fivten"
TESSERA_DIGEST = "fd9f2102a9bf867a2f4034caaf3f305a2f953043d1d5b1cb5f57b429d33c04f6"


def test_our_appending_gives_the_files_of_another_log() -> None:
    files: dict[str, bytes] = {}
    edge, partial = tiles.Edge(0, ()), b""
    for word in TESSERA.split(" "):
        bundles = tiles.new_bundles(edge.size, partial, [word.encode()])
        partial = next(iter(bundles.values()))
        made, edge = edge.append([merkle.leaf_hash(word.encode())])
        files |= bundles | made
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name} {hashlib.sha256(files[name]).hexdigest()}\n".encode())
    assert digest.hexdigest() == TESSERA_DIGEST
