"""The receipt of one entry: its page, the fragment that turns by itself, the proof as text, the paper."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from kulla.identity import pdf as paper
from kulla.identity import policy
from kulla.identity.receipts import Seen, of_viewer, open_for, text_of
from kulla.registry import access
from kulla.registry import services as registry
from kulla.registry.access import Request


@access.signed_in
@require_safe
def page(request: Request, uuid: UUID) -> HttpResponse:
    """What was recorded, and whether it is safe yet."""
    seen = of_viewer(request, uuid)
    return render(request, "identity/receipt.html", {"opened": open_for(seen), **state_of(seen)})


@access.signed_in
@require_safe
def status(request: Request, uuid: UUID) -> HttpResponse:
    """Only the part of the page that changes; nothing personal is opened for it."""
    seen = of_viewer(request, uuid)
    return render(request, "identity/receipt_status.html", state_of(seen))


@access.signed_in
@require_safe
def text(request: Request, uuid: UUID) -> HttpResponse:
    """The proof as a file that verifies offline (c2sp.org/tlog-proof@v1)."""
    seen = of_viewer(request, uuid)
    body = text_of(seen, open_for(seen))
    ending = "txt" if request.path.endswith(".txt") else "tlog-proof"
    response = HttpResponse(body, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="kulla-{seen.entry.check_code}.{ending}"'
    return response


@access.signed_in
@require_safe
def pdf(request: Request, uuid: UUID) -> HttpResponse:
    """The receipt on one page of paper, with the proof attached to the file."""
    seen = of_viewer(request, uuid)
    opened = open_for(seen)
    proof = text_of(seen, opened)
    if seen.entry.leaf_hash is None or seen.entry.check_code is None:
        raise Http404
    body = paper.receipt_pdf(
        title=seen.title,
        who=opened.who,
        lines=opened.lines,
        check_code=seen.entry.check_code,
        leaf_hash=seen.entry.leaf_hash,
        received_ms=seen.entry.at_ms,
        address=request.build_absolute_uri(reverse("receipt", args=[uuid])),
        proof=proof,
        policy_fingerprint=policy.fingerprint(),
        language=get_language() or "sq",
    )
    response = HttpResponse(body, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="kulla-{seen.entry.check_code}.pdf"'
    return response


def state_of(seen: Seen) -> dict[str, Any]:
    """What the part of the page that changes shows: the state, and what can be done once it is received."""
    received = seen.entry.status == "received"
    citizen = seen.actor.person is not None
    return {
        "seen": seen,
        "entry": seen.entry,
        "calendar": _address(seen.service.calendar, seen) if received and citizen else None,
        "manage": _address(seen.service.manage, seen) if received else None,
        "verifiers": policy.verifiers() if received else [],
    }


def _address(target: str | None, seen: Seen) -> str | None:
    """What the service's function answers for this viewer and entry: an address, or None."""
    if not target:
        return None
    found: str | None = registry.load(target)(seen.actor, seen.entry.uuid)  # type: ignore[operator]
    return found
