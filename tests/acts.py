"""What people do about their accounts, families, offices and data, step by step, over HTTP.

As in journeys.py each step takes the form from the page before. Where only one language would do, buttons are named
by their values and fields by their names, never by words.
"""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from tests import telephone
from tests.country import Account, Country, next_code
from tests.person import File, Page, Person

PASSWORD = "gështenja blu mbi urë 71"
LETTER_CODE = re.compile(r"(?<![\w-])[0-9A-Z]{4}(?:[ -][0-9A-Z]{4}){3}(?![\w-])")
MANDATE_CODE = re.compile(r"(?<![\w-])[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}(?![\w-])")  # not a part of a UUID
PAPER_CODE = re.compile(r"(?<![\w-])[0-9A-Z]{5}-[0-9A-Z]{5}(?![\w-])")
# The smallest PDF that a reader opens: one empty page.
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\nxref\n0 4\n0000000000 65535 f \n"
    b"0000000009 00000 n \n0000000054 00000 n \n0000000105 00000 n \ntrailer<</Size 4/Root 1 0 R>>\n"
    b"startxref\n171\n%%EOF\n"
)


def fine(page: Page) -> Page:
    """The page, which must have arrived without a fault."""
    assert page.status == 200, f"{page.url} answers {page.status}: {page.main[:700] or page.text[:700]}"
    assert "govuk-error-summary" not in page.html, f"{page.url} has faults: {page.main[:700]}"
    return page


def today() -> date:
    """The day in the country."""
    return datetime.now(ZoneInfo("Europe/Tirane")).date()


def press(person: Person, button: str, **values: str) -> Page:
    """Press the button of this value, in whichever form it stands."""
    assert person.page is not None
    for form in person.page.forms:
        if any(value == button for _, value, _ in form.buttons):
            return fine(person.submit(form=form, button=button, **values))
    raise AssertionError(f"{person.page.url} has no button {button!r}: {person.page.main[:400]}")


def day(name: str, value: date) -> dict[str, str]:
    """What is typed into the three parts of a date."""
    return {f"{name}_0": str(value.day), f"{name}_1": str(value.month), f"{name}_2": str(value.year)}


# -- accounts ------------------------------------------------------------------------------------------------------


def activate(country: Country, account: Account, language: str = "en", password: str = PASSWORD) -> Person:
    """From the front page to an account of one's own, by the code on the telephone."""
    person = country.visitor(language)
    person.open("/sign-in")
    person.click("/activate")
    known = len(telephone.messages(country, account.who))
    fine(person.submit(having="identifier", identifier=account.identifier))
    fine(person.submit(having="code", code=telephone.code(country, account.who, known=known)))
    page = fine(person.submit(having="password", password=password, again=password))
    assert page.path.startswith("/my"), f"not signed in after the activation: {page.url} {page.main[:300]}"
    return person


def letter(clerk: Person, identifier: str, kind: str = "number") -> str:
    """A clerk finds a person, sees a document, prints a letter. Gives its code."""
    clerk.open("/counter/account/")
    fine(clerk.submit(having="identifier", identifier_type=kind, identifier=identifier))
    page = fine(clerk.submit(having="document", document="id_card"))
    found = LETTER_CODE.search(page.main)
    assert found, f"the letter shows no code: {page.main[:600]}"
    return found[0]


def open_with_letter(
    country: Country, account: Account, code: str, language: str = "en", password: str = PASSWORD
) -> Person:
    """Use the code of a letter."""
    person = country.visitor(language)
    person.open("/activate/letter")
    fine(person.submit(having="letter", identifier=account.identifier, letter=code.lower()))
    page = fine(person.submit(having="password", password=password, again=password))
    assert page.path.startswith("/my"), f"not signed in with the letter: {page.url} {page.main[:300]}"
    return person


def not_me(country: Country, message: str, language: str = "en") -> Page:
    """Press the link of a message, and the button on its page."""
    found = re.search(r"https?://\S+(/not-me/[^\s.]+)", message)
    assert found, f"the message has no link: {message}"
    visitor = country.visitor(language)
    fine(visitor.open(found[1]))
    return fine(visitor.submit("not-me"))


