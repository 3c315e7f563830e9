"""An origin that is silent, shrinks or forks: each is injected, seen, proven and told."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from kulla.journal.checkpoint import parse_checkpoint
from kulla.journal.errors import JournalError
from kulla.journal.note import Signer
from kulla.mirror.evidence import Evidence, judge, parse_evidence
from kulla.mirror.testkit import RunningMirror, free_port
from kulla.mirror.tests.client import ORIGIN, Client, Journal
from kulla.mirror.tests.origin import Origin, copy_of, mirror_with, origin, push, status, until


def kinds(mirror: RunningMirror) -> list[str]:
    return [alarm["kind"] for alarm in status(mirror)["alarms"]]


def evidence(mirror: RunningMirror) -> str:
    (alarm,) = status(mirror)["alarms"]
    return (mirror.home / alarm["evidence"]).read_text()


def watching(served: Origin, **more: Any) -> dict[str, Any]:
    return {"origin": served.url, "every_s": 0.1, **more}


@pytest.fixture
def journal() -> Journal:
    journal = Journal()
    journal.add(300)
    return journal


def test_an_honest_origin_raises_nothing(tmp_path: Path, journal: Journal) -> None:
    with origin() as served, mirror_with(tmp_path, journal, watch=watching(served)) as mirror:
        push(mirror, journal)
        served.publish(journal)
        until(lambda: status(mirror)["logs"][0]["watched"][0]["size"] == 300)
        journal.add(400)
        served.publish(journal)  # ahead of us
        until(lambda: status(mirror)["logs"][0]["watched"][0]["size"] == 700)
        push(mirror, journal, 300)
        state = status(mirror)
        assert state["ok"]
        assert state["alarms"] == []
        until(lambda: json.loads((mirror.home / "status.json").read_text())["logs"][0]["size"] == 700)


def test_silence_and_its_end(tmp_path: Path, journal: Journal) -> None:
    told = tmp_path / "told"
    script = (
        "import os, sys; open(sys.argv[1], 'a').write(os.environ['KULLA_ALARM'] + ': ' + sys.stdin.read())"
    )
    command = [sys.executable, "-c", script, str(told)]
    watch = {"silent_minutes": 0.01, "every_s": 0.1, "command": command}
    with mirror_with(tmp_path / "m", journal, watch=watch) as mirror:
        until(lambda: kinds(mirror) == ["silent"])
        assert not status(mirror)["ok"]
        until(told.exists)
        sentence = f"Nothing signed by {ORIGIN} came here for 0.01 minutes."
        assert told.read_text().startswith(f"silent: {sentence}")
        assert f"ALARM: {sentence}" in mirror.log()
        client = Client(mirror.port)
        journal.checkpoint(client, 0)
        until(lambda: kinds(mirror) == [])
        until(lambda: "is heard again" in told.read_text())
        client.close()
        assert len(list((mirror.home / "alarms/seen").glob("*.json"))) >= 1


def test_an_origin_that_shrinks(tmp_path: Path, journal: Journal) -> None:
    with origin() as served:
        with mirror_with(tmp_path, journal, watch=watching(served)) as mirror:
            served.publish(journal)
            until(lambda: status(mirror)["logs"][0]["watched"][0]["size"] == 300)
            until((mirror.home / "watched.json").exists)
            mirror.stop()  # what was seen outlives a restart
            served.publish(copy_of(journal, 200))
            mirror.start()
            until(lambda: kinds(mirror) == ["shrunk"])
            proof = parse_evidence(evidence(mirror))
        assert "signed a journal of 300 entries" in judge(proof, journal.signer.verifier)
        with pytest.raises(JournalError):
            judge(Evidence("shrunk", proof.second, proof.first), journal.signer.verifier)


@pytest.mark.parametrize("size", [300, 290, 513, 256])
def test_an_origin_that_forks(tmp_path: Path, journal: Journal, size: int) -> None:
    """At one size, ahead of us and behind us: a stranger with the log's key alone is convinced."""
    other = copy_of(journal, 100)
    other.add(size - 100)
    with origin() as served, mirror_with(tmp_path, journal, watch=watching(served)) as mirror:
        push(mirror, journal)
        served.publish(other)
        until(lambda: kinds(mirror) == ["fork"])
        assert "has signed two stories" in mirror.log()
        proof = parse_evidence(evidence(mirror))
        assert "This is a fork, proven." in judge(proof, journal.signer.verifier)
        # Evidence that proves nothing is no evidence.
        with pytest.raises(JournalError):
            judge(proof, Signer.generate(ORIGIN).verifier)
        with pytest.raises(JournalError):
            judge(Evidence("fork", proof.first, proof.first), journal.signer.verifier)
        if proof.proof:
            own_root = parse_checkpoint(proof.first.partition("\n\n")[0] + "\n").root
            honest = Evidence("fork", proof.first, proof.second, own_root, proof.proof)
            with pytest.raises(JournalError):
                judge(honest, journal.signer.verifier)
            with pytest.raises(JournalError):
                judge(
                    Evidence("fork", proof.first, proof.second, bytes(32), proof.proof),
                    journal.signer.verifier,
                )


