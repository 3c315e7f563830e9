"""Calls of offices, and what they give. Times are milliseconds since 1970 UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from kulla.keeper_client.pool import Pool

Hours = Mapping[int, Sequence[tuple[int, int]]]
PAGE = 1000


@dataclass(frozen=True)
class Office:
    """An office as the public knows it. `kind`: state, ministry, agency or branch. `hours`: weekday (Monday is 0) to
    spans of minutes after midnight."""

    id: UUID
    name: str
    name_en: str
    kind: str
    parent: UUID | None
    town: str
    address: str
    hours: Mapping[int, Sequence[tuple[int, int]]]
    closed: bool = False


@dataclass(frozen=True)
class OfficeLine:
    """An office of an administrator's subtree: how many roles there are, and when their review is due."""

    office: Office
    officials: int
    due_ms: int | None


@dataclass(frozen=True)
class Official:
    """A role of an official, as an administrator sees it. `until_ms` None: without an end, from an old version."""

    id: UUID
    name: str = field(repr=False)
    role: str
    until_ms: int | None
    due_ms: int
    own: bool
    power: bool
    may_end: bool


@dataclass(frozen=True)
class Officials:
    """One office with its officials and its last review."""

    office: Office
    officials: list[Official]
    reviewed_ms: int | None
    reviewed_by: str = field(repr=False)


@dataclass(frozen=True)
class Offer:
    """A role that was offered. `state` (for who offered it): open, taken, asked, declined, withdrawn, lapsed."""

    id: UUID
    role: str
    office: str
    days: int
    at_ms: int
    until_ms: int
    power: bool
    note: str = field(default="", repr=False)
    state: str = "open"


@dataclass(frozen=True)
class OwnRole:
    """A role that the signed-in person has."""

    id: UUID
    role: str
    office: str
    until_ms: int | None
    may_end: bool


class Offices:
    """The calls of offices; part of KeeperClient."""

    _pool: Pool

    def offices(self) -> list[Office]:
        """All open offices. Public: no session is needed."""
        found: list[Office] = []
        while True:
            after = found[-1].id if found else None
            page = [_office(each) for each in self._pool.ask("offices", {"after": after})]
            found += page
            if len(page) < PAGE:
                return found

    def office_overview(self, token: str) -> list[OfficeLine]:
        """The offices of this administrator's subtree, by name. Refused "role"."""
        found = self._pool.ask("office_overview", {"token": token})
        return [
            OfficeLine(officials=each.pop("officials"), due_ms=each.pop("due_ms"), office=_office(each))
            for each in found
        ]

    def office_officials(self, token: str, office: UUID) -> Officials:
        """Who works in an office of the subtree. Refused "role", "unknown_office"."""
        found = self._pool.ask("office_officials", {"token": token, "office": office})
        return Officials(
            office=_office(found["office"]),
            officials=[Official(**each) for each in found["officials"]],
            reviewed_ms=found["reviewed_ms"],
            reviewed_by=found["reviewed_by"],
        )

    def role_renew(self, token: str, role: UUID, days: int) -> UUID | None:
        """Let a role go on. Gives the request when a second administrator must say yes.

        Refused "role", "unknown_role", "self", "bad_days", "roles_apart", "too_many".
        """
        request: UUID | None = self._pool.ask("role_renew", {"token": token, "id": role, "days": days})
        return request

    def role_end(self, token: str, role: UUID) -> None:
        """End a role of the subtree, or one's own; its sessions end at once. Refused "unknown_role", "last_admin",
        "capped"."""
        self._pool.ask("role_end", {"token": token, "id": role})

    def office_review(self, token: str, office: UUID, keep: Sequence[UUID], end: Sequence[UUID]) -> None:
        """The yearly review of an office. Refused "changed" when the list is another one now, and as `role_end`."""
        self._pool.ask(
            "office_review", {"token": token, "office": office, "keep": list(keep), "end": list(end)}
        )

    def role_offer(
        self, token: str, office: UUID, role: str, identifier: str, days: int, note: str = ""
    ) -> tuple[UUID, str]:
        """Offer a role to whoever has this identifier: the offer's id, and the code to hand over. The answer is the
        same whether or not anybody has the identifier.

        Refused "role", "unknown_office", "bad_identifier" (its form), "bad_role", "bad_days", "self", "capped".
        """
        args = {"token": token, "office": office, "role": role, "identifier": identifier, "days": days}
        made = self._pool.ask("role_offer", {**args, "note": note})
        return made["id"], made["code"]

    def role_offers(self, token: str) -> list[Offer]:
        """What this administrator offered, newest first."""
        return [Offer(**each) for each in self._pool.ask("role_offers", {"token": token})]

    def role_offer_withdraw(self, token: str, offer: UUID) -> None:
        """Take an offer back. Refused "unknown_invitation"."""
        self._pool.ask("role_offer_withdraw", {"token": token, "id": offer})

    def my_office_roles(self, token: str) -> list[OwnRole]:
        """The roles that the signed-in person has."""
        return [OwnRole(**each) for each in self._pool.ask("my_office_roles", {"token": token})]

    def role_offer_read(self, token: str, code: str) -> Offer:
        """The offer of this code, if it is the signed-in person's. Refused "unknown_invitation", "slow_down"."""
        return Offer(**self._pool.ask("role_offer_read", {"token": token, "code": code}))

    def role_offer_answer(self, token: str, code: str, *, yes: bool) -> str:
        """Take an offer or not: "taken", "asked" (a second administrator decides) or "declined".

        Refused "unknown_invitation", "slow_down", "assisted", "second_factor_missing", "roles_apart", "self".
        """
        return str(self._pool.ask("role_offer_answer", {"token": token, "code": code, "yes": yes}))

    def office_change(
        self,
        token: str,
        office: UUID,
        name: str,
        *,
        name_en: str | None = None,
        town: str | None = None,
        address: str | None = None,
        hours: Hours | None = None,
    ) -> None:
        """Change what the public reads of an office of the subtree. Refused "unknown_office", "bad_office"."""
        args: dict[str, Any] = {"token": token, "office": office, "name": name, "name_en": name_en}
        args |= {"town": town, "address": address}
        if hours is not None:
            args["hours"] = {str(day): [list(span) for span in spans] for day, spans in hours.items()}
        self._pool.ask("office_change", args)

    def office_add(
        self,
        token: str,
        parent: UUID,
        name: str,
        kind: str,
        *,
        name_en: str = "",
        town: str = "",
        address: str = "",
    ) -> UUID:
        """A new office under one of the subtree. Refused "unknown_office", "bad_office"."""
        args = {"token": token, "parent": parent, "name": name, "kind": kind}
        office: UUID = self._pool.ask(
            "office_add", {**args, "name_en": name_en, "town": town, "address": address}
        )
        return office

    def office_move(self, token: str, office: UUID, parent: UUID) -> UUID:
        """Ask a second administrator to put an office elsewhere; gives the request. Refused "unknown_office",
        "bad_office"."""
        request: UUID = self._pool.ask("office_move", {"token": token, "office": office, "parent": parent})
        return request

    def office_close(self, token: str, office: UUID) -> UUID:
        """Ask a second administrator to close an office: its roles end. Gives the request."""
        request: UUID = self._pool.ask("office_close", {"token": token, "office": office})
        return request


def _office(each: Mapping[str, Any]) -> Office:
    hours = {int(day): [(begin, end) for begin, end in spans] for day, spans in each["hours"].items()}
    return Office(**{**each, "hours": hours})
