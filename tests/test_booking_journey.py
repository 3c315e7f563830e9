"""A citizen books in a real browser: both languages, phone and desk, by keyboard alone, without scripts."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

import pypdf
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.country import Account, Country, run_kulla

pytestmark = pytest.mark.browser

# The cast: one member and kind of care for each run, since a person has one live booking of a kind.
RUNS = [("sq", 360, "gp"), ("en", 360, "dentist"), ("sq", 1280, "laboratory"), ("en", 1280, "ophthalmology")]
RECEIVED = {"en": "Received", "sq": "U pranua"}


def sign_in(page: Page, country: Country, who: str, next_page: str = "") -> None:
    """Through the form, as people do."""
    account = country.accounts()[who]
    page.goto(f"{country.base}/sign-in{next_page}")
    page.locator("main [name=identifier]:visible").fill(account.number)
    page.locator("[name=password]").fill(account.password)
    page.locator("main button[type=submit]").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def set_language(context: BrowserContext, country: Country, language: str) -> None:
    """Press the language's link on the front page."""
    page = context.new_page()
    page.goto(country.base)
    if page.locator("html").get_attribute("lang") != language:
        page.locator(f".kulla-languages a[lang={language}]").click()
    expect(page.locator("html")).to_have_attribute("lang", language)
    page.close()


def to_free_times(page: Page, country: Country, kind: str, town: str = "Tiranë") -> None:
    """From the front page to an office with free times, by what is on the pages."""
    page.goto(country.base)
    page.locator("main a[href='/appointments/']").first.click()
    page.locator(f"main a[href*='/find/{kind}/']").first.click()
    page.locator("main input[name=q]").fill(town)
    with page.expect_navigation():
        page.locator("main input[name=q]").press("Enter")
    if not page.locator("main a[href*='/at/']").count():
        page.locator("main a[href*='/near/']").first.click()
    page.locator("main a[href*='/at/']").first.click()
    if not times(page).count():
        page.locator("main a[href*='from=']").first.click()
    expect(times(page).first).to_be_visible()


def times(page: Page) -> Locator:
    """The buttons of free times."""
    return page.locator("main button[name=time]")


def fits(page: Page) -> None:
    """Nothing sticks out to the right of the window."""
    page.wait_for_load_state()
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} pixels wider than the window"


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run[0]}-{run[1]}")
def test_book_and_check_and_cancel(
    country: Country, new_context: Callable[..., BrowserContext], tmp_path: Path, run: tuple[str, int, str]
) -> None:
    language, width, kind = run
    context = new_context(language, width)
    set_language(context, country, language)
    page = context.new_page()
    account = country.accounts()["citizen"]
    book(page, country, account, kind)
    expect(page.locator("#receipt-status")).to_have_attribute("data-status", "received", timeout=20_000)
    expect(page.locator("#receipt-status h2")).to_contain_text(RECEIVED[language])  # it has turned by itself
    fits(page)
    receipt = page.url
    proof = check_proof(page, country, tmp_path)
    check_paper(page, account, proof)
    check_calendar(page)
    page.goto(f"{country.base}/my")
    fits(page)
    page.goto(receipt)
    cancel(page)
    expect(page.locator("#receipt-status")).to_have_attribute("data-status", "received", timeout=20_000)


def book(page: Page, country: Country, account: Account, kind: str) -> None:
    """Choose a time first and sign in then, as most people do."""
    to_free_times(page, country, kind)
    fits(page)
    times(page).nth(2).click()
    page.locator("main [name=identifier]:visible").fill(account.number)
    page.locator("[name=password]").fill(account.password)
    fits(page)
    page.locator("main button[type=submit]").click()
    page.locator("main button[name=time]").click()
    page.locator("[name=reason]").fill("Dhimbje shpine që prej një jave")
    page.locator("[name=person]").first.check()
    fits(page)
    page.locator("button[name=do][value=book]").click()
    page.wait_for_url(re.compile(r"/receipts/[0-9a-f-]{36}/"))


def check_proof(page: Page, country: Country, folder: Path) -> bytes:
    """The text receipt verifies with the real command, and not when one character is another."""
    code = page.locator(".kulla-code").inner_text().strip()
    proof = folder / "receipt.txt"
    proof.write_bytes(fetch(page, "a[href*='receipt.tlog-proof']"))
    policy = str(country.home / "policy")
    done = run_kulla("verify", str(proof), "--policy", policy)
    assert code in done.stdout, f"kulla verify shows another check code than {code}:\n{done.stdout}"
    changed = folder / "changed.txt"
    changed.write_text(flip(proof.read_text()))
    refused = run_kulla("verify", str(changed), "--policy", policy, check=False)
    assert refused.returncode == 1
    assert len((refused.stdout + refused.stderr).strip().splitlines()) == 1, "one sentence says why"
    return proof.read_bytes()


def check_paper(page: Page, account: Account, proof: bytes) -> None:
    """The PDF tells a clerk who and the check code, keeps the reason to itself, and carries the proof."""
    printed = pypdf.PdfReader(io.BytesIO(fetch(page, "a[href*='receipt.pdf']")))
    text = "\n".join(one.extract_text() for one in printed.pages)
    assert page.locator(".kulla-code").inner_text().strip() in text
    assert account.name in text, f"the clerk cannot read who:\n{text}"
    assert "Dhimbje" not in text
    assert any(proof in parts for parts in printed.attachments.values()), "the PDF does not carry the proof"


