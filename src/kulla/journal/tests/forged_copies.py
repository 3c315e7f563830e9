"""Forgeries of a copy of the log that a receipt is compared with; the same idea as in forged.py."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from kulla.journal.checkpoint import Checkpoint, parse_checkpoint
from kulla.journal.errors import MissingError
from kulla.journal.merkle import leaf_hash, root_hash
from kulla.journal.note import Signer, sign_note, split_note
from kulla.journal.tests.forged import INDEX, Case
from kulla.journal.tiles import Edge, TileReader
from kulla.journal.verify import Step

LATER = 66_000
"""How many entries come after the receipt: enough for tiles of three levels."""


@dataclass
class Copy:
    """A mirror's copy of the log: its files, and the case whose receipt is compared with it."""

    case: Case
    files: dict[str, bytes]

    @classmethod
    def of(cls, case: Case) -> "Copy":
        """The journal of the case after LATER more entries, with every tile of the specification."""
        source = case.journal.folder
        reader = TileReader(source.read, case.checkpoint.size, case.checkpoint.root)
        leaves = reader.leaf_hashes(0, case.checkpoint.size)
        leaves += [leaf_hash(number.to_bytes(4, "big")) for number in range(LATER)]
        files, edge = Edge(0, ()).append(leaves)
        copy = cls(case, files)
        copy.sign(Checkpoint(case.checkpoint.origin, edge.size, edge.root()).body())
        return copy

    def fetch(self, path: str) -> bytes:
        """Reads a file. Raises MissingError."""
        if path not in self.files:
            raise MissingError(f"{path} is not in this copy.")
        return self.files[path]

    def sign(self, body: str, *, signer: Signer | None = None) -> None:
        """Put another checkpoint there, signed by the journal and cosigned by the first mirror."""
        journal = self.case.journal
        note = sign_note(body, (signer or journal.signer).sign)
        self.files["checkpoint"] = journal.cosigned(note, body, journal.mirrors[:1]).encode()

    @property
    def newest(self) -> Checkpoint:
        """The checkpoint that it holds."""
        return parse_checkpoint(split_note(self.files["checkpoint"])[0])

    def patch(self, path: str, at: int, data: bytes) -> None:
        """Replace bytes of a file that is there."""
        old = self.files[path]
        self.files[path] = old[:at] + data + old[at + len(data) :]

    def forge_leaf(self, *levels: int, index: int = INDEX) -> None:
        """Another leaf in the receipt's place, or at `index`, and every tile of `levels` changed to agree with it."""
        changed = bytes(32)
        for level in levels:
            n = index // 256 ** (level + 1)
            path = _tile_at(self.files, level, n)
            self.patch(path, index // 256**level % 256 * 32, changed)
            tile = self.files[path]
            changed = root_hash([tile[i : i + 32] for i in range(0, len(tile), 32)])


def _tile_at(files: dict[str, bytes], level: int, n: int) -> str:
    stem = f"tile/{level}/{n:03d}"
    return stem if stem in files else next(path for path in files if path.startswith(f"{stem}.p/"))


def _lost(copy: Copy) -> None:
    del copy.files["checkpoint"]


def _changed_note(copy: Copy) -> None:
    text = copy.files["checkpoint"].decode()
    copy.files["checkpoint"] = text.replace(f"\n{copy.newest.size}\n", f"\n{copy.newest.size + 1}\n").encode()


def _other_mirrors_signature(copy: Copy) -> None:
    """The right name and key id of a known mirror over something else."""
    body = split_note(copy.files["checkpoint"])[0]
    line = copy.case.journal.mirrors[1].cosign(f"{body}more\n", 1_795_000_000)
    copy.files["checkpoint"] += line.encode()


def _forked(copy: Copy, index: int) -> None:
    """A larger tree with another past, its tiles all in agreement, correctly signed by the journal."""
    copy.forge_leaf(0, 1, 2, index=index)
    copy.sign(replace(copy.newest, root=_root_of(copy)).body())


def _root_of(copy: Copy) -> bytes:
    """The root that the copy's own tiles give: of level-0 hashes, which a forger recomputes at leisure."""
    leaves: list[bytes] = []
    size = copy.newest.size
    for n in range(-(-size // 256)):
        tile = copy.files[_tile_at(copy.files, 0, n)]
        leaves += [tile[i : i + 32] for i in range(0, len(tile), 32)]
    return root_hash(leaves[:size])


COPIES: dict[str, tuple[Step, Callable[[Copy], None]]] = {
    "a copy without a checkpoint": (Step.NEWEST, _lost),
    "a newest checkpoint changed after signing": (Step.NEWEST, _changed_note),
    "a newest checkpoint signed by another key": (
        Step.NEWEST,
        lambda c: c.sign(c.newest.body(), signer=Signer.generate(c.newest.origin)),
    ),
    "a newest checkpoint that is rubbish": (
        Step.NEWEST,
        lambda c: c.files.update({"checkpoint": b"<html>404</html>"}),
    ),
    "a mirror's signature over something else": (Step.NEWEST, _other_mirrors_signature),
    "a journal that was rolled back": (
        Step.CONSISTENCY,
        lambda c: c.sign(Checkpoint(c.newest.origin, 300, bytes(32)).body()),
    ),
    "an empty journal": (
        Step.CONSISTENCY,
        lambda c: c.sign(Checkpoint(c.newest.origin, 0, root_hash([])).body()),
    ),
    "another checkpoint of the receipt's size": (
        Step.CONSISTENCY,
        lambda c: c.sign(Checkpoint(c.newest.origin, 705, b"\x02" * 32).body()),
    ),
    "a larger journal with another past": (Step.CONSISTENCY, lambda c: _forked(c, 10)),
    "a larger journal with another entry in this one's place": (
        Step.CONSISTENCY,
        lambda c: _forked(c, INDEX),
    ),
    "a root that no tile gives": (
        Step.CONSISTENCY,
        lambda c: c.sign(replace(c.newest, root=b"\x03" * 32).body()),
    ),
    "a wrong leaf": (Step.CONSISTENCY, lambda c: c.forge_leaf(0)),
    "a wrong leaf beside the receipt's": (
        Step.CONSISTENCY,
        lambda c: c.patch("tile/0/001", 32 * (INDEX - 256 + 1), bytes(32)),
    ),
    "a wrong tile on the way": (Step.CONSISTENCY, lambda c: c.patch("tile/0/002", 32 * 5, bytes(32))),
    "a leaf and its tile changed consistently": (Step.CONSISTENCY, lambda c: c.forge_leaf(0, 1)),
    "a leaf and all its tiles changed consistently": (Step.CONSISTENCY, lambda c: c.forge_leaf(0, 1, 2)),
    "a wrong tile at the edge": (
        Step.CONSISTENCY,
        lambda c: c.patch(_tile_at(c.files, 1, 1), 0, bytes(32)),
    ),
    "a tile swapped for another's": (
        Step.CONSISTENCY,
        lambda c: c.files.update({"tile/0/002": c.files["tile/0/003"]}),
    ),
    "a truncated tile": (
        Step.CONSISTENCY,
        lambda c: c.files.update({"tile/0/002": c.files["tile/0/002"][:-32]}),
    ),
    "an over-long tile": (
        Step.CONSISTENCY,
        lambda c: c.files.update({"tile/0/002": c.files["tile/0/002"] + bytes(32)}),
    ),
    "a missing tile": (Step.CONSISTENCY, lambda c: c.files.pop("tile/0/002") and None),
}


def damage(copy: Copy, name: str) -> Step:
    """Do to the copy what COPIES says under this name; gives the step that must refuse it."""
    step, change = COPIES[name]
    change(copy)
    return step
