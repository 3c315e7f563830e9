"""The journeys of those who work in offices, in both languages, by forms alone: the counter, protected persons, roles.

What citizens and guardians do stands in test_people.py; the fixtures of both in conftest.py.
"""

import re
import time
from collections.abc import Callable

import pytest

from tests import acts, journeys, telephone
from tests.acts import fine
from tests.country import Country

HEARD_S = 2  # the portal hears of ended sessions within a second
Enter = Callable[[str], acts.Person]


# -- counter -------------------------------------------------------------------------------------------------------


@pytest.mark.both_engines
def test_a_clerk_acts_with_somebody_who_has_a_telephone(place: Country, language: str) -> None:
    account = place.accounts()["neighbour1"]
    clerk = place.sign_in("clerk", language)
    page = acts.assist_by_code(place, clerk, account)
    assert account.name in page.text
    for closed in ("/my/account/phone", "/my/security", "/my/family/representative", "/inbox"):
        assert clerk.open(closed).status in {403, 404, 409}, f"{closed} is open at the counter"
    receipt = journeys.wait_received(clerk, journeys.book(clerk, "gp"))
    assert account.name in receipt.text
    page = acts.end_visit(clerk)
    assert page.path == "/counter/"
    assert clerk.open(receipt.path).status in {200, 404}
    assert account.name not in fine(clerk.open("/staff/")).text
    citizen = place.sign_in("neighbour1", language)
    assert fine(citizen.open(receipt.path)).status == 200
    assert "kulla-items" in fine(citizen.open("/my/counter")).html, "the visit is not on the person's page"


@pytest.mark.both_engines
def test_somebody_without_telephone_is_helped_by_two_officials(
    place: Country, language: str, enter: Enter
) -> None:
    account = place.accounts()["offline"]
    clerk, colleague = place.sign_in("clerk", language), enter("colleague")
    acts.assist_by_signature(clerk, colleague, account)
    receipt = journeys.wait_received(clerk, journeys.book(clerk, "laboratory"))
    code = re.search(r"(?<![\w-])[A-Z2-7]{4}-[A-Z2-7]{4}(?![\w-])", receipt.text)
    page = fine(clerk.open("/counter/finish"))
    assert code and code[0] in page.main, "the sheet to take home lacks the check code"
    assert clerk.open(f"{receipt.path}receipt.pdf").body.startswith(b"%PDF")
    acts.end_visit(clerk)


def test_a_clerk_cannot_act_for_somebody_absent(place: Country, language: str, enter: Enter) -> None:
    """Without the person's code, PIN or a colleague's yes there is no way in; guesses end."""
    account = place.accounts()["guardian"]
    clerk, colleague = place.sign_in("clerk", language), enter("colleague")
    visit = acts.find_at_counter(clerk, account.number)
    clerk.submit("/send")
    for guess in ("000000", "111111", "222222", "333333", "444444", "555555"):
        page = clerk.submit(having="code", code=guess)
        assert "govuk-error-summary" in page.html
    right = telephone.code(place, "guardian")
    page = clerk.submit(having="code", code=right)
    assert page.path != "/my", "a code counts after five wrong ones"
    clerk.open(visit.path)
    clerk.click("/signature")
    clerk.submit("/signature", button="1")
    acts.decide(colleague, yes=False)
    page = clerk.open(f"{visit.path}signature")
    assert not any(name == "begin" for form in page.forms for name, _, _ in form.buttons)
    assert clerk.open("/my").status == 404


def test_a_protected_person_opens_with_a_second_official_and_the_contact_is_told(
    place: Country, language: str, enter: Enter
) -> None:
    accounts = place.accounts()
    clerk, colleague = place.sign_in("clerk", language), enter("colleague")
    known = len(telephone.messages(place, "contact"))
    page = acts.find_at_counter(clerk, accounts["protected"].number)
    assert accounts["protected"].name not in page.text
    clerk.submit("/release")
    acts.decide(colleague)
    page = fine(clerk.open(page.path))
    assert accounts["protected"].name in page.main
    telephone.wait_for(place, "contact", re.compile(r"."), known=known)
    held = fine(place.sign_in("protected", language).open("/my/data")).text
    assert "Rruga" not in held, "the address of a protected person is on a screen"


# -- offices -------------------------------------------------------------------------------------------------------


def test_one_administrator_gives_a_clerk_two_give_power(place: Country, language: str, enter: Enter) -> None:
    accounts = place.accounts()
    admin, second = enter("admin"), enter("admin2")
    office = accounts["clerk"].office

    def with_codes(who: str) -> acts.Person:
        """Officials sign in with a second factor, so it is set up first."""
        account = acts.second_factor(place, enter(who), accounts[who])
        return place.sign_in(account, language)

    code = acts.offer_role(admin, office, "receptionist", accounts["cyrillic"].number)
    refused = enter("stranger").open("/offices/my-roles")
    refused = enter("stranger").submit(having="code", code=code)
    assert "govuk-error-summary" in refused.html, "another person reads an offer"
    acts.take_role(with_codes("cyrillic"), code)
    listed = fine(admin.open(f"/offices/admin/{office}/")).main
    assert accounts["cyrillic"].name in listed

    code = acts.offer_role(admin, office, "admin", accounts["greek"].number)
    acts.take_role(with_codes("greek"), code)
    listed = fine(admin.open(f"/offices/admin/{office}/")).main
    assert accounts["greek"].name not in listed, "one administrator alone gave power"
    assert acts.nothing_to_decide(admin), "who offered may decide"
    acts.decide(second)
    listed = fine(admin.open(f"/offices/admin/{office}/")).main
    assert accounts["greek"].name in listed


@pytest.mark.both_engines
def test_leaving_ends_access_at_once(place: Country, language: str, enter: Enter) -> None:
    accounts = place.accounts()
    admin = enter("admin")
    leaving = place.sign_in("clerk4", language)
    assert fine(leaving.open("/reception/")).status == 200
    page = fine(admin.open(f"/offices/admin/{accounts['clerk4'].office}/"))
    admin.open(
        next(href for href, text in page.links if href.endswith("/end") and accounts["clerk4"].name in text)
    )
    fine(admin.submit("/end"))
    time.sleep(HEARD_S)
    assert leaving.open("/reception/").path == "/sign-in"


@pytest.mark.both_engines
def test_the_yearly_review(place: Country, enter: Enter) -> None:
    admin = enter("admin")
    office = place.accounts()["clerk2"].office
    page = fine(admin.open(f"/offices/admin/{office}/review"))
    form = next(form for form in page.forms if any(kind == "radio" for kind in form.kinds.values()))
    radios = [name for name, kind in form.kinds.items() if kind == "radio"]
    page = admin.submit(form=form, **{name: form.choices[name][0] for name in radios})
    assert fine(page).path.startswith("/offices/admin/")


def test_an_administrator_reads_no_citizen(place: Country, enter: Enter) -> None:
    admin = enter("admin")
    for path in (
        "/counter/",
        "/counter/account/",
        "/reception/",
        "/registry-desk/",
        "/my",
        "/counter/family/",
    ):
        assert admin.open(path).status == 404, f"{path} is open to an administrator"
