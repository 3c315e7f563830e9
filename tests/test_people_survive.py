"""What people did stands after portal, keeper and one operator are lost; and a thief reads nothing of it.

An account activated by code, a second factor, a passkey, a mandate, a guardianship by two officials, a role granted by
two, a protection, a PIN, a correction with a document, a question and its answer, settings, a new address that waits.
"""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from tests import acts, journeys, searching, telephone
from tests.acts import fine
from tests.country import Account, Country, run_kulla
from tests.country import sign_in as sign_in_form
from tests.test_leaks import personal, stolen
from tests.test_passkeys import authenticator, base_of
from tests.test_passkeys import sign_in as sign_in_browser
from tests.test_rebuild import keeper_rows, lose

PIN = "482915"
# Words that stand nowhere else; each is typed into a place of its own.
TYPED = {
    "password": "shtatë lejlekë mbi oxhak 83",
    "e-mail": "zvarritesi.lumit@post.example",
    "question": "Përkundrejtdritëspyetur",
    "answer": "Përgjigjezyrtarehollë",
    "correction": "Mbiemërikorrigjuari",
    "reason": "Arsyejakorrigjimit",
    "decision": "Vendimgjykateshkruar",
    "document": "Dokumentingarkuarplotësisht",
    "erasure": "Kërkesëpërfshirje",
    "device": "Çelësiitavolinës",
    "typed number": "K12345678Q",
}
WORDS = acts.PDF.replace(b"%%EOF", b"% " + TYPED["document"].encode() + b"\n%%EOF")


@dataclass
class Done:
    """What was done, to be looked at again."""

    newcomer: Account
    with_codes: Account
    official: Account
    codes: list[str] = field(default_factory=list)
    receipt: str = ""
    question: str = ""


def do_everything(country: Country) -> Done:
    """One act of each kind, over HTTP."""
    who = country.accounts()
    newcomer = replace(who["newcomer"], password=TYPED["password"])
    codes = [acts.letter(country.sign_in("clerk2"), who["elder"].number)]
    person = acts.activate(country, newcomer, password=newcomer.password)
    codes += [telephone.CODE.search(text)[0] for text in telephone.messages(country, "newcomer")
              if telephone.CODE.search(text)]  # fmt: skip

    stranger = country.sign_in("stranger")
    with_codes = acts.second_factor(country, stranger, who["stranger"])
    acts.change_email(country, person, newcomer, TYPED["e-mail"])

    represented, representative = country.sign_in("represented"), country.sign_in("representative")
    codes.append(acts.offer_mandate(represented, "health", "money"))
    acts.take_mandate(representative, codes[-1])
    acts.confirm_mandate(represented)

    registrar, second = country.sign_in("registrar"), country.sign_in("registrar2")
    registrar.open("/counter/family/guardian")
    acts.ask_guardian(registrar, who["neighbour4"].number, who["parent_of_teenager"].child_number)
    acts.decide(second)
    registrar.open("/counter/protect")
    fine(registrar.submit(having="reason", identifier=who["neighbour2"].number, reason="violence"))
    acts.decide(second)

    admin, admin2 = country.sign_in("admin"), country.sign_in("admin2")
    official = acts.second_factor(country, country.sign_in("greek"), who["greek"])
    codes.append(acts.offer_role(admin, who["clerk"].office, "registrar", official.number))
    acts.take_role(country.sign_in(official), codes[-1])
    acts.decide(admin2)

    represented.open("/my/counter")
    fine(represented.submit(having="pin", pin=PIN, pin_again=PIN, password=who["represented"].password))

    acts.ask_correction(represented, "last_name", TYPED["correction"], TYPED["reason"], WORDS)
    acts.decide_correction(registrar, TYPED["decision"])
    represented.open("/my/data/erase")
    fine(represented.submit(having="text", text=TYPED["erasure"]))
    represented.open("/my/settings")
    fine(represented.submit(having="on_security", language="en", on_services=["email"]))

    clerk = country.sign_in("clerk")
    acts.find_at_counter(clerk, who["neighbour1"].number)
    citizen = country.sign_in("neighbour1")
    question = acts.ask_about_look(citizen, TYPED["question"]).path
    acts.answer_question(country.sign_in("protection"), TYPED["answer"])

    acts.find_at_counter(clerk, who["represented"].number)
    clerk.click("/pin")
    assert fine(clerk.submit(having="pin", pin=PIN)).path == "/my"
    receipt = journeys.wait_received(clerk, journeys.book(clerk, "gp")).path
    acts.end_visit(clerk)
    visitor = country.visitor()
    visitor.open("/activate")
    visitor.submit(having="identifier", identifier=TYPED["typed number"])
    visitor.open("/recover")
    visitor.submit(having="lost", identifier=TYPED["typed number"], lost="password")
    return Done(newcomer, with_codes, official, codes, receipt, question)


