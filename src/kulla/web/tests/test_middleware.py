"""What every answer carries, and what never reaches a view."""

import gzip
import logging

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.client import FakePayload

from kulla.keeper_client import KeeperUnavailable, Refused
from kulla.web import errors
from kulla.web.messages import Message

pytestmark = pytest.mark.django_db
BAD_UTF8 = b"q=%ff%fe"


@pytest.fixture
def visitor() -> Client:
    """A browser that gets pages and no exceptions, and asks for English."""
    return Client(
        raise_request_exception=False,
        HTTP_HOST="localhost",
        HTTP_ACCEPT_LANGUAGE="en",
        enforce_csrf_checks=True,
    )


def post(visitor: Client, path: str, body: bytes, **headers: str) -> HttpResponse:
    """Post bytes as they are."""
    kind = headers.pop("content_type", "application/x-www-form-urlencoded")
    return visitor.generic("POST", path, body, content_type=kind, **headers)  # type: ignore[return-value]


def test_security_headers_on_every_answer(visitor: Client) -> None:
    """On pages, on errors, on redirects."""
    for path in ("/", "/nope", "/my"):
        answer = visitor.get(path)
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"


def test_pages_hold_nothing_inline(visitor: Client) -> None:
    """What the policy forbids must not be in a page, or the browser would break it."""
    for path in ("/", "/sign-in", "/services", "/about", "/verify", "/nope"):
        page = visitor.get(path).content.decode()
        assert "<script>" not in page
        assert " style=" not in page
        assert " onclick" not in page


def test_pages_are_compressed(visitor: Client) -> None:
    """The first view is small on a slow telephone."""
    answer = visitor.get("/", HTTP_ACCEPT_ENCODING="gzip")
    assert answer["Content-Encoding"] == "gzip"
    assert b"Kulla" in gzip.decompress(answer.content)
    assert len(answer.content) < 10_000


@pytest.mark.parametrize(
    ("accept", "cookie", "lang"),
    [("", "", "sq"), ("en-GB,en;q=0.8", "", "en"), ("de", "", "sq"), ("en", "sq", "sq"), ("sq", "en", "en")],
)
def test_the_language_is_the_visitors(accept: str, cookie: str, lang: str) -> None:
    """The cookie wins, then the browser, then Albanian."""
    visitor = Client(HTTP_HOST="localhost", HTTP_ACCEPT_LANGUAGE=accept)
    if cookie:
        visitor.cookies["language"] = cookie
    answer = visitor.get("/about")
    assert f'lang="{lang}"' in answer.content.decode()
    assert answer["Content-Language"] == lang
    assert "Accept-Language" in answer["Vary"]


def test_the_switch_comes_back_to_the_same_page(visitor: Client) -> None:
    """Without a script, with the query, and never to another site."""
    page = visitor.get("/services?q=mjek").content.decode()
    link = "/language?to=sq&amp;next=%2Fservices%3Fq%3Dmjek"
    assert link in page
    answer = visitor.get(link.replace("&amp;", "&"))
    assert answer["Location"] == "/services?q=mjek"
    assert answer.cookies["language"].value == "sq"
    assert 'lang="sq"' in visitor.get("/services?q=mjek").content.decode()
    for elsewhere in ("https://example.org/", "//example.org", "/\\example.org"):
        assert visitor.get("/language", {"to": "en", "next": elsewhere})["Location"] == "/"


@pytest.mark.parametrize("path", ["/services?q=%ff", "/services?q=a%00b", "/services%00"])
def test_addresses_that_are_not_text(visitor: Client, path: str) -> None:
    """A plain sentence, status 400."""
    answer = visitor.get(path)
    assert answer.status_code == 400
    assert "We could not read what your browser sent" in answer.content.decode()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (BAD_UTF8, "application/x-www-form-urlencoded"),
        (b"identifier=a%00b", "application/x-www-form-urlencoded"),
        (b"identifier=a", "application/x-www-form-urlencoded; charset=latin-1"),
        (b"\xff\xfe", "multipart/form-data; boundary=x"),
        (b"\xff\xfe", "text/plain"),
    ],
)
def test_forms_that_are_not_text(visitor: Client, body: bytes, kind: str) -> None:
    """The same for bodies."""
    answer = post(visitor, "/sign-in", body, content_type=kind)
    assert answer.status_code == 400
    assert "We could not read" in answer.content.decode()


def test_too_much_at_once(visitor: Client) -> None:
    """A body above the limit is refused before it is read; a long address too."""
    answer = post(visitor, "/sign-in", b"identifier=" + b"x" * 300_000)
    assert answer.status_code == 413
    assert "too much at once" in answer.content.decode()
    assert visitor.get("/services", {"q": "x" * 5000}).status_code == 414
    request = RequestFactory().post("/sign-in", b"a=b", content_type="application/x-www-form-urlencoded")
    request.META["CONTENT_LENGTH"] = "many"
    request.META["wsgi.input"] = FakePayload(b"a=b")
    from kulla.web.middleware import CleanInput

    assert CleanInput(lambda _request: HttpResponse("seen"))(request).status_code == 400


