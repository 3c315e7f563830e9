"""The receipts of one visit, opened for the paper that goes home."""

from dataclasses import dataclass

from kulla.identity.receipts import Opened, Seen, of_viewer, open_for
from kulla.record import api as record
from kulla.registry import actor
from kulla.registry import services as registry
from kulla.registry.access import Request

LIMIT = 20  # nobody does more in half an hour


@dataclass(frozen=True)
class Paper:
    """One receipt with its words."""

    seen: Seen
    opened: Opened


def of_visit(request: Request, since_ms: int) -> list[Paper]:
    """What was recorded for the person and those they act for since the visit began, the first first."""
    session, token = request.session_now, request.token
    if session is None or token is None:
        return []
    found = []
    for service in registry.all_services():
        me = actor.enter(session, token, service.slug)
        found += [entry for entry in record.entries_of(me.persons, LIMIT) if entry.at_ms >= since_ms]
    found.sort(key=lambda entry: entry.at_ms)
    seen = [of_viewer(request, entry.uuid) for entry in found[:LIMIT]]
    return [Paper(each, open_for(each)) for each in seen]
