"""My page and its neighbours, and that nobody else's can be opened."""

import re

import pytest
from django.test import Client

from kulla.identity import device
from kulla.identity.tests.conftest import Visitors, browser
from kulla.identity.views.public import matches, plain
from kulla.keeper.testkit import RunningKeeper
from kulla.registry import door
from kulla.registry import services as registry

pytestmark = pytest.mark.django_db

PERSONAL = ("/my", "/my/family", "/my/looks", "/my/sessions", "/inbox", "/operator")


def text(visitor: Client, path: str) -> str:
    """A page that must work."""
    answer = visitor.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


@pytest.mark.parametrize("path", PERSONAL)
def test_strangers_are_asked_to_sign_in(portal: RunningKeeper, path: str) -> None:
    """And come back afterwards."""
    answer = browser().get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in?next=")


def test_a_citizen_sees_her_pages(signed_in: Visitors) -> None:
    """In both languages, with her child, and never kept by a browser."""
    arta = signed_in(signed_in.keeper.arta)
    for path in ("/my", "/my/family", "/my/looks", "/my/sessions", "/inbox"):
        answer = arta.get(path)
        assert answer.status_code == 200, path
        assert answer["Cache-Control"] == "no-store"
    assert "Besa Hoxha" in text(arta, "/my")
    assert "Besa Hoxha" in text(arta, "/my/family")
    assert "Nobody has looked." in text(arta, "/my/looks")
    assert arta.get("/operator").status_code == 404


def test_the_name_of_the_month_is_albanian(signed_in: Visitors) -> None:
    """A visitor who asks for Albanian gets it everywhere."""
    arta = signed_in(signed_in.keeper.arta, "sq")
    page = text(arta, "/my/sessions")
    assert 'lang="sq"' in page and "Ku kam hyrë" in page and "Firefox në Android" in page


def test_a_session_is_ended_from_another(signed_in: Visitors) -> None:
    """It is refused at once here, and its owner is told that nothing else ended."""
    first, second = signed_in(signed_in.keeper.dritan), signed_in(signed_in.keeper.dritan)
    page = text(second, "/my/sessions")
    other = re.findall(r'name="sid" value="([^"]+)"', page)
    sid = next(each for each in other if each != "all")
    assert second.post("/my/sessions", {"sid": sid})["Location"] == "/my/sessions?ended"
    assert "The session has ended." in text(second, "/my/sessions?ended")
    assert first.get("/my").status_code == 302 or second.get("/my").status_code == 200
    assert second.post("/my/sessions", {"sid": "all"})["Location"] == "/sign-in"
    assert second.get("/my").status_code == 302
    assert first.get("/my").status_code == 302


def test_nobody_ends_the_session_of_another(signed_in: Visitors) -> None:
    """A foreign or invented id does not exist."""
    arta, dritan = signed_in(signed_in.keeper.arta), signed_in(signed_in.keeper.dritan)
    signed_in(signed_in.keeper.arta)
    page = text(arta, "/my/sessions")
    foreign = next(sid for sid in re.findall(r'name="sid" value="([^"]+)"', page) if sid != "all")
    for sid in (foreign, "x", ""):
        assert dritan.post("/my/sessions", {"sid": sid}).status_code == 404
    assert arta.get("/my").status_code == 200
    assert foreign in text(arta, "/my/sessions")


def test_the_operator_sees_the_warning_and_no_citizen(signed_in: Visitors) -> None:
    """The root key in a file is loud; names are not there."""
    keeper = signed_in.keeper
    operator = signed_in(keeper.luan)
    page = text(operator, "/operator")
    assert "The root key lies in a file" in page
    for name in (keeper.arta.name, keeper.arta.number, keeper.dritan.name):
        assert name not in page
    for path in ("/my", "/my/looks", "/inbox"):
        assert operator.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/services", "/about", "/privacy", "/accessibility", "/verify", "/status"]
)
@pytest.mark.parametrize("language", ["sq", "en"])
def test_public_pages(portal: RunningKeeper, path: str, language: str) -> None:
    """For anyone, in both languages."""
    page = text(browser(language), path)
    assert f'<html class="govuk-template kulla" lang="{language}">' in page
    assert page.count("<h1") == 1
    assert "© OpenStreetMap contributors" in page


def test_services_are_found_with_and_without_accents() -> None:
    """People type mjek, MJEK, doctor, and e for ë."""
    service = registry.get("appointments")
    words = service.title["sq"].split()[0]
    assert matches(service, words.upper())
    assert matches(service, plain(words))
    assert matches(service, service.title["en"].split()[0])
    assert matches(service, "")
    assert not matches(service, "zzzz")
    assert plain("Ëndërr Çaj") == "enderr caj"


def test_a_search_is_never_an_error(portal: RunningKeeper) -> None:
    """Too long, odd, nothing found: a page."""
    visitor = browser()
    for words in ("zzzz", "x" * 500, "<script>", "%", "'"):
        page = visitor.get("/services", {"q": words})
        assert page.status_code == 200
        assert "<script>" not in page.content.decode()


def test_the_keeper_away_has_words(signed_in: Visitors, settings: object) -> None:
    """A page that needs it says so; the session is not lost."""
    arta = signed_in(signed_in.keeper.arta)
    assert arta.get("/").status_code == 200  # the keeper's key is known here, the session not yet entered
    working = settings.KULLA_KEEPER_SOCKET  # type: ignore[attr-defined]
    settings.KULLA_KEEPER_SOCKET = "/nonexistent/keeper.sock"  # type: ignore[attr-defined]
    door.keeper.cache_clear()
    answer = arta.get("/my")
    assert answer.status_code == 503
    assert "We cannot look up who you are right now" in answer.content.decode()
    assert answer["Retry-After"] == "60"
    settings.KULLA_KEEPER_SOCKET = working  # type: ignore[attr-defined]
    door.keeper.cache_clear()
    assert arta.get("/my").status_code == 200


@pytest.mark.parametrize(
    ("agent", "label"),
    [
        ("Mozilla/5.0 (Android 16; Mobile) Gecko/150 Firefox/150.0", "Firefox, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19 Safari/604", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/150 Safari/537 Edg/150", "Edge, Windows"),
        ("curl/8", ""),
        ("", ""),
    ],
)
def test_a_browser_has_a_short_name(agent: str, label: str) -> None:
    """Enough to recognise one's own, too little to follow anyone."""
    assert device.label(agent) == label
