"""What one signs in with, where one is signed in, and as what one acts.

Each change asks the keeper, which asks for a proof of who this is (`confirm`): the page for that leads back here.
"""

from urllib.parse import urlencode
from uuid import UUID

import segno
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from markupsafe import Markup

from kulla.identity import device, names
from kulla.identity.security import webauthn, words
from kulla.identity.security.forms import ConfirmForm, EnrolForm, NameForm, PasswordForm, RoleForm
from kulla.identity.views.sign_in import begin, home_of, safe_next
from kulla.keeper_client import KeeperUnavailable, Refused
from kulla.keeper_client.security import Enrolment, PasskeyInfo, RoleInfo, SecurityState
from kulla.registry import access, actor, door, visitor
from kulla.registry.access import Request

DONE = ("password", "codes", "codes-removed", "passkey", "passkey-removed", "passkey-renamed", "confirmed")


def _token(request: Request) -> str:
    if request.token is None:
        raise Http404
    return request.token


def _state(request: Request) -> SecurityState:
    return door.keeper().security_state(_token(request))


def _to_confirm(request: HttpRequest) -> HttpResponse:
    """To the page where one proves who one is, and back here."""
    return HttpResponseRedirect(f"{reverse('my-security-confirm')}?{urlencode({'next': request.path})}")


def _done(what: str) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('my-security')}?{urlencode({'done': what})}")


# What one has ------------------------------------------------------------------------------------------


@access.alone
@require_safe
def overview(request: Request) -> HttpResponse:
    """Password, codes, passkeys; and the ways to change them."""
    done = request.GET.get("done", "")
    state = _state(request)
    context = {
        "state": state,
        "done": done if done in DONE else "",
        "roles": len(door.keeper().my_roles(_token(request))) if state.official else 1,
        "problem": words.REFUSED.get(request.GET.get("problem", ""), ""),
    }
    return render(request, "security/overview.html", context)


# Proving who this is -----------------------------------------------------------------------------------


@access.alone
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: Request) -> HttpResponse:
    """Password and code once more, or a passkey (by script)."""
    state = _state(request)
    if not state.may_change:
        return render(request, "security/not_here.html", status=403)
    form = ConfirmForm(request.POST) if request.method == "POST" else ConfirmForm()
    if request.method == "POST" and form.is_valid():
        code = "".join(form.cleaned_data["code"].split()) or None
        try:
            door.keeper().security_confirm(_token(request), form.cleaned_data["password"], code)
            return HttpResponseRedirect(safe_next(request) or reverse("my-security"))
        except Refused as refused:
            field = {"wrong": "password", "second_factor": "code"}.get(refused.code)
            missing = refused.code == "second_factor" and not refused.details.get("wrong_code")
            form.add_error(
                field, gettext("Enter the code from your phone") if missing else words.refusal(refused)
            )
    return _confirm_page(request, form, state, 422 if form.is_bound else 200)


def _confirm_page(request: Request, form: ConfirmForm, state: SecurityState, status: int) -> HttpResponse:
    context = {"form": form, "state": state, "next": safe_next(request)}
    return render(request, "security/confirm.html", context, status=status)


@access.alone
@require_POST
def confirm_options(request: Request) -> HttpResponse:
    """A challenge for one's own passkeys."""
    try:
        return webauthn.options(door.keeper().security_confirm_begin(_token(request)))
    except (KeeperUnavailable, Refused):
        return JsonResponse({}, status=503)


@access.alone
@require_POST
def confirm_passkey(request: Request) -> HttpResponse:
    """The answer of one's passkey."""
    try:
        answer = webauthn.assertion(request)
        door.keeper().security_confirm_passkey(_token(request), request.POST.get("state", ""), answer)
    except (webauthn.BadAnswer, Refused) as error:
        refused = error if isinstance(error, Refused) else Refused("challenge", "")
        form = ConfirmForm({})
        form.errors.clear()
        wrong = gettext("This passkey is not one of yours.")
        form.add_error(None, wrong if refused.code == "wrong" else words.refusal(refused))
        return _confirm_page(request, form, _state(request), 422)
    return HttpResponseRedirect(safe_next(request) or reverse("my-security"))


# The password ------------------------------------------------------------------------------------------


