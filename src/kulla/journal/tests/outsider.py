"""A stranger's tools, written from the specifications alone: nothing here imports anything of Kulla.

tlog-tiles, tlog-checkpoint, signed-note, tlog-cosignature, tlog-proof and tlog-policy, as short and as slow as
they can be said. What they accept, any reader of these formats should accept.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from urllib.error import HTTPError
from urllib.request import urlopen

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Get = Callable[[str], bytes | None]
"""Gives the bytes under a path of the log's prefix, None where there is nothing."""


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, over leaf hashes."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:]))


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of RFC 6962 §2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], b: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b) of RFC 6962 §2.1.2; PROOF(m, D[n]) is SUBPROOF(m, D[n], true)."""
    n = len(leaves)
    if m == n:
        return [] if b else [mth(leaves)]
    k = 1 << (n - 1).bit_length() - 1
    if m <= k:
        return [*subproof(m, leaves[:k], b), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def climb(leaf: bytes, m: int, n: int, proof: list[bytes]) -> bytes:
    """The root that an inclusion proof gives, by the definition of PATH read backwards."""
    if n == 1:
        assert not proof
        return leaf
    k = 1 << (n - 1).bit_length() - 1
    if m < k:
        return sha256(b"\x01" + climb(leaf, m, k, proof[:-1]) + proof[-1])
    return sha256(b"\x01" + proof[-1] + climb(leaf, m - k, n - k, proof[:-1]))


def keys(vkey: str) -> tuple[str, bytes, int, Ed25519PublicKey]:
    """(name, key id, type, key) of a verifier key."""
    name, ident, material = vkey.split("+", 2)
    raw = base64.b64decode(material)
    assert sha256(name.encode() + b"\n" + raw)[:4].hex() == ident
    return name, bytes.fromhex(ident), raw[0], Ed25519PublicKey.from_public_bytes(raw[1:])


def signed_by(note: str, vkey: str) -> bool:
    """Whether the note has a valid signature, or cosignature, of this key."""
    name, ident, kind, key = keys(vkey)
    text, _, block = note.rpartition("\n\n")
    text += "\n"
    for line in block.splitlines():
        dash, who, coded = line.split(" ")
        raw = base64.b64decode(coded)
        if (dash, who, raw[:4]) != ("—", name, ident):
            continue
        message, signature = text.encode(), raw[4:]
        if kind == 0x04:
            time = int.from_bytes(signature[:8], "big")
            message, signature = f"cosignature/v1\ntime {time}\n{text}".encode(), signature[8:]
        key.verify(signature, message)
        return True
    return False


def tile_at(level: str, n: int, width: int) -> str:
    parts = [f"{n % 1000:03}"]
    while n >= 1000:
        n //= 1000
        parts.insert(0, f"x{n % 1000:03}")
    return f"tile/{level}/{'/'.join(parts)}" + ("" if width == 256 else f".p/{width}")


def audit(get: Get, log_vkey: str) -> tuple[int, list[bytes]]:
    """Read a whole tiled log and check all of it: gives its size and its entries. Fails with AssertionError."""
    raw = get("checkpoint")
    assert raw is not None, "there is no checkpoint"
    note = raw.decode("utf-8")
    assert signed_by(note, log_vkey), "the log has not signed its checkpoint"
    origin, size_text, root_text = note.split("\n")[:3]
    assert origin == log_vkey.split("+", maxsplit=1)[0]
    size = int(size_text)
    assert str(size) == size_text
    entries: list[bytes] = []
    hashes: list[bytes] = []
    for n in range(-(-size // 256)):
        width = min(256, size - n * 256)
        bundle = get(tile_at("entries", n, width)) or get(tile_at("entries", n, 256))
        assert bundle is not None, f"bundle {n} is missing"
        found = []
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            assert len(bundle) >= 2 + length
            found.append(bundle[2 : 2 + length])
            bundle = bundle[2 + length :]
        assert len(found) >= width
        entries += found[:width]
    hashes = [sha256(b"\x00" + entry) for entry in entries]
    level, row = 0, hashes
    while row:
        for n in range(-(-len(row) // 256)):
            part = row[n * 256 : n * 256 + 256]
            tile = get(tile_at(str(level), n, len(part)))
            if tile is None and len(part) < 256:
                tile = get(tile_at(str(level), n, 256))
            assert tile is not None, f"tile {level}/{n} is missing"
            assert len(tile) == 32 * len(part) or len(tile) == 8192
            assert tile[: 32 * len(part)] == b"".join(part), f"tile {level}/{n} is not what is below it"
        full = len(row) // 256
        row = [mth(row[n * 256 : n * 256 + 256]) for n in range(full)]
        level += 1
    assert base64.b64encode(mth(hashes)).decode() == root_text, "the root is another"
    return size, entries


def over_http(prefix: str, types: dict[str, str] | None = None) -> Get:
    """Reads a log under an address; `types` collects the content type of each path."""

    def get(name: str) -> bytes | None:
        try:
            with urlopen(f"{prefix}/{name}", timeout=10) as answer:  # noqa: S310 — loopback, in tests
                if types is not None:
                    types[name] = answer.headers["Content-Type"]
                return bytes(answer.read())
        except HTTPError as e:
            with e:
                assert e.code == 404
            return None

    return get


def holds(proof: str, policy: str) -> tuple[int, bytes, dict[str, object]]:
    """Verify a tlog-proof as tlog-proof.md says, with a policy of one log and one flat group.

    Gives the index, the leaf hash that it proves, and the extra line's JSON. Fails with AssertionError.
    """
    head, _, note = proof.partition("\n\n")
    lines = head.split("\n")
    assert lines.pop(0) == "c2sp.org/tlog-proof@v1"
    extra = json.loads(base64.b64decode(lines.pop(0).removeprefix("extra ")))
    index = int(lines.pop(0).removeprefix("index "))
    hashes = [base64.b64decode(line) for line in lines]
    words = [line.split() for line in policy.splitlines() if line.strip() and not line.startswith("#")]
    logs = [line[1] for line in words if line[0] == "log"]
    witnesses = {line[1]: line[2] for line in words if line[0] == "witness"}
    ((_, _, needed, *members),) = [line for line in words if line[0] == "group"]
    assert any(signed_by(note, log) for log in logs)
    assert sum(signed_by(note, witnesses[name]) for name in members) >= int(needed)
    # step 1, the application's: docs/journal.md, "Checking"
    data = b"\x01" + sha256(base64.b64decode(extra["sealed"])) + sha256(base64.b64decode(extra["claims"]))
    leaf = sha256(b"\x00" + data)
    size, root = note.split("\n")[1:3]
    assert base64.b64encode(climb(leaf, index, int(size), hashes)).decode() == root
    return index, leaf, extra