def test_a_wrong_method_has_words(visitor: Client) -> None:
    """Django's own 405 is an empty page."""
    answer = visitor.get("/sign-out")
    assert answer.status_code == 405
    assert "cannot be used like that" in answer.content.decode()
    assert answer["Allow"] == "POST"


def test_a_fragment_never_becomes_the_sign_in_page(visitor: Client) -> None:
    """When a session ends, the page that polls is loaded anew as a whole."""
    answer = visitor.get("/my", HTTP_HX_REQUEST="true")
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")
    assert visitor.get("/my").status_code == 302


def test_a_page_that_does_not_exist(visitor: Client) -> None:
    """In the visitor's language, with the way home."""
    answer = visitor.get("/nope")
    assert answer.status_code == 404
    assert "This page does not exist" in answer.content.decode()
    for path in ("/%ff", "/sh%C3%ABrbime", "/%C3%28"):
        assert visitor.get(path).status_code == 404
    assert "Kjo faqe nuk ekziston" in visitor.get("/nope", HTTP_ACCEPT_LANGUAGE="sq").content.decode()


def test_an_old_form_of_ours_comes_back_with_everything(visitor: Client) -> None:
    """The token is gone; what was typed is not."""
    answer = post(
        visitor,
        "/my/sessions?x=1",
        "place=Vlorë&place=Sarandë&why=<b>".encode(),
        HTTP_ORIGIN="http://localhost",
    )
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Nothing you typed is lost" in page
    assert 'name="place" value="Vlorë"' in page and 'value="Sarandë"' in page
    assert "&lt;b&gt;" in page
    assert 'action="/my/sessions?x=1"' in page
    assert answer["Cache-Control"] == "no-store"


def test_a_strangers_form_is_not_repeated(visitor: Client) -> None:
    """Another site must not get one press away from its goal."""
    for headers in ({"HTTP_ORIGIN": "https://evil.example"}, {}, {"HTTP_ORIGIN": "null"}):
        answer = post(visitor, "/sign-out", b"why=because", **headers)
        assert answer.status_code == 403
        assert "because" not in answer.content.decode()


def test_passwords_are_never_put_back(visitor: Client) -> None:
    """An old sign-in form is opened anew."""
    answer = post(visitor, "/sign-in", b"identifier=A1&password=hunter2", HTTP_ORIGIN="http://localhost")
    assert answer.status_code == 403
    assert "hunter2" not in answer.content.decode()


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (KeeperUnavailable("away"), 503, "We cannot look up who you are right now"),
        (Refused("budget", until_ms=1_795_509_000_000), 429, "You can go on at"),
        (Refused("log_unconfirmed"), 503, "So nothing is opened"),
        (Refused("session"), 403, "Sign in again"),
        (Refused("not_yours"), 403, "That was refused"),
    ],
)
def test_refusals_have_words(error: Exception, status: int, words: str) -> None:
    """Each refusal of the keeper that leaves a view is a page that says what to do."""
    request = RequestFactory(HTTP_HOST="localhost", HTTP_ACCEPT_LANGUAGE="en").get("/")
    answer = errors.of_exception(request, error)
    assert answer is not None
    assert answer.status_code == status
    assert words in answer.content.decode()


def test_an_unknown_exception_has_no_words_of_its_own() -> None:
    """It stays an error: the 500 page, and the trace in the log."""
    assert errors.of_exception(RequestFactory().get("/"), RuntimeError("x")) is None


def test_the_page_for_our_own_faults_tells_nothing() -> None:
    """No trace, no name of a file, status 500."""
    request = RequestFactory(HTTP_HOST="localhost").get("/")
    try:
        raise RuntimeError("secret detail")
    except RuntimeError:
        answer = errors.server_error(request)
    assert answer.status_code == 500
    assert "secret detail" not in answer.content.decode()
    assert "RuntimeError" not in answer.content.decode()


def test_an_error_page_that_cannot_be_drawn_still_speaks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The last line of defence: bare HTML, escaped."""

    def broken(*_args: object) -> str:
        raise RuntimeError("no template")

    monkeypatch.setattr(errors, "render_to_string", broken)
    with caplog.at_level(logging.CRITICAL):
        answer = errors.page(HttpRequest(), 404, Message("<Title>", ("One & two",)))
    assert answer.status_code == 404
    assert "&lt;Title&gt;" in answer.content.decode()
    assert "One &amp; two" in answer.content.decode()
