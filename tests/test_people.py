"""The journeys of people, in both languages, by forms alone: what `docs/people.md` tells, done.

One country of its own for each language, since an account is activated once. Chromium does what needs scripts or
eyes: tests/test_people_browser.py.
"""

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests import acts, journeys, telephone
from tests.acts import fine
from tests.country import Country
from tests.country import sign_in as sign_in_form

pytestmark = pytest.mark.both_engines
HEARD_S = 2  # the portal hears of ended sessions within a second
Enter = Callable[[str], acts.Person]


# -- citizen -------------------------------------------------------------------------------------------------------


def test_an_account_begins_with_a_code_and_ends_frozen_by_not_me(place: Country, language: str) -> None:
    """Number, name and birth date do not suffice; all channels are told; the link of a message freezes."""
    account = place.accounts()["newcomer"]
    person = acts.activate(place, account, language)
    told = telephone.wait_for(place, "newcomer", "/not-me/")
    both = [text for text in telephone.messages(place, "newcomer") if "/not-me/" in text]
    assert any(account.phone in text for text in both), "the telephone was not told"
    assert any(account.email in text for text in both), "the letter box was not told"
    assert account.name in fine(person.open("/my")).text

    again = place.visitor(language)
    page = sign_in_form(again, replace(account, password=acts.PASSWORD))
    assert page.path.startswith("/my")

    acts.not_me(place, told, language)
    time.sleep(HEARD_S)
    assert person.open("/my").path == "/sign-in", "a frozen account still opens pages"
    refused = sign_in_form(place.visitor(language), replace(account, password=acts.PASSWORD))
    assert refused.path == "/sign-in", "a frozen account signs in"

    clerk = place.sign_in("clerk", language)
    code = acts.letter(clerk, account.number)
    back = acts.open_with_letter(place, account, code, language, "një fjalëkalim krejt tjetër 9")
    assert account.name in fine(back.open("/my")).text
    used = place.visitor(language)
    used.open("/activate/letter")
    refused = used.submit(having="letter", identifier=account.number, letter=code)
    assert "govuk-error-summary" in refused.html, "a letter opens twice"


def test_a_stranger_learns_nothing_from_the_activation(place: Country, language: str) -> None:
    """The page is the same for who has an account, who has none, and a number that nobody has."""
    accounts = place.accounts()
    seen = set()
    for number in (accounts["stranger"].number, accounts["carer"].number, accounts["citizen"].child_number):
        visitor = place.visitor(language)
        visitor.open("/activate")
        page = fine(visitor.submit(having="identifier", identifier=number))
        seen.add(page.main)
        for code in ("000000", "999999"):
            wrong = visitor.submit(having="code", code=code)
            seen.add(wrong.main)
    assert len(seen) == 2, "the answers differ"


def test_a_weak_password_is_refused_and_nothing_is_lost(place: Country, language: str) -> None:
    account = place.accounts()["offline"]  # has no telephone: the letter is the way in
    code = acts.letter(place.sign_in("colleague", language), account.number)
    person = place.visitor(language)
    person.open("/activate/letter")
    fine(person.submit(having="letter", identifier=account.number, letter=code))
    for weak in ("fjalekalim", account.name, account.number, "1234567890"):
        page = person.submit(having="password", password=weak, again=weak)
        assert "govuk-error-summary" in page.html, f"{weak!r} is taken as a password"
    page = fine(person.submit(having="password", password=acts.PASSWORD, again=acts.PASSWORD))
    assert page.path.startswith("/my")


def test_a_forgotten_password(place: Country, language: str, enter: Enter) -> None:
    """A code to the telephone gives a new password, ends all sessions and tells every channel."""
    account = place.accounts()["contact"]
    before = enter("contact")
    person = acts.recover_password(place, account, "tre gurë të kuq në lumë", language)
    assert account.name in fine(person.open("/my")).text
    time.sleep(HEARD_S)
    assert before.open("/my").path == "/sign-in", "a session from before the recovery still stands"
    old = sign_in_form(place.visitor(language), account)
    assert old.path == "/sign-in", "the old password still works"
    telephone.wait_for(place, "contact", "/not-me/")


