"""Signing in, tokens, sessions, and attestations of who acts in one service.

A session is a record. Its token is a statement signed by the keeper (session id, role, office, expiry: 15 minutes)
that the portal verifies by itself; it is renewed while it is used. The person is not in it.
"""

import hashlib
import hmac
import os
import threading
from dataclasses import dataclass
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kulla.journal import wire
from kulla.journal.ids import now_ms
from kulla.keeper.attempts import Attempts, truncate_network
from kulla.keeper.committer import Committer
from kulla.keeper.credentials import Credentials
from kulla.keeper.errors import RecordsBroken, Refusal
from kulla.keeper.keys import open_box, seal_box
from kulla.keeper.kinds import Body
from kulla.keeper.people import People
from kulla.keeper.register import Register
from kulla.keeper.roles import CITIZEN
from kulla.keeper.vault import Cache, Vault

TOKEN_MS = 15 * 60 * 1000
RENEW_MS = 30 * 60 * 1000  # how long after its token's end a session may still be renewed
SESSION_MS = 12 * 3600 * 1000
FRESH_MS = (
    30 * 60 * 1000
)  # so long an attestation is as good as its session: the portal keeps one for 15 minutes
LANGUAGES = ("sq", "en")
MAX_PASSWORD = 256


@dataclass(frozen=True)
class Live:
    """A session that stands."""

    sid: str
    person: UUID
    role: str
    office: UUID | None
    language: str
    started: int

    @property
    def is_citizen(self) -> bool:
        """Whether the person acts for themselves and not as an official."""
        return self.role == CITIZEN


@dataclass(frozen=True)
class Proven:
    """Who stands behind a token or an attestation. A token serves every service (`service` is None), an attestation
    its own; `at` is when it was minted (a token's: now). An attestation may outlive its session."""

    session: Live
    service: str | None
    at: int


