"""After a rotation an old token and attestation are good for nothing but finding acts; old segments still open."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kulla.journal.segment import seal_segment
from kulla.keeper.ceremony import Ceremony
from kulla.keeper.config import load
from kulla.keeper.core import Keeper
from kulla.keeper.errors import Refusal
from kulla.keeper.live import Live
from kulla.keeper.offices import STATE
from kulla.keeper.roles import ADMIN
from kulla.keeper.rotation import Rotation
from kulla.keeper.testkit import OFFICE_1
from kulla.keeper.tests.test_grants import Inside, inside, numbers

__all__ = ["inside"]


def test_what_a_rotation_takes_away_and_what_it_leaves(inside: Inside) -> None:
    keeper, number = inside.keeper, numbers()[0]
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
    rotation.sessions()
    assert rotation.officials() == 5, "two administrators and the three officials of the testkit"
    assert rotation.officials() == rotation.sessions() == 0
    assert not keeper.credentials.has_password(person) and not keeper.credentials.has_totp(person)
    assert keeper.credentials.has_password(citizen), "a citizen lost the password"
    assert Ceremony(keeper).left() is None, "the ceremony would refuse two new administrators"
    assert keeper.portal_keys()["checkpoint"] == b"\x01" * 32
    inside.keeper.close()

    with Keeper(load(inside.running.keeper_home / "keeper.json"), inside.clock.now) as again:
        assert again.wait_ready(10)
        again.serve()
        with pytest.raises(Refusal):
            again.sessions.proven(old)
        assert again.tracing.traced("official", number, [old, os.urandom(200)]) == [True, False]
        assert again.vault.system("segment") == private
        assert again.segment_key(header, "compare") == key
