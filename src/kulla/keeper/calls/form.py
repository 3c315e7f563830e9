"""What every call is: a function that reads its arguments, asks the parts and gives a plain map. No rules here."""

from collections.abc import Callable
from typing import Any

from kulla.keeper.args import Args
from kulla.keeper.core import Keeper
from kulla.keeper.errors import Refusal

Call = Callable[[Keeper, Args], Any]


def token(args: Args) -> str:
    """The session token of a call."""
    return args.text("token", 4096)


def demo_only(keeper: Keeper) -> None:
    """Raise Refusal("demo_only") in a country that is none."""
    if not keeper.config.demo:
        raise Refusal("demo_only", "This call exists in demonstrations only.")
