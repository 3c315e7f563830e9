"""Fixtures of the tests that span rooms: a running country, countries of one's own, and a real browser."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.country import Country, remove, short_folder
from tests.inhabitants import arrive
from tests.person import Person
from tests.postgres import Server

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ENGINE = os.environ["KULLA_TEST_ENGINE"]


@pytest.fixture(scope="session")
def country() -> Iterator[Country]:
    """A running country of 60 people that tests share: they may book and cancel, and break nothing."""
    folder = short_folder()
    shared = Country.create(folder)
    try:
        yield shared.up()
        shared.stop()
    finally:
        shared.kill_all()
        remove(folder)


@pytest.fixture(scope="session")
def inhabitants(country: Country) -> dict[str, Person]:
    """A browser for each role of the shared country, with something waiting on every page."""
    return arrive(country)


@pytest.fixture(scope="module", params=["sq", "en"] if ENGINE == "sqlite" else ["sq"])
def language(request: pytest.FixtureRequest) -> str:
    """The language of everyone's pages."""
    return str(request.param)


@pytest.fixture(scope="module")
def place(language: str) -> Iterator[Country]:
    """A country for all journeys in one language; in the PostgreSQL stage on a PostgreSQL of its own."""
    folder = short_folder()
    server, env = _database()
    try:
        made = Country.create(folder, env=env)
        try:
            yield made.up()
            made.stop()
        finally:
            made.kill_all()
    finally:
        if server:
            server.stop()
        remove(folder)


def _database() -> tuple[Server | None, dict[str, str]]:
    """A new server where this stage needs one, and what a country is told of it."""
    if ENGINE != "postgresql":
        return None, {}
    server = Server().start()
    server.psql("CREATE DATABASE kulla")
    return server, {"KULLA_DATABASE_URL": server.url("kulla")}


@pytest.fixture(scope="module")
def enter(place: Country, language: str) -> Callable[[str], Person]:
    """Signs in each member of the cast once."""
    inside: dict[str, Person] = {}

    def sign_in(who: str) -> Person:
        if who not in inside:
            inside[who] = place.sign_in(who, language)
        return inside[who]

    return sign_in


@pytest.fixture
def make_country() -> Iterator[Callable[..., Country]]:
    """Makes countries for one test that may break them; each is ended and deleted after the test.

    In the PostgreSQL stage they stand on a PostgreSQL of their own.
    """
    made: list[tuple[Country, Path, Server | None]] = []

    def make(people: int = 40, seed: int = 7, **env: str) -> Country:
        folder = short_folder()
        server, database = _database()
        new = Country.create(folder, people=people, seed=seed, env=env | database)
        made.append((new, folder, server))
        return new

    yield make
    for one, folder, server in made:
        one.kill_all()
        if server:
            server.stop()
        remove(folder)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless, that talks to loopback only."""
    if not Path(CHROMIUM).exists():
        pytest.fail("Chromium is missing. Install it with: apt-get install -y chromium", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def new_context(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser contexts (own cookies) in a language and width; fails the test on any page's script error."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def make(
        language: str = "en", width: int = 1280, height: int = 900, *, javascript: bool = True
    ) -> BrowserContext:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            locale="sq-AL" if language == "sq" else "en-GB",
            timezone_id="Europe/Tirane",
            java_script_enabled=javascript,
            accept_downloads=True,
        )
        context.set_default_timeout(10_000)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert not errors, f"scripts on the pages failed: {errors}"
