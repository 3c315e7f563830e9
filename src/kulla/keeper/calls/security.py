"""Calls of security: passkeys, the second factor, the password, roles."""

from typing import Any

from kulla.keeper.args import Args
from kulla.keeper.calls.form import Call, origin, token
from kulla.keeper.core import Keeper
from kulla.keeper.passkeys import Assertion
from kulla.keeper.sessions import Live

MAX_STATE = 2000
MAX_DATA = 16 * 1024  # bytes of what a browser's passkey answers


def passkey_begin(keeper: Keeper, args: Args) -> Any:
    """With a number typed: challenges for it, which look the same whether or not there is an account."""
    identifier = args.text_or_none("identifier", 4096)
    if not identifier:
        return keeper.passkeys.begin("sign-in", None, [], verified=False)
    marks = keeper.people.sign_in_marks(identifier)
    ids = keeper.passkeys.ids_or_decoys(keeper.people.by_marks(marks), b"".join(marks))
    return keeper.passkeys.begin("sign-in", None, ids, verified=False)


def passkey_sign_in(keeper: Keeper, args: Args) -> Any:
    return keeper.sign_in.by_passkey(args.text("state", MAX_STATE), _assertion(args), origin(args))


def security_state(keeper: Keeper, args: Args) -> Any:
    return keeper.security.state(_live(keeper, args))


def security_confirm(keeper: Keeper, args: Args) -> Any:
    password, code = args.text("password", 4096), args.text_or_none("code", 100)
    keeper.security.confirm(_live(keeper, args), password, code)


def security_confirm_begin(keeper: Keeper, args: Args) -> Any:
    return keeper.security.confirm_begin(_live(keeper, args))


def security_confirm_passkey(keeper: Keeper, args: Args) -> Any:
    keeper.security.confirm_passkey(_live(keeper, args), args.text("state", MAX_STATE), _assertion(args))


def password_change(keeper: Keeper, args: Args) -> Any:
    old, new = args.text("old", 4096), args.text("new", 4096)
    return keeper.security.change_password(_live(keeper, args), old, new)


def totp_begin(keeper: Keeper, args: Args) -> Any:
    return keeper.security.begin_totp(_live(keeper, args))


def totp_again(keeper: Keeper, args: Args) -> Any:
    return keeper.security.again_totp(_live(keeper, args), args.text("state", MAX_STATE))


def totp_finish(keeper: Keeper, args: Args) -> Any:
    session, state, code = _live(keeper, args), args.text("state", MAX_STATE), args.text("code", 100)
    keeper.security.must_be_fresh(session)
    keeper.often.count(session.person, "totp")
    keeper.security.finish_totp(session, state, code)


def totp_remove(keeper: Keeper, args: Args) -> Any:
    keeper.security.remove_totp(_live(keeper, args))


def passkey_new(keeper: Keeper, args: Args) -> Any:
    return keeper.security.begin_passkey(_live(keeper, args))


def passkey_add(keeper: Keeper, args: Args) -> Any:
    state, name = args.text("state", MAX_STATE), args.text("name", 200)
    data, attestation = args.data("client_data", MAX_DATA), args.data("attestation", MAX_DATA)
    keeper.security.finish_passkey(_live(keeper, args), state, name, data, attestation)


def passkey_rename(keeper: Keeper, args: Args) -> Any:
    keeper.security.rename_passkey(_live(keeper, args), args.data("mark", 32), args.text("name", 200))


def passkey_remove(keeper: Keeper, args: Args) -> Any:
    keeper.security.remove_passkey(_live(keeper, args), args.data("mark", 32))


def my_roles(keeper: Keeper, args: Args) -> Any:
    """What the person may act as; the session's own is `current`."""
    me = _live(keeper, args)
    return [
        {
            "role": role,
            "office": office,
            "office_name": keeper.office_name(office),
            "current": (role, office) == (me.role, me.office),
        }
        for role, office in ([(me.role, me.office)] if me.assisted else keeper.sessions.roles(me.person))
    ]


def act_as(keeper: Keeper, args: Args) -> Any:
    office = args.uuid("office") if args.has("office") else None
    origin_of = {"network": args.text("network", 100), "device": args.text("device", 1000)}
    return keeper.sessions.act_as(token(args), args.text("role", 40), office, **origin_of)


CALLS: dict[str, Call] = {
    "passkey_begin": passkey_begin,
    "passkey_sign_in": passkey_sign_in,
    "security_state": security_state,
    "security_confirm": security_confirm,
    "security_confirm_begin": security_confirm_begin,
    "security_confirm_passkey": security_confirm_passkey,
    "password_change": password_change,
    "totp_begin": totp_begin,
    "totp_again": totp_again,
    "totp_finish": totp_finish,
    "totp_remove": totp_remove,
    "passkey_new": passkey_new,
    "passkey_add": passkey_add,
    "passkey_rename": passkey_rename,
    "passkey_remove": passkey_remove,
    "my_roles": my_roles,
    "act_as": act_as,
}


def _live(keeper: Keeper, args: Args) -> Live:
    return keeper.sessions.live(token(args))


def _assertion(args: Args) -> Assertion:
    return Assertion(
        args.data("id", 1024),
        args.data("client_data", MAX_DATA),
        args.data("auth_data", MAX_DATA),
        args.data("signature", MAX_DATA),
        args.data("handle", 1024) if args.has("handle") else None,
    )
