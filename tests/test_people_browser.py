"""The journeys of people in Chromium: the pages between two forms, which no crawl reaches, looked at step by step.

Each step is checked with axe, in Albanian on a telephone and in English at a desk, and for its width on both.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests import acts, axe, telephone
from tests.country import Country, next_code
from tests.test_booking_journey import fits

pytestmark = pytest.mark.browser

WIDTHS = (1280, 360)
RUNS = [("sq", 360), ("en", 1280)]
Context = Callable[..., BrowserContext]


def look(page: Page) -> None:
    """The page as it stands has no fault that axe finds, fits on a telephone and at a desk, and is no error page."""
    page.wait_for_load_state()
    assert page.locator("main h1").count() == 1, page.url
    found = axe.violations(page)
    assert not found, f"{page.url}: {found}"
    own = page.viewport_size
    assert own is not None
    for width in WIDTHS:  # the other one too: words are longer in one language, columns narrower at one width
        page.set_viewport_size({"width": width, "height": own["height"]})
        fits(page)
    page.set_viewport_size(own)


def press(page: Page, selector: str = "main form button[type=submit]") -> None:
    """Press a button that leads on, and look at what comes."""
    with page.expect_navigation():
        page.locator(selector).first.click()
    look(page)


def opened(context: BrowserContext, country: Country, language: str) -> Page:
    """A page of this language."""
    context.add_cookies([{"name": "language", "value": language, "url": country.base}])
    return context.new_page()


def enter(page: Page, country: Country, who: str) -> None:
    """Sign in by the form, with the code of an app where it is asked for."""
    account = country.accounts()[who]
    page.goto(f"{country.base}/sign-in")
    page.locator("main [name=identifier]:visible").fill(account.identifier)
    page.locator("[name=password]").fill(account.password)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_load_state()
    if page.locator("[name=code]").count():
        page.locator("[name=code]").fill(next_code(account.totp_secret))
        page.locator("main button[type=submit]").first.click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run[0]}-{run[1]}")
def test_activation_this_was_not_me_and_a_letter(
    make_country: Callable[..., Country], new_context: Context, run: tuple[str, int]
) -> None:
    language, width = run
    country = make_country().up()
    account = country.accounts()["newcomer"]
    page = opened(new_context(language, width), country, language)
    page.goto(f"{country.base}/sign-in")
    with page.expect_navigation():
        page.locator("main a[href='/activate']").click()
    press(page)  # empty: the error summary
    page.locator("[name=identifier]").fill(account.number)
    press(page)
    page.locator("[name=code]").fill("000000")
    press(page)
    page.locator("[name=code]").fill(telephone.code(country, "newcomer"))
    press(page)
    for password in ("123", acts.PASSWORD):
        page.locator("[name=password]").fill(password)
        page.locator("[name=again]").fill(password)
        press(page)
    assert "/my" in page.url
    link = re.search(r"/not-me/[^\s.]+", telephone.wait_for(country, "newcomer", "/not-me/"))
    assert link
    page.goto(country.base + link[0])
    look(page)
    press(page)

    desk = opened(new_context(language, width), country, language)
    enter(desk, country, "clerk")
    desk.goto(f"{country.base}/counter/account/")
    desk.locator("[name=identifier]").fill(account.number)
    press(desk)
    desk.locator("[name=document]").first.check()
    press(desk)
    code = desk.locator(".kulla-code").inner_text()
    page.goto(f"{country.base}/activate/letter")
    page.locator("[name=identifier]").fill(account.number)
    page.locator("[name=letter]").fill(code)
    press(page)
    page.locator("[name=password]").fill(acts.PASSWORD + "!")
    page.locator("[name=again]").fill(acts.PASSWORD + "!")
    press(page)
    assert "/my" in page.url

    other = opened(new_context(language, width), country, language)
    other.goto(f"{country.base}/recover")
    other.locator("[name=identifier]").fill(country.accounts()["carer"].number)
    other.locator("[name=lost][value=password]").check()
    press(other)
    other.locator("[name=phone_code]").fill(telephone.code(country, "carer"))
    press(other)
    expect(other.locator("[name=again]")).to_be_visible()


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run[0]}-{run[1]}")
def test_the_counter_and_the_second_official(
    make_country: Callable[..., Country], new_context: Context, run: tuple[str, int]
) -> None:
    """A person without telephone signs before a second official; a role and a representative take two."""
    language, width = run
    country = make_country().up()
    accounts = country.accounts()
    clerk = opened(new_context(language, width), country, language)
    enter(clerk, country, "clerk")
    clerk.goto(f"{country.base}/counter/")
    press(clerk)
    clerk.locator("main [name=identifier]").fill(accounts["offline"].number)
    press(clerk)
    visit = clerk.url
    clerk.goto(f"{visit}signature")
    look(clerk)
    press(clerk, "button[name=ask], main form button[type=submit]")
    colleague = opened(new_context(language, width), country, language)
    enter(colleague, country, "colleague")
    colleague.goto(f"{country.base}/decisions")
    look(colleague)
    press(colleague, "main .kulla-item__head a")
    colleague.locator("[name=answer][value=yes]").check()
    press(colleague)
    expect(clerk.locator("button[name=begin]")).to_be_visible(
        timeout=20_000
    )  # the page looks again by itself
    press(clerk, "button[name=begin]")
    expect(clerk.locator("body")).to_contain_text(accounts["offline"].name)
    for path in ("/my/family", "/my/looks", "/my/data", "/counter/finish"):
        clerk.goto(country.base + path)
        look(clerk)
    press(clerk, "form[action='/counter/end'] button")

    admin = opened(new_context(language, width), country, language)
    enter(admin, country, "admin")
    admin.goto(f"{country.base}/offices/admin/{accounts['clerk'].office}/offer")
    admin.locator("[name=role][value=registrar]").check()
    admin.locator("[name=identifier]").fill(accounts["stranger"].number)
    press(admin)
    stranger = opened(new_context(language, width), country, language)
    enter(stranger, country, "stranger")
    stranger.goto(f"{country.base}/offices/my-roles")
    stranger.locator("main [name=code]").fill(admin.locator(".kulla-code").inner_text())
    press(stranger)
    stranger.goto(f"{country.base}/my/family/representative")
    stranger.locator("[name=scopes]").first.check()
    until = acts.today().replace(day=1, month=1, year=acts.today().year + 1)
    for part, value in enumerate((until.day, until.month, until.year)):
        stranger.locator(f"[name=until_{part}]").fill(str(value))
    press(stranger)
    code = acts.MANDATE_CODE.search(stranger.locator("main").inner_text())
    assert code
    other = opened(new_context(language, width), country, language)
    enter(other, country, "representative")
    other.goto(f"{country.base}/my/family/represent")
    other.locator("[name=code]").fill(code[0])
    press(other)
    press(other, "button[value=accept]")
    stranger.goto(f"{country.base}/my/family")
    press(stranger, "main a[href*='/my/family/representative/']")
    press(stranger, "button[value=confirm]")
