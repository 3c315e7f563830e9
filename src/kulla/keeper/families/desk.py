"""What officials do about families: two of them, always. One asks with the court's decision or the certificate,
another decides (approvals). No call makes a guardian or an heir by itself, whoever holds the portal.

People are named by an identifier, which is a look: it costs as `find` and stands on their page.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from kulla.keeper.approvals import Approvals, Request, Rule
from kulla.keeper.errors import Refusal
from kulla.keeper.families.links import RELATIONS, Body, checked_scopes, guardian_body, guardian_ended_body
from kulla.keeper.families.store import Families
from kulla.keeper.kinds.families import LONG_OVER
from kulla.keeper.looks import Look
from kulla.keeper.metering import Meter, entry
from kulla.keeper.opening import Opening
from kulla.keeper.people import People
from kulla.keeper.register import Register
from kulla.keeper.roles import READERS, REGISTRAR
from kulla.keeper.sessions import Live

MADE, ENDED, HEIR, HEIR_ENDED = "guardianship_made", "guardianship_ended", "heir", "heir_ended"
SERVICE, PURPOSE = "identity", "family"  # in the log of looks
SHOWN = ("name", "birth_date")  # what a request tells of each person
MAX_WORDS = 500

Tell = Callable[[UUID, str, "dict[str, str]"], None]


@dataclass(frozen=True)
class Named:
    """Somebody as an official names them: the type of an identifier and what stands on the document."""

    type: str
    identifier: str


@dataclass(frozen=True)
class Decision:
    """A court's decision: its number, its day, the court."""

    number: str
    day: date
    court: str


