"""The note that a browser keeps of the accounts used in it, so that strangers cannot slow its owner down.

The keeper seals it; nobody else can read whose accounts they are. It goes to the pages of signing in only, and is not
written on a device that is not the person's own.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

NAME = "kulla_known"
AGE_S = 180 * 24 * 3600
PATH = "/sign-in"


def read(request: HttpRequest) -> list[str]:
    """The notes, for the keeper to open."""
    text = request.COOKIES.get(NAME, "")
    return text.split(".")[:5] if text else []


def write(response: HttpResponseBase, notes: list[str]) -> None:
    """Keep what the keeper gave."""
    if notes:
        response.set_cookie(
            NAME,
            ".".join(notes),
            max_age=AGE_S,
            httponly=True,
            samesite="Strict",
            secure=settings.KULLA_TLS,
            path=PATH,
        )
