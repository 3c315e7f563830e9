"""Passkeys and codes in a real browser with a virtual authenticator: both languages, phone and desk."""

import re
import time
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.country import Account, Country
from tests.test_booking_journey import fits

pytestmark = pytest.mark.browser

RUNS = [("sq", 360), ("en", 1280)]
ADDED = {"en": "The passkey is added", "sq": "Çelësi i hyrjes u shtua"}
REMOVED = {"en": "The passkey is removed", "sq": "Çelësi i hyrjes u hoq"}
CODES = {"en": "The codes from your phone count", "sq": "Kodet nga telefoni juaj vlejnë"}
NO_CODES = {"en": "No code is asked for any more", "sq": "Kodi nuk kërkohet më"}
WRONG_CODE = {"en": "That code is wrong", "sq": "Kodi është i gabuar"}
NOT_YOURS = {"en": "Not your own device", "sq": "Pajisje jo e juaja"}
FAILED = {"en": "That did not work", "sq": "Nuk funksionoi"}


def base_of(country: Country) -> str:
    """The country by its name: passkeys belong to a name, never to a number."""
    return f"http://localhost:{country.port}"


def authenticator(context: BrowserContext, page: Page, *, verified: bool = True) -> tuple[Any, str]:
    """A device with a fingerprint reader, made of software, that says yes."""
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    options |= {"hasUserVerification": True, "isUserVerified": verified, "automaticPresenceSimulation": True}
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, made["authenticatorId"]


def sign_in(page: Page, country: Country, account: Account) -> None:
    page.goto(f"{base_of(country)}/sign-in")
    page.locator("[name=identifier]").first.fill(account.number)
    page.locator("[name=password]").fill(account.password)
    page.locator("main button[type=submit]").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def sign_out(page: Page) -> None:
    page.locator("form[action='/sign-out'] button").click()
    page.wait_for_url(re.compile(r"/$"))


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run[0]}-{run[1]}")
def test_a_passkey_is_added_used_and_removed(
    country: Country, new_context: Callable[..., BrowserContext], run: tuple[str, int]
) -> None:
    language, width = run
    context = new_context(language, width)
    page = context.new_page()
    session, device = authenticator(context, page)
    sign_in(page, country, country.accounts()["stranger"])
    page.goto(f"{base_of(country)}/my")
    page.locator("main a[href='/my/security']").click()
    fits(page)
    page.locator("main a[href='/my/security/passkeys/new']").click()
    fits(page)
    page.locator("[name=name]").fill("Gishti im")
    page.locator("button[data-start]").click()
    page.wait_for_url(re.compile(r"done=passkey$"))
    expect(page.locator("main")).to_contain_text(ADDED[language])
    expect(page.locator("main")).to_contain_text("Gishti im")
    fits(page)
    sign_out(page)

    # Without typing anything
    page.goto(f"{base_of(country)}/sign-in?next=/my/sessions")
    fits(page)
    assert not page.locator("[data-failed]").is_visible()
    page.locator("button[data-start]").click()
    page.wait_for_url(lambda url: url.endswith("/my/sessions") and "/sign-in" not in url)
    fits(page)
    sign_out(page)

    # With the number typed, on a device that is not one's own
    page.goto(f"{base_of(country)}/sign-in")
    page.locator("form:not([data-passkey]) [name=identifier]").fill(country.accounts()["stranger"].number)
    page.locator("form:not([data-passkey]) [name=short]").check()
    page.locator("button[data-start]").click()
    page.wait_for_url(re.compile(r"/my$"))
    expect(page.locator(".kulla-short")).to_contain_text(NOT_YOURS[language])
    fits(page)
    page.goto(f"{base_of(country)}/my/security")
    assert not page.locator("main a[href='/my/security/passkeys/new']").count()
    sign_out(page)
    left = {cookie["name"] for cookie in context.cookies()}
    assert left <= {"csrftoken"}, f"something stayed on a device of others: {left}"

    # A device that is not the owner's: the page says that it did not work
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.goto(f"{base_of(country)}/sign-in")
    page.locator("button[data-start]").click()
    told = page.locator("[data-failed]:visible, .govuk-error-summary")
    expect(told).to_contain_text(re.compile(FAILED[language] + "|PIN"))
    # The owner comes back and tries again on the same page
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": True})
    page.locator("button[data-start]").click()
    page.wait_for_url(re.compile(r"/my$"))
    page.goto(f"{base_of(country)}/my/security")
    page.locator("main a[href^='/my/security/passkeys/']:not([href$=new])").click()
    fits(page)
    page.locator("button[value=remove]").click()
    page.wait_for_url(re.compile(r"done=passkey-removed"))
    expect(page.locator("main")).to_contain_text(REMOVED[language])
    sign_out(page)


def enter_code(page: Page, totp: pyotp.TOTP) -> None:
    """The code of now; of the next half minute when that was used already; else wait for one."""
    for step in (0, 1, 1, 1, 1):
        page.locator("[name=code]").fill(totp.at(int(time.time()) + 30 * step))
        page.locator("main button[type=submit]").click()
        page.wait_for_load_state()
        if not page.locator(".govuk-error-summary").count():
            return
        time.sleep(10 * step)
    raise AssertionError("no code is taken")


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run[0]}-{run[1]}")
def test_codes_are_added_asked_for_and_removed(
    country: Country, new_context: Callable[..., BrowserContext], run: tuple[str, int]
) -> None:
    language, width = run
    context = new_context(language, width, javascript=False)
    page = context.new_page()
    account = country.accounts()["stranger"]
    sign_in(page, country, account)
    page.goto(f"{base_of(country)}/my/security/codes")
    fits(page)
    secret = page.locator("main code").inner_text().replace(" ", "")
    totp = pyotp.TOTP(secret)
    page.locator("[name=code]").fill("000000" if totp.now() != "000000" else "000001")
    page.locator("main button[type=submit]").click()
    expect(page.locator("main")).to_contain_text(WRONG_CODE[language])
    assert page.locator("main code").inner_text().replace(" ", "") == secret, "the phone has it already"
    fits(page)
    enter_code(page, totp)
    expect(page.locator("main")).to_contain_text(CODES[language])
    sign_out(page)
    page.goto(f"{base_of(country)}/sign-in")
    page.locator("form:not([data-passkey]) [name=identifier]").fill(account.number)
    page.locator("[name=password]").fill(account.password)
    page.locator("main button[type=submit]").click()
    fits(page)
    enter_code(page, totp)
    page.wait_for_url(re.compile(r"/my$"))
    page.goto(f"{base_of(country)}/my/security/codes/remove")
    fits(page)
    page.locator("main button[type=submit]").click()
    expect(page.locator("main")).to_contain_text(NO_CODES[language])
