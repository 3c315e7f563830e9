"""Calls of offices: what the public reads, what administrators do, offers of roles."""

from typing import Any
from uuid import UUID

from kulla.keeper.administration import facts
from kulla.keeper.args import Args
from kulla.keeper.calls.form import Call, token
from kulla.keeper.core import Keeper
from kulla.keeper.errors import Refusal
from kulla.keeper.offices import NO_END, Hours, Role
from kulla.keeper.roles import POWER
from kulla.keeper.sessions import Live

PAGE = 1000
MAX_TEXT = 200
MAX_LINES = 2000


def offices(keeper: Keeper, args: Args) -> Any:
    """Public: open offices by id, a thousand at a time; no session needed."""
    after = args.uuid("after") if args.has("after") else None
    return [facts(office) for office in keeper.offices.all(after, PAGE)]


def office_overview(keeper: Keeper, args: Args) -> Any:
    session = _session(keeper, args)
    found = []
    for office, roles in keeper.administration.overview(session):
        due = min((role.due for role in roles if role.person != session.person), default=None)
        found.append({**facts(office), "officials": len(roles), "due_ms": due})
    return found


def office_officials(keeper: Keeper, args: Args) -> Any:
    session, office = _session(keeper, args), args.uuid("office")
    lines = keeper.administration.officials(session, office)
    last = keeper.administration.last_review(office)
    return {
        "office": facts(keeper.offices.must(office)),
        "officials": [_line(keeper, session, role, name) for role, name in lines],
        "reviewed_ms": last[0] if last else None,
        "reviewed_by": last[1] if last else "",
    }


def _line(keeper: Keeper, session: Live, role: Role, name: str) -> dict[str, Any]:
    times = {"until_ms": None if role.until == NO_END else role.until, "due_ms": role.due}
    own = role.person == session.person
    power, may_end = role.role in POWER, keeper.administration.may_end(session, role)
    return {
        "id": role.id,
        "name": name,
        "role": role.role,
        **times,
        "own": own,
        "power": power,
        "may_end": may_end,
    }


def role_renew(keeper: Keeper, args: Args) -> Any:
    return keeper.administration.renew(_session(keeper, args), args.uuid("id"), _days(args))


def role_end(keeper: Keeper, args: Args) -> Any:
    keeper.administration.end(_session(keeper, args), args.uuid("id"))


def office_review(keeper: Keeper, args: Args) -> Any:
    keep, end = _ids(args, "keep"), _ids(args, "end")
    keeper.administration.review(_session(keeper, args), args.uuid("office"), keep, end)


def role_offer(keeper: Keeper, args: Args) -> Any:
    session, office = _session(keeper, args), args.uuid("office")
    who, note = args.text("identifier", 100), args.text("note", MAX_TEXT)
    offer, code = keeper.invitations.offer(session, office, args.text("role", 20), who, _days(args), note)
    return {"id": offer, "code": code}


def role_offers(keeper: Keeper, args: Args) -> Any:
    return keeper.invitations.offered(_session(keeper, args))


def role_offer_withdraw(keeper: Keeper, args: Args) -> Any:
    keeper.invitations.withdraw(_session(keeper, args), args.uuid("id"))


def my_office_roles(keeper: Keeper, args: Args) -> Any:
    session = _session(keeper, args)
    return [
        {
            "id": role.id,
            "role": role.role,
            "office": keeper.office_name(role.office),
            "until_ms": None if role.until == NO_END else role.until,
            "may_end": keeper.administration.may_end(session, role),
        }
        for role in keeper.offices.held(session.person)
    ]


def role_offer_read(keeper: Keeper, args: Args) -> Any:
    return keeper.invitations.read(_session(keeper, args), args.text("code", 40))


def role_offer_answer(keeper: Keeper, args: Args) -> Any:
    return keeper.invitations.answer(_session(keeper, args), args.text("code", 40), yes=args.flag("yes"))


def office_change(keeper: Keeper, args: Args) -> Any:
    session, hours = _session(keeper, args), _hours(args) if args.has("hours") else None
    texts = {name: args.text_or_none(name, MAX_TEXT) for name in ("name_en", "town", "address")}
    office, name = args.uuid("office"), args.text("name", MAX_TEXT)
    keeper.administration.change_office(session, office, name, hours=hours, **texts)


def office_add(keeper: Keeper, args: Args) -> Any:
    session, parent = _session(keeper, args), args.uuid("parent")
    texts = {name: args.text_or_none(name, MAX_TEXT) for name in ("name_en", "town", "address")}
    name, kind = args.text("name", MAX_TEXT), args.text("kind", 20)
    return keeper.administration.add_office(session, parent, name, kind, **texts)


def office_move(keeper: Keeper, args: Args) -> Any:
    return keeper.administration.ask_move(_session(keeper, args), args.uuid("office"), args.uuid("parent"))


def office_close(keeper: Keeper, args: Args) -> Any:
    return keeper.administration.ask_close(_session(keeper, args), args.uuid("office"))


def _session(keeper: Keeper, args: Args) -> Live:
    return keeper.sessions.live(token(args))


def _days(args: Args) -> int:
    return args.number("days", 1, 365)


def _ids(args: Args, name: str) -> list[UUID]:
    values = args.list(name, MAX_LINES)
    if not all(isinstance(value, UUID) for value in values):
        raise Refusal("bad_request", f"The argument {name} holds something that is no id.")
    return values


def _hours(args: Args) -> Hours:
    """{"0": [[480, 960]], …}: weekday to spans of minutes."""
    try:
        return {
            int(day): [(int(begin), int(end)) for begin, end in spans]
            for day, spans in args.map("hours").items()
        }
    except (TypeError, ValueError, OverflowError) as error:
        raise Refusal("bad_office", "Opening hours are spans of a weekday.") from error


CALLS: dict[str, Call] = {
    "offices": offices,
    "office_overview": office_overview,
    "office_officials": office_officials,
    "role_renew": role_renew,
    "role_end": role_end,
    "office_review": office_review,
    "role_offer": role_offer,
    "role_offers": role_offers,
    "role_offer_withdraw": role_offer_withdraw,
    "my_office_roles": my_office_roles,
    "role_offer_read": role_offer_read,
    "role_offer_answer": role_offer_answer,
    "office_change": office_change,
    "office_add": office_add,
    "office_move": office_move,
    "office_close": office_close,
}
