"""Sending: nothing here makes a caller wait for a gateway, and nothing is tried for ever.

(1) A message is sealed and put into the outbox, one row for each address. (2) A thread for each channel hands it to
its gateway. (3) What a gateway does not take is tried again after 5 s, 15 s, 1 min … up to an hour, at most ten times
(about five hours), or until its time is over: a code that arrives too late helps nobody. (4) What was given up, and
what waits longer than five minutes, is an alarm of `status`.
"""

import hashlib
import hmac
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from kulla.journal import wire
from kulla.keeper.delivery import texts
from kulla.keeper.delivery.channels import Channel, Demo, Message, NeverSent, NotSent, Sms, Smtp, Unset
from kulla.keeper.delivery.outbox import Outbox, Row
from kulla.keeper.delivery.settings import Settings
from kulla.keeper.errors import KeeperError
from kulla.keeper.vault import Vault

log = logging.getLogger("kulla.keeper")
PHONE, EMAIL = "phone", "email"
ALL = (PHONE, EMAIL)
# What whoever knows a number may have sent to it, without being signed in.
BY_STRANGERS = frozenset(("code_activation", "code_recovery", "already_active", "not_active", "ask_desk"))
PAUSES_S = (5, 15, 60, 180, 600, 1800, 3600, 3600, 3600)
GIVE_UP_AFTER = len(PAUSES_S)
DAY_MS = 24 * 3600 * 1000
HOUR_MS = 3600 * 1000
LATE_MS = 5 * 60 * 1000
LOOK_AGAIN_S = 0.5
PATIENCE_AT_END_S = 3.0  # what a gateway is being told at the end is tried again after the next start


@dataclass(frozen=True)
class Contacts:
    """Where a person is reached; "" where there is nothing."""

    phone: str = field(default="", repr=False)
    email: str = field(default="", repr=False)

    def of(self, channel: str) -> str:
        """The address of a channel."""
        return self.phone if channel == PHONE else self.email


