"""The clerk's first two pages: find the person, and see how the person can confirm."""

from datetime import date
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kulla.identity.counter import refusals
from kulla.identity.counter.forms import FindForm
from kulla.identity.counter.words import WHAT
from kulla.keeper_client import Refused
from kulla.keeper_client.counter import Visit
from kulla.registry import access, door
from kulla.registry.access import Request

CLERKS = ("receptionist", "registrar")
SEARCH_COST = 10


@access.staff("identity", roles=CLERKS)
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: Request) -> HttpResponse:
    """Find the person by number. The number is in the form, never in an address."""
    form = FindForm(request.POST) if request.method == "POST" else FindForm()
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            data = form.cleaned_data
            try:
                found = door.keeper().counter_find(
                    request.token or "", data["kind"], data["identifier"], data["what"]
                )
            except Refused as refused:
                form.add_error("identifier", refusals.sentence(refused))
            else:
                if found is not None:
                    return HttpResponseRedirect(reverse("counter-visit", args=[found]))
                form.add_error(
                    "identifier", _("Nobody has this number. Read it on the document and type it again.")
                )
    context = {
        "form": form,
        "cost": SEARCH_COST,
        "over": "over" in request.GET,
        "ended": "ended" in request.GET,
    }
    return render(request, "counter/start.html", context, status=status)


@access.staff("identity", roles=CLERKS)
@require_safe
def visit(request: Request, visit: UUID) -> HttpResponse:
    """Who it is, and the three ways in which the person can confirm."""
    try:
        return page(request, door.keeper().counter_visit(request.token or "", visit))
    except Refused as refused:
        return over(request, refused)


def page(request: Request, found: Visit, problem: str = "", status: int = 200) -> HttpResponse:
    """The page of a visit."""
    what = WHAT.get(found.what, found.what)
    context = {"visit": found, "what": what, "born": born(found), "sentence": problem}
    return render(request, "counter/visit.html", context, status=status)


def born(found: Visit) -> date | None:
    """The birth date as a day; None when it is not shown."""
    return date.fromisoformat(found.birth_date) if found.birth_date else None


def over(request: Request, refused: Refused) -> HttpResponse:
    """Back to the search, with the reason."""
    form = FindForm()
    context = {"form": form, "cost": SEARCH_COST, "over": False, "ended": False}
    context["sentence"] = refusals.sentence(refused)
    return render(request, "counter/start.html", context, status=409)


@access.staff("identity", roles=CLERKS)
@require_POST
def release(request: Request, visit: UUID) -> HttpResponse:
    """Ask a colleague to release a protected person for this visit."""
    try:
        door.keeper().counter_release(request.token or "", visit)
    except Refused as refused:
        return over(request, refused)
    return HttpResponseRedirect(reverse("counter-visit", args=[visit]))
