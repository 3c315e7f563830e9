"""The pages of a person's family: for whom one acts, who acts for oneself, representatives."""

from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from kulla.identity import receipts
from kulla.identity.families import words
from kulla.identity.families.forms import CodeForm, OfferForm
from kulla.keeper_client import KeeperUnavailable, Refused
from kulla.keeper_client.families import Family, Mandate
from kulla.registry import access, actor, door
from kulla.registry.access import Request
from kulla.web.pages import paginate


class SeeOther(HttpResponseRedirect):
    """303: the answer to a POST that went well."""

    status_code = 303


def _read(request: Request) -> Family | None:
    """The family; None while the keeper does not give it: the receipts below are shown all the same."""
    try:
        return door.keeper().family(request.token or "")
    except (KeeperUnavailable, Refused):
        return None


def _mandate(request: Request, mandate: UUID) -> tuple[Mandate, bool]:
    """A mandate of this person, and whether it is they who are represented. Raises Http404."""
    found = _read(request)
    given = {each.id: (each, True) for each in found.given} if found else {}
    taken = {each.id: (each, False) for each in found.taken} if found else {}
    try:
        return {**taken, **given}[mandate]
    except KeyError:
        raise Http404 from None


@access.citizen("identity")
@require_safe
def family(request: Request) -> HttpResponse:
    """For whom the person may act and who for them, and every receipt of them all."""
    found = _read(request)
    if request.session_now is not None:
        actor.leave(request.session_now.sid)  # what has begun or ended just now holds on the next page too
    shown = paginate(receipts.of_all(receipts.actors(request)), request.GET.get("page"))
    context = {
        "family": found,
        "receipts": shown.items,
        "page": shown,
        "done": request.GET.get("done", ""),
        "words": words,
        "alone": _alone(request),
    }
    return render(request, "families/family.html", context)


def _alone(request: Request) -> bool:
    """Whether the person is at their own session: at a counter nobody appoints a representative."""
    return request.session_now is not None and request.session_now.assisted is None


@access.citizen("identity", alone=True)
@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: Request) -> HttpResponse:
    """Appoint a representative, step 1: in what and until when. Leads to the code."""
    form, problem = OfferForm(request.POST if request.method == "POST" else None), None
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = door.keeper().mandate_offer(request.token or "", data["scopes"], data["until"])
            return SeeOther(reverse("family-mandate", args=[made]))
        except Refused as refused:
            problem = words.refusal(refused)
    context = {"form": form, "problem": problem, "words": words}
    return render(
        request, "families/offer.html", context, status=409 if problem else 422 if form.errors else 200
    )


@access.citizen("identity", alone=True)
@require_http_methods(["GET", "HEAD", "POST"])
def mandate(request: Request, mandate: UUID) -> HttpResponse:
    """One offer or mandate: the code to hand over, the name to confirm, the button to end it."""
    found, mine = _mandate(request, mandate)
    problem = None
    if request.method == "POST":
        keeper, token = door.keeper(), request.token or ""
        try:
            if request.POST.get("do") == "confirm":
                keeper.mandate_confirm(token, mandate)
                return SeeOther(f"{reverse('my-family')}?done=confirmed")
            keeper.mandate_end(token, mandate)
            return SeeOther(f"{reverse('my-family')}?done=ended")
        except Refused as refused:
            problem = words.refusal(refused)
    context = {"mandate": found, "mine": mine, "problem": problem, "words": words}
    return render(request, "families/mandate.html", context, status=409 if problem else 200)


@access.citizen("identity", alone=True)
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: Request) -> HttpResponse:
    """Be a representative: enter the code, see who asks and for what, accept."""
    form, problem, found = CodeForm(request.POST if request.method == "POST" else None), None, None
    if request.method == "POST" and form.is_valid():
        code, token = form.cleaned_data["code"], request.token or ""
        try:
            if request.POST.get("do") == "accept":
                door.keeper().mandate_accept(token, code)
                return SeeOther(f"{reverse('my-family')}?done=accepted")
            found = door.keeper().mandate_look(token, code)
        except Refused as refused:
            problem = words.refusal(refused)
    context = {"form": form, "problem": problem, "offer": found, "words": words}
    status = 409 if problem else 422 if form.errors else 200
    return render(request, "families/accept.html", context, status=status)
