"""Tiles and entry bundles (C2SP tlog-tiles v0.1.0): paths, appending, and reading that trusts only the root.

`Edge` is the right edge of a tree: all that is needed to append to it in O(new leaves + log size).
`TileReader` gives hashes for proofs. It believes no tile before it has followed it up to the checkpoint's root:
a verifier that compares a leaf with its level-0 tile only accepts a consistent forgery of both (CVE-2026-56865).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .errors import FormatError, MissingError, ProofError
from .merkle import EMPTY_ROOT, HashReader, fold_peaks, next_level

WIDTH = 256
HEIGHT = 8
HASH = 32

Fetch = Callable[[str], bytes]
"""Gives the bytes at a path such as "tile/0/001"; raises MissingError when there are none."""


# --- Paths ------------------------------------------------------------------------------------------------------


def index_path(n: int) -> str:
    """1234067 as "x001/x234/067"."""
    parts = [f"{n % 1000:03d}"]
    while n >= 1000:
        n //= 1000
        parts.append(f"x{n % 1000:03d}")
    return "/".join(reversed(parts))


def tile_path(level: int | str, n: int, width: int = WIDTH) -> str:
    """The path of tile `n` at a tile level, or of an entry bundle (level "entries")."""
    suffix = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{index_path(n)}{suffix}"


_TILE = re.compile(
    r"tile/(entries|0|[1-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


def parse_tile_path(path: str) -> tuple[int | str, int, int]:
    """(level, n, width) of a tile's path. Raises FormatError for any other spelling."""
    found = _TILE.fullmatch(path)
    if found:
        level = found[1] if found[1] == "entries" else int(found[1])
        n = int(found[2].replace("x", "").replace("/", ""))
        width = int(found[3] or WIDTH)
        if width <= WIDTH and tile_path(level, n, width) == path:
            return level, n, width
    raise FormatError(f"{path!r} is not the path of a tile.")


