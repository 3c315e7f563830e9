"""Which attestations in the journal are an official's: for `kulla undo`, and for nothing else.

Whoever holds the portal must learn nothing from it about citizens: an attestation of a citizen's own session is of
nobody here, so that no two services' pseudonyms can be tied together. And it is no way to guess who an official is: few
names may be asked about within an hour, each is logged as a look, and an unknown name is answered like one that did
nothing.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from kulla.keeper.errors import Refusal
from kulla.keeper.looks import Looks, look
from kulla.keeper.people import People
from kulla.keeper.sessions import Sessions

HOUR_MS = 3_600_000
NAMES_AN_HOUR = 20
FORMS = ("session", "official")


class Tracing:
    """Answers `traced`."""

    def __init__(self, sessions: Sessions, people: People, looks: Looks, clock: Callable[[], int]) -> None:
        self._sessions, self._people, self._looks, self._clock = sessions, people, looks, clock
        self._asked: dict[tuple[str, str], int] = {}

    def traced(self, form: str, which: str, proofs: Sequence[bytes]) -> list[bool]:
        """For each attestation whether it is of this session of an official, or of this official (by number or sign-in
        name; also where they acted at a counter for a person). Raises Refusal("bad_request", "budget")."""
        if form not in FORMS:
            raise Refusal("bad_request", "Acts are traced to a session or an official.")
        self._note(form, which)
        person = None
        if form == "official":
            person = self._people.by_marks(self._people.sign_in_marks(which))
        return [self._is(form, which, person, proof) for proof in proofs]

    def _is(self, form: str, which: str, person: UUID | None, proof: bytes) -> bool:
        try:
            session = self._sessions.traced(proof)
        except Refusal:
            return False
        if session.is_citizen:  # at a counter the official stands behind the person's session
            return form == "official" and person is not None and session.helper == person
        return session.sid == which if form == "session" else session.person == person

    def _note(self, form: str, which: str) -> None:
        now, name = self._clock(), (form, which)
        self._asked = {known: at for known, at in self._asked.items() if at > now - HOUR_MS}
        if name in self._asked:
            return
        allowed = len(self._asked) < NAMES_AN_HOUR
        who: dict[str, Any] = {
            "official": None,
            "office": None,
            "role": "job:undo",
            "sid": "",
            "person": None,
        }
        digest = hashlib.sha256(f"{form}:{which}".encode()).hexdigest()[:16]
        self._looks.add(
            [
                look(
                    "segment",
                    **who,
                    service="journal",
                    purpose=digest,
                    fields=[form],
                    cost=0,
                    allowed=allowed,
                )
            ]
        )
        if not allowed:
            raise Refusal(
                "budget",
                "Too many officials were asked about within an hour.",
                until_ms=min(self._asked.values()) + HOUR_MS,
            )
        self._asked[name] = now
