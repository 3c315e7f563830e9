"""Calls of accounts."""

from typing import Any

from kulla.keeper.accounts.recovery import Shown
from kulla.keeper.args import Args
from kulla.keeper.calls.form import Call, demo_only, token
from kulla.keeper.core import Keeper
from kulla.keeper.sessions import Live

MAX_SECRET = 4096


def _live(keeper: Keeper, args: Args) -> Live:
    return keeper.sessions.live(token(args))


def _who(args: Args) -> tuple[str, str]:
    return args.text("identifier", 4096), args.text("network", 100)


def activate_begin(keeper: Keeper, args: Args) -> Any:
    keeper.accounts.activation.begin(*_who(args))


def activate_check(keeper: Keeper, args: Args) -> Any:
    identifier, network = _who(args)
    return keeper.accounts.activation.check(identifier, args.text("code", 100), network)


def activate_letter(keeper: Keeper, args: Args) -> Any:
    identifier, network = _who(args)
    return keeper.accounts.activation.check_letter(identifier, args.text("code", 100), network)


def account_finish(keeper: Keeper, args: Args) -> Any:
    return keeper.accounts.activation.finish(
        args.text("pass", 100),
        args.text("password", MAX_SECRET),
        network=args.text("network", 100),
        device=args.text("device", 1000),
        language=args.text_or_none("language", 10),
    )


def recover_begin(keeper: Keeper, args: Args) -> Any:
    keeper.accounts.recovery.begin(*_who(args))


def recover_prove(keeper: Keeper, args: Args) -> Any:
    identifier, network = _who(args)
    shown = Shown(
        args.text("phone_code", 100),
        args.text("paper_code", 100),
        args.text("totp", 100),
        args.text("password", MAX_SECRET),
    )
    return keeper.accounts.recovery.prove(
        identifier, args.text("lost", 20), shown, network=network, wait=args.flag("wait")
    )


def link_look(keeper: Keeper, args: Args) -> Any:
    return keeper.accounts.freezing.look(args.text("link", 100))


def link_report(keeper: Keeper, args: Args) -> Any:
    keeper.accounts.freezing.report(args.text("link", 100))


def account_view(keeper: Keeper, args: Args) -> Any:
    return keeper.accounts.view(_live(keeper, args))


def channel_ask(keeper: Keeper, args: Args) -> Any:
    return keeper.accounts.channel_ask(_live(keeper, args), args.text("channel", 10), args.text("value", 300))


def channel_confirm(keeper: Keeper, args: Args) -> Any:
    return keeper.accounts.channel_confirm(
        _live(keeper, args), args.text("channel", 10), args.text("code", 100)
    )


def channel_cancel(keeper: Keeper, args: Args) -> Any:
    keeper.accounts.channel_cancel(_live(keeper, args), args.uuid("id"))


def paper_codes(keeper: Keeper, args: Args) -> Any:
    return keeper.accounts.paper_codes(_live(keeper, args))


def desk_find(keeper: Keeper, args: Args) -> Any:
    kind, identifier = args.text("identifier_type", 20), args.text("identifier", 64)
    return keeper.accounts.desk.find(_live(keeper, args), kind, identifier)


def desk_view(keeper: Keeper, args: Args) -> Any:
    return keeper.accounts.desk.view(_live(keeper, args), args.text("visit", 100))


def desk_release(keeper: Keeper, args: Args) -> Any:
    return keeper.accounts.desk.release(_live(keeper, args), args.text("visit", 100))


def desk_letter(keeper: Keeper, args: Args) -> Any:
    session, visit = _live(keeper, args), args.text("visit", 100)
    return keeper.accounts.desk.letter(session, visit, args.text("document", 40))


def desk_channel_ask(keeper: Keeper, args: Args) -> Any:
    session, visit = _live(keeper, args), args.text("visit", 100)
    return keeper.accounts.desk.channel_ask(
        session, visit, args.text("channel", 10), args.text("value", 300), args.text("document", 40)
    )


def desk_channel_confirm(keeper: Keeper, args: Args) -> Any:
    session, visit = _live(keeper, args), args.text("visit", 100)
    keeper.accounts.desk.channel_confirm(session, visit, args.text("channel", 10), args.text("code", 100))


def desk_official_ask(keeper: Keeper, args: Args) -> Any:
    session, visit = _live(keeper, args), args.text("visit", 100)
    return keeper.accounts.desk.official_ask(session, visit, args.text("document", 40))


def desk_official_requests(keeper: Keeper, args: Args) -> Any:
    return keeper.accounts.desk.official_requests(_live(keeper, args))


def desk_official_letter(keeper: Keeper, args: Args) -> Any:
    return keeper.accounts.desk.official_letter(_live(keeper, args), args.uuid("id"))


def demo_outbox(keeper: Keeper, args: Args) -> Any:
    demo_only(keeper)
    return keeper.accounts.demo_outbox(args.text("identifier", 64))


CALLS: dict[str, Call] = {
    "activate_begin": activate_begin,
    "activate_check": activate_check,
    "activate_letter": activate_letter,
    "account_finish": account_finish,
    "recover_begin": recover_begin,
    "recover_prove": recover_prove,
    "link_look": link_look,
    "link_report": link_report,
    "account_view": account_view,
    "channel_ask": channel_ask,
    "channel_confirm": channel_confirm,
    "channel_cancel": channel_cancel,
    "paper_codes": paper_codes,
    "desk_find": desk_find,
    "desk_view": desk_view,
    "desk_release": desk_release,
    "desk_letter": desk_letter,
    "desk_channel_ask": desk_channel_ask,
    "desk_channel_confirm": desk_channel_confirm,
    "desk_official_ask": desk_official_ask,
    "desk_official_requests": desk_official_requests,
    "desk_official_letter": desk_official_letter,
    "demo_outbox": demo_outbox,
}
