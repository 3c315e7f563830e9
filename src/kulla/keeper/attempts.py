"""Slowing down those who guess, without locking anybody out.

Failures are counted, for an hour, under three names: this account from this network (strict), this account from
anywhere (mild), this network for any account (mild, since a whole town may share an address). Each wait ends by
itself and has a cap. Where the person has signed in before, only the strict counter applies: a stranger elsewhere
cannot keep the owner waiting. Accounts are counted by the mark of what was typed, whether or not it exists.
"""

import ipaddress
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from kulla.keeper.errors import Refusal

FORGET_S = 3600.0
LIMIT = 200_000
# (failures that cost nothing, longest wait in seconds)
PAIR, ACCOUNT, NETWORK = (5, 300.0), (30, 10.0), (200, 10.0)


@dataclass
class _Count:
    failures: int = 0
    last: float = 0.0


class Attempts:
    """Counts in memory; a restart forgets them."""

    def __init__(self) -> None:
        self._counts: OrderedDict[bytes, _Count] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, account: bytes, network: bytes, *, known: bool) -> None:
        """Raise Refusal("slow_down", retry_after_s) when it is too early for another try; else count this one.

        The try is counted before it is made, so that many at once do not all pass; `succeeded` takes it back.
        """
        rules = [(b"p" + account + network, PAIR)]
        if not known:
            rules += [(b"a" + account, ACCOUNT), (b"n" + network, NETWORK)]
        now = time.monotonic()
        with self._lock:
            wait = max(self._wait(name, rule, now) for name, rule in rules)
            if wait > 0:
                seconds = int(wait) + 1
                raise Refusal("slow_down", f"Too many tries: wait {seconds} seconds.", retry_after_s=seconds)
            for name, _ in rules:
                self._fail(name, now)

    def take_back(self, account: bytes, network: bytes) -> None:
        """Uncount one try that was right so far (the password, before its second factor)."""
        with self._lock:
            for name in (b"p" + account + network, b"a" + account, b"n" + network):
                if name in self._counts:
                    self._counts[name].failures -= 1

    def succeeded(self, account: bytes, network: bytes) -> None:
        """Forget the failures of this account from this network, and one of each shared counter."""
        with self._lock:
            self._counts.pop(b"p" + account + network, None)
            for name in (b"a" + account, b"n" + network):
                if name in self._counts:
                    self._counts[name].failures -= 1

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


def truncate_network(address: str) -> str:
    """The network of an address: /24 of IPv4, /48 of IPv6; "" for anything else. Hosts are never kept."""
    try:
        ip = ipaddress.ip_address(address.strip())
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return str(ipaddress.ip_network(f"{ip}/{24 if ip.version == 4 else 48}", strict=False))
