"""Signing in and out.

1. Number and password go to the keeper; "wrong" is all that a wrong pair is told.
2. Whoever has a second factor is asked for the code of their phone. Between the two steps the pair waits in the page
   itself, sealed under the portal's cookie key and valid for five minutes; the portal keeps nothing.
3. Or a passkey: the page's script (web/assets/src/passkeys.js) asks for a challenge and sends the device's answer.
4. A form that was sent after its session had ended travels along in `carry` (see `registry.resume`), and after
   signing in one button sends it where it was meant to go.
"""

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from kulla.identity import device
from kulla.identity.forms import CodeForm, SignInForm
from kulla.identity.security import known, webauthn, words
from kulla.identity.views.public import set_language
from kulla.keeper_client import KeeperUnavailable, Refused, Session
from kulla.registry import access, actor, cookie, door, resume, visitor
from kulla.registry import services as registry
from kulla.registry.middleware import drop_session, set_session

STEP_S = 5 * 60
EVERYTHING = '"cache", "cookies", "storage"'  # Clear-Site-Data, W3C


@dataclass
class Attempt:
    """What the page of one attempt needs to be drawn again."""

    request: HttpRequest
    next: str
    carry: str
    short: bool = False

    def page(
        self, template: str, form: SignInForm | CodeForm, status: int = 200, **more: Any
    ) -> HttpResponse:
        """The form, with what is to happen after it."""
        context = {"form": form, "next": self.next, "carry": self.carry, "short": self.short, **more}
        response = render(self.request, f"identity/{template}", context, status=status)
        response["Cache-Control"] = "no-store"
        return response

    def origin(self) -> dict[str, Any]:
        """Where the attempt comes from, as the keeper asks for it."""
        return {
            "network": visitor.address(self.request),
            "device": device.label(self.request.headers.get("User-Agent", "")),
            "language": self.request.LANGUAGE_CODE,
            "short": self.short,
            "notes": known.read(self.request),
        }


