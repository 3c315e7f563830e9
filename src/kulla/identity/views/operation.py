"""The operator's page: backlog, keeper, copies, mirrors, alarms. It shows no citizen and no name."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kulla.identity import mirrors
from kulla.keeper_client import KeeperUnavailable, Refused
from kulla.record import api as record
from kulla.registry import access, door
from kulla.registry.access import Request


@access.operator
@require_safe
def page(request: Request) -> HttpResponse:
    """Everything an operator must know, the worst first."""
    health = record.health()
    try:
        keeper = door.keeper().status()
    except (KeeperUnavailable, Refused):
        keeper = None
    alarms = [*health.alarms, *(keeper["alarms"] if keeper else [])]
    context = {
        "health": health,
        "keeper": keeper,
        "mirrors": mirrors.states(),
        "alarms": alarms,
        "root_key_in_file": keeper is not None and keeper.get("root_key") == "file",
    }
    return render(request, "identity/operator.html", context)
