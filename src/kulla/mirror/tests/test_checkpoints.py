"""add-checkpoint, as tlog-witness has it."""

import base64

import pytest

from kulla.journal.checkpoint import Checkpoint
from kulla.journal.merkle import EMPTY_ROOT
from kulla.journal.note import Signer, sign_note
from kulla.mirror.testkit import RunningMirror
from kulla.mirror.tests.client import Client, Journal


def post(client: Client, body: bytes) -> tuple[int, str, bytes]:
    answer = client.send("POST", "/add-checkpoint", body)
    return answer.status, answer.type, answer.body


def test_pending_moves_on_and_is_not_signed(client: Client, journal: Journal) -> None:
    journal.add(3)
    journal.checkpoint(client, 0)
    journal.add(4)
    journal.checkpoint(client, 3)
    pending = client.signed(journal.signer.key, "GET", f"/{journal.hash}/pending")
    assert pending.text == journal.note(7)
    assert client.send("GET", f"/{journal.hash}/checkpoint").status == 404


def test_the_same_checkpoint_again_is_fine(client: Client, journal: Journal) -> None:
    journal.add(3)
    journal.checkpoint(client, 0)
    journal.checkpoint(client, 3)


def test_wrong_old_size_is_told_the_right_one(client: Client, journal: Journal) -> None:
    journal.add(3)
    journal.checkpoint(client, 0)
    journal.add(2)
    assert post(client, journal.submission(0)) == (409, "text/x.tlog.size", b"3\n")
    assert post(client, journal.submission(2)) == (409, "text/x.tlog.size", b"3\n")


def test_another_root_of_the_same_size_is_refused(
    mirror: RunningMirror, client: Client, journal: Journal
) -> None:
    journal.add(3)
    journal.checkpoint(client, 0)
    forged = journal.submission(3, note=journal.note(3, root=bytes(32)))
    assert post(client, forged)[0] == 422
    other = Journal(signer=journal.signer)
    other.add(3)
    assert post(client, other.submission(3))[0] == 422
    assert "ALARM: two checkpoints of size 3" in mirror.log()


def test_a_fork_is_refused(client: Client, journal: Journal) -> None:
    journal.add(3)
    journal.checkpoint(client, 0)
    fork = Journal(signer=journal.signer)
    fork.add(5)
    assert post(client, fork.submission(3))[0] == 422
    journal.add(2)
    journal.checkpoint(client, 3)


def test_a_proof_from_zero_must_be_empty(client: Client, journal: Journal) -> None:
    journal.add(3)
    line = base64.b64encode(bytes(32)) + b"\n"
    body = journal.submission(0).replace(b"old 0\n", b"old 0\n" + line)
    assert post(client, body)[0] == 422


def test_size_zero_must_have_the_empty_root(client: Client, journal: Journal) -> None:
    assert post(client, journal.submission(0, note=journal.note(0, root=bytes(32))))[0] == 422
    assert post(client, journal.submission(0, note=journal.note(0, root=EMPTY_ROOT)))[0] == 200


def test_signatures(client: Client, journal: Journal) -> None:
    journal.add(3)
    stranger = Signer.generate(journal.signer.name)
    assert post(client, journal.submission(0, note=journal.note(signer=stranger)))[0] == 403
    # A line with our log's name and key id whose signature is wrong makes the note malformed: 403.
    good = journal.note()
    broken = good[:-10] + ("A" if good[-10] != "A" else "B") + good[-9:]
    assert post(client, journal.submission(0, note=broken))[0] == 403
    # Unknown signatures beside the log's are passed over, and not kept.
    body = Checkpoint(journal.signer.name, 3, journal.root()).body()
    both = sign_note(body, stranger.sign, journal.signer.sign)
    assert post(client, journal.submission(0, note=both))[0] == 200
    assert client.signed(journal.signer.key, "GET", f"/{journal.hash}/pending").text == good


def test_unknown_log(client: Client) -> None:
    other = Journal(signer=Signer.generate("other.example/log"))
    other.add(1)
    assert post(client, other.submission(0))[0] == 404


def test_old_size_above_the_checkpoint(client: Client, journal: Journal) -> None:
    journal.add(3)
    body = journal.submission(0).replace(b"old 0\n", b"old 4\n")
    assert post(client, body)[0] == 400


@pytest.mark.parametrize(
    "change",
    [
        lambda body: b"",
        lambda body: b"\n\n",
        lambda body: b"\xff" + body,
        lambda body: body.replace(b"old 0", b"old 00"),
        lambda body: body.replace(b"old 0", b"old -1"),
        lambda body: body.replace(b"old 0", b"old 99999999999999999999"),
        lambda body: body.replace(b"old 0\n", b"old 0\nAAAA\n"),
        lambda body: body.replace(b"old 0\n", b"old 0\n" + b"A" * 43 + b"=\n" * 64),
        lambda body: body[:-1],
        lambda body: body.replace("—".encode(), b"-"),
        lambda body: body.partition(b"\n\n")[0],
    ],
)
def test_malformed(client: Client, journal: Journal, change: object) -> None:
    journal.add(3)
    status, kind, body = post(client, change(journal.submission(0)))  # type: ignore[operator]
    assert (status, kind) == (400, "text/plain; charset=utf-8")
    assert body.count(b"\n") == 1
    assert body.endswith(b".\n")


def test_a_pending_checkpoint_survives_a_restart(
    mirror: RunningMirror, client: Client, journal: Journal
) -> None:
    journal.add(3)
    journal.checkpoint(client, 0)
    mirror.kill()
    client.close()  # it connects anew by itself
    mirror.start()
    fork = Journal(signer=journal.signer)
    fork.add(5)
    assert post(client, fork.submission(0)) == (409, "text/x.tlog.size", b"3\n")
    assert post(client, fork.submission(3))[0] == 422
