"""What a person signs in with: looking at it, adding, replacing, taking away.

Nothing weakens the strongest thing silently. Whoever changes something has proven, within ten minutes and in this
session, as much as the account's strongest: a password with a code, or a passkey whose device checked its owner (either
stands for the other); a password alone only where there is nothing stronger. Every change is told on all channels.
On somebody else's device (a short session) and at the counter (an assisted one) nothing is changed.
"""

import threading
from collections import OrderedDict
from uuid import UUID

import pyotp

from kulla.journal import wire
from kulla.journal.ids import now_ms
from kulla.keeper.committer import Committer
from kulla.keeper.credentials import Credentials, step_of
from kulla.keeper.errors import RecordsBroken, Refusal
from kulla.keeper.keys import expand, open_box, seal_box
from kulla.keeper.kinds import Body
from kulla.keeper.passkeys import Assertion, Passkeys, clean_name
from kulla.keeper.people import People
from kulla.keeper.roles import CITIZEN
from kulla.keeper.sessions import Live, Sessions
from kulla.keeper.sign_in import SignIn
from kulla.keeper.strength import CODE, NONE, PASSKEY, PASSWORD, STRONG, TOUCH, strength
from kulla.keeper.vault import Vault

PROOF_MS = 10 * 60 * 1000
ENROL_MS = 15 * 60 * 1000
ISSUER = "Kulla"
MAX_PROOFS = 100_000
_ENROL = b"kulla-enrol/1"