@access.public
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Both steps of signing in."""
    attempt = _attempt(request)
    session: Session | None = request.session_now  # type: ignore[attr-defined]
    if request.method != "POST":
        if session is not None:
            return HttpResponseRedirect(home_of(session, attempt.next))
        return attempt.page("sign_in.html", SignInForm())
    if "begin" in request.POST:
        return attempt.page("sign_in.html", SignInForm())
    if "step" in request.POST:
        return _second_step(attempt)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return attempt.page("sign_in.html", form, 422)
    return _ask(attempt, form, form.cleaned_data["identifier"], form.cleaned_data["password"], None)


def _attempt(request: HttpRequest) -> Attempt:
    return Attempt(
        request, safe_next(request), request.POST.get("carry", ""), request.POST.get("short", "") == "on"
    )


def _second_step(attempt: Attempt) -> HttpResponse:
    step = attempt.request.POST["step"]
    pair = _unseal(step, "second step", STEP_S)
    form = CodeForm(attempt.request.POST)
    if pair is None:
        return _anew(attempt, gettext("That took too long. Enter your number and password again."), 422)
    attempt.short = bool(pair.get("short"))
    if not form.is_valid():
        return attempt.page("sign_in_code.html", form, 422, step=step)
    return _ask(attempt, form, pair["identifier"], pair["password"], form.cleaned_data["code"])


def _anew(attempt: Attempt, sentence: str, status: int) -> HttpResponse:
    """The first page again, with a sentence about what stands in the way."""
    typed = {"identifier": attempt.request.POST.get("identifier", "")[:64], "password": ""}
    form = SignInForm({**typed, "short": attempt.short})
    form.errors.clear()
    form.add_error(None, sentence)
    return attempt.page("sign_in.html", form, status)


def _ask(
    attempt: Attempt, form: SignInForm | CodeForm, identifier: str, password: str, code: str | None
) -> HttpResponse:
    """Ask the keeper and show its answer."""
    try:
        session = door.keeper().sign_in(identifier, password, code, **attempt.origin())
    except Refused as refused:
        return _refused(attempt, form, refused, {"identifier": identifier, "password": password})
    except KeeperUnavailable:
        form.add_error(None, away())
        return _again(attempt, form, 503)
    return _signed_in(attempt, session)


def _refused(
    attempt: Attempt, form: SignInForm | CodeForm, refused: Refused, pair: dict[str, Any]
) -> HttpResponse:
    if refused.code == "second_factor":
        step = _seal({**pair, "short": attempt.short}, "second step")
        if not isinstance(form, CodeForm):
            return attempt.page("sign_in_code.html", CodeForm(), step=step)
        form.add_error("code", words.refusal(refused))
        return attempt.page("sign_in_code.html", form, 422, step=step)
    sentence, status = sentence_of(refused)
    form.add_error(None, sentence)
    return _again(attempt, form, status)


def sentence_of(refused: Refused) -> tuple[str, int]:
    """What a refused attempt is told, and its status."""
    if refused.code == "slow_down":
        return words.slow_down(refused), 429
    if refused.code == "wrong":
        return gettext("The number or the password is wrong."), 422
    if refused.code == "passkey_needed":
        return gettext("Your account has a passkey and no codes: officials sign in with it."), 422
    if refused.code == "user_verification":
        return gettext("Your device must check that it is you: with finger, face or PIN."), 422
    if refused.code in {"challenge", "passkey_copied"}:
        return words.refusal(refused), 422
    return away(), 503


def away() -> str:
    """Nobody signs in while the keeper is away."""
    return gettext("Nobody can sign in for a moment: the part that knows people does not answer.")


def _again(attempt: Attempt, form: SignInForm | CodeForm, status: int) -> HttpResponse:
    if isinstance(form, CodeForm):
        return attempt.page("sign_in_code.html", form, status, step=attempt.request.POST["step"])
    return attempt.page("sign_in.html", form, status)


def _signed_in(attempt: Attempt, session: Session) -> HttpResponse:
    """Give the cookie and go on: to the page that was asked for, or to what was typed before."""
    carried = resume.unpack(attempt.carry, attempt.request)
    wanted = home_of(session, attempt.next)
    if session.several and carried is None:
        wanted = (
            f"{reverse('my-role')}?{urlencode({'next': attempt.next})}"
            if attempt.next
            else reverse("my-role")
        )

    def respond() -> HttpResponse:
        if carried is None:
            return HttpResponseRedirect(wanted)
        response = resume.again(attempt.request, carried)
        response["Cache-Control"] = "no-store"
        return response

    response = begin(attempt.request, session, respond)
    known.write(response, session.remember)
    return response


def begin(request: HttpRequest, session: Session, respond: Callable[[], HttpResponse]) -> HttpResponse:
    """A new session in this browser: what `respond` draws for it, with the cookie. The one before ends."""
    rotate_token(request)
    if (older := request.session_now) is not None and older.sid != session.sid:  # type: ignore[attr-defined]
        _end(older)  # on a shared computer the one before must not stay signed in behind the one now
    request.session_now = session  # type: ignore[attr-defined]
    response = respond()
    set_session(response, session)
    if request.COOKIES.get("language") is None and not session.short:
        set_language(response, session.language)
    return response


def _end(session: Session) -> None:
    """End a session here at once, and in the keeper; if that is away, its token ends by itself in 15 minutes."""
    door.revocations.add(session.sid)
    actor.leave(session.sid)
    with contextlib.suppress(KeeperUnavailable, Refused):
        door.keeper().end(session.token)


# By passkey --------------------------------------------------------------------------------------------


@access.public
@require_POST
def passkey_options(request: HttpRequest) -> HttpResponse:
    """A challenge for the script of the sign-in page; what is typed as number goes along."""
    identifier = "".join(request.POST.get("identifier", "")[:64].split())
    try:
        return webauthn.options(door.keeper().passkey_begin(identifier))
    except (KeeperUnavailable, Refused):
        return JsonResponse({}, status=503)


@access.public
@require_POST
def passkey(request: HttpRequest) -> HttpResponse:
    """The answer of a passkey."""
    attempt = _attempt(request)
    try:
        answer = webauthn.assertion(request)
        session = door.keeper().passkey_sign_in(request.POST.get("state", ""), answer, **attempt.origin())
    except webauthn.BadAnswer:
        return _anew(attempt, words.refusal(Refused("challenge", "")), 422)
    except Refused as refused:
        sentence, status = sentence_of(refused)
        if refused.code == "wrong":
            sentence = gettext("This passkey opens no account here.")
        return _anew(attempt, sentence, status)
    except KeeperUnavailable:
        return _anew(attempt, away(), 503)
    return _signed_in(attempt, session)


# Out ---------------------------------------------------------------------------------------------------


@access.public
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this session, in the keeper and in the browser. Works for a session that has ended already."""
    session: Session | None = request.session_now  # type: ignore[attr-defined]
    response = HttpResponseRedirect(reverse("front"))
    if session is not None:
        _end(session)
    request.renewed = None  # type: ignore[attr-defined]
    drop_session(response)
    if session is not None and session.short:
        response["Clear-Site-Data"] = EVERYTHING
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    return response


def safe_next(request: HttpRequest) -> str:
    """The page to go to after signing in: an address of ours, or ""."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, None)
    return wanted if ours and not wanted.startswith(reverse("sign-in")) else ""


def home_of(session: Session, wanted: str = "") -> str:
    """Where a session begins: the page that was asked for, else the first page of its role."""
    if session.role == "citizen":
        return wanted or reverse("my")
    if session.role == "operator":
        first = reverse("operator")
    else:
        homes = (service.staff_home.get(session.role) for service in registry.all_services())
        first = next((home for home in homes if home), reverse("staff"))
    # A page of citizens does not exist for an official: better the first page than "does not exist".
    path = wanted.split("?", maxsplit=1)[0]
    citizens_only = path.startswith(reverse("my")) and not path.startswith(_everybodys())
    return first if not wanted or citizens_only else wanted


def _everybodys() -> tuple[str, ...]:
    return tuple(reverse(name) for name in ("my-security", "my-sessions", "my-role"))


def _seal(value: dict[str, Any], purpose: str) -> str:
    return cookie.seal(json.dumps({"at": int(time.time()), "value": value}), purpose)


def _unseal(text: str, purpose: str, age_s: int) -> dict[str, Any] | None:
    """What `_seal` was given, unless it is older than `age_s` or not ours."""
    opened = cookie.open_sealed(text, purpose)
    if opened is None:
        return None
    box = json.loads(opened)
    value: dict[str, Any] = box["value"]
    return value if time.time() - box["at"] <= age_s else None
