"""The sections of what is held about a person that come from the spine and from my data. No section gives a secret."""

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kulla.keeper.my_data.sections import Rows
from kulla.keeper.my_data.viewing import Filter
from kulla.keeper.people import full_name

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper
    from kulla.keeper.my_data import MyData

_PROFILE = (
    "first_name",
    "last_name",
    "birth_date",
    "sex",
    "language",
    "place",
    "address",
    "status",
    "death_date",
)
WITHHELD = "withheld"  # a value that pages put into words
_LINK = re.compile(r"(https?://[^/\s]+/)\S+")


def add_all(keeper: "Keeper", my_data: "MyData") -> None:
    """Add them in the order in which a person reads them."""
    own = Held(keeper, my_data)
    for name in (
        *("register", "identifiers", "settings", "family", "credentials", "sessions"),
        *("notices", "grants", "looks", "questions", "corrections", "erasure"),
    ):
        my_data.add_section(name, getattr(own, name))


class Held:
    """One method a section."""

    def __init__(self, keeper: "Keeper", my_data: "MyData") -> None:
        self._keeper, self._my_data = keeper, my_data

    def register(self, person: UUID) -> Rows:
        """The profile; of a protected person without the address, which leaves the keeper to no screen."""
        profile = self._keeper.people.profile(person)
        visible = self._keeper.protected.visible(person, profile)
        row = {name: str(visible[name]) for name in _PROFILE if visible.get(name)}
        hidden = {name: WITHHELD for name in _PROFILE if profile.get(name) and name not in visible}
        return [row | hidden]

    def identifiers(self, person: UUID) -> Rows:
        """Numbers of documents."""
        return [{"type": kind, "number": text} for kind, text in self._keeper.people.identifiers(person)]

    def settings(self, person: UUID) -> Rows:
        """What was chosen on the page of settings."""
        chosen = self._my_data.settings.of(person)
        row: dict[str, Any] = {"language": chosen["language"], "needs": chosen["needs"]}
        return [row | {f"channels_{group}": some for group, some in chosen["channels"].items()}]

    def family(self, person: UUID) -> Rows:
        """For whom the person acts, and who acts for the person."""
        families, rows = self._keeper.families, []
        for acts, links in ((True, families.links(person)), (False, families.links_to(person))):
            for link in links:
                other = full_name(self._keeper.people.profile(link.person if acts else link.actor))
                row: dict[str, Any] = {
                    "tie": link.kind,
                    # Of a child in another's custody nothing is told, not even the name.
                    "name": "" if acts and not link.custody else other,
                    "acts": "you act" if acts else "acts for you",
                    "relation": link.relation,
                    "scopes": sorted(link.scopes),
                    "custody": link.custody,
                }
                row |= {"since": link.since.isoformat()} if link.since else {}
                row |= {"until": link.until.isoformat()} if link.until else {}
                rows.append(row)
        return rows

    def credentials(self, person: UUID) -> Rows:
        """How the person signs in: kinds and dates, never what is secret."""
        rows = self._keeper.register.rows(
            "SELECT kind, at FROM credential WHERE person = ? ORDER BY kind, at", person.bytes
        )
        found = [{"kind": kind} | ({"at_ms": at} if at else {}) for kind, at in rows]
        keys = self._keeper.register.rows("SELECT at FROM passkey WHERE person = ? ORDER BY at", person.bytes)
        return [*found, *({"kind": "passkey", "at_ms": at} for (at,) in keys)]

    def sessions(self, person: UUID) -> Rows:
        """When and where the person signed in."""
        rows = self._keeper.register.rows(
            "SELECT started, ended, role, origin, assisted FROM session WHERE person = ? ORDER BY started DESC",
            person.bytes,
        )
        found: Rows = []
        for started, ended, role, origin, assisted in rows:
            network, device, *_ = self._keeper.vault.open_own(person, "session", origin)
            row = {"started_ms": started, "role": role, "network": network, "device": device}
            row |= {"ended_ms": ended} if ended else {}
            row |= {"assisted": self._keeper.office_name(UUID(bytes=assisted))} if assisted else {}
            found.append(row)
        return found

    def notices(self, person: UUID) -> Rows:
        """What was sent."""
        rows = self._keeper.register.rows(
            "SELECT at, sealed FROM notice WHERE person = ? ORDER BY at DESC", person.bytes
        )
        found: Rows = []
        for at, sealed in rows:
            subject, body, *_ = self._keeper.vault.open_own(person, "notice", sealed)
            # Links that act are secrets of their own: a download is passed on more easily than an inbox.
            found.append({"at_ms": at, "subject": subject, "body": _LINK.sub(r"\1…", body)})
        return found

    def grants(self, person: UUID) -> Rows:
        """Which office may look on which day; one that an office made itself only as far as its looks are shown."""
        rows = self._keeper.register.rows(
            "SELECT service, office, day, at, late, revoked, by_office FROM access_grant WHERE person = ? "
            "ORDER BY at DESC",
            person.bytes,
        )
        return [
            {
                "service": service,
                "office": self._keeper.office_name(UUID(bytes=office)),
                "day": day,
                "made_ms": at,
                "revoked": bool(revoked),
            }
            for service, office, day, at, late, revoked, by_office in rows
            # A late one is told among the looks as the office's: both are shown or neither.
            if not ((by_office or late) and self._my_data.hides(person, UUID(bytes=office), at))
        ]

    def looks(self, person: UUID) -> Rows:
        """Who looked at the person, as on the page. Looks at wards are theirs."""
        rows: Rows = []
        before: UUID | None = None
        while True:
            found, before = self._my_data.viewing.page(person, Filter(whose=person), before=before, limit=200)
            names = ("at_ms", "office", "role", "service", "purpose", "fields", "allowed", "late")
            rows += [{name: line[name] for name in names} for line in found]
            if before is None:
                return rows

    def questions(self, person: UUID) -> Rows:
        """One's own questions about looks."""
        names = ("reference", "at_ms", "due_ms", "office", "look_at_ms", "text", "answered_ms", "answer")
        return [_some(each, names) for each in self._my_data.questions.all_of(person)]

    def corrections(self, person: UUID) -> Rows:
        """One's own requests for corrections."""
        names = (
            "reference",
            "at_ms",
            "field",
            "was",
            "value",
            "reason",
            "document",
            "size",
            "state",
            "decided_ms",
        )
        return [_some(each, (*names, "answer")) for each in self._my_data.corrections.all_of(person)]

    def erasure(self, person: UUID) -> Rows:
        """One's own requests for erasure."""
        names = ("reference", "at_ms", "text", "state", "decided_ms", "answer")
        return [_some(each, names) for each in self._my_data.erasures.all_of(person)]


def _some(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for name in names if row[name] not in (None, "", 0)}
