"""The public port: passes bytes to the portal while it lives and answers for it while it does not.

Not an HTTP proxy: bytes go through unchanged, so that nothing of the protocol can be got wrong here. Only one
thing is noted, the bytes a browser sent since the portal's last byte. When the portal goes away with such a
request unanswered (or cannot be reached at all), they tell which page to answer with.

While the programs are exchanged for newer ones the relay *pauses*: what was begun is answered, what comes meanwhile
waits here for the new portal, on connections that stay open towards the browser. Nobody sees an error.
"""

import asyncio
import contextlib
from collections.abc import Callable

CHUNK = 64 * 1024
HEAD_LIMIT = 16 * 1024  # enough for a request line and the headers of a browser
HEAD_TIMEOUT_S = 10.0
PAUSE_S = 30.0  # so long a request waits in a pause, before it is told that the portal is away
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

# (request head as bytes, whether the portal had it already) -> a complete HTTP answer
Answer = Callable[[bytes, bool], bytes]


def request_line(head: bytes) -> tuple[str, str]:
    """Method and target of a request head; ('', '') when it is no HTTP request."""
    parts = head.split(b"\r\n", 1)[0].split(b" ")
    if len(parts) != 3 or parts[0].decode("latin-1") not in METHODS:
        return "", ""
    return parts[0].decode("latin-1"), parts[1].decode("latin-1")


class Relay:
    """A TCP relay from the public port to the portal's port.

    backend: port of the portal on loopback, changed by the supervisor with every start of the portal.
    held: while True nothing new is passed on; `answer` answers everything (a wipe is going on).
    Between `pause` and `go_on` new requests wait.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.backend = 0
        self.held = False
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._exchanges: set[_Exchange] = set()
        self._going = asyncio.Event()
        self._going.set()

    async def listen(self, host: str, port: int) -> int:
        """Take the public port and return it (port 0: any free one). Raises OSError when it is taken."""
        self._server = await asyncio.start_server(self._accept, host, port, limit=CHUNK)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Give the port back and break off what is open."""
        if self._server is not None:
            self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def pause(self, patience_s: float) -> bool:
        """Let new requests wait until `go_on`; whether all that were begun are answered, after `patience_s` at most."""
        self._going.clear()
        until = asyncio.get_running_loop().time() + patience_s
        while any(exchange.unanswered for exchange in self._exchanges):
            if asyncio.get_running_loop().time() > until:
                return False
            await asyncio.sleep(0.01)
        return True

    def go_on(self) -> None:
        """End a pause."""
        self._going.set()

    async def may_go(self) -> None:
        """Return at once, or when the pause is over, or after PAUSE_S."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_S):
                await self._going.wait()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a stream callback always runs in a task
        self._open.add(task)
        try:
            # OSError: the browser left, or took too long; nobody is there to be told.
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the supervisor is closing; asyncio would log a cancelled callback as an error
        finally:
            self._open.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting = b""  # what came in a pause, for the portal that is to come
        while True:
            await self.may_go()
            if self.held or not self.backend:
                return await self._answer_instead(reader, writer, waiting, forwarded=False)
            try:
                there, portal = await asyncio.open_connection("127.0.0.1", self.backend, limit=CHUNK)
            except OSError:
                return await self._answer_instead(reader, writer, waiting, forwarded=False)
            exchange = _Exchange(self, waiting)
            self._exchanges.add(exchange)
            upward = asyncio.create_task(exchange.up(reader, portal))
            try:
                await exchange.down(there, writer)
            finally:
                self._exchanges.discard(exchange)
                upward.cancel()
                portal.close()
                await asyncio.gather(upward, return_exceptions=True)
            if exchange.left:
                return None
            if exchange.unanswered:
                return await self._answer_instead(reader, writer, bytes(exchange.unanswered), forwarded=True)
            if self._going.is_set() and not exchange.waiting:
                return None
            waiting = exchange.waiting

    async def _answer_instead(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: bytes, *, forwarded: bool
    ) -> None:
        """Read the request's head (its body is let go), answer, close."""
        head = seen
        async with asyncio.timeout(HEAD_TIMEOUT_S):
            while b"\r\n\r\n" not in head and len(head) < HEAD_LIMIT:
                chunk = await reader.read(CHUNK)
                if not chunk:
                    break
                head += chunk
            if not head:
                return
            writer.write(self.answer(head, forwarded))
            await writer.drain()
            writer.write_eof()
            # Closing with unread bytes resets the connection, and the browser would lose the page with it.
            for _ in range(256):
                if not await reader.read(CHUNK):
                    break


class _Exchange:
    """Bytes in both directions on one connection, and the request that waits for its first byte of answer."""

    def __init__(self, relay: Relay, waiting: bytes = b"") -> None:
        self.unanswered = bytearray()
        self.waiting = waiting  # read from the browser and not passed on
        self.left = False  # the browser closed its side
        self._relay = relay

    async def up(self, browser: asyncio.StreamReader, portal: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while self.waiting or (chunk := await browser.read(CHUNK)):
                chunk, self.waiting = self.waiting or chunk, b""
                if not self.unanswered:  # a new request
                    self.waiting = chunk
                    await self._relay.may_go()
                    self.waiting = b""
                if len(self.unanswered) < HEAD_LIMIT:
                    self.unanswered += chunk[: HEAD_LIMIT - len(self.unanswered)]
                portal.write(chunk)
                await portal.drain()
            self.left = True
            portal.write_eof()

    async def down(self, portal: asyncio.StreamReader, browser: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await portal.read(CHUNK):
                self.unanswered.clear()
                browser.write(chunk)
                await browser.drain()
