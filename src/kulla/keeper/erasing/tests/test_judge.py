"""Which records may be blank, and which must be, by what the copies say of tombstones."""

from pathlib import Path

import pytest

from kulla.journal.note import Signer
from kulla.journal.tombstone import DAY, WAIT, assemble, draw_up, sign
from kulla.keeper.erasing.judge import Judge, in_folder, known_officers
from kulla.keeper.erasing.tests.conftest import OFFICERS
from kulla.mirror.tombstones import Tombstones

AT = 1_800_000_000_000
ID = bytes([7]) * 16
KEYS = known_officers(
    [{"erasure_officers": [each.vkey for each in OFFICERS]}, {"erasure_officers": ["rubbish"]}, {}]
)


def stone(signers: list[Signer] = OFFICERS) -> bytes:
    unsigned = draw_up([ID], "erasure X, round 1", AT)
    return assemble(unsigned, {each.name: sign(unsigned, each.key) for each in signers})


def judge(
    *states: str, now: int = AT + WAIT, due: int = AT + WAIT, data: bytes | None = None
) -> tuple[bool, bool]:
    """(may be blank, must be blank)."""
    made = Judge(KEYS, now)
    for state in states:
        made.add([{"tombstone": data or stone(), "due": due, "state": state}, {"tombstone": b""}, {}])
    return ID in made.may, ID in made.must


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        (("pending",), (True, True)),
        (("pending", "done", "done"), (True, True)),
        (("objected",), (True, False)),
        (("pending", "objected", "objected"), (True, False)),
        (("done", "objected", "objected"), (True, False)),
        (("held", "pending"), (True, False)),
        (("held", "done"), (True, True)),
        ((), (False, False)),
    ],
)
def test_by_state(states: tuple[str, ...], verdict: tuple[bool, bool]) -> None:
    assert judge(*states) == verdict


def test_by_time() -> None:
    assert judge("done", now=AT + WAIT - 1) == (False, False), "nothing is rightly blank before 30 days"
    assert judge("pending", due=AT + WAIT + DAY) == (True, False), "it came to that copy later"


def test_by_signature() -> None:
    others = [Signer.generate(each.name) for each in OFFICERS]
    assert judge("done", data=stone(others)) == (False, False)
    assert judge("done", data=stone([OFFICERS[0], Signer.generate("stranger")])) == (False, False)


def test_a_folder_says_what_its_mirror_would(tmp_path: Path) -> None:
    stones = Tombstones(tmp_path, per_day=9)
    standing = stones.schedule(stone(), KEYS, AT + DAY)

    def said() -> tuple[str, int]:
        [item] = in_folder(tmp_path)
        [own] = stones.all()
        assert (item["state"], item["due"]) == (own.state, own.due)
        return item["state"], item["due"]

    assert said() == ("pending", AT + DAY + WAIT)
    stones.hold(standing.id, b"kulla-hold/1\nx", b"court", AT, lift=False)
    assert said()[0] == "held"
    stones.hold(standing.id, b"kulla-hold-lifted/1\nx", b"court", AT, lift=True)
    assert said()[0] == "pending"
    stones.object(standing.id, b"note", AT)
    assert said()[0] == "objected"
    stones.carried_out(standing.id, AT)
    assert said()[0] == "done"
    stones.close()
    assert in_folder(tmp_path / "none") == []
