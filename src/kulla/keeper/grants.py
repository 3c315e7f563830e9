"""Grants: an office may look at one person on one local day at no cost.

A grant is named by the caller's `ref` together with person, service and office. So nobody meets another's grant
under the same ref: neither can it be changed, nor does any answer tell that it is there.

Attestations stand in the journal, so whoever steals the portal has old ones. What an old one can do is little:
    up to 30 minutes old   a grant, within what a person's day allows
    up to 48 hours old     a *late* grant, for effects that waited: few for each person, office and country a day,
                           and the person reads of it among the looks
    older                  nothing new; a grant that stands already is answered as before
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from kulla.keeper.budgets import DAY_MS
from kulla.keeper.committer import Committer
from kulla.keeper.config import Limits
from kulla.keeper.errors import Refusal
from kulla.keeper.families.store import Families
from kulla.keeper.looks import look
from kulla.keeper.metering import Meter
from kulla.keeper.people import People
from kulla.keeper.register import Register
from kulla.keeper.sessions import FRESH_MS, Live, Proven

AHEAD_DAYS = 400  # how far ahead an appointment can be
LATE_MS = 2 * DAY_MS
REVOKE_MS = 30 * DAY_MS


@dataclass(frozen=True)
class _Grant:
    ref: UUID
    person: UUID
    service: str
    office: UUID
    late: bool

    @property
    def key(self) -> tuple[bytes, bytes, str, bytes]:
        return self.ref.bytes, self.person.bytes, self.service, self.office.bytes


class Grants:
    """Makes grants, takes them back, knows which hold today."""

    def __init__(
        self,
        register: Register,
        people: People,
        families: Families,
        committer: Committer,
        meter: Meter,
        limits: Limits,
        clock: Callable[[], int],
    ) -> None:
        self._register, self._people, self._families, self._committer = register, people, families, committer
        self._meter, self._limits, self._clock = meter, limits, clock
        self._making: set[_Grant] = set()
        self._lock = threading.Lock()

    def holds(self, office: UUID | None, person: UUID) -> bool:
        """Whether this office may look at this person today at no cost."""
        if office is None:
            return False
        row = self._register.one(
            "SELECT 1 FROM access_grant WHERE person = ? AND office = ? AND day = ? AND NOT revoked LIMIT 1",
            *(person.bytes, office.bytes, self._people.today().isoformat()),
        )
        return row is not None

    def make(
        self, proof: Proven, pseudonym: UUID, service: str, *, office: UUID, day: date, ref: UUID
    ) -> None:
        """Let `office` look at this person on `day`. Again with the same words, or after it was revoked: nothing.

        (1) Citizens for themselves and wards, officials for their own office; (2) what stands, stands; (3) the age
        of the proof and the ceilings; (4) officials pay, unless they paid for this person within a day (they just
        found them); (5) a late one is told to the person.
        Raises Refusal("not_yours", "role", "unknown_office", "bad_day", "attestation", "capped", "budget").
        """
        person, session = self._people.person(pseudonym, service), proof.session
        if session.is_citizen and not self._families.acts_for(session.person, person, service):
            raise Refusal("not_yours", "This is not you, nor anyone you act for.")
        if not session.is_citizen and session.office != office:
            raise Refusal("role", "Officials make grants for their own office only.")
        if self._register.one("SELECT 1 FROM office WHERE id = ?", office.bytes) is None:
            raise Refusal("unknown_office", "There is no such office.")
        age = self._clock() - proof.at
        grant = _Grant(ref, person, service, office, late=age > FRESH_MS)
        row = self._register.one(
            "SELECT day, revoked FROM access_grant WHERE ref = ? AND person = ? AND service = ? AND office = ?",
            *grant.key,
        )
        if row is not None and (row[1] or row[0] == day.isoformat()):
            return
        if age > LATE_MS:
            raise Refusal("attestation", "This attestation is too old for a new grant.")
        today = self._people.today()
        if not today - timedelta(days=1) <= day <= today + timedelta(days=AHEAD_DAYS):
            raise Refusal("bad_day", "A grant is for a day from yesterday to a year ahead.")
        with self._counted(grant):
            if not session.is_citizen:
                self._pay(session, person, service)
            names = {"ref": ref, "person": person, "service": service, "office": office}
            when = {"day": day.isoformat(), "at": self._clock(), "late": grant.late}
            when |= {"by_office": not session.is_citizen}
            self._committer.commit({"type": "grant", **names, **when})
        if grant.late:
            self._tell(grant, session)

    def revoke(self, proof: Proven, ref: UUID) -> None:
        """Take back the grants under this ref that are the caller's to take back: the person's, a guardian's, the
        office's. Others, and refs that are not there, give the same answer. Raises Refusal("attestation")."""
        if self._clock() - proof.at > REVOKE_MS:
            raise Refusal("attestation", "This attestation is older than 30 days.")
        rows = self._register.rows(
            "SELECT person, service, office FROM access_grant WHERE ref = ? AND NOT revoked", ref.bytes
        )
        bodies = []
        for raw_person, service, raw_office in rows:
            person, office = UUID(bytes=raw_person), UUID(bytes=raw_office)
            mine = proof.service in (None, service) and self._may_revoke(
                proof.session, person, service, office
            )
            if mine:
                names = {"ref": ref, "person": person, "service": service, "office": office}
                bodies.append({"type": "grant_revoked", **names})
        if bodies:
            self._committer.commit(*bodies)

    def _may_revoke(self, session: Live, person: UUID, service: str, office: UUID) -> bool:
        if session.is_citizen:
            return self._families.acts_for(session.person, person, service)
        return session.office == office

    def _pay(self, session: Live, person: UUID, service: str) -> None:
        self._meter.official(session)
        if not self._meter.looks.paid_since(session.person, person, self._clock() - DAY_MS):
            self._meter.pay("grant", session, person, service)

    def _tell(self, grant: _Grant, session: Live) -> None:
        """As nobody's look, so that it is listed also when the person made the grant."""
        who = {"official": None, "office": grant.office, "role": session.role, "sid": session.sid}
        told = look(
            "grant",
            **who,  # type: ignore[arg-type]
            person=grant.person,
            service=grant.service,
            purpose="late grant",
            fields=[],
            cost=0,
            allowed=True,
        )
        self._meter.looks.add([told])

    @contextmanager
    def _counted(self, grant: _Grant) -> Iterator[None]:
        """Hold a place under every ceiling while the grant is written. Raises Refusal("capped", until_ms)."""
        with self._lock:
            self._check(grant)
            self._making.add(grant)
        try:
            yield
        finally:
            with self._lock:
                self._making.discard(grant)

    def _check(self, grant: _Grant) -> None:
        limits, since = self._limits, self._clock() - DAY_MS
        others = [each for each in self._making if each.key != grant.key]
        of_person = [each for each in others if each.person == grant.person]
        person, office = grant.person.bytes, grant.office.bytes
        sums: list[tuple[int, int, str, tuple[bytes, ...]]] = [
            (limits.grants_person_day, len(of_person), "person = ?", (person,))
        ]
        if grant.late:
            others = [each for each in others if each.late]
            at_office = sum(each.office == grant.office for each in others)
            late_of_person = sum(each.late for each in of_person)
            sums += [
                (limits.late_grants_person_day, late_of_person, "late AND person = ?", (person,)),
                (limits.late_grants_office_day, at_office, "late AND office = ?", (office,)),
                (limits.late_grants_day, len(others), "late", ()),
            ]
        for limit, waiting, where, values in sums:
            row = self._register.one(
                f"SELECT count(*), min(at) FROM access_grant WHERE {where} AND at > ?",  # noqa: S608 - fixed texts
                *values,
                since,
            )
            count, oldest = row or (0, None)
            if count + waiting >= limit:
                until = (oldest or self._clock()) + DAY_MS
                raise Refusal("capped", "There were too many grants today.", until_ms=until)
