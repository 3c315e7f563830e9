"""Sessions, their tokens, and attestations of who acts in one service. Who may have one is decided in sign_in.py.

A session is a record. Its token is a statement signed by the keeper (session id, role, office, expiry: 15 minutes)
that the portal verifies by itself; it is renewed while it is used. The person is not in it.

Three spans: a common session; a *short* one on a device that is not the person's own; an *assisted* one, in which an
official acts with the person present.
"""

import hashlib
import hmac
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kulla.journal import wire
from kulla.journal.ids import now_ms
from kulla.keeper import turns
from kulla.keeper.attempts import truncate_network
from kulla.keeper.attestations import Attestations
from kulla.keeper.committer import Committer
from kulla.keeper.errors import Refusal
from kulla.keeper.kinds import Body
from kulla.keeper.live import (
    ASSISTED,
    FRESH_MS,
    LONG,
    RENEW_MS,
    SESSION_MS,
    SHORT,
    TOKEN_MS,
    Live,
    Proven,
)
from kulla.keeper.offices import Offices
from kulla.keeper.people import STAFF, People
from kulla.keeper.register import Register
from kulla.keeper.roles import CITIZEN
from kulla.keeper.standing import Role, Standing
from kulla.keeper.strength import STRONG, strength
from kulla.keeper.vault import Cache, Vault

__all__ = ["ASSISTED", "FRESH_MS", "LONG", "SESSION_MS", "SHORT", "Live", "Proven", "Sessions"]
GATHER_S = 0.02  # a sign-in takes as long for its password: many then share one round to the copies
LANGUAGES = ("sq", "en")


