"""Representatives: two yeses, at once back, and nothing to guess."""

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from kulla.keeper.families.tests.conftest import (
    AGRON,
    ARTA,
    DRITAN,
    MIRA,
    OLD,
    REGISTRAR,
    Country,
    refused,
    tie,
)
from kulla.keeper_client import Field, Refused, RegisterItem, SealedItem

TODAY = date.today()  # noqa: DTZ011 - whole weeks away from both ends
UNTIL = TODAY + timedelta(days=30)


def offer(country: Country, *scopes: str) -> tuple[UUID, str]:
    made = country.client.mandate_offer(country.token(ARTA), scopes or ("health",), UNTIL)
    [found] = [each for each in country.client.family(country.token(ARTA)).given if each.id == made]
    return made, found.code


def holding(country: Country, *scopes: str) -> UUID:
    made, code = offer(country, *scopes)
    country.client.mandate_accept(country.token(MIRA), code)
    country.client.mandate_confirm(country.token(ARTA), made)
    return made


@pytest.fixture(autouse=True)
def _nothing_left(country: Country) -> None:
    for each in country.client.family(country.token(ARTA)).given:
        country.client.mandate_end(country.token(ARTA), each.id)


def test_it_counts_when_both_have_said_yes(country: Country) -> None:
    client, arta, mira = country.client, country.token(ARTA), country.token(MIRA)
    made, code = offer(country, "health", "money")
    found = client.mandate_look(mira, code.lower().replace("-", " "))
    assert (found.name, list(found.scopes), found.until, found.code) == (
        *(ARTA.name, ["health", "money"]),
        *(UNTIL.isoformat(), ""),
    )
    assert country.relations(MIRA) == []
    client.mandate_accept(mira, code)
    assert country.relations(MIRA) == [], "the person has not confirmed"
    [mine] = client.family(arta).given
    assert (mine.state, mine.name, mine.code) == ("accepted", MIRA.name, "")
    client.mandate_confirm(arta, made)
    assert country.relations(MIRA) == country.relations(MIRA, "bills") == ["represented"]
    assert country.relations(MIRA, "enrolment") == []
    [ward] = client.family(mira).wards
    assert (ward.name, ward.kind, ward.id) == (ARTA.name, "mandate", made)


def test_it_reaches_the_person_and_nobody_that_they_act_for(country: Country) -> None:
    """Arta is Besa's mother: whoever represents Arta gets nothing of Besa, and cannot hand the mandate on."""
    holding(country)
    assert len(country.enter(MIRA).wards) == 1
    assert len(country.enter(ARTA).wards) == 1
    second = country.client.mandate_offer(country.token(MIRA), ["health"], UNTIL)
    [mine] = country.client.family(country.token(MIRA)).given
    country.client.mandate_accept(country.token(DRITAN), mine.code)
    country.client.mandate_confirm(country.token(MIRA), second)
    [ward] = country.client.family(country.token(DRITAN)).wards
    assert ward.name == MIRA.name
    country.client.mandate_end(country.token(MIRA), second)


@pytest.mark.parametrize("who", [ARTA, MIRA])
def test_either_ends_it_and_at_once_for_who_entered_before(country: Country, who: object) -> None:
    made = holding(country)
    entered = country.enter(MIRA)
    [ward] = entered.wards
    row = uuid4()
    [blob] = country.client.seal([Field("appointment", "reason", row, ward.person, "appointments", "kollë")])
    items = [
        RegisterItem(ward.person, "appointments", "name"),
        SealedItem("appointment", "reason", row, ward.person, "appointments", blob),
    ]
    opened = [each.text for each in country.client.open(country.token(MIRA), items, "test")]
    assert opened == [ARTA.name, "kollë"]
    country.client.mandate_end(country.token(who), made)  # type: ignore[arg-type]
    assert [each.refused for each in country.client.open(country.token(MIRA), items, "test")] == [
        "not_yours"
    ] * 2
    for proof in (country.token(MIRA), entered.attestation):
        assert refused(country.client.holder, proof, ward.person, "appointments") == "not_yours"
        given = (proof, ward.person, "appointments", country.running.office_1, TODAY, uuid4())
        assert refused(country.client.grant, *given) == "not_yours"
    assert country.relations(MIRA) == []


def test_a_code_works_once_and_every_wrong_one_is_refused_alike(country: Country) -> None:
    client, mira, dritan = country.client, country.token(MIRA), country.token(DRITAN)
    made, code = offer(country)
    assert refused(client.mandate_look, country.token(ARTA), code) == "self"
    client.mandate_accept(mira, code)
    taken = _sentence(client.mandate_accept, dritan, code)
    client.mandate_end(country.token(ARTA), made)
    back = _sentence(client.mandate_look, dritan, code)
    unknown = _sentence(client.mandate_look, dritan, "0000-0000-0000")
    assert taken == back == unknown
    assert taken[0] == "unknown_code"


def _sentence(call: object, *args: object) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        call(*args)  # type: ignore[operator]
    return caught.value.code, str(caught.value)


def test_guessing_codes_is_slow_and_the_right_one_does_not_pass_then(country: Country) -> None:
    _, code = offer(country)
    guesser = country.token(AGRON)
    for _ in range(5):
        assert refused(country.client.mandate_look, guesser, "1234-1234-1234") == "unknown_code"
    assert refused(country.client.mandate_look, guesser, code) == "slow_down"
    assert refused(country.client.mandate_accept, guesser, code) == "slow_down"
    assert country.client.mandate_look(country.token(MIRA), code).name == ARTA.name, "others are not slowed"


def test_nobody_confirms_or_ends_what_is_not_theirs(country: Country) -> None:
    client = country.client
    made, code = offer(country)
    for call in (client.mandate_confirm, client.mandate_end):
        assert refused(call, country.token(DRITAN), made) == "unknown_mandate"
        assert refused(call, country.token(DRITAN), uuid4()) == "unknown_mandate"
    assert refused(client.mandate_confirm, country.token(ARTA), made) == "unknown_mandate", "nobody accepted"
    client.mandate_accept(country.token(MIRA), code)
    assert refused(client.mandate_confirm, country.token(MIRA), made) == "unknown_mandate"
    assert country.relations(MIRA) == []


def test_limits_of_offers(country: Country) -> None:
    ask, arta = country.client.mandate_offer, country.token(ARTA)
    assert refused(ask, arta, ["health"], TODAY - timedelta(days=7)) == "bad_day"
    assert refused(ask, arta, ["health"], TODAY + timedelta(days=4000)) == "bad_day"
    assert refused(ask, arta, [], UNTIL) == refused(ask, arta, ["everything"], UNTIL) == "bad_scope"
    assert refused(ask, country.token(REGISTRAR), ["health"], UNTIL) == "role"
    for _ in range(5):
        ask(arta, ["health"], UNTIL)
    assert refused(ask, arta, ["health"], UNTIL) == "too_many"


def test_who_is_under_guardianship_appoints_nobody(country: Country) -> None:
    with country.running.administered() as admin:
        tie(admin, DRITAN, OLD, relation="ward", adult=True)
    assert (
        refused(country.client.mandate_offer, country.token(OLD), ["health"], UNTIL) == "under_guardianship"
    )
