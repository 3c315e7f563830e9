"""Grants under attack by whoever holds the portal: old attestations from the journal, others' refs, floods."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from kulla.journal import wire
from kulla.journal.ids import now_ms
from kulla.keeper.config import load
from kulla.keeper.core import Keeper
from kulla.keeper.errors import Refusal
from kulla.keeper.keys import seal_box
from kulla.keeper.my_data.viewing import Filter
from kulla.keeper.sessions import FRESH_MS, Live, Proven
from kulla.keeper.testkit import OFFICE_1, OFFICE_2, OFFICES, RunningKeeper, invented, keeper
from kulla.keeper.tests.conftest import Country
from kulla.keeper_client import Refused

SERVICE = "appointments"
TODAY = datetime.now(ZoneInfo("Europe/Tirane")).date()
HOUR = 3_600_000


class Clock:
    """The real time, moved by a test."""

    shift = 0

    def now(self) -> int:
        return now_ms() + self.shift


class Inside:
    """The keeper in this process, with its clock in the test's hand."""

    def __init__(self, running: RunningKeeper, opened: Keeper, clock: Clock) -> None:
        self.running, self.keeper, self.clock = running, opened, clock

    def person(self, number: str) -> UUID:
        found = self.keeper.people.by_marks(self.keeper.people.sign_in_marks(number))
        assert found
        return found

    def proof(self, number: str, age_ms: int, office: UUID | None = None) -> Proven:
        role = "receptionist" if office else "citizen"
        live = Live("0" * 32, self.person(number), role, office, "", self.clock.now() - age_ms)
        return Proven(live, SERVICE, self.clock.now() - age_ms)

    def grant(
        self, number: str, age_ms: int, *, office: UUID = OFFICE_1, ref: UUID | None = None, day: date = TODAY
    ) -> str:
        pseudonym = self.keeper.people.pseudonym(self.person(number), SERVICE)
        proof = self.proof(number, age_ms)
        try:
            self.keeper.grants.make(proof, pseudonym, SERVICE, office=office, day=day, ref=ref or uuid4())
        except Refusal as refusal:
            return refusal.code
        return "ok"

    def records(self) -> int:
        return self.keeper.records.last


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Inside]:
    budgets = {"late_grants_office_day": 6, "late_grants_day": 8, "official_hour": 150}
    with keeper(tmp_path, invented(8), start=False, budgets=budgets) as running:
        clock = Clock()
        with Keeper(load(running.keeper_home / "keeper.json"), clock.now) as opened:
            assert opened.wait_ready(10)
            opened.serve()
            yield Inside(running, opened, clock)


def numbers() -> list[str]:
    return [row["number"] for row in invented(8)]


def test_fresh_attestations_grant_and_mined_ones_little(inside: Inside) -> None:
    arta = inside.running.arta.number
    assert inside.grant(arta, FRESH_MS - 1000) == "ok"
    assert [inside.grant(arta, 47 * HOUR) for _ in range(5)] == ["ok"] * 3 + ["capped"] * 2
    assert inside.grant(arta, FRESH_MS - 1000) == "ok", "who is here now is not held up by it"
    for age in (49 * HOUR, 29 * 24 * HOUR, 31 * 24 * HOUR):
        assert inside.grant(inside.running.dritan.number, age) == "attestation"


def test_mined_attestations_of_many_open_few_at_one_office_and_in_the_country(inside: Inside) -> None:
    at_one = [inside.grant(number, 3 * HOUR) for number in numbers()]
    assert at_one == ["ok"] * 6 + ["capped"] * 2
    elsewhere = [inside.grant(number, 3 * HOUR, office=OFFICE_2) for number in numbers()]
    assert elsewhere == ["ok"] * 2 + ["capped"] * 6
    assert inside.grant(numbers()[7], 1000) == "ok"
    inside.clock.shift = 25 * HOUR
    assert inside.grant(numbers()[7], 3 * HOUR) == "ok", "the next day has a new measure"


def test_revoking_does_not_make_room_for_more(inside: Inside) -> None:
    arta, ref = inside.running.arta.number, uuid4()
    for one in (ref, uuid4(), uuid4()):
        assert inside.grant(arta, HOUR, ref=one) == "ok"
    inside.keeper.grants.revoke(inside.proof(arta, HOUR), ref)
    assert inside.grant(arta, HOUR) == "capped"


def test_a_late_grant_is_told_to_the_person(inside: Inside) -> None:
    arta = inside.person(inside.running.arta.number)
    assert inside.grant(inside.running.arta.number, 1000) == "ok"
    assert inside.keeper.my_data.viewing.page(arta, Filter())[0] == []
    assert inside.grant(inside.running.arta.number, HOUR) == "ok"
    [told], _ = inside.keeper.my_data.viewing.page(arta, Filter())
    assert (told["purpose"], told["office"]) == ("late grant", OFFICES[OFFICE_1])


def test_what_stands_is_answered_however_old_the_proof(inside: Inside) -> None:
    arta, ref = inside.running.arta.number, uuid4()
    assert inside.grant(arta, 1000, ref=ref) == "ok"
    before = inside.records()
    assert inside.grant(arta, 40 * 24 * HOUR, ref=ref) == "ok", "effects are sent again after a rebuild"
    inside.keeper.grants.revoke(inside.proof(arta, HOUR), ref)
    assert inside.records() == before + 1
    inside.keeper.grants.revoke(inside.proof(arta, HOUR), ref)
    assert inside.grant(arta, 1000, ref=ref) == "ok"
    assert inside.records() == before + 1, "a cancelled appointment's grant does not come back"
    assert not inside.keeper.grants.holds(OFFICE_1, inside.person(arta))


