"""Looks as a page shows them: alike ones of one day together, so that one strange look is not buried among them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from kulla.keeper_client import LookView
from kulla.web import when


@dataclass(frozen=True)
class Alike:
    """Looks of one day, office, role, service and reason at the same fields of the same person; latest first."""

    latest: LookView
    times_ms: tuple[int, ...]

    @property
    def day(self) -> date:
        """The day on the wall in Tirana."""
        return when.wall(self.latest.at_ms).date()


def together(looks: Iterable[LookView]) -> list[Alike]:
    """Every look in exactly one group; groups by their latest look, the latest first."""
    found: dict[object, list[LookView]] = {}
    for look in sorted(looks, key=lambda each: -each.at_ms):
        what = (
            look.office,
            look.role,
            look.service,
            look.purpose,
            tuple(look.fields),
            look.whose,
            look.allowed,
        )
        found.setdefault((when.wall(look.at_ms).date(), what), []).append(look)
    return [Alike(group[0], tuple(look.at_ms for look in group)) for group in found.values()]
