"""The registrars' desk: requests for corrections and erasure. A queue without names; opening one is a look."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kulla.identity.my_data import sentences, words
from kulla.identity.my_data.forms import DecisionForm
from kulla.keeper_client import Correction, Erasure, Refused
from kulla.registry import access, door
from kulla.registry.access import Request

TYPES = {"jpg": "image/jpeg", "png": "image/png", "pdf": "application/pdf"}
COST = 10
# A document of a stranger is shown as nothing but itself: no scripts, no frames, no address of ours.
SANDBOX = (
    "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; frame-ancestors 'none'"
)


@access.staff("identity", roles=("registrar",))
@require_safe
def queue(request: Request) -> HttpResponse:
    """What waits, oldest first."""
    keeper, token = door.keeper(), request.token or ""
    context = {
        "corrections": keeper.correction_queue(token),
        "erasures": keeper.erasure_queue(token),
        "fields": words.LABELS,
        "done": request.GET.get("done", ""),
    }
    return render(request, "my_data/desk.html", context)


@access.staff("identity", roles=("registrar",))
@require_http_methods(["GET", "HEAD", "POST"])
def correction(request: Request, correction: UUID) -> HttpResponse:
    """A request for a correction: closed at first, opened by a button that says what it costs, then decided."""
    return _one(request, correction, "correction")


@access.staff("identity", roles=("registrar",))
@require_http_methods(["GET", "HEAD", "POST"])
def erasure(request: Request, erasure: UUID) -> HttpResponse:
    """The same for a request for erasure."""
    return _one(request, erasure, "erasure")


def _one(request: Request, which: UUID, kind: str) -> HttpResponse:
    keeper, token = door.keeper(), request.token or ""
    opens = keeper.correction_open if kind == "correction" else keeper.erasure_open
    decides = keeper.correction_decide if kind == "correction" else keeper.erasure_decide
    action = request.POST.get("action", "") if request.method == "POST" else ""
    decided = action in {"yes", "no"}
    form = DecisionForm(request.POST if decided else None)
    context: dict[str, Any] = {"kind": kind, "id": which, "cost": COST, "form": form, "words": words}
    if not action:
        return render(request, "my_data/desk_one.html", {**context, "opened": None, "sentence": ""})
    sentence, status, asked = "", 200, False
    if action == "release":
        releases = keeper.correction_release if kind == "correction" else keeper.erasure_release
        try:
            asked = releases(token, which) == "open"
        except Refused as refused:
            sentence, status = _say(refused), 409
    if decided:
        status = 422
        if form.is_valid():
            try:
                decides(token, which, yes=action == "yes", reason=form.cleaned_data["reason"])
                return HttpResponseRedirect(f"{reverse('registry-desk')}?done={kind}-{action}")
            except Refused as refused:
                sentence, status = _say(refused), 409
    opened: Correction | Erasure | None = None
    if not asked:
        try:
            opened = opens(token, which)
        except Refused as refused:
            sentence, status = _say(refused), 409
            context["protected"] = refused.code == "protected"
    context |= {"opened": opened, "sentence": sentence, "asked": asked}
    return render(request, "my_data/desk_one.html", context, status=status)


@access.staff("identity", roles=("registrar",))
@require_POST
def document(request: Request, correction: UUID) -> HttpResponse:
    """The document of a request, as a file to keep or open: never inside a page of ours."""
    try:
        kind, data = door.keeper().correction_document(request.token or "", correction)
    except Refused as refused:
        context = {
            "kind": "correction",
            "id": correction,
            "cost": COST,
            "form": DecisionForm(),
            "words": words,
        }
        context |= {"opened": None, "sentence": _say(refused)}
        return render(request, "my_data/desk_one.html", context, status=409)
    response = HttpResponse(data, content_type=TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="document.{kind}"'
    response["Content-Security-Policy"] = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response


def _say(refused: Refused) -> str:
    if refused.code in {"unknown_request", "no_value"}:
        raise Http404
    return sentences.of(refused)
