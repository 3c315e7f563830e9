"""Others' published test vectors against this code, from checkouts of their repositories.

    python -m kulla.journal.tests.published --merkle DIR --tessera DIR --specifications DIR

`DIR` are work trees of transparency-dev/merkle, transparency-dev/tessera and C2SP/C2SP. Nothing of them is kept
here. Prints one line for each set: how many vectors, how many of them agree. Exit code 1 when one does not.
"""

import argparse
import base64
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kulla.journal import merkle, tiles
from kulla.journal.checkpoint import parse_checkpoint
from kulla.journal.errors import JournalError, MissingError
from kulla.journal.note import open_note, parse_vkey, split_note

# tlog-witness begins every log with an empty proof from size 0; the vectors call such a proof useless.
OTHERWISE = {"size1 is zero and size2 is not zero"}

Vector = dict[str, Any]


def _hash(text: str) -> bytes:
    return base64.b64decode(text or "")


def _proof(vector: Vector) -> list[bytes]:
    return [_hash(text) for text in vector["proof"] or []]


def inclusion(v: Vector) -> None:
    merkle.verify_inclusion(_hash(v["leafHash"]), v["leafIdx"], v["treeSize"], _proof(v), _hash(v["root"]))


def consistency(v: Vector) -> None:
    merkle.verify_consistency(v["size1"], v["size2"], _hash(v["root1"]), _hash(v["root2"]), _proof(v))


def subtree_inclusion(v: Vector) -> None:
    start, end = v["start"], v["end"]
    if not merkle.valid_subtree(start, end):
        raise JournalError("not a subtree")
    merkle.verify_inclusion(
        _hash(v["leafHash"]), v["leafIdx"] - start, end - start, _proof(v), _hash(v["root"])
    )


def subtree_consistency(v: Vector) -> None:
    merkle.verify_subtree_consistency(
        v["start"], v["end"], v["size"], _proof(v), _hash(v["root1"]), _hash(v["root2"])
    )


MERKLE: dict[str, Callable[[Vector], None]] = {
    "inclusion": inclusion,
    "consistency": consistency,
    "subtreeinclusion": subtree_inclusion,
    "subtreeconsistency": subtree_consistency,
}


def merkle_vectors(checkout: Path) -> Iterator[tuple[str, list[str], int]]:
    """(set, vectors that disagree, vectors) of transparency-dev/merkle's testdata."""
    for name, verify in MERKLE.items():
        files = sorted((checkout / "testdata" / name).rglob("*.json"))
        wrong = []
        for file in files:
            vector = json.loads(file.read_text("utf-8"))
            try:
                verify(vector)
                refused = False
            except JournalError:
                refused = True
            if (refused != vector["wantErr"]) != (vector["desc"] in OTHERWISE and name == "consistency"):
                wrong.append(f"{file.relative_to(checkout)}: {vector['desc']}")
        yield f"merkle {name}", wrong, len(files)


def tessera_log(checkout: Path) -> Iterator[tuple[str, list[str], int]]:
    """The log that tessera keeps for its tests: signatures, and every file that our appending would have written."""
    folder = checkout / "testdata" / "log"
    build = (checkout / "testdata" / "build_log.sh").read_text("utf-8")
    found = re.search(r'LOG_PUBLIC_KEY="([^"]+)"', build)
    verifier = parse_vkey(found[1] if found else "")
    notes = {
        checkpoint.size: checkpoint
        for file in sorted(folder.glob("checkpoint*"))
        for checkpoint in [parse_checkpoint(open_note(file.read_bytes(), [verifier]).text)]
    }
    yield "tessera checkpoints", [], len(notes)
    size = max(notes)
    entries = tiles.decode_bundle((folder / tiles.tile_path("entries", 0, size)).read_bytes())
    ours: dict[str, bytes] = {}
    edge, partial = tiles.Edge(0, ()), b""
    wrong = []
    for entry in entries:
        bundles = tiles.new_bundles(edge.size, partial, [entry])
        partial = next(iter(bundles.values()))
        made, edge = edge.append([merkle.leaf_hash(entry)])
        ours.update(bundles | made)
        if edge.size in notes and edge.root() != notes[edge.size].root:
            wrong.append(f"the root of size {edge.size}")
    theirs = {p.relative_to(folder).as_posix(): p for p in (folder / "tile").rglob("*") if p.is_file()}
    wrong += sorted(ours.keys() ^ theirs.keys())
    wrong += [path for path in ours.keys() & theirs.keys() if theirs[path].read_bytes() != ours[path]]
    yield "tessera tiles and bundles", wrong, len(theirs)

    def fetch(path: str) -> bytes:
        if path not in theirs:
            raise MissingError(path)
        return theirs[path].read_bytes()

    reader = tiles.TileReader(fetch, size, notes[size].root)
    for old in range(1, size):
        proof = merkle.consistency_proof(reader, old, size)
        merkle.verify_consistency(old, size, notes[old].root, notes[size].root, proof)
    yield "tessera consistency of its checkpoints", [], size - 1


def specifications(checkout: Path) -> Iterator[tuple[str, list[str], int]]:
    """The examples in the specifications that are complete: notes, checkpoints, a verifier key, tile paths."""
    notes, wrong = 0, []
    for name in ("signed-note.md", "tlog-checkpoint.md", "tlog-cosignature.md"):
        for block in re.findall(r"^```\n(.*?)^```", (checkout / name).read_text("utf-8"), re.M | re.S):
            if "\n\n— " not in block:
                continue
            notes += 1
            try:
                text, _ = split_note(block)
                if "\n" in text[:-1] and "sole" not in text:
                    parse_checkpoint(text)
            except JournalError as e:
                wrong.append(f"{name}: {e}")
    yield "specifications: notes and checkpoints read", wrong, notes
    text = (checkout / "signed-note.md").read_text("utf-8")
    key = re.search(r"^    (example\.com/foo\+\S+)$", text, re.M)
    block = re.findall(r"^```\n(.*?)^```", text, re.M | re.S)[-1]
    open_note(block, [parse_vkey(key[1] if key else "")])
    yield "specifications: signed-note's example verifies", [], 1
    tile = (checkout / "tlog-tiles.md").read_text("utf-8")
    found = re.search(r"index (\d+) will be encoded as\s+`([x0-9/]+)`", tile)
    right = found is not None and tiles.index_path(int(found[1])) == found[2]
    yield "specifications: a tile's path", [] if right else ["tlog-tiles.md"], 1


SETS = {"merkle": merkle_vectors, "tessera": tessera_log, "specifications": specifications}


def main() -> int:
    """Check what was given. Exit code 1 when anything disagrees, 2 when nothing was given."""
    parser = argparse.ArgumentParser(prog="python -m kulla.journal.tests.published")
    for name in SETS:
        parser.add_argument(f"--{name}", type=Path, metavar="DIR")
    chosen = {name: folder for name, folder in vars(parser.parse_args()).items() if folder}
    bad = 0
    for name, folder in chosen.items():
        for title, wrong, count in SETS[name](folder):
            bad += len(wrong) + (not count)
            sys.stdout.write(f"{title}: {count - len(wrong)} of {count} agree\n")
            sys.stdout.writelines(f"  {line}\n" for line in wrong)
    return 2 if not chosen else int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
