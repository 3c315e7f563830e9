"""People whose lives do not fit the plain form: each stands for many whom a portal must not leave out.

Their names are invented like everyone's; those in other scripts and of unusual lengths are here because registers
and forms have failed on them elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from kulla.demo.people import HOME_TOWN, Generator, Invented

# 200 characters with the space between first and last names: as long as a name may be.
LONG_FIRST = "Maria Esmeralda Konstandina Aleksandra Shpresa Fatbardhësia Gjenovefa Hirushe Leonora Pranvera"
LONG_LAST = (LONG_FIRST + " " + LONG_FIRST)[-(199 - len(LONG_FIRST)) :].strip()
COMING_OF_AGE_DAYS = 20


@dataclass(frozen=True)
class Character:
    """One of them. `activated`: whether there is a password already."""

    who: str
    person: Invented
    children: tuple[Invented, ...] = ()
    activated: bool = True


def all_of(generator: Generator) -> Iterator[Character]:
    """Everyone, in the order of the list that the demo shows."""
    yield Character("newcomer", someone(generator, "f", "Donika", "Luzi", 29), activated=False)
    offline = someone(generator, "m", "Rrok", "Bardhi", 83)
    yield Character("offline", replace(offline, phone="", email=""), activated=False)
    yield Character("other_guardian", someone(generator, "f", "Teodora", "Kodra", 39))
    yield Character("no_custody", someone(generator, "m", "Pashko", "Prifti", 36))
    yield nearly_adult(generator)
    yield Character("elder", someone(generator, "f", "Hatixhe", "Zeka", 88), activated=False)
    yield Character("carer", someone(generator, "m", "Ndue", "Zeka", 60))
    yield Character("represented", someone(generator, "f", "Prenda", "Vata", 71))
    yield Character("representative", someone(generator, "m", "Lekë", "Vata", 45))
    yield Character("protected", someone(generator, "f", "Fidane", "Doda", 33))
    yield Character("contact", someone(generator, "f", "Marinela", "Leka", 47))
    yield Character("foreigner", foreigner(generator))
    one_name = someone(generator, "f", "Lume", "", 64)
    yield Character("one_name", one_name)
    yield Character("apostrophe", someone(generator, "f", "Anna", "D'Angelo", 38))
    yield Character("cyrillic", someone(generator, "m", "Димитър", "Йорданов", 51))
    yield Character("greek", someone(generator, "f", "Ελένη", "Παπαϊωάννου", 44))
    yield Character("long_name", someone(generator, "f", LONG_FIRST, LONG_LAST, 26))


def someone(generator: Generator, sex: str, first_name: str, last_name: str, age: int) -> Invented:
    """An adult of the capital with an e-mail address of nobody (RFC 2606)."""
    person = generator.person(sex, last_name, generator.address(HOME_TOWN), age, first_name)
    return replace(person, email=f"person{person.phone[-4:]}@post.example")


def foreigner(generator: Generator) -> Invented:
    """A woman with a passport and no national number; her telephone is one that Ofcom keeps for fiction."""
    person = someone(generator, "f", "Rosalind", "Hartley", 57)
    return replace(person, number="", passport="GBR 925076473", phone="+447700900123", language="en")


def nearly_adult(generator: Generator) -> Character:
    """A parent with a child who turns 18 within weeks, and who has a telephone of her own by now."""
    parent = someone(generator, "f", "Mrika", "Shala", 45)
    birthday = generator.today + timedelta(days=COMING_OF_AGE_DAYS)
    birth = date(birthday.year - 18, birthday.month, min(birthday.day, 28))
    child = generator.person("f", "Shala", parent.address, 17, "Klarita", birth=birth)
    return Character("parent_of_teenager", parent, (replace(child, guardian_numbers=(parent.number,)),))
