"""Bad input and bad days: always a plain sentence, nothing typed is lost, nothing vanishes, nothing happens twice."""

import random
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests import journeys
from tests.country import KULLA, Country, clean_env, run_kulla
from tests.person import Page, Person

RECEIVED = re.compile(r"\breceived\b|u pranua\b", re.IGNORECASE)
NOT_YET = re.compile(r"not yet confirmed|safe keeping", re.IGNORECASE)


# -- bad input, on the shared country -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def neighbour(country: Country) -> Person:
    """A citizen of her own for this file."""
    return country.sign_in("neighbour1")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"identifier=%FF%FE&password=%80",
        b"identifier=" + b"A" * 300_000,
        b"identifier=J%00J&password=x",
        b"=&=&=&&&",
        b"\xff\xfe\x00rubbish",
        urlencode([("identifier", "Ç" * 70), ("password", "p" * 600)]).encode(),
        urlencode(
            [("identifier", "\u202eabc"), ("password", "\ud83d\ude00")], errors="surrogatepass"
        ).encode(),
    ],
    ids=["empty", "not-utf8", "huge", "nul", "no-names", "raw-bytes", "over-long", "odd-characters"],
)
def test_rubbish_sent_to_a_form_gets_a_sentence(country: Country, body: bytes) -> None:
    person = country.visitor()
    token = dict(person.open("/sign-in").form(having="password").fields)["csrfmiddlewaretoken"]
    answer = person.post("/sign-in", f"csrfmiddlewaretoken={token}&sign_in=1&".encode() + body)
    assert 400 <= answer.status < 500, f"rubbish was answered with {answer.status}"
    assert is_plain(answer)


@pytest.mark.parametrize(
    "path",
    [
        "/appointments/find/%FF/",
        "/appointments/find/gp/near/99999999999999999999/",
        "/appointments/find/gp/?q=%FF%FE",
        "/appointments/find/gp/?q=" + "a" * 3000,
        "/appointments/find/nothing/",
        "/receipts/00000000-0000-0000-0000-000000000000/",
        "/receipts/not-a-uuid/",
        "/services?q=%00",
        "/language?to=xx&next=//evil.example",
        "/sign-in?next=https://evil.example/",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/static/../settings.py",
    ],
)
def test_odd_addresses_get_a_page(country: Country, path: str) -> None:
    answer = country.visitor("sq").open(path, follow=False)
    assert answer.status < 500, f"{path} answers {answer.status}"
    assert "evil.example" not in answer.headers.get("Location", "")
    assert is_plain(answer) or answer.status in {301, 302}


def is_plain(page: Page) -> bool:
    """A page of ours: HTML in a known language with a heading and at least one sentence."""
    return page.kind == "text/html" and "<h1" in page.html and bool(re.search(r"[.!?]", page.text))


def test_a_form_without_its_token_is_refused_with_a_sentence(country: Country) -> None:
    person = country.visitor()
    answer = person.post("/sign-in", [("identifier", "J55101007H"), ("password", "x")])
    assert answer.status == 403
    assert is_plain(answer)


def test_an_over_long_reason_comes_back_as_it_was_typed(neighbour: Person) -> None:
    page = journeys.hold_a_time(neighbour, "dermatology")
    typed = "Skuqje në krah. " * 60
    page = journeys.send(neighbour, reason=typed)
    assert page.status == 422
    assert dict(page.form(having="key").fields)["reason"].strip() == typed.strip()
    assert "500" in page.text


def test_a_second_click_makes_one_booking(country: Country, neighbour: Person) -> None:
    page = journeys.hold_a_time(neighbour, "dermatology")
    pairs = page.form(having="key").filled({"reason": "Kontroll"}, "book")
    before = country.db.entries()

    def press(_: int) -> str:
        twin = Person(country.base)
        twin.cookies, twin.page = dict(neighbour.cookies), page
        return twin.post("/appointments/book/", pairs).path

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(press, range(4)))
    assert len(answers) == 1, f"one form led to several places: {answers}"
    assert len(country.db.entries() - before) == 1
    again = neighbour.post("/appointments/book/", pairs)
    assert again.path in answers, "the same form later must lead to the same receipt"
    assert len(country.db.entries() - before) == 1


