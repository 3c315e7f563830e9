"""A form that was sent after its session had ended: nothing that was typed is lost.

The answer to such a form carries what was typed, sealed under the cookie key, in a hidden field of a page that
leads to sign-in. After sign-in a page shows the way back with the same fields; one press sends them again.
The portal stores none of it.
"""

import json
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from kulla.registry import cookie

PURPOSE = "resume"
LIMIT = 64 * 1024  # characters; no form of ours is larger, files are not carried
_OURS = {"csrfmiddlewaretoken"}
_SECRET = (
    "password",
    "code",
    "pin",
)  # beginnings of fields that are typed again rather than put back into a page


@dataclass(frozen=True)
class Carried:
    """A form on its way through sign-in: where it was sent, and every field with its values in order."""

    path: str
    fields: tuple[tuple[str, str], ...]


def pack(request: HttpRequest) -> str:
    """The request's form as sealed text; empty when it holds nothing or too much to carry."""
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in _OURS and not name.startswith(_SECRET)
        for value in values
    ]
    text = json.dumps([request.get_full_path(), fields])
    return cookie.seal(text, PURPOSE) if fields and len(text) <= LIMIT else ""


def unpack(text: str, request: HttpRequest) -> Carried | None:
    """What `pack` sealed, or None when the text is not ours or leads elsewhere."""
    opened = cookie.open_sealed(text, PURPOSE) if text else None
    if opened is None:
        return None
    path, fields = json.loads(opened)
    if not url_has_allowed_host_and_scheme(path, allowed_hosts={request.get_host()}):
        return None
    return Carried(path, tuple((name, value) for name, value in fields))


def session_ended(request: HttpRequest, back: str) -> HttpResponse:
    """The page that says so (status 403, since the form was not taken) and leads to sign-in with all of it."""
    page = {"carry": pack(request), "next": back}
    return render(request, "registry/session_ended.html", page, status=403)


def again(request: HttpRequest, carried: Carried) -> HttpResponse:
    """The page after sign-in: the same fields, to be sent with one press."""
    return render(request, "registry/resume.html", {"carried": carried})
