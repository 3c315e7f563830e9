"""The supervisor's ear: a Unix socket in HOME/run, one JSON line in, one JSON line out.

Only the user who runs the country can reach it (mode 0600). What may be asked is a table of names; anything
else is refused. Both ends live here, so that they cannot drift apart.
"""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from kulla.cli.errors import CommandError

LINE_LIMIT = 64 * 1024
Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class ControlError(CommandError):
    """The supervisor did not answer, or refused."""


async def serve(path: Path, handlers: dict[str, Handler]) -> asyncio.Server:
    """Listen at `path`; each request {"do": name, …} goes to the handler of that name."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(10):
                request = json.loads(await reader.readline() or b"{}")
                handler = handlers.get(request.pop("do", "")) if isinstance(request, dict) else None
                answer = (
                    await handler(request) if handler else {"refused": "The supervisor knows no such call."}
                )
        except (ValueError, TimeoutError) as error:
            answer = {"refused": f"The request could not be read: {error}"}
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()
        writer.close()

    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(one, path=str(path), limit=LINE_LIMIT)
    path.chmod(0o600)
    return server


def ask(path: Path | str, do: str, **arguments: Any) -> dict[str, Any]:
    """Ask the supervisor at `path`. Raises ControlError when it is away or refuses."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(10)
        try:
            line.connect(str(path))
            line.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
            answer = json.loads(line.makefile("rb").readline(LINE_LIMIT) or b"{}")
        except (OSError, ValueError) as error:
            raise ControlError("`kulla up` does not answer; start it and try again.") from error
    if not isinstance(answer, dict) or "refused" in answer:
        raise ControlError(str(answer.get("refused") if isinstance(answer, dict) else answer))
    return answer
