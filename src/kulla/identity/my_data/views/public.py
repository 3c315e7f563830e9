"""What anyone may count: courts' delays in force and ever, questions that wait and that are overdue."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kulla.keeper_client import KeeperUnavailable
from kulla.registry import access, door


@access.public
@require_safe
def transparency(request: HttpRequest) -> HttpResponse:
    """Numbers only: no office, no date, nobody."""
    try:
        counts = door.keeper().transparency()
    except KeeperUnavailable:
        counts = None
    return render(request, "my_data/transparency.html", {"counts": counts})
