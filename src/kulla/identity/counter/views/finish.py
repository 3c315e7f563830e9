"""The end of a visit: every receipt of it to print and take home, and back to the clerk's own session."""

import contextlib

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from kulla.identity import names
from kulla.identity.counter.receipts import of_visit
from kulla.keeper_client import KeeperUnavailable, Refused
from kulla.registry import access, actor, door
from kulla.registry.access import Request
from kulla.registry.middleware import drop_session, own_session, set_session


@access.citizen("identity")
@require_safe
def page(request: Request) -> HttpResponse:
    """What was done in this visit, on one page to print, each with its PDF; and the button that ends it."""
    helping = request.helping
    if helping is None:
        raise Http404
    papers = of_visit(request, helping.since_ms)
    context = {
        "papers": papers,
        "waiting": any(paper.seen.entry.status != "received" for paper in papers),
        "name": names.own(request.actor) or helping.name,
    }
    return render(request, "counter/finish.html", context)


@access.citizen("identity")
@require_POST
def end(request: Request) -> HttpResponse:
    """End the assisted session, here and in the keeper, and go on as oneself. Nothing of the person remains."""
    helping, session = request.helping, request.session_now
    if helping is None or session is None:
        raise Http404
    door.revocations.add(session.sid)
    actor.leave(session.sid)
    with contextlib.suppress(KeeperUnavailable, Refused):  # else its token ends by itself within 15 minutes
        door.keeper().end(session.token)
    request.renewed = request.helping = None  # type: ignore[attr-defined]
    rotate_token(request)
    own = own_session(helping)
    response = HttpResponseRedirect(f"{reverse('counter')}?ended" if own else reverse("sign-in"))
    if own is None:
        drop_session(response)
    else:
        set_session(response, own)
    return response