def recover_password(country: Country, account: Account, password: str, language: str = "en") -> Person:
    """A forgotten password, with the code on the telephone."""
    person = country.visitor(language)
    person.open("/sign-in")
    person.click("/recover")
    known = len(telephone.messages(country, account.who))
    fine(person.submit(having="lost", identifier=account.identifier, lost="password"))
    code = telephone.code(country, account.who, known=known)
    fine(person.submit(having="phone_code", phone_code=code))
    page = fine(person.submit(having="password", password=password, again=password))
    assert page.path.startswith("/my"), f"not signed in after the recovery: {page.url} {page.main[:300]}"
    return person


def change_email(country: Country, person: Person, account: Account, value: str) -> Page:
    """Ask for another e-mail address and prove that it is one's own; it counts after 72 hours."""
    known = len(telephone.messages(country, account.who))
    person.open("/my/account/email")
    fine(person.submit(having="value", value=value))
    code = telephone.code(country, account.who, known=known)
    return fine(person.submit(having="code", code=code))


# -- families ------------------------------------------------------------------------------------------------------


def offer_mandate(person: Person, *scopes: str, days: int = 100) -> str:
    """Appoint somebody: gives the code to hand over."""
    person.open("/my/family")
    person.click("/my/family/representative")
    until = today() + timedelta(days=days)
    page = fine(person.submit(having="scopes", scopes=list(scopes), **day("until", until)))
    found = MANDATE_CODE.search(page.main)
    assert found, f"no code for a representative: {page.main[:600]}"
    return found[0]


def take_mandate(person: Person, code: str) -> Page:
    """Accept with the code."""
    page = person.open("/my/family")
    person.open(next(href for href, _ in page.links if href.endswith("/represent")))
    fine(person.submit(having="code", code=code.lower()))
    return fine(person.submit(having="code", button="accept"))


def confirm_mandate(person: Person) -> Page:
    """Confirm the name of who accepted."""
    page = person.open("/my/family")
    waiting = [href for href, _ in page.links if "/my/family/representative/" in href]
    for href in waiting:
        page = person.open(href)
        if any(value == "confirm" for form in page.forms for _, value, _ in form.buttons):
            return press(person, "confirm")
    raise AssertionError(f"nobody waits to be confirmed: {page.main[:500]}")


def ask_guardian(official: Person, guardian: str, ward: str) -> Page:
    """An official records what a court decided; a second one must agree."""
    official.open("/counter/family/guardian")
    decided = today() - timedelta(days=3)
    return fine(
        official.submit(
            having="guardian",
            guardian_type="number",
            guardian=guardian,
            ward_type="number",
            ward=ward,
            court="Gjykata e Rrethit Tiranë",
            number="2026-417",
            custody="yes",
            scopes=["health", "school"],
            **day("day", decided),
        )
    )


# -- offices and decisions -----------------------------------------------------------------------------------------


def decide(official: Person, *, yes: bool = True, part: str = "") -> Page:
    """Answer the newest request that waits for this official (whose line holds `part`)."""
    page = fine(official.open("/decisions"))
    waiting = [
        href
        for href, text in page.links
        if re.search(r"/decisions/[0-9a-f-]{36}$", urlsplit(href).path) and part in text
    ]
    assert waiting, f"nothing waits for a decision: {page.main[:600]}"
    official.open(waiting[-1])
    return fine(official.submit(having="answer", answer="yes" if yes else "no"))


def nothing_to_decide(official: Person) -> bool:
    """Whether nothing waits for this official."""
    page = fine(official.open("/decisions"))
    return not any(re.search(r"/decisions/[0-9a-f-]{36}$", href) for href, _ in page.links)


def offer_role(admin: Person, office: str, role: str, identifier: str) -> str:
    """An administrator offers a role in an office to whoever has this identifier. Gives the code to hand over."""
    admin.open(f"/offices/admin/{office}/offer")
    page = fine(admin.submit(having="role", role=role, identifier=identifier, days="365", note="shënim"))
    found = re.search(r'class="kulla-code">([^<]+)<', page.html)
    assert found, f"the offer has no code: {page.main[:500]}"
    return found[1]


