"""A journal that changed its key: each key signs for its own time, and the verifier says which."""

import pytest

from kulla.journal.checkpoint import Checkpoint
from kulla.journal.errors import PolicyError
from kulla.journal.note import CosignerKey, Signer, sign_note
from kulla.journal.policy import Policy

ORIGIN = "keys.kulla.example/journal"
OLD, NEW = Signer.generate(ORIGIN), Signer.generate(ORIGIN)
MIRRORS = [CosignerKey.generate(f"mirror-{number}") for number in range(3)]
LISTED = "".join(f"witness m{n} {mirror.vkey}\n" for n, mirror in enumerate(MIRRORS))
POLICY = (
    f"log {NEW.vkey}\nlog {OLD.vkey}\n#kulla key-until {OLD.key_id.hex()} 100\n{LISTED}"
    "group all 2 m0 m1 m2\nquorum all\n"
)


def note(size: int, *signers: Signer) -> str:
    """A checkpoint that all mirrors have cosigned: the thief has them too."""
    text = Checkpoint(ORIGIN, size, bytes(32)).body()
    return sign_note(text, *(signer.sign for signer in signers)) + "".join(
        mirror.cosign(text, 1) for mirror in MIRRORS
    )


def test_each_key_signs_for_its_own_time() -> None:
    policy = Policy.parse(POLICY)
    assert policy.logs[0].vkey == NEW.vkey
    assert policy.check(note(99, OLD)).key == f"{OLD.key_id.hex()}, valid up to entry 100"
    assert policy.check(note(100, OLD)).checkpoint.size == 100
    assert policy.check(note(100, NEW, OLD)).key == f"{NEW.key_id.hex()}, valid since entry 100"
    assert policy.check(note(101, NEW)).key.startswith(NEW.key_id.hex())
    for forged in (note(101, OLD), note(10**9, OLD)):
        with pytest.raises(PolicyError, match="valid up to entry 100 only"):
            policy.check(forged)


def test_a_journal_with_one_key_says_nothing_of_times() -> None:
    policy = Policy.parse(f"log {OLD.vkey}\n{LISTED}quorum m0\n")
    assert policy.check(note(101, OLD)).key == OLD.key_id.hex()
