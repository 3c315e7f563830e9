"""Looks as a page shows them: alike ones of one day together, so that one strange look is not buried among them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from kulla.keeper_client import LookLine
from kulla.web import when


@dataclass(frozen=True)
class Alike:
    """Looks of one day, office, role, service and reason at the same fields of the same person; latest first."""

    looks: tuple[LookLine, ...]

    @property
    def latest(self) -> LookLine:
        """The one that stands for all."""
        return self.looks[0]

    @property
    def day(self) -> date:
        """The day on the wall in Tirana."""
        return when.wall(self.latest.at_ms).date()


def together(looks: Iterable[LookLine]) -> list[Alike]:
    """Every look in exactly one group; groups by their latest look, the latest first."""
    found: dict[object, list[LookLine]] = {}
    for look in sorted(looks, key=lambda each: -each.at_ms):
        what = (
            *(look.kind, look.office, look.role, look.service, look.purpose, tuple(look.fields)),
            *(look.whose, look.allowed, look.late),
        )
        found.setdefault((when.wall(look.at_ms).date(), what), []).append(look)
    return [Alike(tuple(group)) for group in found.values()]
