"""Error pages, and the one place where an exception becomes a sentence for a user.

Rooms above register their refusals here (`register`), so that no view repeats how "read-only" looks.
"""

import logging
import sys
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import escape

from kulla.keeper_client import KeeperUnavailable, Refused
from kulla.web import messages
from kulla.web.messages import FORM_EXPIRED, MESSAGES, ONCE_MORE, Message

log = logging.getLogger("kulla.web")
_SECRET_FIELDS = {"password", "code", "pin", "pin_again", "csrfmiddlewaretoken"}
Words = Callable[[BaseException], tuple[int, Message]]
Say = Callable[[BaseException], Message]
_SIGN_IN_AGAIN = {"session", "token", "token_expired", "attestation"}


def _refused(error: BaseException) -> tuple[int, Message]:
    code = getattr(error, "code", "")
    if code == "budget":
        return 429, messages.budget(getattr(error, "details", {}))
    if code in {"log_unconfirmed", "log_failed"}:
        return 503, messages.LOG_UNCONFIRMED
    if code == "copies_unavailable":
        return 503, messages.KEEPER_AWAY
    if code == "assisted":
        return 403, messages.ALONE
    if code in _SIGN_IN_AGAIN:
        return 403, messages.SIGNED_OUT
    return 403, messages.REFUSED


_registered: list[tuple[type[BaseException], Words]] = [
    (KeeperUnavailable, lambda _error: (503, messages.KEEPER_AWAY)),
    (Refused, _refused),
]


def register(kind: type[BaseException], status: int, say: Say) -> None:
    """Show every exception of `kind` that leaves a view as a page with `status` and the message of `say`."""
    _registered.append((kind, lambda error: (status, say(error))))


def page(request: HttpRequest, status: int, message: Message | None = None) -> HttpResponse:
    """The error page with this status. Falls back to bare HTML in both languages when a template fails."""
    # Refusals of the outer middleware come before the visitor's language is active.
    with _language_of(request):
        return _page(request, status, message or MESSAGES.get(status, MESSAGES[500]))


def _page(request: HttpRequest, status: int, message: Message) -> HttpResponse:
    try:
        body = str(render_to_string("web/error.html", {"message": message, "status": status}, request))
    except Exception:
        # The error page is where nothing may fail; whatever broke it is in the log with its trace.
        log.exception("The error page itself could not be drawn.")
        body = _bare(message)
    response = HttpResponse(body, status=status)
    response["Cache-Control"] = "no-store"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "60"
    return response


def of_exception(request: HttpRequest, error: BaseException) -> HttpResponse | None:
    """The page for an exception that some room has words for, else None."""
    for kind, words in _registered:
        if isinstance(error, kind):
            with _language_of(request):
                status, message = words(error)
                log.warning(
                    "%s (%s) was shown as a page.", type(error).__name__, getattr(error, "code", status)
                )
                return _page(request, status, message)
    return None


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is not valid any more: show it again with everything that was typed.

    Only when the browser says that our own page sent it; a stranger's page gets a plain refusal. Passwords and
    codes are never put back into a page.
    """
    del reason
    if not _sent_by_us(request):
        return page(request, HTTPStatus.FORBIDDEN)
    if any(name in request.POST for name in _SECRET_FIELDS - {"csrfmiddlewaretoken"}):
        return page(request, HTTPStatus.FORBIDDEN, FORM_EXPIRED)
    typed = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in _SECRET_FIELDS
    ]
    context = {"message": ONCE_MORE, "status": 403, "typed": typed, "again": request.get_full_path()}
    response = HttpResponse(render_to_string("web/error.html", context, request), status=HTTPStatus.FORBIDDEN)
    response["Cache-Control"] = "no-store"
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: something that cannot be read."""
    del exception
    return page(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    del exception
    return page(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: does not exist, or not for you."""
    del exception
    return page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500; or the page of an exception that has words (raised outside a view, as in a middleware)."""
    error = sys.exc_info()[1]
    known = of_exception(request, error) if error is not None else None
    return known or page(request, 500)


def _language_of(request: HttpRequest) -> translation.override:
    return translation.override(translation.get_language_from_request(request))


def _sent_by_us(request: HttpRequest) -> bool:
    """Whether the browser names this portal as the sender of the form."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    # "null" and an empty text have no host, so they are nobody's.
    source = urlsplit(request.headers.get("Origin") or request.headers.get("Referer") or "")
    return source.netloc == request.get_host() and source.scheme in {"http", "https"}


def _bare(message: Message) -> str:
    text = "".join(f"<p>{escape(str(line))}</p>" for line in message.paragraphs)
    head = "<!doctype html><html lang=sq><meta charset=utf-8><title>Kulla</title>"
    return f"{head}<h1>{escape(str(message.title))}</h1>{text}"
