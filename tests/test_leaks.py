"""Nothing stolen can be read: whatever people typed is nowhere in what a thief could carry away.

Recognisable words are typed into every field that takes text; then everything is stopped and every byte that the
portal, the mirrors, the key copies, the keeper's own folder and the logs have written is searched in many disguises.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import journeys, searching
from tests.country import Country
from tests.person import Form, Person

# Words that no other text contains; each place where people can type gets one of its own.
TYPED = {
    "reason": "Zhvendosjakyçit",
    "ward": "Përkëmbjafëmijës",
    "over-long": "Tejzgjatësisht",
    "refused": "Shkëmbimimbyllur",
    "phone": "Thirrjatelefonike",
    "search": "Kërkimishërbimit",
    "place": "Vendlindjambretërie",
    "wrong number": "Q98765432Z",
    "wrong password": "fjalëkalimqëskahyrë",
    "query": "Parametrifshehur",
    "path": "Shtegumbipanjohur",
    "header": "Shfletuesiqorr",
    "expired": "Formularimbremjes",
}


def stolen(country: Country) -> list[Path]:
    """Everything on disk but the files that hold the cast's passwords for the tests, and the holders' keys."""
    return [country.home / name for name in ("portal", "keeper", "operators", "run")]


def type_everywhere(country: Country) -> None:
    """Type each word where it belongs."""
    citizen, clerk = country.sign_in("citizen"), country.sign_in("clerk")
    visitor = country.visitor()
    journeys.wait_received(citizen, journeys.book(citizen, "gp", reason=TYPED["reason"]))
    journeys.hold_a_time(citizen, "dentist")
    page = journeys.send(citizen, reason=TYPED["ward"], ward=True)
    cancelled = journeys.cancel(citizen, journeys.wait_received(citizen, page))
    journeys.wait_received(citizen, cancelled)
    journeys.hold_a_time(citizen, "laboratory")
    journeys.send(citizen, reason=TYPED["over-long"] * 60)
    twice(citizen, journeys.hold_a_time(citizen, "gp").form(having="key"))
    journeys.phone_book(clerk, country.accounts()["neighbour1"].number, reason=TYPED["phone"])
    clerk.open("/reception/")
    visitor.open("/services")
    visitor.submit(having="q", q=TYPED["search"])
    visitor.open("/appointments/find/gp/")
    visitor.submit(having="q", q=TYPED["place"])
    visitor.open("/sign-in")
    visitor.submit(having="password", identifier=TYPED["wrong number"], password=TYPED["wrong password"])
    visitor.open(f"/?secret={searching.quote(TYPED['query'])}")
    assert visitor.open(f"/{searching.quote(TYPED['path'])}/").status == 404
    visitor.agent = searching.quote(TYPED["header"])
    visitor.open("/")
    expired = country.sign_in("neighbour3")
    form = journeys.hold_a_time(expired, "ent").form(having="key")
    expired.cookies.pop("kulla")
    journeys.send(expired, form=form, reason=TYPED["expired"])
    country.db.settle()


def twice(citizen: Person, form: Form) -> None:
    """A second booking of one kind is refused; what was typed comes back and goes nowhere else."""
    page = journeys.send(citizen, form=form, reason=TYPED["refused"])
    assert page.status == 409
    assert TYPED["refused"] in page.html


def personal(country: Country) -> list[str]:
    """What the register knows of everyone who can sign in: numbers, names, passwords, second factors."""
    words = []
    for account in country.accounts().values():
        words += [account.number, account.name, account.password, account.child, account.child_number]
        words += [account.totp_secret] if account.totp_secret else []
    return [word for word in words if word]


@pytest.mark.both_engines
def test_nothing_typed_can_be_read_from_what_a_thief_takes(
    make_country: Callable[..., Country], tmp_path: Path
) -> None:
    country = make_country().up()
    type_everywhere(country)
    words = [*TYPED.values(), *personal(country)]
    country.stop()
    folders = [*stolen(country), *country.db.folders()]
    assert searching.search(folders, words) == []

    # The control: the same search finds a public name that is there, and a value that is planted.
    assert searching.search([country.home / "portal", *country.db.folders()], ["Poliklinika"])
    for word in (TYPED["reason"], country.accounts()["citizen"].number):
        for needle in searching.disguises(word):
            (tmp_path / "planted").write_bytes(b"\x00\x07" + needle + b"\xff")
            assert searching.search([tmp_path], [word]), f"{needle!r} is overlooked"


def test_a_wiped_countrys_leftovers_hold_nothing_either(make_country: Callable[..., Country]) -> None:
    """Crash files, half-written files and what a killed portal leaves behind are searched too."""
    country = make_country().up()
    citizen = country.sign_in("citizen")
    journeys.book(citizen, "gp", reason=TYPED["reason"])
    country.kill_all()
    words = [TYPED["reason"], *personal(country)]
    assert searching.search(stolen(country), words) == []
    shutil.rmtree(country.home / "portal")
