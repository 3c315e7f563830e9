"""What an administrator sees and does: the offices of the subtree, who works there, longer or no longer."""

import time
from uuid import UUID

from django import forms
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from kulla.identity import names
from kulla.identity.offices import words
from kulla.identity.offices.forms import OfficeSearchForm, RenewForm
from kulla.identity.offices.views.asking import existing, token, tried
from kulla.identity.views.public import plain
from kulla.keeper_client.offices import OfficeLine, Official, Officials
from kulla.registry import access, door
from kulla.registry.access import Request
from kulla.web.pages import paginate

SOON_MS = 30 * 24 * 3600 * 1000
PAGE = 50


@access.staff("identity", roles=("admin",))
@require_safe
def overview(request: Request) -> HttpResponse:
    """The offices of the subtree; those whose review is due come first."""
    search = OfficeSearchForm({"q": request.GET.get("q", "")[:100]})
    search.is_valid()
    wanted = plain(search.cleaned_data.get("q", "")).split()
    lines = door.keeper().office_overview(token(request))
    now = int(time.time() * 1000)
    due = [line for line in lines if line.due_ms and line.due_ms < now + SOON_MS]
    if wanted:
        lines = [
            line
            for line in lines
            if all(w in plain(f"{line.office.name} {line.office.town}") for w in wanted)
        ]
    tree = as_tree(lines)
    depths = {} if wanted else {line.office.id: depth for line, depth in tree}
    ordered = sorted(
        (line for line, _ in tree), key=lambda line: (line.due_ms or now + SOON_MS) >= now + SOON_MS
    )
    context = {
        "search": search,
        "page": paginate(ordered, request.GET.get("page"), PAGE),
        "due": due,
        "depths": depths,
        "overdue": sum(1 for line in due if line.due_ms and line.due_ms < now),
        "soon_ms": now + SOON_MS,
        "now_ms": now,
        "own": request.actor.office,
        "tools": words,
    }
    return render(request, "offices/overview.html", context)


def as_tree(lines: list[OfficeLine]) -> list[tuple[OfficeLine, int]]:
    """The offices with each under its own, as (line, how deep); among equals those where somebody works come first."""
    known = {line.office.id for line in lines}
    below: dict[UUID | None, list[OfficeLine]] = {}
    for line in lines:
        parent = line.office.parent if line.office.parent in known else None
        below.setdefault(parent if parent != line.office.id else None, []).append(line)
    found: list[tuple[OfficeLine, int]] = []
    waiting = [(line, 0) for line in _in_order(below.pop(None, []))]
    while waiting:
        line, depth = waiting.pop()
        found.append((line, depth))
        waiting += [(each, depth + 1) for each in _in_order(below.pop(line.office.id, []))]
    return found


def _in_order(lines: list[OfficeLine]) -> list[OfficeLine]:
    """The last one first, for a stack."""
    return sorted(lines, key=lambda line: (not line.officials, plain(line.office.name)), reverse=True)


@access.staff("identity", roles=("admin",))
@require_safe
def office(request: Request, office: UUID) -> HttpResponse:
    """Who works in one office."""
    found = officials_of(request, office)
    now = int(time.time() * 1000)
    due = min((each.due_ms for each in found.officials if not each.own), default=None)
    context = {
        "found": found,
        "office": found.office,
        "roles": names.ROLES,
        "now_ms": now,
        "soon_ms": now + SOON_MS,
        "due_ms": due,
        "done": request.GET.get("done", ""),
        "own": request.actor.office,
        "tools": words,
    }
    return render(request, "offices/office_admin.html", context)


@access.staff("identity", roles=("admin",))
@require_http_methods(["GET", "HEAD", "POST"])
def renew(request: Request, office: UUID, role: UUID) -> HttpResponse:
    """Let a role go on; with power, ask a second administrator."""
    found, official = _official(request, office, role)
    form = RenewForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        days = int(form.cleaned_data["days"])
        good, asked = tried(form, lambda: door.keeper().role_renew(token(request), role, days))
        if good:
            return _back(office, "asked" if asked else "renewed")
    context = {
        "office": found.office,
        "official": official,
        "form": form,
        "roles": names.ROLES,
        "tools": words,
    }
    return render(request, "offices/renew.html", context, status=422 if form.errors else 200)


@access.staff("identity", roles=("admin",))
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: Request, office: UUID, role: UUID) -> HttpResponse:
    """End a role, after asking once more."""
    found, official = _official(request, office, role)
    form = forms.Form(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        good, _gave = tried(form, lambda: door.keeper().role_end(token(request), role))
        if good:
            return _back(office, "ended")
    context = {
        "office": found.office,
        "official": official,
        "form": form,
        "roles": names.ROLES,
        "tools": words,
    }
    return render(request, "offices/end.html", context, status=422 if form.errors else 200)


def officials_of(request: Request, office: UUID) -> Officials:
    """An office of the subtree with its officials, or 404."""
    found: Officials = existing(lambda: door.keeper().office_officials(token(request), office))
    return found


def _official(request: Request, office: UUID, role: UUID) -> tuple[Officials, Official]:
    found = officials_of(request, office)
    for official in found.officials:
        if official.id == role:
            return found, official
    raise Http404


def _back(office: UUID, done: str) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('office-admin', args=[office])}?done={done}")
