"""The pages at the counter: guardians by a court's decision, and heirs. Each is asked by one official and decided by
another; nothing here makes anybody a guardian or an heir."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from kulla.identity.families import words
from kulla.identity.families.forms import EndForm, GuardianForm, HeirEndForm, HeirForm
from kulla.identity.families.views import SeeOther
from kulla.keeper_client import Refused
from kulla.registry import access, door
from kulla.registry.access import Request

REGISTRAR, COUNTER = ("registrar",), ("receptionist", "registrar")
Send = Callable[[str, dict[str, Any]], UUID]


@access.staff("identity", roles=COUNTER)
@require_safe
def page(request: Request) -> HttpResponse:
    """What an official can ask for about families."""
    context = {"registrar": request.actor.role == "registrar", "asked": "asked" in request.GET}
    return render(request, "families/desk.html", context)


@access.staff("identity", roles=REGISTRAR)
@require_http_methods(["GET", "HEAD", "POST"])
def guardian(request: Request) -> HttpResponse:
    """Ask that somebody becomes a guardian."""

    def send(token: str, data: dict[str, Any]) -> UUID:
        return door.keeper().guardianship_ask(
            token,
            (data["guardian_type"], data["guardian"]),
            (data["ward_type"], data["ward"]),
            relation="ward" if data["adult"] else "child",
            scopes=data["scopes"],
            custody=data["custody"],
            since=_iso(data["since"]),
            until=_iso(data["until"]),
            limits=data["limits"],
            words=data["said"],
            adult=data["adult"],
            **_decision(data),
        )

    return _form(request, GuardianForm, "families/desk_guardian.html", send)


@access.staff("identity", roles=REGISTRAR)
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: Request) -> HttpResponse:
    """Ask that a guardianship ends."""

    def send(token: str, data: dict[str, Any]) -> UUID:
        named = (data["guardian_type"], data["guardian"]), (data["ward_type"], data["ward"])
        return door.keeper().guardianship_end_ask(token, *named, **_decision(data))

    return _form(request, EndForm, "families/desk_end.html", send)


@access.staff("identity", roles=COUNTER)
@require_http_methods(["GET", "HEAD", "POST"])
def heir(request: Request) -> HttpResponse:
    """Ask that an heir acts for somebody who has died."""

    def send(token: str, data: dict[str, Any]) -> UUID:
        named = (data["dead_type"], data["dead"]), (data["heir_type"], data["heir"])
        papers = {"document": data["document"], "certificate": data["certificate"]}
        return door.keeper().heir_ask(token, *named, scopes=data["scopes"], until=data["until"], **papers)

    return _form(request, HeirForm, "families/desk_heir.html", send)


@access.staff("identity", roles=REGISTRAR)
@require_http_methods(["GET", "HEAD", "POST"])
def heir_end(request: Request) -> HttpResponse:
    """Ask that an heir's right ends before its day."""

    def send(token: str, data: dict[str, Any]) -> UUID:
        named = (data["dead_type"], data["dead"]), (data["heir_type"], data["heir"])
        return door.keeper().heir_end_ask(token, *named, reason=data["reason"])

    return _form(request, HeirEndForm, "families/desk_heir_end.html", send)


def _form(request: Request, kind: type[forms.Form], template: str, send: Send) -> HttpResponse:
    """Show, check, send; on a refusal everything that was typed comes back."""
    form, problem = kind(request.POST if request.method == "POST" else None), None
    if request.method == "POST" and form.is_valid():
        try:
            send(request.token or "", form.cleaned_data)
            return SeeOther(f"{reverse('counter-family')}?asked")
        except Refused as refused:
            problem = words.refusal(refused)
    context = {"form": form, "problem": problem, "words": words}
    return render(request, template, context, status=409 if problem else 422 if form.errors else 200)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _decision(data: dict[str, Any]) -> dict[str, Any]:
    return {"number": data["number"], "day": data["day"], "court": data["court"]}