def add_passkey(country: Country, page: object, context: BrowserContext) -> None:
    """neighbour3 gets a passkey, made by software in Chromium."""
    page.goto(f"{base_of(country)}/my/security/passkeys/new")  # type: ignore[attr-defined]
    page.locator("[name=name]").fill(TYPED["device"])  # type: ignore[attr-defined]
    page.locator("button[data-start]").click()  # type: ignore[attr-defined]
    page.wait_for_url(re.compile(r"done=passkey$"))  # type: ignore[attr-defined]
    page.locator("form[action='/sign-out'] button").click()  # type: ignore[attr-defined]


def still_there(country: Country, done: Done) -> None:
    """Everything that `do_everything` did, looked at on the pages."""
    who = country.accounts()
    person = country.visitor()
    assert sign_in_form(person, done.newcomer).path.startswith("/my"), "the activated account is gone"
    assert TYPED["e-mail"] in fine(person.open("/my/account")).main, "the address that waits is gone"
    asked = country.visitor()
    page = sign_in_form(asked, replace(done.with_codes, totp_secret=""))
    assert any("code" in form.names() for form in page.forms), "the second factor is gone"
    assert fine(country.sign_in(done.with_codes).open("/my")).path == "/my"

    representative = country.sign_in("representative")
    assert TYPED["correction"] in fine(representative.open("/my/family")).main, "the mandate is gone"
    guardian = country.sign_in("neighbour4")
    assert who["parent_of_teenager"].child.split()[0] in fine(guardian.open("/my/family")).main
    admin = country.sign_in("admin")
    listed = fine(admin.open(f"/offices/admin/{who['clerk'].office}/")).main
    assert done.official.name in listed, "the role that two granted is gone"

    clerk = country.sign_in("clerk3")
    hidden = acts.find_at_counter(clerk, who["neighbour2"].number)
    assert who["neighbour2"].name not in hidden.text, "the protection is gone"
    visit = acts.find_at_counter(clerk, who["represented"].number)
    clerk.open(f"{visit.path}pin")
    assert fine(clerk.submit(having="pin", pin=PIN)).path == "/my", "the PIN is gone"
    assert fine(clerk.open(done.receipt)).status == 200
    acts.end_visit(clerk)

    represented = country.sign_in("represented")
    assert TYPED["correction"] in fine(represented.open("/my")).text
    settings = fine(represented.open("/my/settings")).form(having="on_services")
    assert [value for name, value in settings.fields if name == "on_services"] == ["email"]
    assert "kulla-items" in represented.open("/my/counter").html
    citizen = country.sign_in("neighbour1")
    page = fine(citizen.open(done.question))
    assert TYPED["question"] in page.main and TYPED["answer"] in page.main


@pytest.mark.both_engines
@pytest.mark.browser
def test_what_people_did_is_safe_and_unreadable(
    make_country: Callable[..., Country], new_context: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    country = make_country(people=60).up()
    done = do_everything(country)
    context = new_context()
    page = context.new_page()
    authenticator(context, page)
    sign_in_browser(page, country, country.accounts()["neighbour3"])
    add_passkey(country, page, context)
    still_there(country, done)
    country.db.settle()
    records = keeper_rows(country.home)
    for table in ("passkey", "mandate", "guardianship", "role", "protected", "counter_pin", "correction",
                  "question", "my_settings", "channel_change", "letter", "visit", "erasure"):  # fmt: skip
        assert records[table], f"nothing was done that fills {table}"
    accounts = country.accounts()
    country.kill_all()

    words = [word for name, word in TYPED.items() if name != "device"] + personal(country) + [TYPED["device"]]
    words += [value for one in accounts.values() for value in (one.phone, one.email, one.passport) if value]
    words += [code for code in done.codes if not code.isdigit()]
    folders = [*stolen(country), *country.db.folders()]
    assert searching.search(folders, words) == []
    digits = [PIN, *(code for code in done.codes if code.isdigit())]
    assert searching.search_digits(folders, digits) == []
    (tmp_path / "planted").write_bytes(b'{"pin": "' + PIN.encode() + b'"}')
    assert searching.search_digits([tmp_path], digits), "the control: a PIN that is there is overlooked"

    lose(country, 3)
    sources = [str(country.home / "operators" / number) for number in "12"]
    run_kulla(
        "rebuild", "--home", str(country.home), "--keys", str(country.home / "holders"),
        "--from", sources[0], "--from", sources[1], timeout=180, **country.env,
    )  # fmt: skip
    again = keeper_rows(country.home)
    assert again.keys() == records.keys()
    for table, rows in again.items():
        assert rows == records[table], f"the keeper's {table} came back different"

    country.up()
    still_there(country, done)
    page.goto(f"{base_of(country)}/sign-in")
    page.locator("button[data-start]").click()
    page.wait_for_url(re.compile(r"/my$"))
    shutil.rmtree(country.home / "holders")