def test_someone_elses_person_cannot_be_booked_for(country: Country, neighbour: Person) -> None:
    other = country.sign_in("neighbour2")
    form = journeys.hold_a_time(other, "ent").form(having="key")
    stranger_person = form.choices.get("person", [dict(form.fields).get("person")])[0]
    mine = journeys.hold_a_time(neighbour, "ent").form(having="key")
    pairs = [
        (name, str(stranger_person) if name == "person" else value) for name, value in mine.filled({}, "book")
    ]
    before = country.db.entries()
    answer = neighbour.post("/appointments/book/", pairs)
    assert answer.status == 422
    assert is_plain(answer)
    assert country.db.entries() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("starts", "1000000000"),
        ("starts", "99999999999"),
        ("starts", "x"),
        ("practitioner", "x"),
        ("key", ""),
    ],
    ids=["past", "far", "no-time", "no-practitioner", "no-key"],
)
def test_changed_hidden_fields_are_refused_with_a_sentence(
    country: Country, neighbour: Person, field: str, value: str
) -> None:
    form = journeys.hold_a_time(neighbour, "neurology").form(having="key")
    pairs = [
        (name, value if name == field else old)
        for name, old in form.filled({"reason": "Dhimbje koke"}, "book")
    ]
    before = country.db.entries()
    answer = neighbour.post("/appointments/book/", pairs)
    assert answer.status in {400, 409, 422}
    assert is_plain(answer)
    assert "Dhimbje koke" in answer.html, "what was typed is lost"
    assert country.db.entries() == before


def test_a_form_open_since_yesterday_is_not_lost(country: Country) -> None:
    """The session has ended meanwhile: sign in again, and what was typed is still there."""
    person = country.sign_in("neighbour3")
    page = journeys.hold_a_time(person, "cardiology")
    form = page.form(having="key")
    person.cookies.pop("kulla")
    journeys.send(person, form=form, reason="Rrahje të shpejta")
    person.submit("sign-in", having="carry")
    account = country.accounts()["neighbour3"]
    page = person.submit(having="password", identifier=account.number, password=account.password)
    assert "Rrahje të shpejta" in page.html
    page = person.submit(having="key")
    assert journeys.receipt_id(page)
    journeys.wait_received(person, page)


def test_a_broken_import_line_is_named(make_country: Callable[..., Country], tmp_path: Path) -> None:
    """Good lines are imported, bad ones named by number; a file that is no text at all is refused."""
    asleep = make_country()
    path = tmp_path / "people.csv"
    head = "number,first_name,last_name,birth_date,sex,phone,email,language,guardian_number,address"
    good = "J55101042K,Mira,Dervishi,1995-01-01,f,+355600009999,,sq,,Rruga e Kavajës 1"
    path.write_text(f"{head}\n{good}\nXX,,,,,,,,,\n", encoding="utf-8")
    with asleep.mirrors():
        arguments = ["people", "import", str(path), "--home", str(asleep.home)]
        done = run_kulla(*arguments, check=False)
        assert done.returncode == 1
        assert "1 people added" in done.stdout
        assert re.search(r"\bline 3\b", done.stderr), done.stderr
        path.write_bytes(f"{head}\n".encode() + b"\xff\xfe,a,b,1990-01-01,f,,,sq,,\n")
        done = run_kulla(*arguments, check=False)
        assert done.returncode in {1, 2}
        assert done.stderr.strip()


# -- bad days, each in a country of its own ------------------------------------------------------------------------


@pytest.fixture
def bad_country(make_country: Callable[..., Country]) -> Iterator[Country]:
    """A running country that the test may hurt."""
    yield make_country().up()


