"""Which acts are an official's: the keeper says it for officials only, to few names an hour, and logs it."""

from uuid import uuid4

import pytest

from kulla.keeper.errors import Refusal
from kulla.keeper.live import Live
from kulla.keeper.testkit import OFFICE_1
from kulla.keeper.tests.test_grants import Inside, inside, numbers
from kulla.keeper.tracing import NAMES_AN_HOUR

__all__ = ["inside"]


def proof(inside: Inside, number: str, role: str, sid: str = "1" * 32, **more: object) -> bytes:
    """An attestation that the keeper made."""
    person = inside.person(number)
    office = OFFICE_1 if role == "receptionist" else None
    live = Live(sid, person, role, office, "", inside.clock.now(), **more)  # type: ignore[arg-type]
    pseudonym = None if office else inside.keeper.people.pseudonym(person, "appointments")
    return inside.keeper.sessions.attest(live, "appointments", pseudonym)


def test_an_officials_acts_are_found_and_a_citizens_are_nobodys(inside: Inside) -> None:
    clerk, citizen = numbers()[:2]
    acts = [
        proof(inside, clerk, "receptionist"),
        proof(inside, clerk, "receptionist", "2" * 32),
        proof(inside, citizen, "receptionist"),
        proof(inside, clerk, "citizen"),
        proof(inside, citizen, "citizen", assisted=OFFICE_1, helper=inside.person(clerk)),
        b"no attestation",
    ]
    traced = inside.keeper.tracing.traced
    assert traced("official", clerk, acts) == [True, True, False, False, True, False]
    assert traced("session", "2" * 32, acts) == [False, True, False, False, False, False]
    assert traced("session", "1" * 32, acts) == [True, False, True, False, False, False], (
        "a citizen's was told"
    )
    assert traced("official", "nobody-at-all", acts) == [False] * 6
    with pytest.raises(Refusal):
        traced("person", clerk, acts)


def test_few_names_an_hour_and_each_is_a_look(inside: Inside) -> None:
    traced = inside.keeper.tracing.traced
    before = len(inside.keeper.looks.since(0))
    for _ in range(NAMES_AN_HOUR):
        traced("official", uuid4().hex, [])
    known = uuid4().hex
    with pytest.raises(Refusal) as refused:
        traced("official", known, [])
    assert refused.value.code == "budget"
    assert len(inside.keeper.looks.since(0)) == before + NAMES_AN_HOUR + 1
    inside.clock.shift += 3_600_001
    assert traced("official", known, []) == []
    assert traced("official", known, []) == []
    assert len(inside.keeper.looks.since(0)) == before + NAMES_AN_HOUR + 2, "asked again is one look"
