"""Looks that a judge's order keeps from the person until a date. Two officials register an order.

An order names one person, one office, a time in which its looks fall, and the date when they are shown; at most a year
ahead. Until then nothing that the person reads differs from there having been no such looks. When they appear they
say why they come late, and the person is told. How many orders stand, and ever stood, anyone may read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from kulla.keeper.approvals import Request, Rule
from kulla.keeper.errors import Refusal
from kulla.keeper.kinds import Body
from kulla.keeper.looks import Hidden
from kulla.keeper.metering import COST
from kulla.keeper.people import NUMBER
from kulla.keeper.roles import PROTECTION, REGISTRAR
from kulla.keeper.sessions import Live

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper

KIND = "look_delay"
LONGEST = timedelta(days=366)
MAY = (PROTECTION, REGISTRAR)


@dataclass(frozen=True)
class Order:
    """What a court ordered: shown on `shown`; the looks fall on days `since` to `until`, both included."""

    number: str
    court: str
    office: UUID
    since: date
    until: date
    shown: date


class Delays:
    """Registers orders, says what is hidden, tells when it appears."""

    def __init__(self, keeper: "Keeper", clock: Callable[[], int]) -> None:
        self._keeper, self._clock = keeper, clock
        keeper.approvals.declare(KIND, Rule(self._may_decide, self._carry_out))

    def ask(self, session: Live, number: str, order: Order) -> UUID:
        """Put an order before a second official. Naming a person costs 10 of the budget, known or not.

        Raises Refusal("role", "bad_order" with reason, "unknown_office", "unknown_person", "budget").
        """
        if session.role not in MAY:
            raise Refusal("role", "Only protection officials and registrars register a court's order.")
        self._check(order)
        person = self._person(session, number)
        shown = {
            "order": order.number,
            "court": order.court,
            "order_person": number,
            "looking_office": self._keeper.office_name(order.office),
            "looks_from": order.since.isoformat(),
            "looks_to": order.until.isoformat(),
            "shown_on": order.shown.isoformat(),
        }
        content = {"shown": shown, "office": order.office, "number": order.number, "court": order.court}
        content |= {"since": shown["looks_from"], "until": shown["looks_to"], "on": shown["shown_on"]}
        return self._keeper.approvals.ask(session, KIND, content, about=person)

    def hidden(self, person: UUID) -> tuple[Hidden, ...]:
        """What this person, and whoever acts for them, must not see now."""
        rows = self._keeper.register.rows(
            "SELECT office, since, until FROM look_delay WHERE person = ? AND shown > ?",
            *(person.bytes, self._clock()),
        )
        return tuple(Hidden(UUID(bytes=office), since, until) for office, since, until in rows)

    def hides(self, person: UUID, office: UUID | None, at_ms: int) -> bool:
        """Whether a look of this office at this time is hidden now: then nothing may tell the person of it."""
        return any(
            span.office == office and span.since_ms <= at_ms < span.until_ms for span in self.hidden(person)
        )

    def over(self, person: UUID) -> list[Hidden]:
        """Orders whose date has come: their looks are shown, and say so."""
        rows = self._keeper.register.rows(
            "SELECT office, since, until FROM look_delay WHERE person = ? AND shown <= ?",
            *(person.bytes, self._clock()),
        )
        return [Hidden(UUID(bytes=office), since, until) for office, since, until in rows]

    def counts(self) -> dict[str, int]:
        """How many orders stand now, and how many there ever were: public."""
        row = self._keeper.register.one(
            "SELECT coalesce(sum(shown > ?), 0), count(*) FROM look_delay", self._clock()
        )
        now, ever = row or (0, 0)
        return {"delays_now": now, "delays_ever": ever}

    def tell_due(self) -> None:
        """Tell those whose delayed looks appear now; each order once. Called now and then."""
        now = self._clock()
        rows = self._keeper.register.rows(
            "SELECT id, person, office, since, until FROM look_delay WHERE told IS NULL AND shown <= ?", now
        )
        for order, raw_person, raw_office, since, until in rows:
            person, office = UUID(bytes=raw_person), UUID(bytes=raw_office)
            seen = self._keeper.looks.any_between(person, office, since, until)
            # Another order may still keep the same looks: that one tells when it ends.
            still = any(
                span.office == office and span.since_ms < until and since < span.until_ms
                for span in self.hidden(person)
            )
            body = {"type": "look_delay_told", "id": UUID(bytes=order), "at": now}
            if seen and not still:
                self._keeper.my_data.tell(person, "looks_shown_late", body)
            else:
                self._keeper.committer.commit(body)

    def _check(self, order: Order) -> None:
        today = self._keeper.families.today()
        reason = ""
        if not order.number.strip() or not order.court.strip():
            reason = "empty"
        elif not today < order.shown <= today + LONGEST:
            reason = "shown"
        elif not order.since <= order.until <= order.shown or order.since < today - 5 * LONGEST:
            reason = "period"
        if reason:
            raise Refusal("bad_order", "This order is not complete, or its dates cannot be.", reason=reason)
        if self._keeper.register.one("SELECT 1 FROM office WHERE id = ?", order.office.bytes) is None:
            raise Refusal("unknown_office", "There is no such office.")

    def _person(self, session: Live, number: str) -> UUID:
        """Exact match only. It leaves no look: the person would read of the order. The budget bounds the guesses."""
        canonical = self._keeper.people.normalise(NUMBER, number)
        until = self._keeper.budgets.take(session.person, session.office, COST)
        if until is not None:
            raise Refusal("budget", "The budget for looking at people's data is spent.", until_ms=until)
        person = self._keeper.people.by_identifier(NUMBER, canonical)
        if person is None or person == session.person:
            raise Refusal("unknown_person", "The register has nobody with this number.")
        return person

    @staticmethod
    def _may_decide(session: Live, _request: Request) -> bool:
        return session.role in MAY

    def _carry_out(self, request: Request, session: Live) -> list[Body]:
        content = request.content
        shown = date.fromisoformat(content["on"])
        if shown <= self._keeper.families.today() or request.about is None:
            raise Refusal("bad_order", "The date of this order has passed.", reason="shown")
        sealed: dict[str, Any] = {"number": content["number"], "court": content["court"]}
        sealed |= {"by": [request.by, session.person]}
        return [
            {
                "type": KIND,
                "id": uuid4(),
                "person": request.about,
                "office": content["office"],
                "since": self._begin(date.fromisoformat(content["since"])),
                "until": self._begin(date.fromisoformat(content["until"]) + timedelta(days=1)),
                "shown": self._begin(shown),
                "at": self._clock(),
                "sealed": self._keeper.vault.seal_own(request.about, "look delay", sealed),
            }
        ]

    def _begin(self, day: date) -> int:
        """The first millisecond of a local day."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self._keeper.people.zone)
        return int(midnight.timestamp() * 1000)
