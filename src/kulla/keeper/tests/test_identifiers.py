"""People are known by any of their identifiers; people with one alone, or none, are people too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kulla.keeper import numbers
from kulla.keeper.admin import open_keeper
from kulla.keeper.errors import Refusal
from kulla.keeper.identifiers import SIGN_IN, Identifiers
from kulla.keeper.numbers.states import CODES, ISO_3166
from kulla.keeper.testkit import ARTA, DRITAN, row, start_keeper, stop_keeper
from kulla.keeper.tests.conftest import Country
from kulla.keeper_client import Refused, connect

KINDS = Identifiers(numbers.scheme("al"))
PASSWORD = "kalaja-e-rozafes-7"
SERVICE = "appointments"


@pytest.mark.parametrize(
    ("kind", "text", "canonical"),
    [
        ("number", "j85514123k", "J85514123K"),
        ("passport", "alb ba1234567", "ALB BA1234567"),
        ("passport", "ALB-BA 123 4567", "ALB BA1234567"),
        ("passport", "ALBBA1234567", "ALB BA1234567"),
        ("passport", "D<<C01X00T4", "D C01X00T4"),
        ("passport", "XXB R12", "XXB R12"),
        ("passport", "RKS: K00000001", "RKS K00000001"),
        ("passport", "ＩＴＡ ＹＡ１２３", "ITA YA123"),
        ("permit", "rp 00-77/b", "RP0077B"),
        ("refugee", " CTD.991 ", "CTD991"),
        ("reference", "NB-2026/17", "NB-2026/17"),
        ("staff", "Vjosa.Marku", "vjosa.marku"),
    ],
)
def test_each_kind_has_one_form(kind: str, text: str, canonical: str) -> None:
    assert KINDS.normalise(kind, text) == canonical
    assert KINDS.normalise(kind, canonical) == canonical


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("number", "X"),
        ("passport", "BA1234567"),
        ("passport", "ALB"),
        ("passport", "ALB BA"),
        ("passport", "ZZZ BA1234567"),
        ("passport", "ALB BÄ1234567"),
        ("passport", "ALB ΒΑ1234567"),
        ("passport", "ALB " + "1" * 25),
        ("permit", "ab"),
        ("permit", "١٢٣٤"),
        ("refugee", "x" * 5000),
        ("reference", "a b"),
        ("staff", "a"),
        ("shoe size", "42"),
    ],
)
def test_what_is_no_identifier_is_refused_without_repeating_it(kind: str, text: str) -> None:
    with pytest.raises(Refusal) as caught:
        KINDS.normalise(kind, text)
    assert caught.value.code == "bad_identifier"
    assert len(text) < 4 or text == "BA1234567" or text not in str(caught.value)


def test_the_states_are_those_of_iso_3166() -> None:
    assert len(ISO_3166) == 249
    assert {"ALB", "XXA", "RKS", "D", "UNO"} <= CODES


@pytest.mark.parametrize(
    "text", [ARTA.number, "BA1234567", "ITA YA1", "vjosa.marku", "", "é" * 300, "permit x1y2"]
)
def test_whatever_is_typed_is_looked_up_as_often(text: str) -> None:
    assert [kind for kind, _ in KINDS.typed(text)] == [*SIGN_IN, "passport"]


@pytest.mark.parametrize(
    "spellings",
    [
        [
            "BA1234567",
            "ba 123 4567",
            "ALB BA1234567",
            "passport ALB BA1234567",
            "Passport: BA1234567",
            "permit BA1234567",
        ],
        [ARTA.number, ARTA.number.lower(), f"number {ARTA.number}", f" {ARTA.number[:5]}-{ARTA.number[5:]} "],
        ["vjosa.marku", "VJOSA.MARKU", "staff vjosa.marku"],
    ],
)
def test_tries_are_counted_under_one_name_for_all_spellings(spellings: list[str]) -> None:
    assert len({KINDS.account(text) for text in spellings}) == 1
    assert KINDS.account(spellings[0]) != KINDS.account("ITA ZZ9")


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    folder = tmp_path_factory.mktemp("identifiers")
    running = start_keeper(folder, start=False)
    usual = {"last_name": "Smith", "birth_date": "1980-02-03", "sex": "f", "language": "en"}
    with open_keeper(running.keeper_home) as admin:
        rows = [
            {**usual, "first_name": "Jane", "passport": "GBR 123456789"},
            {**usual, "first_name": "Amal", "refugee": "CTD991"},
            {**usual, "first_name": "Ivan", "permit": "RP55", "passport": "UKR FX1;ALB BA7654321"},
            {**usual, "first_name": "Newborn", "reference": "NB-1"},
            {**row(ARTA), "passport": "ALB BA1111111"},
        ]
        assert admin.import_people(rows).bad == []
        for identifier in ("GBR 123456789", "CTD991", "RP55"):
            admin.set_password(identifier, PASSWORD)
    running.start()
    client = connect(running.socket)
    yield Country(running, client)
    client.close()
    stop_keeper(running)


@pytest.mark.parametrize(
    ("identifier", "password"),
    [
        ("GBR 123456789", PASSWORD),
        ("gbr123456789", PASSWORD),
        ("passport GBR 123456789", PASSWORD),
        ("ctd-991", PASSWORD),
        ("refugee CTD991", PASSWORD),
        ("rp 55", PASSWORD),
        ("UKR FX1", PASSWORD),
        ("BA7654321", PASSWORD),
        (ARTA.number, ARTA.password),
        ("BA1111111", ARTA.password),
        ("ALB BA1111111", ARTA.password),
    ],
)
def test_one_signs_in_with_any_identifier(country: Country, identifier: str, password: str) -> None:
    session = country.client.sign_in(identifier, password, network="192.0.2.7", device="a test")
    assert session.role == "citizen"


@pytest.mark.parametrize(
    "identifier", ["NB-1", "reference NB-1", "permit CTD991", "passport RP55", "GBR BA7654321"]
)
def test_a_reference_or_another_kind_signs_nobody_in(country: Country, identifier: str) -> None:
    with pytest.raises(Refused) as caught:
        country.client.sign_in(identifier, PASSWORD, network="198.51.100.9", device="a test")
    assert caught.value.code == "wrong"


def test_a_receipt_of_someone_without_a_number_proves_whose_it_is(country: Country) -> None:
    from kulla.journal.wire import holder_commitment, seal_with_ticket
    from kulla.keeper_client import ClaimsItem

    jane = country.client.sign_in("GBR 123456789", PASSWORD, network="192.0.2.7", device="a test")
    entered = country.client.enter(jane.token, SERVICE)
    assert entered.person
    [ticket] = country.client.holder(jane.token, entered.person, SERVICE, 1)
    blob = seal_with_ticket(ticket.id, ticket.key, ticket.wrapped, b"claims")
    [opened] = country.client.open(jane.token, [ClaimsItem(entered.person, SERVICE, blob)], "receipt")
    assert opened.text == "claims"
    assert opened.holder_salt is not None
    expected = holder_commitment(opened.holder_salt, "passport GBR 123456789", "Jane Smith", "1980-02-03")
    assert ticket.commitment == expected


def test_an_official_finds_a_person_by_a_document(country: Country) -> None:
    clerk = country.sign_in(country.running.vjosa)
    find = country.client.find
    by_passport = find(clerk.token, "passport", "UKR FX1", SERVICE)
    assert by_passport is not None
    assert find(clerk.token, "permit", "RP55", SERVICE) == by_passport
    assert find(clerk.token, "refugee", "RP55", SERVICE) is None
    for kind in ("staff", "reference", "nonsense"):
        with pytest.raises(Refused) as caught:
            find(clerk.token, kind, "NB-1", SERVICE)
        assert caught.value.code == "bad_identifier"


def test_identifiers_are_given_and_taken_by_records(country: Country, tmp_path: Path) -> None:
    with country.running.administered() as admin:
        keeper = admin._keeper
        people = keeper.people
        ivan = people.by_identifier("permit", "RP55")
        arta = people.by_identifier("number", ARTA.number)
        assert ivan is not None
        assert arta is not None
        with people.updating:
            keeper.committer.commit(*people.identifier_bodies(ivan, "passport", "UKR FX2"))
        assert people.by_identifier("passport", "UKR FX2") == ivan
        assert ("passport", "UKR FX2") in people.identifiers(ivan)
        with pytest.raises(Refusal) as caught:
            people.identifier_bodies(ivan, "passport", "ALB BA1111111")
        assert caught.value.code == "identifier_taken"
        with pytest.raises(Refusal):
            people.identifier_bodies(ivan, "passport", "ALB BA1111111", remove=True)
        with people.updating:
            keeper.committer.commit(*people.identifier_bodies(ivan, "passport", "UKR FX1", remove=True))
        assert people.by_identifier("passport", "UKR FX1") is None
        assert people.by_identifier("number", DRITAN.number) is not None
        mark = people.mark("passport", "ALB BA1111111")
        stolen = {"type": "identifier_added", "identifier": "passport", "person": ivan, "mark": mark}
        keeper.committer.commit(stolen)
        assert people.by_identifier("passport", "ALB BA1111111") == arta, "no record moves an identifier"
