"""Attacks by those who did not build it: a crooked clerk, a thief with the telephone, a bored teenager."""

import contextlib
import threading
import time
from typing import Any
from uuid import uuid4

import pytest

from kulla.keeper.accounts.tests.conftest import GOOD, MINISTRY, NETWORK, SECRETS, House
from kulla.keeper.accounts.tests.test_activation import refused
from kulla.keeper.accounts.tests.test_desk import at_desk, finish
from kulla.keeper.errors import Refusal
from kulla.keeper.testkit import Member


def make_official(house: House, who: Member) -> None:
    """A clerk's role in the ministry."""
    house.keeper.committer.commit(
        {"type": "office", "office": MINISTRY, "name": "Ministria e Provës"},
        {"type": "official", "person": house.id(who), "role": "receptionist", "office": MINISTRY},
    )


def recovered(house: House, who: Member, network: str = "198.51.100.9") -> str:
    """A thief with the telephone gets as far as the new password."""
    house.clock.wait(minutes=2)
    house.client.recover_begin(who.number, network=network)
    code = house.code(who, "code_recovery")
    proven = house.client.recover_prove(who.number, "password", phone_code=code, network=network)
    assert proven.step
    return proven.step


@pytest.mark.parametrize("checked", [False, True], ids=["typed later", "typed before"])
def test_one_clerks_letter_opens_no_officials_account(house: House, checked: bool) -> None:
    """A letter that one clerk gave to a citizen, kept until that person is an official: two must agree on those."""
    client, who = house.client, house.person(password=GOOD[0], totp=SECRETS[0])
    clerk, visit = at_desk(house, who)
    letter = client.desk_letter(clerk.token, visit, "id_card")
    step = client.activate_letter(who.number, letter.code, network=NETWORK) if checked else ""
    make_official(house, who)
    if checked:
        refused("too_late", finish, house, step, GOOD[1])
    else:
        refused("wrong_code", client.activate_letter, who.number, letter.code, network=NETWORK)
    assert house.keeper.credentials.has_totp(house.id(who))


def test_what_a_telephone_proved_recovers_no_officials_account(house: House) -> None:
    """Proven as a citizen, used as an official a minute later."""
    who = house.person(password=GOOD[0])
    step = recovered(house, who)
    make_official(house, who)
    refused("too_late", finish, house, step, GOOD[1])


def test_the_telephone_opens_no_account_that_was_released(house: House) -> None:
    """The telephone was stolen, so the owner froze and showed a document: the thief must not be the first again."""
    client, who = house.client, house.person()
    house.activate(who)
    client.link_report(house.link(who, "activated"))
    clerk, visit = at_desk(house, who)
    letter = client.desk_letter(clerk.token, visit, "id_card")
    house.clock.wait(hours=1)
    sent = house.kinds(who).count("code_activation")
    client.activate_begin(who.number, network="198.51.100.9")
    assert house.kinds(who).count("code_activation") == sent
    finish(house, client.activate_letter(who.number, letter.code, network=NETWORK), GOOD[2])


@pytest.mark.parametrize("frozen", [True, False], ids=["frozen and released", "letter alone"])
def test_a_step_begun_before_a_letter_is_over(house: House, frozen: bool) -> None:
    """The thief has proven the telephone; the owner freezes, goes to the counter, and is not robbed after it."""
    client, who = house.client, house.person()
    house.activate(who)
    step = recovered(house, who)
    if frozen:
        client.link_report(house.link(who, "activated"))
    clerk, visit = at_desk(house, who)
    letter = client.desk_letter(clerk.token, visit, "id_card")
    refused("too_late", finish, house, step, GOOD[1])
    finish(house, client.activate_letter(who.number, letter.code, network=NETWORK), GOOD[2])
    refused("too_late", finish, house, step, GOOD[1])
    assert client.sign_in(who.number, GOOD[2], network=NETWORK, device="t")


def test_a_link_from_before_the_release_freezes_nobody_again(house: House) -> None:
    """Who reads old messages (a lost telephone, a partner) must not freeze the account time after time."""
    client, who = house.client, house.person()
    session = house.activate(who)
    client.paper_codes(session.token)
    first, second = house.link(who, "activated"), house.link(who, "paper_codes_made")
    client.link_report(first)
    clerk, visit = at_desk(house, who)
    letter = client.desk_letter(clerk.token, visit, "id_card")
    finish(house, client.activate_letter(who.number, letter.code, network=NETWORK), GOOD[2])
    assert client.link_look(second).state == "used"
    client.link_report(second)
    assert client.sign_in(who.number, GOOD[2], network=NETWORK, device="t")
    client.link_report(house.link(who, "released"))  # what is about the release itself still freezes
    refused("wrong", client.sign_in, who.number, GOOD[2], network=NETWORK, device="t")


def test_many_who_ask_at_once_send_one_code(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stolen clerk's session, many connections, one citizen's telephone."""
    who, count = house.person(), 8
    begin, sent = threading.Barrier(count), []
    counted = house.keeper.delivery.sent_to

    def slowly(*args: Any) -> list[int]:
        found = counted(*args)
        time.sleep(0.05)  # between counting and sending, where another one may come
        return found

    monkeypatch.setattr(house.keeper.delivery, "sent_to", slowly)

    def ask() -> None:
        begin.wait()
        try:
            house.keeper.accounts.confirm_code(house.id(who), f"counter {uuid4()}")
            sent.append(1)
        except Refusal as refusal:
            assert refusal.code == "slow_down"

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent) == 1 and house.kinds(who).count("code_confirm") == 1


def test_a_new_network_each_time_sends_no_more(house: House) -> None:
    """The thief of the portal names networks as he likes: activation, recovery and the counter share one measure."""
    client, who = house.client, house.person()
    for minute in range(120):
        network = f"198.{18 + minute % 2}.{minute}.1"
        client.activate_begin(who.number, network=network)
        client.recover_begin(who.number, network=network)
        with contextlib.suppress(Refusal):
            house.keeper.accounts.confirm_code(house.id(who), "counter")
        house.clock.wait(minutes=11)
    assert len(house.sent(who)) <= 5
