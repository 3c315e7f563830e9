"""The own account: telephone, e-mail, recovery codes."""

from uuid import UUID

from django import forms
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kulla.identity.accounts import steps, words
from kulla.identity.accounts.forms import CodeForm, EmailForm, PhoneForm
from kulla.identity.accounts.views.common import SeeOther, page
from kulla.keeper_client import Refused
from kulla.registry import access, door
from kulla.registry.access import Request

FORMS: dict[str, type[forms.Form]] = {"phone": PhoneForm, "email": EmailForm}
BOTH = ["GET", "HEAD", "POST"]


@access.citizen("identity", alone=True)
@require_safe
def overview(request: Request) -> HttpResponse:
    """What is on record, what waits, how many recovery codes are left."""
    mine = door.keeper().account_view(request.token or "")
    said = next((name for name in ("new", "asked", "cancelled") if name in request.GET), "")
    return page(request, "account.html", mine=mine, channels=words.CHANNELS, said=said)


@access.citizen("identity", alone=True)
@require_http_methods(BOTH)
def change(request: Request, channel: str) -> HttpResponse:
    """A new number or address; then the code that it received."""
    if channel not in FORMS:
        raise Http404
    known = steps.unseal(request.POST.get("step", ""))
    if known is not None:
        return _confirm(request, channel, known["hint"])
    if request.method != "POST":
        return page(request, "channel.html", form=FORMS[channel](), channel=channel)
    remove = "remove" in request.POST
    form, status = FORMS[channel](request.POST), 422
    if remove or form.is_valid():
        try:
            value = "" if remove else form.cleaned_data["value"]
            asked = door.keeper().channel_ask(request.token or "", channel, value)
            if asked.done:
                return SeeOther(f"{reverse('my-account')}?asked")
            step = steps.seal(hint=asked.hint)
            return page(
                request, "channel_code.html", form=CodeForm(), channel=channel, hint=asked.hint, step=step
            )
        except Refused as refused:
            form.is_valid()
            status = words.put(form, "value", refused)
    return page(request, "channel.html", status, form=form, channel=channel)


def _confirm(request: Request, channel: str, hint: str) -> HttpResponse:
    form, status = CodeForm(request.POST), 422
    if form.is_valid():
        try:
            door.keeper().channel_confirm(request.token or "", channel, form.cleaned_data["code"])
            return SeeOther(f"{reverse('my-account')}?asked")
        except Refused as refused:
            status = words.put(form, "code", refused)
    step = request.POST["step"]
    return page(request, "channel_code.html", status, form=form, channel=channel, hint=hint, step=step)


@access.citizen("identity", alone=True)
@require_POST
def cancel(request: Request) -> HttpResponse:
    """Stop a change that waits."""
    try:
        door.keeper().channel_cancel(request.token or "", UUID(request.POST.get("id", "")))
    except (ValueError, Refused):
        return SeeOther(reverse("my-account"))
    return SeeOther(f"{reverse('my-account')}?cancelled")


@access.citizen("identity", alone=True)
@require_http_methods(BOTH)
def codes(request: Request) -> HttpResponse:
    """Recovery codes: how many are left; ten new ones, shown once to be printed."""
    keeper, token = door.keeper(), request.token or ""
    text, status = "", 200
    if request.method == "POST":
        try:
            return page(request, "codes_print.html", codes=keeper.paper_codes(token))
        except Refused as refused:
            if refused.code == "confirm":
                return SeeOther(f"{reverse('my-security-confirm')}?next={reverse('my-account-codes')}")
            said, status = words.sentence(refused)
            text = str(said)
    mine = keeper.account_view(token)
    return page(request, "codes.html", status, mine=mine, sentence=text)
