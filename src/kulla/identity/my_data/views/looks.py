"""Who looked at my data: by the page, filtered, as a file; and questions about looks."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from kulla.identity import names
from kulla.identity.my_data import sentences, tables, words
from kulla.identity.my_data.forms import LooksFilter, QuestionForm
from kulla.identity.my_data.grouping import together
from kulla.keeper_client import LookLine, Refused
from kulla.registry import access, door
from kulla.registry import services as registry
from kulla.registry.access import Request
from kulla.web import when
from kulla.web.jinja import in_language

PAGE = 50
IN_FILE = 500  # looks asked for at once for a file
GONE = {"unknown_look", "unknown_question"}


@access.citizen("identity")
@require_safe
def page(request: Request) -> HttpResponse:
    """A page of looks, newest first."""
    form = _filter(request)
    before = _uuid(request.GET.get("before"))
    wanted = _wanted(form)
    try:
        found, following = door.keeper().my_looks(request.token or "", before=before, limit=PAGE, **wanted)
    except Refused as refused:
        raise _gone(refused) from None
    kept = [(name, value) for name, value in request.GET.items() if name in form.fields or "_" in name]
    kept = [(name, value) for name, value in kept if value]
    context = {
        "form": form,
        "groups": together(found),
        "filtered": bool(kept),
        "first": before is None,
        "kept": urlencode(kept),
        "next": urlencode([*kept, ("before", str(following))]) if following else "",
        "questions": door.keeper().questions_mine(request.token or "") if not _assisted(request) else [],
        "assisted": _assisted(request),
        "titles": _titles(),
        **_words(),
    }
    return render(request, "my_data/looks.html", context)


@access.citizen("identity")
@require_safe
def as_csv(request: Request) -> HttpResponse:
    """The looks of this filter as a table for a spreadsheet."""
    return _file(tables.as_csv(_all(request), _titles()), "text/csv; charset=utf-8", "csv")


@access.citizen("identity")
@require_safe
def as_json(request: Request) -> HttpResponse:
    """The looks of this filter for programs."""
    return _file(tables.as_json(_all(request), _titles()), "application/json", "json")


@access.citizen("identity", alone=True)
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: Request, ref: UUID) -> HttpResponse:
    """ "I do not understand this look": a question to that office's data-protection official."""
    keeper, token = door.keeper(), request.token or ""
    try:
        look = keeper.my_look(token, ref)
    except Refused as refused:
        raise _gone(refused) from None
    if look.question is not None:
        return HttpResponseRedirect(reverse("my-question", args=[look.question]))
    form = QuestionForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                asked = keeper.question_ask(token, ref, form.cleaned_data["text"])
                return HttpResponseRedirect(f"{reverse('my-question', args=[asked.id])}?asked")
            except Refused as refused:
                if refused.code in GONE:
                    raise Http404 from None
                form.add_error(None, sentences.of(refused))
                status = 409
    context = {"look": look, "form": form, "titles": _titles(), **_words()}
    return render(request, "my_data/ask.html", context, status=status)


@access.citizen("identity", alone=True)
@require_safe
def question(request: Request, question: UUID) -> HttpResponse:
    """One of one's own questions: when the answer is due, and the answer."""
    try:
        found = door.keeper().question_mine(request.token or "", question)
    except Refused as refused:
        raise _gone(refused) from None
    context = {"question": found, "asked": "asked" in request.GET, "titles": _titles(), **_words()}
    return render(request, "my_data/question.html", context)


def _filter(request: Request) -> LooksFilter:
    """The form with what is there to choose from."""
    services = [(slug, title) for slug, title in sorted(_titles().items(), key=lambda each: each[1])]
    offices = [(str(office), name) for office, name in door.keeper().my_looks_offices(request.token or "")]
    whose: list[tuple[str, str]] = []
    me = request.actor
    if me.wards and me.person:
        called = names.of_wards([me])
        whose = [(str(me.person), _("Mine")), *((str(ward), name) for ward, name in called.items())]
    return LooksFilter(request.GET, offices=offices, services=services, whose=whose)


def _wanted(form: LooksFilter) -> dict[str, Any]:
    """What the keeper is asked for; a field that is wrong says so on the page and filters nothing."""
    form.is_valid()
    data = form.cleaned_data
    wanted: dict[str, Any] = {"service": data.get("service") or "", "refused": bool(data.get("refused"))}
    wanted |= {name: UUID(data[name]) for name in ("office", "whose") if data.get(name)}
    if since := data.get("since"):
        wanted["since_ms"] = _ms(datetime.combine(since, time.min, when.TIRANA))
    if until := data.get("until"):
        wanted["until_ms"] = _ms(datetime.combine(until, time.min, when.TIRANA) + timedelta(days=1))
    return wanted


def _all(request: Request) -> Iterator[LookLine]:
    """Every look of the filter, page by page."""
    wanted = _wanted(_filter(request))
    before: UUID | None = None
    while True:
        found, before = door.keeper().my_looks(request.token or "", before=before, limit=IN_FILE, **wanted)
        yield from found
        if before is None:
            return


def _file(content: bytes, kind: str, ending: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="kulla-looks.{ending}"'
    return response


def _titles() -> dict[str, str]:
    """Titles of services by slug."""
    return {service.slug: in_language(dict(service.title)) for service in registry.all_services()}


def _words() -> dict[str, Any]:
    return {"roles": names.ROLES, "purposes": words.PURPOSES, "fields": words.FIELDS}


def _assisted(request: Request) -> bool:
    return getattr(request.session_now, "assisted", None) is not None


def _gone(refused: Refused) -> Exception:
    """What is not this person's does not exist."""
    return Http404() if refused.code in {*GONE, "unknown_person"} else refused


def _uuid(text: str | None) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def _ms(moment: datetime) -> int:
    return max(0, int(moment.timestamp() * 1000))