@pytest.mark.both_engines
def test_mirrors_die_and_come_back(bad_country: Country) -> None:
    """One dead: nobody notices. Two dead: not received until they are back, then received by itself."""
    citizen, operator = bad_country.sign_in("citizen"), bad_country.sign_in("operator")
    one = bad_country.freeze("mirror 1")
    journeys.wait_received(citizen, journeys.book(citizen, "gp"), seconds=20)
    two = bad_country.freeze("mirror 2")
    waiting = journeys.book(citizen, "dentist")
    until = time.monotonic() + 9
    words = set()
    while time.monotonic() < until:
        page = citizen.open(waiting.url)
        assert not journeys.is_received(page), "received with one mirror"
        assert not RECEIVED.search(page.text), f"says received with one mirror: {page.text[:500]}"
        words |= set(NOT_YET.findall(page.text.lower()))
        time.sleep(0.3)
    assert words, f"the page does not say what it waits for: {page.text[:500]}"
    page = operator.open("/operator")
    assert page.status == 200
    assert "operator-1" in page.text and "operator-2" in page.text
    bad_country.thaw(two)
    bad_country.thaw(one)
    journeys.wait_received(citizen, waiting, seconds=30)


def test_the_keeper_dies_and_comes_back(bad_country: Country) -> None:
    """Booking without a reason goes on from tickets minted ahead; what needs the keeper says so."""
    citizen = bad_country.sign_in("citizen")
    journeys.wait_received(citizen, journeys.book(citizen, "gp"))
    page = journeys.hold_a_time(citizen, "dentist")
    asleep = bad_country.freeze("keeper")
    answer = journeys.send(citizen, reason="Dhimbje")
    assert answer.status == 503, f"sealing without a keeper: {answer.status} {answer.text[:300]}"
    assert "Dhimbje" in answer.html
    booked = journeys.send(citizen)
    assert journeys.receipt_id(booked), "a ticket minted ahead was not used"
    nobody = bad_country.visitor().open("/sign-in")
    assert nobody.status == 200
    bad_country.thaw(asleep)
    journeys.wait_received(citizen, booked)
    assert page.status == 200
    bad_country.kill("keeper")
    bad_country.wait_up("keeper")
    assert citizen.open("/my").status == 200


def test_a_full_outbox_refuses_politely(make_country: Callable[..., Country]) -> None:
    full = make_country(KULLA_OUTBOX_LIMIT="2").up()
    citizen = full.sign_in("citizen")
    journeys.wait_received(citizen, journeys.book(citizen, "gp"))
    asleep = [full.freeze("mirror 1"), full.freeze("mirror 2")]
    refused = None
    for kind in ("dentist", "laboratory", "ent", "neurology"):
        time.sleep(0.6)  # the outbox is counted twice a second, so that counting costs nothing
        page = journeys.hold_a_time(citizen, kind)
        page = journeys.send(citizen, reason="Nuk humbet")
        if page.status != 200:
            refused = page
            break
    assert refused is not None, "the outbox has no limit"
    assert refused.status == 503
    assert "Nuk humbet" in refused.html
    for pid in asleep:
        full.thaw(pid)


@pytest.mark.both_engines
def test_a_second_sequencer_cannot_write(bad_country: Country) -> None:
    """A second portal on the same home serves pages and leads nothing; entries stay whole and in one order."""
    env = {**clean_env(), **bad_country.env}
    port = 0
    from kulla.cli.supervisor import processes

    port = processes.free_port()
    second = subprocess.Popen(
        [*KULLA, "portal", "--home", str(bad_country.home), "--port", str(port)],
        env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 20
        while not processes.listening(port) and time.monotonic() < until:
            time.sleep(0.1)
        assert processes.listening(port), "the second portal did not start at all"
        chance = random.Random(5)
        people = [bad_country.sign_in(who) for who in ("citizen", "stranger")]
        receipts = [
            (one, journeys.book(one, kind, chance=chance)) for one in people for kind in ("gp", "dentist")
        ]
        for one, receipt in receipts:
            journeys.wait_received(one, receipt)
    finally:
        second.terminate()
        second.wait(10)
    indexes = [row[0] for row in bad_country.db.rows("SELECT idx FROM record_entry ORDER BY idx")]
    assert indexes == list(range(len(indexes)))
    assert bad_country.db.rows("SELECT count(*) FROM record_outbox") == [(0,)]
