"""A journal and its client for these tests: honest by default, and easy to make dishonest."""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.client
import os
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kulla.journal.checkpoint import Checkpoint
from kulla.journal.merkle import (
    LeafHashes,
    consistency_proof,
    leaf_hash,
    subtree_consistency_proof,
    subtree_root,
)
from kulla.journal.note import Signer, sign_note
from kulla.journal.segment import encode_segment, parse_segment, seal_segment
from kulla.journal.store import segment_path
from kulla.mirror.entries import intervals
from kulla.mirror.signed import sign_request

ORIGIN = "test.kulla.example/journal"
# Anyone's X25519 public key will do: nothing here is opened.
RECIPIENT = hashlib.sha256(b"a recipient").digest()


@dataclass
class Answer:
    """What came back."""

    status: int
    type: str
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """Keep-alive HTTP to one mirror."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def send(
        self, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        self.connection.request(method, target, body, headers or {})
        answer = self.connection.getresponse()
        data = answer.read()
        got = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, got.get("content-type", ""), got, data)

    def signed(self, key: Ed25519PrivateKey, method: str, target: str, body: bytes = b"") -> Answer:
        return self.send(method, target, body, sign_request(key, method, target, body))

    def close(self) -> None:
        self.connection.close()


@dataclass
class Journal:
    """Leaves, segments and checkpoints as a sequencer makes them."""

    signer: Signer = field(default_factory=lambda: Signer.generate(ORIGIN))
    leaves: list[bytes] = field(default_factory=list)
    segments: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.leaves)

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.signer.name.encode()).hexdigest()

    @property
    def reader(self) -> LeafHashes:
        return LeafHashes([leaf_hash(leaf) for leaf in self.leaves])

    def add(self, count: int) -> bytes:
        """Append entries in one segment; the segment's bytes."""
        first = self.size
        header, sealed = seal_segment(first, [os.urandom(20) for _ in range(count)], [RECIPIENT])
        data = encode_segment(header, sealed, [os.urandom(32) for _ in range(count)])
        self.leaves += parse_segment(data).leaves()
        self.segments.append((f"/{self.hash}/{segment_path(first, self.size)}", data))
        return data

    def root(self, size: int | None = None) -> bytes:
        return subtree_root(self.reader, 0, self.size if size is None else size)

    def note(self, size: int | None = None, root: bytes | None = None, signer: Signer | None = None) -> str:
        size = self.size if size is None else size
        body = Checkpoint(self.signer.name, size, root or self.root(size)).body()
        return sign_note(body, (signer or self.signer).sign)

    def submission(self, old: int, size: int | None = None, note: str | None = None) -> bytes:
        """The body of add-checkpoint."""
        size = self.size if size is None else size
        proof = consistency_proof(self.reader, old, size) if 0 < old <= size else []
        lines = [f"old {old}", *(base64.b64encode(h).decode() for h in proof)]
        return ("\n".join(lines) + "\n\n" + (note or self.note(size))).encode()

    def upload(self, start: int, end: int | None = None, packages: int | None = None) -> bytes:
        """The body of add-entries; only its first `packages` packages if given."""
        end = self.size if end is None else end
        parts = [upload_head(self.signer.name, start, end)]
        for n, (rounded, first, last) in enumerate(intervals(start, end)):
            if packages is not None and n >= packages:
                break
            proof = subtree_consistency_proof(self.reader, rounded, last, end)
            parts += [struct.pack(">H", len(leaf)) + leaf for leaf in self.leaves[first:last]]
            parts += [bytes([len(proof)]), *proof]
        return b"".join(parts)

    # --- whole steps, each checked ---

    def put_segments(self, client: Client) -> None:
        for target, data in self.segments:
            answer = client.signed(self.signer.key, "PUT", target, data)
            assert answer.status == 200, answer.text

    def checkpoint(self, client: Client, old: int, size: int | None = None) -> None:
        answer = client.send("POST", "/add-checkpoint", self.submission(old, size))
        assert (answer.status, answer.body) == (200, b""), answer.text

    def push(self, client: Client, old: int, *, zipped: bool = False) -> Answer:
        """Segments, checkpoint, entries: the answer to the last."""
        self.put_segments(client)
        self.checkpoint(client, old)
        return add_entries(client, self.upload(old), zipped=zipped)


def upload_head(origin: str, start: int, end: int, ticket: bytes = b"") -> bytes:
    raw = origin.encode()
    return struct.pack(">H", len(raw)) + raw + struct.pack(">QQH", start, end, len(ticket)) + ticket


def add_entries(client: Client, body: bytes, *, zipped: bool = False) -> Answer:
    headers = {"Content-Type": "application/octet-stream"}
    if zipped:
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    return client.send("POST", "/add-entries", body, headers)
