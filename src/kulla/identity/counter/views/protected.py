"""Protected persons: asking for a release, and two registrars who begin or end a protection. Nothing lists them."""

from urllib.parse import urlsplit
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from kulla.identity.counter import refusals
from kulla.identity.counter.forms import ProtectForm, UnprotectForm
from kulla.identity.counter.views.clerk import CLERKS
from kulla.keeper_client import Refused
from kulla.registry import access, door
from kulla.registry.access import Request


@access.staff("identity", roles=CLERKS)
@require_POST
def release(request: Request) -> HttpResponse:
    """Ask a colleague to let this official look at a protected person on a page of a service.

    The page's form names the person by the service's pseudonym, its own word for the look, and where to go back.
    """
    try:
        person = UUID(request.POST.get("person", ""))
    except ValueError:
        raise Http404 from None
    service, purpose = request.POST.get("service", "")[:32], request.POST.get("purpose", "")[:64]
    try:
        state = door.keeper().protected_ask(request.token or "", person, service, purpose)
    except Refused as refused:
        if refused.code in {"unknown_person", "bad_service"}:
            raise Http404 from None
        raise
    wanted = request.POST.get("back", "")
    ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, None)
    back = urlsplit(wanted).path if ours else reverse("staff")
    context = {"back": back, "done": state == "done"}
    return render(request, "counter/release.html", context)


@access.staff("identity", roles=("registrar",))
@require_http_methods(["GET", "HEAD", "POST"])
def protect(request: Request) -> HttpResponse:
    """Ask that a person be protected; a second registrar decides."""
    form = ProtectForm(request.POST) if request.method == "POST" else ProtectForm()
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        contact = ("number", data["contact"]) if data["contact"] else None
        try:
            person = (data["kind"], data["identifier"])
            if door.keeper().protect(request.token or "", person, contact, data["reason"]):
                return render(request, "counter/asked.html", {"ending": False})
            form.add_error("identifier", _("Nobody has this number, or nobody has that of the contact."))
        except Refused as refused:
            form.add_error("identifier", refusals.sentence(refused))
    return render(request, "counter/protect.html", {"form": form}, status=422 if form.errors else 200)


@access.staff("identity", roles=("registrar",))
@require_http_methods(["GET", "HEAD", "POST"])
def unprotect(request: Request) -> HttpResponse:
    """Ask that a protection end; a second registrar decides."""
    form = UnprotectForm(request.POST) if request.method == "POST" else UnprotectForm()
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            person = (data["kind"], data["identifier"])
            if door.keeper().unprotect(request.token or "", person, data["note"]):
                return render(request, "counter/asked.html", {"ending": True})
            form.add_error("identifier", _("Nobody who is protected has this number."))
        except Refused as refused:
            form.add_error("identifier", refusals.sentence(refused))
    return render(request, "counter/unprotect.html", {"form": form}, status=422 if form.errors else 200)
