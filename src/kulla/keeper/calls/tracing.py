"""The call of `kulla undo`."""

from typing import Any

from kulla.keeper.args import Args
from kulla.keeper.calls.form import Call
from kulla.keeper.core import Keeper

MAX_PROOFS = 1000


def traced(keeper: Keeper, args: Args) -> Any:
    return keeper.tracing.traced(
        args.text("form", 20), args.text("which", 200), args.blobs("proofs", MAX_PROOFS)
    )


CALLS: dict[str, Call] = {"traced": traced}