def test_a_person_has_a_measure_of_grants_a_day(inside: Inside) -> None:
    arta = inside.running.arta.number
    made = [inside.grant(arta, 1000, day=TODAY + timedelta(days=n)) for n in range(22)]
    assert made == ["ok"] * 20 + ["capped"] * 2


def test_an_absent_officials_attestation_is_measured_too(inside: Inside) -> None:
    vjosa = inside.proof(inside.running.vjosa.number, HOUR, OFFICE_1)
    made = []
    for number in numbers():
        pseudonym = inside.keeper.people.pseudonym(inside.person(number), SERVICE)
        try:
            inside.keeper.grants.make(vjosa, pseudonym, SERVICE, office=OFFICE_1, day=TODAY, ref=uuid4())
            made.append("ok")
        except Refusal as refusal:
            made.append(refusal.code)
    assert made == ["ok"] * 6 + ["capped"] * 2


# Refs: through the socket ------------------------------------------------------------------------------


class Pair:
    """Arta with a grant under `ref`, and the stranger."""

    def __init__(self, country: Country) -> None:
        self.client, running = country.client, country.running
        self.arta, self.dritan = country.sign_in(running.arta), country.sign_in(running.dritan)
        self.mine = self.client.enter(self.arta.token, SERVICE)
        self.theirs = self.client.enter(self.dritan.token, SERVICE)
        assert self.mine.person
        assert self.theirs.person
        self.arta_is, self.dritan_is = self.mine.person, self.theirs.person
        self.ref = uuid4()
        self.client.grant(self.arta.token, self.arta_is, SERVICE, OFFICE_1, TODAY, self.ref)


@pytest.fixture(scope="module")
def pair(country: Country) -> Pair:
    return Pair(country)


def refused(call: object, *args: object) -> str:
    with pytest.raises(Refused) as caught:
        call(*args)  # type: ignore[operator]
    return caught.value.code


def test_a_ref_links_no_pseudonyms(pair: Pair) -> None:
    """A stranger's token with Arta's pseudonym of another service: the same answer as for anyone else's."""
    client = pair.client
    arta_bills = client.enter(pair.arta.token, "bills").person
    for ref in (pair.ref, uuid4()):
        for person, service in ((arta_bills, "bills"), (pair.arta_is, SERVICE)):
            assert (
                refused(client.grant, pair.dritan.token, person, service, OFFICE_1, TODAY, ref) == "not_yours"
            )


def test_nobody_changes_or_takes_back_anothers_grant(pair: Pair, country: Country) -> None:
    client = pair.client
    clerk, other = country.sign_in(country.running.vjosa), country.sign_in(country.running.ilir)
    bills = client.enter(pair.arta.token, "bills").attestation  # its first use makes a record
    before = client.status()["records"]
    client.grant(pair.dritan.token, pair.dritan_is, SERVICE, OFFICE_1, TODAY, pair.ref)
    assert client.status()["records"] == before + 1, "a grant of his own beside hers"
    strangers = [pair.theirs.attestation, other.token, client.enter(other.token, SERVICE).attestation]
    client.revoke_grant(pair.ref, pair.dritan.token)
    assert client.status()["records"] == before + 2, "his own is gone"
    for proof in (*strangers, pair.dritan.token):
        client.revoke_grant(pair.ref, proof)
        client.revoke_grant(uuid4(), proof)
    client.revoke_grant(pair.ref, bills)
    for proof in (None, b"", b"x" * 200):
        assert refused(client.revoke_grant, pair.ref, proof) == "attestation"
        assert refused(client.revoke_grant, uuid4(), proof) == "attestation"
    assert client.status()["records"] == before + 2, "hers stands"
    client.revoke_grant(pair.ref, clerk.token)
    assert client.status()["records"] == before + 3, "the office that it was for gives it back"


def test_tickets_need_a_session_that_stands(country: Country) -> None:
    client = country.client
    session = country.sign_in(country.running.arta)
    entered = client.enter(session.token, SERVICE)
    assert client.holder(entered.attestation, entered.person, SERVICE)
    client.end(session.token)
    assert refused(client.holder, entered.attestation, entered.person, SERVICE) == "session"
    office = country.running.office_1
    client.grant(entered.attestation, entered.person, SERVICE, office, TODAY, uuid4())  # type: ignore[arg-type]


def test_old_attestations_mint_no_tickets(inside: Inside) -> None:
    sessions = inside.keeper.sessions
    person = inside.person(inside.running.arta.number)
    for age, code in ((FRESH_MS - 1000, "session"), (FRESH_MS + 1000, "attestation")):
        trace = seal_box(
            inside.keeper.vault.system("trace"),
            wire.encode([person, "0" * 32, "citizen", None]),
            wire.length_prefixed("kulla-trace/1", b"i" * 16, SERVICE),
        )
        said = {
            "v": 1,
            "id": b"i" * 16,
            "service": SERVICE,
            "role": "citizen",
            "at": inside.clock.now() - age,
        }
        old = wire.sign_statement("attestation", {**said, "trace": trace, "who": person}, sessions._signer)
        with pytest.raises(Refusal) as caught:
            sessions.present(old, SERVICE)
        assert caught.value.code == code
