"""The public port: passes bytes while the portal lives, answers plainly while it does not."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from kulla.cli.supervisor import pages
from kulla.cli.supervisor.relay import Relay, request_line


def answer(head: bytes, forwarded: bool) -> bytes:
    method, _ = request_line(head)
    return pages.away(method or "GET", head, forwarded=forwarded)


async def exchange(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(5):
        got = await reader.read(-1)
    writer.close()
    return got


def run(test: Callable[[Relay, int], Awaitable[None]]) -> None:
    async def around() -> None:
        relay = Relay(answer)
        port = await relay.listen("127.0.0.1", 0)
        try:
            await test(relay, port)
        finally:
            await relay.close()

    asyncio.run(around())


async def backend(talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> tuple:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


def test_passes_bytes_unchanged() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + head)
        await writer.drain()

    async def test(relay: Relay, port: int) -> None:
        server, relay.backend = await backend(talk)
        got = await exchange(port, b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        server.close()
        assert got.endswith(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")

    run(test)


@pytest.mark.parametrize(
    ("request_head", "said"),
    [
        (b"GET /my HTTP/1.1\r\nHost: x\r\n\r\n", "Portali po kthehet"),
        (b"POST /book HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd", "Asgjë nuk u dërgua"),
    ],
)
def test_a_dead_portal_has_static_pages(request_head: bytes, said: str) -> None:
    async def test(relay: Relay, port: int) -> None:
        relay.backend = 1  # nothing listens there
        got = (await exchange(port, request_head)).decode()
        assert got.startswith("HTTP/1.1 503 ")
        assert "Retry-After: 2" in got
        assert said in got

    run(test)


def test_a_portal_that_dies_with_a_request_in_hand() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async def test(relay: Relay, port: int) -> None:
        server, relay.backend = await backend(talk)
        sent = await exchange(
            port, b"POST /book HTTP/1.1\r\nCookie: language=en\r\nContent-Length: 0\r\n\r\n"
        )
        read = await exchange(port, b"GET /my HTTP/1.1\r\nCookie: language=en\r\n\r\n")
        server.close()
        assert b"It is not known whether it was taken" in sent
        assert b"The portal is coming back" in read

    run(test)


def test_held_means_nothing_new_is_passed_on() -> None:
    reached = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(1)

    async def test(relay: Relay, port: int) -> None:
        server, relay.backend = await backend(talk)
        relay.held = True
        got = await exchange(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        server.close()
        assert b"503" in got
        assert not reached

    run(test)


def test_a_head_request_gets_no_body() -> None:
    async def test(relay: Relay, port: int) -> None:
        got = await exchange(port, b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert got.endswith(b"\r\n\r\n")

    run(test)


async def numbered(
    seen: list[bytes], number: int, talking: list[asyncio.StreamWriter]
) -> tuple[asyncio.Server, int]:
    """A portal that answers each request of a connection with its number. It has ended when `talking` is closed."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                seen.append(head)
                if b"/slow" in head:
                    await asyncio.sleep(0.2)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number)
                await writer.drain()
                if b"/last" in head:
                    return

    return await backend(talk)


def test_in_a_pause_requests_wait_for_the_next_portal_on_their_connection() -> None:
    async def test(relay: Relay, port: int) -> None:
        seen: list[bytes] = []
        talking: list[asyncio.StreamWriter] = []
        old, relay.backend = await numbered(seen, 1, talking)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answered = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
        async with asyncio.timeout(10):
            writer.write(b"GET /slow HTTP/1.1\r\n\r\n")
            while not seen:
                await asyncio.sleep(0.01)
            assert await relay.pause(5)  # what was begun is answered by the old one
            assert await reader.readexactly(len(answered) + 1) == answered + b"1"
            writer.write(b"GET /waits HTTP/1.1\r\n\r\n")
            new_reader, new_writer = await asyncio.open_connection("127.0.0.1", port)
            new_writer.write(b"GET /new HTTP/1.1\r\n\r\n")
            await asyncio.sleep(0.1)
            assert len(seen) == 1
            old.close()
            talking.pop().close()
            relay.backend = 0
            await asyncio.sleep(0.1)
            new, relay.backend = await numbered(seen, 2, talking)
            relay.go_on()
            assert await reader.readexactly(len(answered) + 1) == answered + b"2"
            assert await new_reader.readexactly(len(answered) + 1) == answered + b"2"
            writer.write(b"GET /last HTTP/1.1\r\n\r\n")  # and the connection goes on
            assert await reader.read(-1) == answered + b"2"
        writer.close()
        new_writer.close()
        new.close()
        await asyncio.sleep(0.1)  # for the ends of the other side

    run(test)


def test_a_request_that_is_never_answered_ends_the_patience_and_is_told() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)

    async def test(relay: Relay, port: int) -> None:
        server, relay.backend = await backend(talk)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /for/ever HTTP/1.1\r\n\r\n")
        await asyncio.sleep(0.1)
        assert not await relay.pause(0.1)
        writer.close()
        server.close()
        await asyncio.sleep(0.1)

    run(test)
