"""Reading from another host that serves a journal as mirrors do: bounded requests over one kept connection."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kulla.journal import tls
from kulla.journal.errors import MissingError
from kulla.mirror.options import ClientTls
from kulla.mirror.signed import sign_request

TIMEOUT_S = 10.0
MAX_NOTE = 64 * 1024
MAX_TILE = 64 * 1024
MAX_OBJECT = 300 * 1024 * 1024


class SourceFailed(Exception):
    """Why nothing could be read, as one plain sentence."""


class Source:
    """One address prefix. For one thread at a time. `key` signs requests for what is not public."""

    def __init__(
        self, url: str, files: ClientTls | None = None, key: Ed25519PrivateKey | None = None
    ) -> None:
        """Raises tls.TlsFilesError for certificate files that cannot be used."""
        self.url, self._key = url, key
        self._parts = urlsplit(url)
        self._context: ssl.SSLContext | None = None
        if self._parts.scheme == "https":
            files = files or ClientTls(None, None, None)
            self._context = tls.client_context(files.ca, files.certificate, files.key)
        self._connection: http.client.HTTPConnection | None = None

    @property
    def host(self) -> str:
        """How sentences name it."""
        return f"{self._parts.hostname}:{self._parts.port or (443 if self._context else 80)}"

    def get(self, path: str, limit: int, *, signed: bool = False) -> bytes:
        """The body under `path` (from "/" on), at most `limit` bytes. Raises MissingError on 404, SourceFailed."""
        for last in (False, True):
            fresh = self._connection is None
            try:
                status, data = self._exchange(self._parts.path + path, limit, signed)
                break
            except (OSError, http.client.HTTPException) as error:
                self.close()
                words = tls.sentence(error)
                if words is not None:
                    raise SourceFailed(f"{self.host}: {words}.") from None
                if last or fresh or isinstance(error, TimeoutError):
                    raise SourceFailed(f"{self.host} does not answer.") from None
        if status == 404:
            raise MissingError(f"{self.host} has nothing under {path}.")
        if status != 200:
            said = "".join(c for c in data[:200].decode("utf-8", "replace").strip() if c.isprintable())
            raise SourceFailed(f"{self.host} refuses with {status}: {said}")
        return data

    def fetch(self, prefix: str) -> Callable[[str], bytes]:
        """A `tiles.Fetch` of the log below `prefix`."""
        return lambda path: self.get(f"{prefix}/{path}", MAX_TILE)

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, target: str, limit: int, signed: bool) -> tuple[int, bytes]:
        if self._connection is None:
            name, port = self._parts.hostname or "", self._parts.port
            if self._context is not None:
                self._connection = http.client.HTTPSConnection(
                    name, port, timeout=TIMEOUT_S, context=self._context
                )
            else:
                self._connection = http.client.HTTPConnection(name, port, timeout=TIMEOUT_S)
        headers = sign_request(self._key, "GET", target) if signed and self._key is not None else {}
        self._connection.request("GET", target, headers=headers)
        response = self._connection.getresponse()
        data = response.read(limit + 1)
        if len(data) > limit:
            self.close()
            raise SourceFailed(f"{self.host} answers with more than {limit} bytes.")
        if response.will_close:
            self.close()
        return response.status, data
