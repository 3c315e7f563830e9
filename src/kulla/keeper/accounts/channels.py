"""A new telephone number or e-mail address: shown to work by a code, told to the old ones, and in force after 72 hours,
or at once at a counter where a document was shown. Nothing runs when the time has come: who asks for the contacts
counts the changes whose time is over.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from kulla.keeper.accounts import contacts as forms
from kulla.keeper.accounts.book import Book, Change
from kulla.keeper.accounts.locks import Locks
from kulla.keeper.accounts.sending import CodeSender
from kulla.keeper.delivery.delivery import EMAIL, PHONE, Contacts
from kulla.keeper.errors import Refusal
from kulla.keeper.kinds import Body

WAIT_MS = 72 * 3600 * 1000
ASKED_LIMIT = 50_000


@dataclass(frozen=True)
class _Asked:
    value: str = field(repr=False)
    desk: bool


class Channels:
    """Changes of channels."""

    def __init__(self, book: Book, sender: CodeSender, locks: Locks) -> None:
        self._book, self._sender, self._locks = book, sender, locks
        self._asked: OrderedDict[tuple[UUID, str], _Asked] = OrderedDict()
        self._lock = threading.Lock()

    def view(self, person: UUID) -> dict[str, Any]:
        """What counts now and what waits."""
        now, contacts = self._book.clock(), self._book.contacts(person)
        waiting = [
            {
                "id": each.id,
                "channel": each.channel,
                "value": each.value,
                "at_ms": each.at,
                "due_ms": each.due,
            }
            for each in self.waiting(person, now)
        ]
        return {"phone": contacts.phone, "email": contacts.email, "waiting": waiting}

    def waiting(self, person: UUID, now: int) -> list[Change]:
        """Changes whose time is still to come."""
        return [each for each in self._book.changes(person) if not each.cancelled and each.due > now]

    def ask(self, person: UUID, channel: str, text: str, *, desk: bool = False) -> dict[str, Any]:
        """Send a code to a new address (ten minutes, five tries); an empty text takes the channel away.

        Gives hint, and done: whether nothing is to be confirmed. Raises Refusal("bad_contact", "same_contact",
        "slow_down", "bad_request").
        """
        if channel not in {PHONE, EMAIL}:
            raise Refusal("bad_request", "A channel is phone or email.")
        value = text.strip() and (forms.phone(text) if channel == PHONE else forms.email(text))
        if value == self._book.contacts(person).of(channel):
            raise Refusal("same_contact", "This is what stands there now.")
        with self._lock:
            self._asked.pop((person, channel), None)
            self._asked[person, channel] = _Asked(value, desk)
            while len(self._asked) > ASKED_LIMIT:
                self._asked.popitem(last=False)
        if not value:
            return {"hint": "", "done": True, "due_ms": self._change(person, channel, "", desk)}
        to = Contacts(phone=value) if channel == PHONE else Contacts(email=value)
        if not self._sender.code(person, f"channel {channel}", "code_channel", to):
            wait = max(1000, self._sender.may_send(value) - self._book.clock())
            raise Refusal("slow_down", "Codes to this address must wait.", retry_after_s=wait // 1000 + 1)
        return {"hint": forms.hint(value), "done": False, "due_ms": 0}

    def confirm(self, person: UUID, channel: str, code: str, *, desk: bool = False) -> int:
        """The time (ms) when the change counts. Raises Refusal("wrong_code")."""
        with self._lock:
            asked = self._asked.get((person, channel))
        right = self._sender.codes.right(person, f"channel {channel}", code)
        if asked is None or asked.desk != desk or not right:
            raise Refusal("wrong_code", "The code is wrong, was used, or is too old.")
        with self._lock:
            self._asked.pop((person, channel), None)
        return self._change(person, channel, asked.value, desk)

    def cancel(self, person: UUID, change: UUID) -> None:
        """Take back one's own change that waits. Raises Refusal("unknown_change")."""
        with self._locks.of(person):
            now = self._book.clock()
            if change not in {each.id for each in self.waiting(person, now)}:
                raise Refusal("unknown_change", "There is no such change that waits.")
            told = self._book.telling(person, "channel_cancelled")
            body = {"type": "channel_cancelled", "id": change, "at": now}
            self._book.keeper.committer.commit(body, *told.bodies)
        told.send()

    def _change(self, person: UUID, channel: str, value: str, desk: bool) -> int:
        if not desk:
            self._book.often.count(person, "channel")
        with self._locks.of(person):
            now, change = self._book.clock(), uuid4()
            due = now if desk else now + WAIT_MS
            older: list[Body] = [
                {"type": "channel_cancelled", "id": each.id, "at": now}
                for each in self.waiting(person, now)
                if each.channel == channel
            ]
            sealed = self._book.vault.seal_own(person, "channel", value)
            body = {"type": "channel_change", "id": change, "person": person, "channel": channel, "at": now}
            new = Contacts(phone=value) if channel == PHONE else Contacts(email=value)
            kind = f"{channel}_{'changed' if desk else 'change_waits'}"
            # Made before it is committed: told are the addresses that count until now.
            told = self._book.telling(
                person, kind, link="channel", about=change, also=[new] if desk and value else []
            )
            self._book.keeper.committer.commit(*older, {**body, "due": due, "sealed": sealed}, *told.bodies)
        told.send()
        return due