@access.alone
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: Request) -> HttpResponse:
    """Another password; the other sessions end."""
    state = _state(request)
    if not state.fresh:
        return _to_confirm(request)
    form = PasswordForm(request.POST) if request.method == "POST" else PasswordForm()
    if not state.password:
        del form.fields["old"]
    if request.method == "POST" and form.is_valid():
        try:
            ended = door.keeper().password_change(
                _token(request), form.cleaned_data.get("old", ""), form.cleaned_data["new"]
            )
        except Refused as refused:
            if refused.code == "confirm":
                return _to_confirm(request)
            field = {"wrong": "old", "weak_password": "new"}.get(refused.code)
            form.add_error(field, words.refusal(refused))
        else:
            _forget(ended)
            return _done("password")
    status = 422 if form.is_bound else 200
    return render(request, "security/password.html", {"form": form, "state": state}, status=status)


def _forget(ended: list[str]) -> None:
    for sid in ended:
        door.revocations.add(sid)
        actor.leave(sid)


# Codes of a phone --------------------------------------------------------------------------------------


@access.alone
@require_http_methods(["GET", "HEAD", "POST"])
def codes(request: Request) -> HttpResponse:
    """A new secret for the phone's app; it counts with its first code."""
    keeper, token = door.keeper(), _token(request)
    form = EnrolForm(request.POST) if request.method == "POST" else EnrolForm()
    try:
        if request.method != "POST":
            return _codes_page(request, form, keeper.totp_begin(token), 200)
        sealed = request.POST.get("state", "")
        enrolment = keeper.totp_again(token, sealed)
        if form.is_valid():
            keeper.totp_finish(token, sealed, form.cleaned_data["code"])
            return _done("codes")
    except Refused as refused:
        if refused.code in {"confirm", "role"}:
            return _to_confirm(request)
        if refused.code == "challenge":
            form.add_error(None, words.refusal(refused))
            return _codes_page(request, form, keeper.totp_begin(token), 422)
        form.add_error("code", words.refusal(refused))
    return _codes_page(request, form, enrolment, 422)


def _codes_page(request: Request, form: EnrolForm, enrolment: Enrolment, status: int) -> HttpResponse:
    drawn = segno.make(enrolment.uri, error="m").svg_inline(scale=5, border=2, dark="#000", light="#fff")
    context = {
        "form": form,
        "qr": Markup(drawn),  # noqa: S704  (made by segno, of a secret of ours)
        "uri": enrolment.uri,
        "secret": " ".join(enrolment.secret[at : at + 4] for at in range(0, len(enrolment.secret), 4)),
        "state": enrolment.state,
        "replaces": _state(request).totp_ms is not None,
    }
    return render(request, "security/codes.html", context, status=status)


@access.alone
@require_http_methods(["GET", "HEAD", "POST"])
def remove_codes(request: Request) -> HttpResponse:
    """No codes any more, after a question."""
    state = _state(request)
    if not state.fresh:
        return _to_confirm(request)
    if state.totp_ms is None:
        return HttpResponseRedirect(reverse("my-security"))
    problem = ""
    if request.method == "POST":
        try:
            door.keeper().totp_remove(_token(request))
            return _done("codes-removed")
        except Refused as refused:
            problem = words.refusal(refused)
    context = {"state": state, "sentence": problem}
    return render(request, "security/remove_codes.html", context, status=422 if problem else 200)


# Passkeys ----------------------------------------------------------------------------------------------


@access.alone
@require_http_methods(["GET", "HEAD", "POST"])
def new_passkey(request: Request) -> HttpResponse:
    """A name, and what the browser's device answers (by script)."""
    state = _state(request)
    if not state.passkeys_on:
        raise Http404
    if not state.fresh:
        return _to_confirm(request)
    form = NameForm(request.POST) if request.method == "POST" else NameForm(initial={"name": _label(request)})
    if request.method == "POST" and form.is_valid():
        try:
            said = webauthn.registration(request)
            sealed = request.POST.get("state", "")
            door.keeper().passkey_add(_token(request), sealed, form.cleaned_data["name"], *said)
            return _done("passkey")
        except webauthn.BadAnswer:
            form.add_error(None, words.refusal(Refused("passkey", "")))
        except Refused as refused:
            if refused.code == "confirm":
                return _to_confirm(request)
            form.add_error("name" if refused.code == "bad_name" else None, words.refusal(refused))
    context = {"form": form, "state": state}
    return render(request, "security/new_passkey.html", context, status=422 if form.is_bound else 200)


def _label(request: HttpRequest) -> str:
    label = device.label(request.headers.get("User-Agent", ""))
    return words.device(label) if label else ""


