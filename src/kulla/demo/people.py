"""The invented people of a demo country: families in real places, reproducible from a seed.

What is real: the places and their populations (OpenStreetMap). What is invented: every person. Numbers have the
valid form of an Albanian identity number (YYMMDDSSSC: decade as a letter, month + 50 for women, a last letter),
but the last letter is drawn at random, since its rule is not public. Telephone numbers begin with +355 60, a
mobile prefix that no operator has been given, so that no notice can ever reach anyone.
"""

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path

from kulla.demo import names
from kulla.keeper.numbers import al
from kulla.services import appointments

DATA = Path(appointments.__file__).parent / "data"

# People in a place whose population OpenStreetMap does not know, by its kind: rough, only weights.
USUAL_POPULATION = {"city": 40_000, "town": 8_000, "suburb": 2_000, "quarter": 1_000, "village": 300}
CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVW"
CHILD_UNTIL = 18  # years


@dataclass(frozen=True)
class Place:
    """A real place: name, WGS 84 degrees, weight by population."""

    name: str
    latitude: float
    longitude: float
    weight: int


HOME_TOWN = Place("Tiranë", 41.326873, 19.818791, 1)


@dataclass(frozen=True)
class Invented:
    """One invented person; guardian_numbers are empty for adults. `passport` is the state's code and the number."""

    number: str
    first_name: str
    last_name: str
    birth_date: date
    sex: str
    phone: str
    language: str
    address: str
    guardian_numbers: tuple[str, ...] = ()
    email: str = ""
    passport: str = ""

    @property
    def name(self) -> str:
        """First and last name, or the only one."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def row(self) -> dict[str, str]:
        """The person as a line of the register's import file."""
        return {
            "number": self.number,
            "passport": self.passport,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "birth_date": self.birth_date.isoformat(),
            "sex": self.sex,
            "phone": self.phone,
            "email": self.email,
            "language": self.language,
            "guardian_number": ";".join(self.guardian_numbers),
            "address": self.address,
        }


def places() -> list[Place]:
    """The real places of Albania (OpenStreetMap, ODbL), from the data that the appointments service ships."""
    with (DATA / "albania-places.csv").open(encoding="utf-8", newline="") as file:
        return [
            Place(
                name=row["name"],
                latitude=float(row["latitude"]),
                longitude=float(row["longitude"]),
                weight=int(float(row["population"] or 0)) or USUAL_POPULATION.get(row["kind"], 300),
            )
            for row in csv.DictReader(file)
        ]


class Generator:
    """Makes families until enough people exist. The same seed and day give the same people."""

    def __init__(self, seed: int, today: date, where: list[Place]) -> None:
        self._random = random.Random(seed)  # noqa: S311 - invented people, no secrets
        self.today = today
        self._places = where
        self._weights = list(accumulate(place.weight for place in where))
        self._numbers: set[str] = set()
        self._phones = 0

    def people(self, count: int) -> Iterator[Invented]:
        """`count` people, family by family: two adults or one, and none to three children."""
        made = 0
        while made < count:
            for person in self.family():
                if made < count:
                    yield person
                    made += 1

    def family(self) -> list[Invented]:
        """One family under one surname at one address."""
        surname = self._random.choice(names.SURNAMES)
        address = self.address()
        age = self._random.randint(19, 88)
        first_sex = self._random.choice("fm")
        parents = [self.person(first_sex, surname, address, age)]
        if self._random.random() < 0.7:
            partner_age = min(95, max(19, age + self._random.randint(-6, 6)))
            parents.append(self.person("m" if first_sex == "f" else "f", surname, address, partner_age))
        guardians = tuple(parent.number for parent in parents)
        wanted = self._random.choice((0, 0, 1, 1, 2, 2, 3)) if 22 <= age <= 55 else 0
        children = [
            self.child(self._random.choice("fm"), surname, address, guardians, parent_age=age)
            for _ in range(wanted)
        ]
        return parents + children

    def child(
        self, sex: str, surname: str, address: str, guardians: tuple[str, ...], *, parent_age: int
    ) -> Invented:
        """A child of these guardians, younger than the parent by at least 20 years."""
        child = self.person(
            sex, surname, address, self._random.randint(0, min(CHILD_UNTIL - 1, parent_age - 20))
        )
        return replace(child, phone="", guardian_numbers=guardians)

    def person(
        self,
        sex: str,
        surname: str,
        address: str,
        age: int,
        first_name: str = "",
        birth: date | None = None,
    ) -> Invented:
        """One person of this age in whole years, or born on that day."""
        birth = birth or self.today - timedelta(days=365 * age + age // 4 + self._random.randint(1, 360))
        first_name = first_name or self._random.choice(names.WOMEN if sex == "f" else names.MEN)
        self._phones += 1
        return Invented(
            number=self._number(birth, sex),
            first_name=first_name,
            last_name=surname,
            birth_date=birth,
            sex=sex,
            phone=f"+35560{self._phones:07d}",
            language="en" if self._random.random() < 0.05 else "sq",
            address=address,
        )

    def practitioner(self) -> str:
        """The invented name of a practitioner."""
        given = self._random.choice(names.WOMEN + names.MEN)
        return f"Dr. {given} {self._random.choice(names.SURNAMES)}"

    def address(self, place: Place | None = None) -> str:
        """A street and house number in a place drawn by population."""
        place = place or self._random.choices(self._places, cum_weights=self._weights)[0]
        return f"{self._random.choice(names.STREETS)} {self._random.randint(1, 140)}, {place.name}"

    def _number(self, birth: date, sex: str) -> str:
        while True:
            found = al.make(birth, sex, self._random.randint(1, 999), self._random.choice(CHECK_LETTERS))
            if found not in self._numbers:
                self._numbers.add(found)
                return found
