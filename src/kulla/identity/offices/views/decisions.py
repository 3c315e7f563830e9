"""What waits for an official's yes or no, of every area, and what they asked for themselves."""

from uuid import UUID

from django import forms
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from kulla.identity.offices.decisions import shown
from kulla.identity.offices.forms import YesNoForm
from kulla.identity.offices.views.asking import token, tried
from kulla.registry import access, door, waiting
from kulla.registry.access import OFFICE_ROLES, Request
from kulla.web.pages import paginate


@access.staff("identity", roles=OFFICE_ROLES)
@require_safe
def page(request: Request) -> HttpResponse:
    """Open requests, oldest first, and one's own with their state."""
    keeper = door.keeper()
    waiting.decisions(request.session_now, fresh=True)  # the number above agrees with the list
    listed = [shown(asked) for asked in keeper.approvals_open(token(request))]
    own = [shown(asked) for asked in keeper.approvals_asked(token(request))]
    context = {
        "page": paginate(listed, request.GET.get("page")),
        "own": own,
        "done": request.GET.get("done", ""),
    }
    return render(request, "offices/decisions.html", context)


@access.staff("identity", roles=OFFICE_ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: Request, request_id: UUID) -> HttpResponse:
    """One request in full, and the answer to it."""
    keeper = door.keeper()
    found = next((each for each in keeper.approvals_open(token(request)) if each.id == request_id), None)
    if found is None:
        raise Http404
    form = YesNoForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        good, _gave = tried(form, lambda: keeper.approval_answer(token(request), request_id, yes=form.yes))
        if good:
            return HttpResponseRedirect(f"{reverse('decisions')}?done={'yes' if form.yes else 'no'}")
    context = {"asked": shown(found), "form": form}
    return render(request, "offices/decision.html", context, status=422 if form.errors else 200)


@access.staff("identity", roles=OFFICE_ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def take_back(request: Request, request_id: UUID) -> HttpResponse:
    """Take back one's own request, after asking once more."""
    keeper = door.keeper()
    own = [each for each in keeper.approvals_asked(token(request)) if each.id == request_id]
    if not own:
        raise Http404
    form = forms.Form(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        good, _gave = tried(form, lambda: keeper.approval_withdraw(token(request), request_id))
        if good:
            return HttpResponseRedirect(f"{reverse('decisions')}?done=withdrawn")
    context = {"asked": shown(own[0]), "form": form}
    return render(request, "offices/take_back.html", context, status=422 if form.errors else 200)