@access.alone
@require_POST
def new_passkey_options(request: Request) -> HttpResponse:
    """A challenge for a new passkey."""
    try:
        return webauthn.options(door.keeper().passkey_new(_token(request)))
    except (KeeperUnavailable, Refused):
        return JsonResponse({}, status=503)


@access.alone
@require_http_methods(["GET", "HEAD", "POST"])
def one_passkey(request: Request, mark: str) -> HttpResponse:
    """Rename a passkey, or take it away."""
    state = _state(request)
    found: PasskeyInfo | None = next((each for each in state.passkeys if each.mark.hex() == mark), None)
    if found is None:
        raise Http404
    removing = request.POST.get("do") == "remove"
    renaming = request.method == "POST" and not removing
    form = NameForm(request.POST) if renaming else NameForm(initial={"name": found.name})
    problem = ""
    try:
        if removing:
            if not state.fresh:
                return _to_confirm(request)
            door.keeper().passkey_remove(_token(request), found.mark)
            return _done("passkey-removed")
        if renaming and form.is_valid():
            door.keeper().passkey_rename(_token(request), found.mark, form.cleaned_data["name"])
            return _done("passkey-renamed")
    except Refused as refused:
        if refused.code == "confirm":
            return _to_confirm(request)
        problem = words.refusal(refused)
    context = {"form": form, "passkey": found, "sentence": problem, "state": state}
    return render(request, "security/passkey.html", context, status=422 if problem or form.is_bound else 200)


# Where one is signed in --------------------------------------------------------------------------------


@access.alone
@require_http_methods(["GET", "HEAD", "POST"])
def sessions(request: Request) -> HttpResponse:
    """Where the person is signed in; each session can be ended, or all at once."""
    if request.method == "POST":
        return _end(request)
    found = [
        {
            "info": info,
            "device": words.device(info.device),
            "place": words.place(info),
            "role": names.ROLES.get(info.role, info.role) if info.role != "citizen" else "",
            "how": words.FACTORS.get(info.factor, ""),
        }
        for info in door.keeper().sessions(_token(request))
    ]
    return render(request, "security/sessions.html", {"sessions": found, "ended": "ended" in request.GET})


def _end(request: Request) -> HttpResponse:
    wanted = request.POST.get("sid", "")
    session = request.session_now
    known = {info.sid for info in door.keeper().sessions(_token(request))}
    if session is None or wanted not in known | {"all", "others"}:
        raise Http404
    try:
        ended = door.keeper().end(_token(request), wanted)
    except Refused:
        raise Http404 from None
    _forget(ended)
    if session.sid in ended:
        request.renewed = None  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("sign-in"))
    return HttpResponseRedirect(f"{reverse('my-sessions')}?ended")


# As what one acts --------------------------------------------------------------------------------------


@access.alone
@require_http_methods(["GET", "HEAD", "POST"])
def role(request: Request) -> HttpResponse:
    """Choose as what to act; a new session of the same strength takes the place of this one."""
    roles = door.keeper().my_roles(_token(request))
    choices = [(_key(each), _role_words(each)) for each in roles]
    now = next((_key(each) for each in roles if each.current), "")
    form = RoleForm(request.POST or None, choices=choices, initial={"role": now})
    if request.method == "POST" and form.is_valid():
        chosen = next(each for each in roles if _key(each) == form.cleaned_data["role"])
        if chosen.current and request.session_now is not None:
            return HttpResponseRedirect(home_of(request.session_now, safe_next(request)))
        try:
            return _act_as(request, chosen.role, chosen.office)
        except Refused as refused:
            form.add_error(None, words.refusal(refused))
    context = {"form": form, "roles": roles, "next": safe_next(request)}
    return render(request, "security/role.html", context, status=422 if form.is_bound else 200)


def _act_as(request: Request, chosen: str, office: UUID | None) -> HttpResponse:
    session = door.keeper().act_as(
        _token(request),
        chosen,
        office,
        network=visitor.address(request),
        device=device.label(request.headers.get("User-Agent", "")),
    )
    wanted = home_of(session, safe_next(request))
    request.renewed = None  # type: ignore[attr-defined]
    return begin(request, session, lambda: HttpResponseRedirect(wanted))


def _key(info: RoleInfo) -> str:
    return f"{info.role} {info.office or ''}".strip()


def _role_words(info: RoleInfo) -> str:
    title = (
        str(names.ROLES.get(info.role, info.role))
        if info.role != "citizen"
        else gettext("Myself, as a citizen")
    )
    return f"{title}, {info.office_name}" if info.office_name else title
