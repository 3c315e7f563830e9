"""What accounts know of a person, and how a person is told: shared by activation, channels, freezing and recovery."""

import hashlib
import hmac
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from kulla.journal import wire
from kulla.keeper.accounts import contacts as forms
from kulla.keeper.accounts import crockford
from kulla.keeper.attempts import Attempts, truncate_network
from kulla.keeper.delivery import texts, texts_accounts
from kulla.keeper.delivery.delivery import ALL, EMAIL, PHONE, Contacts
from kulla.keeper.errors import Refusal
from kulla.keeper.kinds import Body
from kulla.keeper.people import full_name
from kulla.keeper.sessions import Live

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper

LINK_MS = 30 * 24 * 3600 * 1000
NOBODY = UUID(int=0)


@dataclass
class Telling:
    """A notice that is to be told with a change: `bodies` are committed together with it, `send` follows."""

    bodies: list[Body] = field(default_factory=list)
    sending: list[Callable[[], object]] = field(default_factory=list)

    def send(self) -> None:
        """Hand it to the channels; call it once the change counts."""
        for each in self.sending:
            each()

    def __add__(self, other: "Telling") -> "Telling":
        return Telling(self.bodies + other.bodies, self.sending + other.sending)


@dataclass(frozen=True)
class Change:
    """A new telephone number or e-mail address. `due`: when it counts; `value` "" takes the channel away."""

    id: UUID
    person: UUID
    channel: str
    at: int
    due: int
    value: str = field(repr=False)
    cancelled: bool = False


