"""No page says received or booked before two mirrors have signed: looked for on every page of everyone concerned."""

import re
from collections.abc import Callable

import pytest

from tests import journeys
from tests.country import Country
from tests.crawl import crawl, name_of
from tests.person import Page

# What pages may say only of what is received; "not yet confirmed" and its kin are what they say before.
WORDS = re.compile(
    r"(?<!not )\b(received|booked|confirmed|placed|paid)\b|u pranua|është pranuar|u rezervua|i rezervuar|u konfirmua",
    re.IGNORECASE,
)
# Said about other things: what Kulla promises, states in lists of rules, the times that nobody else has.
INFORMATION = {
    "about",
    "verify",
    "privacy",
    "accessibility",
    "front",
    "status",
    "services",
    "demo-thief",
    "operator",
}
NEGATIONS = re.compile(
    r"not yet (been )?confirmed|not booked|will be (booked|received)|until it is (received|confirmed)|"
    r"once it is (confirmed|received)|ende (nuk|e pa)\w*( \w+){0,3}|pa konfirmuar",
    re.IGNORECASE,
)


def claims(page: Page) -> list[str]:
    """The words on a page that claim a receipt, each with what stands around it."""
    text = NEGATIONS.sub(" ", f"{page.title} {page.main}" if page.main else page.text)
    return [text[max(0, found.start() - 60) : found.end() + 40] for found in WORDS.finditer(text)]


@pytest.mark.parametrize("language", ["sq", "en"])
def test_nothing_is_called_received_before_it_is(make_country: Callable[..., Country], language: str) -> None:
    country = make_country().up()
    citizen, clerk = country.sign_in("citizen", language), country.sign_in("clerk", language)
    diary = journeys.open_all_day(clerk).rsplit("/", 2)[-2]
    country.db.settle()
    number = country.accounts()["neighbour1"].number
    asleep = [country.freeze("mirror 1"), country.freeze("mirror 2")]
    receipt = journeys.book(citizen, "gp")
    pages = [receipt, citizen.open(f"{receipt.url}status")]
    pages += crawl(citizen, "/my", receipt.url, each=3).values()
    said = [
        f"{page.url}: {claim}"
        for page in pages
        if name_of(page.path) not in INFORMATION
        for claim in claims(page)
    ]
    assert len(pages) > 8
    assert not said, "\n".join(said)
    clerks = crawl(clerk, "/reception/", each=3)
    said = [
        f"{url}: {claim}"
        for url, page in clerks.items()
        if name_of(page.path) not in INFORMATION
        for claim in claims(page)
    ]
    assert not said, "\n".join(said)
    for path in ("receipt.tlog-proof", "receipt.pdf"):
        assert citizen.open(f"{receipt.url}{path}").status in {404, 409}, f"{path} is given before it exists"
    for pid in asleep:
        country.thaw(pid)
    page = journeys.wait_received(citizen, receipt)
    assert claims(page), "the control: once received, the page says so and the search finds it"
    journeys.phone_book(clerk, number, practitioner=diary)