# --- Entry bundles ----------------------------------------------------------------------------------------------


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Entries, each after its length in two bytes."""
    return b"".join([len(e).to_bytes(2, "big") + e for e in entries])


def decode_bundle(bundle: bytes) -> list[bytes]:
    """The entries of a bundle. Raises FormatError."""
    entries, at, end = [], 0, len(bundle)
    while at < end:
        start = at + 2
        at = start + int.from_bytes(bundle[at:start], "big")
        if at > end:
            raise FormatError("An entry bundle breaks off in the middle of an entry.")
        entries.append(bundle[start:at])
    return entries


def new_bundles(old_size: int, partial: bytes, entries: Sequence[bytes]) -> dict[str, bytes]:
    """The bundles that appending `entries` to a tree of `old_size` writes.

    `partial` is the tree's last bundle if that one is not full, else b"".
    """
    bundles = {}
    n, used = divmod(old_size, WIDTH)
    at = 0
    while at < len(entries):
        take = min(WIDTH - used, len(entries) - at)
        bundles[tile_path("entries", n, used + take)] = partial + encode_bundle(entries[at : at + take])
        n, used, partial, at = n + 1, 0, b"", at + take
    return bundles


# --- Appending --------------------------------------------------------------------------------------------------


def _hashes(tile: bytes) -> list[bytes]:
    return [tile[i : i + HASH] for i in range(0, len(tile), HASH)]


def _pyramid(hashes: list[bytes]) -> list[list[bytes]]:
    """The levels above these hashes, complete subtrees only; the last one has a single hash."""
    levels = [hashes]
    while len(levels[-1]) > 1:
        levels.append(next_level(levels[-1]))
    return levels


def edge_widths(size: int) -> list[int]:
    """The width of the right-most, partial tile at each tile level; 0 where there is none."""
    widths = []
    while size:
        widths.append(size % WIDTH)
        size //= WIDTH
    return widths


@dataclass(frozen=True)
class Edge:
    """The right edge of the tree of `size` leaves: the hashes of the partial tile at each tile level."""

    size: int
    partials: tuple[bytes, ...]

    @classmethod
    def read(cls, fetch: Fetch, size: int, root: bytes) -> "Edge":
        """Read the partial tiles of a tree and check them against its root. Raises ProofError, MissingError.

        A partial tile may have been removed once the full one is there, so that one serves as well.
        """
        partials = []
        for level, width in enumerate(edge_widths(size)):
            n = size // WIDTH ** (level + 1)
            partials.append(_fetch_tile(fetch, level, n, width) if width else b"")
        edge = cls(size, tuple(partials))
        if edge.root() != root:
            raise ProofError(f"The tiles at the edge of size {size} do not lead to the checkpoint's root.")
        return edge

    @classmethod
    def of(cls, reader: HashReader, size: int) -> "Edge":
        """The edge from any (trusted) source of hashes."""
        partials = []
        for level, width in enumerate(edge_widths(size)):
            first = size // WIDTH ** (level + 1) * WIDTH
            partials.append(b"".join([reader.hash_at(level * HEIGHT, first + i) for i in range(width)]))
        return cls(size, tuple(partials))

    def root(self) -> bytes:
        """The tree's root."""
        if not self.size:
            return EMPTY_ROOT
        peaks: list[bytes] = []
        for partial in reversed(self.partials):
            levels = _pyramid(_hashes(partial)) if partial else []
            for hashes in reversed(levels):
                if len(hashes) % 2:  # an odd last node has no complete parent: it is a peak
                    peaks.append(hashes[-1])
        return fold_peaks(peaks)

    def append(self, leaf_hashes: Sequence[bytes]) -> tuple[dict[str, bytes], "Edge"]:
        """Append leaves. Gives the tiles to write (by path; changed ones only) and the new edge."""
        tiles: dict[str, bytes] = {}
        partials: list[bytes] = []
        new = b"".join(leaf_hashes)
        level, old_size = 0, self.size
        while new or level < len(self.partials):
            old = self.partials[level] if level < len(self.partials) else b""
            row, n = old + new, old_size // WIDTH
            up = []
            full = WIDTH * HASH
            while new and len(row) >= full:
                tiles[tile_path(level, n)] = row[:full]
                up.append(_pyramid(_hashes(row[:full]))[-1][0])
                row, n = row[full:], n + 1
            if new and row:
                tiles[tile_path(level, n, len(row) // HASH)] = row
            partials.append(row)
            new, level, old_size = b"".join(up), level + 1, old_size // WIDTH
        return tiles, Edge(self.size + len(leaf_hashes), tuple(partials))


def new_tiles(old_size: int, reader: HashReader, leaf_hashes: Sequence[bytes]) -> dict[str, bytes]:
    """The tiles that appending these leaves to the tree of `old_size` behind `reader` writes."""
    return Edge.of(reader, old_size).append(leaf_hashes)[0]


def outdated_partials(old_size: int, new_size: int) -> list[str]:
    """Partial tiles and bundles of `old_size` whose full tile exists at `new_size`: they may be removed.

    Gives the folders that hold them (such as "tile/0/001.p").
    """
    folders = []
    for level, width in enumerate(edge_widths(old_size)):
        n = old_size // WIDTH ** (level + 1)
        if width and new_size // WIDTH ** (level + 1) > n:
            folders.append(f"{tile_path(level, n)}.p")
            if level == 0:
                folders.append(f"{tile_path('entries', n)}.p")
    return folders


# --- Reading ----------------------------------------------------------------------------------------------------


def _fetch_tile(fetch: Fetch, level: int, n: int, width: int) -> bytes:
    try:
        tile = fetch(tile_path(level, n, width))
        expected = width * HASH
    except MissingError:
        if width == WIDTH:
            raise
        tile = fetch(tile_path(level, n))
        expected = WIDTH * HASH
    if len(tile) != expected:
        raise ProofError(f"Tile {tile_path(level, n, width)} has the wrong length.")
    return tile[: width * HASH]


class TileReader:
    """A HashReader over tiles of the tree of `size` with `root`. Every tile is authenticated before use.

    1. The partial tiles at the right edge are read together: their peaks must fold to the root.
    2. The hash of any full tile must stand in the tile above it, which is authenticated first, in the same way.
    """

    CACHE = 512  # tiles; about 33 kB each

    def __init__(self, fetch: Fetch, size: int, root: bytes) -> None:
        self.size = size
        self.root = root
        self._fetch = fetch
        self._edge: Edge | None = None
        self._cache: dict[tuple[int, int], list[list[bytes]]] = {}

    @property
    def edge(self) -> Edge:
        """The authenticated right edge. Raises ProofError, MissingError."""
        if self._edge is None:
            self._edge = Edge.read(self._fetch, self.size, self.root)
        return self._edge

    def hash_at(self, level: int, index: int) -> bytes:
        """The hash of leaves [index * 2**level, (index+1) * 2**level). Raises ProofError, MissingError."""
        if not 0 <= index < self.size >> level:
            raise ProofError(f"The tree of size {self.size} has no node {index} at level {level}.")
        tile_level, within = divmod(level, HEIGHT)
        first = index << within
        levels = self._tile(tile_level, first // WIDTH)
        return levels[within][(first % WIDTH) >> within]

    def leaf_hashes(self, start: int, end: int) -> list[bytes]:
        """The hashes of leaves [start, end), authenticated."""
        found: list[bytes] = []
        while start < end:
            n, at = divmod(start, WIDTH)
            part = self._tile(0, n)[0][at : at + end - start]
            if not part:
                raise ProofError(f"The tree of size {self.size} has no leaf {start}.")
            found += part
            start += len(part)
        return found

    def _tile(self, level: int, n: int) -> list[list[bytes]]:
        levels = self._cache.get((level, n))
        if levels is None:
            if n == self.size // WIDTH ** (level + 1):
                levels = _pyramid(_hashes(self.edge.partials[level]))
            else:
                levels = _pyramid(_hashes(_fetch_tile(self._fetch, level, n, WIDTH)))
                if levels[-1][0] != self.hash_at((level + 1) * HEIGHT, n):
                    raise ProofError(f"Tile {tile_path(level, n)} does not lead to the checkpoint's root.")
            if len(self._cache) >= self.CACHE:
                del self._cache[next(iter(self._cache))]
            self._cache[level, n] = levels
        return levels
