"""My data: what is held, as a page, as JSON, as PDF; and what a person has chosen."""

from collections.abc import Callable

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kulla.identity import names
from kulla.identity.my_data import held, sentences, words
from kulla.identity.my_data.forms import SettingsForm
from kulla.identity.my_data.pdf import my_data_pdf
from kulla.identity.receipts import actors
from kulla.identity.views.public import set_language
from kulla.keeper_client import Refused
from kulla.registry import access, door
from kulla.registry.access import Request

SHOWN = 5  # rows of a section on the screen; paper and files have all


@access.citizen("identity")
@require_safe
def page(request: Request) -> HttpResponse:
    """What is held, in words. With ?all every row, for printing."""
    everything = "all" in request.GET
    return _page(request, most=None if everything else SHOWN)


def _page(request: Request, *, most: int | None, sentence: str = "", status: int = 200) -> HttpResponse:
    assisted = assisted_by(request)
    parts = _parts(request)
    requests = [] if assisted else door.keeper().erasures_mine(request.token or "")
    context = {
        "parts": [(part, part.lines(most)) for part in parts],
        "empty": [part.title for part in parts if not part.rows and not part.broken],
        "most": most,
        "assisted": assisted,
        "corrections": door.keeper().corrections_mine(request.token or ""),
        "erasures": requests,
        "sentence": sentence,
        "words": words,
        "done": request.GET.get("done", ""),
    }
    return render(request, "my_data/data.html", context, status=status)


@access.citizen("identity", alone=True)
@require_POST
def download(request: Request, how: str) -> HttpResponse:
    """Everything as a file. That it was downloaded stands among the looks before the file leaves."""
    make: dict[str, Callable[[], tuple[bytes, str]]] = {
        "json": lambda: (held.as_json(_parts(request)), "application/json"),
        "pdf": lambda: (_pdf(request), "application/pdf"),
    }
    try:
        door.keeper().my_download(request.token or "", how)
    except Refused as refused:
        return _page(request, most=SHOWN, sentence=sentences.of(refused), status=409)
    content, kind = make[how]()
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="kulla-my-data.{how}"'
    return response


def _pdf(request: Request) -> bytes:
    language = (get_language() or "sq").split("-")[0]
    return my_data_pdf(_parts(request), name=names.own(request.actor), language=language)


def _parts(request: Request) -> list[held.Part]:
    return [*held.of_keeper(request.token or ""), *held.of_services(actors(request))]


@access.citizen("identity")
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: Request) -> HttpResponse:
    """Language, channels, needs."""
    keeper, token, assisted = door.keeper(), request.token or "", assisted_by(request)
    now = keeper.my_settings(token)
    form = SettingsForm(
        request.POST if request.method == "POST" else None,
        assisted=assisted,
        initial={
            "language": now["language"],
            "needs": now["needs"],
            **{f"on_{group}": some for group, some in now["channels"].items()},
        },
    )
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            data = form.cleaned_data
            channels = None if assisted else {group: data[f"on_{group}"] for group in form.groups}
            try:
                keeper.my_settings_change(
                    token, language=data["language"], channels=channels, needs=data["needs"]
                )
                response = HttpResponseRedirect(f"{reverse('my-settings')}?saved")
                if data["language"] != now["language"]:
                    set_language(response, data["language"])
                return response
            except Refused as refused:
                form.add_error(None, sentences.of(refused))
                status = 409
    context = {"form": form, "saved": "saved" in request.GET, "assisted": assisted}
    return render(request, "my_data/settings.html", context, status=status)


def assisted_by(request: Request) -> bool:
    """Whether a clerk acts with the person present."""
    return getattr(request.session_now, "assisted", None) is not None
