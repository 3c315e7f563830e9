"""The link of "this was not me". Opening it only shows: mail programs and virus scanners open links by themselves.
Pressing the button freezes the account."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from kulla.identity.accounts import words
from kulla.identity.accounts.views.common import page
from kulla.keeper_client import Refused
from kulla.registry import access, door


@access.public
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """What the link is about (GET), or freeze (POST)."""
    keeper = door.keeper()
    try:
        if request.method == "POST":
            keeper.link_report(token)
        found = keeper.link_look(token)
    except Refused as refused:
        text, status = words.sentence(refused)
        gone = 404 if refused.code == "unknown_link" else status
        return page(request, "not_me.html", gone, found=None, sentence=text)
    return page(request, "not_me.html", found=found, sentence="")