def take_role(person: Person, code: str) -> Page:
    """Read the offer of this code, and take the role."""
    fine(person.open("/offices/my-roles"))
    fine(person.submit(having="code", code=code))
    return fine(person.submit(having="answer", answer="yes"))


def second_factor(country: Country, person: Person, account: Account, language: str = "en") -> Account:
    """Set up the codes of an app, and sign in with them. Gives the account with its secret."""
    page = fine(person.open("/my/security/codes"))
    found = re.search(r"<code[^>]*>([A-Z2-7 ]{16,})</code>", page.html)
    assert found, f"no secret to set up: {page.main[:500]}"
    secret = found[1].replace(" ", "")
    fine(person.submit(having="code", code=next_code(secret)))
    return replace(account, totp_secret=secret)


# -- at the counter ------------------------------------------------------------------------------------------------


def find_at_counter(clerk: Person, identifier: str, kind: str = "number") -> Page:
    """A clerk finds the person who stands there."""
    clerk.open("/counter/")
    return fine(clerk.submit(having="identifier", identifier=identifier, kind=kind))


def assist_by_code(country: Country, clerk: Person, account: Account) -> Page:
    """Act with a present person who reads the code out."""
    page = find_at_counter(clerk, account.identifier, "number" if account.number else "passport")
    known = len(telephone.messages(country, account.who))
    clerk.submit("/send")
    code = telephone.code(country, account.who, known=known)
    page = fine(clerk.submit(having="code", code=code))
    assert page.path == "/my", f"not acting with the person: {page.url}"
    return page


def assist_by_signature(clerk: Person, colleague: Person, account: Account) -> Page:
    """Act with a present person who has no telephone: a second official confirms."""
    visit = find_at_counter(clerk, account.identifier, "number" if account.number else "passport")
    clerk.click("/signature")
    form = clerk.page.form("/signature") if clerk.page else None
    clerk.submit(form=form, button="1")
    decide(colleague)
    clerk.open(f"{visit.path}signature")
    page = fine(clerk.submit("/signature", button="1"))
    assert page.path == "/my", f"not acting with the person: {page.url} {page.main[:300]}"
    return page


def end_visit(clerk: Person) -> Page:
    """Finish: the receipts of the visit, and back to being oneself."""
    fine(clerk.open("/counter/finish"))
    return fine(clerk.submit("/counter/end"))


# -- my data -------------------------------------------------------------------------------------------------------


def ask_correction(person: Person, field: str, value: str, reason: str, document: bytes = PDF) -> Page:
    """Ask the register's office to correct a field, with a document."""
    person.open("/my/data/correct")
    chosen = File("vertetim.pdf", "application/pdf", document)
    return fine(person.submit(having="field", field=field, value=value, reason=reason, document=chosen))


def decide_correction(registrar: Person, reason: str, *, yes: bool = True) -> Page:
    """Open the oldest request for a correction and decide it."""
    page = fine(registrar.open("/registry-desk/"))
    waiting = [href for href, _ in page.links if "/registry-desk/corrections/" in href]
    assert waiting, f"no correction waits: {page.main[:400]}"
    registrar.open(waiting[0])
    fine(registrar.submit(having="action"))
    return fine(registrar.submit(having="reason", button="yes" if yes else "no", reason=reason))


def ask_about_look(person: Person, text: str) -> Page:
    """Ask about the newest look that has not been asked about."""
    page = fine(person.open("/my/looks"))
    asks = [href for href, _ in page.links if href.endswith("/ask")]
    assert asks, f"no look to ask about: {page.main[:600]}"
    person.open(asks[0])
    return fine(person.submit(having="text", text=text))


def answer_question(protection: Person, text: str) -> Page:
    """The data-protection official answers the most urgent question."""
    page = fine(protection.open("/questions/"))
    waiting = [href for href, _ in page.links if re.search(r"/questions/[0-9a-f-]{36}$", href)]
    assert waiting, f"no question waits: {page.main[:400]}"
    protection.open(waiting[0])
    return fine(protection.submit(having="text", text=text))
