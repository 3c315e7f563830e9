"""At the counter: letters, freezing and release, channels at once, and officials, for whom two must agree."""

import threading

import pytest

from kulla.keeper.accounts.tests.conftest import GOOD, MINISTRY, NETWORK, SECRETS, House
from kulla.keeper.accounts.tests.test_activation import NOBODY, refused
from kulla.keeper.errors import Refusal
from kulla.keeper.protected import REASONS
from kulla.keeper_client import Session


def at_desk(house: House, who) -> tuple[Session, str]:  # type: ignore[no-untyped-def]
    """A receptionist has found somebody."""
    clerk = house.sign_in(house.running.vjosa)
    visit = house.client.desk_find(clerk.token, "number", who.number)
    assert visit
    return clerk, visit


def finish(house: House, step: str, password: str = GOOD[0]) -> None:
    """Set the password."""
    house.client.account_finish(step, password, network=NETWORK, device="t", language=None)


def test_a_letter_opens_an_account_once(house: House) -> None:
    """Somebody without a telephone: found, document ticked, letter, number and code typed, password set."""
    client, who = house.client, house.person(phone=False, email=True)
    clerk, visit = at_desk(house, who)
    seen = client.desk_view(clerk.token, visit)
    assert (seen.name, seen.active, seen.phone) == (who.name, False, "")
    assert seen.email.endswith("@example.al") and seen.email.startswith("p…")
    refused("bad_request", client.desk_letter, clerk.token, visit, "library_card")
    letter = client.desk_letter(clerk.token, visit, "id_card")
    assert len(letter.code.replace("-", "")) == 16
    assert "letter_given" in house.kinds(who)
    refused("wrong_code", client.activate_letter, NOBODY, letter.code, network=NETWORK)
    refused("wrong_code", client.activate_letter, who.number, "0000-0000-0000-0000", network=NETWORK)
    typed = letter.code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    step = client.activate_letter(who.number, typed, network=NETWORK)
    other = client.activate_letter(who.number, letter.code, network=NETWORK)
    finish(house, step)
    refused("too_late", finish, house, other, GOOD[1])
    refused("letter_used", client.activate_letter, who.number, letter.code, network=NETWORK)
    assert client.sign_in(who.number, GOOD[0], network=NETWORK, device="t")
    assert "letter_used" in house.kinds(who)


def test_a_letter_that_is_old_or_replaced_is_told_so_to_who_has_it(house: House) -> None:
    """Plain words need the right code: they tell a stranger nothing."""
    client, who = house.client, house.person()
    clerk, visit = at_desk(house, who)
    first, second = (client.desk_letter(clerk.token, visit, "passport").code for _ in range(2))
    refused("letter_replaced", client.activate_letter, who.number, first, network=NETWORK)
    house.clock.wait(hours=24 * 30 + 1)
    refused("letter_expired", client.activate_letter, who.number, second, network=NETWORK)


def test_a_letter_takes_everything_that_stood_before(house: House) -> None:
    """Password, second factor, recovery codes and sessions are gone, once it is used and not before."""
    client, who = house.client, house.person(password=GOOD[0], totp=SECRETS[0])
    session = house.sign_in(who)
    codes = client.paper_codes(session.token)
    clerk, visit = at_desk(house, who)
    letter = client.desk_letter(clerk.token, visit, "id_card")
    client.renew(session.token)
    finish(house, client.activate_letter(who.number, letter.code, network=NETWORK), GOOD[1])
    refused("session", client.renew, session.token)
    assert client.sign_in(who.number, GOOD[1], network="198.51.100.4", device="t")  # no second factor
    answer = {"paper_code": codes[0], "network": NETWORK}
    refused("wrong_code", client.recover_prove, who.number, "password", **answer)


