"""A view that does not state who may enter is never served."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from kulla.registry import access
from kulla.registry.middleware import Access, UndeclaredAccess


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
