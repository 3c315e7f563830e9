"""Guardians and heirs are made by two officials, and by nothing that the portal's process can send."""

import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kulla.journal import wire
from kulla.keeper.calls import CALLS
from kulla.keeper.families import guardian_body
from kulla.keeper.families.tests.conftest import (
    AGRON,
    ARTA,
    BESA,
    DRITAN,
    GENT,
    MIRA,
    REGISTRAR,
    SECOND,
    Country,
    refused,
)
from kulla.keeper.keys import expand
from kulla.keeper.records import RecordFile, Sealer
from kulla.keeper.testkit import VJOSA, Member, keeper, row
from kulla.keeper_client import KeeperUnavailable, Refused, RegisterItem, connect
from kulla.keeper_client.pool import Pool

TODAY = date.today()  # noqa: DTZ011 - whole weeks away from both ends
UNTIL = TODAY + timedelta(days=30)
DECISION: dict[str, Any] = {"number": "12-2026-88", "day": TODAY, "court": "Gjykata Tiranë"}
TERMS: dict[str, Any] = {
    "relation": "child",
    "scopes": ["health"],
    "custody": True,
    "since": None,
    "until": None,
    "limits": "",
    "words": "Vetëm fundjavave.",
    "adult": False,
}


def number(who: Member) -> tuple[str, str]:
    return "number", who.number


def ask(
    country: Country, by: Member = REGISTRAR, guardian: Member = AGRON, ward: Member = BESA, **more: Any
) -> Any:
    call = country.client.guardianship_ask
    return call(country.token(by), number(guardian), number(ward), **{**TERMS, **DECISION, **more})


def test_two_registrars_make_and_end_a_guardianship(country: Country) -> None:
    client, agron = country.client, country.token(AGRON)
    ask(country)
    assert country.relations(AGRON) == [], "one official alone changes nothing"
    assert client.approvals_open(country.token(REGISTRAR)) == [], "nobody decides on their own request"
    assert client.approvals_open(country.token(VJOSA)) == [], "only registrars decide"
    [asked] = client.approvals_open(country.token(SECOND))
    with pytest.raises(Refused):
        client.approval_answer(country.token(VJOSA), asked.id, yes=True)
    assert asked.shown["guardian"].startswith(AGRON.name)
    assert asked.shown["decision"] == DECISION["number"]
    assert country.decide() == "done"
    assert country.relations(AGRON) == ["child"]
    assert country.relations(AGRON, "enrolment") == []
    assert client.family(agron).wards[0].words == TERMS["words"]
    named = number(AGRON), number(BESA)
    client.guardianship_end_ask(country.token(REGISTRAR), *named, **DECISION)
    assert country.relations(AGRON) == ["child"]
    assert country.decide() == "done"
    assert country.relations(AGRON) == []
    end = client.guardianship_end_ask
    assert refused(end, country.token(REGISTRAR), *named, **DECISION) == "no_tie"
    with country.running.administered() as admin:
        admin.import_people([row(BESA, guardian=AGRON)])
    assert country.relations(AGRON) == [], "the people's file only names the guardian: the court's end stands"


def test_a_no_changes_nothing(country: Country) -> None:
    ask(country)
    assert country.decide(yes=False) == "refused"
    assert country.relations(AGRON) == []


def test_who_may_ask_and_for_whom(country: Country) -> None:
    for by in (VJOSA, ARTA):
        assert refused(ask, country, by) == "role"
    assert refused(ask, country, guardian=REGISTRAR) == refused(ask, country, ward=REGISTRAR) == "concerned"
    assert refused(ask, country, guardian=BESA, ward=BESA) == "self"
    assert refused(ask, country, guardian=BESA, ward=DRITAN) == "not_adult"
    assert refused(ask, country, ward=DRITAN) == "of_age"
    assert refused(ask, country, guardian=GENT) == "unknown_person", "the dead guard nobody"
    assert refused(ask, country, scopes=["everything"]) == "bad_scope"
    assert refused(ask, country, since="2026-02-31") == "bad_day"
    assert refused(ask, country, limits="Only at weekends") == "bad_params"
    assert refused(ask, country, number=" ") == "bad_params"


def test_each_search_stands_on_the_page_of_who_was_searched_for(country: Country) -> None:
    before, _ = country.client.my_looks(country.token(AGRON))
    ask(country)
    country.decide()
    after, _ = country.client.my_looks(country.token(AGRON))
    fresh = [line for line in after if line not in before and line.whose == "me"]
    assert [line.purpose for line in fresh] == ["family"] * 3, "found, read by who asked, read by who decided"
    assert {tuple(line.fields) for line in fresh} == {(), ("birth_date", "name")}
    country.client.guardianship_end_ask(country.token(REGISTRAR), number(AGRON), number(BESA), **DECISION)
    country.decide()


