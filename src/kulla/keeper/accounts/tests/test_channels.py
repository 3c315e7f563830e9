"""New telephone numbers and addresses: a code, 72 hours, everybody told, and the counter where it counts at once."""

import pytest

from kulla.keeper.accounts import contacts as forms
from kulla.keeper.accounts.tests.conftest import GOOD, House
from kulla.keeper.accounts.tests.test_activation import refused
from kulla.keeper.accounts.tests.test_desk import at_desk
from kulla.keeper.errors import Refusal

FOREIGN = "+39 320 123 4567"


def test_a_new_number_counts_after_72_hours(house: House) -> None:
    """Both old channels are told at once; codes go to the old number until then, to the new one afterwards."""
    client, who = house.client, house.person(password=GOOD[0], email=True)
    me = house.sign_in(who)
    old = client.account_view(me.token).phone
    asked = client.channel_ask(me.token, "phone", FOREIGN)
    assert asked.hint == "… 67" and not asked.done
    wrong = "000000" if house.code(who, "code_channel") != "000000" else "000001"
    refused("wrong_code", client.channel_confirm, me.token, "phone", wrong)
    client.channel_confirm(me.token, "phone", house.code(who, "code_channel"))
    told = {each.channel: each.address for each in house.sent(who) if each.kind == "phone_change_waits"}
    assert told == {"phone": old, "email": client.account_view(me.token).email}
    house.clock.wait(hours=71)
    mine = client.account_view(me.token)
    assert mine.phone == old and [each.value for each in mine.waiting] == ["+393201234567"]
    house.clock.wait(hours=2)
    mine = client.account_view(me.token)
    assert mine.phone == "+393201234567" and mine.waiting == []


def test_a_change_is_stopped_by_the_page_or_by_the_link(house: House) -> None:
    """The page stops it alone; the link stops it and freezes."""
    client, who = house.client, house.person(password=GOOD[0], email=True)
    me = house.sign_in(who)
    old = client.account_view(me.token).email
    client.channel_ask(me.token, "email", "tjeter@example.al")
    client.channel_confirm(me.token, "email", house.code(who, "code_channel"))
    client.channel_cancel(me.token, client.account_view(me.token).waiting[0].id)
    house.clock.wait(hours=73)
    assert house.keeper.accounts.contacts(house.id(who)).email == old
    me = house.sign_in(who)
    assert client.channel_ask(me.token, "email", "").done  # taking it away waits too
    client.link_report(house.link(who, "email_change_waits"))
    house.clock.wait(hours=73)
    assert house.keeper.accounts.contacts(house.id(who)).email == old
    assert house.keeper.accounts.frozen(house.id(who))


def test_nobody_cancels_for_another(house: House) -> None:
    """A change of somebody else is not found."""
    client, who, other = house.client, house.person(password=GOOD[0]), house.person(password=GOOD[1])
    me, stranger = house.sign_in(who), house.sign_in(other)
    client.channel_ask(me.token, "phone", "")
    change = client.account_view(me.token).waiting[0].id
    assert change
    refused("unknown_change", client.channel_cancel, stranger.token, change)


def test_at_the_counter_it_counts_at_once(house: House) -> None:
    """The old number and the new one are told; a citizen's own half-made change is no way around."""
    client, who = house.client, house.person(password=GOOD[0])
    clerk, visit = at_desk(house, who)
    client.desk_channel_ask(clerk.token, visit, "phone", "00 44 20 7946 0958", "passport")
    me, code = house.sign_in(who), house.code(who, "code_channel")
    refused("wrong_code", client.channel_confirm, me.token, "phone", code)
    house.clock.wait(minutes=2)
    client.desk_channel_ask(clerk.token, visit, "phone", "00 44 20 7946 0959", "passport")
    client.desk_channel_confirm(clerk.token, visit, "phone", house.code(who, "code_channel"))
    assert client.account_view(me.token).phone == "+442079460959"
    told = [each.address for each in house.sent(who) if each.kind == "phone_changed"]
    assert len(told) == 2 and "+442079460959" in told


def test_a_strangers_telephone_is_not_flooded_through_a_change(house: House) -> None:
    """Whoever asks, one address gets its measure of codes."""
    client, one, two = house.client, house.person(password=GOOD[0]), house.person(password=GOOD[1])
    client.channel_ask(house.sign_in(one).token, "phone", "+39 320 999 0000")
    error = refused("slow_down", client.channel_ask, house.sign_in(two).token, "phone", "+39 320 999 0000")
    assert 0 < error.details["retry_after_s"] <= 61


def test_the_same_again_or_nonsense_is_refused(house: House) -> None:
    """With words that fit."""
    client, who = house.client, house.person(password=GOOD[0])
    me = house.sign_in(who)
    refused("same_contact", client.channel_ask, me.token, "phone", client.account_view(me.token).phone)
    for text in ("123", "call me", "+355", "+35569" + "1" * 20):
        refused("bad_contact", client.channel_ask, me.token, "phone", text)
    for text in ("a@b", "a b@c.al", "@example.al", "x@y..al"):
        refused("bad_contact", client.channel_ask, me.token, "email", text)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("069 20 12 345", "+355692012345"),
        ("+355 69 2012345", "+355692012345"),
        ("0039 (320) 123-4567", "+393201234567"),
        ("+1.212.555.0100", "+12125550100"),
    ],
)
def test_telephone_numbers_have_one_form(typed: str, stored: str) -> None:
    """E.164, whatever people type."""
    assert forms.phone(typed) == stored


def test_addresses_have_one_form() -> None:
    """A domain with ë becomes what mail servers take."""
    assert forms.email(" Emri@Example.AL ") == "Emri@example.al"
    assert forms.email("emri@posta-jonë.al").isascii()
    with pytest.raises(Refusal):
        forms.email("emri@@example.al")
