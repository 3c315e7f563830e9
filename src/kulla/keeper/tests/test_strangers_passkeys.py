"""Attacks on passkeys by those who did not build them."""

from kulla.keeper.testkit import ARTA, DRITAN
from kulla.keeper.testpasskey import SoftPasskey
from kulla.keeper.tests.conftest import Country
from kulla.keeper_client import Refused


def test_nobody_sorts_the_real_ids_from_the_decoys(country: Country) -> None:
    """With a number typed come eight ids. Who has an account of their own offers each as a new passkey: a refusal would
    say which is real, so tries are few."""
    me = country.sign_in(DRITAN)
    ids = [each["id"] for each in country.client.passkey_begin(ARTA.number).options["allowCredentials"]]
    codes = []
    for each in ids * 4:
        mine = SoftPasskey(id=each)
        try:
            begun = country.client.passkey_new(me.token)
            country.client.passkey_add(me.token, begun.state, "x", **mine.register(begun.options))
            mark = country.client.security_state(me.token).passkeys[-1].mark
            country.client.passkey_remove(me.token, mark)
        except Refused as refused:
            codes.append(refused.code)
    assert codes.count("slow_down") >= len(ids) * 4 - 12
