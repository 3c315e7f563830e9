"""The journal's own folder, shown to mirrors that watch it or pull from it."""

import contextlib
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

from kulla.journal import log
from kulla.journal.note import Signer
from kulla.journal.store import LogFolder
from kulla.mirror.commands import catch_up
from kulla.mirror.options import ClientTls
from kulla.mirror.testkit import free_port, start_mirrors, stop_mirrors
from kulla.mirror.tests.client import ORIGIN, RECIPIENT, Client, Journal
from kulla.mirror.tests.origin import configure, status, until
from kulla.mirror.tests.test_following import audited, reader_file


def grow(folder: LogFolder, journal: Journal, count: int) -> None:
    """A round of the real sequencer's steps, without mirrors."""
    staged = log.stage(
        folder, journal.signer, [(uuid.uuid4(), b"payload", bytes(32)) for _ in range(count)], [RECIPIENT]
    )
    log.publish(folder, staged, staged.note)
    log.clear_staged(folder, staged)
    journal.leaves += staged.leaves


@contextlib.contextmanager
def shown(folder: Path, journal: Journal, reader: str) -> Iterator[int]:
    port = free_port()
    words = [
        "publish",
        "--journal",
        str(folder),
        "--log",
        journal.signer.vkey,
        "--reader",
        reader,
        "--port",
        str(port),
    ]
    process = subprocess.Popen([sys.executable, "-m", "kulla.cli", "mirror", *words], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert b"is shown on 127.0.0.1" in process.stdout.readline()
        yield port
    finally:
        process.terminate()
        assert process.wait(10) == 0
        process.stdout.close()


def test_a_mirror_pulls_from_the_journal_itself_and_watches_it(tmp_path: Path) -> None:
    journal = Journal(signer=Signer.generate(ORIGIN))
    folder = LogFolder(tmp_path / "journal")
    grow(folder, journal, 300)
    (mirror,) = start_mirrors(tmp_path / "m", 1, ORIGIN, journal.signer, start=False)
    with shown(folder.path, journal, reader_file(mirror.home)) as port:
        url = f"http://127.0.0.1:{port}"
        said: list[str] = []
        key = mirror.home / "keys/reader.key"
        configure(mirror, keeper=None)
        catch_up(mirror.home / "operator.json", url, key, ClientTls(None, None, None), said.append)
        assert said == ["300 entries taken; 300 are cosigned now."]
        configure(
            mirror,
            pull={"from": url, "every_s": 0.1, "key": "keys/reader.key", "keycopy": False},
            watch={"origin": url, "every_s": 0.1, "silent_minutes": 1},
        )
        mirror.start()
        try:
            for count in (1, 700):
                grow(folder, journal, count)
                until(lambda: status(mirror)["logs"][0]["size"] == journal.size)
            until(lambda: status(mirror)["logs"][0]["watched"][0]["size"] == journal.size)
            assert status(mirror)["alarms"] == []
        finally:
            stop_mirrors([mirror])
        audited(mirror.home, journal)
        client = Client(port)
        base = f"/{journal.hash}"
        for path, expected in (
            ("/checkpoint", 200),
            ("/tile/0/000", 200),
            ("/segments", 403),
            ("/segment/000000/0-300", 403),
            ("/pending", 403),
            ("/staged", 404),
            ("/lock", 404),
            ("/../keys/checkpoint.key", 404),
        ):
            assert client.send("GET", base + path).status == expected, path
        assert client.send("PUT", f"{base}/segment/000000/0-300", b"x").status == 405
        client.close()


def test_it_does_not_listen_to_others_without_a_certificate(tmp_path: Path) -> None:
    journal = Journal()
    for words, sentence in (
        (["--journal", str(tmp_path), "--host", "0.0.0.0"], "give --certificate and --keyfile"),  # noqa: S104
        (["--journal", str(tmp_path / "none")], "is not the folder of a journal"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "kulla.cli", "mirror", "publish", "--log", journal.signer.vkey, *words],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
        assert sentence in done.stderr