class Sessions:
    """Sessions and everything that proves one."""

    def __init__(
        self, register: Register, vault: Vault, committer: Committer, people: People, credentials: Credentials
    ) -> None:
        self._register, self._vault, self._committer = register, vault, committer
        self._people, self._credentials = people, credentials
        self._attempts = Attempts()
        self._signer = Ed25519PrivateKey.from_private_bytes(vault.system("token"))
        self.public_key = self._signer.public_key().public_bytes_raw()
        self._tokens: Cache[str, tuple[str, int]] = Cache()
        self._sessions: Cache[str, Live | None] = Cache()
        self._used: dict[str, int] = {}
        self._steps: dict[UUID, int] = {}
        self._lock = threading.Lock()
        self._ended: dict[str, int] = {}
        self._mark = 0
        since = now_ms() - TOKEN_MS - RENEW_MS
        for sid, at in register.rows("SELECT sid, ended FROM session WHERE ended > ? ORDER BY ended", since):
            self._note_ended(sid, at)
        for sid, at in register.rows("SELECT sid, at FROM ended_here"):
            self._note_ended(sid, at)
        register.on_change.append(self._changed)

    # Signing in ----------------------------------------------------------------------------------------

    def sign_in(
        self,
        identifier: str,
        password: str,
        code: str | None,
        *,
        network: str,
        device: str,
        language: str | None,
    ) -> Body:
        """(1) slow down guessers, (2) password, (3) second factor, (4) a session record.

        Whether the account exists changes neither words nor time: what was typed is always looked up and hashed.
        """
        network = truncate_network(network)
        marks = self._people.sign_in_marks(identifier)
        person = self._people.by_marks(marks)
        account, place = b"".join(marks), self._vault_mark("network", network)
        network_mark = self._vault_mark(f"origin {person}", network)
        counted = self._attempts.check(account, place, known=self._came_from(person, network_mark))
        if len(password) > MAX_PASSWORD:
            password, person = "", None
        right = self._credentials.password_right(person, password)
        if not right or person is None:
            raise Refusal("wrong", "The number or the password is wrong.")
        self._attempts.password_right(counted)
        role, office = self._role(person)
        if not code and self._credentials.has_totp(person):
            raise Refusal("second_factor", "The code of the second factor is needed.", wrong_code=False)
        if code:
            self._attempts.check_code(account)
        step = self._second_factor(person, role, code or "")
        self._attempts.signed_in(account, place)
        known_language = self._people.field(person, "language")
        sid = uuid4().hex
        body = {
            "type": "session",
            "sid": sid,
            "person": person,
            "role": role,
            "office": office,
            "language": language if language in LANGUAGES else known_language or LANGUAGES[0],
            "started": now_ms(),
            "origin": self._vault.seal_own(person, "session", [network, device[:80]]),
            "network_mark": network_mark,
            "step": step,
        }
        bodies = [body]
        if self._credentials.outdated(person):
            bodies.append(self._credentials.password_body(person, password))
        self._committer.commit(*bodies)
        return self._token(self._live(sid))

    def _second_factor(self, person: UUID, role: str, code: str) -> int:
        """The time step of the code. Each step serves once: a code that was seen over a shoulder is spent."""
        if not self._credentials.has_totp(person):
            if role != CITIZEN:
                raise Refusal("wrong", "The number or the password is wrong.")  # officials never without
            return 0
        step = self._credentials.totp_step(person, code)
        with self._lock:
            row = self._register.one("SELECT max(step) FROM session WHERE person = ?", person.bytes)
            used = max(self._steps.get(person, 0), (row[0] or 0) if row else 0)
            if step is None or step <= used:
                raise Refusal("second_factor", "The code is wrong or was used already.", wrong_code=True)
            self._steps[person] = step
        return step

    def _role(self, person: UUID) -> tuple[str, UUID | None]:
        row = self._register.one("SELECT role, office FROM official WHERE person = ?", person.bytes)
        if row is None:
            return CITIZEN, None
        return row[0], UUID(bytes=row[1]) if row[1] else None

    def _came_from(self, person: UUID | None, network_mark: bytes) -> bool:
        row = self._register.one(
            "SELECT 1 FROM session WHERE person = ? AND network_mark = ? LIMIT 1",
            person.bytes if person else b"",
            network_mark,
        )
        return row is not None

    def _vault_mark(self, purpose: str, value: str) -> bytes:
        key = self._vault.system("lookup")
        return hmac.digest(key, wire.length_prefixed("kulla-mark/1", purpose, value), hashlib.sha256)[:8]

    # Tokens --------------------------------------------------------------------------------------------

    def live(self, token: str, *, grace_ms: int = 0) -> Live:
        """The session of a token. Raises Refusal("token", "token_expired", "session")."""
        sid, expires = self._tokens.get(token, lambda: self._verify(token))
        now = now_ms()
        if expires + grace_ms <= now:
            raise Refusal("token_expired", "The session token has expired.")
        session = self._live(sid)
        self._used[sid] = now
        return session

    def renew(self, token: str) -> Body:
        """The session with a new token."""
        session = self.live(token, grace_ms=RENEW_MS)
        if now_ms() > session.started + SESSION_MS:
            self._end([session.sid])
            raise Refusal("session", "The session has lasted twelve hours: sign in again.")
        return self._token(session)

    def _token(self, session: Live) -> Body:
        expires = min(now_ms() + TOKEN_MS, session.started + SESSION_MS)
        said = {"sid": session.sid, "role": session.role, "office": session.office}
        said |= {"language": session.language}
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
        return session

    def _read(self, sid: str) -> Live | None:
        row = self._register.one(
            "SELECT person, role, office, language, started FROM session WHERE sid = ? AND ended IS NULL", sid
        )
        if row is None:
            return None
        return Live(sid, UUID(bytes=row[0]), row[1], UUID(bytes=row[2]) if row[2] else None, row[3], row[4])

    # Ending --------------------------------------------------------------------------------------------

    def listed(self, token: str) -> list[Body]:
        """The person's live sessions, newest first."""
        me = self.live(token)
        since = now_ms() - SESSION_MS
        rows = self._register.rows(
            "SELECT sid, started, origin FROM session WHERE person = ? AND started > ? AND ended IS NULL "
            "ORDER BY started DESC",
            *(me.person.bytes, since),
        )
        found = []
        for sid, started, origin in rows:
            last = max(started, self._used.get(sid, 0))
            if sid in self._ended or now_ms() > last + TOKEN_MS + RENEW_MS:
                continue
            network, device = self._vault.open_own(me.person, "session", origin)
            times = {"started_ms": started, "last_ms": last}
            found.append(
                {"sid": sid, **times, "network": network, "device": device, "current": sid == me.sid}
            )
        return found

    def end(self, token: str, sid: str | None) -> list[str]:
        """End this session, another of the person's own, or "all"; gives the ids. Others' ids are not found."""
        me = self.live(token)
        if sid is None:
            ended = [me.sid]
        else:
            own = [
                row[0]
                for row in self._register.rows(
                    "SELECT sid FROM session WHERE person = ? AND ended IS NULL", me.person.bytes
                )
            ]
            ended = own if sid == "all" else [each for each in own if each == sid]
        if not ended:
            raise Refusal("session", "There is no such session of yours.")
        self._end(ended)
        return ended

    def _end(self, sids: list[str]) -> None:
        """It holds at once on this machine, even while the key copies are silent; the record follows."""
        at = now_ms()
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

    # Attestations --------------------------------------------------------------------------------------

    def attest(self, session: Live, service: str, pseudonym: UUID | None) -> bytes:
        """A statement of who acts in a service, fit to stand in the journal: no two share a value.

        `trace` is sealed: with it the keeper, and nobody else, finds the person and session again.
        """
        attestation_id = os.urandom(16)
        inside = [session.person, session.sid, session.role, session.office]
        trace = seal_box(
            self._vault.system("trace"),
            wire.encode(inside),
            wire.length_prefixed("kulla-trace/1", attestation_id, service),
        )
        body = {
            "v": 1,
            "id": attestation_id,
            "service": service,
            "role": session.role,
            "at": now_ms(),
            "trace": trace,
        }
        body |= {"who": pseudonym} if pseudonym else {"office": session.office}
        return wire.sign_statement("attestation", body, self._signer)

    def proven(self, proof: str | bytes, service: str | None = None) -> Proven:
        """Who stands behind a token, or behind an attestation (of this service, if one is named) of any age.

        Raises Refusal("token", "token_expired", "session", "attestation").
        """
        if isinstance(proof, str):
            return Proven(self.live(proof), None, now_ms())
        try:
            body = wire.open_statement("attestation", proof, self.public_key)
            named = str(body["service"])
            associated = wire.length_prefixed("kulla-trace/1", body["id"], named)
            person, sid, role, office = wire.decode(
                open_box(self._vault.system("trace"), body["trace"], associated)
            )
            found = Proven(Live(sid, person, role, office, "", int(body["at"])), named, int(body["at"]))
        except (wire.WireError, RecordsBroken, KeyError, TypeError, ValueError) as error:
            raise Refusal("attestation", "This is not an attestation of this keeper.") from error
        if service is not None and named != service:
            raise Refusal("attestation", "This is not an attestation for this service.")
        return found

    def present(self, proof: str | bytes, service: str) -> Live:
        """The live session of a token, or of an attestation of the last 30 minutes. Raises as `proven`."""
        found = self.proven(proof, service)
        if now_ms() - found.at > FRESH_MS:
            raise Refusal("attestation", "This attestation is older than 30 minutes.")
        return self._live(found.session.sid)


def _ends(sids: list[str], at: int) -> list[Body]:
    return [{"type": "session_ended", "sid": sid, "at": at} for sid in sids]
