"""The three ways in which a person confirms to be there, and a new PIN at the desk."""

from uuid import UUID

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from kulla.identity import device
from kulla.identity.counter import refusals
from kulla.identity.counter.forms import CodeForm, NewPinForm, PinForm
from kulla.identity.counter.views.clerk import CLERKS, over, page
from kulla.identity.counter.words import WHAT
from kulla.keeper_client import Refused
from kulla.keeper_client.counter import Visit
from kulla.registry import access, cookie, door, visitor
from kulla.registry.access import Request
from kulla.registry.middleware import set_session

OVER = {"unknown_visit", "dead", "frozen", "under_age"}


@access.staff("identity", roles=CLERKS)
@require_POST
def send(request: Request, visit: UUID) -> HttpResponse:
    """Send the code, and go to where it is typed."""
    keeper = door.keeper()
    try:
        keeper.counter_send_code(request.token or "", visit)
    except Refused as refused:
        if refused.code in OVER:
            return over(request, refused)
        found = keeper.counter_visit(request.token or "", visit)
        return page(request, found, refusals.sentence(refused), 409)
    return HttpResponseRedirect(reverse("counter-code", args=[visit]))


@access.staff("identity", roles=CLERKS)
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: Request, visit: UUID) -> HttpResponse:
    """The code that the person reads out."""
    return _confirm(request, visit, "code", CodeForm, "counter/code.html")


@access.staff("identity", roles=CLERKS)
@require_http_methods(["GET", "HEAD", "POST"])
def pin(request: Request, visit: UUID) -> HttpResponse:
    """The pad: the clerk hands it over, the person types."""
    return _confirm(request, visit, "pin", PinForm, "counter/pin.html")


def _confirm(request: Request, visit: UUID, way: str, kind: type[forms.Form], template: str) -> HttpResponse:
    form = kind(request.POST) if request.method == "POST" else kind()
    try:
        found = door.keeper().counter_visit(request.token or "", visit)
        if request.method == "POST" and form.is_valid():
            try:
                return _begin(request, found, way, str(form.cleaned_data[way]))
            except Refused as refused:
                if refused.code in OVER:
                    raise
                form.add_error(way, refusals.sentence(refused))
    except Refused as refused:
        return over(request, refused)
    context = {"form": form, "visit": found, "what": WHAT.get(found.what, found.what)}
    return render(request, template, context, status=422 if form.errors else 200)


def _begin(request: Request, found: Visit, way: str, secret: str) -> HttpResponse:
    """Act with the person: the browser gets the assisted session, and keeps the own one to come back to."""
    session, token = request.session_now, request.token
    begun = door.keeper().counter_begin(
        token or "",
        found.id,
        way,
        secret,
        network=visitor.address(request),
        device=device.label(request.headers.get("User-Agent", "")),
        language=request.LANGUAGE_CODE or "sq",
    )
    rotate_token(request)
    helping = cookie.Helping(
        token=token or "",
        sid=session.sid if session else "",
        name=begun.name,
        office=begun.office,
        since_ms=begun.until_ms - cookie.HELP_MS,
        until_ms=begun.until_ms,
    )
    response = HttpResponseRedirect(reverse("my"))
    request.renewed = None  # type: ignore[attr-defined]
    set_session(response, begun.session, helping)
    return response


@access.staff("identity", roles=CLERKS)
@require_http_methods(["GET", "HEAD", "POST"])
def signature(request: Request, visit: UUID) -> HttpResponse:
    """The sheet to sign, the question to a colleague, and the beginning once the colleague has said yes."""
    keeper, problem = door.keeper(), ""
    try:
        if request.method == "POST" and "ask" in request.POST:
            keeper.counter_ask_signature(request.token or "", visit)
            return HttpResponseRedirect(reverse("counter-signature", args=[visit]))
        found = keeper.counter_visit(request.token or "", visit)
        if request.method == "POST":
            try:
                return _begin(request, found, "signature", "")
            except Refused as refused:
                if refused.code in OVER:
                    raise
                problem = refusals.sentence(refused)
    except Refused as refused:
        return over(request, refused)
    context = {"visit": found, "what": WHAT.get(found.what, found.what), "sentence": problem}
    return render(request, "counter/signature.html", context, status=409 if problem else 200)


@access.staff("identity", roles=CLERKS)
@require_http_methods(["GET", "HEAD", "POST"])
def new_pin(request: Request, visit: UUID) -> HttpResponse:
    """The pad for a new PIN; it counts once a colleague has confirmed the person and the document."""
    form = NewPinForm(request.POST) if request.method == "POST" else NewPinForm()
    try:
        found = door.keeper().counter_visit(request.token or "", visit)
        if request.method == "POST" and form.is_valid():
            try:
                door.keeper().counter_ask_pin(request.token or "", visit, form.cleaned_data["pin"])
                return HttpResponseRedirect(reverse("counter-visit", args=[visit]))
            except Refused as refused:
                if refused.code in OVER:
                    raise
                form.add_error("pin", refusals.sentence(refused))
    except Refused as refused:
        return over(request, refused)
    context = {"form": form, "visit": found}
    return render(request, "counter/new_pin.html", context, status=422 if form.errors else 200)
