"""The rules that hold for every service and every page, those of tomorrow included.

Parametrised over the URL patterns and the registry: a new folder under services/ is held to all of it the day
it arrives.
"""

import inspect
import json
import random
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.utils.translation import override

from kulla.record.undoing.about import NotUndoable
from kulla.registry import services
from kulla.registry.access import rule_of
from tests import journeys
from tests.country import Country, clean_env
from tests.crawl import crawl
from tests.inhabitants import ROLES, been
from tests.person import Page, Person

QUERY_BUDGET = 8  # SQL statements a page may take; the pages of today need six at most
EXAMPLES = {
    "UUIDConverter": str(uuid.UUID(int=7, version=4)),
    "IntConverter": "1",
    "SlugConverter": "gp",
    "StringConverter": "2026-11-21",
}


def _patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, route)
        else:
            path = route
            for name, converter in entry.pattern.converters.items():
                path = re.sub(rf"<(\w+:)?{name}>", EXAMPLES[type(converter).__name__], path)
            yield "/" + path, entry


PATTERNS = dict(_patterns(get_resolver()))
SERVICES = services.all_services()


@pytest.mark.parametrize("path", PATTERNS)
def test_each_view_states_who_may_enter(path: str) -> None:
    assert rule_of(PATTERNS[path].callback) is not None, f"{path} does not state who may enter"


def test_a_page_is_found_for_each_service() -> None:
    assert SERVICES
    for service in SERVICES:
        assert rule_of(resolve(service.start).func) is not None


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.slug)
def test_titles_stand_in_every_language(service: services.Service) -> None:
    texts = {"title": service.title, "summary": service.summary, **service.kinds}
    for name, notices in service.notices.items():
        for code, _ in settings.LANGUAGES:
            assert notices[code]["subject"].strip() and notices[code]["body"].strip(), f"{name} in {code}"
    for name, text in texts.items():
        said = [text[code] for code, _ in settings.LANGUAGES]
        assert all(part.strip() for part in said), f"{name} is silent in one language"
        assert len(set(said)) == len(said), f"{name} says the same in every language: {said}"


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.slug)
def test_each_act_says_how_it_is_answered_after_an_attack(service: services.Service) -> None:
    """Whatever an action records can be undone by an entry of a declared kind, or says why it cannot."""
    missing = service.kinds.keys() - service.undo.keys()
    assert not missing, f"{service.slug}/service.py does not say in `undo` how {sorted(missing)} are answered"
    assert service.undo.keys() == service.kinds.keys(), "an undo of a kind that nobody records"
    for kind, how in service.undo.items():
        if isinstance(how, NotUndoable):
            assert re.fullmatch(r"\S.{15,}\.", how.reason), (
                f"{kind}: say in a sentence why it cannot be undone"
            )
            continue
        assert how.kind in service.kinds, (
            f"{kind} is answered by {how.kind}, which {service.slug} does not declare"
        )
        answer = services.load(how.answer)
        assert callable(answer) and answer.__module__.startswith(f"kulla.services.{service.slug}.")
        assert list(inspect.signature(answer).parameters) == ["act", "opened"], f"{how.answer}(act, opened)"


@pytest.mark.parametrize("path", PATTERNS)
def test_strangers_are_kept_out(path: str, country: Country, signed_in: dict[str, Person]) -> None:
    """Not signed in: to the sign-in page and back. Signed in with another role: the page does not exist."""
    rule = rule_of(PATTERNS[path].callback)
    assert rule is not None
    anonymous = country.visitor()
    answer = anonymous.open(path, follow=False)
    if rule.roles is None:
        assert answer.status in {200, 302, 303, 404, 405}, f"{path} answers {answer.status}"
        assert "/sign-in" not in answer.headers.get("Location", "") or path == "/appointments/book/"
        return
    assert answer.status == 302, f"{path} is open to everyone: {answer.status}"
    assert urlsplit(answer.headers["Location"]).path == "/sign-in"
    for role, person in signed_in.items():
        if role not in rule.roles:
            assert person.open(path, follow=False).status == 404, f"{path} is open to the role {role}"


