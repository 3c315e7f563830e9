"""A small HTTP/1.1 server: one thread per connection, keep-alive, everything bounded.

The standard library's server parses headers as e-mail and knows no limits on time; a framework would be the
largest thing in this program. What a mirror needs fits on a few pages (this one and messages.py) and starts in
milliseconds. TLS, compression of answers and public traffic belong to the reverse proxy in front.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable

from kulla.journal import tls
from kulla.mirror.messages import (
    RECEIVE,
    Disconnected,
    PlainBody,
    Refused,
    Request,
    Response,
    Wire,
    read_head,
    render,
)

log = logging.getLogger("kulla.mirror")

Handler = Callable[[Request], Response]


class Server:
    """Listens on one address and answers with `handler`.

    Limits: `connections` at once (one more is told 503), `idle` seconds between requests, `header_time` seconds
    for a request's head, `body_time` seconds for its body. A handler raises Refused to refuse; anything else it
    raises is logged by type and place and answered with 500 and one sentence.
    """

    def __init__(
        self,
        host: str,
        port: int,
        handler: Handler,
        *,
        connections: int = 64,
        idle: float = 75.0,
        header_time: float = 10.0,
        body_time: float = 60.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Binds at once: raises OSError if the port is taken."""
        self._handler, self._tls = handler, context
        self._connections = connections
        self._idle, self._header_time, self._body_time = idle, header_time, body_time
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((host, port))
            self._listener.listen(128)
        except OSError:
            self._listener.close()
            raise
        self.port: int = self._listener.getsockname()[1]
        self._wake_out, self._wake_in = socket.socketpair()
        self._lock = threading.Lock()
        self._open: dict[socket.socket, bool] = {}  # connection -> a request is being worked on
        self._stopping = False

    def stop(self) -> None:
        """Ask `run` to return; safe in a signal handler and from any thread."""
        self._stopping = True
        with contextlib.suppress(OSError):
            self._wake_in.send(b"x")

    def run(self, grace: float = 0.7) -> None:
        """Serve until `stop`, then give requests in work `grace` seconds to finish."""
        while not self._stopping:
            ready, _, _ = select.select([self._listener, self._wake_out], [], [])
            if self._listener in ready and not self._stopping:
                with contextlib.suppress(OSError):
                    self._accept(self._listener.accept()[0])
        self._listener.close()
        until = time.monotonic() + grace
        while time.monotonic() < until:
            with self._lock:
                for sock, busy in self._open.items():
                    if not busy:
                        with contextlib.suppress(OSError):
                            _end(sock)
                if not self._open:
                    break
            time.sleep(0.01)
        self._wake_in.close()
        self._wake_out.close()

    def _accept(self, sock: socket.socket) -> None:
        with self._lock:
            full = len(self._open) >= self._connections and not self._make_room()
            if not full:
                self._open[sock] = False
        if full:
            with contextlib.suppress(OSError):
                sock.settimeout(1)
                sock.sendall(render(Refused(503, "Too many connections at once; try again."), close=True))
            sock.close()
            log.warning("refused a connection: %d are open", self._connections)
            return
        threading.Thread(target=self._connection, args=(sock,), daemon=True).start()

    def _make_room(self) -> bool:
        """End the connection that has been idle longest; False when all are at work. Call with the lock held.

        Whoever opens connections and sends nothing must not keep the journal's own out.
        """
        idle = next((sock for sock, busy in self._open.items() if not busy), None)
        if idle is None:
            return False
        del self._open[idle]
        with contextlib.suppress(OSError):
            _end(idle)
        return True

    def _connection(self, sock: socket.socket) -> None:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                sock = self._handshake(sock, self._tls)
            wire = Wire(sock)
            while self._one_request(wire):
                pass
        except (Disconnected, OSError):
            pass
        finally:
            with self._lock:
                self._open.pop(sock, None)
            sock.close()

    def _handshake(self, sock: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
        """The same connection under TLS. Raises OSError (ssl.SSLError is one) after a line in the log."""
        sock.settimeout(self._header_time)
        with self._lock:
            self._open.pop(sock, None)
        try:
            safe = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            with self._lock:
                self._open[safe] = False
            try:
                safe.do_handshake()
            except OSError as error:
                with self._lock:
                    self._open.pop(safe, None)
                log.warning(
                    "refused a connection: %s", tls.sentence(error) or "it broke off in the handshake"
                )
                # What the client has sent already must be read, or the reset overtakes the alert that says why.
                with socket.socket(fileno=safe.detach()) as raw:
                    _linger(raw)
                raise
        except OSError:
            sock.close()
            raise
        return safe

    def _one_request(self, wire: Wire) -> bool:
        """Read, handle and answer one request. True if another may follow."""
        wire.deadline = time.monotonic() + self._idle
        if not wire.buffer:
            wire.fill()
        with self._lock:
            self._open.pop(wire.sock, None)  # to the end of the line: the order is that of the last request
            self._open[wire.sock] = True
        wire.deadline = time.monotonic() + self._header_time
        body: PlainBody | None = None
        answer: Response | Refused
        head_only = keep = False
        try:
            request, body, keep = read_head(wire)
            request.certified = isinstance(wire.sock, ssl.SSLSocket) and bool(wire.sock.getpeercert())
            head_only = request.method == "HEAD"
            if head_only:
                request.method = "GET"
            wire.deadline = time.monotonic() + self._body_time
            answer = self._handle(request)
        except Refused as refusal:
            answer = refusal
        # What was not read is thrown away, so that the next request starts where it should. A body too long to
        # throw away ends the connection; what its sender still sends is swallowed for a moment, lest the
        # operating system's reset overtakes our answer.
        keep = keep and body is not None and not self._stopping
        sent = self._answer(wire, answer, head_only, close=not keep)
        if keep and body is not None:
            try:
                keep = sent and body.drain()
            except Refused:
                keep = False
        if not keep:
            _linger(wire.sock)
        with self._lock:
            self._open[wire.sock] = False  # its place in the line stays that of this request's beginning
        return keep

    def _handle(self, request: Request) -> Response:
        try:
            return self._handler(request)
        except (Refused, Disconnected):
            raise
        except Exception as error:
            trace = error.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            place = f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else "?"
            # The message of an exception may carry what was sent: only its type and place go to the log.
            log.error("fault in %s: %s", place, type(error).__name__)
            raise Refused(500, "The mirror made a mistake and has noted it.") from None

    def _answer(self, wire: Wire, answer: Response | Refused, head_only: bool, *, close: bool) -> bool:
        data = render(answer, close=close, head_only=head_only)
        try:
            wire.sock.settimeout(self._body_time)
            wire.sock.sendall(data)
        except OSError:
            return False
        return True


def _end(sock: socket.socket) -> None:
    """Shut a connection down from another thread. SSLSocket's own way would take TLS away under its reader."""
    socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _linger(sock: socket.socket) -> None:
    until = time.monotonic() + 1.0
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_WR)
        sock.settimeout(0.5)
        while time.monotonic() < until and sock.recv(RECEIVE):
            pass
