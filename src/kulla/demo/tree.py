"""The administration of the demo country: the state, a ministry above health, the civil register, and their branches.

The names are those of kinds of institutions; nobody who works in them exists.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

ROOT, MINISTRY_OF_HEALTH, CIVIL_AGENCY, CIVIL_OFFICE = "state", "health", "civil", "civil-tirana"
HEALTH_SERVICES = "health-services"
# Weekday (Monday is 0) to spans of minutes after midnight.
USUAL_HOURS = {day: [(8 * 60, 16 * 60)] for day in range(5)}


@dataclass(frozen=True)
class Institution:
    """One office of the tree above the health branches. `parent` is a key; None for the root."""

    key: str
    name: str
    name_en: str
    kind: str
    parent: str | None
    town: str = "Tiranë"

    def details(self, ids: dict[str, str]) -> dict[str, Any]:
        """What the keeper is told besides the name; `ids` are the offices' ids by their keys."""
        above = {"parent": UUID(ids[self.parent])} if self.parent else {}
        return {
            "name_en": self.name_en,
            "kind": self.kind,
            "town": self.town,
            "hours": USUAL_HOURS,
            **above,
        }


INSTITUTIONS = (
    Institution(ROOT, "Këshilli i Ministrave", "Council of Ministers", "state", None),
    Institution(MINISTRY_OF_HEALTH, "Ministria e Shëndetësisë", "Ministry of Health", "ministry", ROOT),
    Institution(
        HEALTH_SERVICES,
        "Operatori i Shërbimeve Shëndetësore",
        "Health Services",
        "agency",
        MINISTRY_OF_HEALTH,
    ),
    Institution(CIVIL_AGENCY, "Drejtoria e Gjendjes Civile", "Civil Register", "agency", ROOT),
    Institution(
        CIVIL_OFFICE,
        "Zyra e Gjendjes Civile, Tiranë",
        "Civil Register Office, Tirana",
        "branch",
        CIVIL_AGENCY,
    ),
)
