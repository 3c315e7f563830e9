"""Signing in and out.

1. Number and password go to the keeper; "wrong" is all that a wrong pair is told.
2. Officials are asked for the code of their phone. Between the two steps the pair waits in the page itself,
   sealed under the portal's cookie key and valid for five minutes; the portal keeps nothing.
3. A form that was sent after its session had ended travels along in `carry` (see `registry.resume`), and after
   signing in one button sends it where it was meant to go.
"""

import contextlib
import json
import time
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from kulla.identity import device
from kulla.identity.forms import CodeForm, SignInForm
from kulla.identity.views.public import set_language
from kulla.keeper_client import KeeperUnavailable, Refused, Session
from kulla.registry import access, actor, cookie, door, resume, visitor
from kulla.registry import services as registry
from kulla.registry.middleware import drop_session, set_session

STEP_S = 5 * 60


@dataclass
class Attempt:
    """What the page of one attempt needs to be drawn again."""

    request: HttpRequest
    next: str
    carry: str

    def page(
        self, template: str, form: SignInForm | CodeForm, status: int = 200, **more: Any
    ) -> HttpResponse:
        """The form, with what is to happen after it."""
        context = {"form": form, "next": self.next, "carry": self.carry, **more}
        response = render(self.request, f"identity/{template}", context, status=status)
        response["Cache-Control"] = "no-store"
        return response


@access.public
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Both steps of signing in."""
    attempt = Attempt(request, safe_next(request), request.POST.get("carry", ""))
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


def _second_step(attempt: Attempt) -> HttpResponse:
    step = attempt.request.POST["step"]
    pair = _unseal(step, "second step", STEP_S)
    form = CodeForm(attempt.request.POST)
    if pair is None:
        first = SignInForm({"identifier": "", "password": ""})
        first.errors.clear()
        first.add_error(None, gettext("That took too long. Enter your number and password again."))
        return attempt.page("sign_in.html", first, 422)
    if not form.is_valid():
        return attempt.page("sign_in_code.html", form, 422, step=step)
    return _ask(attempt, form, pair["identifier"], pair["password"], form.cleaned_data["code"])


def _ask(
    attempt: Attempt, form: SignInForm | CodeForm, identifier: str, password: str, code: str | None
) -> HttpResponse:
    """Ask the keeper and show its answer."""
    request = attempt.request
    try:
        session = door.keeper().sign_in(
            identifier,
            password,
            code,
            network=visitor.address(request),
            device=device.label(request.headers.get("User-Agent", "")),
            language=request.LANGUAGE_CODE,
        )
    except Refused as refused:
        return _refused(attempt, form, refused, {"identifier": identifier, "password": password})
    except KeeperUnavailable:
        form.add_error(
            None, gettext("Nobody can sign in for a moment: the part that knows people does not answer.")
        )
        return _again(attempt, form, 503)
    return _signed_in(attempt, session)


def _refused(
    attempt: Attempt, form: SignInForm | CodeForm, refused: Refused, pair: dict[str, str]
) -> HttpResponse:
    if refused.code == "second_factor":
        step = _seal(pair, "second step")
        if not isinstance(form, CodeForm):
            return attempt.page("sign_in_code.html", CodeForm(), step=step)
        form.add_error("code", gettext("That code is wrong or was used already. Wait for the next one."))
        return attempt.page("sign_in_code.html", form, 422, step=step)
    if refused.code == "slow_down":
        minutes = max(1, -(-int(refused.details.get("retry_after_s", 60)) // 60))
        sentence = ngettext(
            "There were too many attempts. Try again in %(minutes)s minute.",
            "There were too many attempts. Try again in %(minutes)s minutes.",
            minutes,
        )
        form.add_error(None, sentence % {"minutes": minutes})
        return _again(attempt, form, 429)
    if refused.code == "wrong":
        form.add_error(None, gettext("The number or the password is wrong."))
        return _again(attempt, form, 422)
    form.add_error(
        None, gettext("Nobody can sign in for a moment: the part that knows people does not answer.")
    )
    return _again(attempt, form, 503)


def _again(attempt: Attempt, form: SignInForm | CodeForm, status: int) -> HttpResponse:
    if isinstance(form, CodeForm):
        return attempt.page("sign_in_code.html", form, status, step=attempt.request.POST["step"])
    return attempt.page("sign_in.html", form, status)


def _signed_in(attempt: Attempt, session: Session) -> HttpResponse:
    """Give the cookie and go on: to the page that was asked for, or to what was typed before."""
    request = attempt.request
    rotate_token(request)
    if (older := request.session_now) is not None and older.sid != session.sid:  # type: ignore[attr-defined]
        _end(older)  # on a shared computer the one before must not stay signed in behind the one now
    carried = resume.unpack(attempt.carry, request)
    response: HttpResponse = HttpResponseRedirect(home_of(session, attempt.next))
    if carried is not None:
        request.session_now = session  # type: ignore[attr-defined]
        response = resume.again(request, carried)
        response["Cache-Control"] = "no-store"
    set_session(response, session)
    if request.COOKIES.get("language") is None:
        set_language(response, session.language)
    return response


def _end(session: Session) -> None:
    """End a session here at once, and in the keeper; if that is away, its token ends by itself in 15 minutes."""
    door.revocations.add(session.sid)
    actor.leave(session.sid)
    with contextlib.suppress(KeeperUnavailable, Refused):
        door.keeper().end(session.token)


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
    return first if not wanted or wanted.split("?", maxsplit=1)[0].startswith(reverse("my")) else wanted


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
