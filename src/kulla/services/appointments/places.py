"""The real places of Albania, from the package's own copy of OpenStreetMap data (ODbL, see data/README.md).

3,133 rows are read once into memory: a search looks at all of them in about a millisecond. Names are compared
without case and without diacritics, since many people type "Shkoder" for "Shkodër" and "Gjinokaster" without ë.
"""

import csv
import math
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data" / "albania-places.csv"
MICRO = 1_000_000
_EARTH_KM = 6371.0088  # mean radius, IUGG
_RANK = {"city": 0, "town": 1, "suburb": 2, "village": 3, "quarter": 4}


@dataclass(frozen=True)
class Place:
    """A city, town, village or quarter. `id` is its line in the data, which never changes its order."""

    id: int
    name: str
    kind: str
    latitude: int  # micro-degrees, WGS 84
    longitude: int
    population: int
    nearest_town: str
    folded: str


def fold(text: str) -> str:
    """The text without case, diacritics and doubled spaces: "  Gjirokastër " and "GJIROKASTER" become equal."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(bare.replace("-", " ").split())


@cache
def all_places() -> tuple[Place, ...]:
    """Every place, in the order of the data."""
    with DATA.open(encoding="utf-8", newline="") as lines:
        return tuple(
            Place(
                id=number,
                name=row["name"].strip(),
                kind=row["kind"],
                latitude=round(float(row["latitude"]) * MICRO),
                longitude=round(float(row["longitude"]) * MICRO),
                population=int(row["population"] or 0),
                nearest_town=row["nearest_town"].strip(),
                folded=fold(row["name"]),
            )
            for number, row in enumerate(csv.DictReader(lines), start=1)
        )


def place(number: int) -> Place | None:
    """The place on that line of the data, or None."""
    known = all_places()
    return known[number - 1] if 1 <= number <= len(known) else None


def search(text: str, limit: int = 20) -> list[Place]:
    """Places whose name is the text, begins with it, or has a word that begins with it; larger ones first."""
    wanted = fold(text)
    if not wanted:
        return []
    found: list[tuple[int, int, int, int, Place]] = []
    for known in all_places():
        if known.folded == wanted:
            match = 0
        elif known.folded.startswith(wanted):
            match = 1
        elif f" {wanted}" in known.folded:
            match = 2
        else:
            continue
        found.append((match, _RANK.get(known.kind, 9), -known.population, known.id, known))
    return [entry[-1] for entry in sorted(found)[:limit]]


def big_places() -> list[Place]:
    """The cities, largest first: a list to choose from for who would rather not type."""
    return sorted((p for p in all_places() if p.kind == "city"), key=lambda p: (-p.population, p.name))


def distance_km(latitude: int, longitude: int, other_latitude: int, other_longitude: int) -> float:
    """Great-circle distance in kilometres between two points in micro-degrees (haversine)."""
    one, other = math.radians(latitude / MICRO), math.radians(other_latitude / MICRO)
    across = math.radians((other_longitude - longitude) / MICRO)
    half = math.sin((other - one) / 2) ** 2 + math.cos(one) * math.cos(other) * math.sin(across / 2) ** 2
    return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(half)))
