"""Calls of families: the person's own page, representatives, what officials ask for."""

from typing import Any

from kulla.keeper.args import Args
from kulla.keeper.calls.form import Call, token
from kulla.keeper.core import Keeper
from kulla.keeper.errors import Refusal
from kulla.keeper.families import page
from kulla.keeper.families.desk import MAX_WORDS, Decision, Named


def family(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    if not session.is_citizen:
        raise Refusal("role", "Officials have no family here.")
    parts = keeper.families, keeper.mandates, keeper.people
    return page.family(*parts, session.person, assisted=session.assisted is not None)


def mandate_offer(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    return keeper.mandates.offer(session, _scopes(args), args.day("until")).id


def mandate_look(keeper: Keeper, args: Args) -> Any:
    found = keeper.mandates.look(keeper.sessions.live(token(args)), args.text("code", 100))
    return page.offer(keeper.people, found)


def mandate_accept(keeper: Keeper, args: Args) -> Any:
    found = keeper.mandates.accept(keeper.sessions.live(token(args)), args.text("code", 100))
    return page.offer(keeper.people, found)


def mandate_confirm(keeper: Keeper, args: Args) -> Any:
    keeper.mandates.confirm(keeper.sessions.live(token(args)), args.uuid("id"))


def mandate_end(keeper: Keeper, args: Args) -> Any:
    keeper.mandates.end(keeper.sessions.live(token(args)), args.uuid("id"))


def guardianship_ask(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    terms = {
        "relation": args.text("relation", 20),
        "scopes": _scopes(args),
        "custody": args.flag("custody"),
        "since": args.text_or_none("since", 10),
        "until": args.text_or_none("until", 10),
        "limits": args.text("limits", 40),
        "adult": args.flag("adult"),
    }
    return keeper.family_desk.ask_made(
        session,
        _named(args, "guardian"),
        _named(args, "ward"),
        terms=terms,
        words=args.text("words", MAX_WORDS),
        decision=_decision(args),
    )


def guardianship_end_ask(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    named = _named(args, "guardian"), _named(args, "ward")
    return keeper.family_desk.ask_ended(session, *named, decision=_decision(args))


def heir_ask(keeper: Keeper, args: Args) -> Any:
    return keeper.family_desk.ask_heir(
        keeper.sessions.live(token(args)),
        _named(args, "dead"),
        _named(args, "heir"),
        scopes=_scopes(args),
        until=args.day("until"),
        document=_needed(args, "document"),
        certificate=_needed(args, "certificate"),
    )


def heir_end_ask(keeper: Keeper, args: Args) -> Any:
    session = keeper.sessions.live(token(args))
    named = _named(args, "dead"), _named(args, "heir")
    return keeper.family_desk.ask_heir_ended(session, *named, reason=_needed(args, "reason"))


def _scopes(args: Args) -> list[str]:
    found = args.list("scopes", 10)
    if not all(isinstance(scope, str) for scope in found):
        raise Refusal("bad_scope", "A scope is a word.")
    return found


def _named(args: Args, which: str) -> Named:
    return Named(args.text(f"{which}_type", 20), args.text(which, 100))


def _decision(args: Args) -> Decision:
    return Decision(_needed(args, "number"), args.day("day"), _needed(args, "court"))


def _needed(args: Args, name: str) -> str:
    text = args.text(name, 200).strip()
    if not text or not text.isprintable():
        raise Refusal("bad_params", f"The argument {name} is empty or not text.")
    return text


CALLS: dict[str, Call] = {
    "family": family,
    "mandate_offer": mandate_offer,
    "mandate_look": mandate_look,
    "mandate_accept": mandate_accept,
    "mandate_confirm": mandate_confirm,
    "mandate_end": mandate_end,
    "guardianship_ask": guardianship_ask,
    "guardianship_end_ask": guardianship_end_ask,
    "heir_ask": heir_ask,
    "heir_end_ask": heir_end_ask,
}
