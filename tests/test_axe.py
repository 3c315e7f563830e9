"""No axe-core violation on any page, for anyone, in either language, on a phone and at a desk."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page

from tests import axe, journeys
from tests.country import Country
from tests.crawl import crawl
from tests.inhabitants import ROLES, been
from tests.person import Person

pytestmark = pytest.mark.browser

WHO = ["anonymous", "assisted", *ROLES]


@pytest.fixture(scope="module")
def people(country: Country, inhabitants: dict[str, Person]) -> dict[str, Person]:
    """A browser for each role, after something has happened."""
    citizen = inhabitants["citizen"]
    if not journeys.my_appointments(citizen):
        journeys.wait_received(citizen, journeys.book(citizen, "paediatrics", ward=True))
    return {**inhabitants, "anonymous": country.visitor()}


def visit(context: BrowserContext, country: Country, person: Person) -> Page:
    """A tab of the browser with this person's cookies."""
    context.add_cookies(
        [{"name": name, "value": value, "url": country.base} for name, value in person.cookies.items()]
    )
    return context.new_page()


def test_axe_finds_a_fault_that_is_there(new_context: Callable[..., BrowserContext]) -> None:
    """The control: a picture without text must be found, or the tests below mean nothing."""
    page = new_context().new_page()
    page.set_content("<html lang=en><title>x</title><main><h1>x</h1><img src='data:,'></main></html>")
    assert any(line.startswith("image-alt") for line in axe.violations(page))


@pytest.mark.parametrize("language", ["sq", "en"])
@pytest.mark.parametrize("who", WHO)
def test_no_violations(
    who: str,
    language: str,
    country: Country,
    people: dict[str, Person],
    new_context: Callable[..., BrowserContext],
) -> None:
    person = people[who]
    person.cookies["language"] = language
    addresses = [
        url
        for url, page in crawl(person, "/", *been(person), each=1).items()
        if page.kind == "text/html" and not urlsplit(url).path.startswith("/demo/")
    ] + ([f"{country.base}/demo/thief", f"{country.base}/does-not-exist"] if who == "anonymous" else [])
    assert len(addresses) >= 5
    page = visit(new_context(language, 360 if language == "sq" else 1280), country, person)
    faults = []
    for address in addresses:
        page.goto(address)
        faults += [f"{address}: {fault}" for fault in axe.violations(page)]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            faults.append(f"{address}: {wide} pixels wider than the window")
    assert not faults, "\n".join(faults)


def test_no_violations_on_forms_with_errors(
    country: Country, people: dict[str, Person], new_context: Callable[..., BrowserContext]
) -> None:
    page = visit(new_context("en", 360), country, people["anonymous"])
    page.goto(f"{country.base}/sign-in")
    page.locator("main button[type=submit]").click()
    assert page.locator(".govuk-error-summary").count() == 1
    assert axe.violations(page) == []
    first = page.locator(".govuk-error-summary a").first
    target = first.get_attribute("href")
    first.click()
    assert page.evaluate("document.activeElement.id") == str(target).removeprefix("#")
