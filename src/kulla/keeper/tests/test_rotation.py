"""After a rotation an old token and attestation are good for nothing but finding acts; old segments still open."""

import os
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kulla.journal.segment import seal_segment
from kulla.keeper.ceremony import Ceremony, Present
from kulla.keeper.config import load
from kulla.keeper.core import Keeper
from kulla.keeper.errors import Refusal
from kulla.keeper.live import Live
from kulla.keeper.offices import STATE
from kulla.keeper.roles import ADMIN
from kulla.keeper.rotation import Rotation
from kulla.keeper.sign_in import Origin
from kulla.keeper.testkit import OFFICE_1, VJOSA, invented
from kulla.keeper.testkit import keeper as running_keeper
from kulla.keeper.tests.test_grants import Clock, Inside, numbers


def test_what_a_rotation_takes_away_and_what_it_leaves(tmp_path: Path) -> None:
    with running_keeper(tmp_path, invented(8), start=False) as running:
        with Keeper(load(running.keeper_home / "keeper.json")) as opened:
            assert opened.wait_ready(10)
            opened.serve()
            number = numbers()[0]
            left = rotated(Inside(running, opened, Clock()), number)
        with Keeper(load(running.keeper_home / "keeper.json")) as again:
            assert again.wait_ready(10)
            again.serve()
            with pytest.raises(Refusal):
                again.sessions.proven(left.proof)
            assert again.tracing.traced("official", number, [left.proof, os.urandom(200)]) == [True, False]
            assert again.vault.system("segment") == left.private
            assert again.segment_key(left.header, "compare") == left.key


@dataclass
class Left:
    """What is compared after the next start."""

    proof: bytes
    private: bytes
    header: bytes
    key: bytes


def rotated(inside: Inside, number: str) -> Left:
    """Officials and a citizen; then a rotation, twice."""
    keeper = inside.keeper
    person = inside.person(number)
    root = OFFICE_1
    for each in (person, inside.person(numbers()[1])):
        keeper.committer.commit(
            keeper.offices.office_body(root, "Shteti", kind=STATE),
            keeper.offices.role_body(each, ADMIN, root),
        )
        keeper.committer.commit(
            keeper.credentials.password_body(each, "një-fjalë-e-gjatë-1"),
            keeper.credentials.totp_body(each, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"),
        )
    citizen = inside.person(numbers()[2])
    keeper.committer.commit(keeper.credentials.password_body(citizen, "tjetër-fjalë-e-gjatë-2"))
    live = Live("1" * 32, person, "receptionist", OFFICE_1, "", inside.clock.now())
    old = keeper.sessions.attest(live, "appointments", None)
    public = (
        X25519PrivateKey.from_private_bytes(keeper.vault.system("segment")).public_key().public_bytes_raw()
    )
    header, _ = seal_segment(0, [b"payload"], [public])
    key = keeper.segment_key(header, "compare")

    rotation = Rotation(keeper, "20261121T000000Z")
    private = rotation.keys({"checkpoint": b"\x01" * 32, "cookie": b"\x02" * 32})
    last = keeper.records.last
    assert rotation.keys({"checkpoint": b"\x01" * 32, "cookie": b"\x02" * 32}) == private
    assert keeper.records.last == last, "repeated, it wrote something"
    token = keeper.sign_in.by_password(
        numbers()[2], "tjetër-fjalë-e-gjatë-2", None, Origin(network="192.0.2.1", device="t", language="sq")
    )["token"]
    assert keeper.sessions.live(token).person == citizen
    assert rotation.sessions() == 1
    with pytest.raises(Refusal):
        keeper.sessions.live(token)
    assert rotation.officials() == 5, "two administrators and the three officials of the testkit"
    assert rotation.officials() == rotation.sessions() == 0
    assert not keeper.credentials.has_password(person) and not keeper.credentials.has_totp(person)
    assert keeper.credentials.has_password(citizen), "a citizen lost the password"
    assert keeper.accounts.frozen(person), "a code to the telephone would bring the role back"
    assert not keeper.accounts.frozen(citizen)
    assert Ceremony(keeper).left() is None, "the ceremony would refuse two new administrators"
    secrets = [Ceremony.new_secret()[0] for _ in range(2)]
    both = [
        Present(each, "", "krejt-tjetër-fjalë-3", secret)
        for each, secret in zip((person, inside.person(numbers()[1])), secrets, strict=True)
    ]
    Ceremony(keeper).finish(both)
    assert not keeper.accounts.frozen(person)
    clerk = inside.person(VJOSA.number)
    assert keeper.accounts.frozen(clerk) and not keeper.credentials.has_password(clerk)
    where = Origin(network="192.0.2.2", device="t", language="sq")
    signed = keeper.sign_in.by_password(number, "krejt-tjetër-fjalë-3", pyotp.TOTP(secrets[0]).now(), where)
    assert signed["role"] == ADMIN
    assert keeper.portal_keys()["checkpoint"] == b"\x01" * 32
    return Left(old, private, header, key)
