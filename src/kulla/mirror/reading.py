"""What a mirror gives of a log's copy: the public part to everyone, segments only to those who may.

app.py asks `is_public` and demands signatures for the rest; here is only how it is read.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Protocol

from kulla.journal.errors import FormatError, MissingError
from kulla.journal.store import segment_path
from kulla.mirror.messages import Refused, Response
from kulla.mirror.segments import parse_path
from kulla.mirror.stores import Store

MAX_LISTED = 10_000
BYTES = "application/octet-stream"
ANYWHERE = {"Access-Control-Allow-Origin": "*"}
IMMUTABLE = ANYWHERE | {"Cache-Control": "public, max-age=31536000, immutable"}
FRESH = ANYWHERE | {"Cache-Control": "no-store"}

_TILE = re.compile(
    r"tile/(?:entries|[0-9]|[1-5][0-9]|6[0-3])/(?:x[0-9]{3}/){0,6}[0-9]{3}"
    r"(?:\.p/(?:[1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?\Z"
)
_MERGED = re.compile(r"merged/[0-9]{6,14}/[0-9]{1,19}-[0-9]{1,19}\Z")
_NUMBER = re.compile(r"from=([0-9]{1,18})\Z")


def is_public(path: str) -> bool:
    """Whether everyone may read this path of a log (after /HASH/)."""
    return path == "checkpoint" or bool(_TILE.match(path))


def is_known(path: str) -> bool:
    """Whether it is a path of what only some may read."""
    return (
        path in {"pending", "segments", "merged"} or path.startswith("segment/") or bool(_MERGED.match(path))
    )


class Readable(Protocol):
    """A log that is read: a mirror's copy, or the journal's own folder."""

    @property
    def checkpoint_note(self) -> bytes | None:
        """The published checkpoint."""
        ...

    @property
    def pending_note(self) -> bytes | None:
        """The pending one."""
        ...

    @property
    def store(self) -> Store:
        """Where tiles, bundles and segments lie."""
        ...


def _listed(store: Store, after: int, *, merged: bool) -> Iterator[tuple[int, int, int]]:
    """(first, next, bytes) of segments or merged files that reach beyond entry `after`, ascending."""
    if merged:
        for folder in sorted((name for name in store.names("merged") if name.isdigit()), key=int):
            for first, following in store.merged(folder):
                if following > after:
                    yield first, following, store.index_of(first, following).size
        return
    for first, following in store.segments(after):
        try:
            yield first, following, store.size(segment_path(first, following))
        except MissingError:
            continue  # replaced this moment


def read_log(copy: Readable, path: str, query: str) -> Response:
    """The answer under a path of a log. Raises Refused."""
    if path == "checkpoint":
        return _note(
            copy.checkpoint_note, "This mirror has not cosigned a checkpoint of this log yet.", FRESH
        )
    if path == "pending":
        return _note(copy.pending_note, "No checkpoint of this log has come here yet.", {})
    if path in {"segments", "merged"}:
        listed = _listed(copy.store, number(query), merged=path == "merged")
        lines = [f"{a}-{b} {size}\n" for a, b, size in itertools.islice(listed, MAX_LISTED)]
        return Response("".join(lines).encode())
    if path.startswith("segment/"):
        try:
            return Response(copy.store.read(segment_path(*parse_path(path))), content_type=BYTES)
        except MissingError:
            raise Refused(404, "There is no segment under this address.") from None
    try:
        data = copy.store.read(path)
    except (MissingError, FormatError, IsADirectoryError):
        raise Refused(404, "There is no such tile or merged file.") from None
    return Response(data, content_type=BYTES, headers=dict(IMMUTABLE) if _TILE.match(path) else {})


def _note(note: bytes | None, absent: str, headers: dict[str, str]) -> Response:
    if note is None:
        raise Refused(404, absent)
    return Response(note, headers=dict(headers))


def number(query: str) -> int:
    """The query `from=NUMBER`; 0 without one. Raises Refused 400."""
    if not query:
        return 0
    match = _NUMBER.match(query)
    if not match:
        raise Refused(400, "The query must be from=NUMBER.")
    return int(match[1])
