"""The people of the demo who have a part in it: who signs in, who could, and who belongs to whom."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pyotp

from kulla.demo import characters
from kulla.demo.people import HOME_TOWN, Generator, Invented
from kulla.demo.tree import CIVIL_OFFICE, MINISTRY_OF_HEALTH, ROOT

CLERKS = ("clerk", "clerk2", "clerk3", "clerk4")
NEIGHBOURS = 4
# Officials of the administration: who, role, where. A power is never in one hand, so there are two of some.
STAFF = (
    ("admin", "admin", ROOT),
    ("admin2", "admin", ROOT),
    ("registrar", "registrar", CIVIL_OFFICE),
    ("registrar2", "registrar", CIVIL_OFFICE),
    ("protection", "protection", MINISTRY_OF_HEALTH),
)


class Office(Protocol):
    """What an official's account needs to know of an office."""

    @property
    def id(self) -> str: ...

    @property
    def facility(self) -> Any: ...


@dataclass(frozen=True)
class Account:
    """Somebody of the cast. `persons` go into the register: the account's person first, then children.

    Without a password the account is not activated yet.
    """

    who: str
    role: str
    name: str
    number: str
    password: str = ""
    persons: tuple[Invented, ...] = ()
    office: str | None = None
    totp: str | None = None

    @property
    def identifier(self) -> str:
        """What this person types to sign in."""
        return self.number or self.persons[0].passport

    @property
    def facts(self) -> dict[str, str]:
        """What accounts.json tells about it."""
        person = self.persons[0]
        facts = {
            "who": self.who,
            "role": self.role,
            "name": self.name,
            "number": self.number,
            "born": person.birth_date.isoformat(),
            "passport": person.passport,
            "phone": person.phone,
            "email": person.email,
            "password": self.password,
            "office": self.office or "",
            "totp_secret": self.totp or "",
        }
        if len(self.persons) > 1:
            child = self.persons[1]
            facts |= {"child": child.name, "child_number": child.number}
        return {name: value for name, value in facts.items() if value}


@dataclass(frozen=True)
class Tie:
    """A guardian and a ward, by number. `custody`: sees address and appointments; `adult`: the ward is one."""

    guardian: str
    ward: str
    custody: bool = True
    adult: bool = False


@dataclass(frozen=True)
class Cast:
    """Everybody with a part. `ties` are those that the register's import does not bring by itself; `protected` are
    the person, who is told of looks, and why."""

    accounts: list[Account]
    ties: list[Tie] = field(default_factory=list)
    protected: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def persons(self) -> list[Invented]:
        """Everyone whom the register must know."""
        return [person for account in self.accounts for person in account.persons]


def password() -> str:
    """A password nobody has to remember: the demo signs in by links."""
    return secrets.token_urlsafe(12)


def cast(generator: Generator, offices: Sequence[Office], institutions: dict[str, str]) -> Cast:
    """The whole cast. `institutions` are the ids of the administration's offices by their keys (tree.py)."""
    accounts = [
        parent(generator, "citizen", ("f", "Arta", "Prifti", 34), ("m", "Dritëro", 6)),
        parent(generator, "guardian", ("m", "Besnik", "Kodra", 41), ("f", "Teuta", 9)),
        citizen("stranger", generator.person("f", "Marku", generator.address(HOME_TOWN), 52, "Valbona")),
    ]
    for number in range(1, NEIGHBOURS + 1):
        someone = next(person for person in generator.family() if not person.guardian_numbers)
        accounts.append(citizen(f"neighbour{number}", someone))
    workplaces = clerks_offices(offices)
    for who, office in zip(CLERKS, workplaces, strict=False):
        accounts.append(official(generator, who, "receptionist", office.id))
    accounts.append(official(generator, "operator", "operator", None))
    accounts.append(official(generator, "colleague", "receptionist", workplaces[0].id))
    accounts += [official(generator, who, role, institutions[key]) for who, role, key in STAFF]
    accounts += [
        citizen(one.who, one.person, *one.children, activated=one.activated)
        for one in characters.all_of(generator)
    ]
    by_who = {account.who: account.number for account in accounts}
    protected = [(by_who["protected"], by_who["contact"], "violence")]
    return Cast(accounts, ties(accounts), protected)


def ties(accounts: Sequence[Account]) -> list[Tie]:
    """Who belongs to whom beyond the one guardian that the register's import names."""
    by_who = {account.who: account for account in accounts}

    def child(who: str) -> str:
        return by_who[who].persons[1].number

    return [
        Tie(by_who["other_guardian"].number, child("guardian")),
        Tie(by_who["no_custody"].number, child("citizen"), custody=False),
        Tie(by_who["carer"].number, by_who["elder"].number, adult=True),
    ]


def clerks_offices(offices: Sequence[Office]) -> list[Office]:
    """Where the receptionists work: the busiest office of each of different towns, the capital's first."""
    busiest = sorted(
        offices, key=lambda one: (one.facility.town != HOME_TOWN.name, -len(one.facility.specialties))
    )
    by_town = {office.facility.town: office for office in reversed(busiest)}
    chosen = sorted(by_town.values(), key=busiest.index)
    return (chosen + busiest)[: len(CLERKS)]


def citizen(who: str, person: Invented, *children: Invented, activated: bool = True) -> Account:
    """An account of an adult, or the person who could have one."""
    return Account(
        who, "citizen", person.name, person.number, password() if activated else "", (person, *children)
    )


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
    return Account(
        who,
        role,
        someone.name,
        someone.number,
        password(),
        (someone,),
        office=office,
        totp=pyotp.random_base32(),
    )
