"""Visits every page that a visitor can reach by following links, a few of each kind."""

from collections import Counter, deque
from urllib.parse import urldefrag, urljoin, urlsplit

from django.urls import Resolver404, resolve

from tests.person import Page, Person

EACH = 2  # pages of one kind (one URL name) that are looked at
LIMIT = 150
NOT_FOLLOWED = ("/language", "/static/", "/demo/enter", "/demo/thief/loot.zip")


def name_of(path: str) -> str:
    """The name of the URL pattern that serves `path`; the path itself when none does."""
    try:
        return resolve(path).view_name or path
    except Resolver404:
        return path


def crawl(person: Person, *starts: str, each: int = EACH, broken: list[str] | None = None) -> dict[str, Page]:
    """Every page reached from `starts` by links: address -> page. Links that lead nowhere go into `broken`."""
    seen: dict[str, Page] = {}
    count: Counter[str] = Counter()
    waiting = deque((start, "") for start in (starts or ("/",)))
    asked: set[str] = set()
    while waiting and len(seen) < LIMIT:
        address, came_from = waiting.popleft()
        url = urldefrag(urljoin(person.base, address)).url
        parts = urlsplit(url)
        if (
            parts.netloc != urlsplit(person.base).netloc
            or parts.path.startswith(NOT_FOLLOWED)
            or url in asked
        ):
            continue
        name = name_of(parts.path)
        if count[name] >= each:
            continue
        asked.add(url)
        person.page = None
        page = person.open(url)
        if page.status != 200:
            if broken is not None and came_from:
                broken.append(f"the link to {url} on {came_from} answers {page.status}")
            continue
        seen[url] = page
        count[name] += 1
        if page.kind == "text/html":
            waiting.extend((urljoin(page.url, href), url) for href, _ in page.links)
    return seen
