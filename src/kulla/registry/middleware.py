"""Applies the rule that each view states about who may enter, and keeps the session alive while it is used."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from kulla.keeper_client import KeeperUnavailable, Refused, Session
from kulla.registry import actor, cookie, door, resume
from kulla.registry.access import rule_of
from kulla.web import errors, messages

RENEW_BELOW_MS = 10 * 60 * 1000  # a token lives 15 minutes: one renewal each five minutes of use


class UndeclaredAccess(Exception):
    """A view that does not state who may enter."""


def set_session(response: HttpResponseBase, session: Session, helping: cookie.Helping | None = None) -> None:
    """Put the token into the visitor's encrypted cookie; `helping` of an assisted session, to come back from it."""
    response.set_cookie(
        cookie.NAME,
        cookie.pack(session.token, helping),
        httponly=True,
        samesite="Lax",
        secure=settings.KULLA_TLS,
        path="/",
    )


def drop_session(response: HttpResponseBase) -> None:
    """Take the token out of the visitor's browser."""
    response.delete_cookie(cookie.NAME, path="/", samesite="Lax")


def own_session(helping: cookie.Helping) -> Session | None:
    """The session of the official who helps, renewed where it must be; None when it has ended."""
    try:
        return door.session_of(helping.token) or door.keeper().renew(helping.token)
    except Refused:
        return None


class Access:
    """Middleware: finds the session, applies the view's rule, sets request.actor, renews the token."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve one request."""
        request.renewed = request.helping = None  # type: ignore[attr-defined]
        response = self.get_response(request)
        helping: cookie.Helping | None = request.helping  # type: ignore[attr-defined]
        if (
            helping is not None
            and cookie.NAME in response.cookies
            and not response.cookies[cookie.NAME].value
        ):
            # Signing out of an assisted session leads back to the official's own.
            return self._back(helping)
        # A view that signs somebody in or out has set the cookie itself: the older session must not come back.
        if (renewed := request.renewed) is not None and cookie.NAME not in response.cookies:  # type: ignore[attr-defined]
            set_session(response, renewed, helping)
        if getattr(request, "session_now", None) is not None or getattr(request, "personal", False):
            response["Cache-Control"] = "no-store"
        return response

    def process_view(  # noqa: PLR0911  (each refusal is one line)
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], _args: Any, _kwargs: Any
    ) -> HttpResponseBase | None:
        """Refuse, redirect to sign-in, or set `session_now`, `token` and `actor` and let the view run."""
        rule = rule_of(view)
        if rule is None:
            if view.__module__.startswith("django."):  # static files in development
                return None
            raise UndeclaredAccess(f"{view.__module__}.{view.__qualname__} does not state who may enter")
        away: KeeperUnavailable | None = None
        try:
            session, token = self._session(request)
        except KeeperUnavailable as error:
            session, token, away = None, None, error
        request.session_now, request.token = session, token  # type: ignore[attr-defined]
        helping: cookie.Helping | None = request.helping  # type: ignore[attr-defined]
        if helping is not None and session is None and away is None:
            return self._over(request, helping)
        if rule.alone and session is not None and session.assisted:
            return errors.page(request, 403, messages.ALONE)
        if rule.roles is None:
            return None
        if away is not None:
            # Nobody can say whether this is a session: no reason to ask for a password.
            return errors.of_exception(request, away)
        if session is None or token is None:
            return self._sign_in(request)
        if session.role not in rule.roles:
            raise Http404  # a page of others does not exist for you
        if rule.service is not None:
            try:
                request.actor = actor.enter(session, token, rule.service)  # type: ignore[attr-defined]
            except Refused:
                door.revocations.add(session.sid)
                return self._over(request, helping) if helping else self._sign_in(request)
            except KeeperUnavailable as error:
                return errors.of_exception(request, error)
        return None

    def _session(self, request: HttpRequest) -> tuple[Session | None, str | None]:
        token, helping = cookie.unpack(request.COOKIES.get(cookie.NAME))
        request.helping = helping  # type: ignore[attr-defined]
        if token is None or (helping is not None and helping.sid in door.revocations):
            return None, None
        session = door.session_of(token)
        if session is None:
            return None, None
        if session.expires_ms - int(time.time() * 1000) < RENEW_BELOW_MS:
            try:
                session = door.keeper().renew(token)
                request.renewed, token = session, session.token  # type: ignore[attr-defined]
            except Refused:
                return None, None
            except KeeperUnavailable:
                pass  # it still lives for some minutes; the next page tries again
        return session, token

    def _over(self, request: HttpRequest, helping: cookie.Helping) -> HttpResponse:
        """An assisted session has ended: back to the official's own. What was typed in it was the person's, so it is
        neither sent nor carried on."""
        request.helping = request.renewed = None  # type: ignore[attr-defined]
        try:
            response = self._back(helping)
        except KeeperUnavailable as error:
            return errors.of_exception(request, error) or errors.page(request, 503)
        if request.method in {"GET", "HEAD"}:
            return response
        said = errors.page(request, 409, messages.HELP_OVER)
        said.cookies = response.cookies
        return said

    @staticmethod
    def _back(helping: cookie.Helping) -> HttpResponse:
        session = own_session(helping)
        if session is None:
            response = HttpResponseRedirect(reverse("sign-in"))
            drop_session(response)
            return response
        response = HttpResponseRedirect(f"{reverse('counter')}?over")
        set_session(response, session)
        response["Cache-Control"] = "no-store"
        return response

    @staticmethod
    def _sign_in(request: HttpRequest) -> HttpResponse:
        """To sign-in and back; a form that was sent without a session is carried through, see `resume`."""
        if request.method not in {"GET", "HEAD"}:
            return resume.session_ended(request, request.path)
        response = HttpResponseRedirect(
            f"{reverse('sign-in')}?{urlencode({'next': request.get_full_path()})}"
        )
        if cookie.NAME in request.COOKIES:
            drop_session(response)
        return response