class Security:
    """One person's credentials, changed by themselves."""

    def __init__(
        self,
        vault: Vault,
        committer: Committer,
        people: People,
        credentials: Credentials,
        passkeys: Passkeys,
        sessions: Sessions,
        sign_in: SignIn,
    ) -> None:
        self._committer, self._people, self._credentials = committer, people, credentials
        self._passkeys, self._sessions, self._sign_in = passkeys, sessions, sign_in
        self._enrol_key = expand(vault.system("trace"), "totp enrolment")
        self._proofs: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._lock = threading.Lock()
        passkeys.told_copied = lambda person, name: self._change(person, "passkey_copied", name)

    def state(self, session: Live) -> Body:
        """What the person has, and whether it may be changed right now."""
        person, may_change = session.person, not (session.short or session.assisted)
        return {
            "password": self._credentials.has_password(person),
            "totp_ms": self._credentials.totp_since(person),
            "passkeys": [vars(each) for each in self._passkeys.of(person)] if may_change else [],
            "passkeys_on": self._passkeys.on,
            "official": self._is_official(person),
            "factor": session.factor,
            "strong": self._sign_in.level(person) == STRONG,
            "fresh": may_change and self._is_fresh(session),
            "may_change": may_change,
        }

    # Proofs --------------------------------------------------------------------------------------------

    def confirm(self, session: Live, password: str, code: str | None) -> None:
        """Prove again who this is. Raises Refusal("slow_down", "wrong", "second_factor", …)."""
        self._prove(session, self._check_password(session, password, code))

    def confirm_begin(self, session: Live) -> Body:
        """A challenge for the person's own passkeys."""
        self._may_change(session)
        ids = self._passkeys.ids(session.person)
        return self._passkeys.begin("confirm", session.person, ids, verified=False)

    def confirm_passkey(self, session: Live, state: str, answer: Assertion) -> None:
        """Prove it with a passkey. Raises Refusal("challenge", "wrong", "passkey_copied")."""
        self._may_change(session)
        found = self._passkeys.check(state, answer, "confirm", session.person)
        self._committer.commit(
            {"type": "passkey_used", "mark": found.mark, "counter": found.counter, "at": now_ms()}
        )
        self._prove(session, strength(PASSKEY if found.verified else TOUCH))

    def _check_password(self, session: Live, password: str, code: str | None) -> int:
        self._may_change(session)
        person, name = session.person, b"confirm" + session.person.bytes
        attempts = self._sign_in.attempts
        attempts.check_code(name)
        if not self._credentials.password_right(person, password):
            raise Refusal("wrong", "The password is wrong.")
        if not self._credentials.has_totp(person):
            attempts.forget_code(name)
            return strength(PASSWORD)
        if not code:
            raise Refusal("second_factor", "The code of the second factor is needed.", wrong_code=False)
        self._sign_in.use_code(person, code)
        attempts.forget_code(name)
        return strength(CODE)

    def _prove(self, session: Live, how: int) -> None:
        with self._lock:
            self._proofs.pop(session.sid, None)
            self._proofs[session.sid] = (now_ms(), how)
            while len(self._proofs) > MAX_PROOFS:
                self._proofs.popitem(last=False)

    def _is_fresh(self, session: Live) -> bool:
        """Whether as much as the account's strongest was proven in this session within ten minutes."""
        at, how = self._proofs.get(session.sid, (0, NONE))
        proven = [how] if now_ms() - at < PROOF_MS else []
        if now_ms() - session.started < PROOF_MS:
            proven.append(strength(session.factor))
        return max(proven, default=NONE) >= self._sign_in.level(session.person)

    def must_be_fresh(self, session: Live) -> None:
        """Raise Refusal("confirm") unless it was; "role" in a session that changes nothing."""
        self._may_change(session)
        if not self._is_fresh(session):
            raise Refusal("confirm", "Prove again who you are.")

    @staticmethod
    def _may_change(session: Live) -> None:
        if session.short or session.assisted:
            raise Refusal("role", "Nothing of this is changed on somebody else's device or at the counter.")

    # The password --------------------------------------------------------------------------------------

    def change_password(self, session: Live, old: str, new: str) -> list[str]:
        """Another password; the person's other sessions end. Gives their ids.

        Raises Refusal("confirm", "wrong", "weak_password", "slow_down", "copies_unavailable").
        """
        self.must_be_fresh(session)
        person = session.person
        if self._credentials.has_password(person):
            name = b"confirm" + person.bytes
            self._sign_in.attempts.check_code(name)
            if not self._credentials.password_right(person, old):
                raise Refusal("wrong", "The password is wrong.")
            self._sign_in.attempts.forget_code(name)
        self._credentials.set_rules(person, new)
        if old == new:
            raise Refusal("weak_password", "This is the password of now.", reason="same")
        self._change(person, "password_changed", "", self._credentials.password_body(person, new))
        return self._sessions.end_all(person, session.sid)

    # Codes of a phone ----------------------------------------------------------------------------------

    def begin_totp(self, session: Live) -> Body:
        """A new secret, which counts once a code of it was shown: {"secret", "uri", "state"}."""
        self.must_be_fresh(session)
        secret = pyotp.random_base32()
        inside = [session.person, session.sid, secret, now_ms() + ENROL_MS]
        state = wire.to_text(seal_box(self._enrol_key, wire.encode(inside), _ENROL))
        return {"secret": secret, "uri": self._uri(secret), "state": state}

    def again_totp(self, session: Live, state: str) -> Body:
        """The same secret for the page to be drawn again. Raises Refusal("challenge")."""
        secret = self._enrolled(session, state)
        return {"secret": secret, "uri": self._uri(secret), "state": state}

    def finish_totp(self, session: Live, state: str, code: str) -> None:
        """The secret counts from now on, in place of an older one.

        Raises Refusal("confirm", "challenge", "second_factor", "slow_down").
        """
        self.must_be_fresh(session)
        person, name = session.person, b"enrol" + session.person.bytes
        secret = self._enrolled(session, state)
        self._sign_in.attempts.check_code(name)
        step = step_of(secret, code)
        if step is None:
            raise Refusal("second_factor", "The code is wrong.", wrong_code=True)
        self._sign_in.spend_step(person, step)
        self._sign_in.attempts.forget_code(name)
        kind = "totp_replaced" if self._credentials.has_totp(person) else "totp_added"
        self._change(person, kind, "", self._credentials.totp_body(person, secret))
        # Showing its code was a proof with it: else the next change would ask for a code that is spent.
        self._prove(session, STRONG)

    def remove_totp(self, session: Live) -> None:
        """No codes any more. Raises Refusal("confirm", "last_factor")."""
        self.must_be_fresh(session)
        person = session.person
        if not self._credentials.has_totp(person):
            return
        if self._is_official(person) and not self._passkeys.has_verified(person):
            raise Refusal("last_factor", "Officials are never without a second factor.")
        self._change(person, "totp_removed", "", self._credentials.removed_body(person, "totp"))

    def _enrolled(self, session: Live, state: str) -> str:
        try:
            person, sid, secret, until = wire.decode(open_box(self._enrol_key, wire.from_text(state), _ENROL))
        except (wire.WireError, RecordsBroken, ValueError, TypeError) as error:
            raise Refusal("challenge", "That took too long.") from error
        if person != session.person or sid != session.sid or until <= now_ms():
            raise Refusal("challenge", "That took too long.")
        return str(secret)

    @staticmethod
    def _uri(secret: str) -> str:
        """No name stands in it: the phone's app shows what is given here to whoever looks at it."""
        return str(pyotp.TOTP(secret).provisioning_uri(name=ISSUER, issuer_name=ISSUER))

    # Passkeys ------------------------------------------------------------------------------------------

    def begin_passkey(self, session: Live) -> Body:
        """Options for a new passkey. Raises Refusal("confirm", "too_many", "passkeys_off")."""
        self.must_be_fresh(session)
        name = self._people.field(session.person, "name")
        verified = self._is_official(session.person)
        return self._passkeys.begin_registration(session.person, name, verified=verified)

    def finish_passkey(self, session: Live, state: str, name: str, data: bytes, attestation: bytes) -> None:
        """The passkey counts. Raises Refusal("confirm", "challenge", "passkey", "passkey_known", "bad_name")."""
        self.must_be_fresh(session)
        body = self._passkeys.finish_registration(session.person, state, clean_name(name), data, attestation)
        raised = body["verified"] and self._sign_in.level(session.person) < STRONG
        self._change(session.person, "passkey_added", clean_name(name), body)
        if raised:
            # Making it was a proof with it: else the next change would ask for it at once.
            self._prove(session, STRONG)

    def rename_passkey(self, session: Live, mark: bytes, name: str) -> None:
        """Another name. Raises Refusal("unknown_passkey", "bad_name")."""
        self._may_change(session)
        self._committer.commit(self._passkeys.renamed_body(session.person, mark, clean_name(name)))

    def remove_passkey(self, session: Live, mark: bytes) -> None:
        """Take one away. Raises Refusal("confirm", "unknown_passkey", "last_factor")."""
        self.must_be_fresh(session)
        person = session.person
        body = self._passkeys.removed_body(person, mark)
        rest = [each for each in self._passkeys.of(person) if each.mark != mark]
        name = next(each.name for each in self._passkeys.of(person) if each.mark == mark)
        has_totp, has_password = self._credentials.has_totp(person), self._credentials.has_password(person)
        strong = has_totp or any(each.verified for each in rest)
        if (self._is_official(person) and not strong) or not (has_password or rest):
            raise Refusal("last_factor", "This is the last thing to sign in with.")
        self._change(person, "passkey_removed", name, body)

    # ---------------------------------------------------------------------------------------------------

    def _is_official(self, person: UUID) -> bool:
        return any(role != CITIZEN for role, _ in self._sessions.roles(person))

    def _change(self, person: UUID, kind: str, name: str, *bodies: Body) -> None:
        """Commit a change together with the notice of it, then send that to all channels."""
        told = self._sessions.standing.telling(person, kind, {"name": name} if name else {})
        self._committer.commit(*bodies, *told.bodies)
        told.send()
