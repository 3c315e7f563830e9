"""Accounts at the counter: an official finds one person, sees a document, and gives a letter or changes an address."""

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kulla.identity.accounts import steps, words
from kulla.identity.accounts.forms import CodeForm, DeskEmailForm, DeskPhoneForm, DocumentForm, FindForm
from kulla.identity.accounts.views.common import SeeOther, page
from kulla.keeper_client import DeskAccount, Letter, Refused
from kulla.registry import access, door
from kulla.registry.access import Request

COUNTER = ("receptionist", "registrar")
FORMS: dict[str, type[forms.Form]] = {"phone": DeskPhoneForm, "email": DeskEmailForm}
BOTH = ["GET", "HEAD", "POST"]
PASSED_ON = ("budget", "log_unconfirmed", "log_failed")  # the house has pages for these


@access.staff("identity", roles=COUNTER)
@require_http_methods(BOTH)
def find(request: Request) -> HttpResponse:
    """Who stands here."""
    if request.method != "POST":
        return page(request, "desk_find.html", form=FindForm(), again="again" in request.GET)
    form, status = FindForm(request.POST), 422
    if form.is_valid():
        typed = form.cleaned_data
        try:
            visit = door.keeper().desk_find(
                request.token or "", typed["identifier_type"], typed["identifier"]
            )
            if visit is not None:
                return SeeOther(reverse("account-desk-person", args=[visit]))
            form.add_error("identifier", gettext("Nobody has this number."))
        except Refused as refused:
            if refused.code in PASSED_ON:
                raise
            status = words.put(form, "identifier", refused)
    return page(request, "desk_find.html", status, form=form, again=False)


@access.staff("identity", roles=COUNTER)
@require_safe
def person(request: Request, visit: str) -> HttpResponse:
    """The account of who stands here."""
    try:
        found = door.keeper().desk_view(request.token or "", visit)
    except Refused as refused:
        return _refused(refused)
    return _person(request, visit, found, DocumentForm(), "changed" if "changed" in request.GET else "")


@access.staff("identity", roles=COUNTER)
@require_POST
def release(request: Request, visit: str) -> HttpResponse:
    """Ask a second official to release a protected person."""
    try:
        door.keeper().desk_release(request.token or "", visit)
    except Refused as refused:
        return _refused(refused)
    return SeeOther(reverse("account-desk-person", args=[visit]))


@access.staff("identity", roles=COUNTER)
@require_POST
def letter(request: Request, visit: str) -> HttpResponse:
    """Give a letter: the page to print. For an official: ask two administrators."""
    keeper, token = door.keeper(), request.token or ""
    form, status = DocumentForm(request.POST), 422
    try:
        if form.is_valid():
            document = form.cleaned_data["document"]
            if "official" in request.POST:
                keeper.desk_official_ask(token, visit, document)
                return SeeOther(f"{reverse('account-desk-requests')}?asked")
            return _printed(request, keeper.desk_letter(token, visit, document))
    except Refused as refused:
        if refused.code in {*PASSED_ON, "too_late"}:
            return _refused(refused)
        status = words.put(form, "document", refused)
    try:
        found = keeper.desk_view(token, visit)
    except Refused as refused:
        return _refused(refused)
    return _person(request, visit, found, form, "", status)


@access.staff("identity", roles=COUNTER)
@require_http_methods(BOTH)
def change(request: Request, visit: str, channel: str) -> HttpResponse:
    """A new number or address, in force once the citizen has read out the code that it received."""
    if channel not in FORMS:
        raise Http404
    context: dict[str, Any] = {"channel": channel, "visit": visit}
    known = steps.unseal(request.POST.get("step", ""))
    if known is not None:
        return _confirm(request, visit, channel, known["hint"])
    if request.method != "POST":
        return page(request, "desk_channel.html", form=FORMS[channel](), **context)
    form, status = FORMS[channel](request.POST), 422
    if form.is_valid():
        typed = form.cleaned_data
        try:
            asked = door.keeper().desk_channel_ask(
                request.token or "", visit, channel, typed["value"], typed["document"]
            )
            step = steps.seal(hint=asked.hint)
            return page(
                request, "desk_channel_code.html", form=CodeForm(), hint=asked.hint, step=step, **context
            )
        except Refused as refused:
            if refused.code in {*PASSED_ON, "too_late"}:
                return _refused(refused)
            status = words.put(form, "value", refused)
    return page(request, "desk_channel.html", status, form=form, **context)


def _confirm(request: Request, visit: str, channel: str, hint: str) -> HttpResponse:
    form, status = CodeForm(request.POST), 422
    if form.is_valid():
        try:
            door.keeper().desk_channel_confirm(request.token or "", visit, channel, form.cleaned_data["code"])
            return SeeOther(f"{reverse('account-desk-person', args=[visit])}?changed")
        except Refused as refused:
            if refused.code in {*PASSED_ON, "too_late"}:
                return _refused(refused)
            status = words.put(form, "code", refused)
    context: dict[str, Any] = {"channel": channel, "visit": visit, "hint": hint, "step": request.POST["step"]}
    return page(request, "desk_channel_code.html", status, form=form, **context)


@access.staff("identity", roles=COUNTER)
@require_safe
def requests(request: Request) -> HttpResponse:
    """Recoveries of officials that this official asked for."""
    found = door.keeper().desk_official_requests(request.token or "")
    return page(request, "desk_requests.html", found=found, asked="asked" in request.GET, sentence="")


@access.staff("identity", roles=COUNTER)
@require_POST
def official_letter(request: Request, request_id: UUID) -> HttpResponse:
    """Print the letter that two administrators allowed, once."""
    keeper, token = door.keeper(), request.token or ""
    try:
        return _printed(request, keeper.desk_official_letter(token, request_id))
    except Refused as refused:
        if refused.code in PASSED_ON:
            raise
        text, status = words.sentence(refused)
        found = keeper.desk_official_requests(token)
        return page(request, "desk_requests.html", status, found=found, asked=False, sentence=text)


def _person(
    request: Request, visit: str, found: DeskAccount, form: DocumentForm, said: str, status: int = 200
) -> HttpResponse:
    born = date.fromisoformat(found.birth_date) if found.birth_date else None
    context: dict[str, Any] = {"found": found, "visit": visit, "form": form, "said": said, "born": born}
    return page(request, "desk_person.html", status, channels=words.CHANNELS, **context)


def _printed(request: Request, given: Letter) -> HttpResponse:
    address = request.build_absolute_uri(reverse("activate-letter"))
    return page(request, "letter.html", letter=given, address=address)


def _refused(refused: Refused) -> HttpResponse:
    """A visit that is over leads back to finding; everything else is the house's to say."""
    if refused.code == "too_late":
        return SeeOther(f"{reverse('account-desk')}?again")
    raise refused
