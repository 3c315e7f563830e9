"""Showing the journal's own folder as a mirror shows its copy, for who watches the origin or pulls from it.

Read-only, beside the running portal: checkpoint and tiles for everyone, segments for `readers` (and, with
`tls.clients`, only to who shows a certificate). It holds no key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kulla.journal.note import Verifier
from kulla.mirror.app import origin_hash
from kulla.mirror.config import public_key
from kulla.mirror.messages import Refused, Request, Response
from kulla.mirror.reading import is_known, is_public, read_log
from kulla.mirror.signed import require_signature
from kulla.mirror.stores import FolderStore, Store

_LOG = re.compile(r"/([0-9a-f]{64})/(.+)\Z")


@dataclass(frozen=True)
class Published:
    """The journal's own folder, as it stands."""

    folder: FolderStore

    @property
    def store(self) -> Store:
        """Where it lies."""
        return self.folder

    @property
    def checkpoint_note(self) -> bytes | None:
        """The published checkpoint, with the quorum's cosignatures."""
        note = self.folder.read_checkpoint_note()
        return None if note is None else note.encode()

    @property
    def pending_note(self) -> bytes | None:
        """The journal itself has none: what is staged is nobody's yet."""
        return None


class Publisher:
    """Answers requests for one journal's folder."""

    def __init__(self, folder: Path, origin: str, readers: list[Verifier], *, certificates: bool) -> None:
        """`readers`: keys that may read segments; `certificates`: they must show one besides."""
        self._log = Published(FolderStore(folder))
        self._hash = origin_hash(origin)
        self._readers = [public_key(key) for key in readers]
        self._certificates = certificates

    def handle(self, request: Request) -> Response:
        """Answer one request. Raises Refused."""
        match = _LOG.match(request.path)
        if request.method != "GET":
            raise Refused(405, "This address does not know that method.")
        if match is None or match[1] != self._hash:
            raise Refused(404, "There is nothing under this address.")
        if not is_public(match[2]):
            if not is_known(match[2]):
                raise Refused(404, "There is nothing under this address.")
            if self._certificates and not request.certified:
                raise Refused(403, "This address answers only who shows a client certificate.")
            require_signature(request, b"", self._readers)
        return read_log(self._log, match[2], request.query)
