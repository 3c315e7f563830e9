"""The first pages of those who work here: every official's, and the operator's (backlog, keeper, copies, mirrors,
alarms). They show no citizen and no name."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kulla.identity import areas, mirrors, names
from kulla.keeper_client import KeeperUnavailable, Refused
from kulla.record import api as record
from kulla.registry import access, door
from kulla.registry import services as registry
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


@access.staff("identity", roles=access.OFFICE_ROLES)
@require_safe
def staff(request: Request) -> HttpResponse:
    """The first page of an official: what this role does, in every service and area."""
    role = request.actor.role
    rooms = [
        (service, service.staff_home[role])
        for service in registry.all_services()
        if role in service.staff_home
    ]
    links = areas.staff_links(role)
    groups = [
        (_("With people and offices"), [link for link in links if not link.name.startswith("my-")]),
        (_("Your own account and roles"), [link for link in links if link.name.startswith("my-")]),
    ]
    context = {"rooms": rooms, "groups": groups, "role": names.ROLES.get(role, role)}
    return render(request, "identity/staff.html", context)
