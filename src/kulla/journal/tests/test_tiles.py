"""Tiles: paths and widths of the specification, appending in any steps, and no trust before the root."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulla.journal import merkle, tiles
from kulla.journal.errors import FormatError, MissingError, ProofError

LEAVES = [merkle.leaf_hash(i.to_bytes(4, "big")) for i in range(70_000)]


def store(size: int, step: int = 4096) -> dict[str, bytes]:
    """All tiles of the tree over the first `size` leaves, built in steps."""
    files: dict[str, bytes] = {}
    edge = tiles.Edge(0, ())
    while edge.size < size:
        new, edge = edge.append(LEAVES[edge.size : min(edge.size + step, size)])
        files.update(new)
    return files


def fetcher(files: dict[str, bytes]) -> tiles.Fetch:
    def fetch(path: str) -> bytes:
        if path not in files:
            raise MissingError(path)
        return files[path]

    return fetch


def test_paths_are_spelt_as_in_the_specification() -> None:
    assert tiles.tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tiles.tile_path("entries", 5, 17) == "tile/entries/005.p/17"
    for level, n, width in [(0, 0, 256), (3, 999, 1), ("entries", 1000, 255), (63, 10**9, 7)]:
        assert tiles.parse_tile_path(tiles.tile_path(level, n, width)) == (level, n, width)
    for bad in [
        "tile/00/001",
        "tile/0/1",
        "tile/0/x000/001",
        "tile/0/001.p/256",
        "tile/0/001.p/0",
        "tile/64/001",
        "tile/0/../001",
        "tile/0/001.p/01",
        "tile/0/001.p/300",
        "",
    ]:
        with pytest.raises(FormatError):
            tiles.parse_tile_path(bad)


def test_a_tree_of_70000_has_the_tiles_that_the_specification_lists() -> None:
    files = store(70_000, step=70_000)
    full = [p for p in files if ".p/" not in p]
    assert len([p for p in full if p.startswith("tile/0/")]) == 273
    assert len([p for p in full if p.startswith("tile/1/")]) == 1
    assert len(full) == 274
    assert sorted(p for p in files if ".p/" in p) == ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]
    assert set(store(256, step=256)) == {"tile/0/000", "tile/1/000.p/1"}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=6), st.data())
def test_appending_in_any_steps_gives_the_same_tree_and_proofs(steps: list[int], data: st.DataObject) -> None:
    files: dict[str, bytes] = {}
    edge = tiles.Edge(0, ())
    for step in steps:
        new, edge = edge.append(LEAVES[edge.size : edge.size + step])
        assert not set(new) & set(files)  # nothing is ever rewritten
        files.update(new)
        for path, tile in new.items():
            _, _, width = tiles.parse_tile_path(path)
            assert len(tile) == width * 32
    size = edge.size
    root = merkle.root_hash(LEAVES[:size])
    assert edge.root() == root
    reader = tiles.TileReader(fetcher(files), size, root)
    assert tiles.Edge.of(merkle.LeafHashes(LEAVES[:size]), size) == edge == reader.edge
    index = data.draw(st.integers(0, size - 1))
    merkle.verify_inclusion(LEAVES[index], index, size, merkle.inclusion_proof(reader, index, size), root)
    old = data.draw(st.integers(1, size))
    proof = merkle.consistency_proof(reader, old, size)
    merkle.verify_consistency(old, size, merkle.root_hash(LEAVES[:old]), root, proof)
    assert reader.leaf_hashes(index, size) == LEAVES[index:size]


def test_appending_writes_only_what_changed() -> None:
    edge = tiles.Edge.of(merkle.LeafHashes(LEAVES[:66_000]), 66_000)
    new, _ = edge.append(LEAVES[66_000:66_001])
    assert list(new) == ["tile/0/257.p/209"]


def test_a_leaf_and_its_level_0_tile_changed_together_are_refused() -> None:
    files = store(70_000)
    root = merkle.root_hash(LEAVES)
    forged = merkle.leaf_hash(b"forged")
    files["tile/0/003"] = files["tile/0/003"][:32] + forged + files["tile/0/003"][64:]
    reader = tiles.TileReader(fetcher(files), 70_000, root)
    with pytest.raises(ProofError, match="tile/0/003 does not lead"):
        reader.hash_at(0, 3 * 256 + 1)
    # one level further, consistently: the level-1 tile tells
    pyramid = merkle.root_hash([files["tile/0/003"][i : i + 32] for i in range(0, 8192, 32)])
    files["tile/1/000"] = files["tile/1/000"][: 3 * 32] + pyramid + files["tile/1/000"][4 * 32 :]
    with pytest.raises(ProofError, match="tile/1/000 does not lead"):
        tiles.TileReader(fetcher(files), 70_000, root).hash_at(0, 3 * 256 + 1)
    # and at the edge the root itself tells
    partial = files["tile/0/273.p/112"]
    files["tile/0/273.p/112"] = forged + partial[32:]
    with pytest.raises(ProofError, match="checkpoint's root"):
        tiles.TileReader(fetcher(files), 70_000, root).hash_at(0, 273 * 256)


def test_a_removed_partial_tile_is_replaced_by_the_full_one() -> None:
    files = store(300, step=300)
    files.update(tiles.Edge.of(merkle.LeafHashes(LEAVES[:300]), 300).append(LEAVES[300:600])[0])
    assert tiles.outdated_partials(300, 600) == ["tile/0/001.p", "tile/entries/001.p"]
    del files["tile/0/001.p/44"]
    reader = tiles.TileReader(fetcher(files), 300, merkle.root_hash(LEAVES[:300]))
    assert reader.hash_at(0, 299) == LEAVES[299]
    with pytest.raises(ProofError, match="no node"):
        reader.hash_at(0, 300)


def test_a_tile_of_the_wrong_length_is_refused() -> None:
    files = store(70_000)
    files["tile/0/000"] += bytes(32)
    with pytest.raises(ProofError, match="wrong length"):
        tiles.TileReader(fetcher(files), 70_000, merkle.root_hash(LEAVES)).hash_at(0, 0)


def test_bundles_grow_and_break_off_loudly() -> None:
    entries = [bytes([i % 251]) * (i % 70) for i in range(600)]
    files = tiles.new_bundles(0, b"", entries[:100])
    assert list(files) == ["tile/entries/000.p/100"]
    more = tiles.new_bundles(100, files["tile/entries/000.p/100"], entries[100:])
    assert list(more) == ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"]
    assert [e for b in more.values() for e in tiles.decode_bundle(b)] == entries
    with pytest.raises(FormatError, match="breaks off"):
        tiles.decode_bundle(files["tile/entries/000.p/100"][:-1])
    with pytest.raises(FormatError, match="breaks off"):
        tiles.decode_bundle(b"\x00")
