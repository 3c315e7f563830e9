"""The HTTP server on a real socket: strict, bounded, and never a crash."""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from kulla.mirror.http import Server
from kulla.mirror.messages import MAX_HEADER, Refused, Request, Response


def echo(request: Request) -> Response:
    if request.path == "/fault":
        raise ValueError("secret words")
    if request.path == "/unread":
        return Response(b"unread")
    if request.path == "/small":
        return Response(request.read_all(10))
    if request.path == "/slow":
        time.sleep(0.3)
    return Response(f"{request.method} {request.target} ".encode() + request.read_all(100_000))


@contextmanager
def serving(handler: Callable[[Request], Response] = echo, **limits: float) -> Iterator[Server]:
    server = Server("127.0.0.1", 0, handler, **limits)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server
    server.stop()
    thread.join(3)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def talk(server: Server, data: bytes, *, close: bool = True, wait: float = 5) -> bytes:
    """Send bytes, read until the server closes (or, if `close` is False, for what comes within `wait`)."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=wait) as sock:
        sock.sendall(data)
        if close:
            sock.shutdown(socket.SHUT_WR)
        out = b""
        try:
            while part := sock.recv(65536):
                out += part
        except TimeoutError:
            assert not close
        return out


HOST = b"Host: x\r\n"


def test_keep_alive_and_pipelining(server: Server) -> None:
    one = b"GET /a?b HTTP/1.1\r\n" + HOST + b"\r\n"
    two = b"POST /c HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nxyz"
    out = talk(server, one + two + one)
    assert out.count(b"HTTP/1.1 200 OK") == 3
    assert b"GET /a?b " in out
    assert b"POST /c xyz" in out


def test_an_unread_body_does_not_become_a_request(server: Server) -> None:
    smuggled = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
    post = b"POST /unread HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(smuggled)
    out = talk(server, post + smuggled + b"GET /next HTTP/1.1\r\n" + HOST + b"\r\n")
    assert b"smuggled" not in out
    assert b"GET /next" in out


def test_head_and_old_http(server: Server) -> None:
    out = talk(server, b"HEAD /a HTTP/1.1\r\n" + HOST + b"\r\n")
    assert b"Content-Length: 7\r\n" in out
    assert out.endswith(b"\r\n\r\n")
    assert b"Connection: close" in talk(server, b"GET /a HTTP/1.0\r\n\r\n", close=False)


def test_chunks_and_continue(server: Server) -> None:
    head = b"POST /c HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n"
    out = talk(server, head + b"\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n")
    assert b"POST /c abcde" in out
    out = talk(server, head + b"Expect: 100-continue\r\n\r\n1\r\na\r\n0\r\n\r\n")
    assert out.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
        (b"GET http://x/ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET /\xc3\xab HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b" folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"a : b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"a: b\nc: d\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Expect: tea\r\n\r\n", 417),
        (b"POST / HTTP/1.1\r\n" + HOST + b"\r\n", 411),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: +1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\na", 501),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 400),
        (b"POST /small HTTP/1.1\r\n" + HOST + b"Content-Length: 11\r\n\r\n12345678901", 413),
        (b"GET / HTTP/1.1\r\n" + HOST + b"a: b\r\n" * 64 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + HOST + b"a: " + b"b" * MAX_HEADER + b"\r\n\r\n", 431),
        (b"GET /" + b"b" * 2 * MAX_HEADER, 431),
        (b"GET /fault HTTP/1.1\r\n" + HOST + b"\r\n", 500),
    ],
)
def test_refusals_are_one_sentence(server: Server, data: bytes, status: int) -> None:
    out = talk(server, data)
    assert out.startswith(b"HTTP/1.1 %d " % status)
    head, _, body = out.partition(b"\r\n\r\n")
    assert b"text/plain" in head
    assert body.count(b"\n") == 1
    assert body.endswith(b".\n")
    assert b"Traceback" not in out
    assert b"secret" not in out


def test_a_fault_is_logged_without_its_words(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "kulla.mirror"):
        talk(server, b"GET /fault HTTP/1.1\r\n" + HOST + b"\r\n")
    assert "fault in echo:" in caplog.text
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


def test_the_answer_to_a_body_that_is_far_too_long_arrives(server: Server) -> None:
    head = b"POST /small HTTP/1.1\r\n" + HOST + b"Content-Length: 20000000\r\n\r\n"
    assert talk(server, head + bytes(3_000_000)).startswith(b"HTTP/1.1 413 ")


def test_slow_clients_are_let_go() -> None:
    with serving(idle=0.2, header_time=0.2, body_time=0.2) as server:
        for data in (b"", b"GET / HT", b"POST /c HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nx"):
            begin = time.monotonic()
            assert talk(server, data, close=False) == b""
            assert time.monotonic() - begin < 2


def test_a_dripping_header_is_let_go() -> None:
    with serving(header_time=0.3) as server, socket.create_connection(("127.0.0.1", server.port)) as sock:
        begin = time.monotonic()
        for _ in range(40):
            try:
                sock.sendall(b"G")
            except OSError:
                break
            time.sleep(0.05)
        assert time.monotonic() - begin < 1.5


def test_idle_connections_keep_nobody_out() -> None:
    """Whoever opens every connection and sends nothing more loses the one that was idle longest."""
    ask = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
    with serving(connections=2) as server, contextlib.ExitStack() as stack:
        used, idle = (
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=5))
            for _ in range(2)
        )
        for sock in (idle, used):
            sock.sendall(ask)
            assert sock.recv(1000).startswith(b"HTTP/1.1 200")
        until = time.monotonic() + 5
        while any(server._open.values()) and time.monotonic() < until:  # answered, but not yet noted as idle
            time.sleep(0.01)
        assert talk(server, ask).startswith(b"HTTP/1.1 200")
        assert idle.recv(10) == b""
        used.sendall(ask)
        assert used.recv(1000).startswith(b"HTTP/1.1 200")


def test_when_every_connection_is_at_work_the_next_is_told_so() -> None:
    with serving(connections=1) as server, socket.create_connection(("127.0.0.1", server.port)) as busy:
        busy.sendall(b"GET /slow HTTP/1.1\r\n" + HOST + b"\r\n")
        time.sleep(0.1)
        assert talk(server, b"").startswith(b"HTTP/1.1 503 ")
        assert busy.recv(1000).startswith(b"HTTP/1.1 200")


def test_stop_lets_a_request_finish_and_does_not_wait_for_idle_ones() -> None:
    with serving() as server:
        idle = socket.create_connection(("127.0.0.1", server.port))
        busy = socket.create_connection(("127.0.0.1", server.port))
        busy.sendall(b"GET /slow HTTP/1.1\r\n" + HOST + b"\r\n")
        time.sleep(0.1)
        begin = time.monotonic()
        server.stop()
        assert b"GET /slow" in busy.recv(1000)
        assert idle.recv(10) == b""
        idle.close()
        busy.close()
    assert time.monotonic() - begin < 1


def test_refused_is_plain() -> None:
    assert Refused(404, "Nothing.").body == b"Nothing.\n"