@pytest.fixture(scope="module")
def signed_in(inhabitants: dict[str, Person]) -> dict[str, Person]:
    """A browser for each role."""
    return {role: inhabitants[role] for role in ROLES}


@pytest.fixture(scope="module")
def lived_in(
    country: Country, inhabitants: dict[str, Person], signed_in: dict[str, Person]
) -> dict[str, dict[str, Page]]:
    """Something of everything has happened; every page that each role can reach is visited."""
    citizen, clerk = signed_in["citizen"], signed_in["receptionist"]
    receipt = journeys.book(citizen, "orthopaedics", reason="Dhimbje gjuri")
    journeys.wait_received(citizen, receipt)
    second = journeys.wait_received(citizen, journeys.book(citizen, "paediatrics", ward=True))
    journeys.wait_received(citizen, journeys.cancel(citizen, second))
    journeys.hold_a_time(citizen, "neurology")
    journeys.phone_book(clerk, country.accounts()["neighbour1"].number, reason="Telefonatë")
    country.db.settle()
    late = country.visitor()  # chooses first and signs in then
    _page, times = journeys.free_times(late, "ent")
    journeys.choose(late, times[0])
    account = country.accounts()["citizen"]
    late.submit(having="password", identifier=account.number, password=account.password)
    citizen.seen += late.seen
    everyone = {**inhabitants, "anonymous": country.visitor()}
    pages = {}
    for role, person in everyone.items():
        pages[role] = crawl(person, "/", *been(person), broken=BROKEN)
    return pages


BROKEN: list[str] = []  # filled by the visits


def test_no_link_leads_nowhere(lived_in: dict[str, dict[str, Page]]) -> None:
    """Whatever a page offers to a visitor exists for this visitor."""
    assert all(len(pages) >= 10 for pages in lived_in.values()), {who: len(p) for who, p in lived_in.items()}
    assert not BROKEN, "\n".join(BROKEN)


def test_every_page_is_reached_by_links(
    signed_in: dict[str, Person], lived_in: dict[str, dict[str, Page]]
) -> None:
    """What no link reaches nobody finds, and the tests that visit every page would miss it."""
    reached = {resolve(urlsplit(url).path).route for pages in lived_in.values() for url in pages}
    missing = []
    for path, entry in PATTERNS.items():
        if (route := resolve(path).route) in reached or route in NOT_LINKED:
            continue
        rule = rule_of(entry.callback)
        assert rule is not None
        roles = rule.roles or {"citizen"}
        if all(signed_in[role].open(path, follow=False).status != 405 for role in roles if role in signed_in):
            missing.append(route)  # 405: an address that takes forms only
    assert not missing, f"no link leads to {missing}"


# Routes that no page shows as a page; each with its reason.
NOT_LINKED = {
    "activate/code": "a step of the activation; visited in test_people.py",
    "activate/password": "the last step of activation and recovery; visited in test_people.py",
    "recover/prove": "a step of recovery; visited in test_people.py",
    "not-me/<str:token>": "the address in a message; visited in test_people.py",
    "offices/my-roles/offer": "the answer to the code of an offer; visited in test_people.py",
    "my/security/confirm": "the password once more, after half an hour; visited in the area's own tests",
    "my/security/passkeys/<str:mark>": "of who has a passkey; visited in test_passkeys.py",
    "language": "a choice, not a page: it leads back at once",
    "appointments/book/": "the answer to the booking form; leads on when it is asked for",
    "receipts/<uuid:uuid>/status": "a part of the receipt page, asked for by its script",
    "receipts/<uuid:uuid>/receipt.txt": "the proof under its plainer name",
    "demo/enter/<str:who>": "printed in the terminal",
    "demo/wiped": "the report of a wipe; visited in test_wipe_and_thief.py",
    "demo/thief/loot.zip": "a download; fetched in test_wipe_and_thief.py",
}


