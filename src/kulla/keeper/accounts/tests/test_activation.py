"""Activation: codes that were reused, expired, replaced or guessed; two devices at once; nobody's phone is flooded."""

import threading

import pytest

from kulla.keeper.accounts.tests.conftest import GOOD, NETWORK, House
from kulla.keeper_client import Refused

NOBODY = "J55101007H"


def refused(code: str, call, *args, **named) -> Refused:  # type: ignore[no-untyped-def]
    """The call is refused with this code."""
    with pytest.raises(Refused) as caught:
        call(*args, **named)
    assert caught.value.code == code
    return caught.value


def test_a_code_and_a_password_make_an_account(house: House) -> None:
    """Signed in afterwards, told on every channel with a link, and the password works."""
    who = house.person(email=True)
    refused("wrong", house.client.sign_in, who.number, GOOD[0], network=NETWORK, device="t")
    session = house.activate(who)
    assert session.role == "citizen"
    assert sorted(each.channel for each in house.sent(who) if each.kind == "activated") == ["email", "phone"]
    assert all("@" not in each.subject and "Emri" not in each.subject for each in house.sent(who))
    assert any(each.template == "activated" for each in house.client.inbox(session.token))
    assert house.client.sign_in(who.number, GOOD[0], network=NETWORK, device="t")


def test_a_code_works_once_for_ten_minutes_and_five_tries(house: House) -> None:
    """Reused, too old, replaced, guessed at: all the same refusal."""
    client, who = house.client, house.person()
    client.activate_begin(who.number, network=NETWORK)
    first = house.code(who, "code_activation")
    client.activate_check(who.number, first, network=NETWORK)
    refused("wrong_code", client.activate_check, who.number, first, network=NETWORK)
    house.clock.wait(minutes=2)
    client.activate_begin(who.number, network=NETWORK)
    old = house.code(who, "code_activation")
    house.clock.wait(minutes=11)
    refused("wrong_code", client.activate_check, who.number, old, network=NETWORK)
    client.activate_begin(who.number, network="198.51.100.1")
    late = house.code(who, "code_activation")
    assert late != old
    for guess in range(5):
        wrong = "111111" if late != "111111" else "222222"
        refused("wrong_code", client.activate_check, who.number, wrong, network=f"203.0.{guess}.1")
    refused("wrong_code", client.activate_check, who.number, late, network="203.0.113.9")


def test_of_two_devices_one_wins(house: House) -> None:
    """One code typed into two devices at once gives one step; one step finished twice sets one password."""
    client, who = house.client, house.person()
    client.activate_begin(who.number, network=NETWORK)
    code = house.code(who, "code_activation")
    steps, failed = [], []

    def check(network: str) -> None:
        try:
            steps.append(client.activate_check(who.number, code, network=network))
        except Refused as error:
            failed.append(error.code)

    run_all(check, ["192.0.2.1", "198.51.100.2", "203.0.113.3"])
    assert len(steps) == 1 and failed == ["wrong_code"] * 2
    done: list[str] = []

    def finish(password: str) -> None:
        try:
            client.account_finish(steps[0], password, network=NETWORK, device="t", language=None)
            done.append(password)
        except Refused as error:
            failed.append(error.code)

    run_all(finish, list(GOOD))
    assert len(done) == 1 and failed.count("too_late") == 2
    assert client.sign_in(who.number, done[0], network=NETWORK, device="t")


def run_all(work, values) -> None:  # type: ignore[no-untyped-def]
    """Each value in a thread, at once."""
    threads = [threading.Thread(target=work, args=(value,)) for value in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_nobody_learns_who_has_an_account(house: House) -> None:
    """Active, child, dead, without a phone, frozen, unknown: the same answers, and nothing to those who get none."""
    client = house.client
    active, child, silent = house.person(password=GOOD[1]), house.person(age=9), house.person(phone=False)
    dead = house.person()
    house.keeper.committer.commit(*house.keeper.people.death_bodies(house.id(dead), "2026-01-05"))
    for number in (active.number, child.number, silent.number, dead.number, NOBODY, "<b>", ""):
        client.activate_begin(number, network=NETWORK)
        refused("wrong_code", client.activate_check, number, "123456", network=NETWORK)
    assert house.kinds(active) == ["already_active"]
    for who in (child, silent, dead):
        assert house.kinds(who) == []


def test_a_stranger_cannot_flood_a_telephone(house: House) -> None:
    """Five codes a day, each later than the one before, from whatever network; then none until tomorrow."""
    client, who = house.client, house.person()
    for place in range(30):
        client.activate_begin(who.number, network=f"198.51.{place}.1")
    assert len(house.sent(who)) == 1
    for minute in range(300):
        house.clock.wait(minutes=1)
        if minute % 10 == 0:
            client.activate_begin(who.number, network=f"203.0.{minute % 250}.1")
            house.sent(who)  # waits until the question was dealt with
    assert len(house.sent(who)) == 5
    first = house.sent(who)[0].body
    house.clock.wait(hours=1)
    client.activate_begin(who.number, network="203.0.113.77")
    assert house.sent(who)[0].body == first
    house.clock.wait(hours=24)
    client.activate_begin(who.number, network="203.0.113.78")
    assert len(house.sent(who)) == 6


def test_a_network_that_asks_too_much_is_slowed_down(house: House) -> None:
    """About one account ten an hour, about all of them 300; whether or not they exist."""
    client, who = house.client, house.person()
    for number in (who.number, NOBODY):
        for _ in range(10):
            client.activate_begin(number, network="198.18.0.1")
        error = refused("slow_down", client.activate_begin, number, network="198.18.0.9")
        assert error.details["retry_after_s"] > 0
    for number in range(280):
        client.activate_begin(f"nobody {number}", network="198.18.0.1")
    refused("slow_down", client.activate_begin, "nobody at all", network="198.18.0.1")
    client.activate_begin("nobody at all", network="198.19.0.1")


def test_weak_passwords_are_refused_and_may_be_typed_again(house: House) -> None:
    """The step stays good."""
    client, who = house.client, house.person()
    client.activate_begin(who.number, network=NETWORK)
    step = client.activate_check(who.number, house.code(who, "code_activation"), network=NETWORK)
    finish = {"network": NETWORK, "device": "t", "language": None}
    refused("weak_password", client.account_finish, step, "emri", **finish)
    refused("weak_password", client.account_finish, step, f"{who.number}x", **finish)
    assert client.account_finish(step, GOOD[2], **finish)


def test_a_step_does_not_outlive_a_quarter_of_an_hour_or_a_freeze(house: House) -> None:
    """What was shown must still stand when the password comes."""
    client, who = house.client, house.person()
    client.activate_begin(who.number, network=NETWORK)
    step = client.activate_check(who.number, house.code(who, "code_activation"), network=NETWORK)
    house.clock.wait(minutes=16)
    refused("too_late", client.account_finish, step, GOOD[0], network=NETWORK, device="t", language=None)
    refused("too_late", client.account_finish, "x", GOOD[0], network=NETWORK, device="t", language=None)
    client.activate_begin(who.number, network=NETWORK)
    step = client.activate_check(who.number, house.code(who, "code_activation"), network=NETWORK)
    case = {"type": "account_frozen", "id": house.id(who), "person": house.id(who), "at": 1, "kind": "test"}
    house.keeper.committer.commit(case)
    refused("too_late", client.account_finish, step, GOOD[0], network=NETWORK, device="t", language=None)
