"""What a mirror gives of a log's copy: the public part to everyone, segments only to those who may.

app.py asks `is_public` and demands signatures for the rest; here is only how it is read.
"""

from __future__ import annotations

import re

from kulla.journal.errors import FormatError, MissingError
from kulla.mirror.logcopy import LogCopy
from kulla.mirror.messages import Refused, Response
from kulla.mirror.segments import parse_path

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


def read_log(copy: LogCopy, path: str, query: str) -> Response:
    """The answer under a path of a log. Raises Refused."""
    if path == "checkpoint":
        return _note(
            copy.checkpoint_note, "This mirror has not cosigned a checkpoint of this log yet.", FRESH
        )
    if path == "pending":
        return _note(copy.pending_note, "No checkpoint of this log has come here yet.", {})
    if path in {"segments", "merged"}:
        listed = copy.segments.list_from if path == "segments" else copy.segments.merged_from
        lines = [f"{a}-{b} {size}\n" for a, b, size in listed(number(query))]
        return Response("".join(lines).encode())
    if path.startswith("segment/"):
        data = copy.segments.read(*parse_path(path))
        if data is None:
            raise Refused(404, "There is no segment under this address.")
        return Response(data, content_type=BYTES)
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
