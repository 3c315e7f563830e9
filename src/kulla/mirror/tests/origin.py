"""A journal's origin on loopback, honest or not, and mirrors with sections in their operator.json."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kulla.journal.merkle import leaf_hash
from kulla.journal.store import LogFolder
from kulla.journal.tiles import Edge, new_bundles
from kulla.mirror.config import load_config
from kulla.mirror.http import Server
from kulla.mirror.messages import Refused, Request, Response
from kulla.mirror.testkit import RunningMirror, start_mirrors, stop_mirrors
from kulla.mirror.tests.client import ORIGIN, Client, Journal


class Origin:
    """Serves what it is told to: `files` by path below /HASH/."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.server = Server("127.0.0.1", 0, self._answer)
        self.thread = threading.Thread(target=self.server.run)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def publish(self, journal: Journal, note: str | None = None) -> None:
        tiles, _ = Edge(0, ()).append([leaf_hash(leaf) for leaf in journal.leaves])
        files = (
            tiles | new_bundles(0, b"", journal.leaves) | {"checkpoint": (note or journal.note()).encode()}
        )
        self.files = {f"/{journal.hash}/{path}": data for path, data in files.items()}

    def _answer(self, request: Request) -> Response:
        if request.path not in self.files:
            raise Refused(404, "Nothing is here.")
        return Response(self.files[request.path])


@contextmanager
def origin() -> Iterator[Origin]:
    served = Origin()
    served.thread.start()
    try:
        yield served
    finally:
        served.server.stop()
        served.thread.join(3)


@contextmanager
def mirror_with(
    folder: Path, journal: Journal, *, start: bool = True, **sections: Any
) -> Iterator[RunningMirror]:
    """A mirror process whose operator.json has these sections besides."""
    (mirror,) = start_mirrors(folder, 1, ORIGIN, journal.signer, start=False)
    configure(mirror, **sections)
    try:
        if start:
            mirror.start()
        yield mirror
    finally:
        stop_mirrors([mirror])


def configure(mirror: RunningMirror, **sections: Any) -> None:
    path = mirror.home / "operator.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | sections))


def push(mirror: RunningMirror, journal: Journal, old: int = 0) -> None:
    client = Client(mirror.port)
    assert journal.push(client, old).status == 200
    client.close()


def status(mirror: RunningMirror) -> dict[str, Any]:
    client = Client(mirror.port)
    answer: dict[str, Any] = json.loads(client.send("GET", "/status").body)
    client.close()
    return answer


def until(true: Callable[[], object], seconds: float = 15) -> None:
    """Wait for something, at most so long."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def copy_of(journal: Journal, size: int) -> Journal:
    """The same journal as it was, for another story."""
    return Journal(signer=journal.signer, leaves=journal.leaves[:size])


def fill(home: Path, journal: Journal) -> LogFolder:
    """Put a whole journal into a stopped mirror's folder, cosigned by it: what a thousand pushes would leave."""
    config = load_config(home / "operator.json")
    folder = LogFolder(home / "mirror" / journal.hash)
    tiles, _ = Edge(0, ()).append([leaf_hash(leaf) for leaf in journal.leaves])
    folder.put_many({path.split("/", 2)[2]: data for path, data in journal.segments})
    folder.put_many(tiles | new_bundles(0, b"", journal.leaves))
    body = journal.note().rpartition("\n\n")[0] + "\n"
    folder.write_checkpoint_note(journal.note() + config.cosigner.cosign(body, int(time.time())))
    return folder
