"""Sends prepared requests over kept connections as fast as they are answered. A process of its own, so that it
takes as little of the processor from the portal as Python can: raw sockets, one thread, no parsing but the status.

Usage: python -m bench.load PORT CONNECTIONS SECONDS < requests
Requests come on standard input, each as a 4-byte length and the bytes. Prints JSON: answers by status, seconds,
and times to answer in ms.
"""

import json
import re
import selectors
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator

LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


def read_requests(data: bytes) -> list[bytes]:
    """Split the input into requests."""
    found, at = [], 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        found.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return found


class Line:
    """One connection with one request under way."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.sent = 0.0

    def send(self, request: bytes) -> None:
        """Send; requests are small enough for the socket's buffer."""
        self.buffer = b""
        self.sent = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """The status once the whole answer is there; None before."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the portal closed the connection")
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        found = LENGTH.search(self.buffer, 0, end + 2)
        if found is not None:
            if len(self.buffer) < end + 4 + int(found[1]):
                return None
        elif b"chunked" in self.buffer[:end].lower() and not self.buffer.endswith(b"0\r\n\r\n"):
            return None
        return int(self.buffer[9:12])


def drive(requests: Iterator[bytes], port: int, connections: int, seconds: float) -> dict[str, object]:
    """Send until the requests or the seconds are used up. Waits for the answers under way."""
    statuses: Counter[int] = Counter()
    times: list[float] = []
    sample = {}
    waiting = selectors.DefaultSelector()
    began = time.perf_counter()
    until = began + seconds
    open_lines = 0
    for _ in range(connections):
        if (request := next(requests, None)) is None:
            break
        line = Line(port)
        line.send(request)
        waiting.register(line.socket, selectors.EVENT_READ, line)
        open_lines += 1
    last = began
    while open_lines and time.perf_counter() < until + 10:
        for key, _ in waiting.select(1):
            line = key.data
            status = line.receive()
            if status is None:
                continue
            last = time.perf_counter()
            statuses[status] += 1
            times.append((last - line.sent) * 1000)
            if status not in sample:
                sample[status] = line.buffer[:20_000].decode(errors="replace")
            request = next(requests, None) if last < until else None
            if request is None:
                waiting.unregister(line.socket)
                line.socket.close()
                open_lines -= 1
            else:
                line.send(request)
    times.sort()
    return {
        "statuses": dict(statuses),
        "seconds": last - began,
        "p50_ms": times[len(times) // 2] if times else 0,
        "p99_ms": times[len(times) * 99 // 100] if times else 0,
        "sample": {status: text for status, text in sample.items() if status != 303},
    }


if __name__ == "__main__":
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    result = drive(iter(read_requests(sys.stdin.buffer.read())), port, connections, seconds)
    sys.stdout.write(json.dumps(result))
