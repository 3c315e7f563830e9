"""HTTP/1.1 messages: reading requests strictly and within bounds, writing answers.

Strict on purpose: a proxy and a server that read one request differently let requests be smuggled, so folded lines,
doubled lengths and a length beside chunks are refused.
"""

from __future__ import annotations

import re
import socket
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

MAX_HEADER = 16 * 1024
MAX_HEADERS = 64
MAX_DRAIN = 1024 * 1024
RECEIVE = 256 * 1024

REASONS = {
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    417: "Expectation Failed",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_TARGET = re.compile(r"/[!-~]*\Z")
_DIGITS = re.compile(r"[0-9]{1,12}\Z")
_CHUNK = re.compile(rb"[0-9A-Fa-f]{1,8}\Z")


class Refused(Exception):
    """An answer that is not 200: a status and one plain sentence, or a body that a protocol asks for."""

    def __init__(
        self,
        status: int,
        sentence: str,
        *,
        content_type: str = "text/plain; charset=utf-8",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.body = (sentence if sentence.endswith("\n") else sentence + "\n").encode()
        self.content_type = content_type
        self.headers = dict(headers or {})


class Disconnected(Exception):
    """The client went away, or was too slow, before its request was complete."""


@dataclass(slots=True)
class Response:
    """What a handler gives back."""

    body: bytes = b""
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


class Body(Protocol):
    """A request's body, read when the handler wants it."""

    def read(self, count: int) -> bytes:
        """Up to `count` bytes (fewer only at the end); b"" at the end. Raises Disconnected or Refused."""
        ...


@dataclass(slots=True)
class Request:
    """One request: `target` is the address as sent (signatures cover it), `path` is without the query."""

    method: str
    target: str
    path: str
    query: str
    headers: dict[str, str]
    body: Body
    certified: bool = False  # its sender showed a certificate by the authority that operator.json names

    def read_all(self, limit: int) -> bytes:
        """The whole body, at most `limit` bytes, else Refused 413."""
        data = self.body.read(limit + 1)
        if len(data) > limit:
            raise Refused(413, f"The body is longer than {limit} bytes.")
        return data


class Wire:
    """The bytes that come in on one connection, with a deadline for each request."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = bytearray()
        self.deadline = 0.0

    def fill(self) -> None:
        """Receive once. Raises Disconnected at the end, at an error and at the deadline."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Disconnected("too slow")
        try:
            self.sock.settimeout(left)
            data = self.sock.recv(RECEIVE)
        except OSError as error:
            raise Disconnected(str(error)) from None
        if not data:
            raise Disconnected("closed")
        self.buffer += data

    def take(self, count: int) -> bytes:
        """Between 1 and `count` bytes."""
        if not self.buffer:
            self.fill()
        data = bytes(self.buffer[:count])
        del self.buffer[: len(data)]
        return data

    def line(self, limit: int) -> bytes:
        """One line without its CRLF."""
        while (end := self.buffer.find(b"\r\n")) < 0:
            if len(self.buffer) > limit:
                raise Refused(400, "A line of the request is too long.")
            self.fill()
        data = bytes(self.buffer[:end])
        del self.buffer[: end + 2]
        if len(data) > limit:
            raise Refused(400, "A line of the request is too long.")
        return data


class PlainBody:
    """A body with a Content-Length, or a chunked one (length None)."""

    def __init__(self, wire: Wire, length: int | None, expects_continue: bool) -> None:
        self._wire = wire
        self._chunked = length is None
        self._left = 0 if length is None else length
        self._started = False
        self._continue = expects_continue
        self.done = length == 0

    def read(self, count: int) -> bytes:
        out = bytearray()
        while len(out) < count and not self.done:
            out += self._some(count - len(out))
        return bytes(out)

    def _some(self, count: int) -> bytes:
        if self._continue:
            self._continue = False
            try:
                self._wire.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            except OSError as error:
                raise Disconnected(str(error)) from None
        if self._chunked and self._left == 0 and not self._next_chunk():
            return b""
        data = self._wire.take(min(count, self._left))
        self._left -= len(data)
        if self._left == 0 and not self._chunked:
            self.done = True
        return data

    def _next_chunk(self) -> bool:
        if self._started and self._wire.line(0) != b"":
            raise Refused(400, "A chunk of the body does not end where it says.")
        self._started = True
        size = self._wire.line(64).split(b";")[0].strip()
        if not _CHUNK.match(size):
            raise Refused(400, "The size of a chunk of the body cannot be read.")
        self._left = int(size, 16)
        if self._left == 0:
            for _ in range(MAX_HEADERS):
                if self._wire.line(MAX_HEADER) == b"":
                    self.done = True
                    return False
            raise Refused(400, "Too many trailer lines follow the body.")
        return True

    def drain(self) -> bool:
        """Throw away what the handler did not read. True if the connection may be used again."""
        if self._continue:
            # The client still waits for our go-ahead: whether a body follows is unknown.
            return False
        left = MAX_DRAIN
        while not self.done and left > 0:
            left -= max(1, len(self.read(min(left, RECEIVE))))
        return self.done


class GzipBody:
    """Unpacks a body as it is read; never holds more than it was asked for."""

    def __init__(self, packed: Body) -> None:
        self._packed = packed
        self._unzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._tail = b""

    def read(self, count: int) -> bytes:
        out = bytearray()
        try:
            while len(out) < count and not self._unzip.eof:
                data = self._tail or self._packed.read(64 * 1024)
                out += self._unzip.decompress(data, count - len(out))
                self._tail = self._unzip.unconsumed_tail
                if not data:
                    break
        except zlib.error:
            raise Refused(400, "The body is not gzip, although Content-Encoding says so.") from None
        return bytes(out)


def render(answer: Response | Refused, *, close: bool, head_only: bool = False) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} {REASONS[answer.status]}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        "X-Content-Type-Options: nosniff",
        *(f"{name}: {value}" for name, value in answer.headers.items()),
    ]
    if close:
        lines.append("Connection: close")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
    return head if head_only else head + answer.body


