"""What the views of accounts share."""

import contextlib
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.shortcuts import render

from kulla.identity import device
from kulla.keeper_client import KeeperUnavailable, Refused, Session
from kulla.registry import actor, door, visitor
from kulla.registry.middleware import set_session


class SeeOther(HttpResponseRedirect):
    """To a page that is read, after a form was sent (RFC 9110, 15.4.4)."""

    status_code = 303


def page(request: HttpRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
    """A page of accounts, which no cache keeps."""
    response = render(request, f"accounts/{template}", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def place(request: HttpRequest) -> str:
    """The visitor's network address, for the keeper alone."""
    return visitor.address(request)


def device_of(request: HttpRequest) -> str:
    """The visitor's browser in words."""
    return device.label(request.headers.get("User-Agent", ""))


def signed_in(request: HttpRequest, session: Session, where: str) -> HttpResponse:
    """Give the session's cookie and lead on; a session that this browser had before ends."""
    rotate_token(request)
    older: Session | None = getattr(request, "session_now", None)
    if older is not None and older.sid != session.sid:
        door.revocations.add(older.sid)
        actor.leave(older.sid)
        with contextlib.suppress(KeeperUnavailable, Refused):
            door.keeper().end(older.token)
    request.renewed = None  # type: ignore[attr-defined]
    response = SeeOther(where)
    set_session(response, session)
    return response
