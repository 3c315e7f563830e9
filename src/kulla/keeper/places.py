"""Places of networks in words, for the list of one's own sessions: an optional file beside keeper.json.

places.csv, UTF-8, one network a line, the names as people say them:

    prefix,place_sq,place_en
    192.0.2.0/24,Tiranë,Tirana

The longest prefix that holds a network names it. Nothing is asked of anybody outside.
"""

import csv
import ipaddress
import logging
from pathlib import Path

log = logging.getLogger("kulla.keeper")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Places:
    """The table in memory; empty where there is no file."""

    def __init__(self, path: Path) -> None:
        self._names: dict[Network, dict[str, str]] = {}
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                for line, row in enumerate(csv.DictReader(file), 2):
                    self._add(line, row)
        self._lengths = sorted({(each.version, each.prefixlen) for each in self._names}, reverse=True)

    def _add(self, line: int, row: dict[str, str]) -> None:
        try:
            network = ipaddress.ip_network(row["prefix"].strip())
            names = {"sq": row["place_sq"].strip()[:80], "en": row["place_en"].strip()[:80]}
        except (ValueError, KeyError, AttributeError):
            log.warning("places.csv: line %d names no network and its place, and was passed over", line)
            return
        self._names[network] = names

    def name(self, network: str) -> dict[str, str]:
        """The place of a truncated network, by language; empty when it is not known."""
        try:
            asked = ipaddress.ip_network(network)
        except ValueError:
            return {}
        for version, length in self._lengths:
            if version == asked.version and length <= asked.prefixlen:
                found = self._names.get(asked.supernet(new_prefix=length))
                if found:
                    return found
        return {}
