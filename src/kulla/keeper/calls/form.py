"""What every call is: a function that reads its arguments, asks the parts and gives a plain map. No rules here."""

from collections.abc import Callable
from typing import Any

from kulla.keeper.args import Args
from kulla.keeper.core import Keeper
from kulla.keeper.errors import Refusal
from kulla.keeper.sign_in import MAX_NOTES, Origin

MAX_NOTE = 300
Call = Callable[[Keeper, Args], Any]


def token(args: Args) -> str:
    """The session token of a call."""
    return args.text("token", 4096)


def origin(args: Args) -> Origin:
    """Where a try to sign in comes from."""
    notes = args.list("notes", MAX_NOTES) if args.has("notes") else []
    return Origin(
        network=args.text("network", 100),
        device=args.text("device", 1000),
        language=args.text_or_none("language", 10),
        short=args.has("short") and args.flag("short"),
        notes=[note for note in notes if isinstance(note, str) and len(note) <= MAX_NOTE],
    )


def demo_only(keeper: Keeper) -> None:
    """Raise Refusal("demo_only") in a country that is none."""
    if not keeper.config.demo:
        raise Refusal("demo_only", "This call exists in demonstrations only.")


# What an assisted session may ask: to be what the citizen's pages need. Every other call of a session is refused in it,
# also those that are written later: credentials, channels, mandates, the inbox, everything that is held about a person.
IN_ASSISTED = {
    "enter",
    "family",
    "correction_ask",
    "corrections_mine",
    "end",
    "grant",
    "holder",
    "looked_at_me",
    "my_look",
    "my_looks",
    "my_looks_offices",
    "my_roles",
    "my_section",
    "my_sections",
    "my_settings",
    "my_settings_change",
    "open",
    "renew",
    "revoke_grant",
}


def guarded(name: str, call: Call) -> Call:
    """The call, refused to assisted sessions unless it is one of IN_ASSISTED."""

    def alone(keeper: Keeper, args: Args) -> Any:
        of_own = name in IN_ASSISTED and not args.has(
            "sid"
        )  # the person's other sessions are not ended there either
        if not of_own and args.has("token") and _assisted(keeper, args):
            raise Refusal("assisted", "This cannot be done at a counter, only by the person alone.")
        return call(keeper, args)

    return alone


def _assisted(keeper: Keeper, args: Args) -> bool:
    """What is no token of a live session is for the call itself to refuse."""
    try:
        return getattr(keeper.sessions.live(token(args)), "assisted", None) is not None
    except Refusal:
        return False
