"""Calls of approvals: what waits for an official, and the answer."""

from typing import Any

from kulla.keeper.approvals import Request
from kulla.keeper.args import Args
from kulla.keeper.calls.form import Call, token
from kulla.keeper.core import Keeper


def approvals_open(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    return [_shown(keeper, request) for request in keeper.approvals.open_for(session)]


def approvals_asked(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    return [_shown(keeper, request) for request in keeper.approvals.asked_by(session.person)]


def approval_answer(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    return _shown(keeper, keeper.approvals.answer(session, args.uuid("id"), yes=args.flag("yes")))


def approval_withdraw(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    return _shown(keeper, keeper.approvals.withdraw(session, args.uuid("id")))


def approvals_waiting(keeper: Keeper, args: Args) -> Any:
    return keeper.approvals.waiting_for(keeper.sessions.live(token(args)))


def _shown(keeper: Keeper, request: Request) -> dict[str, Any]:
    """A request for the page: the content's "shown" part only, texts that the area chose for the deciders."""
    return {
        "id": request.id,
        "kind": request.kind,
        "by": keeper.people.field(request.by, "name"),
        "office": keeper.office_name(request.office),
        "at_ms": request.at,
        "until_ms": request.until,
        "state": request.state,
        "shown": {str(key): str(value) for key, value in request.content.get("shown", {}).items()},
    }


CALLS: dict[str, Call] = {
    "approvals_open": approvals_open,
    "approvals_asked": approvals_asked,
    "approval_answer": approval_answer,
    "approval_withdraw": approval_withdraw,
    "approvals_waiting": approvals_waiting,
}
