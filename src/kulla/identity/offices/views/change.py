"""Changing offices: what the public reads; new ones; and, with a second administrator, another place or the end."""

from uuid import UUID

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from kulla.identity.offices import words
from kulla.identity.offices.forms import AddForm, ChangeForm, MoveForm
from kulla.identity.offices.tree import tree
from kulla.identity.offices.views.admin import officials_of
from kulla.identity.offices.views.asking import token, tried
from kulla.registry import access, door
from kulla.registry.access import Request


@access.staff("identity", roles=("admin",))
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: Request, office: UUID) -> HttpResponse:
    """Name, place and hours."""
    found = officials_of(request, office).office
    form = ChangeForm(request.POST) if request.method == "POST" else ChangeForm.of(found)
    if form.is_bound and form.is_valid():
        typed = form.cleaned_data
        texts = {name: typed[name] for name in ("name_en", "town", "address")}
        good, _gave = tried(
            form,
            lambda: door.keeper().office_change(
                token(request), office, typed["name"], hours=form.hours, **texts
            ),
        )
        if good:
            tree(fresh=True)
            return _to(office, "changed")
    return _page(request, "change", office=found, form=form)


@access.staff("identity", roles=("admin",))
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: Request, office: UUID) -> HttpResponse:
    """A new office under this one."""
    found = officials_of(request, office).office
    form = AddForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        typed = form.cleaned_data
        texts = {name: typed[name] for name in ("name_en", "town", "address")}
        good, made = tried(
            form,
            lambda: door.keeper().office_add(token(request), office, typed["name"], typed["kind"], **texts),
        )
        if good:
            tree(fresh=True)
            return _to(made, "added")
    return _page(request, "add", office=found, form=form)


@access.staff("identity", roles=("admin",))
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: Request, office: UUID) -> HttpResponse:
    """Ask a second administrator to put the office elsewhere."""
    found = officials_of(request, office).office
    others = [
        line.office for line in door.keeper().office_overview(token(request)) if line.office.id != office
    ]
    form = MoveForm(request.POST if request.method == "POST" else None, offices=others)
    if form.is_bound and form.is_valid():
        parent = UUID(form.cleaned_data["parent"])
        fields = {"bad_office": "parent", "unknown_office": "parent"}
        good, _gave = tried(form, lambda: door.keeper().office_move(token(request), office, parent), fields)
        if good:
            return _to(office, "asked")
    return _page(request, "move", office=found, form=form)


@access.staff("identity", roles=("admin",))
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: Request, office: UUID) -> HttpResponse:
    """Ask a second administrator to close the office."""
    found = officials_of(request, office)
    form = forms.Form(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        good, _gave = tried(form, lambda: door.keeper().office_close(token(request), office))
        if good:
            return _to(office, "asked")
    return _page(request, "close", office=found.office, form=form, officials=len(found.officials))


def _page(request: Request, name: str, **context: object) -> HttpResponse:
    form = context["form"]
    status = 422 if isinstance(form, forms.BaseForm) and form.errors else 200
    return render(request, f"offices/{name}.html", {**context, "tools": words}, status=status)


def _to(office: UUID, done: str) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('office-admin', args=[office])}?done={done}")
