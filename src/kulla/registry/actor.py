"""Who is acting on a page: a session, seen from one service.

An actor knows the pseudonyms of this service only. It is made by the decorators of `access` and handed to
actions; its attestation, minted by the keeper for this session and service, goes into each entry.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from uuid import UUID

from django.utils.translation import gettext

from kulla.keeper_client import Entered, KeeperUnavailable, Session, Ticket
from kulla.registry.door import keeper

TICKETS_AHEAD = 2  # minted with each entering: most people book one thing
TICKETS_AGAIN = 8  # minted when these are used up: whoever books three things books more
ENTERED_FOR_S = 15 * 60  # as long as a token: a new token brings new wards and a new attestation
WARDS_FOR_S = (
    60  # who acts for others is asked for again: a mandate that was taken back leaves the pages soon
)
_CACHE_LIMIT = 20_000


@dataclass
class Actor:
    """One session in one service. `person` is None for officials; `office` is None for citizens."""

    session: Session
    service: str
    person: UUID | None
    wards: tuple[UUID, ...]
    relations: dict[UUID, str]
    office: UUID | None
    role: str
    attestation: bytes
    token: str
    assisted: str = ""  # the name of the office where an official acts with the person present
    _tickets: dict[UUID, "deque[Ticket]"] = field(default_factory=dict, repr=False)

    @property
    def persons(self) -> tuple[UUID, ...]:
        """The actor and the wards, in this order: everyone for whom the actor may act."""
        return (self.person, *self.wards) if self.person else ()

    @property
    def also_claims(self) -> tuple[tuple[str, str], ...]:
        """Lines that go into every receipt of this actor: that it was done at a counter, and at which."""
        if not self.assisted:
            return ()
        words = gettext("Done at the counter of %(office)s with you present")
        return (("how", words % {"office": self.assisted}),)

    def may_act_for(self, person: UUID | None) -> bool:
        """Whether this is the actor or a ward of the actor."""
        return person is not None and person in self.persons

    def ticket(self, person: UUID) -> Ticket:
        """A holder commitment with its one-time sealing key, minted ahead while there are any.

        Raises KeeperUnavailable or Refused when none is left and the keeper does not mint one.
        """
        try:
            return self._tickets[person].popleft()
        except (KeyError, IndexError):
            fresh = keeper().holder(self.attestation, person, self.service, TICKETS_AGAIN)
            first, *rest = fresh
            self._tickets.setdefault(person, deque()).extend(rest)
            return first


_entered: dict[tuple[str, str], tuple[float, float, Actor]] = {}  # (fresh until, usable until, actor)
_lock = threading.Lock()


def enter(session: Session, token: str, service: str) -> Actor:
    """The actor of this session in this service; asks the keeper once a session, service and quarter of an hour, for
    who acts for others once a minute (while the keeper is away, what was known a quarter of an hour ago serves).

    Raises KeeperUnavailable when the keeper is away and this process has not seen the session in this service,
    Refused when the keeper does not know the session any more.
    """
    key = (session.sid, service)
    now = time.monotonic()
    fresh_until, usable_until, known = _entered.get(key, (0.0, 0.0, None))
    if known is not None and usable_until > now:
        known.session, known.token = session, token
        if fresh_until > now:
            return known
    try:
        entered: Entered = keeper().enter(token, service, TICKETS_AHEAD)
    except KeeperUnavailable:
        if known is not None and usable_until > now:
            return known
        raise
    actor = Actor(
        session=session,
        service=service,
        person=entered.person,
        wards=tuple(ward.person for ward in entered.wards),
        relations={ward.person: ward.relation for ward in entered.wards},
        office=entered.office,
        role=entered.role,
        attestation=entered.attestation,
        token=token,
        assisted=entered.assisted,
        _tickets={person: deque(tickets) for person, tickets in entered.tickets.items()},
    )
    with _lock:
        if len(_entered) >= _CACHE_LIMIT:
            _entered.clear()
        fresh_for = WARDS_FOR_S if actor.wards else ENTERED_FOR_S
        _entered[key] = (now + fresh_for, now + ENTERED_FOR_S, actor)
    return actor


def leave(sid: str) -> None:
    """Forget what is remembered of a session that ended."""
    with _lock:
        for key in [key for key in _entered if key[0] == sid]:
            del _entered[key]
