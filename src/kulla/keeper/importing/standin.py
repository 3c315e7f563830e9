"""A stand-in for a live register, for tests and demonstrations: real HTTP on loopback, real signatures.

    python -m kulla.keeper.importing.standin --data DATA.json --key SECRET --keeper PUBLICHEX [--port N]

DATA.json is read again at each request: {"name": "civil-registry", "changes": [{"people": {…}} or {"families": {…}},
…], "mischief": ""}. The cursor counts changes. It prints its port as one line. `mischief` makes it lie, each in
one way: unsigned, other_key, tamper, replay, old_time, other_request, back, garbage, long, silent.
"""

import argparse
import hashlib
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kulla.keeper.importing.live import ANSWER, MAX_ANSWER, REQUEST, SIGNATURE, SKEW_MS, sign, verify
from kulla.keeper.importing.signing import read_key

MAX_REQUEST = 64 * 1024


class Register:
    """The changes, and what was asked before."""

    def __init__(self, data: Path, key: Ed25519PrivateKey, keeper: Ed25519PublicKey) -> None:
        self.data, self.key, self.keeper = data, key, keeper
        self.nonces: set[str] = set()
        self.last: tuple[bytes, str] | None = None

    def answer(self, body: bytes, signature: str) -> tuple[int, bytes, str]:
        """(status, body, signature) of a request. Refuses what the keeper did not sign, and what comes twice."""
        if not verify(REQUEST, body, signature, self.keeper):
            return 403, b"the keeper did not sign this\n", ""
        asked = json.loads(body)
        now = time.time_ns() // 1_000_000
        if asked["nonce"] in self.nonces or abs(asked["time"] - now) > SKEW_MS:
            return 403, b"this request was made before\n", ""
        self.nonces.add(asked["nonce"])
        facts = json.loads(self.data.read_text())
        mischief = facts.get("mischief", "")
        if mischief == "silent":
            return 503, b"closed\n", ""
        if mischief == "replay" and self.last:
            return 200, *self.last
        said = self._said(facts, asked, body, now, mischief)
        raw = json.dumps(said, ensure_ascii=False).encode()
        signed = sign(ANSWER, raw, Ed25519PrivateKey.generate() if mischief == "other_key" else self.key)
        if mischief == "tamper":
            raw = raw.replace(b'"more"', b'"More"')
        if mischief == "garbage":
            raw = b"{"
            signed = sign(ANSWER, raw, self.key)
        if mischief == "long":
            raw += b" " * MAX_ANSWER
            signed = sign(ANSWER, raw, self.key)
        self.last = raw, signed
        return 200, raw, "" if mischief == "unsigned" else signed

    @staticmethod
    def _said(facts: Any, asked: Any, body: bytes, now: int, mischief: str) -> dict[str, Any]:
        start = asked["cursor"]
        part = facts["changes"][start : start + asked["limit"]]
        cursor = start + len(part)
        said = {"v": 1, "register": facts["name"], "nonce": asked["nonce"], "time": now, "cursor": cursor}
        said["request"] = hashlib.sha256(body).hexdigest()
        said["more"] = cursor < len(facts["changes"])
        said["people"] = [each["people"] for each in part if "people" in each]
        said["families"] = [each["families"] for each in part if "families" in each]
        if mischief == "old_time":
            said["time"] = now - 2 * SKEW_MS
        if mischief == "other_request":
            said["request"] = hashlib.sha256(body + b" ").hexdigest()
        if mischief == "back":
            said["cursor"] = start - 1
        return said


def serve(register: Register, port: int) -> ThreadingHTTPServer:
    """The server, bound to loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length") or 0), MAX_REQUEST)
            body = self.rfile.read(length)
            status, raw, signature = register.answer(body, self.headers.get(SIGNATURE, ""))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            if signature:
                self.send_header(SIGNATURE, signature)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
            """Nothing: rows are nobody's business."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main(arguments: list[str]) -> int:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="standin")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--keeper", required=True)
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args(arguments)
    keeper = Ed25519PublicKey.from_public_bytes(bytes.fromhex(args.keeper))
    server = serve(Register(args.data, read_key(args.key), keeper), args.port)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
