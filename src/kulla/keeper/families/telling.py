"""Telling people with the change itself: the inbox's record is committed together with it, the channels follow."""

import logging
from collections.abc import Callable, Sequence
from uuid import UUID

from kulla.keeper.accounts.book import Telling
from kulla.keeper.committer import Committer
from kulla.keeper.errors import KeeperError
from kulla.keeper.families.links import Body

log = logging.getLogger("kulla.keeper")
Prepare = Callable[[UUID, str, "dict[str, str]"], Telling]


def commit_and_tell(committer: Committer, change: Body | Sequence[Body], *told: Telling) -> None:
    """The change and its notices count together; what a channel cannot take now does not undo them.

    Raises Refusal("copies_unavailable").
    """
    bodies = [change] if isinstance(change, dict) else list(change)
    committer.commit(*bodies, *(notice for each in told for notice in each.bodies))
    for each in told:
        try:
            each.send()
        except KeeperError:
            log.exception("a notice of the keeper was not handed to the channels")