class Delivery:
    """Sends to people, by the channels that they have."""

    def __init__(
        self, home: Path, settings: Settings, vault: Vault, *, demo: bool, clock: Callable[[], int]
    ) -> None:
        self._settings, self._vault, self._clock, self._demo = settings, vault, clock, demo
        self._outbox = Outbox(home / "outbox.sqlite3", keep_words=demo)
        unset: Channel = Demo() if demo else Unset()
        self._channels: dict[str, Channel] = {
            PHONE: Sms(settings.sms) if settings.sms else unset,
            EMAIL: Smtp(settings.smtp) if settings.smtp else unset,
        }
        self._wake = {channel: threading.Event() for channel in ALL}
        self._stopping = threading.Event()
        self._sms_capped_at = self._lost_at = 0
        # Set by the parts that know: where a person is reached, in which language, and what they want how.
        self.contacts: Callable[[UUID], Contacts] = lambda _person: Contacts()
        self.language: Callable[[UUID], str] = lambda _person: "sq"
        self.wanted: Callable[[UUID, str], Collection[str]] = lambda _person, _kind: ALL
        self._threads = [
            threading.Thread(target=self._run, args=(channel,), name=f"delivery {channel}", daemon=True)
            for channel in ALL
        ]

    def start(self) -> None:
        """Start sending."""
        for thread in self._threads:
            thread.start()

    @property
    def portal(self) -> str:
        """What links in messages begin with."""
        return self._settings.portal

    # Putting in ----------------------------------------------------------------------------------------

    def send(
        self,
        person: UUID,
        kind: str,
        params: Mapping[str, str],
        *,
        channels: Collection[str] = ALL,
        to: Contacts | None = None,
        until: int | None = None,
    ) -> int:
        """A notice of the keeper (texts.py) to a person; gives how many addresses it goes to.

        `to`: other addresses than those on record. `until`: when it is of no use any more. Nobody is waited for.
        """
        text = texts.render(kind, self.language(person), params)
        words = {PHONE: text["sms"], EMAIL: text["body"]}
        found = to if to is not None else self.contacts(person)
        return self._put(person, kind, found, channels, text["subject"], words, until)

    def pass_on(self, person: UUID, kind: str, subject: str, body: str) -> int:
        """A service's notice, already in words, by the channels that the person wants for this kind."""
        words = {PHONE: body, EMAIL: body}
        return self._put(person, kind, self.contacts(person), self.wanted(person, kind), subject, words, None)

    def _put(
        self,
        person: UUID,
        kind: str,
        to: Contacts,
        channels: Collection[str],
        subject: str,
        words: Mapping[str, str],
        until: int | None,
    ) -> int:
        now = self._clock()
        rows = []
        for channel in ALL:
            address = to.of(channel)
            if not address or channel not in channels or (channel == PHONE and not self._sms_room(now, kind)):
                continue
            sealed = self._vault.seal_own(person, "outbox", [address, subject, words[channel]])
            ends = until if until is not None else now + DAY_MS
            rows.append(Row(person, channel, kind, self.mark(address), now, ends, sealed))
        if not rows:
            return 0
        try:
            self._outbox.add(rows)
        except sqlite3.Error:
            # What is told of has happened already, and stands in the inbox: it must not fail for want of a disk.
            log.exception("ALARM: a message could not be put into the outbox")
            self._lost_at = now
            return 0
        for row in rows:
            self._wake[row.channel].set()
        return len(rows)

    def _sms_room(self, now: int, kind: str) -> bool:
        """Whether the country's measure of SMS has room; they cost money, and a fault must not cost all of it. What
        strangers may ask for leaves a quarter of it to what warns people."""
        count, _ = self._outbox.count("channel = 'phone' AND at > ?", now - HOUR_MS)
        most = self._settings.sms_per_hour
        if count >= (most * 3 // 4 if kind in BY_STRANGERS else most):
            self._sms_capped_at = now
            return False
        return True

    def mark(self, address: str) -> bytes:
        """What stands for an address where only sameness matters."""
        key = self._vault.system("lookup")
        return hmac.digest(key, wire.length_prefixed("kulla-address/1", address), hashlib.sha256)[:16]

    def sent_to(self, address: str, kinds: Collection[str], since: int) -> list[int]:
        """[how many messages of these kinds went to an address since then, time of the newest or 0]."""
        where = f"mark = ? AND at > ? AND kind IN ({', '.join('?' * len(kinds))})"
        values = (self.mark(address), since, *kinds)
        return [self._outbox.count(where, *values)[0], self._outbox.latest(where, *values)]

    # Sending -------------------------------------------------------------------------------------------

    def _run(self, channel: str) -> None:
        while not self._stopping.is_set():
            self._wake[channel].wait(LOOK_AGAIN_S)
            self._wake[channel].clear()
            try:
                for row in self._outbox.due(channel, self._clock()):
                    if self._stopping.is_set():
                        break
                    self._try(row)
                self._outbox.forget(self._clock())
            except (KeeperError, sqlite3.Error):
                log.exception("delivery by %s failed", channel)
                self._stopping.wait(LOOK_AGAIN_S)

    def _try(self, row: Row) -> None:
        now = self._clock()
        if row.until <= now:
            self._outbox.lost(row.id, late=True)
            return
        try:
            to, subject, text = self._vault.open_own(row.person, "outbox", row.sealed or b"")
            self._channels[row.channel].send(Message(row.id, to, subject, text))
        except NeverSent as error:
            log.warning("a message by %s was refused for good: %s", row.channel, error)
            self._outbox.lost(row.id, late=False)
        except NotSent as error:
            if row.tries >= GIVE_UP_AFTER:
                log.error("ALARM: a message by %s was given up: %s", row.channel, error)
                self._outbox.lost(row.id, late=False)
            else:
                log.warning("a message by %s has to wait: %s", row.channel, error)
                self._outbox.again(row.id, now + PAUSES_S[row.tries] * 1000)
        except KeeperError:
            # The person's key is gone (erased): nobody can read it any more.
            self._outbox.lost(row.id, late=True)
        else:
            self._outbox.sent(row.id)

    # Telling -------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """waiting, failed (of the last day) and alarms."""
        now = self._clock()
        alarms = []
        for channel in ALL:
            overdue, _ = self._outbox.count(
                "channel = ? AND state = 'waiting' AND tries > 0 AND at < ?", channel, now - LATE_MS
            )
            if overdue:
                alarms.append(f"delivery_waits:{channel}")
            failed, _ = self._outbox.count(
                "channel = ? AND state = 'failed' AND at > ?", channel, now - DAY_MS
            )
            if failed:
                alarms.append(f"delivery_failed:{channel}")
        if self._sms_capped_at and now - self._sms_capped_at < HOUR_MS:
            alarms.append("delivery_capped:phone")
        if self._lost_at and now - self._lost_at < DAY_MS:
            alarms.append("delivery_outbox")
        waiting, _ = self._outbox.count("state = 'waiting'")
        failed, _ = self._outbox.count("state = 'failed' AND at > ?", now - DAY_MS)
        return {"waiting": waiting, "failed": failed, "alarms": alarms}

    def forget(self, person: UUID) -> None:
        """What waits or was sent goes: the person was erased."""
        self._outbox.forget_person(person)

    def shown(self, person: UUID) -> list[dict[str, Any]]:
        """In a demo: what went to a person's addresses, newest first."""
        found = []
        for row in self._outbox.of_person(person):
            to, subject, text = self._vault.open_own(person, "outbox", row.sealed or b"")
            words = {"to": to, "subject": subject, "text": text}
            found.append({"at_ms": row.at, "channel": row.channel, "kind": row.kind, **words})
        return found

    def settled(self, timeout_s: float) -> bool:
        """Wait until nothing is due any more; for demos and tests."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            count, _ = self._outbox.count("state = 'waiting' AND next <= ?", self._clock())
            if not count:
                return True
            time.sleep(0.01)
        return False

    def close(self) -> None:
        """Stop the threads, close the file. What waits is sent after the next start."""
        self._stopping.set()
        for channel in ALL:
            self._wake[channel].set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(PATIENCE_AT_END_S)
        self._outbox.close()
