"""Calls of approvals: what waits for an official, and the answer."""

from typing import Any

from kulla.keeper.approvals import Request
from kulla.keeper.args import Args
from kulla.keeper.calls.form import Call, token
from kulla.keeper.core import Keeper
from kulla.keeper.metering import entry
from kulla.keeper.sessions import Live

# What names people, or may, in the "shown" part of a request.
PERSONAL = frozenset(
    (
        "counter_person",
        "birth_date",
        "name",
        "guardian",
        "ward",
        "heir",
        "dead",
        "words",
        "order_person",
        "protect_contact",
    )
)


def approvals_open(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    return [_for_decider(keeper, session, request) for request in keeper.approvals.open_for(session)]


def approvals_asked(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    return [_without_protected(keeper, request) for request in keeper.approvals.own(session)]


def approval_answer(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    answered = keeper.approvals.answer(session, args.uuid("id"), yes=args.flag("yes"))
    return _without_protected(keeper, answered)


def approval_withdraw(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    return _without_protected(keeper, keeper.approvals.withdraw(session, args.uuid("id")))


def approvals_waiting(keeper: Keeper, args: Args) -> Any:
    return keeper.approvals.waiting_for(keeper.sessions.live(token(args)))


def _for_decider(keeper: Keeper, session: Live, request: Request) -> dict[str, Any]:
    """With the names, which whoever decides compares; of a protected person that is a look."""

    def note() -> None:
        about, what = request.about, {"service": "identity", "purpose": "deciding"}
        keeper.looks.add(
            [entry("open", session, about, ["name", "birth_date"], **what, cost=0, allowed=True)]
        )

    named = not PERSONAL.isdisjoint(request.content.get("shown", {}))
    if named and not keeper.protected.names_for_decider(session, request, note):
        return _shown(keeper, request, leave_out=PERSONAL)
    return _shown(keeper, request)


def _without_protected(keeper: Keeper, request: Request) -> dict[str, Any]:
    """Without what names a protected person: who asked knows a number, and may have no release."""
    about = request.about
    hidden = about is not None and keeper.protected.is_protected(about)
    return _shown(keeper, request, leave_out=PERSONAL if hidden else frozenset())


def _shown(keeper: Keeper, request: Request, leave_out: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A request for the page: the content's "shown" part only, texts that the area chose for the deciders."""
    shown = {str(key): str(value) for key, value in request.content.get("shown", {}).items()}
    return {
        "id": request.id,
        "kind": request.kind,
        "by": keeper.people.field(request.by, "name"),
        "office": keeper.office_name(request.office),
        "at_ms": request.at,
        "until_ms": request.until,
        "state": request.state,
        "shown": {key: value for key, value in shown.items() if key not in leave_out},
    }


CALLS: dict[str, Call] = {
    "approvals_open": approvals_open,
    "approvals_asked": approvals_asked,
    "approval_answer": approval_answer,
    "approval_withdraw": approval_withdraw,
    "approvals_waiting": approvals_waiting,
}
