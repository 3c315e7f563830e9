"""Codes to telephones and letter boxes, with measures: nobody's telephone is flooded by a stranger.

Who asks waits for nothing that depends on whether there is anybody: the question is put into a queue, and a thread of
its own finds out, makes the code and hands it to the outbox. So the answer takes the same time for everyone.

Measures: to one address at most five codes in 24 hours, the second after one minute, the third after five, the fourth
after 30, the fifth after two hours. From one network at most 300 questions an hour.
"""

import logging
import queue
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from uuid import UUID

from kulla.keeper.accounts.book import Book
from kulla.keeper.accounts.codes import CODE_MS, Codes
from kulla.keeper.delivery.delivery import EMAIL, PHONE, Contacts
from kulla.keeper.errors import KeeperError, Refusal

log = logging.getLogger("kulla.keeper")
DAY_MS = 24 * 3600 * 1000
PAUSES_MS = tuple(1000 * seconds for seconds in (0, 60, 300, 1800, 7200))
CODE_KINDS = (
    "code_activation",
    "code_recovery",
    "code_confirm",
    "code_counter",
    "code_channel",
    "already_active",
    "not_active",
    "ask_desk",
)
HOUR_MS = 3600 * 1000
NETWORK_LIMIT, ACCOUNT_LIMIT = 300, 10  # questions an hour: from one network; about one account from there
WAITING = 10_000
CACHED = 100_000
Work = Callable[[], None]


class CodeSender:
    """Makes codes and sends them."""

    def __init__(self, book: Book, codes: Codes) -> None:
        self._book, self.codes = book, codes
        self._queue: queue.Queue[Work | None] = queue.Queue(WAITING)
        self._asked: OrderedDict[bytes, deque[int]] = OrderedDict()
        self._lock = threading.Lock()
        self._sending = (
            threading.Lock()
        )  # of many who ask at once for one address each sees what the other sent
        self._thread = threading.Thread(target=self._run, name="accounts", daemon=True)
        self._thread.start()

    # In the background ---------------------------------------------------------------------------------

    def later(self, work: Work) -> None:
        """Do it soon, without anybody waiting. Raises Refusal("slow_down") when too much waits."""
        try:
            self._queue.put_nowait(work)
        except queue.Full as error:
            raise Refusal("slow_down", "Too many ask at once.", retry_after_s=30) from error

    def check_asked(self, account: bytes, place: bytes) -> None:
        """Count a question about an account from a network, whether or not the account exists.

        Raises Refusal("slow_down", retry_after_s).
        """
        with self._lock:
            counted = [(b"n" + place, NETWORK_LIMIT), (b"a" + account + place, ACCOUNT_LIMIT)]
            now = self._book.clock()
            for name, limit in counted:
                times = self._times(name, now)
                if len(times) >= limit:
                    seconds = (times[0] + HOUR_MS - now) // 1000 + 1
                    raise Refusal("slow_down", "Too many questions.", retry_after_s=seconds)
            for name, _ in counted:
                self._asked[name].append(now)

    def _times(self, name: bytes, now: int) -> deque[int]:
        """When was asked under this name within the hour."""
        times = self._asked.pop(name, deque())
        while times and now - times[0] > HOUR_MS:
            times.popleft()
        self._asked[name] = times
        while len(self._asked) > CACHED:
            self._asked.popitem(last=False)
        return times

    def settled(self, timeout_s: float) -> bool:
        """Wait until all that was asked is done; for demos and tests."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            if not self._queue.unfinished_tasks:
                return True
            time.sleep(0.005)
        return False

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            try:
                work()
            except KeeperError:
                log.exception("a code could not be sent")
            except Exception:
                log.exception("a mistake while a code was sent")
            finally:
                self._queue.task_done()
        self._book.register.close_thread()

    def close(self) -> None:
        """Finish what waits and stop."""
        self._queue.put(None)
        self._thread.join(5)

    # Codes ---------------------------------------------------------------------------------------------

    def may_send(self, address: str) -> int:
        """0 when a code may go to this address now, else when it may (ms since 1970 UTC)."""
        now = self._book.clock()
        count, last = self._book.keeper.delivery.sent_to(address, CODE_KINDS, now - DAY_MS)
        if count >= len(PAUSES_MS):
            return max(last + PAUSES_MS[-1], now + 1)
        when = last + PAUSES_MS[count]
        return when if count and when > now else 0

    def code(self, person: UUID, purpose: str, kind: str, to: Contacts, **params: str) -> bool:
        """Send a fresh code by the channel that `to` names; whether it was sent (not when it is too early)."""
        address = to.phone or to.email
        with self._sending:
            if not address or self.may_send(address):
                return False
            digits = self.codes.new(person, purpose)
            channel, until = (PHONE if to.phone else EMAIL), self._book.clock() + CODE_MS
            sent = self._book.keeper.delivery.send(
                person, kind, {"code": digits, **params}, to=to, channels=(channel,), until=until
            )
            return bool(sent)

    def hint(self, person: UUID, kind: str, to: Contacts) -> None:
        """A word without a code to the telephone, under the same measures."""
        with self._sending:
            if to.phone and not self.may_send(to.phone):
                self._book.keeper.delivery.send(person, kind, {}, to=Contacts(to.phone), channels=(PHONE,))
