"""A new mirror catches up, one that pulls stays level; the other side is trusted with nothing."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kulla.journal.check import check_folder
from kulla.journal.note import CosignerKey, Signer, sign_note
from kulla.journal.store import segment_path
from kulla.mirror.audit import policy_of
from kulla.mirror.commands import CommandFailed, catch_up, evidence, new
from kulla.mirror.config import load_config, set_policy
from kulla.mirror.evidence import judge, parse_evidence
from kulla.mirror.following import follow
from kulla.mirror.logcopy import LogCopy
from kulla.mirror.merging import merge
from kulla.mirror.messages import Refused
from kulla.mirror.options import ClientTls, reader_key
from kulla.mirror.source import Source
from kulla.mirror.stores import FolderStore
from kulla.mirror.testkit import RunningMirror, free_port, make_policy, start_mirrors, stop_mirrors
from kulla.mirror.tests.client import ORIGIN, Client, Journal
from kulla.mirror.tests.conftest import KEEPER, OBJECTOR, OFFICERS
from kulla.mirror.tests.origin import configure, copy_of, fill, mirror_with, push, status, until
from kulla.mirror.tests.test_keycopy import everything, put, record
from kulla.mirror.tests.test_tombstones import draw_up, listed, schedule

PLAIN = ClientTls(None, None, None)


def reader_file(home: Path) -> str:
    """A fresh reader's key in the home's keys; its verifier key."""
    reader = Signer.generate("reader.example")
    (home / "keys/reader.key").write_text(reader.skey + "\n")
    return reader.vkey


def audited(home: Path, journal: Journal) -> None:
    config = load_config(home / "operator.json")
    folder = home / "mirror" / journal.hash
    report = check_folder(folder, policy_of(journal.signer.verifier, config.cosigner.verifier))
    assert report.problems == []
    assert report.size == journal.size
    assert report.cosigned


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Journal, RunningMirror, RunningMirror]]:
    """A mirror that has everything, and a stopped one that may read from it."""
    journal = Journal()
    old, fresh = start_mirrors(tmp_path, 2, ORIGIN, journal.signer, start=False, keeper_vkey=KEEPER.vkey)
    configure(old, readers=[reader_file(fresh.home)])
    yield journal, old, fresh
    stop_mirrors([old, fresh])


def take(fresh: RunningMirror, old: RunningMirror) -> list[str]:
    said: list[str] = []
    key = fresh.home / "keys/reader.key"
    assert catch_up(fresh.home / "operator.json", old.url, key, PLAIN, said.append) == 0
    return said


def test_a_new_mirror_catches_up(pair: tuple[Journal, RunningMirror, RunningMirror]) -> None:
    journal, old, fresh = pair
    for count in (60_000, 7_000, 1, 300):
        journal.add(count)
    folder = fill(old.home, journal)
    merge(FolderStore(folder.path), journal.size)
    old.start()
    client = Client(old.port)
    assert put(client, *(record(n) for n in (1, 2, 3))).status == 200
    assert take(fresh, old) == [
        "67301 entries taken; 67301 are cosigned now.",
        "3 records of the key copy taken; 3 are held now.",
        "0 tombstones taken; they are carried out when their time has come.",
    ]
    audited(fresh.home, journal)
    # Again does no harm, and what came meanwhile follows.
    journal.add(500)
    assert journal.push(client, 67_301).status == 200
    assert take(fresh, old)[0].startswith("500 entries")
    audited(fresh.home, journal)
    fresh.start()
    other = Client(fresh.port)
    assert everything(other) == everything(client)
    # From now on it is a mirror like any other.
    journal.add(3)
    assert journal.push(other, 67_801).status == 200
    other.close()
    client.close()
    audited(fresh.home, journal)


def test_it_refuses_a_running_mirror_and_a_stranger(
    pair: tuple[Journal, RunningMirror, RunningMirror],
) -> None:
    journal, old, fresh = pair
    journal.add(5)
    old.start()
    push(old, journal)
    fresh.start()
    with pytest.raises(CommandFailed, match="Stop it first"):
        take(fresh, old)
    fresh.stop()
    reader_file(fresh.home)  # another key, that the other side does not know
    with pytest.raises(CommandFailed, match="refuses with 403"):
        take(fresh, old)
    old.stop()
    with pytest.raises(CommandFailed, match="does not answer"):
        take(fresh, old)


def test_a_copy_that_was_changed_is_not_believed(pair: tuple[Journal, RunningMirror, RunningMirror]) -> None:
    """A payload, or payload and tiles, changed at the source: nothing is signed, and the true one is taken later."""
    journal, old, fresh = pair
    for count in (300, 400):
        journal.add(count)
    folder = fill(old.home, journal)
    path = folder.full(segment_path(300, 700))
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    old.start()
    with pytest.raises(CommandFailed, match="cannot be cosigned"):
        take(fresh, old)
    assert not (fresh.home / "mirror" / journal.hash / "checkpoint").exists()
    path.write_bytes(good)
    take(fresh, old)
    audited(fresh.home, journal)


def test_a_source_that_goes_away_for_a_moment(pair: tuple[Journal, RunningMirror, RunningMirror]) -> None:
    journal, old, fresh = pair
    for count in (300, 400):
        journal.add(count)
    folder = fill(old.home, journal)
    old.start()
    config = load_config(fresh.home / "operator.json")
    copy = LogCopy(fresh.home / "mirror" / journal.hash, journal.signer.verifier, config.cosigner)

    class Shaky(Source):
        left = 2

        def get(self, path: str, limit: int, *, signed: bool = False) -> bytes:
            if "/segment/" in path and self.left:
                self.left -= 1
                old.kill()
                try:
                    return super().get(path, limit, signed=signed)
                finally:
                    old.start()
            return super().get(path, limit, signed=signed)

    source = Shaky(old.url, PLAIN, reader_key(fresh.home / "keys/reader.key"))
    assert follow(copy, source, journal.hash, journal.signer.verifier) == 700
    assert source.left == 0
    source.close()
    audited(fresh.home, journal)
    assert folder.exists("checkpoint")


def test_what_a_broken_run_left_is_in_nobodys_way(pair: tuple[Journal, RunningMirror, RunningMirror]) -> None:
    """What a broken-off run left is used by nobody: a half-written copy is begun anew."""
    journal, old, fresh = pair
    for count in (300, 400, 20):
        journal.add(count)
    folder = fill(old.home, journal)
    old.start()
    path = folder.full(segment_path(700, 720))
    path.rename(path.with_suffix(".away"))
    with pytest.raises(CommandFailed, match="no payloads from entry 700"):
        take(fresh, old)
    path.with_suffix(".away").rename(path)
    take(fresh, old)
    audited(fresh.home, journal)


def test_a_mirror_that_pulls(tmp_path: Path, pair: tuple[Journal, RunningMirror, RunningMirror]) -> None:
    journal, old, fresh = pair
    configure(fresh, pull={"from": old.url, "every_s": 0.1, "key": "keys/reader.key"})
    old.start()
    fresh.start()
    size = 0
    for count in (1, 400, 3):
        journal.add(count)
        push(old, journal, size)
        size = journal.size
        until(lambda: status(fresh)["logs"][0]["size"] == journal.size)
    client = Client(old.port)
    assert put(client, record(1)).status == 200
    client.close()
    other = Client(fresh.port)
    until(lambda: len(everything(other)) == 1)
    other.close()
    audited(fresh.home, journal)
    assert status(fresh)["pull"]["fault"] is None
    old.stop()
    until(lambda: "does not answer" in (status(fresh)["pull"]["fault"] or ""))
    old.start()
    # It takes pushes as well.
    journal.add(5)
    push(fresh, journal, 404)
    push(old, journal, 404)
    until(lambda: status(fresh)["pull"]["fault"] is None)
    fresh.stop()
    audited(fresh.home, journal)


def test_pulling_from_a_fork_is_an_alarm_with_evidence(
    pair: tuple[Journal, RunningMirror, RunningMirror],
) -> None:
    journal, old, fresh = pair
    journal.add(300)
    configure(fresh, pull={"from": old.url, "every_s": 0.1, "key": "keys/reader.key"})
    old.start()
    fresh.start()
    push(old, journal)
    until(lambda: status(fresh)["logs"][0]["size"] == 300)
    old.stop()
    shutil.rmtree(old.home / "mirror")
    other = copy_of(journal, 0)
    other.add(350)
    old.start()
    push(old, other)
    until(lambda: [alarm["kind"] for alarm in status(fresh)["alarms"]] == ["fork"])
    (alarm,) = status(fresh)["alarms"]
    assert "fork, proven" in judge(
        parse_evidence((fresh.home / alarm["evidence"]).read_text()), journal.signer.verifier
    )
    said: list[str] = []
    assert evidence(fresh.home / alarm["evidence"], journal.signer.vkey, said.append) == 0
    assert evidence(fresh.home / alarm["evidence"], Signer.generate(ORIGIN).vkey, said.append) == 1
    assert status(fresh)["logs"][0]["size"] == 300


def test_a_lost_operator_is_replaced(tmp_path: Path) -> None:
    """The guided part: new home and keys, catch up from one that is left, publish the policy, sign."""
    journal = Journal()
    journal.add(400)
    (left,) = start_mirrors(tmp_path, 1, ORIGIN, journal.signer, keeper_vkey=KEEPER.vkey)
    push(left, journal)
    home = tmp_path / "new"
    said: list[str] = []
    port = free_port()
    assert new(home, "operator-4.example", journal.signer.vkey, KEEPER.vkey, [], port, said.append) == 0
    lines = said[0].splitlines()
    cosigner = next(line.split()[1] for line in lines if line.strip().startswith("cosigner "))
    reader = next(line.split()[1] for line in lines if line.strip().startswith("reader "))
    with pytest.raises(CommandFailed, match="already"):
        new(home, "operator-4.example", journal.signer.vkey, None, [], port, said.append)
    left.stop()
    configure(left, readers=[reader])
    left.start()
    fresh = RunningMirror("operator-4.example", cosigner, port, home)
    take(fresh, left)
    set_policy(home, make_policy(journal.signer.vkey, [left, fresh], 2))
    try:
        fresh.start()
        audited(home, journal)
        journal.add(7)
        push(fresh, journal, 400)
        client = Client(port)
        assert cosigner.split("+")[0] in client.send("GET", f"/{journal.hash}/checkpoint").text
        client.close()
    finally:
        stop_mirrors([left, fresh])


def test_sections_that_make_no_sense(tmp_path: Path) -> None:
    journal = Journal()
    with mirror_with(tmp_path, journal, start=False) as mirror:
        path = mirror.home / "operator.json"
        good = json.loads(path.read_text())
        from kulla.mirror.config import ConfigError

        for section, words in (
            ({"pull": {"from": "http://x"}}, "needs a `key`"),
            ({"pull": {"from": "http://x", "key": "keys/cosigner.key"}}, "not a reader's key"),
            ({"pull": {"form": "http://x"}}, "no setting `form`"),
            ({"watch": []}, "section in braces"),
            ({"watch": {"origin": "x"}}, "http or https"),
            ({"watch": {"command": "rm"}}, "list of words"),
            ({"watch": {"mail": {"to": "a@b"}}}, "needs `to`, `from` and `server`"),
            ({"watch": {"silent_minutes": 0}}, "above 0"),
            ({"tls": {"certificate": "none.pem", "key": "x"}}, "there is no file none.pem"),
            ({"store": "s3"}, "section in braces"),
            ({"host": "0.0.0.0"}, "which others reach"),  # noqa: S104
        ):
            path.write_text(json.dumps(good | section))
            with pytest.raises(ConfigError, match=words):
                load_config(path)
        path.write_text(json.dumps(good | {"host": "0.0.0.0", "plain_http": True}))  # noqa: S104
        assert load_config(path).host == "0.0.0.0"  # noqa: S104
        assert hashlib.sha256(ORIGIN.encode()).hexdigest() == journal.hash


def test_what_is_pending_here_binds(pair: tuple[Journal, RunningMirror, RunningMirror]) -> None:
    """A story that continues what is cosigned, but not the checkpoint that came here since, is not cosigned."""
    journal, old, fresh = pair
    journal.add(300)
    fresh.start()
    push(fresh, journal)
    journal.add(10)
    client = Client(fresh.port)
    journal.checkpoint(client, 300)
    client.close()
    fresh.stop()
    other = copy_of(journal, 300)
    other.segments = journal.segments[:1]
    other.add(10)
    other.add(40)
    fill(old.home, other)
    old.start()
    with pytest.raises(CommandFailed, match="does not continue the checkpoint of size 310 that came here"):
        take(fresh, old)
    assert "\n300\n" in (fresh.home / "mirror" / journal.hash / "checkpoint").read_text()


def test_pushes_wait_while_it_follows(tmp_path: Path) -> None:
    journal = Journal()
    data = journal.add(3)
    copy = LogCopy(tmp_path, journal.signer.verifier, CosignerKey.generate("m"))
    with copy.following():
        with pytest.raises(Refused, match="brought up to date") as refusal:
            copy.put_segment(0, 3, data)
        assert refusal.value.status == 503
        with pytest.raises(Refused, match="already"), copy.following():
            pass
    copy.put_segment(0, 3, data)


def test_tombstones_travel_with_the_key_copy(tmp_path: Path) -> None:
    """A new copy must destroy what the old ones will; without the officers' keys it says so."""
    journal = Journal()
    journal.add(5)
    officers = [officer.vkey for officer in OFFICERS]
    more = {"keeper_vkey": KEEPER.vkey, "objectors": [OBJECTOR.vkey]}
    old, fresh = start_mirrors(tmp_path, 2, ORIGIN, journal.signer, start=False, officers=officers, **more)
    configure(old, readers=[reader_file(fresh.home)])
    configure(fresh, erasure_officers=[])
    old.start()
    try:
        push(old, journal)
        client = Client(old.port)
        first = schedule(client, draw_up()).text.split()[0]
        second = schedule(client, draw_up(reason="case 2")).text.split()[0]
        note = sign_note(f"kulla-objection/1\n{second}\nno\n", OBJECTOR.sign)
        assert client.send("POST", "/keycopy/object", note.encode()).status == 200
        with pytest.raises(CommandFailed, match="Put the officers into `erasure_officers`"):
            take(fresh, old)
        configure(fresh, erasure_officers=officers)
        assert take(fresh, old)[-1].startswith("2 tombstones taken")
        assert take(fresh, old)[-1].startswith("0 tombstones taken")
        fresh.start()
        other = Client(fresh.port)
        states = {item["id"]: item["state"] for item in listed(other)}
        assert states == {first: "pending", second: "objected"}
        client.close()
        other.close()
    finally:
        stop_mirrors([old, fresh])
