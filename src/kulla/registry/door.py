"""The portal's one door to the keeper, and what the portal may remember of it.

Kept in memory only: the client, the keeper's public keys (also in a file, so that a portal that starts while
the keeper is away still recognises the sessions of its users) and the list of ended sessions.
"""

import json
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from kulla import keeper_client
from kulla.keeper_client import KeeperClient, KeeperUnavailable, Session

POLL_S = 1.0  # sessions that were ended anywhere are refused here within two seconds


@cache
def keeper() -> KeeperClient:
    """The process-wide client; connects when first used and again after the keeper was away."""
    return keeper_client.connect(settings.KULLA_KEEPER_SOCKET)


class PublicKeys:
    """The keeper's public keys: from the keeper, else from the file of an earlier start."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: dict[str, str] | None = None
        self._lock = threading.Lock()

    def token(self) -> bytes:
        """The 32-byte Ed25519 key that session tokens verify with. Raises KeeperUnavailable when unknown."""
        return bytes.fromhex(self._all()["token"])

    def _all(self) -> dict[str, str]:
        with self._lock:
            if self._keys is None:
                self._keys = self._fetch()
            return self._keys

    def _fetch(self) -> dict[str, str]:
        try:
            keys = {name: value.hex() for name, value in keeper().public_keys().items()}
        except KeeperUnavailable:
            if not self._path.exists():
                raise
            stored: dict[str, str] = json.loads(self._path.read_text())
            return stored
        if self._path.parent.is_dir():
            self._path.write_text(json.dumps(keys))
        return keys


@cache
def public_keys() -> PublicKeys:
    """The process-wide store of the keeper's public keys."""
    return PublicKeys(settings.KULLA_PORTAL / "keeper-public.json")


class Revocations:
    """Ended sessions, polled from the keeper every second by a thread that starts with the first question."""

    def __init__(self) -> None:
        self._ended: set[str] = set()
        self._next = 0
        self._started = threading.Lock()
        self._thread: threading.Thread | None = None
        self.last_answer = 0.0

    def __contains__(self, sid: str) -> bool:
        self._ensure()
        return sid in self._ended

    def add(self, sid: str) -> None:
        """Refuse this session here at once (it was ended through this process)."""
        self._ended.add(sid)

    def _ensure(self) -> None:
        if self._thread and self._thread.is_alive():
            return
        with self._started:
            if not (self._thread and self._thread.is_alive()):
                self._thread = threading.Thread(target=self._poll, name="revocations", daemon=True)
                self._thread.start()

    def _poll(self) -> None:
        while True:
            try:
                self._next, ended = keeper().revoked(self._next)
                self._ended.update(ended)
                self.last_answer = time.monotonic()
            except KeeperUnavailable:
                pass  # tokens end by themselves within 15 minutes; nobody can renew one meanwhile
            time.sleep(POLL_S)


revocations = Revocations()
_verified: dict[str, Session] = {}
_VERIFIED_LIMIT = 50_000


def session_of(token: str) -> Session | None:
    """The session of a token that is genuine, not expired and not ended; else None.

    The signature is checked once a token (155 µs) and remembered in this process.
    Raises KeeperUnavailable when the keeper's key has never been seen here.
    """
    now = int(time.time() * 1000)
    session = _verified.get(token)
    if session is None:
        try:
            session = keeper_client.verify_token(token, public_keys().token(), now)
        except keeper_client.Refused:
            return None
        if len(_verified) >= _VERIFIED_LIMIT:
            _verified.clear()
        _verified[token] = session
    if session.expires_ms <= now or session.sid in revocations:
        return None
    return session


def forget() -> dict[str, Any]:
    """Drop everything that is remembered in this process (tests, and after a rebuild)."""
    keeper.cache_clear()
    public_keys.cache_clear()
    _verified.clear()
    return {}
