"""What ties one person to another whom they act for: in which scope, from when, until when.

Three kinds of tie. A *guardianship* comes from the register's signed import or from two officials, and ends at the
ward's 18th birthday unless a court put an adult under it. A *mandate* is given by an adult and taken by another.
An *estate* lets an heir act for a person who has died; two officials record it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from kulla.keeper.errors import Refusal

SCOPES = ("health", "school", "travel", "money")
GUARDIANSHIP, MANDATE, ESTATE = "guardianship", "mandate", "estate"
REPRESENTED, OF_ESTATE = "represented", "estate"  # relations that say which tie it is
RELATIONS = (
    "child",
    "ward",
)  # of guardianships: a child; somebody in the guardian's care (no parent, or an adult)
# What a court may have limited, and the scopes that go with it. "other" stands in the human text alone.
LIMITS: dict[str, tuple[str, ...]] = {
    "": (),
    "no_travel": ("travel",),
    "no_money": ("money",),
    "no_health": ("health",),
    "no_school": ("school",),
    "supervised": (),
    "other": (),
}
FULL_AGE = 18
_CODE = re.compile(r"[a-z_]{0,40}")

Body = dict[str, Any]


@dataclass(frozen=True)
class Link:
    """`actor` acts for `person`, as far as this says. Days are whole: both the first and the last one count.

    relation: "child", "ward", "represented" or "estate". limits: a code of LIMITS. custody: without it a parent is
    recorded and nothing is shared. adult: goes on after the 18th birthday. id: of mandates and estates.
    """

    kind: str
    actor: UUID
    person: UUID
    relation: str
    scopes: frozenset[str]
    custody: bool = True
    since: date | None = None
    until: date | None = None
    limits: str = ""
    adult: bool = False
    id: UUID | None = None
    sealed: bytes | None = None

    def on(self, day: date) -> bool:
        """Whether its dates hold on this day."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)

    @property
    def open_scopes(self) -> frozenset[str]:
        """What is left of the scopes after custody and the court's limits."""
        return self.scopes - set(LIMITS.get(self.limits, ())) if self.custody else frozenset()


def guardian_body(
    guardian: UUID,
    ward: UUID,
    relation: str = "child",
    *,
    scopes: Iterable[str] = SCOPES,
    custody: bool = True,
    since: date | str | None = None,
    until: date | str | None = None,
    limits: str = "",
    adult: bool = False,
    source: str = "import",
    sealed: bytes | None = None,
) -> Body:
    """The record body that makes someone a guardian; the same again, with other words, changes it.

    since, until: the first and the last day, as dates or ISO texts. limits: a code of LIMITS (an unknown code of
    that form is kept and limits nothing by itself). source: "import" or "officials". sealed: the court's words, from
    Families.seal_details. Raises Refusal("bad_scope", "bad_day", "bad_params", "self").
    """
    if guardian == ward:
        raise Refusal("self", "Nobody is their own guardian.")
    if relation not in RELATIONS or not _CODE.fullmatch(limits) or not _CODE.fullmatch(source):
        raise Refusal("bad_params", "The relation, the limit or the source does not have the form of one.")
    first, last = _iso(since), _iso(until)
    if first and last and last < first:
        raise Refusal("bad_day", "The last day is before the first.")
    names = {"type": "guardianship", "guardian": guardian, "ward": ward, "relation": relation}
    what = {"scopes": checked_scopes(scopes), "custody": bool(custody), "since": first, "until": last}
    return {**names, **what, "limits": limits, "adult": bool(adult), "source": source, "sealed": sealed}


def guardian_ended_body(guardian: UUID, ward: UUID, *, source: str = "import") -> Body:
    """The record body that ends a guardianship, whoever made it."""
    return {"type": "guardianship_ended", "guardian": guardian, "ward": ward, "source": source}


def checked_scopes(scopes: Iterable[str]) -> list[str]:
    """The scopes in their fixed order. Raises Refusal("bad_scope") for none and for unknown ones."""
    wanted = set(scopes)
    if not wanted or wanted - set(SCOPES):
        raise Refusal("bad_scope", f"The scopes are {', '.join(SCOPES)}; at least one is needed.")
    return [scope for scope in SCOPES if scope in wanted]


def _iso(day: date | str | None) -> str | None:
    try:
        read = date.fromisoformat(day) if isinstance(day, str) else day
    except ValueError as error:
        raise Refusal("bad_day", "A day of a guardianship is not a date as YYYY-MM-DD.") from error
    return read.isoformat() if read else None