class Book:
    """Reads of one person's account, attempts, and telling."""

    def __init__(self, keeper: "Keeper", clock: Callable[[], int]) -> None:
        self.keeper, self.clock = keeper, clock
        self.register, self.vault, self.people = keeper.register, keeper.vault, keeper.people
        self.often = keeper.often
        self.attempts = Attempts(keeper.config.failures_per_minute)

    # Who -----------------------------------------------------------------------------------------------

    def typed(self, identifier: str, network: str) -> tuple[bytes, bytes, list[bytes]]:
        """(name of the account, name of the network, marks) of what a visitor typed, whether or not it is anyone."""
        marks = self.people.sign_in_marks(identifier)
        place = self.mark("network", truncate_network(network))
        return self.people.account_mark(identifier), place, marks

    def tried(self, identifier: str, network: str) -> tuple[UUID | None, list[bytes]]:
        """(who it is or None, what the try was counted under). Raises Refusal("slow_down", retry_after_s)."""
        account, place, marks = self.typed(identifier, network)
        counted = self.attempts.check(account, place, known=False)
        return self.people.by_marks(marks), counted

    def mark(self, purpose: str, value: str) -> bytes:
        """An HMAC that stands for a value."""
        key = self.vault.system("lookup")
        return hmac.digest(key, wire.length_prefixed("kulla-accounts/1", purpose, value), hashlib.sha256)

    # The account ---------------------------------------------------------------------------------------

    def has(self, person: UUID, kind: str) -> bool:
        """Whether a credential of this kind is there: password, totp, paper, passkey."""
        if kind == "passkey":
            return self._any("SELECT 1 FROM passkey WHERE person = ? LIMIT 1", person.bytes)
        sql = "SELECT 1 FROM credential WHERE person = ? AND kind = ? LIMIT 1"
        return self._any(sql, person.bytes, kind)

    def active(self, person: UUID) -> bool:
        """Whether the person can sign in with anything."""
        return self.has(person, "password") or self.has(person, "passkey")

    def strong(self, person: UUID) -> bool:
        """Whether there is a second factor, or a passkey."""
        return self.has(person, "totp") or self.has(person, "passkey")

    def official(self, person: UUID) -> bool:
        """Whether the person holds a role: then two others decide on recovery."""
        return bool(self.keeper.offices.roles_of(person))

    def frozen(self, person: UUID) -> bool:
        """Whether a case is open. Asks the same for whoever does not exist."""
        sql = "SELECT 1 FROM account_case WHERE person = ? AND closed IS NULL LIMIT 1"
        return self._any(sql, person.bytes)

    def of_age(self, person: UUID) -> bool:
        """Whether the person is of the age at which one has an account; before, guardians act."""
        return not self.keeper.families.under_age(person)

    def may_have(self, person: UUID) -> bool:
        """Whether the person may have an account now: alive, of age, not frozen."""
        return not self.people.is_dead(person) and self.of_age(person) and not self.frozen(person)

    def name(self, person: UUID) -> str:
        """First and last name."""
        return full_name(self.people.profile(person))

    def local_day(self, at: int) -> str:
        """The local day of a time (ms since 1970 UTC) as YYYY-MM-DD."""
        return datetime.fromtimestamp(at / 1000, self.people.zone).date().isoformat()

    # Channels ------------------------------------------------------------------------------------------

    def contacts(self, person: UUID) -> Contacts:
        """Where the person is reached now: the register's word, then each change whose time has come."""
        try:
            profile = self.people.profile(person)
        except Refusal:
            return Contacts()
        found = {
            PHONE: forms.stored_phone(str(profile.get("phone") or "")),
            EMAIL: str(profile.get("email") or ""),
        }
        found |= self._changed(person)
        return Contacts(found[PHONE], found[EMAIL])

    def reached(self, person: UUID, channel: str) -> str | None:
        """What the person has put in the place of the register's word, when that counts; else None."""
        return self._changed(person).get(channel)

    def _changed(self, person: UUID) -> dict[str, str]:
        now = self.clock()
        changes = [each for each in self.changes(person) if each.due <= now and not each.cancelled]
        return {each.channel: each.value for each in changes}

    def changes(self, person: UUID) -> list[Change]:
        """Every change of a channel in the order in which they count."""
        rows = self.register.rows(
            "SELECT id, channel, at, due, sealed, cancelled FROM channel_change WHERE person = ? ORDER BY due, at",
            person.bytes,
        )
        return [
            Change(
                UUID(bytes=row[0]),
                person,
                row[1],
                row[2],
                row[3],
                str(self.vault.open_own(person, "channel", row[4])),
                row[5] is not None,
            )
            for row in rows
        ]

    # Telling -------------------------------------------------------------------------------------------

    def language(self, person: UUID) -> str:
        """The language in which the person reads."""
        try:
            return self.people.field(person, "language") or "sq"
        except Refusal:
            return "sq"

    def telling(
        self,
        person: UUID,
        kind: str,
        params: Mapping[str, str] | None = None,
        *,
        link: str = "",
        about: UUID | None = None,
        also: Collection[Contacts] = (),
        channels: Collection[str] | None = None,
    ) -> Telling:
        """A notice to a person, and to the guardians of a child: the inbox's record, and all channels.

        `link`: what a "this was not me" would be about (a fixed word); its address comes into the text as $link, and
        `about` names what it would take back. `also`: addresses that counted until now. `channels`: None means all
        for what is about the account, else those that the reader wants for this kind.
        """
        told = Telling()
        readers = self.keeper.families.guardians(person) if not self.of_age(person) else []
        for reader in readers or [person]:
            values = dict(params or {})
            if link:
                address, body = self._link(person, link, about)
                values["link"] = address
                told.bodies.append(body)
            told.bodies.append(self._notice(reader, person, kind, values))
            addresses = [self.contacts(reader), *(also if reader == person else ())]
            ways = channels
            if ways is None:
                about_account = link or kind in texts_accounts.TEXTS
                ways = ALL if about_account else self.keeper.delivery.wanted(reader, kind)
            for to in _each_once(addresses):
                told.sending.append(self._sender(reader, kind, values, to, ways))
        return told

    def _sender(
        self, reader: UUID, kind: str, values: Mapping[str, str], to: Contacts, channels: Collection[str]
    ) -> Callable[[], object]:
        return lambda: self.keeper.delivery.send(reader, kind, values, to=to, channels=channels)

    def _notice(self, reader: UUID, person: UUID, kind: str, values: Mapping[str, str]) -> Body:
        text = texts.render(kind, self.language(reader), values)
        whose = "me" if reader == person else self.name(person)
        sealed = self.vault.seal_own(reader, "notice", [text["subject"], text["body"], whose])
        body: dict[str, Any] = {"type": "notice", "entry": uuid4(), "template": f"keeper/{kind}/0"}
        return {**body, "person": reader, "at": self.clock(), "sealed": sealed}

    def _link(self, person: UUID, kind: str, about: UUID | None) -> tuple[str, Body]:
        """A "this was not me" address that works once for thirty days. 100 bits: nobody finds one by trying."""
        token = crockford.make(4, 5)
        now = self.clock()
        names = {"type": "account_link", "mark": self.mark("link", crockford.read(token)), "person": person}
        body = {**names, "kind": kind, "about": about, "at": now, "until": now + LINK_MS}
        return f"{self.keeper.delivery.portal}/not-me/{token.lower()}", body

    # Sessions ------------------------------------------------------------------------------------------

    def own(self, session: Live) -> UUID:
        """The person who acts for themselves and alone. Raises Refusal("role", "assisted", "short_session")."""
        if not session.is_citizen:
            raise Refusal("role", "Officials do this as citizens.")
        if getattr(session, "assisted", None):
            raise Refusal("assisted", "Whoever is helped at a counter cannot change this there.")
        if getattr(session, "short", False):
            raise Refusal("short_session", "On a telephone that is not one's own this cannot be changed.")
        return session.person

    def end_sessions(self, person: UUID) -> None:
        """End every session of a person, at once."""
        self.keeper.sessions.end_all(person)

    def _any(self, sql: str, *values: object) -> bool:
        return self.register.one(sql, *values) is not None


def _each_once(addresses: list[Contacts]) -> list[Contacts]:
    """The same addresses, each in one place only."""
    seen: set[str] = set()
    found = []
    for each in addresses:
        fresh = Contacts(
            each.phone if each.phone not in seen else "", each.email if each.email not in seen else ""
        )
        seen |= {fresh.phone, fresh.email}
        if fresh.phone or fresh.email:
            found.append(fresh)
    return found
