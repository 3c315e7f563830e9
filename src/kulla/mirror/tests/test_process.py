"""The program: starting, refusing to start, stopping, and dying at any moment."""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from kulla.journal.note import Signer
from kulla.journal.policy import Policy
from kulla.mirror import ConfigError, abandon_pending, create_operator
from kulla.mirror.server import CannotStart
from kulla.mirror.testkit import RunningMirror, make_policy, start_mirrors, stop_mirrors
from kulla.mirror.tests.client import ORIGIN, Client, Journal, add_entries
from kulla.mirror.tests.conftest import KEEPER
from kulla.mirror.tests.test_entries import check_published
from kulla.mirror.tests.test_keycopy import everything, put, record


def run(config: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kulla.mirror", "--config", str(config), *options],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def refused(done: subprocess.CompletedProcess[str], words: str) -> None:
    assert done.returncode == 2
    sentence = done.stderr.splitlines()[-1]
    assert words in sentence
    assert "Traceback" not in done.stderr


def test_sigterm_stops_within_a_second(mirror: RunningMirror, client: Client, journal: Journal) -> None:
    journal.add(3)
    assert journal.push(client, 0).status == 200  # the connection stays open, idle
    begin = time.monotonic()
    assert mirror.stop() == 0
    assert time.monotonic() - begin < 1
    assert mirror.log().endswith("INFO stopped\n")


def test_sigint_stops_too(mirror: RunningMirror) -> None:
    assert mirror.process is not None
    mirror.process.send_signal(signal.SIGINT)
    assert mirror.process.wait(2) == 0


def test_port_taken(mirror: RunningMirror, tmp_path: Path, journal: Journal) -> None:
    create_operator(tmp_path / "other", 2, ORIGIN, journal.signer.vkey, KEEPER.vkey, mirror.port)
    done = run(tmp_path / "other/operator.json")
    refused(done, f"Port {mirror.port} on 127.0.0.1 cannot be used: Address already in use.")
    assert len(done.stderr.splitlines()) == 1


def test_a_second_process_in_one_home(mirror: RunningMirror) -> None:
    refused(run(mirror.home / "operator.json"), "Another mirror already runs in 1.")


def test_bad_configurations(tmp_path: Path, journal: Journal) -> None:
    create_operator(tmp_path, 1, ORIGIN, journal.signer.vkey, KEEPER.vkey, 0)
    path = tmp_path / "operator.json"
    good = json.loads(path.read_text())
    officer = Signer.generate("officer")
    twice = [officer.vkey, Signer("officer-b", officer.key).vkey]
    for change, words in (
        ({"version": 2}, "version 1"),
        ({"port": "80"}, "`port`"),
        ({"port": 70000}, "`port`"),
        ({"name": None}, "`name`"),
        ({"name": "other"}, "is called operator-1.test.kulla.example, not other"),
        ({"logs": "x"}, "`logs`"),
        ({"logs": ["x"]}, "`logs`"),
        ({"keeper": "x+y+z"}, "`keeper`"),
        ({"readers": [good["vkey"]]}, "another kind"),
        ({"erasure_officers": twice}, "twice"),
        ({"tombstones_per_day": -1}, "`tombstones_per_day`"),
        ({"key": "keys/none"}, "cannot be read"),
        ({"key": "operator.json"}, "is not a cosigning key"),
    ):
        path.write_text(json.dumps(good | change))
        refused(run(path), words)
    path.write_text("{")
    refused(run(path), "not JSON")
    path.write_bytes(b"\xff")
    refused(run(path), "not JSON")
    refused(run(tmp_path / "none.json"), "cannot be read")


def test_create_operator(tmp_path: Path, journal: Journal) -> None:
    vkey = create_operator(tmp_path / "1", 1, ORIGIN, journal.signer.vkey, KEEPER.vkey, 0)
    assert vkey.startswith("operator-1.test.kulla.example+")
    assert (tmp_path / "1/keys/cosigner.key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigError, match="already"):
        create_operator(tmp_path / "1", 1, ORIGIN, journal.signer.vkey, KEEPER.vkey, 0)
    with pytest.raises(ConfigError, match="origin"):
        create_operator(tmp_path / "2", 2, "other.example/log", journal.signer.vkey, KEEPER.vkey, 0)


def test_three_mirrors_and_their_policy(tmp_path: Path, journal: Journal) -> None:
    running = start_mirrors(tmp_path, 3, ORIGIN, journal.signer)
    try:
        journal.add(5)
        lines = ""
        for mirror in running[:2]:
            client = Client(mirror.port)
            lines += journal.push(client, 0).text
            client.close()
        client = Client(running[2].port)
        policy = Policy.parse(client.send("GET", "/policy").text)
        client.close()
        assert policy.check(journal.note() + lines).checkpoint.size == 5
        assert make_policy(journal.signer.vkey, running, 2).count("witness") == 3
    finally:
        stop_mirrors(running)
    assert all(mirror.process is None for mirror in running)


def test_abandon_pending(mirror: RunningMirror, client: Client, journal: Journal) -> None:
    journal.add(300)
    assert journal.push(client, 0).status == 200
    lost = Journal(signer=journal.signer, leaves=list(journal.leaves))
    lost.add(290)
    lost.put_segments(client)
    lost.checkpoint(client, 300)
    assert add_entries(client, lost.upload(300, packages=1)).status == 202
    with pytest.raises(CannotStart, match="already runs"):
        abandon_pending(mirror.home)
    mirror.stop()
    client.close()
    done = run(mirror.home / "operator.json", "--abandon-pending")
    assert (done.returncode, done.stdout) == (0, "1 pending checkpoint(s) set aside.\n")
    assert abandon_pending(mirror.home) == 0
    (kept,) = (mirror.home / "mirror" / journal.hash).glob("abandoned-590-*")
    assert kept.read_text() == lost.note()
    mirror.start()
    journal.add(5)
    assert journal.push(client, 300).status == 200
    check_published(mirror, client, journal)
    # What was cosigned is never abandoned.
    mirror.stop()
    assert abandon_pending(mirror.home) == 0


def test_a_cosignature_outlives_a_kill_at_any_moment(mirror: RunningMirror, journal: Journal) -> None:
    """Kill it at random moments while entries and records come in; what was acknowledged is always there."""
    chance = random.Random(7)
    acknowledged: list[tuple[int, bytes]] = []
    records = 0
    for _ in range(12):
        stop = threading.Event()

        def kill(delay: float = chance.uniform(0, 0.15), stop: threading.Event = stop) -> None:
            stop.wait(delay)
            os.kill(mirror.pid, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        client = Client(mirror.port)
        killer.start()
        try:
            while True:
                known = acknowledged[-1][0] if acknowledged else 0
                if journal.size == known:
                    journal.add(chance.choice([1, 7, 200, 700]))
                answer = push_from_wherever(client, journal)
                acknowledged.append((journal.size, answer))
                if put(client, *(record(records + n) for n in (1, 2, 3))).status == 200:
                    records += 3
        except (OSError, ConnectionError, http.client.HTTPException):
            pass
        killer.join()
        client.close()
        mirror.kill()
        mirror.start()
        client = Client(mirror.port)
        size = acknowledged[-1][0] if acknowledged else 0
        note = client.send("GET", f"/{journal.hash}/checkpoint")
        if size:
            assert int(note.text.split("\n")[1]) >= size
            check_published(mirror, client, journal)
        assert len(everything(client)) >= records
        records = len(everything(client))
        client.close()
    client = Client(mirror.port)
    push_from_wherever(client, journal)
    check_published(mirror, client, journal)
    for target, data in journal.segments:
        assert client.signed(journal.signer.key, "GET", target).body == data
    client.close()
    assert acknowledged


def push_from_wherever(client: Client, journal: Journal) -> bytes:
    """What a client does that does not know how far the mirror came: ask, then go on from there."""
    target, data = journal.segments[-1]
    assert client.signed(journal.signer.key, "PUT", target, data).status == 200
    asked = client.send("POST", "/add-checkpoint", journal.submission(0))
    if asked.status == 409:
        journal.checkpoint(client, int(asked.body))
    else:
        assert asked.status == 200
    start = json.loads(client.send("GET", "/healthz").body)["logs"][0]["next"]
    answer = add_entries(client, journal.upload(start))
    assert answer.status == 200, answer.text
    return answer.body


def test_a_full_disk_is_a_refusal(mirror: RunningMirror, client: Client, journal: Journal) -> None:
    """A folder where a file must be: the write fails, the answer is plain, and it goes on afterwards."""
    journal.add(3)
    journal.put_segments(client)
    journal.checkpoint(client, 0)
    tile = mirror.home / "mirror" / journal.hash / "tile"
    tile.write_text("in the way")
    answer = add_entries(client, journal.upload(0))
    assert (answer.status, answer.text) == (503, "The mirror cannot write to its disk now.\n")
    assert "ALARM: the disk refused" in mirror.log()
    tile.unlink()
    assert add_entries(client, journal.upload(0)).status == 200


def test_the_log_holds_no_data(mirror: RunningMirror, client: Client, journal: Journal) -> None:
    for target in ("/secretname", "/keycopy/records?from=secretname", "/x?secretname"):
        client.send("GET", target)
        client.signed(KEEPER.key, "GET", target)
    client.send("POST", "/add-checkpoint", b"secretname")
    client.signed(KEEPER.key, "POST", "/keycopy/put", b"secretname")
    with socket.create_connection(("127.0.0.1", mirror.port)) as sock:
        sock.sendall(b"secretname\r\n\r\n")
        sock.recv(1000)
    assert "secretname" not in mirror.log()
