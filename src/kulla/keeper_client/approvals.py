"""Calls of approvals: what two people must decide. Times are milliseconds since 1970 UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from kulla.keeper_client.pool import Pool


@dataclass(frozen=True)
class Asked:
    """A request. `kind` names what is asked (each has a title among the pages), `shown` its details by name.

    `state`: open, done, refused, expired, lapsed (the asker's role ended) or withdrawn.
    """

    id: UUID
    kind: str
    by: str = field(repr=False)
    office: str
    at_ms: int
    until_ms: int
    state: str
    shown: Mapping[str, str] = field(repr=False)


class Approvals:
    """The calls of approvals; part of KeeperClient."""

    _pool: Pool

    def approvals_open(self, token: str) -> list[Asked]:
        """What waits for this official's answer, oldest first."""
        return [Asked(**each) for each in self._pool.ask("approvals_open", {"token": token})]

    def approvals_asked(self, token: str) -> list[Asked]:
        """What this official asked for, newest first."""
        return [Asked(**each) for each in self._pool.ask("approvals_asked", {"token": token})]

    def approval_answer(self, token: str, request: UUID, *, yes: bool) -> Asked:
        """Answer a request; gives it as it stands then. Refused "unknown_request" (also for one that is not this
        official's to decide), "decided"."""
        return Asked(**self._pool.ask("approval_answer", {"token": token, "id": request, "yes": yes}))

    def approval_withdraw(self, token: str, request: UUID) -> Asked:
        """Take back one's own request. Refused "unknown_request", "decided"."""
        return Asked(**self._pool.ask("approval_withdraw", {"token": token, "id": request}))

    def approvals_waiting(self, token: str) -> int:
        """How many requests wait for this official's answer."""
        return int(self._pool.ask("approvals_waiting", {"token": token}))