def read_head(wire: Wire) -> tuple[Request, PlainBody, bool]:
    """The request line and headers. Returns the request, its raw body and whether the connection is kept.

    Strict on purpose: a proxy and a server that read one request differently let requests be smuggled, so
    folded lines, doubled lengths and a length beside chunks are refused.
    """
    while (end := wire.buffer.find(b"\r\n\r\n")) < 0:
        if len(wire.buffer) > MAX_HEADER:
            raise Refused(431, f"The head of the request is longer than {MAX_HEADER} bytes.")
        wire.fill()
    if end > MAX_HEADER:
        raise Refused(431, f"The head of the request is longer than {MAX_HEADER} bytes.")
    head = bytes(wire.buffer[:end])
    del wire.buffer[: end + 4]
    try:
        lines = head.decode("ascii").split("\r\n")
    except UnicodeDecodeError:
        raise Refused(400, "The head of the request is not plain ASCII.") from None
    if any("\r" in line or "\n" in line or "\0" in line for line in lines):
        raise Refused(400, "The head of the request holds a stray control character.")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not _TOKEN.match(parts[0]) or not _TARGET.match(parts[1]):
        raise Refused(400, "The first line of the request cannot be read.")
    method, target, version = parts
    if version not in {"HTTP/1.1", "HTTP/1.0"}:
        raise Refused(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    if len(lines) - 1 > MAX_HEADERS:
        raise Refused(431, f"The request has more than {MAX_HEADERS} headers.")
    headers = _headers(lines[1:])
    if version == "HTTP/1.1" and "host" not in headers:
        raise Refused(400, "The header Host is missing.")
    options = {word.strip().lower() for word in headers.get("connection", "").split(",")}
    keep = "close" not in options and (version == "HTTP/1.1" or "keep-alive" in options)
    expects = headers.get("expect", "").lower()
    if expects not in {"", "100-continue"}:
        raise Refused(417, "Of the header Expect only 100-continue is known here.")
    body = PlainBody(wire, _length(method, headers), expects == "100-continue")
    path, _, query = target.partition("?")
    return Request(method, target, path, query, headers, body), body, keep


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _TOKEN.match(name):
            raise Refused(400, "A header of the request cannot be read.")
        key = name.lower()
        if key in headers:
            if key in {"content-length", "transfer-encoding", "host"} or key.startswith("kulla-"):
                raise Refused(400, f"The header {key} stands twice.")
            value = headers[key] + ", " + value.strip()
        headers[key] = value.strip()
    return headers


def _length(method: str, headers: Mapping[str, str]) -> int | None:
    """The announced length of the body; None if it comes in chunks."""
    length, coding = headers.get("content-length"), headers.get("transfer-encoding")
    if coding is not None:
        if length is not None:
            raise Refused(400, "A request has either a length or chunks, not both.")
        if coding.lower() != "chunked":
            raise Refused(501, "Of the transfer codings only chunked is known here.")
        return None
    if length is None:
        if method in {"POST", "PUT"}:
            raise Refused(411, "The length of the body is missing.")
        return 0
    if not _DIGITS.match(length):
        raise Refused(400, "The length of the body is not a number.")
    return int(length)
