"""Calls of families, and what they give. Times are milliseconds since 1970 UTC, days ISO texts.

Scopes: "health", "school", "travel", "money". An identifier is a pair (type, what stands on the document).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from kulla.keeper_client.pool import Pool

Identifier = tuple[str, str]


@dataclass(frozen=True)
class Kin:
    """Someone the person acts for. kind: "guardianship", "mandate" or "estate"; relation: "child", "ward",
    "represented" or "estate"; `person` is the pseudonym in the service "identity"; `others` names the other guardians;
    limits: a court's code, `words` the court's own; `ends`: the 18th birthday, if it ends there; `id`: a mandate's."""

    name: str = field(repr=False)
    person: UUID
    kind: str
    relation: str
    scopes: Sequence[str]
    until: str | None
    ends: str | None
    limits: str
    words: str = field(repr=False)
    others: Sequence[str] = field(repr=False)
    adult: bool
    id: UUID | None


@dataclass(frozen=True)
class Guardian:
    """Who acts for the person by law."""

    name: str = field(repr=False)
    relation: str
    scopes: Sequence[str]
    until: str | None
    limits: str
    adult: bool


@dataclass(frozen=True)
class Mandate:
    """A representation. state: "offered" (`code` waits to be handed over), "accepted" (by `name`; the person must
    confirm until `expires_ms`), "holds". `name` is always the other person."""

    id: UUID
    name: str = field(repr=False)
    scopes: Sequence[str]
    until: str
    expires_ms: int
    state: str
    code: str = field(repr=False)


@dataclass(frozen=True)
class Family:
    """What the page "my family" shows. `without_custody`: children recorded of whom nothing is shared."""

    wards: list[Kin]
    without_custody: int
    guardians: list[Guardian]
    given: list[Mandate]
    taken: list[Mandate]


class Families:
    """The calls of families; part of KeeperClient."""

    _pool: Pool

    def family(self, token: str) -> Family:
        """For whom a citizen acts, who acts for them, and what waits. Refused "role"."""
        answer = self._pool.ask("family", {"token": token})
        return Family(
            wards=[Kin(**each) for each in answer["wards"]],
            without_custody=answer["without_custody"],
            guardians=[Guardian(**each) for each in answer["guardians"]],
            given=[Mandate(**each) for each in answer["given"]],
            taken=[Mandate(**each) for each in answer["taken"]],
        )

    def mandate_offer(self, token: str, scopes: Sequence[str], until: date) -> UUID:
        """Offer to be represented; `family` gives the code. Refused "role", "assisted", "not_adult",
        "under_guardianship", "bad_scope", "bad_day", "too_many"."""
        args = {"token": token, "scopes": list(scopes), "until": until.isoformat()}
        made: UUID = self._pool.ask("mandate_offer", args)
        return made

    def mandate_look(self, token: str, code: str) -> Mandate:
        """The offer behind a code. Refused "unknown_code" (wrong, used, expired, taken back: all alike), "self",
        "slow_down" (retry_after_s), "role", "assisted", "not_adult", "under_guardianship"."""
        return Mandate(**self._pool.ask("mandate_look", {"token": token, "code": code}))

    def mandate_accept(self, token: str, code: str) -> Mandate:
        """Accept an offer; the person must still confirm. Refused as `mandate_look`."""
        return Mandate(**self._pool.ask("mandate_accept", {"token": token, "code": code}))

    def mandate_confirm(self, token: str, mandate: UUID) -> None:
        """The person confirms the representative: from now on it counts. Refused "unknown_mandate", "assisted"."""
        self._pool.ask("mandate_confirm", {"token": token, "id": mandate})

    def mandate_end(self, token: str, mandate: UUID) -> None:
        """Either ends it, at once; also an offer. Refused "unknown_mandate", "assisted"."""
        self._pool.ask("mandate_end", {"token": token, "id": mandate})

    def guardianship_ask(
        self,
        token: str,
        guardian: Identifier,
        ward: Identifier,
        *,
        relation: str,
        scopes: Sequence[str],
        custody: bool,
        since: str | None,
        until: str | None,
        limits: str,
        words: str,
        adult: bool,
        number: str,
        day: date,
        court: str,
    ) -> UUID:
        """Ask that somebody becomes a guardian; another registrar decides. `number`, `day`, `court`: the decision.

        Registrars only. Refused "role", "budget", "bad_identifier", "unknown_person" (which: "guardian" or "ward"),
        "self", "concerned", "bad_scope", "bad_day", "bad_params", "not_adult", "of_age".
        """
        terms = {
            "relation": relation,
            "scopes": list(scopes),
            "custody": custody,
            "since": since,
            "until": until,
        }
        terms |= {"limits": limits, "words": words, "adult": adult}
        return self._asked(
            "guardianship_ask", token, {**_named(guardian=guardian, ward=ward), **terms}, number, day, court
        )

    def guardianship_end_ask(
        self, token: str, guardian: Identifier, ward: Identifier, *, number: str, day: date, court: str
    ) -> UUID:
        """Ask that a guardianship ends. Refused as `guardianship_ask`, and "no_tie"."""
        return self._asked(
            "guardianship_end_ask", token, _named(guardian=guardian, ward=ward), number, day, court
        )

    def heir_ask(
        self,
        token: str,
        dead: Identifier,
        heir: Identifier,
        *,
        scopes: Sequence[str],
        until: date,
        document: str,
        certificate: str,
    ) -> UUID:
        """Ask that an heir acts for somebody who has died; a registrar decides. Officials at a counter. Refused as
        `guardianship_ask` (which: "dead" or "heir"), and "not_dead"."""
        terms = {"scopes": list(scopes), "until": until.isoformat()}
        papers = {"document": document, "certificate": certificate}
        made: UUID = self._pool.ask(
            "heir_ask", {"token": token, **_named(dead=dead, heir=heir), **terms, **papers}
        )
        return made

    def heir_end_ask(self, token: str, dead: Identifier, heir: Identifier, *, reason: str) -> UUID:
        """Ask that an heir's right ends before its day. Refused as `heir_ask`, and "no_tie"."""
        made: UUID = self._pool.ask(
            "heir_end_ask", {"token": token, **_named(dead=dead, heir=heir), "reason": reason}
        )
        return made

    def _asked(
        self, call: str, token: str, args: dict[str, object], number: str, day: date, court: str
    ) -> UUID:
        decision = {"number": number, "day": day.isoformat(), "court": court}
        made: UUID = self._pool.ask(call, {"token": token, **args, **decision})
        return made


def _named(**named: Identifier) -> dict[str, object]:
    found: dict[str, object] = {}
    for which, (kind, identifier) in named.items():
        found |= {f"{which}_type": kind, which: identifier}
    return found
