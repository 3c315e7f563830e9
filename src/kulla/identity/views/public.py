"""Pages for anyone: the front page, the services, what Kulla is, and how to check it."""

import unicodedata

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from kulla.identity import health, policy
from kulla.identity.forms import SearchForm
from kulla.registry import access
from kulla.registry import services as registry
from kulla.registry.services import Service

LANGUAGE_AGE_S = 365 * 24 * 3600


@access.public
@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """What one can do here, at a glance."""
    return render(request, "identity/front.html", {"search": SearchForm(), "found": for_citizens()})


@access.public
@require_safe
def services(request: HttpRequest) -> HttpResponse:
    """Every service, or those that match the words of the search."""
    search = SearchForm({"q": request.GET.get("q", "")[:100]})
    search.is_valid()
    words = search.cleaned_data.get("q", "")
    found = [service for service in for_citizens() if matches(service, words)]
    return render(request, "identity/services.html", {"search": search, "words": words, "found": found})


@access.public
@require_safe
def language(request: HttpRequest) -> HttpResponse:
    """Keep the visitor's choice of language in a cookie and go back to the same page."""
    back = request.GET.get("next", "/")
    if not back.startswith("/") or not url_has_allowed_host_and_scheme(back, None):
        back = "/"
    response = HttpResponseRedirect(back)
    chosen = request.GET.get("to", "")
    if chosen in dict(settings.LANGUAGES):
        # On a device that is not one's own nothing stays behind.
        session = getattr(request, "session_now", None)
        set_language(response, chosen, stay=session is None or not session.short)
    return response


def set_language(response: HttpResponse, code: str, *, stay: bool = True) -> None:
    """Remember a language in the browser for a year; with `stay` off, until it is closed."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=LANGUAGE_AGE_S if stay else None,
        secure=settings.KULLA_TLS,
        httponly=True,
        samesite="Lax",
    )


@access.public
@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """What Kulla is and what it promises."""
    return render(request, "identity/about.html")


@access.public
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What is known about a person, by whom, and how to see it."""
    return render(request, "identity/privacy.html")


@access.public
@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """For whom the pages are made to work, and what to do when they do not."""
    return render(request, "identity/accessibility.html")


@access.public
@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """How to check a receipt without us."""
    context = {
        "policy": policy.text(),
        "fingerprint": policy.fingerprint(),
        "mirrors": policy.addresses(),
        "verifiers": policy.verifiers(),
    }
    return render(request, "identity/verify.html", context)


@access.public
@require_safe
def policy_file(_request: HttpRequest) -> HttpResponse:
    """The policy as a file, byte for byte what its fingerprint is of."""
    if not policy.text():
        raise Http404
    response = HttpResponse(policy.text(), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="policy"'
    return response


@access.public
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Which parts of the house work right now."""
    return render(request, "identity/status.html", {"parts": health.parts()})


def for_citizens() -> list[Service]:
    """The services that citizens use, in the order of their slugs."""
    return [service for service in registry.all_services() if "citizen" in service.roles]


def matches(service: Service, words: str) -> bool:
    """Whether every word stands in the title, summary or keywords, in any language, with or without ë and ç."""
    texts = [*service.title.values(), *service.summary.values(), *service.keywords.values()]
    text = plain(" ".join(texts))
    return all(word in text for word in plain(words).split())


def plain(text: str) -> str:
    """Lower case without accents, as people type on a phone."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))
