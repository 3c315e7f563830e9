"""The visitor of a demo page: signing in without typing, and what the thief should look for."""

from django.http import HttpRequest

from kulla.identity import device
from kulla.keeper_client import KeeperUnavailable, Refused, RegisterItem, Session
from kulla.registry import actor
from kulla.registry.access import Request
from kulla.registry.door import keeper
from kulla.services.appointments.models import Office


def sign_in(account: dict[str, str], request: HttpRequest) -> Session:
    """Sign this account in through the real keeper; the demo supplies the second factor.

    Raises KeeperUnavailable or Refused.
    """
    code = None if account["role"] == "citizen" else keeper().demo_second_factor(account["number"])
    return keeper().sign_in(
        account["number"],
        account["password"],
        code,
        network="127.0.0.0/24",  # a demo's visitors come over loopback
        device=device.label(request.headers.get("User-Agent", "")),
    )


def own_name(request: Request) -> str:
    """The name of who is signed in, opened by the keeper for its owner; empty when it cannot be had."""
    session, token = request.session_now, request.token
    if session is None or token is None:
        return ""
    try:
        me = actor.enter(session, token, "identity")
        if me.person is None:
            return ""
        opened = keeper().open(token, [RegisterItem(me.person, "identity", "name")], "own name")
    except (KeeperUnavailable, Refused):
        return ""
    return opened[0].text or ""


def public_word() -> str:
    """A word that anyone may know and that therefore must be found: the longest name of an office."""
    return max(Office.objects.values_list("name", flat=True), key=len, default="")