class Sessions:
    """Sessions and everything that proves one."""

    def __init__(
        self, register: Register, vault: Vault, committer: Committer, people: People, offices: Offices
    ) -> None:
        self._register, self._vault, self._committer = register, vault, committer
        self._people, self._offices = people, offices
        self.standing = Standing()
        # The counter knows which assisted sessions belong to an official's own.
        self.helper_stands: Callable[[str], bool] = lambda _sid: True
        self.helped_by: Callable[[list[str]], list[str]] = lambda _sids: []
        self._signer = Ed25519PrivateKey.from_private_bytes(vault.system("token"))
        self.public_key = self._signer.public_key().public_bytes_raw()
        self._attestations = Attestations(vault, self._signer)
        self._tokens: Cache[str, tuple[str, int]] = Cache()
        self._sessions: Cache[str, Live | None] = Cache()
        self._staff: Cache[UUID, bool] = Cache()
        self._used: dict[str, int] = {}
        self._lock = threading.Lock()
        self._ended: dict[str, int] = {}
        self._mark = 0
        since = now_ms() - TOKEN_MS - RENEW_MS
        for sid, at in register.rows("SELECT sid, ended FROM session WHERE ended > ? ORDER BY ended", since):
            self._note_ended(sid, at)
        for sid, at in register.rows("SELECT sid, at FROM ended_here"):
            self._note_ended(sid, at)
        register.on_change.append(self._changed)
        # Who died while an import ran and this did not.
        left = register.rows(
            "SELECT sid FROM session JOIN person_status USING (person) WHERE ended IS NULL AND started > ?",
            now_ms() - SESSION_MS,
        )
        if left:
            self._end([sid for (sid,) in left])

    # Beginning -----------------------------------------------------------------------------------------

    def open_for(
        self,
        person: UUID,
        role: str,
        office: UUID | None,
        *,
        network: str,
        device: str,
        language: str | None,
        assisted: Mapping[str, UUID] | None = None,
        short: bool = False,
        factor: str = "",
        more: Mapping[str, Any] | None = None,
        also: Sequence[Body] = (),
    ) -> Body:
        """A new session for somebody whom the caller has proven to be there; gives it with its token.

        `network` is an address (truncated here), `assisted` = {"official", "office"}, `factor` what was proven
        (strength.py). `more` goes into the record, `also` are records of the same batch. Whether the person is
        frozen or dead is the caller's to ask (`standing.barred`). Raises Refusal("copies_unavailable").
        """
        network, device = truncate_network(network), device[:80]
        spoken = language if language in LANGUAGES else self._people.field(person, "language")
        body = {
            "type": "session",
            "sid": turns.random(16).hex(),
            "person": person,
            "role": role,
            "office": office,
            "language": spoken or LANGUAGES[0],
            "started": now_ms(),
            "origin": self._vault.seal_own(person, "session", [network, device]),
            "network_mark": self.network_mark(person, network),
            "step": 0,
            "factor": factor,
            **(more or {}),
        }
        if short:
            body["short"] = True
        helping, helper = (assisted["office"], assisted["official"]) if assisted is not None else (None, None)
        if assisted is not None:
            body |= {"assisted": helping, "helper": helper}
        self._committer.commit(body, *also, gather_s=GATHER_S)
        opened = Live(body["sid"], person, role, office, body["language"], body["started"], short)
        opened = replace(opened, assisted=helping, factor=factor, helper=helper)
        self._sessions.get(opened.sid, lambda: opened)  # what reading it back would give
        return self._token(self._live(opened.sid))

    def act_as(self, token: str, role: str, office: UUID | None, *, network: str, device: str) -> Body:
        """A session of the same strength in another role of this person, in place of the one now.

        Raises Refusal("role": not a role of theirs, or not from this session), "second_factor_missing".
        """
        me = self.live(token)
        if me.short or me.assisted:
            raise Refusal("role", "This session keeps its role.")
        if (role, office) not in self.roles(me.person):
            raise Refusal("role", "This is no role of yours.")
        if role != CITIZEN and strength(me.factor) < STRONG:
            raise Refusal("second_factor_missing", "Officials sign in with a second factor.")
        # As old as the one before: choosing a role must not make a session last longer.
        more = {"started": me.started}
        opened = self.open_for(
            me.person,
            role,
            office,
            network=network,
            device=device,
            language=me.language,
            factor=me.factor,
            more=more,
        )
        self._end([me.sid])
        return opened

    def roles(self, person: UUID) -> list[Role]:
        """All that a person may act as today, offices first. Staff accounts are no citizens."""
        citizen = [] if self._staff.get(person, lambda: self._is_staff(person)) else [(CITIZEN, None)]
        return [*self._offices.roles_of(person), *citizen]

    def _is_staff(self, person: UUID) -> bool:
        return {kind for kind, _ in self._people.identifiers(person)} == {STAFF}

    def any_before(self, person: UUID) -> bool:
        """Whether the person has ever been signed in."""
        return self._register.one("SELECT 1 FROM session WHERE person = ? LIMIT 1", person.bytes) is not None

    def came_from(self, person: UUID | None, network: str) -> bool:
        """Whether the person has signed in from this network before. Takes the same time for nobody."""
        row = self._register.one(
            "SELECT 1 FROM session WHERE person = ? AND network_mark = ? LIMIT 1",
            person.bytes if person else b"",
            self.network_mark(person, network),
        )
        return row is not None

    def network_mark(self, person: UUID | None, network: str) -> bytes:
        """A network (as `truncate_network` gives it) under a name that is this person's alone."""
        return self.mark(f"origin {person}", network)

    def mark(self, purpose: str, value: str) -> bytes:
        """The HMAC of a value for one purpose, eight bytes."""
        key = self._vault.system("lookup")
        return hmac.digest(key, wire.length_prefixed("kulla-mark/1", purpose, value), hashlib.sha256)[:8]

    # Tokens --------------------------------------------------------------------------------------------

    def live(self, token: str, *, renewing: bool = False) -> Live:
        """The session of a token. Raises Refusal("token", "token_expired", "session")."""
        sid, expires = self._tokens.get(token, lambda: self._verify(token))
        now = now_ms()
        if expires + (RENEW_MS if renewing else 0) <= now:
            raise Refusal("token_expired", "The session token has expired.")
        session = self._live(sid)
        if renewing and expires + session.span.renew_ms <= now:
            raise Refusal("token_expired", "The session token has expired.")
        self._used[sid] = now
        return session

    def renew(self, token: str) -> Body:
        """The session with a new token."""
        session = self.live(token, renewing=True)
        if now_ms() > session.started + session.span.whole_ms:
            self._end([session.sid])
            raise Refusal("session", "The session has lasted as long as it may: sign in again.")
        return self._token(session)

    def _token(self, session: Live) -> Body:
        expires = min(now_ms() + session.span.token_ms, session.started + session.span.whole_ms)
        said: Body = {"sid": session.sid, "role": session.role, "office": session.office}
        said |= {"language": session.language, "short": session.short, "assisted": session.assisted}
        statement = wire.sign_statement("token", {**said, "expires": expires}, self._signer)
        return {**said, "token": wire.to_text(statement), "expires_ms": expires}

    def _verify(self, token: str) -> tuple[str, int]:
        try:
            body = wire.open_statement("token", wire.from_text(token), self.public_key)
            return str(body["sid"]), int(body["expires"])
        except (wire.WireError, KeyError, TypeError, ValueError) as error:
            raise Refusal("token", "This is not a session token of this keeper.") from error

    def _live(self, sid: str) -> Live:
        session = self._sessions.get(sid, lambda: self._read(sid))
        if session is None or sid in self._ended:
            self._sessions.drop(sid)
            raise Refusal("session", "This session has ended.")
        if not session.is_citizen and not self._offices.holds(session.person, session.role, session.office):
            raise Refusal("session", "This role has ended.")
        if session.assisted and not self.helper_stands(sid):
            raise Refusal("session", "The session of the official who helps has ended.")
        return session

    def of_sid(self, sid: str) -> Live:
        """The session of this id, for parts of the keeper that hold no token. Raises Refusal("session")."""
        return self._live(sid)

    def _read(self, sid: str) -> Live | None:
        row = self._register.one(
            "SELECT person, role, office, language, started, short, assisted, factor, helper FROM session "
            "WHERE sid = ? AND ended IS NULL",
            sid,
        )
        if row is None:
            return None
        person, role, office, language, started, short, assisted, factor, helper = row
        kept = Live(sid, UUID(bytes=person), role, _uuid(office), language, started)
        return replace(kept, short=bool(short), assisted=_uuid(assisted), factor=factor, helper=_uuid(helper))

    # Ending --------------------------------------------------------------------------------------------

    def listed(self, token: str) -> list[Body]:
        """The person's live sessions, newest first."""
        me = self.live(token)
        since = now_ms() - SESSION_MS
        rows = self._register.rows(
            "SELECT sid, started, origin, network_mark FROM session "
            "WHERE person = ? AND started > ? AND ended IS NULL ORDER BY started DESC",
            *(me.person.bytes, since),
        )
        found = []
        here = next((mark for sid, _, _, mark in rows if sid == me.sid), b"")
        for sid, started, origin, mark in rows:
            session = None if sid in self._ended else self._read(sid)
            last = max(started, self._used.get(sid, 0))
            if session is None or not _stands(session, last):
                continue
            network, device = self._vault.open_own(me.person, "session", origin)
            before = self._used_before(me.person, mark, started)
            found.append(
                {
                    "sid": sid,
                    "started_ms": started,
                    "last_ms": last,
                    "network": network,
                    "device": device,
                    "current": sid == me.sid,
                    "known": "same" if mark == here else "known" if before else "new",
                    "role": session.role,
                    "office": session.office,
                    "short": session.short,
                    "assisted": session.assisted,
                    "factor": session.factor,
                }
            )
        return found

    def _used_before(self, person: UUID, mark: bytes, started: int) -> bool:
        row = self._register.one(
            "SELECT 1 FROM session WHERE person = ? AND network_mark = ? AND started < ? LIMIT 1",
            *(person.bytes, mark, started),
        )
        return row is not None

    def end(self, token: str, sid: str | None) -> list[str]:
        """End this session, another of the person's own, "others" or "all"; gives the ids. Strangers' are not found."""
        me = self.live(token)
        if sid is None:
            ended = [me.sid]
        else:
            own = [
                row[0]
                for row in self._register.rows(
                    "SELECT sid FROM session WHERE person = ? AND ended IS NULL", me.person.bytes
                )
                if row[0] not in self._ended  # its record may still be under way
            ]
            ended = [each for each in own if sid in {"all", each} or (sid == "others" and each != me.sid)]
        if not ended and sid != "others":
            raise Refusal("session", "There is no such session of yours.")
        self._end(ended)
        return ended

    def end_all(
        self,
        person: UUID,
        except_sid: str | None = None,
        *,
        role: str | None = None,
        office: UUID | None = None,
    ) -> list[str]:
        """End all sessions of a person but one; with `role` (and `office`) only those in it. Gives their ids."""
        rows = self._register.rows(
            "SELECT sid FROM session WHERE person = ? AND ended IS NULL AND sid IS NOT ? "
            "AND (? IS NULL OR role = ?) AND (? IS NULL OR office = ?)",
            *(person.bytes, except_sid, role, role),
            *([office.bytes if office else None] * 2),
        )
        ended = [sid for (sid,) in rows]
        if ended:
            self._end(ended)
        return ended

    def end_sids(self, sids: list[str]) -> None:
        """End these sessions, whosever they are."""
        self._end(sids)

    def _end(self, sids: list[str]) -> None:
        """It holds at once on this machine, even while the key copies are silent; the record follows. With an
        official's session ends the one in which they help."""
        at, sids = now_ms(), [*sids, *self.helped_by(sids)]
        for sid in sids:
            self._note_ended(sid, at)
        self._register.note("INSERT OR REPLACE INTO ended_here VALUES (?, ?)", [(sid, at) for sid in sids])
        self._committer.commit(*_ends(sids, at), urgent=True)

    def record_ends(self) -> None:
        """Ask again for the records of ends that could not be written; called now and then."""
        rows = self._register.rows(
            "SELECT sid, at FROM ended_here JOIN session USING (sid) WHERE session.ended IS NULL"
        )
        for sid, at in rows:
            self._committer.commit(*_ends([sid], at), urgent=True)
        old = now_ms() - TOKEN_MS - RENEW_MS
        self._register.note(
            "DELETE FROM ended_here WHERE at < ? AND sid IN (SELECT sid FROM session WHERE ended IS NOT NULL)",
            [(old,)],
        )
        with self._lock:
            for sid in [sid for sid, mark in self._ended.items() if mark < old]:
                if not any(sid == row[0] for row in rows):
                    del self._ended[sid]

    def revoked(self, since: int) -> Body:
        """Sessions ended after the mark `since`, and the next mark. Marks grow; 0 asks for all that matter."""
        with self._lock:
            return {"next": self._mark, "sids": [sid for sid, mark in self._ended.items() if mark > since]}

    def _note_ended(self, sid: str, at: int) -> None:
        with self._lock:
            if sid not in self._ended:
                # Times serve as marks, so that they go on growing after a restart.
                self._mark = max(self._mark + 1, at)
                self._ended[sid] = self._mark
        self._sessions.drop(sid)

    def _changed(self, body: Body) -> None:
        if body["type"] == "session_ended":
            self._note_ended(body["sid"], body["at"])
        elif body["type"] in {"identifier_added", "identifier_removed", "profile"}:
            self._staff.drop(body["person"])
        elif body["type"] == "person_died":
            self.end_all(body["person"])

    # Attestations --------------------------------------------------------------------------------------

    def attest(self, session: Live, service: str, pseudonym: UUID | None) -> bytes:
        """A statement of who acts in a service, fit to stand in the journal: no two share a value."""
        return self._attestations.make(session, service, pseudonym)

    def proven(self, proof: str | bytes, service: str | None = None) -> Proven:
        """Who stands behind a token, or behind an attestation (of this service, if one is named) of any age.

        Raises Refusal("token", "token_expired", "session", "attestation").
        """
        if isinstance(proof, str):
            return Proven(self.live(proof), None, now_ms())
        return self._attestations.read(proof, service)

    def traced(self, proof: bytes) -> Live:
        """The session behind an attestation of any age, also of before a rotation of the keys; only to find acts."""
        return self._attestations.traced(proof).session

    def present(self, proof: str | bytes, service: str) -> Live:
        """The live session of a token, or of an attestation of the last 30 minutes. Raises as `proven`."""
        found = self.proven(proof, service)
        if now_ms() - found.at > FRESH_MS:
            raise Refusal("attestation", "This attestation is older than 30 minutes.")
        return self._live(found.session.sid)


def _stands(session: Live, last: int) -> bool:
    now, span = now_ms(), session.span
    return now <= last + span.token_ms + span.renew_ms and now <= session.started + span.whole_ms


def _uuid(value: bytes | None) -> UUID | None:
    return UUID(bytes=value) if value else None


def _ends(sids: list[str], at: int) -> list[Body]:
    return [{"type": "session_ended", "sid": sid, "at": at} for sid in sids]
