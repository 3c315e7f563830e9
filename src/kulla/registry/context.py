"""What every page knows: the visitor's session, the services, whether this is a demo."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from kulla.registry import services, waiting


def page(request: HttpRequest) -> dict[str, Any]:
    """The template variables of every page. `decisions_waiting()` is asked for only where it is shown."""
    session = getattr(request, "session_now", None)
    return {
        "session": session,
        "decisions_waiting": lambda: waiting.decisions(session),
        "helping": getattr(request, "helping", None),
        "services": services.all_services(),
        "demo": settings.KULLA_DEMO,
        "debug": settings.DEBUG,
    }