def check_calendar(page: Page) -> None:
    """The calendar file states the time with its zone and names no kind of care."""
    calendar = fetch(page, "a[href*='calendar.ics']").decode()
    assert calendar.startswith("BEGIN:VCALENDAR\r\n")
    assert "DTSTART;TZID=Europe/Tirane:" in calendar or re.search(r"DTSTART:\d{8}T\d{6}Z", calendar)
    assert not re.search(r"dentist|laborator|okulist|eye|mjek i p|general pract", calendar, re.IGNORECASE)


def cancel(page: Page) -> None:
    """From the receipt to the appointment, and cancel it."""
    link = page.locator("a[href*='calendar.ics']").get_attribute("href") or ""
    page.goto(urljoin(page.url, link.removesuffix("calendar.ics")))
    page.locator("main a[href*='/cancel/']").click()
    fits(page)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/receipts/[0-9a-f-]{36}/"))


def fetch(page: Page, selector: str) -> bytes:
    """What the link gives, asked with the browser's cookies."""
    address = urljoin(page.url, page.locator(selector).first.get_attribute("href") or "")
    answer = page.request.get(address)
    assert answer.ok, f"{address} answers {answer.status}"
    return answer.body()


def flip(text: str) -> str:
    """The receipt with one character of a hash changed."""
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if re.fullmatch(r"[A-Za-z0-9+/]{43}=", line))
    lines[at] = ("B" if lines[at][0] == "A" else "A") + lines[at][1:]
    return "\n".join(lines) + "\n"


def test_keyboard_alone(country: Country, new_context: Callable[..., BrowserContext]) -> None:
    """Sign in and book with Tab, Space, arrows and Enter; what has the focus is always visible."""
    page = new_context("en").new_page()
    page.goto(country.base)
    account = country.accounts()["guardian"]
    enter(page, "a[href='/sign-in']")
    tab_to(page, "main [name=identifier]")
    page.keyboard.type(account.number)
    page.keyboard.press("Tab")
    page.keyboard.type(account.password)
    press_enter(page)
    assert page.url.endswith("/my")
    enter(page, "a[href='/services']")
    enter(page, "main a[href='/appointments/']")
    enter(page, "main a[href*='/find/gp/']")
    tab_to(page, "main input[name=q]")
    page.keyboard.type("Tiranë")
    press_enter(page)
    if not page.locator("main a[href*='/at/']").count():
        enter(page, "main a[href*='/near/']")
    enter(page, "main a[href*='/at/']")
    if not times(page).count():
        enter(page, "main a[href*='from=']")
    enter(page, "main button[name=time]")
    assert "/appointments/hold/" in page.url
    tab_to(page, "[name=person]")
    page.keyboard.press("Space")
    tab_to(page, "[name=reason]")
    page.keyboard.type("Kontroll")
    enter(page, "button[name=do][value=book]")
    page.wait_for_url(re.compile(r"/receipts/"))
    expect(page.locator("#receipt-status")).to_have_attribute("data-status", "received", timeout=20_000)


def enter(page: Page, selector: str) -> None:
    """Go to something with Tab and press Enter; wait for the page that it leads to."""
    tab_to(page, selector)
    press_enter(page)


def press_enter(page: Page) -> None:
    """Press Enter on what leads to another page."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def tab_to(page: Page, selector: str, limit: int = 120) -> None:
    """Press Tab until something that matches has the focus; the focus must show."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement && document.activeElement.matches(s)", selector):
            shown = page.evaluate(
                """() => { const e = document.activeElement, s = getComputedStyle(e);
                return s.outlineStyle !== 'none' || s.boxShadow !== 'none'
                    || s.backgroundColor !== 'rgba(0, 0, 0, 0)' }"""
            )
            assert shown, f"{selector} has the focus and does not show it"
            return
    raise AssertionError(f"the keyboard does not reach {selector} on {page.url}")


def test_the_page_turns_without_scripts(country: Country, new_context: Callable[..., BrowserContext]) -> None:
    """Chromium without JavaScript: booked, and the receipt page reloads itself until it says received."""
    page = new_context("en", 360, javascript=False).new_page()
    sign_in(page, country, "stranger")
    to_free_times(page, country, "gp")
    times(page).nth(1).click()
    page.locator("button[name=do][value=book]").click()
    page.wait_for_url(re.compile(r"/receipts/"))
    expect(page.locator("#receipt-status")).to_have_attribute("data-status", "received", timeout=20_000)


def test_sessions_are_ended_elsewhere_within_two_seconds(
    country: Country, new_context: Callable[..., BrowserContext]
) -> None:
    here = country.sign_in("neighbour4")
    page = new_context("en").new_page()
    sign_in(page, country, "neighbour4")
    listed = here.open("/my/sessions")
    others = [form for form in listed.forms if dict(form.fields).get("sid", "all") not in {"all", "others"}]
    assert others, "the list of sessions does not show the other one"
    here.submit(form=others[0])  # the newest
    page.wait_for_timeout(2_000)
    page.goto(f"{country.base}/my")
    assert "/sign-in" in page.url, "the other session still opens pages after two seconds"
    assert here.open("/my").path == "/my", "the session that ended the other one has ended too"
