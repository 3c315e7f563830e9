"""Recovery of a password or a second step, with what is left. Everything lost: a letter from a counter."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from kulla.identity.accounts import steps, words
from kulla.identity.accounts.forms import PasswordForm, ProveForm, RecoverForm
from kulla.identity.accounts.views.common import page, place
from kulla.keeper_client import KeeperUnavailable, Refused
from kulla.registry import access, door
from kulla.web import when

BOTH = ["GET", "HEAD", "POST"]


@access.public
@require_http_methods(BOTH)
def begin(request: HttpRequest) -> HttpResponse:
    """Whose account, and what was lost."""
    if request.method != "POST":
        return page(request, "recover.html", form=RecoverForm())
    form = RecoverForm(request.POST)
    if not form.is_valid():
        return page(request, "recover.html", 422, form=form)
    identifier, lost = form.cleaned_data["identifier"], form.cleaned_data["lost"]
    try:
        door.keeper().recover_begin(identifier, network=place(request))
    except Refused as refused:
        return page(request, "recover.html", words.put(form, None, refused), form=form)
    except KeeperUnavailable:
        return page(request, "recover.html", words.away(form), form=form)
    step = steps.seal(identifier=identifier, lost=lost)
    return page(request, "recover_prove.html", form=ProveForm(lost), step=step, lost=lost, more=False)


@access.public
@require_http_methods(BOTH)
def prove(request: HttpRequest) -> HttpResponse:
    """What is left, and what follows from it."""
    known = steps.unseal(request.POST.get("step", ""))
    if known is None:
        return HttpResponseRedirect(reverse("recover"))
    lost = known["lost"]
    form, status, more = ProveForm(lost, request.POST), 422, False
    if form.is_valid():
        typed = {name: form.cleaned_data.get(name) or "" for name in form.fields}
        try:
            found = door.keeper().recover_prove(
                known["identifier"], lost, **typed, wait="wait" in request.POST, network=place(request)
            )
            if found.step:
                return page(request, "password.html", form=PasswordForm(), step=steps.seal(shown=found.step))
            return page(request, "recover_done.html", lost=lost, found=found)
        except Refused as refused:
            more = refused.code == "more"
            if more:
                form.add_error(None, _more(int(refused.details.get("due_ms", 0))))
            else:
                status = words.put(form, "phone_code", refused)
        except KeeperUnavailable:
            status = words.away(form)
    return page(
        request, "recover_prove.html", status, form=form, step=request.POST["step"], lost=lost, more=more
    )


def _more(due_ms: int) -> str:
    if due_ms:
        return gettext("This waits until %(when)s. Come back then, or add a second proof now.") % {
            "when": when.datetime_words(due_ms)
        }
    return gettext(
        "That was right, but your account is protected by a second step. Add a second proof, or wait 72 hours."
    )
