"""The invented people: reproducible, plausible, never outside the reserved telephone range."""

from datetime import date

from kulla.demo import characters, names
from kulla.demo.people import Generator, Place
from kulla.keeper.numbers import al

TODAY = date(2026, 11, 21)
PLACES = [Place("Tiranë", 41.3, 19.8, 90), Place("Zgërdhesh", 41.5, 19.7, 10)]


def make(seed: int, count: int = 400) -> list:
    return list(Generator(seed, TODAY, PLACES).people(count))


def test_the_seed_decides() -> None:
    assert make(1) == make(1)
    assert make(1) != make(2)


def test_numbers_are_of_the_form_that_the_keeper_takes() -> None:
    for person in make(5):
        assert al.normalise(person.number) == person.number
        assert al.birth_date(person.number) == person.birth_date
        assert al.sex(person.number) == person.sex


def test_people_are_plausible_families() -> None:
    people = make(3)
    by_number = {person.number: person for person in people}
    children = [person for person in people if person.guardian_numbers]

    assert len(by_number) == 400
    assert 0.1 < len(children) / len(people) < 0.6
    for child in children:
        guardian = by_number[child.guardian_numbers[0]]
        assert (child.last_name, child.address) == (guardian.last_name, guardian.address)
        assert (child.birth_date - guardian.birth_date).days > 18 * 365
        assert (TODAY - child.birth_date).days < 18.1 * 365
    assert sum("Tiranë" in person.address for person in people) > 200


def test_nobody_can_be_reached_and_nobody_shares_an_accounts_name() -> None:
    people = make(4)

    assert all(person.phone.startswith("+35560") or person.guardian_numbers for person in people)
    assert not {person.first_name for person in people} & set(names.RESERVED)
    assert not set(names.WOMEN + names.MEN) & set(names.RESERVED)


def test_the_characters_have_names_of_their_own() -> None:
    """A search for one of them in the loot must not find somebody else."""
    everyone = list(characters.all_of(Generator(1, TODAY, PLACES)))
    persons = [person for one in everyone for person in (one.person, *one.children)]

    assert len({one.who for one in everyone}) == len(everyone)
    assert all(person.number or person.passport for person in persons)
    assert len({person.name for person in persons}) == len(persons)
    assert {len(person.name) for person in persons if len(person.name) > 60} == {200}
    for person in persons:
        assert person.first_name in names.RESERVED or len(person.first_name) > 60
        assert not person.email or person.email.endswith(".example")


def test_the_teenager_is_seventeen_for_some_days_more() -> None:
    for today in (TODAY, date(2028, 2, 9), date(2027, 12, 20)):
        everyone = characters.all_of(Generator(1, today, PLACES))
        (child,) = next(one.children for one in everyone if one.who == "parent_of_teenager")
        eighteen = child.birth_date.replace(year=child.birth_date.year + 18)
        assert 15 < (eighteen - today).days <= characters.COMING_OF_AGE_DAYS
