"""Slowing down those who guess, without locking anybody out.

Failures are counted, for an hour, under three names: this account from this network, this account from anywhere, this
network for any account (a whole town may share an address). Each wait ends by itself and is at most 30 seconds: a
stranger who shares the owner's network can make the owner wait that long, and 8 seconds where several people have
signed in from that network within the hour. Where the person has signed in before, strangers elsewhere cannot make
them wait at all. Accounts are counted by the mark of what was typed, whether or not it exists.

A browser in which this person signed in before carries a note of it (`sign_in.remember`). Its tries are counted under
the note alone: no stranger, not even one on the same network, makes the owner's own browser wait.

When the failures of the whole country explode, somebody tries many accounts from many networks. Then tries from a
network and a browser that the account has never been used from share a narrow gate, and an alarm is up.

Wrong codes of the second factor are counted for the account alone and strictly: only who has the password gets there.
"""

import ipaddress
import re
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass

from kulla.keeper.errors import Refusal

FORGET_S = 3600.0
LIMIT = 200_000
# (failures that cost nothing, longest wait in seconds)
PAIR, ACCOUNT, NETWORK = (5, 30.0), (30, 10.0), (200, 10.0)
SHARED_PAIR = (5, 8.0)  # from a network that several people use
CODE = (5, 300.0)
PASSKEYS = (200, 10.0)
_PLAIN = re.compile(r"(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})", re.ASCII)
SHARED_BY = 5  # accounts that signed in from one network
STORM_TIMES = 10  # so many times what is usual in a minute is a storm …
STORM_GATE = 10.0  # … in which so many tries a second from unknown places pass
STORM_WAIT_S = 10
USUAL_MINUTES = 1440  # what is usual follows a day


@dataclass
class _Count:
    failures: int = 0
    last: float = 0.0


