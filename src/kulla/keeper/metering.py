"""What a look costs and where it is written: one place that takes from the budgets and adds to the log."""

from collections.abc import Sequence
from uuid import UUID

from kulla.keeper.budgets import Budgets
from kulla.keeper.errors import Refusal
from kulla.keeper.looks import Look, Looks, look
from kulla.keeper.roles import READERS
from kulla.keeper.sessions import Live

COST = 10
MAX_FIELDS = 20  # names in one entry of the log; more are told by a last "…"


class Meter:
    """Budgets and the log of looks, together."""

    def __init__(self, looks: Looks, budgets: Budgets) -> None:
        self.looks, self.budgets = looks, budgets

    def official(self, session: Live) -> None:
        """Raise Refusal("role", "log_unconfirmed") unless this is an official who reads people, and the log is well."""
        if session.role not in READERS or session.office is None:
            raise Refusal("role", "Only officials of an office may do this.")
        if self.looks.overdue:
            raise Refusal(
                "log_unconfirmed", "The journal is behind with the log of looks: nothing is opened now."
            )

    def pay(
        self,
        kind: str,
        session: Live,
        person: UUID | None,
        service: str,
        purpose: str = "",
        fields: Sequence[str] = (),
    ) -> None:
        """Spend the cost of one look and log it; `kind` is find or grant, and the purpose unless there is another.

        Raises Refusal("budget", "log_failed").
        """
        until = self.budgets.take(session.person, session.office, COST)
        names = {"service": service, "purpose": purpose or kind}
        self.looks.add([entry(kind, session, person, fields, **names, cost=COST, allowed=until is None)])
        if until is not None:
            raise Refusal("budget", "The budget for looking at people's data is spent.", until_ms=until)


def entry(
    kind: str,
    session: Live,
    person: UUID | None,
    fields: Sequence[str],
    *,
    service: str,
    purpose: str,
    cost: int,
    allowed: bool,
) -> Look:
    """The content of a log entry about what this session does."""
    names = sorted(set(fields))
    return look(
        kind,
        official=session.person,
        office=session.office,
        role=session.role,
        sid=session.sid,
        person=person,
        service=service,
        purpose=purpose,
        fields=names if len(names) <= MAX_FIELDS else [*names[:MAX_FIELDS], "…"],
        cost=cost,
        allowed=allowed,
    )
