"""Offers of roles: made by an administrator, taken by the person in a session of their own."""

from uuid import UUID

from django import forms
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from kulla.identity import names
from kulla.identity.offices import words
from kulla.identity.offices.forms import CodeForm, OfferForm, YesNoForm
from kulla.identity.offices.views.admin import officials_of
from kulla.identity.offices.views.asking import token, tried
from kulla.registry import access, door
from kulla.registry.access import Request


@access.staff("identity", roles=("admin",))
@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: Request, office: UUID) -> HttpResponse:
    """Offer a role to whoever has a number."""
    found = officials_of(request, office).office
    form = OfferForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        typed = form.cleaned_data
        args = (token(request), office, typed["role"], typed["identifier"], int(typed["days"]), typed["note"])
        fields = {"bad_identifier": "identifier", "self": "identifier"}
        good, made = tried(form, lambda: door.keeper().role_offer(*args), fields)
        if good:  # the code is shown once, here: it is in no address and kept nowhere as it is
            context = {"office": found, "code": made[1], "note": typed["note"], "tools": words}
            return render(request, "offices/offered.html", context)
    status = 422 if form.errors else 200
    context = {"office": found, "form": form, "tools": words}
    return render(request, "offices/offer.html", context, status=status)


@access.staff("identity", roles=("admin",))
@require_http_methods(["GET", "HEAD", "POST"])
def offered(request: Request) -> HttpResponse:
    """The offers of this administrator; one that waits can be taken back."""
    form = forms.Form(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        wanted = _uuid(request.POST.get("offer", ""))
        good, _gave = tried(form, lambda: door.keeper().role_offer_withdraw(token(request), wanted))
        if good:
            return HttpResponseRedirect(f"{reverse('role-offers')}?withdrawn")
    context = {
        "form": form,
        "offers": door.keeper().role_offers(token(request)),
        "roles": names.ROLES,
        "states": words.OFFERS,
        "withdrawn": "withdrawn" in request.GET,
    }
    return render(request, "offices/offers.html", context, status=422 if form.errors else 200)


@access.alone
@require_safe
def mine(request: Request) -> HttpResponse:
    """The roles I have, and the way to one that was offered."""
    own = door.keeper().my_office_roles(token(request))
    context = {"own": own, "form": CodeForm(), "roles": names.ROLES, "done": request.GET.get("done", "")}
    return render(request, "offices/mine.html", context)


@access.alone
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: Request) -> HttpResponse:
    """The offer of a code (1. the code, 2. the offer is shown, 3. the answer)."""
    keeper = door.keeper()
    code = CodeForm(request.POST if request.method == "POST" else None)
    good, offer = code.is_bound and code.is_valid(), None
    if good:
        good, offer = tried(code, lambda: keeper.role_offer_read(token(request), code.cleaned_data["code"]))
    if not good:
        own = keeper.my_office_roles(token(request))
        context = {"own": own, "form": code, "roles": names.ROLES, "done": ""}
        return render(request, "offices/mine.html", context, status=422 if code.errors else 200)
    form = YesNoForm(request.POST if "step" in request.POST else None)
    if form.is_bound and form.is_valid():
        typed = code.cleaned_data["code"]
        good, done = tried(form, lambda: keeper.role_offer_answer(token(request), typed, yes=form.yes))
        if good:
            return HttpResponseRedirect(f"{reverse('my-offers')}?done={done}")
    context = {"offer": offer, "form": form, "code": code.cleaned_data["code"], "roles": names.ROLES}
    return render(request, "offices/answer.html", context, status=422 if form.errors else 200)


@access.alone
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: Request, role: UUID) -> HttpResponse:
    """Give one's own role back, after asking once more."""
    roles = door.keeper().my_office_roles(token(request))
    found = next((each for each in roles if each.id == role), None)
    if found is None:
        raise Http404
    form = forms.Form(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        good, _gave = tried(form, lambda: door.keeper().role_end(token(request), role))
        if good:
            return HttpResponseRedirect(f"{reverse('my-offers')}?done=left")
    context = {"role": found, "form": form, "roles": names.ROLES}
    return render(request, "offices/leave.html", context, status=422 if form.errors else 200)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
