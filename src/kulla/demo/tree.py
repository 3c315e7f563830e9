"""The administration of the demo country: a ministry above health, the civil register's office, one root.

The names are those of kinds of institutions; nobody who works in them exists.
"""

from dataclasses import dataclass

ROOT, MINISTRY_OF_HEALTH, CIVIL_AGENCY, CIVIL_OFFICE = "government", "health", "civil", "civil-tirana"
HEALTH_REGIONS = "health-services"


@dataclass(frozen=True)
class Institution:
    """One office of the tree above the health branches. `parent` is a key; None for the root."""

    key: str
    name: str
    kind: str
    parent: str | None
    place: str = "Tiranë"
    hours: str = "Mon-Fri 08:00-16:00"


INSTITUTIONS = (
    Institution(ROOT, "Këshilli i Ministrave", "ministry", None),
    Institution(MINISTRY_OF_HEALTH, "Ministria e Shëndetësisë", "ministry", ROOT),
    Institution(HEALTH_REGIONS, "Operatori i Shërbimeve Shëndetësore", "agency", MINISTRY_OF_HEALTH),
    Institution(CIVIL_AGENCY, "Drejtoria e Gjendjes Civile", "agency", ROOT),
    Institution(CIVIL_OFFICE, "Zyra e Gjendjes Civile, Tiranë", "branch", CIVIL_AGENCY),
)