def test_an_heir_acts_for_the_dead_once_a_second_official_has_decided(country: Country) -> None:
    client, mira = country.client, country.token(MIRA)
    terms = {"scopes": ["money"], "until": UNTIL, "document": "letërnjoftim", "certificate": "T-7/2026"}
    heir_ask = client.heir_ask
    assert refused(heir_ask, country.token(VJOSA), number(DRITAN), number(MIRA), **terms) == "not_dead"
    assert refused(heir_ask, country.token(ARTA), number(GENT), number(MIRA), **terms) == "role"
    heir_ask(country.token(VJOSA), number(GENT), number(MIRA), **terms)
    assert country.relations(MIRA, "bills") == []
    assert country.decide() == "done"
    assert country.relations(MIRA, "bills") == ["estate"]
    assert country.relations(MIRA) == []
    [ward] = country.enter(MIRA, "bills").wards
    [opened] = client.open(mira, [RegisterItem(ward.person, "bills", "name")], "test")
    assert opened.text == GENT.name
    client.heir_end_ask(country.token(REGISTRAR), number(GENT), number(MIRA), reason="gabim")
    assert country.decide() == "done"
    assert country.relations(MIRA, "bills") == []


# The portal's process forges -----------------------------------------------------------------------------


def test_no_call_of_the_socket_makes_a_guardian(country: Country) -> None:
    """Whoever holds the portal's process has the socket and citizens' tokens: every call there is, with everything
    that could mean a tie, and none makes one."""
    pool = Pool(country.running.socket)
    dritan = country.client.enter(country.token(DRITAN), "appointments")
    besa = country.enter(ARTA).wards[0].person
    given: dict[str, Any] = {
        **{name: country.token(DRITAN) for name in ("token", "proof")},
        **dict.fromkeys(("person", "ward", "child", "of", "about", "id", "ref", "mandate"), besa),
        **{name: number(each)[1] for name, each in (("guardian", DRITAN), ("ward", BESA), ("heir", DRITAN))},
        **{f"{name}_type": "number" for name in ("guardian", "ward", "heir", "dead")},
        **TERMS,
        **DECISION,
        "day": TODAY.isoformat(),
        "dead": BESA.number,
        "until": UNTIL.isoformat(),
        "document": "x",
        "certificate": "x",
        "reason": "x",
        "service": "appointments",
        "kind": "guardianship_made",
        "content": {"guardian": dritan.person, "ward": besa},
        "yes": True,
        "office": country.running.office_1,
        "body": guardian_body(uuid4(), besa),
        "records": [guardian_body(uuid4(), besa)],
        "code": "0000-0000-0000",
    }
    ending = {"end", "security_end", "store_portal_keys", "restore_looks"}
    for call in sorted(set(CALLS) - ending):
        try:
            pool.ask(call, given)
        except (Refused, KeeperUnavailable):
            continue
    assert country.relations(DRITAN) == country.relations(DRITAN, "identity") == []
    assert country.client.approvals_open(country.token(SECOND)) == []
    pool.close()


@pytest.mark.parametrize("call", ["put", "append", "apply", "commit", "guardian", "guardianship"])
def test_records_cannot_be_handed_in(country: Country, call: str) -> None:
    with pytest.raises(Refused) as caught:
        Pool(country.running.socket).ask(call, guardian_body(uuid4(), uuid4()))
    assert caught.value.code == "bad_request"


class _Root:
    """A root key that the thief made."""

    kind = "test"

    def derive(self, purpose: str) -> bytes:
        return expand(b"thief" * 7, purpose)


def test_a_record_without_the_root_key_does_not_count(tmp_path: Path) -> None:
    """A hand-made record at the end of the keeper's own file: it is in the file and nowhere else."""
    with keeper(tmp_path) as running:
        client = connect(running.socket)
        numbers = {
            who: client.sign_in(who.number, who.password, network="", device="") for who in (ARTA, DRITAN)
        }
        for session in numbers.values():
            client.enter(session.token, "appointments")
        running.stop()
        file = RecordFile(running.keeper_home / "records.log")
        body = guardian_body(uuid4(), uuid4())
        file.append([Sealer(_Root()).seal(file.last + 1, os.urandom(16), file.last_hash, body)])
        file.close()
        running.start()
        assert client.enter(numbers[DRITAN].token, "appointments").wards == []
        assert len(client.enter(numbers[ARTA].token, "appointments").wards) == 1
        assert "records_waiting" in client.status()["alarms"], "the operator must look"
        client.close()


def test_an_attestation_of_another_service_or_another_keeper_gives_nothing(country: Country) -> None:
    besa = country.enter(ARTA).wards[0].person
    dritan = country.enter(DRITAN, "bills").attestation
    forged = wire.sign_statement(
        "attestation",
        {
            "v": 1,
            "id": os.urandom(16),
            "service": "appointments",
            "role": "citizen",
            "at": 1,
            "trace": b"x" * 60,
        },
        Ed25519PrivateKey.generate(),
    )
    own = country.enter(DRITAN).attestation
    for proof, code in ((dritan, "attestation"), (forged, "attestation"), (own, "not_yours")):
        assert refused(country.client.holder, proof, besa, "appointments") == code
        given = (proof, besa, "appointments", country.running.office_1, TODAY, uuid4())
        assert refused(country.client.grant, *given) == code
