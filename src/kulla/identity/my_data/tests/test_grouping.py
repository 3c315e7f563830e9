"""Looks on the page: together when alike, and none left out."""

from datetime import UTC, datetime
from uuid import uuid4

from kulla.identity.my_data.grouping import together
from kulla.keeper_client import LookLine


def look(
    hour: int, minute: int = 0, *, office: str = "Clinic", whose: str = "me", allowed: bool = True
) -> LookLine:
    """A look on 24 November 2026, the hour in UTC."""
    return LookLine(
        ref=uuid4(),
        at_ms=int(datetime(2026, 11, 24, hour, minute, tzinfo=UTC).timestamp() * 1000),
        kind="open",
        office=office,
        role="receptionist",
        service="appointments",
        purpose="day list",
        fields=["name"],
        allowed=allowed,
        late=False,
        question=None,
        whose=whose,
    )


def test_alike_ones_of_a_day_stand_together() -> None:
    """With each of their times; another office, person or a refusal stands alone."""
    first, second, other = look(8), look(9), look(8, 30, office="Hospital")
    child, refused = look(8, 10, whose="Besa"), look(8, 20, allowed=False)
    groups = together([first, child, refused, other, second])
    assert [(group.latest, len(group.looks)) for group in groups] == [
        (second, 2), (other, 1), (refused, 1), (child, 1)
    ]  # fmt: skip
    assert groups[0].looks == (second, first)


def test_a_day_is_a_day_in_tirana() -> None:
    """23:30 UTC is the next morning there."""
    groups = together([look(22, 30), look(23, 30)])
    assert [group.day.day for group in groups] == [25, 24]
    assert sum(len(group.looks) for group in groups) == 2