def test_a_new_address_waits_and_can_be_stopped(place: Country, language: str, enter: Enter) -> None:
    account = place.accounts()["one_name"]
    person = enter("one_name")
    page = acts.change_email(place, person, account, "lume.e.re@post.example")
    assert page.path == "/my/account"
    assert "lume.e.re@post.example" in page.main
    assert account.email in page.main, "the old address counts no more, though 72 hours have not passed"
    page = fine(person.submit("cancel"))
    assert "lume.e.re@post.example" not in page.main


def test_sessions_are_listed_and_ended(place: Country, language: str) -> None:
    here = place.sign_in("stranger", language)
    there = place.sign_in("stranger", language)
    page = fine(here.open("/my/sessions"))
    others = [form for form in page.forms if dict(form.fields).get("sid", "all") not in {"all", "others"}]
    assert others, f"no other session is listed: {page.main[:500]}"
    here.submit(form=others[0])
    assert fine(here.open("/my")).path == "/my"
    del there


@pytest.mark.parametrize("who", ["foreigner", "one_name", "apostrophe", "cyrillic", "greek", "long_name"])
def test_every_name_and_document_can_book(place: Country, language: str, who: str, enter: Enter) -> None:
    """A passport for a number, one name, an apostrophe, other scripts, 200 characters: the same doors."""
    account = place.accounts()[who]
    person = enter(who)
    assert account.name in fine(person.open("/my")).text
    receipt = journeys.wait_received(person, journeys.book(person, "gp"))
    assert account.name in receipt.text
    assert person.open(f"{receipt.path}receipt.pdf").kind == "application/pdf"
    data = fine(person.open("/my/data"))
    assert account.name.split()[0] in data.text


def test_who_looked_a_question_and_its_answer(place: Country, language: str, enter: Enter) -> None:
    account = place.accounts()["neighbour2"]
    citizen, clerk, protection = enter("neighbour2"), enter("clerk"), enter("protection")
    journeys.phone_book(clerk, account.number)
    place.db.settle()
    page = acts.ask_about_look(citizen, "Pse u hap kartela ime?")
    assert "/my/questions/" in page.path
    answered = acts.answer_question(protection, "U rezervua një takim me telefon.")
    assert answered.status == 200
    page = fine(citizen.open(page.path))
    assert "U rezervua një takim me telefon." in page.main
    table = citizen.open("/my/looks.csv")
    assert table.status == 200 and table.kind == "text/csv"
    lines = json.loads(citizen.open("/my/looks.json").body)
    assert lines, "the file for programs is empty"
    assert enter("neighbour3").open(page.path).status == 404, "somebody else reads the question"


def test_all_that_is_held_can_be_taken_home(place: Country, enter: Enter) -> None:
    account = place.accounts()["citizen"]
    citizen = enter("citizen")
    held = citizen.open("/my/data/download.json")
    if held.status == 405:
        citizen.open("/my/data")
        held = citizen.submit("download.json")
    text = held.body.decode()
    json.loads(text)
    assert account.number in text and account.name.split()[0] in text
    paper = citizen.open("/my/data/download.pdf")
    if paper.status == 405:
        citizen.open("/my/data")
        paper = citizen.submit("download.pdf")
    assert paper.body.startswith(b"%PDF")


def test_a_correction_with_a_document(place: Country, language: str, enter: Enter) -> None:
    citizen = enter("represented")
    acts.ask_correction(citizen, "last_name", "Vatajani", "Mbiemri u shkrua gabim në regjistër.")
    fine(acts.decide_correction(enter("registrar"), "Dokumenti e tregon."))
    assert "Vatajani" in fine(citizen.open("/my")).text
    telephone.wait_for(place, "represented", re.compile(r"."))


