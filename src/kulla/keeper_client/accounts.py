"""Calls of accounts, and what they give. Times are milliseconds since 1970 UTC."""

from dataclasses import dataclass, field
from uuid import UUID

from kulla.keeper_client.pool import Pool
from kulla.keeper_client.types import Session

SLOW_S = 15.0  # Argon2 of many people at once waits its turn


@dataclass(frozen=True)
class Sent:
    """What went to somebody's telephone or letter box; in demonstrations only."""

    at_ms: int
    channel: str
    kind: str
    address: str = field(repr=False)
    subject: str = field(repr=False)
    body: str = field(repr=False)


@dataclass(frozen=True)
class Proven:
    """What follows from what was shown. One of: a pass for a new password, the end of a wait, or done."""

    step: str | None = field(default=None, repr=False)
    due_ms: int = 0
    done: bool = False


@dataclass(frozen=True)
class LinkState:
    """What a "this was not me" address is about. `state` is open, used or expired."""

    kind: str
    at_ms: int
    state: str


@dataclass(frozen=True)
class Waiting:
    """A new address that does not count yet; `id` is None at a counter."""

    channel: str
    value: str = field(repr=False)
    due_ms: int
    at_ms: int = 0
    id: UUID | None = None


@dataclass(frozen=True)
class MyAccount:
    """The own channels; `papers`: recovery codes left; `strong`: whether there is a second factor or a passkey."""

    phone: str = field(repr=False)
    email: str = field(repr=False)
    waiting: list[Waiting]
    papers: int
    strong: bool


@dataclass(frozen=True)
class Asked:
    """A new address was asked for. `done`: it needed no code, and counts from `due_ms` on."""

    hint: str
    done: bool
    due_ms: int


@dataclass(frozen=True)
class DeskAccount:
    """An account as an official at a counter sees it. Addresses show their ends only.

    `closed`: a protected person whom a second official has not released; then nothing else is told, and `release` is
    where the request stands ("" when there is none).
    """

    name: str = field(repr=False)
    birth_date: str = field(repr=False)
    active: bool
    dead: bool
    under_age: bool
    official: bool
    frozen_ms: int
    phone: str = field(repr=False)
    email: str = field(repr=False)
    waiting: list[Waiting]
    letter_ms: int
    letter_until_ms: int
    closed: bool = False
    release: str = ""


@dataclass(frozen=True)
class Letter:
    """What is printed, once."""

    code: str = field(repr=False)
    name: str = field(repr=False)
    office: str
    at_ms: int
    until_ms: int
    released: bool


@dataclass(frozen=True)
class OfficialRequest:
    """A recovery of an official that one asked for. `state`: open, refused, expired, ready, printed."""

    id: UUID
    name: str = field(repr=False)
    at_ms: int
    until_ms: int
    state: str
    yes: int


