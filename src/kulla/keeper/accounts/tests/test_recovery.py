"""Recovery of each loss. What is stronger is never taken away in silence by what is weaker."""

from kulla.keeper.accounts.tests.conftest import GOOD, NETWORK, SECRETS, House
from kulla.keeper.accounts.tests.test_activation import NOBODY, refused
from kulla.keeper.testkit import Member


def proven(house: House, who: Member, lost: str, **shown: object):  # type: ignore[no-untyped-def]
    """What follows from what was shown, from a network of its own each time."""
    place = f"203.{next(_places)}.113.5"
    return house.client.recover_prove(who.number, lost, network=place, **shown)  # type: ignore[arg-type]


_places = iter(range(250))


def phone_code(house: House, who: Member) -> str:
    """A fresh code by telephone."""
    house.client.recover_begin(who.number, network=NETWORK)
    return house.code(who, "code_recovery")


def test_a_lost_password_by_telephone(house: House) -> None:
    """Where there is no second factor a code is enough; sessions end, every channel is told."""
    client, who = house.client, house.person(password=GOOD[0], email=True)
    session = house.sign_in(who)
    code = phone_code(house, who)
    found = proven(house, who, "password", phone_code=code)
    refused("wrong_code", proven, house, who, "password", phone_code=code)
    assert client.account_finish(found.step, GOOD[1], network=NETWORK, device="t", language=None)
    refused("session", client.renew, session.token)
    refused("wrong", client.sign_in, who.number, GOOD[0], network=NETWORK, device="t")
    assert client.sign_in(who.number, GOOD[1], network="198.51.100.4", device="t")
    assert house.kinds(who).count("password_recovered") == 2


def test_a_lost_password_by_a_paper_code(house: House) -> None:
    """Ten codes, each works once, spent only when the password was set; new ones end the old."""
    client, who = house.client, house.person(password=GOOD[0])
    session = house.sign_in(who)
    old, codes = client.paper_codes(session.token), client.paper_codes(session.token)
    assert len(set(codes)) == 10 and client.account_view(session.token).papers == 10
    refused("wrong_code", proven, house, who, "password", paper_code=old[0])
    one, two = (proven(house, who, "password", paper_code=codes[3].lower()) for _ in range(2))
    finish = {"network": NETWORK, "device": "t", "language": None}
    assert client.account_finish(one.step, GOOD[1], **finish)
    refused("too_late", client.account_finish, two.step, GOOD[2], **finish)
    refused("wrong_code", proven, house, who, "password", paper_code=codes[3])
    again = client.sign_in(who.number, GOOD[1], network="198.51.100.4", device="t")
    assert client.account_view(again.token).papers == 9


def test_with_a_second_factor_a_telephone_is_not_enough(house: House) -> None:
    """With the app's code at once; with the telephone alone after 72 hours in which everybody was told."""
    client, who = house.client, house.person(password=GOOD[0], email=True, totp=SECRETS[0])
    code = phone_code(house, who)
    assert refused("more", proven, house, who, "password", phone_code=code).details["due_ms"] == 0
    refused("wrong_code", proven, house, who, "password", phone_code=code, totp="000000")
    waits = proven(house, who, "password", phone_code=code, wait=True)
    assert waits.due_ms - house.clock() > 71 * 3600 * 1000 and waits.step is None
    assert house.kinds(who).count("recovery_waits_password") == 2
    assert proven(house, who, "password", phone_code=code, wait=True).due_ms == waits.due_ms
    fast = proven(house, who, "password", phone_code=code, totp=who.code())
    finish = {"network": NETWORK, "device": "t", "language": None}
    assert client.account_finish(fast.step, GOOD[1], **finish) is None  # the second factor is still asked for
    refused("second_factor", client.sign_in, who.number, GOOD[1], network=NETWORK, device="t")
    house.clock.wait(hours=73)  # the wait ended with the recovery
    refused("more", proven, house, who, "password", phone_code=phone_code(house, who))


