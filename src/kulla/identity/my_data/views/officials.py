"""The pages of data-protection officials: questions about looks, and courts' orders."""

from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from kulla.identity import names
from kulla.identity.my_data import sentences, words
from kulla.identity.my_data.forms import AnswerForm, OrderForm
from kulla.keeper_client import Refused
from kulla.registry import access, door
from kulla.registry import services as registry
from kulla.registry.access import Request
from kulla.web.jinja import in_language


@access.staff("identity", roles=("protection",))
@require_safe
def questions(request: Request) -> HttpResponse:
    """What waits for an answer, the most urgent first; and what was answered."""
    keeper, token = door.keeper(), request.token or ""
    context = {
        "waiting": keeper.questions_to_answer(token),
        "answered": keeper.questions_to_answer(token, answered=True),
        "done": "done" in request.GET,
        **_words(),
    }
    return render(request, "my_data/questions.html", context)


@access.staff("identity", roles=("protection",))
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: Request, question: UUID) -> HttpResponse:
    """One question with its look and the official who looked; never who asks."""
    keeper, token = door.keeper(), request.token or ""
    try:
        found = keeper.question_to_answer(token, question)
    except Refused as refused:
        raise _gone(refused) from None
    form = AnswerForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                keeper.question_answer(token, question, form.cleaned_data["text"])
                return HttpResponseRedirect(f"{reverse('questions')}?done")
            except Refused as refused:
                form.add_error(None, sentences.of(refused))
                status = 409
    context = {"question": found, "form": form, **_words()}
    return render(request, "my_data/answer.html", context, status=status)


@access.staff("identity", roles=("protection", "registrar"))
@require_http_methods(["GET", "HEAD", "POST"])
def order(request: Request) -> HttpResponse:
    """A court's order to show looks later; it counts when a second official has said yes."""
    keeper = door.keeper()
    offices = sorted(((each.id, each.name) for each in keeper.offices()), key=lambda each: each[1])
    form = OrderForm(request.POST if request.method == "POST" else None, offices=offices)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            data = form.cleaned_data
            days = {name: data[name] for name in ("since", "until", "shown")}
            names_of = {"order": data["order"], "court": data["court"], "office": UUID(data["office"])}
            try:
                keeper.look_delay_ask(request.token or "", data["number"], **names_of, **days)
                return HttpResponseRedirect(f"{reverse('look-order')}?done")
            except Refused as refused:
                _explain(form, refused)
                status = 409
    context = {"form": form, "done": "done" in request.GET}
    return render(request, "my_data/order.html", context, status=status)


def _explain(form: OrderForm, refused: Refused) -> None:
    if refused.code == "bad_order":
        field, sentence = sentences.ORDER.get(str(refused.details.get("reason")), sentences.ORDER["period"])
        form.add_error(field, str(sentence))
    elif refused.code in {"unknown_person", "bad_identifier"}:
        form.add_error("number", sentences.of(refused))
    else:
        form.add_error(None, sentences.of(refused))


def _gone(refused: Refused) -> Exception:
    return Http404() if refused.code == "unknown_question" else refused


def _words() -> dict[str, object]:
    titles = {service.slug: in_language(dict(service.title)) for service in registry.all_services()}
    return {"roles": names.ROLES, "purposes": words.PURPOSES, "fields": words.FIELDS, "titles": titles}