def test_settings_hold(place: Country, enter: Enter) -> None:
    citizen = enter("apostrophe")
    citizen.open("/my/settings")
    page = fine(citizen.submit(having="on_security", on_services=["email"], needs=[]))
    again = fine(citizen.open("/my/settings"))
    assert dict(again.form(having="on_services").fields).get("on_services") == "email"
    assert page.status == 200


# -- guardian ------------------------------------------------------------------------------------------------------


def test_guardians_see_the_child_and_each_other(place: Country, language: str, enter: Enter) -> None:
    """Both act; what one does is told to the other, by name; the entry names who acted."""
    accounts = place.accounts()
    father, mother = enter("guardian"), enter("other_guardian")
    child = accounts["guardian"].child
    for one, other in ((father, "other_guardian"), (mother, "guardian")):
        page = fine(one.open("/my/family"))
        assert child in page.main
        assert accounts[other].name in page.main, "the other guardian is not named"
    known = len(telephone.messages(place, "other_guardian"))
    receipt = journeys.wait_received(father, journeys.book(father, "paediatrics", ward=True))
    assert fine(mother.open(receipt.path)).status == 200
    place.db.settle()
    told = telephone.wait_for(place, "other_guardian", accounts["guardian"].name, known=known)
    assert told


def test_a_parent_without_custody_learns_nothing(place: Country, language: str, enter: Enter) -> None:
    accounts = place.accounts()
    mother, father = enter("citizen"), enter("no_custody")
    receipt = journeys.wait_received(mother, journeys.book(mother, "vaccination", ward=True))
    given = accounts["citizen"].child.split()[0]
    for path in ("/my", "/my/family", "/my/looks", "/my/data"):
        assert given not in fine(father.open(path)).text, f"{path} names the child"
    assert father.open(receipt.path).status == 404
    assert not any(given in text for text in telephone.messages(place, "no_custody"))
    journeys.hold_a_time(father, "dentist")
    page = father.page
    assert page is not None
    assert given not in page.text


def test_an_adult_child_acts_for_the_mother(place: Country, language: str, enter: Enter) -> None:
    accounts = place.accounts()
    carer = enter("carer")
    assert accounts["elder"].name in fine(carer.open("/my/family")).main
    receipt = journeys.wait_received(carer, journeys.book(carer, "gp", ward=True))
    assert accounts["elder"].name in receipt.text


def test_a_representative_is_taken_by_both_and_ended_at_once(
    place: Country, language: str, enter: Enter
) -> None:
    accounts = place.accounts()
    person, representative = enter("represented"), enter("representative")
    code = acts.offer_mandate(person, "health")
    acts.take_mandate(representative, code)
    known = accounts["represented"].name.split()[0]
    page = journeys.hold_a_time(representative, "dermatology")
    assert known not in page.text, "a representative acts before the person has confirmed"
    acts.confirm_mandate(person)
    assert known in fine(representative.open("/my/family")).main
    receipt = journeys.wait_received(representative, journeys.book(representative, "ent", ward=True))
    assert known in receipt.text
    page = fine(person.open("/my/family"))
    person.open(next(href for href, _ in page.links if "/my/family/representative/" in href))
    acts.press(person, "end")
    assert known not in fine(representative.open("/my/family")).main
    assert representative.open(receipt.path).status == 404, "who is no representative any more reads on"


def test_two_officials_make_a_guardian_and_one_does_not(place: Country, language: str, enter: Enter) -> None:
    accounts = place.accounts()
    child = accounts["parent_of_teenager"].child_number
    registrar, second = enter("registrar"), enter("registrar2")
    acts.ask_guardian(registrar, accounts["neighbour4"].number, child)
    given = accounts["parent_of_teenager"].child.split()[0]
    guardian = enter("neighbour4")
    assert given not in fine(guardian.open("/my/family")).main, "one official alone made a guardian"
    assert acts.nothing_to_decide(registrar), "who asked may decide"
    acts.decide(second)
    guardian = place.sign_in("neighbour4", language)
    assert given in fine(guardian.open("/my/family")).main
