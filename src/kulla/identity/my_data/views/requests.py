"""What a person asks of the register's office: corrections and erasure."""

from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from kulla.identity.my_data import sentences, words
from kulla.identity.my_data.forms import CorrectionForm, ErasureForm
from kulla.keeper_client import Refused
from kulla.registry import access, door
from kulla.registry.access import Request
from kulla.web import uploads


@access.citizen("identity")
@require_http_methods(["GET", "HEAD", "POST"])
@uploads.takes_files
def correct(request: Request) -> HttpResponse:
    """Ask for a correction. A file that is refused takes nothing that was typed with it."""
    form = CorrectionForm()
    status = 200
    if request.method == "POST":
        form = CorrectionForm(request.POST, request.FILES)
        valid = form.is_valid()
        if uploads.too_large(request, "document"):
            form.add_error("document", str(sentences.DOCUMENT["too_large"]))
            valid = False
        status = 422
        if valid:
            refused = _ask(request, form)
            if refused is None:
                return HttpResponseRedirect(f"{reverse('my-data')}?done=correction")
            if refused.code == "bad_document":
                reason = str(refused.details.get("reason"))
                form.add_error("document", str(sentences.DOCUMENT.get(reason, sentences.DOCUMENT["broken"])))
            else:
                form.add_error("value" if refused.code == "bad_value" else None, sentences.of(refused))
    return render(request, "my_data/correct.html", {"form": form}, status=status)


def _ask(request: Request, form: CorrectionForm) -> Refused | None:
    data = form.cleaned_data
    file = data.get("document")
    document = file.read() if file else b"" if "document" in request.FILES else None
    try:
        door.keeper().correction_ask(
            request.token or "", data["field"], data["value"], data["reason"], document
        )
    except Refused as refused:
        return refused
    return None


@access.citizen("identity", alone=True)
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: Request) -> HttpResponse:
    """Ask for erasure of everything: what is destroyed, what stays, and until when it can be taken back."""
    form = ErasureForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                door.keeper().erasure_ask(request.token or "", form.cleaned_data["text"])
                return HttpResponseRedirect(f"{reverse('my-data')}?done=erasure")
            except Refused as refused:
                form.add_error(None, sentences.of(refused))
                status = 409
    requests = door.keeper().erasures_mine(request.token or "")
    waiting = any(
        each.state in {"open", "proposed"}
        or (each.state == "agreed" and each.standing in {"begun", "waiting"})
        for each in requests
    )
    context = {"form": form, "erasures": requests, "waiting": waiting, "words": words}
    return render(request, "my_data/erase.html", context, status=status)


@access.citizen("identity", alone=True)
@require_POST
def withdraw(request: Request, erasure: UUID) -> HttpResponse:
    """Take a request for erasure back."""
    try:
        door.keeper().erasure_withdraw(request.token or "", erasure)
    except Refused as refused:
        if refused.code == "unknown_request":
            raise Http404 from None
        if refused.code != "decided":
            raise
    return HttpResponseRedirect(f"{reverse('my-data')}?done=withdrawn")