def test_a_fork_that_is_sent_here(tmp_path: Path, journal: Journal) -> None:
    """Seen also by a mirror that watches nobody."""
    with mirror_with(tmp_path, journal) as mirror:
        push(mirror, journal)
        other = copy_of(journal, 250)
        other.add(50)
        client = Client(mirror.port)
        assert client.send("POST", "/add-checkpoint", other.submission(300)).status == 422
        client.close()
        assert kinds(mirror) == ["fork"]
        assert "fork, proven" in judge(parse_evidence(evidence(mirror)), journal.signer.verifier)
        # Once dealt with, the same is not raised again.
        (item,) = (mirror.home / "alarms").glob("*.json")
        (mirror.home / "alarms/seen").mkdir()
        item.rename(mirror.home / "alarms/seen" / item.name)
        client = Client(mirror.port)
        assert client.send("POST", "/add-checkpoint", other.submission(300)).status == 422
        client.close()
        assert kinds(mirror) == []


def test_tiles_that_do_not_lead_to_the_checkpoint(tmp_path: Path, journal: Journal) -> None:
    with origin() as served, mirror_with(tmp_path, journal, watch=watching(served)) as mirror:
        push(mirror, journal)
        longer = copy_of(journal, 300)
        longer.add(300)
        served.publish(longer)
        path = f"/{journal.hash}/tile/0/001"
        served.files[path] = served.files[path][:-32] + bytes(32)
        served.files[f"/{journal.hash}/tile/1/000.p/2"] = bytes(64)
        until(lambda: kinds(mirror) == ["unproven"])


def test_a_checkpoint_by_someone_else_is_no_sign_of_life(tmp_path: Path, journal: Journal) -> None:
    watch = {"silent_minutes": 0.02, "every_s": 0.1}
    with origin() as served, mirror_with(tmp_path, journal, watch=watch | {"origin": served.url}) as mirror:
        served.publish(journal, journal.note(signer=Signer.generate(ORIGIN)))
        until(lambda: kinds(mirror) == ["silent"])
        assert "does not hold" in status(mirror)["logs"][0]["watched"][0]["fault"]


def test_telling_is_tried_a_bounded_number_of_times(tmp_path: Path, journal: Journal) -> None:
    count = tmp_path / "count"
    command = [sys.executable, "-c", f"open({str(count)!r}, 'a').write('x'); raise SystemExit(3)"]
    watch = {"silent_minutes": 0.001, "every_s": 0.1, "command": command, "tries": 3, "wait_s": 0.05}
    with mirror_with(tmp_path / "m", journal, watch=watch) as mirror:
        until(lambda: "it was the last try" in mirror.log())
        assert "the command ended with 3" in mirror.log()
        assert count.read_text() == "xxx"
        mirror.stop()
        mirror.start()  # nor again after a restart
        until(lambda: kinds(mirror) == ["silent"])
        assert count.read_text() == "xxx"


class Postman:
    """Refuses the first mail, takes the second."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.calls = 0

    async def handle_DATA(self, _server: SMTP, _session: object, envelope: Any) -> str:  # noqa: N802
        self.calls += 1
        if self.calls == 1:
            return "451 later"
        self.taken.append(envelope.content.decode())
        return "250 OK"


def test_mail_is_sent_again_until_it_is_taken(tmp_path: Path, journal: Journal) -> None:
    postman = Postman()
    controller = Controller(postman, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        mail = {"to": "operator@mirror.example", "from": "mirror@mirror.example"}
        mail["server"] = f"127.0.0.1:{controller.port}"
        watch = {"silent_minutes": 0.001, "every_s": 0.1, "mail": mail, "wait_s": 0.05}
        with mirror_with(tmp_path, journal, watch=watch) as mirror:
            until(lambda: postman.taken)
            until(lambda: status(mirror)["alarms"][0]["told"])
            assert "it is tried again" in mirror.log()
            assert "it was the last try" not in mirror.log()
        assert postman.calls == 2
        assert f"Nothing signed by {ORIGIN}" in postman.taken[0]
    finally:
        controller.stop()
