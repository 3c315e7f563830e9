"""Visitors who do what no page asks for: any method, odd letters in every field, others' addresses, borrowed links.

Over every address and every form that the roles can reach, so that a new page is covered by being there.
"""

import re
import uuid
from collections.abc import Iterator
from urllib.parse import quote, urljoin, urlsplit

import pytest

from tests.country import Country
from tests.crawl import crawl, name_of
from tests.inhabitants import ROLES, been
from tests.person import Form, Page, Person
from tests.test_services_contract import PATTERNS

WHO = ["anonymous", *ROLES]
ODD = {
    "letters": "Ëç ñ Ж Ω 漢 👩‍👩‍👧 e\u0301\u0301\u0301 \u202egnp.exe \ufeff",
    "long": "ë" * 5000,
    "markup": "<script>alert(1)</script>{{7*7}}%s$x'\";--",
    "numbers": "-99999999999999999999999",
    "lines": "a\r\nb\x0bc\u2028d",
}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NEVER = ("/demo/", "/sign-out", "/language")  # the demo's own buttons; what would end the visit
HELD = {
    "password",
    "new",
    "again",
    "old",
    "code",
    "pin",
    "pin_again",
    "csrfmiddlewaretoken",
}  # secrets are not given back


@pytest.fixture(scope="module")
def pages(country: Country, inhabitants: dict[str, Person]) -> dict[str, dict[str, Page]]:
    """What each role can see."""
    people = {"anonymous": country.visitor(), **{role: inhabitants[role] for role in ROLES}}
    return {who: crawl(person, "/", *been(person)) for who, person in people.items()}


