"""Calls of the counter: visits, assisted sessions, the PIN, protected persons."""

from typing import Any
from uuid import UUID

from kulla.keeper.args import Args
from kulla.keeper.calls.form import Call, token
from kulla.keeper.core import Keeper
from kulla.keeper.errors import Refusal
from kulla.keeper.sessions import Live


def counter_find(keeper: Keeper, args: Args) -> Any:
    kind, identifier = args.text("identifier_type", 20), args.text("identifier", 64)
    return keeper.counter.find(_session(keeper, args), kind, identifier, args.text("what", 20))


def counter_visit(keeper: Keeper, args: Args) -> Any:
    return keeper.counter.show(_session(keeper, args), args.uuid("visit"))


def counter_release(keeper: Keeper, args: Args) -> Any:
    return keeper.counter.ask_release(_session(keeper, args), args.uuid("visit"))


def counter_send_code(keeper: Keeper, args: Args) -> Any:
    keeper.counter.send_code(_session(keeper, args), args.uuid("visit"))


def counter_ask_signature(keeper: Keeper, args: Args) -> Any:
    keeper.counter.ask_signature(_session(keeper, args), args.uuid("visit"))


def counter_ask_pin(keeper: Keeper, args: Args) -> Any:
    keeper.counter.ask_pin(_session(keeper, args), args.uuid("visit"), args.text("pin", 20))


def counter_begin(keeper: Keeper, args: Args) -> Any:
    return keeper.counter.begin(
        _session(keeper, args),
        args.uuid("visit"),
        args.text("way", 20),
        args.text("secret", 40),
        network=args.text("network", 100),
        device=args.text("device", 1000),
        language=args.text("language", 10),
    )


def protected_ask(keeper: Keeper, args: Args) -> Any:
    session, service = _session(keeper, args), args.text("service", 32)
    person = keeper.people.person(args.uuid("person"), service)
    keeper.opening.pay_for_asking(session, person, service)
    return keeper.protected.ask(session, person, service, args.text("purpose", 64))


def protect(keeper: Keeper, args: Args) -> Any:
    session = _session(keeper, args)
    person = _found(keeper, session, args, "type", "identifier")
    contact = _found(keeper, session, args, "contact_type", "contact") if args.has("contact") else None
    if person is None or (args.has("contact") and contact is None):
        return False
    keeper.protected.ask_protect(session, person, contact, args.text("reason", 20))
    return True


def unprotect(keeper: Keeper, args: Args) -> Any:
    session = _session(keeper, args)
    person = _found(keeper, session, args, "type", "identifier")
    if person is None or not keeper.protected.is_protected(person):
        return False
    keeper.protected.ask_unprotect(session, person, args.text("reason", 500))
    return True


def my_counter(keeper: Keeper, args: Args) -> Any:
    return keeper.counter.mine(_citizen(keeper, args).person)


def counter_pin_set(keeper: Keeper, args: Args) -> Any:
    session, password, pin = _alone(keeper, args), args.text("password", 4096), args.text("pin", 20)
    if not keeper.credentials.has_password(session.person):
        keeper.security.must_be_fresh(session)
    keeper.often.count(session.person, "pin")
    keeper.counter.set_pin(session, password, pin)


def counter_pin_remove(keeper: Keeper, args: Args) -> Any:
    keeper.counter.remove_pin(_alone(keeper, args))


CALLS: dict[str, Call] = {
    "counter_find": counter_find,
    "counter_visit": counter_visit,
    "counter_release": counter_release,
    "counter_send_code": counter_send_code,
    "counter_ask_signature": counter_ask_signature,
    "counter_ask_pin": counter_ask_pin,
    "counter_begin": counter_begin,
    "protected_ask": protected_ask,
    "protect": protect,
    "unprotect": unprotect,
    "my_counter": my_counter,
    "counter_pin_set": counter_pin_set,
    "counter_pin_remove": counter_pin_remove,
}


def _session(keeper: Keeper, args: Args) -> Live:
    return keeper.sessions.live(token(args))


def _citizen(keeper: Keeper, args: Args) -> Live:
    session = _session(keeper, args)
    if not session.is_citizen:
        raise Refusal("role", "This is for citizens.")
    return session


def _alone(keeper: Keeper, args: Args) -> Live:
    """A citizen on a device of their own: elsewhere nothing that proves who they are is changed."""
    session = _citizen(keeper, args)
    if session.short:
        raise Refusal("short_session", "On a device that is not one's own this cannot be changed.")
    return session


def _found(keeper: Keeper, session: Live, args: Args, kind: str, name: str) -> UUID | None:
    """A registrar's metered search; the log says what for."""
    return keeper.opening.search(session, args.text(kind, 20), args.text(name, 64), "protecting")
