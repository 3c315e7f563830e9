"""Real health facilities as offices of the demo country, and what care each plausibly offers.

Names, kinds and coordinates are OpenStreetMap's and are not touched; large towns without a mapped facility stay
without one. Left out are facilities that treat animals or only sell medicines, practices that carry a living
doctor's name, and second nodes of the same building.
"""

import csv
import random
from dataclasses import dataclass

from kulla.demo.people import DATA

KINDS = ("hospital", "clinic", "doctors")
NOT_FOR_PATIENTS = ("veteri", "farmac", "dr. ")
HOSPITAL = (
    "gp", "paediatrics", "vaccination", "laboratory", "gynaecology", "cardiology", "ophthalmology", "dermatology",
    "ent", "orthopaedics", "neurology",
)  # fmt: skip
# What a name says about the care, in the order in which it is looked for.
SAID_BY_NAME = (
    ("dent", ("dentist",)),
    ("laborator", ("laboratory",)),
    ("diagnostic", ("laboratory",)),
    ("endoskop", ("gp", "laboratory")),
    ("fëmij", ("paediatrics", "vaccination")),
    ("children", ("paediatrics", "vaccination")),
    ("gruas", ("gynaecology",)),
    ("psikiatrik", ("neurology", "gp")),
    ("fisio", ("orthopaedics",)),
    ("physio", ("orthopaedics",)),
)
SURGERY = ("gp", "vaccination", "paediatrics", "dentist", "gynaecology")
LARGE = ("hospital", "spital", "poliklinik")


@dataclass(frozen=True)
class Facility:
    """A real facility; degrees WGS 84. Specialties are codes of the appointments service."""

    name: str
    kind: str
    town: str
    latitude: float
    longitude: float
    specialties: tuple[str, ...]


def facilities(chance: random.Random) -> list[Facility]:
    """Every facility that people can book at, with the care it offers."""
    found: dict[tuple[str, str], Facility] = {}
    with (DATA / "albania-facilities.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = row["name"].strip()
            if row["kind"] in KINDS and not any(word in name.lower() for word in NOT_FOR_PATIENTS):
                facility = Facility(
                    name=name,
                    kind=row["kind"],
                    town=row["nearest_town"].strip(),
                    latitude=float(row["latitude"]),
                    longitude=float(row["longitude"]),
                    specialties=care(name, chance),
                )
                found.setdefault((facility.name, facility.town), facility)
    return list(found.values())


def care(name: str, chance: random.Random) -> tuple[str, ...]:
    """The specialties of a facility: what its name says, all of them in a hospital, else the usual of a surgery."""
    lower = name.lower()
    for word, said in SAID_BY_NAME:
        if word in lower:
            return said
    if any(word in lower for word in LARGE):
        return HOSPITAL
    others = [code for code in SURGERY if code != "gp"]
    return ("gp", *sorted(chance.sample(others, chance.randint(1, 3))))