PUBLIC_IDS = {"practitioner", "office"}  # anyone may know them


def test_each_object_has_one_owner(country: Country, lived_in: dict[str, dict[str, Page]]) -> None:
    """Every address with an id that a citizen sees does not exist for another citizen, nor for a clerk elsewhere."""
    stranger = country.sign_in("stranger")
    tried = 0
    for url in lived_in["citizen"]:
        path = urlsplit(url).path
        match = resolve(path)
        rule = rule_of(match.func)
        ids = {name for name, value in match.kwargs.items() if isinstance(value, uuid.UUID)}
        if rule is None or rule.roles is None or not ids - PUBLIC_IDS:
            continue
        assert stranger.open(path, follow=False).status == 404, f"a stranger opens {path}"
        assert country.visitor().open(path, follow=False).status == 302, f"anyone opens {path}"
        tried += 1
    assert tried >= 4, "the citizen has no pages of her own: the test looked at nothing"


VISITORS = ["anonymous", "assisted", *ROLES]


@pytest.mark.parametrize("role", VISITORS)
def test_pages_work_without_scripts(role: str, lived_in: dict[str, dict[str, Page]]) -> None:
    """Whatever a script does, a form or a link does too."""
    for url, page in lived_in[role].items():
        if page.kind != "text/html":
            continue
        assert not re.search(r'href="(#"|javascript:)', page.html), f"{url}: a link that needs a script"
        assert not re.search(r"\son[a-z]+=", page.html), f"{url}: an inline script"
        for address in re.findall(r'hx-(?:get|post)="([^"]+)"', page.html):
            assert (
                address.split("?")[0] in page.html.replace(f'hx-get="{address}"', "")
                or "http-equiv" in page.html
            ), f"{url}: {address} is reached by a script only"
        assert re.search(r'<html[^>]* lang="(sq|en)"', page.html), f"{url} does not say its language"
        assert page.title and "<h1" in page.html, f"{url} has no title or no heading"


@pytest.mark.parametrize("role", VISITORS)
def test_each_page_has_a_query_budget(
    role: str, country: Country, signed_in: dict[str, Person], lived_in: dict[str, dict[str, Page]]
) -> None:
    person = signed_in.get(role) or country.visitor()
    asked = {"cookies": person.cookies, "paths": [url.removeprefix(country.base) for url in lived_in[role]]}
    from kulla.cli.home import open_home

    done = subprocess.run(
        [sys.executable, "-m", "tests.count_queries"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
        env={**clean_env(), **open_home(country.home).environment(), "KULLA_SEQUENCER": "0"},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    counted: dict[str, list[int]] = json.loads(done.stdout)
    assert counted
    for path, (status, queries) in counted.items():
        assert status in {200, 302}, f"{path} answers {status} in the counting process"
        assert queries <= QUERY_BUDGET, f"{path} takes {queries} SQL statements; the budget is {QUERY_BUDGET}"


@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
def test_every_entry_kind_has_a_title_on_its_receipt(language: str) -> None:
    with override(language):
        assert services.kinds()
        for kind, (_, titles) in services.kinds().items():
            assert titles[language], f"{kind} has no title in {language}"


def test_each_action_records_exactly_one_entry(country: Country, signed_in: dict[str, Person]) -> None:
    chance = random.Random(3)
    stranger = country.sign_in("stranger")
    before = country.db.entries()
    receipt = journeys.book(stranger, "laboratory", reason="Analiza", chance=chance)
    after = country.db.entries()
    assert len(after - before) == 1, "booking recorded more or less than one entry"
    assert {journeys.receipt_id(receipt)} == {entry for entry, _ in after - before}
    journeys.wait_received(stranger, receipt)
    before = country.db.entries()
    cancelled = journeys.cancel(stranger, receipt)
    after = country.db.entries()
    assert [kind for _, kind in after - before] == ["appointment.cancelled"]
    journeys.wait_received(stranger, cancelled)
