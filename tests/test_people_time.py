"""Journeys that take days, or begin outside the portal, in both languages: by forms alone, through the real programs.

The demo keeper's clock is set ahead (docs/demo.md), the register's changes come by its live stand-in, and the last
test asks for administrators at a terminal. The order is that of the calendar: time goes forwards only, so all of a
language's tests share one country and stay in this file's order.
"""

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from kulla.cli.tests.terminal import Terminal
from kulla.demo import register
from tests import acts, journeys, telephone
from tests.acts import fine
from tests.country import Country, next_code
from tests.country import sign_in as sign_in_form

TAKEN_S = 15  # the keeper asks the register every second
DAY_H = 24
Enter = Callable[[str], acts.Person]


def set_ahead(place: Country, hours: int) -> None:
    """The keeper lives so many hours in the future from now on."""
    path = place.home / "keeper" / "keeper.json"
    settings = json.loads(path.read_text()) | {"clock_ahead_s": hours * 3600}
    path.write_text(json.dumps(settings, indent=2))
    place.kill("keeper")
    place.wait_up("keeper", "portal")


def until(what: Callable[[], bool], seconds: float, words: str) -> None:
    """Look again and again. Fails with `words`."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, words
        time.sleep(0.2)


# -- the register goes on ------------------------------------------------------------------------------------------


def test_a_change_in_the_register_arrives_by_itself(place: Country, enter: Enter) -> None:
    person, account = enter("neighbour1"), place.accounts()["neighbour1"]
    register.add(place.home, {"number": account.number, "address": "Rruga e Gështenjave 71"})
    until(
        lambda: "Rruga e Gështenjave 71" in fine(person.open("/my/data")).text,
        TAKEN_S,
        "the change of the register did not arrive",
    )
    place.kill("register")
    register.add(place.home, {"number": account.number, "address": "Rruga e Ullinjve 72"})
    place.wait_up("register")
    until(lambda: "Rruga e Ullinjve 72" in fine(person.open("/my/data")).text, TAKEN_S, "nor after a crash")


def test_heirs_act_after_a_death_that_the_register_told(place: Country, language: str, enter: Enter) -> None:
    """The account ends at once; an heir comes to a counter; two registrars; only then does the heir see anything."""
    accounts = place.accounts()
    dead, heir = accounts["neighbour2"], accounts["neighbour3"]
    before = enter("neighbour2")
    fine(before.open("/my"))
    today = datetime.now(UTC).date().isoformat()
    register.add(place.home, {"number": dead.number, "status": "dead", "died": today})
    until(lambda: before.open("/my").path == "/sign-in", TAKEN_S, "the account of the dead stays open")
    refused = sign_in_form(place.visitor(language), dead)
    assert refused.path == "/sign-in", "the dead sign in"

    registrar, second, inheriting = enter("registrar"), enter("registrar2"), enter("neighbour3")
    registrar.open("/counter/family/heirs")
    last = acts.today() + timedelta(days=90)
    papers = {"document": "letërnjoftim", "certificate": "Dëshmi 2026-88", "scopes": ["health"]}
    names = {"dead_type": "number", "dead": dead.number, "heir_type": "number", "heir": heir.number}
    fine(registrar.submit(having="certificate", **names, **papers, **acts.day("until", last)))
    assert dead.name not in fine(inheriting.open("/my/family")).main, "one registrar alone made an heir"
    assert acts.nothing_to_decide(registrar)
    acts.decide(second)
    assert dead.name in fine(inheriting.open("/my/family")).main


# -- who is let in again -------------------------------------------------------------------------------------------


def test_an_official_who_lost_access_needs_two_administrators(
    place: Country, language: str, enter: Enter
) -> None:
    account = place.accounts()["clerk3"]
    refused = place.visitor(language)
    refused.open("/recover")
    refused.submit(having="lost", identifier=account.identifier, lost="password")
    clerk = enter("colleague")
    clerk.open("/counter/account/")
    fine(clerk.submit(having="identifier", identifier_type="number", identifier=account.number))
    page = fine(clerk.submit(having="document", document="id_card"))
    assert page.path == "/counter/account/requests"
    assert not acts.LETTER_CODE.search(page.main), "a clerk alone lets an official in"
    acts.decide(enter("admin"))
    page = fine(clerk.open("/counter/account/requests"))
    assert not any(form.action.endswith("/letter") for form in page.forms), (
        "one administrator alone lets an official in"
    )
    acts.decide(enter("admin2"))
    fine(clerk.open("/counter/account/requests"))
    page = fine(clerk.submit("/letter"))
    code = acts.LETTER_CODE.search(page.main)
    assert code, f"no letter: {page.main[:600]}"
    back = acts.open_with_letter(place, account, code[0], language)
    assert account.name in fine(back.open("/my")).text


# -- what takes days -----------------------------------------------------------------------------------------------


def test_a_new_address_counts_after_72_hours_and_a_delayed_look_is_shown_after_its_day(
    place: Country, language: str, enter: Enter
) -> None:
    accounts = place.accounts()
    account, person = accounts["one_name"], enter("one_name")
    acts.change_email(place, person, account, "lume.e.re@post.example")

    watched = accounts["neighbour4"]
    citizen, clerk = enter("neighbour4"), enter("clerk")
    registrar, second = enter("registrar"), enter("registrar2")
    page = fine(registrar.open("/questions/order"))
    form = page.form(having="order")
    days = {
        "since": acts.today() - timedelta(days=1),
        "until": acts.today() + timedelta(days=1),
        "shown": acts.today() + timedelta(days=2),
    }
    dates = {name: text for key, day in days.items() for name, text in acts.day(key, day).items()}
    words = {"order": "Vendim 88", "court": "Gjykata e Tiranës", "number": watched.number}
    fine(registrar.submit(form=form, **words, office=accounts["clerk"].office, **dates))
    acts.decide(second)
    lines = len(json.loads(citizen.open("/my/looks.json").body)["looks"])
    journeys.phone_book(clerk, watched.number)
    place.db.settle()
    looks = json.loads(citizen.open("/my/looks.json").body)["looks"]
    assert len(looks) == lines, "the order is not kept"

    set_ahead(place, 71)
    page = fine(person.open("/my/account"))
    assert account.email in page.main, "the new address counts before 72 hours"
    set_ahead(place, 73)
    page = fine(person.open("/my/account"))
    assert "lume.e.re@post.example" in page.main
    assert account.email not in page.main, "the old address counts after 72 hours"
    looks = json.loads(citizen.open("/my/looks.json").body)["looks"]
    assert len(looks) > lines, "the delayed look is not shown after its day"


def test_roles_are_told_renewed_reviewed_and_end(place: Country, language: str, enter: Enter) -> None:
    """A year on: who was renewed works on and is reviewed, who was not is a citizen; administrators were told."""
    accounts = place.accounts()
    office, renewed, ended = accounts["clerk2"].office, accounts["clerk2"], accounts["clerk4"]
    set_ahead(place, 360 * DAY_H)
    # Messages come in the reader's own language, whatever the pages are in.
    telephone.wait_for(place, "clerk4", re.compile("mbaron së shpejti|ends soon"))
    telephone.wait_for(place, "admin", re.compile("Role në zyrat tuaja|Roles in your offices"))
    admin = place.sign_in("admin", language)
    page = fine(admin.open(f"/offices/admin/{office}/"))
    admin.open(next(href for href, text in page.links if href.endswith("/renew") and renewed.name in text))
    fine(admin.submit(having="days", days="365"))
    set_ahead(place, 364 * DAY_H)
    page = fine(admin.open(f"/offices/admin/{office}/review"))
    form = next(form for form in page.forms if any(kind == "radio" for kind in form.kinds.values()))
    radios = [name for name, kind in form.kinds.items() if kind == "radio"]
    assert radios, "nobody is to be reviewed"
    fine(admin.submit(form=form, **{name: form.choices[name][0] for name in radios}))

    set_ahead(place, 366 * DAY_H)
    works = place.sign_in(renewed, language)
    assert fine(works.open("/reception/")).status == 200, "a renewed role does not go on"
    citizen = place.sign_in(ended, language)
    assert citizen.open("/reception/").status in {403, 404}, "a role goes on after its year"
    page = admin.open("/offices/admin/")
    assert page.status != 200 or page.path == "/sign-in", (
        f"a session goes on after its role: {page.main[:300]}"
    )


def test_a_country_whose_administrators_ended_begins_again_at_a_terminal(
    place: Country, language: str
) -> None:
    """Two citizens become administrators by the ceremony, sign in at the portal, and offer a role."""
    accounts = place.accounts()
    chosen = [accounts["apostrophe"], accounts["stranger"]]
    place.stop()
    with place.mirrors():
        terminal = Terminal("first-admin", "--home", str(place.home))
        secrets = [terminal.person(each) for each in chosen]
        for each in chosen:
            terminal.expect(f"{each.name}, do you want")
            terminal.type("yes")
        assert terminal.ended() == 0, terminal.seen
    place.up()
    person = place.visitor(language)
    person.open("/sign-in")
    fine(person.submit(having="password", identifier=chosen[0].number, password=chosen[0].password))
    page = fine(person.submit(having="code", code=next_code(secrets[0])))
    assert "/offices/admin/" in {href for href, _ in page.links}, f"not an administrator: {page.url}"
    code = acts.offer_role(person, accounts["clerk"].office, "receptionist", accounts["citizen"].number)
    assert re.fullmatch(r"[0-9A-Z-]+", code.strip())
