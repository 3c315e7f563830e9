"""A few connections to the keeper's socket, shared by the threads of a process."""

import os
import socket
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kulla.journal import wire
from kulla.keeper_client.errors import KeeperUnavailable, Refused

CONNECT_S = 2.0
ANSWER_S = 5.0
KEEP = 16  # idle connections kept; more are opened when more threads ask at once


class Pool:
    """Connections to one socket path. Thread-safe; survives restarts of the keeper and forks of this process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: deque[socket.socket] = deque()
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def ask(self, call: str, args: Mapping[str, object], answer_s: float = ANSWER_S) -> Any:
        """The keeper's answer. Raises Refused, KeeperUnavailable.

        A connection that the keeper closed while it lay idle (a restart) is replaced once. The call is not
        repeated after the keeper may have read it: the answer alone could be what was lost.
        """
        connection = self._take()
        fresh = connection is None
        try:
            if connection is None:
                connection = self._open()
            elif _closed(connection):
                connection.close()
                connection, fresh = self._open(), True
            connection.settimeout(answer_s)
            try:
                wire.write_frame(connection, {"call": call, "args": dict(args)})
            except (BrokenPipeError, ConnectionResetError):
                if fresh:
                    raise
                connection.close()
                connection = self._open()
                connection.settimeout(answer_s)
                wire.write_frame(connection, {"call": call, "args": dict(args)})
            answer = wire.read_frame(connection)
        except (OSError, wire.WireError) as error:
            if connection is not None:
                connection.close()
            raise KeeperUnavailable(f"The keeper does not answer the call {call}.") from error
        if not isinstance(answer, dict):
            connection.close()
            raise KeeperUnavailable(f"The keeper closed the connection during the call {call}.")
        self._give_back(connection)
        if "refused" in answer:
            details = dict(answer["refused"])
            raise Refused(str(details.pop("code", "unknown")), str(details.pop("sentence", "")), **details)
        return answer.get("ok")

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def __del__(self) -> None:
        # Clients live as long as their process; one that is dropped earlier (tests) leaves nothing open.
        while self._idle:
            self._idle.pop().close()

    def _open(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(CONNECT_S)
        try:
            connection.connect(str(_reachable(self._path)))
        except OSError:
            connection.close()
            raise
        return connection

    def _take(self) -> socket.socket | None:
        with self._lock:
            if os.getpid() != self._pid:  # a forked child must not share its parent's conversations
                while self._idle:
                    self._idle.pop().close()
                self._pid = os.getpid()
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: socket.socket) -> None:
        with self._lock:
            if len(self._idle) < KEEP:
                self._idle.append(connection)
                return
        connection.close()


def _closed(connection: socket.socket) -> bool:
    """Whether an idle connection was closed by the other side (a read would give its end)."""
    try:
        connection.setblocking(False)
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _reachable(path: Path) -> Path:
    """The socket itself, or where the keeper put it when the path is too long for a Unix socket.

    A Unix socket's path has at most 107 bytes. For a longer one the keeper writes the short path into
    `<path>.where`, a text file in the same folder.
    """
    where = path.with_name(path.name + ".where")
    if len(os.fsencode(path)) > 107 and where.exists():
        return Path(where.read_text().strip())
    return path