def test_the_slow_way(house: House) -> None:
    """After 72 hours the same proof is enough, for seven days."""
    client, who = house.client, house.person(password=GOOD[0], totp=SECRETS[0])
    proven(house, who, "password", phone_code=phone_code(house, who), wait=True)
    house.clock.wait(hours=71)
    assert refused("more", proven, house, who, "password", phone_code=phone_code(house, who)).details[
        "due_ms"
    ]
    house.clock.wait(hours=2)
    found = proven(house, who, "password", phone_code=phone_code(house, who))
    client.account_finish(found.step, GOOD[1], network=NETWORK, device="t", language=None)
    refused("second_factor", client.sign_in, who.number, GOOD[1], network=NETWORK, device="t")
    late = house.person(password=GOOD[0], totp=SECRETS[1])
    proven(house, late, "password", phone_code=phone_code(house, late), wait=True)
    house.clock.wait(hours=24 * 11)
    refused("more", proven, house, late, "password", phone_code=phone_code(house, late))


def test_a_lost_second_factor(house: House) -> None:
    """Password and paper code at once; password and telephone after 72 hours; never without the password."""
    client, who = house.client, house.person(password=GOOD[0], totp=SECRETS[0])
    papers = client.paper_codes(house.sign_in(who).token)
    code = phone_code(house, who)
    refused("wrong_code", proven, house, who, "factor", phone_code=code, password="not-it")
    refused("wrong_code", proven, house, who, "factor", password=GOOD[0])
    refused("more", proven, house, who, "factor", phone_code=code, password=GOOD[0])
    assert proven(house, who, "factor", paper_code=papers[0], password=GOOD[0]).done
    assert client.sign_in(who.number, GOOD[0], network=NETWORK, device="t")
    assert "factor_removed" in house.kinds(who)
    refused("nothing_lost", proven, house, who, "factor", paper_code=papers[1], password=GOOD[0])
    slow = house.person(password=GOOD[0], totp=SECRETS[1])
    proven(house, slow, "factor", phone_code=phone_code(house, slow), password=GOOD[0], wait=True)
    house.clock.wait(hours=73)
    assert proven(house, slow, "factor", phone_code=phone_code(house, slow), password=GOOD[0]).done


def test_a_passkey_counts_as_a_second_factor(house: House) -> None:
    """It is not taken away, nor gone around, by a message to a telephone."""
    who = house.person(password=GOOD[0])
    house.keeper.committer.commit(
        {
            "type": "passkey",
            "mark": b"m" * 32,
            "person": house.id(who),
            "at": 1,
            "verified": 1,
            "sealed": b"",
            "counter": 0,
        }
    )
    code = phone_code(house, who)
    refused("more", proven, house, who, "password", phone_code=code)
    refused("more", proven, house, who, "factor", phone_code=code, password=GOOD[0])


def test_the_link_stops_what_waits(house: House) -> None:
    """Frozen: after 72 hours nothing is to be had with the stolen telephone."""
    who = house.person(password=GOOD[0], totp=SECRETS[0])
    proven(house, who, "password", phone_code=phone_code(house, who), wait=True)
    code = phone_code_later(house, who)
    house.client.link_report(house.link(who, "recovery_waits_password"))
    refused("wrong_code", proven, house, who, "password", phone_code=code)
    house.clock.wait(hours=73)
    house.client.recover_begin(who.number, network=NETWORK)
    assert house.kinds(who)[-1] == "frozen"


def phone_code_later(house: House, who: Member) -> str:
    """A second code needs its pause."""
    house.clock.wait(minutes=2)
    return phone_code(house, who)


def test_whoever_has_no_account_is_told_so_by_telephone_only(house: House) -> None:
    """The page says the same as ever."""
    client, who = house.client, house.person()
    client.recover_begin(who.number, network=NETWORK)
    client.recover_begin(NOBODY, network=NETWORK)
    assert house.kinds(who) == ["not_active"]
    for number in (who.number, NOBODY):
        shown = {"phone_code": "123456", "network": NETWORK}
        refused("wrong_code", client.recover_prove, number, "password", **shown)
        refused("wrong_code", client.recover_prove, number, "factor", password="x", **shown)


def test_recovery_codes_need_a_fresh_proof(house: House) -> None:
    """A session that was left open makes none."""
    client, who = house.client, house.person(password=GOOD[0], totp=SECRETS[0])
    session = house.sign_in(who)
    security = house.keeper.security
    started = security._is_fresh
    security._is_fresh = lambda _session: False  # type: ignore[method-assign]
    try:
        refused("confirm", client.paper_codes, session.token)
    finally:
        security._is_fresh = started  # type: ignore[method-assign]
    assert client.paper_codes(session.token)
