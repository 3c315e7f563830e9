"""The keeper's Unix socket: one thread for each connection, one frame asked, one answered.

Whatever comes in, the answer is a map with `ok` or `refused`; a frame that cannot be read is refused with a
sentence and the connection closed. What goes wrong inside is logged here and told outside by one word.
"""

import contextlib
import logging
import os
import shutil
import socket
import struct
import tempfile
import threading
from pathlib import Path
from typing import Any

from kulla.journal import wire
from kulla.keeper import turns
from kulla.keeper.args import Args
from kulla.keeper.calls import CALLS
from kulla.keeper.core import Keeper
from kulla.keeper.errors import KeeperError, Refusal

log = logging.getLogger("kulla.keeper")
MAX_PATH = 107  # sockaddr_un in Linux
MAX_CONNECTIONS = 256
WITHOUT_TURN = frozenset({"passkey_begin"})  # so short that waiting for a turn would take longer
IDLE = struct.pack("@ll", 600, 0)  # struct timeval: seconds, microseconds


class Server:
    """Listens until it is stopped."""

    def __init__(self, keeper: Keeper, path: Path) -> None:
        """Bind the socket. The path's folder must exist; a dead keeper's socket is replaced."""
        self._keeper, self._path = keeper, path
        self._short: Path | None = None
        self._stopping = threading.Event()
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._connections: set[socket.socket] = set()
        self._socket = self._bind()

    def _bind(self) -> socket.socket:
        path = self._path
        path.parent.mkdir(parents=True, exist_ok=True)
        where = path.with_name(path.name + ".where")
        if len(os.fsencode(path)) > MAX_PATH:
            # Callers find the short path in the text file beside the long one (keeper_client does).
            self._short = Path(tempfile.mkdtemp(prefix="kulla-"))
            path = self._short / "keeper.sock"
            where.write_text(f"{path}\n")
            log.warning(
                "The socket's path is longer than %d bytes: the keeper listens at %s.", MAX_PATH, path
            )
        else:
            where.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        old = os.umask(0o117)  # owner and group only
        try:
            listening.bind(str(path))
        finally:
            os.umask(old)
        listening.listen(128)
        return listening

    def serve(self) -> None:
        """Accept until `stop`."""
        while not self._stopping.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                break
            if not self._places.acquire(blocking=False):
                connection.close()
                log.warning("more than %d connections: one was refused", MAX_CONNECTIONS)
                continue
            self._connections.add(connection)
            threading.Thread(target=self._connection, args=(connection,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening, close the connections, remove the socket."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        if self._short:
            shutil.rmtree(self._short, ignore_errors=True)
            self._path.with_name(self._path.name + ".where").unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)

    def _connection(self, connection: socket.socket) -> None:
        # The system's own timeout: Python's would ask twice for each read and write, and give its turn away each time.
        for limit in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            connection.setsockopt(socket.SOL_SOCKET, limit, IDLE)
        try:
            while not self._stopping.is_set():
                try:
                    request = wire.read_frame(connection)
                except wire.WireError as error:
                    wire.write_frame(connection, _refused("bad_request", str(error)))
                    return
                if request is None:
                    return
                self._respond(connection, answer(self._keeper, request))
        except OSError:
            pass  # the caller went away
        finally:
            self._connections.discard(connection)
            connection.close()
            self._keeper.register.close_thread()
            self._places.release()

    @staticmethod
    def _respond(connection: socket.socket, value: dict[str, Any]) -> None:
        try:
            wire.write_frame(connection, value)
        except wire.WireError:
            wire.write_frame(
                connection, _refused("too_long", "The answer is larger than 4 MiB: ask for less at once.")
            )


def answer(keeper: Keeper, request: Any) -> dict[str, Any]:
    """The answer to one request, whatever it is."""
    name = request.get("call") if isinstance(request, dict) else None
    call = CALLS.get(name) if isinstance(name, str) else None
    if call is None:
        return _refused("bad_request", "There is no call of this name.")
    if name not in WITHOUT_TURN:
        turns.begin()
    try:
        return {"ok": call(keeper, Args(request.get("args")))}
    except Refusal as refusal:
        return {"refused": refusal.as_map()}
    except KeeperError:
        log.exception("the call %s failed", name)
        return _refused("broken", "The keeper's own data cannot be read: the operator must look.")
    except Exception:
        log.exception("the call %s failed", name)
        return _refused("internal", "The keeper made a mistake; it is in its log.")
    finally:
        turns.end()


def _refused(code: str, sentence: str) -> dict[str, Any]:
    return {"refused": {"code": code, "sentence": sentence}}
