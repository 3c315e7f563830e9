"""A view that does not state who may enter is never served."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from kulla.keeper_client import Session
from kulla.registry import access, cookie, door
from kulla.registry.middleware import Access, UndeclaredAccess, set_session


def forgotten(request: HttpRequest) -> HttpResponse:
    """A view whose author forgot the decorator."""
    return HttpResponse("secret")


@access.public
def open_page(request: HttpRequest) -> HttpResponse:
    """A page for everyone."""
    return HttpResponse("hello")


@access.citizen("appointments")
def own_page(request: HttpRequest) -> HttpResponse:
    """A page for citizens."""
    return HttpResponse("mine")


def visit(view, path: str = "/x", cookie: str | None = None):  # type: ignore[no-untyped-def]
    """What the middleware does before `view` would run; None when the view may run."""
    request = RequestFactory().get(path)
    if cookie:
        request.COOKIES["kulla"] = cookie
    return Access(lambda _request: HttpResponse()).process_view(request, view, (), {})


def test_a_forgotten_decorator_is_a_refusal() -> None:
    """Not an open door, and not a redirect that hides the mistake."""
    with pytest.raises(UndeclaredAccess, match="forgotten"):
        visit(forgotten)


def test_a_public_page_is_served_to_anyone_even_with_a_broken_cookie() -> None:
    """A visitor with yesterday's cookie still reads the front page."""
    assert visit(open_page) is None
    assert visit(open_page, cookie="garbage") is None


def test_a_stranger_is_sent_to_sign_in_and_comes_back() -> None:
    """The address asked for is kept, with its query."""
    answer = visit(own_page, "/appointments/?place=Vlorë")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in?next=%2Fappointments%2F%3Fplace%3DVlor")


def test_two_rules_on_one_view_are_a_mistake() -> None:
    """The second decorator would silently win otherwise."""
    with pytest.raises(TypeError, match="states twice"):
        access.public(access.operator(lambda request: HttpResponse()))


def test_a_session_renewed_on_the_way_never_replaces_the_one_that_a_view_set() -> None:
    """Signing in on a shared computer, over a neighbour's older session, leaves nobody in the neighbour's account."""
    older = Session("older", "s1", "citizen", None, 0, "sq")
    newer = Session("newer", "s2", "citizen", None, 0, "sq")

    def answer(view_signs_in: bool) -> str:
        def serve(request: HttpRequest) -> HttpResponse:
            request.renewed = older  # type: ignore[attr-defined]
            response = HttpResponse()
            if view_signs_in:
                set_session(response, newer)
            return response

        sealed = Access(serve)(RequestFactory().get("/")).cookies["kulla"].value  # type: ignore[attr-defined]
        return str(cookie.open_sealed(sealed))

    assert answer(view_signs_in=True) == "newer"
    assert answer(view_signs_in=False) == "older"


def test_a_session_that_cannot_be_checked_is_not_sent_to_sign_in(settings, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """After a restart while the keeper is away the page says so; asking for a password would be no help."""
    settings.KULLA_KEEPER_SOCKET, settings.KULLA_PORTAL = str(tmp_path / "no.sock"), tmp_path
    door.forget()
    sealed = cookie.seal("a token")
    assert visit(own_page, cookie=sealed).status_code == 503
    assert visit(open_page, cookie=sealed) is None
    door.forget()
