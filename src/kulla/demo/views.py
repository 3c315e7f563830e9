"""Pages of the demo: one-click entrance, the wipe and its report, the thief, everyone's telephones."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from kulla.cli.supervisor.control import ControlError, ask
from kulla.demo import phone as telephones
from kulla.demo import thief as robbery
from kulla.demo.visitor import own_name, public_word, sign_in
from kulla.identity.views.sign_in import home_of
from kulla.journal.claims import check_code
from kulla.keeper_client import KeeperUnavailable, Refused
from kulla.record import api as record
from kulla.registry import access
from kulla.registry.access import Request
from kulla.registry.middleware import set_session


def safe_back(request: HttpRequest, where: str | None) -> str:
    """Where to lead back to: an address of this portal, else the front page."""
    if where and url_has_allowed_host_and_scheme(where, allowed_hosts={request.get_host()}):
        return where
    return "/"


def plain(
    request: HttpRequest, title: str, sentence: str, status: int, *, refresh_s: int | None = None
) -> HttpResponse:
    """A page with one sentence, which loads itself again after `refresh_s` seconds."""
    context = {"title": title, "sentence": sentence, "refresh_s": refresh_s}
    return render(request, "demo/plain.html", context, status=status)


@require_safe
@access.public
def enter(request: Request, who: str) -> HttpResponseBase:
    """Sign in one of the demo's visitors through the real keeper, with one click."""
    try:
        account = ask(settings.KULLA_CONTROL_SOCKET, "enter", who=who, token=request.GET.get("t", ""))
    except ControlError:
        if request.session_now is not None:
            return HttpResponseRedirect(home_of(request.session_now))
        sentence = _("The links change with each start of the country. The terminal shows the new ones.")
        return plain(request, _("This link is from an earlier start"), sentence, 404)
    return come_in(request, account)


@require_POST
@access.public
def enter_as(request: Request) -> HttpResponseBase:
    """Sign in any member of the cast who has a password: power needs two people, and a visitor plays both."""
    try:
        account = ask(settings.KULLA_CONTROL_SOCKET, "enter_as", who=request.POST.get("who", ""))
    except ControlError as error:
        return plain(request, _("Nobody came in"), str(error), 404)
    return come_in(request, account)


def come_in(request: Request, account: dict[str, Any]) -> HttpResponseBase:
    """The first page of this account; a page that tries again where the keeper could not sign it in just now."""
    try:
        session = sign_in(account, request)
    except (KeeperUnavailable, Refused) as error:
        if isinstance(error, Refused) and error.code == "second_factor":
            sentence = _(
                "This account signed in a moment ago, and each code of its second factor works only once."
            )
        else:
            sentence = _("The keeper does not sign anyone in at the moment.")
        title = _("Signing in takes up to half a minute")
        if request.method == "POST":
            return plain(request, title, sentence, 503)
        return plain(request, title, f"{sentence} {_('This page tries again by itself.')}", 503, refresh_s=3)
    response = HttpResponseRedirect(home_of(session))
    set_session(response, session)
    return response


@require_POST
@access.public
def wipe(request: Request) -> HttpResponseBase:
    """Ask the supervisor to wipe this country, and lead to the page that shows how it comes back."""
    try:
        ask(settings.KULLA_CONTROL_SOCKET, "wipe")
    except ControlError as error:
        return plain(request, _("The country was not wiped"), str(error), 409)
    back = urlencode({"back": safe_back(request, request.POST.get("back"))})
    return HttpResponseRedirect(f"{reverse('demo-wiped')}?{back}")


def entry_of(address: str) -> UUID | None:
    """The entry whose receipt is at this address of ours; None for every other address."""
    try:
        found = resolve(urlsplit(address).path)
    except Resolver404:
        return None
    return found.kwargs["uuid"] if found.url_name == "receipt" else None


def receipt_seen(back: str, state: dict[str, Any]) -> dict[str, str] | None:
    """The check code, before and after the wipe, of the receipt from which the button was pressed."""
    entry, before = entry_of(back), state.get("entry_before")
    if entry is None or before is None:
        return None
    now = record.status(entry)
    return {"before": check_code(bytes.fromhex(before)), "after": (now and now.check_code) or ""}


@require_safe
@access.public
def wiped(request: Request) -> HttpResponseBase:
    """The report of the last wipe; while one goes on, the supervisor answers in this page's place."""
    back = safe_back(request, request.GET.get("back"))
    try:
        state = ask(settings.KULLA_CONTROL_SOCKET, "wipe_status", entry=str(entry_of(back)))
    except ControlError as error:
        return plain(request, _("There is no report"), str(error), 503)
    if state.get("step") is None:
        return HttpResponseRedirect("/")
    context = {"state": state, "back": back, "receipt": receipt_seen(back, state)}
    response = render(request, "demo/wiped.html", context)
    response["Cache-Control"] = "no-store"
    return response


class SearchForm(forms.Form):
    """What to look for in the loot."""

    words = forms.CharField(
        label=gettext_lazy("What should the thief look for?"),
        help_text=gettext_lazy("Your name, your number, your telephone: 4 to 100 characters."),
        min_length=robbery.SHORTEST,
        max_length=robbery.LONGEST,
    )


@access.public
def thief(request: Request) -> HttpResponseBase:
    """The loot, and a search in it. The words come by POST, so that no address and no log ever holds them."""
    home = Path(settings.KULLA_HOME)
    context: dict[str, Any] = {"files": 0, "size": 0, "found": None, "control": None}
    for path, _name in robbery.loot(home):
        context["files"] += 1
        context["size"] += path.stat().st_size
    if request.method == "POST":
        form = SearchForm(request.POST)
        if form.is_valid():
            context["words"] = form.cleaned_data["words"]
            context["found"] = robbery.search(home, context["words"])
            if word := public_word():
                context["public_word"] = word
                context["control"] = robbery.search(home, word)
    else:
        form = SearchForm(initial={"words": own_name(request)})
    response = render(request, "demo/thief.html", {"form": form, **context})
    response["Cache-Control"] = "no-store"
    return response


@require_safe
@access.public
def loot(request: Request) -> HttpResponseBase:  # noqa: ARG001
    """The loot as a zip, streamed."""
    response = StreamingHttpResponse(
        robbery.stream_zip(Path(settings.KULLA_HOME)), content_type="application/zip"
    )
    response["Content-Disposition"] = 'attachment; filename="loot.zip"'
    response["Cache-Control"] = "no-store"
    return response


@require_safe
@access.public
def phone(request: Request) -> HttpResponseBase:
    """What was sent to one member of the cast: the codes and letters that a visitor needs to play everyone."""
    try:
        cast = telephones.owners()
    except ControlError as error:
        return plain(request, _("The telephones are not at hand"), str(error), 503)
    form = telephones.WhoseForm(request.GET if "who" in request.GET else None, cast=cast)
    context: dict[str, Any] = {"form": form, "owner": None}
    if form.is_bound and form.is_valid():
        owner = next(one for one in cast if one.who == form.cleaned_data["who"])
        try:
            context |= {"owner": owner, "sent": telephones.messages(owner)}
        except (KeeperUnavailable, Refused):
            sentence = f"{_('The keeper does not answer.')} {_('This page tries again by itself.')}"
            return plain(request, _("The telephones are not at hand"), sentence, 503, refresh_s=3)
    response = render(request, "demo/phone.html", context)
    response["Cache-Control"] = "no-store"
    return response