def test_two_devices_with_one_letter(house: House) -> None:
    """Exactly one password is set."""
    client, who = house.client, house.person()
    clerk, visit = at_desk(house, who)
    code = client.desk_letter(clerk.token, visit, "id_card").code
    steps = [client.activate_letter(who.number, code, network=NETWORK) for _ in GOOD]
    done: list[str] = []

    def work(step: str, password: str) -> None:
        try:
            finish(house, step, password)
            done.append(password)
        except Exception as error:
            assert getattr(error, "code", "") == "too_late", error

    threads = [threading.Thread(target=work, args=pair) for pair in zip(steps, GOOD, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1
    assert client.sign_in(who.number, done[0], network=NETWORK, device="t")


def test_this_was_not_me_freezes_until_a_document_was_shown(house: House) -> None:
    """Looking changes nothing; reporting ends every session, refuses sign-in in the ordinary words, opens a case."""
    client, who = house.client, house.person(email=True)
    session = house.activate(who)
    link = house.link(who, "activated")
    for _ in range(3):  # a mail scanner that follows links
        assert client.link_look(link).state == "open"
    client.renew(session.token)
    before = client.status()["cases"]
    client.link_report(link)
    client.link_report(link)
    assert client.link_look(link).state == "used"
    assert client.status()["cases"] == before + 1
    refused("session", client.renew, session.token)
    refused("wrong", client.sign_in, who.number, GOOD[0], network=NETWORK, device="t")
    refused("unknown_link", client.link_look, "0" * 20)
    sent = len(house.sent(who))
    client.recover_begin(who.number, network=NETWORK)
    client.activate_begin(who.number, network=NETWORK)
    assert len(house.sent(who)) == sent and "frozen" in house.kinds(who)
    clerk, visit = at_desk(house, who)
    assert client.desk_view(clerk.token, visit).frozen_ms
    letter = client.desk_letter(clerk.token, visit, "id_card")
    assert letter.released and client.status()["cases"] == before
    refused("wrong", client.sign_in, who.number, GOOD[0], network=NETWORK, device="t")
    finish(house, client.activate_letter(who.number, letter.code, network=NETWORK), GOOD[2])
    assert client.sign_in(who.number, GOOD[2], network=NETWORK, device="t")


def test_an_old_link_freezes_nobody(house: House) -> None:
    """Thirty days."""
    client, who = house.client, house.person()
    house.activate(who)
    link = house.link(who, "activated")
    house.clock.wait(hours=24 * 30 + 1)
    assert client.link_look(link).state == "expired"
    refused("link_expired", client.link_report, link)
    assert client.sign_in(who.number, GOOD[0], network=NETWORK, device="t")


def test_finding_is_metered_and_for_officials_with_the_person_only(house: House) -> None:
    """No citizen, no visit of another session, none after twenty minutes; each search is on the person's page."""
    client, who = house.client, house.person(password=GOOD[0])
    clerk, visit = at_desk(house, who)
    other = house.sign_in(house.running.ilir)
    refused("too_late", client.desk_view, other.token, visit)
    mine = house.sign_in(who)
    refused("role", client.desk_find, mine.token, "number", who.number)
    refused("role", client.desk_view, mine.token, visit)
    assert client.desk_find(clerk.token, "number", NOBODY) is None
    refused("bad_identifier", client.desk_find, clerk.token, "number", "x")
    refused("not_yours", client.desk_find, clerk.token, "number", house.running.vjosa.number)
    ids = house.id(house.running.vjosa), house.id(who)
    assert house.keeper.looks.looked_since(*ids, 0, "account desk")
    assert house.keeper.looks.paid_since(*ids, 0)
    house.clock.wait(minutes=21)
    refused("too_late", client.desk_letter, clerk.token, visit, "id_card")


def test_children_and_the_dead_get_no_letter(house: House) -> None:
    """Each with its own word, to the official."""
    client, child, dead = house.client, house.person(age=8), house.person()
    house.keeper.committer.commit(*house.keeper.people.death_bodies(house.id(dead), "2026-01-05"))
    for who, code in ((child, "under_age"), (dead, "dead")):
        clerk, visit = at_desk(house, who)
        refused(code, client.desk_letter, clerk.token, visit, "id_card")


def test_an_official_needs_two_administrators(house: House) -> None:
    """The clerk alone gets no letter; one yes is not enough; the letter is printed once, by who asked."""
    client, keeper = house.client, house.keeper
    keeper.committer.commit({"type": "office", "office": MINISTRY, "name": "Ministria e Provës"})
    official = house.person(password=GOOD[0], totp=SECRETS[0])
    admins = [house.person(password=GOOD[1], totp=secret) for secret in SECRETS]
    roles = [(official, "receptionist"), *((admin, "admin") for admin in admins)]
    for who, role in roles:
        body = {"type": "official", "person": house.id(who), "role": role, "office": MINISTRY}
        keeper.committer.commit(body)
    clerk, visit = at_desk(house, official)
    assert client.desk_view(clerk.token, visit).official
    refused("needs_two", client.desk_letter, clerk.token, visit, "id_card")
    refused("needs_two", client.desk_channel_ask, clerk.token, visit, "phone", "+39 320 1234567", "id_card")
    request = client.desk_official_ask(clerk.token, visit, "id_card")
    refused("asked_already", client.desk_official_ask, clerk.token, visit, "id_card")
    assert "official_recovery_asked" in house.kinds(official)
    refused("unknown_request", client.desk_official_letter, clerk.token, request)
    other = house.sign_in(house.running.ilir)
    refused("unknown_request", client.approval_answer, other.token, request, yes=True)
    first, second = (house.sign_in(admin) for admin in admins)
    client.approval_answer(first.token, request, yes=True)
    refused("unknown_request", client.desk_official_letter, clerk.token, request)
    refused("unknown_request", client.approval_answer, first.token, request, yes=True)
    client.approval_answer(second.token, request, yes=True)
    assert client.desk_official_requests(clerk.token)[0].state == "ready"
    refused("unknown_request", client.desk_official_letter, other.token, request)
    letter = client.desk_official_letter(clerk.token, request)
    refused("unknown_request", client.desk_official_letter, clerk.token, request)
    assert client.desk_official_requests(clerk.token)[0].state == "printed"
    finish(house, client.activate_letter(official.number, letter.code, network=NETWORK), GOOD[2])
    refused("wrong", client.sign_in, official.number, GOOD[0], network=NETWORK, device="t")


def test_an_official_recovers_nothing_alone(house: House) -> None:
    """No code goes to an official's telephone; a word says where to go."""
    client, official = house.client, house.person(password=GOOD[0])
    house.keeper.committer.commit(
        {
            "type": "official",
            "person": house.id(official),
            "role": "receptionist",
            "office": house.running.office_2,
        }
    )
    client.recover_begin(official.number, network=NETWORK)
    assert house.kinds(official) == ["ask_desk"]


def test_a_protected_person_needs_a_second_official_here_too(house: House) -> None:
    """Nothing is shown and no letter given until a colleague agrees; the contact is told of the search and the look."""
    client, keeper = house.client, house.keeper
    who, contact = house.person(), house.person()
    reason = sorted(REASONS)[0]
    keeper.committer.commit(keeper.protected.body(house.id(who), house.id(contact), reason))
    clerk, visit = at_desk(house, who)
    seen = client.desk_view(clerk.token, visit)
    assert seen.closed and seen.name == "" and seen.phone == "" and seen.release == ""
    refused("protected", client.desk_letter, clerk.token, visit, "id_card")
    refused("protected", client.desk_channel_ask, clerk.token, visit, "phone", "+39 320 123 4567", "id_card")
    assert client.desk_release(clerk.token, visit) == "open"
    assert client.desk_view(clerk.token, visit).release == "open"
    colleague = house.person(password=GOOD[0], totp=SECRETS[1])
    keeper.committer.commit(
        {
            "type": "official",
            "person": house.id(colleague),
            "role": "receptionist",
            "office": house.running.office_1,
        }
    )
    second = house.sign_in(colleague)
    request = client.approvals_open(second.token)[0]
    client.approval_answer(second.token, request.id, yes=True)
    assert client.desk_view(clerk.token, visit).name == who.name
    assert "protected_looked" in house.kinds(contact)
    assert client.desk_letter(clerk.token, visit, "id_card").name == who.name


def test_the_counters_code_works_once_and_for_its_purpose(house: House) -> None:
    """What other areas use: a code to the telephone on record."""
    accounts, who, silent = house.keeper.accounts, house.person(), house.person(phone=False)
    with pytest.raises(Refusal, match="telephone"):
        accounts.confirm_code(house.id(silent), "visit")
    until = accounts.confirm_code(house.id(who), "visit")
    assert 0 < until - house.clock() <= 10 * 60 * 1000
    code = house.code(who, "code_confirm")
    assert not accounts.check_code(house.id(who), "another visit", code)
    assert accounts.check_code(house.id(who), "visit", code)
    assert not accounts.check_code(house.id(who), "visit", code)
    with pytest.raises(Refusal) as caught:
        accounts.confirm_code(house.id(who), "visit")
    assert caught.value.code == "slow_down" and caught.value.details["retry_after_s"] <= 61


def test_nothing_of_the_account_changes_in_an_assisted_or_short_session(house: House) -> None:
    """Whoever sits beside a clerk, or at somebody else's computer, reads but changes nothing."""
    keeper, who = house.keeper, house.person(password=GOOD[0])
    person, ids = house.id(who), house.id(house.running.vjosa)
    common = {"network": NETWORK, "device": "t", "language": None}
    clerk = house.sign_in(house.running.vjosa)
    assert clerk.office
    keeper.sessions.helper_stands = lambda _sid: True  # the counter's own tests make whole visits
    opened = {
        "short_session": keeper.sessions.open_for(person, "citizen", None, short=True, **common),
        "assisted": keeper.sessions.open_for(
            person, "citizen", None, assisted={"official": ids, "office": clerk.office}, **common
        ),
    }
    for code, session in opened.items():
        refused(code, house.client.channel_ask, session["token"], "phone", "+39 320 123 4567")
        refused(code, house.client.paper_codes, session["token"])