class FamilyDesk:
    """Requests of officials about families, and what they do once decided."""

    def __init__(
        self,
        register: Register,
        people: People,
        families: Families,
        approvals: Approvals,
        opening: Opening,
        meter: Meter,
        *,
        tell: Tell,
        clock: Callable[[], int],
    ) -> None:
        self._register, self._people, self._families = register, people, families
        self._approvals, self._opening, self._meter = approvals, opening, meter
        self._tell, self._clock = tell, clock
        for kind, carry_out in (
            (MADE, self._make),
            (ENDED, self._end),
            (HEIR, self._make_heir),
            (HEIR_ENDED, self._end_heir),
        ):
            approvals.declare(kind, Rule(self._may_decide, carry_out, self._afterwards))

    # Asking --------------------------------------------------------------------------------------------

    def ask_made(
        self,
        session: Live,
        guardian: Named,
        ward: Named,
        *,
        terms: Mapping[str, Any],
        words: str,
        decision: Decision,
    ) -> UUID:
        """Ask that somebody becomes a guardian. `terms`: relation, scopes, custody, since, until, limits, adult as in
        guardian_body; `words`: the court's limits for people.

        Raises Refusal("role", "budget", "bad_identifier", "unknown_person" (which), "self", "bad_scope", "bad_day",
        "bad_params", "protected", "not_adult" (a child cannot be a guardian), "of_age" (an adult needs adult=True),
        "concerned").
        """
        self._registrar(session)
        guardian_body(UUID(int=0), UUID(int=1), **terms)  # what is wrong with the terms costs no look
        by, of = self._two(session, ("guardian", guardian), ("ward", ward))
        body = guardian_body(by, of, **terms)
        if self._families.under_age(by):
            raise Refusal("not_adult", "A child cannot be a guardian.")
        if not body["adult"] and not self._families.under_age(of):
            raise Refusal("of_age", "This person is of age: only a court puts an adult under guardianship.")
        what = {"guardian": by, "ward": of, "terms": dict(terms), "words": words[:MAX_WORDS]}
        shown = self._names(guardian=by, ward=of) | {"relation": body["relation"]}
        shown |= {"scopes": ",".join(body["scopes"]), "custody": "yes" if body["custody"] else "no"}
        shown |= {"since": body["since"] or "", "until": body["until"] or "", "limits": body["limits"]}
        shown |= {"adult": "yes" if body["adult"] else "no", "words": words[:MAX_WORDS]}
        return self._ask(session, MADE, {**what, "decision": _plain(decision)}, shown, about=of)

    def ask_ended(self, session: Live, guardian: Named, ward: Named, *, decision: Decision) -> UUID:
        """Ask that a guardianship ends. Raises as `ask_made`, and "no_tie"."""
        self._registrar(session)
        by, of = self._two(session, ("guardian", guardian), ("ward", ward))
        self._guardianship(by, of)
        what = {"guardian": by, "ward": of, "decision": _plain(decision)}
        return self._ask(session, ENDED, what, self._names(guardian=by, ward=of), about=of)

    def ask_heir(
        self,
        session: Live,
        dead: Named,
        heir: Named,
        *,
        scopes: Iterable[str],
        until: date,
        document: str,
        certificate: str,
    ) -> UUID:
        """Ask that an heir acts for a person who has died. `document`: what the heir has shown; `certificate`: its
        number of the certificate of inheritance. Raises as `ask_made`, and "not_dead"."""
        if session.role not in READERS:
            raise Refusal("role", "Only officials at a counter may do this.")
        wanted = checked_scopes(scopes)
        by, of = self._two(session, ("heir", heir), ("dead", dead))
        if not self._families.is_dead(of):
            raise Refusal("not_dead", "The register does not say that this person has died.")
        if until < self._families.today():
            raise Refusal("bad_day", "The last day has passed.")
        papers = {"document": document[:MAX_WORDS], "certificate": certificate[:MAX_WORDS]}
        what = {"heir": by, "dead": of, "scopes": wanted, "until": until.isoformat(), "papers": papers}
        shown = self._names(heir=by, dead=of) | {"scopes": ",".join(wanted)}
        shown |= {"until": until.isoformat(), **papers}
        return self._ask(session, HEIR, what, shown, about=of)

    def ask_heir_ended(self, session: Live, dead: Named, heir: Named, *, reason: str) -> UUID:
        """Ask that an heir's right ends before its day. Raises as `ask_made`, and "no_tie"."""
        self._registrar(session)
        by, of = self._two(session, ("heir", heir), ("dead", dead))
        self._estates(by, of)
        shown = self._names(heir=by, dead=of) | {"words": reason[:MAX_WORDS]}
        return self._ask(session, HEIR_ENDED, {"heir": by, "dead": of}, shown, about=of)

    # Deciding ------------------------------------------------------------------------------------------

    def _may_decide(self, session: Live, request: Request) -> bool:
        concerned = [request.content.get(name) for name in ("guardian", "ward", "heir", "dead")]
        return session.role == REGISTRAR and session.person not in concerned

    def _make(self, request: Request, _session: Live) -> list[Body]:
        what = request.content
        guardian, ward = what["guardian"], what["ward"]
        if self._families.is_dead(guardian) or self._families.is_dead(ward):
            raise Refusal("unknown_person", "One of them has died meanwhile.")
        details = self._families.seal_details(ward, {"words": what["words"], **what["decision"]})
        return [guardian_body(guardian, ward, **what["terms"], source="officials", sealed=details)]

    def _end(self, request: Request, _session: Live) -> list[Body]:
        guardian, ward = request.content["guardian"], request.content["ward"]
        self._guardianship(guardian, ward)
        return [guardian_ended_body(guardian, ward, source="officials")]

    def _make_heir(self, request: Request, _session: Live) -> list[Body]:
        what = request.content
        heir, dead = what["heir"], what["dead"]
        if self._families.is_dead(heir):
            raise Refusal("unknown_person", "The heir has died meanwhile.")
        names = {"type": "estate", "id": uuid4(), "dead": dead, "heir": heir}
        sealed = self._families.seal_details(dead, what["papers"])
        return [{**names, "scopes": what["scopes"], "until": what["until"], "sealed": sealed}]

    def _end_heir(self, request: Request, _session: Live) -> list[Body]:
        heir, dead = request.content["heir"], request.content["dead"]
        names = {"heir": heir, "dead": dead, "at": self._clock()}
        return [{"type": "estate_ended", "id": tie, **names} for tie in self._estates(heir, dead)]

    def _afterwards(self, request: Request, session: Live) -> None:
        """Who decided has read it: a look. Then everybody concerned is told."""
        what = request.content
        actor, person = what.get("guardian") or what["heir"], what.get("ward") or what["dead"]
        self._meter.looks.add([_read(session, each) for each in (actor, person)])
        names = {"name": self._people.field(person, "name")}
        self._tell(actor, f"{request.kind}_actor", names)
        told = {"name": self._people.field(actor, "name")}
        if request.kind in (MADE, ENDED):
            others = [other for other in self._families.guardians(person) if other != actor]
            if not self._families.under_age(person):
                others.append(person)
            for other in others:
                self._tell(other, f"{request.kind}_others", told)

    # Inside --------------------------------------------------------------------------------------------

    def _registrar(self, session: Live) -> None:
        if session.role != REGISTRAR:
            raise Refusal("role", "Only registrars may do this.")

    def _two(self, session: Live, *named: tuple[str, Named]) -> tuple[UUID, UUID]:
        """Who acts and for whom; each search is paid whether or not there is anybody."""
        for _, who in named:
            self._people.normalise(who.type, who.identifier)  # a typing error costs nothing
        found: list[UUID] = []
        for which, who in named:
            person = self._opening.search(session, who.type, who.identifier, PURPOSE, SERVICE)
            if person is None:
                raise Refusal("unknown_person", "The register has nobody with this identifier.", which=which)
            found.append(person)
        actor, person = found
        if actor == person:
            raise Refusal("self", "Both identifiers belong to one person.")
        if session.person in found:
            raise Refusal("concerned", "Nobody does this for themselves or their own family.")
        if self._families.is_dead(actor):
            raise Refusal("unknown_person", "This person has died.", which=named[0][0])
        for each in found:  # their names go into the request; of protected persons only after a release
            self._opening.look_at(session, each, SHOWN, service=SERVICE, purpose=PURPOSE)
        return actor, person

    def _guardianship(self, guardian: UUID, ward: UUID) -> None:
        sql = "SELECT 1 FROM guardianship WHERE guardian = ? AND ward = ? AND until IS NOT ?"
        if self._register.one(sql, guardian.bytes, ward.bytes, LONG_OVER) is None:
            raise Refusal("no_tie", "The register has no guardianship between these two.")

    def _estates(self, heir: UUID, dead: UUID) -> list[UUID]:
        sql = "SELECT id FROM estate WHERE heir = ? AND dead = ? AND ended IS NULL"
        found = [UUID(bytes=row[0]) for row in self._register.rows(sql, heir.bytes, dead.bytes)]
        if not found:
            raise Refusal("no_tie", "This person is recorded as no heir of that one.")
        return found

    def _names(self, **persons: UUID) -> dict[str, str]:
        """Name and birth date of each: what the decider compares with the papers."""
        field = self._people.field
        return {which: f"{field(who, 'name')}, {field(who, 'birth_date')}" for which, who in persons.items()}

    def _ask(
        self, session: Live, kind: str, what: dict[str, Any], shown: dict[str, str], *, about: UUID
    ) -> UUID:
        for name, text in what.get("decision", {}).items():
            shown[name] = text
        content = {**what, "shown": {name: text for name, text in shown.items() if text}}
        return self._approvals.ask(session, kind, content, about=about)


def _read(session: Live, person: UUID) -> Look:
    """The look of whoever decided: names and birth dates stood in the request."""
    return entry(
        "open",
        session,
        person,
        SHOWN,
        service=SERVICE,
        purpose=PURPOSE,
        cost=0,
        allowed=True,
    )


def _plain(decision: Decision) -> dict[str, str]:
    return {
        "decision": decision.number[:MAX_WORDS],
        "decided": decision.day.isoformat(),
        "court": decision.court[:MAX_WORDS],
    }


__all__ = ["ENDED", "HEIR", "HEIR_ENDED", "MADE", "RELATIONS", "Decision", "FamilyDesk", "Named"]
