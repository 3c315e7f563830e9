"""Scopes, dates, limits, custody: in every call that knows wards."""

from datetime import date, timedelta
from uuid import UUID, uuid4

from kulla.keeper.families.tests.conftest import (
    AGRON,
    ARTA,
    BESA,
    DRITAN,
    MIRA,
    OLD,
    Country,
    die,
    refused,
    tie,
)
from kulla.keeper_client import Field, RegisterItem, SealedItem

TODAY = date.today()  # noqa: DTZ011 - whole weeks away from both ends
WEEK = timedelta(days=7)


def besa(country: Country, service: str = "appointments") -> UUID:
    return country.enter(ARTA, service).wards[0].person


def read(country: Country, who: object, *items: object) -> list[str | None]:
    opened = country.client.open(country.token(who), items, "test")  # type: ignore[arg-type]
    return [each.text or each.refused for each in opened]


def test_a_service_is_given_the_wards_of_its_scope_only(country: Country) -> None:
    with country.running.administered() as admin:
        tie(admin, AGRON, BESA, scopes=["school"])
    assert country.relations(AGRON, "enrolment") == ["child"]
    assert country.relations(AGRON, "appointments") == country.relations(AGRON, "bills") == []
    assert country.relations(AGRON, "plain") == [], "a service without a scope needs all of them"
    assert country.relations(AGRON, "identity") == ["child"]
    assert country.relations(ARTA, "plain") == ["child"]


def test_nothing_of_a_ward_outside_the_scope_opens_or_is_minted(country: Country) -> None:
    child, row = besa(country), uuid4()
    [blob] = country.client.seal([Field("appointment", "reason", row, child, "appointments", "kollë")])
    sealed = SealedItem("appointment", "reason", row, child, "appointments", blob)
    name = RegisterItem(child, "appointments", "name")
    assert read(country, ARTA, sealed, name) == ["kollë", BESA.name]
    assert read(country, AGRON, sealed, name) == ["not_yours", "not_yours"]
    school = besa(country, "enrolment")
    assert read(country, AGRON, RegisterItem(school, "enrolment", "name")) == [BESA.name]
    assert refused(country.client.holder, country.token(AGRON), child, "appointments") == "not_yours"
    grant = country.client.grant
    office = country.running.office_1
    assert refused(grant, country.token(AGRON), child, "appointments", office, TODAY, uuid4()) == "not_yours"
    attestation = country.enter(AGRON, "enrolment").attestation
    assert refused(grant, attestation, child, "appointments", office, TODAY, uuid4()) == "attestation"


def test_identity_gives_a_ward_by_name_only(country: Country) -> None:
    child = country.enter(ARTA, "identity").wards[0].person
    fields = [RegisterItem(child, "identity", field) for field in ("name", "number", "phone", "birth_date")]
    assert read(country, ARTA, *fields) == [BESA.name, "not_yours", "not_yours", "not_yours"]


def test_without_custody_nothing_is_shared_and_the_page_says_that_there_is_a_child(country: Country) -> None:
    with country.running.administered() as admin:
        tie(admin, AGRON, BESA, custody=False)
    for service in ("appointments", "enrolment", "bills", "plain", "identity"):
        assert country.relations(AGRON, service) == []
    child = country.enter(ARTA, "identity").wards[0].person
    assert read(country, AGRON, RegisterItem(child, "identity", "name")) == ["not_yours"]
    page = country.client.family(country.token(AGRON))
    assert (page.wards, page.without_custody) == ([], 1)
    [mine] = country.client.family(country.token(ARTA)).wards
    assert list(mine.others) == [], "the other parent has no say and is not named"


def test_dates_and_the_courts_limits_hold(country: Country) -> None:
    for terms, expected in (
        ({"since": TODAY - WEEK, "until": TODAY + WEEK}, ["child"]),
        ({"since": TODAY + WEEK}, []),
        ({"until": TODAY - WEEK}, []),
        ({"limits": "no_health"}, []),
        ({"limits": "no_money"}, ["child"]),
    ):
        with country.running.administered() as admin:
            tie(admin, AGRON, BESA, **terms)
        assert country.relations(AGRON) == expected, terms
    assert country.relations(AGRON, "bills") == []
    [ward] = country.client.family(country.token(AGRON)).wards
    assert (list(ward.scopes), ward.limits) == (["health", "school", "travel"], "no_money")
    assert list(ward.others) == [ARTA.name]


def test_an_adult_under_guardianship_is_acted_for_beyond_18_and_a_child_is_not(country: Country) -> None:
    with country.running.administered() as admin:
        tie(admin, MIRA, OLD, relation="ward", adult=True, scopes=["health", "money"], until=TODAY + WEEK)
        tie(admin, DRITAN, OLD)
    assert country.relations(MIRA) == country.relations(MIRA, "bills") == ["ward"]
    assert country.relations(MIRA, "enrolment") == country.relations(DRITAN) == []
    page = country.client.family(country.token(OLD))
    assert [(each.name, each.adult) for each in page.guardians] == [(MIRA.name, True)]


def test_death_ends_every_tie_as_a_fact(country: Country) -> None:
    assert country.relations(MIRA) == ["ward"]
    with country.running.administered() as admin:
        die(admin, OLD)
    assert country.relations(MIRA) == []


def test_the_old_kinds_of_records_keep_their_meaning(country: Country) -> None:
    with country.running.administered() as admin:
        people = {"guardian": admin._person(DRITAN.number), "ward": admin._person(BESA.number)}
        admin._keeper.committer.commit({"type": "guardian", **people, "relation": "child"})
    assert country.relations(DRITAN, "plain") == ["child"]
    with country.running.administered() as admin:
        admin._keeper.committer.commit({"type": "guardian_ended", **people})
    assert country.relations(DRITAN, "plain") == []
