"""Everything that is held about the person who asks: of the keeper, and of each service. Read for one answer, kept
nowhere."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from kulla.identity.my_data import words
from kulla.registry import door
from kulla.registry import services as registry
from kulla.registry.actor import Actor
from kulla.registry.services import DataSection, Service
from kulla.web import when
from kulla.web.jinja import in_language

FORMAT = "kulla-my-data/1"


@dataclass(frozen=True)
class Part:
    """One section. `code` names it for programs; `rows` as they are held; `lines` the same in words."""

    code: str
    title: str
    rows: Sequence[Mapping[str, Any]]
    broken: bool
    labels: Mapping[str, str]

    def lines(self, most: int | None = None) -> list[list[tuple[str, str]]]:
        """(label, words) of each row."""
        return [
            [
                (self.labels.get(key) or words.label(key), self._words(key, given))
                for key, given in row.items()
            ]
            for row in self.rows[:most]
        ]

    def _words(self, key: str, given: object) -> str:
        if key == "service" and not self.labels:
            titles = {service.slug: in_language(dict(service.title)) for service in registry.all_services()}
            return (titles | {"identity": str(words.IDENTITY)}).get(str(given), str(given))
        # What a service writes is in words already.
        plain = self.labels and not isinstance(given, bool | int | list | tuple)
        return str(given) if plain else words.value(key, given)


def of_keeper(token: str) -> list[Part]:
    """What the keeper holds. Raises KeeperUnavailable, Refused."""
    keeper = door.keeper()
    found = []
    for name in keeper.my_sections(token):
        rows, broken = keeper.my_section(token, name)
        found.append(Part(name, words.section(name), rows, broken, {}))
    return found


def of_services(seen: Sequence[tuple[Service, Actor]]) -> list[Part]:
    """What each service holds, the sealed texts opened for the person."""
    found = []
    for service, me in seen:
        if not service.my_data:
            continue
        given = cast("list[DataSection]", registry.load(service.my_data)(me))  # type: ignore[operator]
        for number, each in enumerate(given, 1):
            labels = {key: in_language(dict(titles)) for key, titles in each.labels.items()}
            code = f"{service.slug}.{number}"
            found.append(Part(code, in_language(dict(each.title)), each.rows, each.broken, labels))
    return found


def as_json(parts: Sequence[Part], now: datetime | None = None) -> bytes:
    """All of it for programs: times as RFC 3339, codes as they are held."""
    made = (now or datetime.now(UTC)).isoformat(timespec="seconds")
    sections = [
        {
            "section": part.code,
            "title": part.title,
            "complete": not part.broken,
            "rows": [dict(_plain(key, given) for key, given in row.items()) for row in part.rows],
        }
        for part in parts
    ]
    document = {"format": FORMAT, "made": made, "sections": sections}
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def _plain(key: str, given: object) -> tuple[str, object]:
    if key.endswith("_ms") and isinstance(given, int) and not isinstance(given, bool):
        return key.removesuffix("_ms"), when.wall(given).isoformat(timespec="seconds")
    return key, given
