"""The people of the demo who can sign in: a small fixed cast, and a few more from the generator."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pyotp

from kulla.demo.people import Generator, Invented, Place

HOME_TOWN = Place("Tiranë", 41.326873, 19.818791, 1)
CLERKS = ("clerk", "clerk2", "clerk3", "clerk4")
NEIGHBOURS = 4


class Office(Protocol):
    """What an official's account needs to know of an office."""

    @property
    def id(self) -> str: ...

    @property
    def facility(self) -> Any: ...


@dataclass(frozen=True)
class Account:
    """Someone with a password. `persons` go into the register: the account's person first, then children."""

    who: str
    role: str
    name: str
    number: str
    password: str
    persons: tuple[Invented, ...] = ()
    office: str | None = None
    totp: str | None = None

    @property
    def facts(self) -> dict[str, str]:
        """What accounts.json tells about it."""
        facts = {
            "who": self.who,
            "role": self.role,
            "name": self.name,
            "number": self.number,
            "password": self.password,
        }
        if self.office:
            facts["office"] = self.office
        if self.totp:
            facts["totp_secret"] = self.totp
        if len(self.persons) > 1:
            child = self.persons[1]
            facts |= {"child": f"{child.first_name} {child.last_name}", "child_number": child.number}
        return facts


def password() -> str:
    """A password nobody has to remember: the demo signs in by links."""
    return secrets.token_urlsafe(12)


def cast(generator: Generator, offices: Sequence[Office]) -> list[Account]:
    """Twelve accounts: Arta with a child, Besnik with a child, Valbona, neighbours, clerks and an operator."""
    accounts = [
        parent(generator, "citizen", ("f", "Arta", "Prifti", 34), ("m", "Dritëro", 6)),
        parent(generator, "guardian", ("m", "Besnik", "Kodra", 41), ("f", "Teuta", 9)),
        citizen("stranger", generator.person("f", "Marku", generator.address(HOME_TOWN), 52, "Valbona")),
    ]
    for number in range(1, NEIGHBOURS + 1):
        someone = next(person for person in generator.family() if not person.guardian_numbers)
        accounts.append(citizen(f"neighbour{number}", someone))
    for who, office in zip(CLERKS, clerks_offices(offices), strict=False):
        accounts.append(official(generator, who, "receptionist", office.id))
    accounts.append(official(generator, "operator", "operator", None))
    return accounts


def clerks_offices(offices: Sequence[Office]) -> list[Office]:
    """Where the receptionists work: the busiest office of each of different towns, the capital's first."""
    busiest = sorted(
        offices, key=lambda one: (one.facility.town != HOME_TOWN.name, -len(one.facility.specialties))
    )
    by_town = {office.facility.town: office for office in reversed(busiest)}
    chosen = sorted(by_town.values(), key=busiest.index)
    return (chosen + busiest)[: len(CLERKS)]


def citizen(who: str, person: Invented, *children: Invented) -> Account:
    """An account of an adult."""
    name = f"{person.first_name} {person.last_name}"
    return Account(who, "citizen", name, person.number, password(), (person, *children))


def parent(
    generator: Generator, who: str, adult: tuple[str, str, str, int], child: tuple[str, str, int]
) -> Account:
    """An account of an adult with one child. adult: sex, names, age; child: sex, given name, age."""
    sex, given, surname, age = adult
    address = generator.address(HOME_TOWN)
    person = generator.person(sex, surname, address, age, given)
    made = generator.person(child[0], surname, address, child[2], child[1])
    return citizen(who, person, replace(made, phone="", guardian_numbers=(person.number,)))


def official(generator: Generator, who: str, role: str, office: str | None) -> Account:
    """An account of an official, always with a second factor."""
    someone = generator.person("f", "Luani", generator.address(HOME_TOWN), 40)
    name = f"{someone.first_name} {someone.last_name}"
    return Account(who, role, name, someone.number, password(), office=office, totp=pyotp.random_base32())