class Accounts:
    """The calls of accounts; part of KeeperClient."""

    _pool: Pool

    # Activation ----------------------------------------------------------------------------------------

    def activate_begin(self, identifier: str, *, network: str) -> None:
        """Send a code to the telephone on record, if there is somebody who may get one: the answer never tells.
        Refused "slow_down" (retry_after_s)."""
        self._pool.ask("activate_begin", {"identifier": identifier, "network": network})

    def activate_check(self, identifier: str, code: str, *, network: str) -> str:
        """A step (15 minutes) for the code that was sent. Refused "wrong_code", "slow_down"."""
        args = {"identifier": identifier, "code": code, "network": network}
        return str(self._pool.ask("activate_check", args))

    def activate_letter(self, identifier: str, code: str, *, network: str) -> str:
        """A step for the code of a letter. Refused "wrong_code", "slow_down"; and, to who has the code,
        "letter_used", "letter_expired", "letter_replaced"."""
        args = {"identifier": identifier, "code": code, "network": network}
        return str(self._pool.ask("activate_letter", args))

    def account_finish(
        self, step: str, password: str, *, network: str, device: str, language: str | None
    ) -> Session | None:
        """Set the password; gives a session, or None when the second factor is still to be asked for.

        Refused "too_late" (done already, or the time is over), "weak_password" (reason), "copies_unavailable".
        """
        args = {"pass": step, "password": password, "network": network, "device": device}
        answer = self._pool.ask("account_finish", {**args, "language": language}, SLOW_S)
        return Session(**answer) if answer else None

    # Recovery ------------------------------------------------------------------------------------------

    def recover_begin(self, identifier: str, *, network: str) -> None:
        """As `activate_begin`, for who has an account."""
        self._pool.ask("recover_begin", {"identifier": identifier, "network": network})

    def recover_prove(
        self,
        identifier: str,
        lost: str,
        *,
        phone_code: str = "",
        paper_code: str = "",
        totp: str = "",
        password: str = "",
        wait: bool = False,
        network: str,
    ) -> Proven:
        """`lost` is "password" or "factor". Refused "wrong_code" (whatever does not fit), "more" (due_ms: when it
        goes on by itself, 0 when nothing waits), "nothing_lost", "slow_down"."""
        shown = {"phone_code": phone_code, "paper_code": paper_code, "totp": totp, "password": password}
        args = {"identifier": identifier, "lost": lost, **shown, "wait": wait, "network": network}
        answer = self._pool.ask("recover_prove", args, SLOW_S)
        return Proven(answer.get("pass"), answer.get("due_ms", 0), answer.get("done", False))

    # This was not me -----------------------------------------------------------------------------------

    def link_look(self, link: str) -> LinkState:
        """What a link is about; changes nothing. Refused "unknown_link"."""
        return LinkState(**self._pool.ask("link_look", {"link": link}))

    def link_report(self, link: str) -> None:
        """Freeze the account. Again: nothing. Refused "unknown_link", "link_expired", "copies_unavailable"."""
        self._pool.ask("link_report", {"link": link})

    # The own account -----------------------------------------------------------------------------------

    def account_view(self, token: str) -> MyAccount:
        """The own channels and recovery codes. Refused "role"."""
        answer = self._pool.ask("account_view", {"token": token})
        return MyAccount(**{**answer, "waiting": [Waiting(**each) for each in answer["waiting"]]})

    def channel_ask(self, token: str, channel: str, value: str) -> Asked:
        """Send a code to a new telephone number or e-mail address; "" takes the channel away (after 72 hours).

        Refused "bad_contact", "same_contact", "slow_down", "assisted", "short_session", "role".
        """
        return Asked(**self._pool.ask("channel_ask", {"token": token, "channel": channel, "value": value}))

    def channel_confirm(self, token: str, channel: str, code: str) -> int:
        """When it will count. Refused "wrong_code"."""
        return int(self._pool.ask("channel_confirm", {"token": token, "channel": channel, "code": code}))

    def channel_cancel(self, token: str, change: UUID) -> None:
        """Take back a change that waits. Refused "unknown_change"."""
        self._pool.ask("channel_cancel", {"token": token, "id": change})

    def paper_codes(self, token: str) -> list[str]:
        """Ten new recovery codes; the older ones stop working. Refused "confirm" (prove again who this is, see
        security), "assisted", "short_session"."""
        return list(self._pool.ask("paper_codes", {"token": token}, SLOW_S))

    # At a counter --------------------------------------------------------------------------------------

    def desk_find(self, token: str, identifier_type: str, identifier: str) -> str | None:
        """A name for this visit (20 minutes, this session), or None. Metered: cost 10, found or not; on the log.

        Refused "role", "bad_identifier", "budget" (until_ms), "not_yours", "log_unconfirmed".
        """
        args = {"token": token, "identifier_type": identifier_type, "identifier": identifier}
        found: str | None = self._pool.ask("desk_find", args)
        return found

    def desk_view(self, token: str, visit: str) -> DeskAccount:
        """The account. Refused "too_late" (find the person again)."""
        answer = self._pool.ask("desk_view", {"token": token, "visit": visit})
        return DeskAccount(**{**answer, "waiting": [Waiting(**each) for each in answer["waiting"]]})

    def desk_release(self, token: str, visit: str) -> str:
        """Ask a second official to release a protected person; gives "open" or "done"."""
        return str(self._pool.ask("desk_release", {"token": token, "visit": visit}))

    def desk_letter(self, token: str, visit: str, document: str) -> Letter:
        """A letter; closes an open case. `document`: id_card, passport, residence_permit, refugee_document.

        Refused "dead", "under_age", "needs_two", "protected", "too_late", "bad_request", "copies_unavailable".
        """
        return Letter(**self._pool.ask("desk_letter", {"token": token, "visit": visit, "document": document}))

    def desk_channel_ask(self, token: str, visit: str, channel: str, value: str, document: str) -> Asked:
        """As `channel_ask`, in force at once. Refused "dead", "needs_two" besides."""
        args = {"token": token, "visit": visit, "channel": channel, "value": value, "document": document}
        return Asked(**self._pool.ask("desk_channel_ask", args))

    def desk_channel_confirm(self, token: str, visit: str, channel: str, code: str) -> None:
        """Put it in force. Refused "wrong_code"."""
        args = {"token": token, "visit": visit, "channel": channel, "code": code}
        self._pool.ask("desk_channel_confirm", args)

    def desk_official_ask(self, token: str, visit: str, document: str) -> UUID:
        """Ask two administrators for the recovery of an official. Refused "not_official", "asked_already"."""
        args = {"token": token, "visit": visit, "document": document}
        request: UUID = self._pool.ask("desk_official_ask", args)
        return request

    def desk_official_requests(self, token: str) -> list[OfficialRequest]:
        """What this official asked for, newest first."""
        return [
            OfficialRequest(**each) for each in self._pool.ask("desk_official_requests", {"token": token})
        ]

    def desk_official_letter(self, token: str, request: UUID) -> Letter:
        """Print the letter that two administrators allowed, once. Refused "unknown_request"."""
        return Letter(**self._pool.ask("desk_official_letter", {"token": token, "id": request}))

    # The demo ------------------------------------------------------------------------------------------

    def demo_outbox(self, identifier: str) -> list[Sent]:
        """What went to a person's telephone and e-mail, newest first. Refused "demo_only"."""
        return [
            Sent(each["at_ms"], each["channel"], each["kind"], each["to"], each["subject"], each["text"])
            for each in self._pool.ask("demo_outbox", {"identifier": identifier})
        ]
