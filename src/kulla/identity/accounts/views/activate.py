"""Activation: a code to the telephone on record, or a letter; then a password. Whatever number is typed, the same page
answers: nobody learns here who has an account."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from kulla.identity.accounts import steps, words
from kulla.identity.accounts.forms import CodeForm, LetterForm, PasswordForm, WhoForm
from kulla.identity.accounts.views.common import SeeOther, device_of, page, place, signed_in
from kulla.keeper_client import KeeperUnavailable, Refused
from kulla.registry import access, door

BOTH = ["GET", "HEAD", "POST"]


@access.public
@require_http_methods(BOTH)
def begin(request: HttpRequest) -> HttpResponse:
    """Whose account. Also "send a new code" of the page after this one, whose number is sealed in `step`."""
    if request.method != "POST":
        return page(request, "activate.html", form=WhoForm())
    known = steps.unseal(request.POST.get("step", ""))
    form = WhoForm({"identifier": known["identifier"]} if known else request.POST)
    if not form.is_valid():
        return page(request, "activate.html", 422, form=form)
    identifier = form.cleaned_data["identifier"]
    try:
        door.keeper().activate_begin(identifier, network=place(request))
    except Refused as refused:
        return page(request, "activate.html", words.put(form, None, refused), form=form)
    except KeeperUnavailable:
        return page(request, "activate.html", words.away(form), form=form)
    return page(
        request,
        "activate_code.html",
        form=CodeForm(),
        step=steps.seal(identifier=identifier),
        again=bool(known),
    )


@access.public
@require_http_methods(BOTH)
def code(request: HttpRequest) -> HttpResponse:
    """The six digits."""
    known = steps.unseal(request.POST.get("step", ""))
    if known is None:
        return HttpResponseRedirect(reverse("activate"))
    form, step = CodeForm(request.POST), request.POST["step"]
    status = 422
    if form.is_valid():
        try:
            shown = door.keeper().activate_check(
                known["identifier"], form.cleaned_data["code"], network=place(request)
            )
            return page(request, "password.html", form=PasswordForm(), step=steps.seal(shown=shown))
        except Refused as refused:
            status = words.put(form, "code", refused)
        except KeeperUnavailable:
            status = words.away(form)
    return page(request, "activate_code.html", status, form=form, step=step)


@access.public
@require_http_methods(BOTH)
def letter(request: HttpRequest) -> HttpResponse:
    """The number and the code of a letter."""
    if request.method != "POST":
        return page(request, "activate_letter.html", form=LetterForm())
    form, status = LetterForm(request.POST), 422
    if form.is_valid():
        typed = form.cleaned_data
        try:
            shown = door.keeper().activate_letter(
                typed["identifier"], typed["letter"], network=place(request)
            )
            return page(request, "password.html", form=PasswordForm(), step=steps.seal(shown=shown))
        except Refused as refused:
            status = words.put(form, "letter", refused)
        except KeeperUnavailable:
            status = words.away(form)
    return page(request, "activate_letter.html", status, form=form)


@access.public
@require_http_methods(BOTH)
def password(request: HttpRequest) -> HttpResponse:
    """The new password, for activation, letters and recovery alike."""
    known = steps.unseal(request.POST.get("step", ""))
    if known is None:
        return HttpResponseRedirect(reverse("activate"))
    form, status = PasswordForm(request.POST), 422
    if form.is_valid():
        try:
            session = door.keeper().account_finish(
                known["shown"],
                form.cleaned_data["password"],
                network=place(request),
                device=device_of(request),
                language=request.LANGUAGE_CODE,
            )
        except Refused as refused:
            status = words.put(form, "password", refused)
        except KeeperUnavailable:
            status = words.away(form)
        else:
            if session is None:
                return SeeOther(f"{reverse('sign-in')}")
            return signed_in(request, session, f"{reverse('my-account')}?new")
    return page(request, "password.html", status, form=form, step=request.POST["step"])
