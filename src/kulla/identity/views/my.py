"""The pages of the person who is signed in. Everything here is read for this session only and never cached."""

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kulla.identity import areas, names
from kulla.identity.receipts import actors, of_all
from kulla.keeper_client import Refused
from kulla.record import api as record
from kulla.registry import access, door
from kulla.registry import services as registry
from kulla.registry.access import Request
from kulla.registry.actor import Actor
from kulla.registry.services import MyItem, Service
from kulla.web.pages import paginate

SHOWN = 5  # of what is past and of receipts, before "all"


@dataclass(frozen=True)
class Coming:
    """One line of "what is coming", with the state of its receipt and the name of a ward."""

    item: MyItem
    state: str
    whose: str


@access.citizen("identity")
@require_safe
def page(request: Request) -> HttpResponse:
    """What is coming, the latest receipts, the family."""
    seen = actors(request)
    called = names.of_wards([request.actor, *(me for _service, me in seen)])
    items = [(service, me, item) for service, me in seen if service.my for item in _items(service, me)]
    states = record.statuses(UUID(item.entry) for _service, _me, item in items if item.entry)
    coming: list[Coming] = []
    past: list[Coming] = []
    for _service, _me, item in sorted(items, key=lambda each: each[2].at_ms):
        found = states.get(UUID(item.entry)) if item.entry else None
        whose = called.get(UUID(item.person), "") if item.person else ""
        (past if item.past else coming).append(Coming(item, found.status if found else "", whose))
    context = {
        "coming": coming,
        "past": past[::-1][:SHOWN],
        "receipts": of_all(seen)[:SHOWN],
        "wards": names.wards(request.actor, called),
        "name": names.own(request.actor),
        "links": areas.my_links(assisted=request.helping is not None),
    }
    return render(request, "identity/my.html", context)


def _items(service: Service, me: Actor) -> list[MyItem]:
    return cast("list[MyItem]", registry.load(service.my or "")(me))  # type: ignore[operator]


@access.citizen("identity", alone=True)
@require_safe
def inbox(request: Request) -> HttpResponse:
    """The demo's letter box: what a real country sends by e-mail or SMS."""
    if not settings.KULLA_DEMO:
        raise Http404
    try:
        shown = paginate(door.keeper().inbox(request.token or ""), request.GET.get("page"))
    except Refused:
        raise Http404 from None
    return render(request, "identity/inbox.html", {"page": shown})