@pytest.fixture(params=WHO)
def who(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def visitor(who: str, country: Country, inhabitants: dict[str, Person]) -> Person:
    return country.visitor() if who == "anonymous" else inhabitants[who]


def addresses() -> Iterator[str]:
    """Every address of the portal with something in its gaps that is not there."""
    for path in PATTERNS:
        if not path.startswith(NEVER):
            yield path


def test_any_method_at_any_address_is_answered(
    who: str, country: Country, inhabitants: dict[str, Person]
) -> None:
    person = visitor(who, country, inhabitants)
    bad = []
    for path in addresses():
        for method in ("HEAD", "OPTIONS", "PUT", "DELETE"):
            status = person._once(method, urljoin(person.base, path), None, None).status
            if status >= 500:
                bad.append((method, path, status))
    assert bad == []


def test_a_form_without_its_token_changes_nothing(
    who: str, country: Country, inhabitants: dict[str, Person]
) -> None:
    """Whatever another site makes this visitor's browser send is refused before a view sees it."""
    person = visitor(who, country, inhabitants)
    bad = []
    for path in addresses():
        answer = person.post(
            path, [("a", "b"), ("do", "accept"), ("csrfmiddlewaretoken", "x" * 64)], follow=False
        )
        if answer.status != 403:
            bad.append((path, answer.status, answer.headers.get("Location", "")))
    assert bad == []


def odd_forms(pages: dict[str, Page]) -> Iterator[tuple[str, Form]]:
    seen = set()
    for url, page in pages.items():
        if page.kind != "text/html":
            continue
        for form in page.forms:
            target = urlsplit(urljoin(url, form.action or url)).path
            key = (name_of(target), form.method, tuple(sorted(form.names())))
            if key not in seen and not target.startswith(NEVER):
                seen.add(key)
                yield url, form


@pytest.mark.parametrize("kind", ODD)
def test_odd_letters_in_every_field_are_answered_plainly(
    who: str, kind: str, country: Country, inhabitants: dict[str, Person], pages: dict[str, dict[str, Page]]
) -> None:
    person = visitor(who, country, inhabitants)
    bad, sent = [], 0
    for url, _ in odd_forms(pages[who]):
        page = person.open(url)
        if page.kind != "text/html":
            continue
        for form in page.forms:
            target = urlsplit(urljoin(url, form.action or url)).path
            texts = [
                name
                for name, how in form.kinds.items()
                if how not in {"radio", "checkbox", "select", "hidden", "file", "submit"}
                and name not in form.choices
            ]
            if target.startswith(NEVER) or not texts:
                continue
            sent += 1
            person.page = page
            answer = person.submit(form=form, **dict.fromkeys(texts, ODD[kind]))
            if answer.status >= 500 and answer.status != 503:
                bad.append((url, answer.status))
            if kind == "letters" and answer.status == 422:
                again = [form for form in answer.forms if set(texts) <= form.names()]
                kept = dict(again[0].fields) if again else {}
                gone = [name for name in texts if name not in HELD and "Ж" not in kept.get(name, "")]
                if gone:
                    bad.append((url, "what was typed is gone", gone))
            if kind == "markup":
                assert "<script>alert(1)" not in answer.html, url
                assert "49%s" not in answer.html, url
    assert bad == []
    assert sent >= 1


def test_hidden_fields_and_choices_may_be_anything(
    who: str, country: Country, inhabitants: dict[str, Person], pages: dict[str, dict[str, Page]]
) -> None:
    """A program need not send what the page offered: each field in turn is something else, or missing."""
    person = visitor(who, country, inhabitants)
    others = {each for role in ROLES if role != who for url in pages[role] for each in UUID.findall(url)}
    theirs = sorted(others - {each for url in pages[who] for each in UUID.findall(url)})[:2]
    bad = []
    for url, _ in odd_forms(pages[who]):
        page = person.open(url)
        for form in page.forms if page.kind == "text/html" else ():
            target = urljoin(url, form.action or url)
            if form.method != "post" or urlsplit(target).path.startswith(NEVER):
                continue
            for name in sorted(form.names() - {"csrfmiddlewaretoken"}):
                for value in (None, "x" * 300, str(uuid.uuid4()), "-1", *theirs):
                    pairs = [(k, v) for k, v in form.fields if k != name]
                    pairs += [(name, value)] if value is not None else []
                    answer = person.post(target, pairs, follow=False)
                    if answer.status >= 500 and answer.status != 503:
                        bad.append((url, name, value, answer.status))
    assert bad == []


@pytest.mark.parametrize("stranger_is", ["neighbour2", "clerk2"])
def test_others_things_do_not_exist(
    stranger_is: str, country: Country, inhabitants: dict[str, Person], pages: dict[str, dict[str, Page]]
) -> None:
    """Every address with an id that somebody else has seen answers a stranger as one with an id that nobody has."""
    stranger = country.sign_in(stranger_is)
    own = crawl(stranger, "/my", "/my/data", "/my/family", "/staff/")
    bad, looked = [], 0
    for role in ROLES:
        for url in pages[role]:
            path = urlsplit(url).path
            ids = UUID.findall(path)
            if not ids or url in own or name_of(path) in PUBLIC:
                continue
            looked += 1
            nobody = UUID.sub(lambda _: str(uuid.uuid4()), path)
            theirs, none = stranger.open(path, follow=False), stranger.open(nobody, follow=False)
            if theirs.status != none.status or theirs.status == 200:
                bad.append((role, path, theirs.status, none.status))
    assert bad == []
    assert looked > 10


PUBLIC = {
    "office",
    "office-page",
    "appointments:office",
    "appointments:near",
    "appointments:at",
    "offices-one",
}


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "https://evil.example/my",
        "javascript:alert(1)",
        "/%2F/evil.example",
        "\t//evil.example",
        "/my\r\nSet-Cookie: a=b",
        "data:text/html,x",
        "////evil.example",
        "/.//evil.example",
    ],
)
def test_nobody_is_sent_away_after_signing_in(country: Country, target: str) -> None:
    person = country.visitor()
    person.open(f"/sign-in?next={quote(target)}")
    account = country.accounts()["neighbour3"]
    answer = person.submit(
        having="password", identifier=account.identifier, password=account.password, follow=False
    )
    assert answer.status in {302, 303}, answer.text[:300]
    there = urljoin(person.base, answer.headers["Location"])
    assert urlsplit(there).netloc == person.host, answer.headers["Location"]
    assert "Set-Cookie: a=b" not in str(answer.headers)
    switched = person.open(f"/language?to=en&back={quote(target)}", follow=False)
    assert urlsplit(urljoin(person.base, switched.headers.get("Location", "/"))).netloc == person.host


def test_on_a_borrowed_phone_no_page_is_kept(country: Country) -> None:
    person = country.visitor()
    person.open("/sign-in")
    account = country.accounts()["neighbour4"]
    person.submit(having="password", identifier=account.identifier, password=account.password, short="on")
    own = [page for url, page in crawl(person, "/my", "/my/data", "/my/looks").items() if "/my" in url]
    assert {page.kind for page in own} > {"text/html"}
    assert len(own) >= 6
    assert [page.url for page in own if page.headers["Cache-Control"] != "no-store"] == []
    assert set(person.cookies) <= {"language", "kulla", "csrftoken"}


def test_another_host_is_no_address_of_ours(country: Country) -> None:
    import http.client

    for host in ("evil.example", "localhost.evil.example", "evil.example:80", ""):
        connection = http.client.HTTPConnection("127.0.0.1", country.port, timeout=10)
        connection.putrequest("GET", "/verify", skip_host=True)
        connection.putheader("Host", host)
        connection.endheaders()
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        connection.close()
        assert answer.status in {200, 400}, host
        assert "evil.example" not in text
        assert "evil.example" not in str(answer.headers)