class Country:
    """The failures of everybody in the last minute, against what is usual. The caller holds the lock."""

    def __init__(self, floor: int) -> None:
        """`floor`: fewer failures a minute are never a storm."""
        self._floor, self._usual = floor, 0.0
        self._recent: deque[float] = deque()
        self._minute = (0, 0)  # (minute, failures in it)
        self._gate, self._gate_at = STORM_GATE, 0.0

    def fail(self, now: float) -> None:
        """Count a failure."""
        self._recent.append(now)
        while len(self._recent) > 100 * self._floor:
            self._recent.popleft()
        minute, count = int(now // 60), self._minute[1]
        if minute != self._minute[0]:
            # A storm itself must not become usual.
            self._usual += (min(count, self._floor) - self._usual) / USUAL_MINUTES
            count = 0
        self._minute = (minute, count + 1)

    def take_back(self) -> None:
        """The last one was none."""
        if self._recent:
            self._recent.pop()

    def storm(self, now: float) -> bool:
        """Whether there are far more failures than usual."""
        while self._recent and now - self._recent[0] > 60:
            self._recent.popleft()
        return len(self._recent) > max(self._floor, STORM_TIMES * self._usual)

    def pass_gate(self, now: float) -> bool:
        """Whether one more try from an unknown place passes; always, unless there is a storm."""
        if not self.storm(now):
            return True
        self._gate = min(STORM_GATE, self._gate + (now - self._gate_at) * STORM_GATE)
        self._gate_at = now
        if self._gate < 1:
            return False
        self._gate -= 1
        return True


class Attempts:
    """Counts in memory; a restart forgets them."""

    def __init__(self, storm_floor: int = 300) -> None:
        self._counts: OrderedDict[bytes, _Count] = OrderedDict()
        self._signed_in: OrderedDict[bytes, dict[bytes, float]] = OrderedDict()
        self._country = Country(storm_floor)
        self._lock = threading.Lock()

    @property
    def storm(self) -> bool:
        """Whether the whole country's failures have exploded."""
        with self._lock:
            return self._country.storm(time.monotonic())

    def check(self, account: bytes, network: bytes, *, known: bool, note: bytes = b"") -> list[bytes]:
        """Raise Refusal("slow_down", retry_after_s) when it is too early for another try; else count this one.

        The try is counted before it is made, so that many at once do not all pass. Gives the names that it was
        counted under: `password_right` takes it back from them, and from no others. `known`: the account was used
        from this network before; `note`: the browser's own name, when it was used for this account before.
        """
        now = time.monotonic()
        with self._lock:
            if note:
                rules = [(b"b" + account + note, PAIR)]
            else:
                rules = [(b"p" + account + network, SHARED_PAIR if self._shared(network, now) else PAIR)]
                if not known:
                    rules += [(b"a" + account, ACCOUNT), (b"n" + network, NETWORK)]
            self._pass_or_refuse(rules, now)
            if not (known or note) and not self._country.pass_gate(now):
                for name, _ in rules:
                    self._counts[name].failures -= 1  # nothing was tried
                raise _slow_down(STORM_WAIT_S)
            self._country.fail(now)
        return [name for name, _ in rules]

    def check_code(self, account: bytes) -> None:
        """The same for a code of the second factor, whose password was right."""
        with self._lock:
            self._pass_or_refuse([(b"c" + account, CODE)], time.monotonic())

    def forget_code(self, account: bytes) -> None:
        """A code was right: its failures are forgotten."""
        with self._lock:
            self._counts.pop(b"c" + account, None)

    def check_passkey(self, network: bytes) -> bytes:
        """The same for an answer of a passkey: nobody guesses one, but each costs the keeper work."""
        name = b"k" + network
        with self._lock:
            self._pass_or_refuse([(name, PASSKEYS)], time.monotonic())
        return name

    def passkey_right(self, name: bytes) -> None:
        """Take this one try back."""
        with self._lock:
            if name in self._counts:
                self._counts[name].failures -= 1

    def _pass_or_refuse(self, rules: list[tuple[bytes, tuple[int, float]]], now: float) -> None:
        wait = max(self._wait(name, rule, now) for name, rule in rules)
        if wait > 0:
            raise _slow_down(int(wait) + 1)
        for name, _ in rules:
            self._fail(name, now)

    def _shared(self, network: bytes, now: float) -> bool:
        recent = [at for at in self._signed_in.get(network, {}).values() if now - at < FORGET_S]
        return len(recent) >= SHARED_BY

    def password_right(self, counted: list[bytes]) -> None:
        """Forget the failures of this account from this network, and take this one try back from shared counters.

        Only what `check` counted: else who has an account of their own would buy guesses at others' with it.
        """
        pair, *shared = counted
        with self._lock:
            self._counts.pop(pair, None)
            for name in shared:
                if name in self._counts:
                    self._counts[name].failures -= 1
            self._country.take_back()

    def signed_in(self, account: bytes, network: bytes) -> None:
        """Forget wrong codes, and note who uses this network."""
        with self._lock:
            self._counts.pop(b"c" + account, None)
            accounts = self._signed_in.pop(network, {})
            accounts.pop(account, None)
            while len(accounts) >= SHARED_BY:  # the latest few are enough to know
                del accounts[next(iter(accounts))]
            self._signed_in[network] = {**accounts, account: time.monotonic()}
            while len(self._signed_in) > LIMIT:
                self._signed_in.popitem(last=False)

    def _wait(self, name: bytes, rule: tuple[int, float], now: float) -> float:
        count = self._counts.get(name)
        if count is None or now - count.last > FORGET_S:
            return 0.0
        free, longest = rule
        over = count.failures - free
        return count.last + min(longest, 2.0 ** min(over, 20)) - now if over >= 0 else 0.0

    def _fail(self, name: bytes, now: float) -> None:
        count = self._counts.pop(name, None)
        if count is None or now - count.last > FORGET_S:
            count = _Count()
        count.failures += 1
        count.last = now
        self._counts[name] = count
        while len(self._counts) > LIMIT:
            self._counts.popitem(last=False)


def _slow_down(seconds: int) -> Refusal:
    return Refusal("slow_down", f"Too many tries: wait {seconds} seconds.", retry_after_s=seconds)


def truncate_network(address: str) -> str:
    """The network of an address: /24 of IPv4, /48 of IPv6; "" for anything else. Hosts are never kept."""
    if found := _PLAIN.fullmatch(address):
        parts = [int(part) for part in found.groups()]
        if max(parts) < 256:  # nearly all of them: quicker than the parser below
            return f"{parts[0]}.{parts[1]}.{parts[2]}.0/24"
    try:
        ip = ipaddress.ip_address(address.strip())
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return str(ipaddress.ip_network(f"{ip}/{24 if ip.version == 4 else 48}", strict=False))
