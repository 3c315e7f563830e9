"""Every call with the wrong user: the cast is a citizen, her child, a stranger, two receptionists, the operator."""

import time
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from kulla.keeper.tests.conftest import Country
from kulla.keeper_client import (
    ClaimsItem,
    Entered,
    Field,
    Refused,
    RegisterItem,
    SealedItem,
    Session,
    seal_claims,
)
from kulla.keeper_client.pool import Pool

SERVICE = "appointments"
TODAY = datetime.now(ZoneInfo("Europe/Tirane")).date()
CLAIMS = b"kulla-claims/1\nwhat: Vizit\xc3\xab\n"


class Cast:
    """Sessions of everyone, entered."""

    def __init__(self, country: Country) -> None:
        running, self.client = country.running, country.client
        self.arta, self.dritan = country.sign_in(running.arta), country.sign_in(running.dritan)
        self.vjosa, self.ilir = country.sign_in(running.vjosa), country.sign_in(running.ilir)
        self.luan = country.sign_in(running.luan)
        self.arta_in = self.client.enter(self.arta.token, SERVICE)
        self.dritan_in = self.client.enter(self.dritan.token, SERVICE)
        self.vjosa_in = self.client.enter(self.vjosa.token, SERVICE)
        self.ilir_in = self.client.enter(self.ilir.token, SERVICE)
        self.office_1, self.office_2 = running.office_1, running.office_2
        assert self.arta_in.person
        assert self.dritan_in.person
        self.arta_is: UUID = self.arta_in.person
        self.dritan_is: UUID = self.dritan_in.person
        self.besa_is: UUID = self.arta_in.wards[0].person

    def sealed(self, person: UUID, text: str = "dhimbje koke") -> SealedItem:
        row = uuid4()
        [blob] = self.client.seal([Field("appointment", "reason", row, person, SERVICE, text)])
        return SealedItem("appointment", "reason", row, person, SERVICE, blob)

    def read(self, session: Session, *items: SealedItem | RegisterItem | ClaimsItem) -> list[str | None]:
        return [each.text or each.refused for each in self.client.open(session.token, items, "test")]


@pytest.fixture(scope="module")
def cast(country: Country) -> Cast:
    return Cast(country)


def name(person: UUID, field: str = "name") -> RegisterItem:
    return RegisterItem(person, SERVICE, field)


def code(call: object, *args: object) -> str:
    with pytest.raises(Refused) as caught:
        call(*args)  # type: ignore[operator]
    return caught.value.code


# Entering ----------------------------------------------------------------------------------------------


def test_pseudonyms_differ_by_service_and_stay_the_same(cast: Cast) -> None:
    again = cast.client.enter(cast.arta.token, SERVICE)
    other = cast.client.enter(cast.arta.token, "bills")
    assert again.person == cast.arta_is
    assert other.person not in {cast.arta_is, cast.besa_is, None}
    assert again.attestation != cast.arta_in.attestation, "no two rows share an attestation"


def test_a_guardian_enters_with_her_ward_and_a_stranger_without(cast: Cast) -> None:
    assert [ward.relation for ward in cast.arta_in.wards] == ["child"]
    assert cast.dritan_in.wards == []
    assert {len(tickets) for tickets in cast.arta_in.tickets.values()} == {2}


def test_officials_enter_as_their_office_and_not_as_persons(cast: Cast) -> None:
    assert (cast.vjosa_in.role, cast.vjosa_in.office) == ("receptionist", cast.office_1)
    assert (cast.vjosa_in.person, cast.vjosa_in.wards, cast.vjosa_in.tickets) == (None, [], {})


@pytest.mark.parametrize("service", ["", "Appointments", "a b", "../x", "a" * 33, "1st"])
def test_what_is_no_service_is_refused(cast: Cast, service: str) -> None:
    assert code(cast.client.enter, cast.arta.token, service) in {"bad_service", "too_long"}
    assert code(cast.client.enter, cast.vjosa.token, service) in {"bad_service", "too_long"}


# Opening -----------------------------------------------------------------------------------------------


def test_citizens_read_themselves_and_their_wards(cast: Cast) -> None:
    mine, hers = cast.sealed(cast.arta_is), cast.sealed(cast.besa_is, "vaksinë")
    assert cast.read(cast.arta, mine, hers, name(cast.arta_is), name(cast.besa_is)) == [
        "dhimbje koke",
        "vaksinë",
        "Arta Hoxha",
        "Besa Hoxha",
    ]


def test_a_stranger_reads_nothing_and_the_try_is_on_the_log(cast: Cast) -> None:
    items = [cast.sealed(cast.arta_is), name(cast.arta_is), name(cast.besa_is), name(cast.dritan_is)]
    assert cast.read(cast.dritan, *items) == ["not_yours", "not_yours", "not_yours", "Dritan Leka"]
    newest = cast.client.looked_at_me(cast.arta.token)[0]
    assert (newest.role, newest.allowed, newest.office) == ("citizen", False, "")
    before = len(cast.client.looks(0))
    for _ in range(30):
        assert cast.read(cast.dritan, *items[:3]) == ["not_yours"] * 3
    assert len(cast.client.looks(0)) == before, "the same try again within the hour fills nobody's page"


def test_a_long_list_of_fields_makes_no_long_entry_in_the_log(cast: Cast) -> None:
    row, blob = uuid4(), cast.sealed(cast.arta_is).blob
    many = [SealedItem("t", f"{n:060}", row, cast.arta_is, SERVICE, blob) for n in range(300)]
    cast.client.open(cast.ilir.token, many, "test")
    newest = cast.client.looked_at_me(cast.arta.token)[0]
    assert (len(newest.fields), newest.fields[-1]) == (21, "…")


def test_the_operator_reads_nobody(cast: Cast) -> None:
    assert code(cast.client.open, cast.luan.token, [name(cast.arta_is)], "x") == "role"
    assert code(cast.client.find, cast.luan.token, "number", "J75101123A", SERVICE) == "role"
    assert code(cast.client.holder, cast.luan.token, cast.arta_is, SERVICE) == "not_yours"


def test_a_pseudonym_of_another_service_or_of_nobody_opens_nothing(cast: Cast) -> None:
    bills = cast.client.enter(cast.arta.token, "bills").person
    assert bills
    assert cast.read(cast.arta, name(bills), name(uuid4())) == ["unknown_person", "unknown_person"]


def test_a_sealed_field_opens_only_where_it_stands(cast: Cast) -> None:
    item = cast.sealed(cast.arta_is)
    moved = [
        SealedItem("other", item.column, item.row, item.person, SERVICE, item.blob),
        SealedItem(item.table, "other", item.row, item.person, SERVICE, item.blob),
        SealedItem(item.table, item.column, uuid4(), item.person, SERVICE, item.blob),
        SealedItem(item.table, item.column, item.row, cast.besa_is, SERVICE, item.blob),
        SealedItem(item.table, item.column, item.row, item.person, SERVICE, item.blob[:-1]),
        SealedItem(item.table, item.column, item.row, item.person, SERVICE, b""),
        SealedItem(item.table, item.column, item.row, item.person, SERVICE, item.blob[:-1] + b"x"),
    ]
    assert cast.read(cast.arta, *moved) == ["broken"] * len(moved)


def test_lengths_are_padded_and_no_two_services_share_bytes(cast: Cast) -> None:
    short, longer = cast.sealed(cast.arta_is, "po").blob, cast.sealed(cast.arta_is, "dhjetë shkronja").blob
    assert len(short) == len(longer)
    bills = cast.client.enter(cast.arta.token, "bills").person
    assert bills
    [other] = cast.client.seal([Field("t", "c", uuid4(), bills, "bills", "po")])
    assert short[1:9] != other[1:9], "the key's mark tells two services of one person apart"
    assert short[1:9] == longer[1:9]


def test_claims_open_with_their_salt_for_the_holder_only(cast: Cast) -> None:
    ticket = cast.arta_in.tickets[cast.arta_is][0]
    blob = seal_claims(ticket, CLAIMS)
    item = ClaimsItem(cast.arta_is, SERVICE, blob)
    [mine] = cast.client.open(cast.arta.token, [item], "receipt")
    assert mine.text == CLAIMS.decode()
    assert mine.holder_salt
    assert len(mine.holder_salt) == 32
    assert cast.read(cast.dritan, item) == ["not_yours"]
    [clerk] = cast.client.open(cast.vjosa.token, [item], "receipt")
    assert (clerk.text, clerk.holder_salt) == (CLAIMS.decode(), None)
    assert cast.read(cast.arta, ClaimsItem(cast.besa_is, SERVICE, blob)) == ["broken"]
    assert cast.read(cast.arta, ClaimsItem(cast.arta_is, SERVICE, blob[:40])) == ["broken"]


def test_the_holder_commitment_is_to_number_name_and_birth_date(cast: Cast, country: Country) -> None:
    from kulla.journal.wire import holder_commitment

    arta = country.running.arta
    ticket = cast.client.holder(cast.arta.token, cast.arta_is, SERVICE)[0]
    [opened] = cast.client.open(
        cast.arta.token, [ClaimsItem(cast.arta_is, SERVICE, seal_claims(ticket, b"x"))], "r"
    )
    assert opened.holder_salt
    born = arta.birth_date.isoformat()
    assert holder_commitment(opened.holder_salt, arta.number, arta.name, born) == ticket.commitment
    assert holder_commitment(opened.holder_salt, arta.number, "Arta Hoxhaj", born) != ticket.commitment


@pytest.mark.parametrize(
    ("field", "text"), [("number", None), ("birth_date", "1988-05-14"), ("language", "sq")]
)
def test_fields_of_the_register(cast: Cast, country: Country, field: str, text: str | None) -> None:
    assert cast.read(cast.arta, name(cast.arta_is, field)) == [text or country.running.arta.number]


def test_a_field_that_is_empty_or_not_given_out(cast: Cast) -> None:
    assert cast.read(cast.arta, name(cast.besa_is, "phone")) == ["no_value"]
    for field in ("password", "first_name", "address", ""):
        assert code(cast.client.open, cast.arta.token, [name(cast.arta_is, field)], "x") == "bad_request"


# Proofs and tickets ------------------------------------------------------------------------------------


def test_tickets_are_for_oneself_wards_and_by_officials(cast: Cast) -> None:
    client = cast.client
    assert len(client.holder(cast.arta_in.attestation, cast.besa_is, SERVICE, 3)) == 3
    assert len(client.holder(cast.vjosa_in.attestation, cast.arta_is, SERVICE)) == 1
    assert code(client.holder, cast.dritan.token, cast.arta_is, SERVICE) == "not_yours"
    assert code(client.holder, cast.dritan_in.attestation, cast.arta_is, SERVICE) == "not_yours"
    assert code(client.holder, cast.arta.token, uuid4(), SERVICE) == "unknown_person"


def test_an_attestation_serves_its_own_service_only(cast: Cast) -> None:
    bills = cast.client.enter(cast.arta.token, "bills")
    assert code(cast.client.holder, bills.attestation, cast.arta_is, SERVICE) == "attestation"
    for forged in (b"", b"x" * 200, bills.attestation[:-1], cast.arta_in.attestation[:70]):
        assert code(cast.client.holder, forged, cast.arta_is, SERVICE) == "attestation"


# Grants ------------------------------------------------------------------------------------------------


def grant(cast: Cast, by: Session | Entered, person: UUID, office: UUID, day: date | None = None) -> UUID:
    ref = uuid4()
    proof = by.token if isinstance(by, Session) else by.attestation
    cast.client.grant(proof, person, SERVICE, office, day or TODAY, ref)
    return ref


def test_only_the_person_a_guardian_or_the_office_itself_makes_a_grant(cast: Cast) -> None:
    grant(cast, cast.arta_in, cast.besa_is, cast.office_1)
    assert code(grant, cast, cast.dritan, cast.arta_is, cast.office_1) == "not_yours"
    assert code(grant, cast, cast.ilir_in, cast.arta_is, cast.office_1) == "role"
    assert code(grant, cast, cast.luan, cast.arta_is, cast.office_1) == "role"
    assert code(grant, cast, cast.arta, cast.arta_is, uuid4()) == "unknown_office"


@pytest.mark.parametrize("days", [-2, -4000, 401, 100_000])
def test_a_grant_is_for_a_day_that_can_come(cast: Cast, days: int) -> None:
    day = TODAY + timedelta(days=days)
    assert code(grant, cast, cast.arta, cast.arta_is, cast.office_1, day) == "bad_day"


# Finding -----------------------------------------------------------------------------------------------


def test_find_is_exact_and_for_officials(cast: Cast, country: Country) -> None:
    number = country.running.arta.number
    assert cast.client.find(cast.vjosa.token, "number", number.lower(), SERVICE) == cast.arta_is
    assert cast.client.find(cast.vjosa.token, "number", "J75101123A", SERVICE) is None
    assert code(cast.client.find, cast.arta.token, "number", number, SERVICE) == "role"
    for kind, text in (("number", "J8"), ("number", ""), ("name", "Arta"), ("phone", "+355")):
        assert code(cast.client.find, cast.vjosa.token, kind, text, SERVICE) == "bad_identifier"


# Sealing -----------------------------------------------------------------------------------------------


def test_sealing_for_nobody_or_too_much_is_refused(cast: Cast) -> None:
    assert code(cast.client.seal, [Field("t", "c", uuid4(), uuid4(), SERVICE, "x")]) == "unknown_person"
    assert (
        code(cast.client.seal, [Field("t", "c", uuid4(), cast.arta_is, SERVICE, "x" * 20_001)]) == "too_long"
    )


# Notices and the machine room --------------------------------------------------------------------------


def test_a_notice_goes_out_once_to_person_or_guardians(cast: Cast) -> None:
    client, entry = cast.client, uuid4()
    words = {"when": {"sq": "nesër", "en": "tomorrow"}, "where": "Tiranë"}
    client.notify(cast.besa_is, SERVICE, "booked", entry, words)
    records = client.status()["records"]
    client.notify(cast.besa_is, SERVICE, "booked", entry, words)
    assert client.status()["records"] == records, "the second time nothing is sent"
    mine = [notice for notice in client.inbox(cast.arta.token) if notice.whose == "Besa Hoxha"]
    assert [(notice.subject, notice.body) for notice in mine] == [
        ("Takimi juaj", "Takimi juaj: nesër, Tiranë.")
    ]
    assert client.inbox(cast.dritan.token) == []


def test_notices_with_something_missing_are_refused(cast: Cast) -> None:
    notify = cast.client.notify
    words = {"when": "nesër", "where": "Tiranë"}
    assert code(notify, cast.arta_is, SERVICE, "nothing", uuid4(), words) == "unknown_template"
    assert code(notify, cast.arta_is, SERVICE, "booked", uuid4(), {"when": "x"}) == "bad_params"
    assert code(notify, cast.arta_is, SERVICE, "booked", uuid4(), {**words, "when": "a\nb"}) == "bad_params"
    assert code(notify, uuid4(), SERVICE, "booked", uuid4(), words) == "unknown_person"


@pytest.mark.parametrize(
    "value",
    [
        "+355 69 000 0000",
        "tel. 069 200 00 00",
        "shiko https://e-kulla.example",
        "WWW.kulla.example",
        "shkruani te arta@kulla.example",
        "x" * 201,
        "a\u2028b",
        "\u202eanatiT",
    ],
)
def test_a_notice_sends_nobody_elsewhere(cast: Cast, value: str) -> None:
    words = {"when": "e hënë, 23 nëntor 2026, ora 10:00", "where": "Poliklinika Nr. 1, Rruga 5 Maji 123"}
    entry = uuid4()
    for bad in ({**words, "where": value}, {**words, "when": {"sq": value, "en": "x"}}):
        assert code(cast.client.notify, cast.arta_is, SERVICE, "booked", entry, bad) == "bad_params"
    many = words | {f"n{n}": "" for n in range(20)}
    assert code(cast.client.notify, cast.arta_is, SERVICE, "booked", entry, many) == "bad_params"
    cast.client.notify(cast.arta_is, SERVICE, "booked", entry, words)


@pytest.mark.parametrize("value", [7, None, True, b"x", [1], {}, {"sq": 5}, {"sq": {"en": "x"}}, {1: 2}])
def test_a_value_of_a_notice_that_is_no_text_is_refused(cast: Cast, country: Country, value: object) -> None:
    words = {"when": value, "where": "Tiranë"}
    args = {
        "person": cast.dritan_is,
        "service": SERVICE,
        "template": "booked",
        "entry": uuid4(),
        "params": words,
    }
    pool = Pool(country.running.socket)
    with pytest.raises(Refused) as caught:
        pool.ask("notify", args)
    pool.close()
    assert caught.value.code == "bad_params"


def test_notices_to_one_person_are_capped_and_what_was_sent_stays_sent(cast: Cast) -> None:
    words, sent = {"when": "nesër", "where": "Tiranë"}, [uuid4() for _ in range(20)]
    for entry in sent:
        cast.client.notify(cast.dritan_is, SERVICE, "booked", entry, words)
    with pytest.raises(Refused) as caught:
        cast.client.notify(cast.dritan_is, SERVICE, "booked", uuid4(), words)
    assert caught.value.code == "capped"
    assert 0 < caught.value.details["until_ms"] - time.time() * 1000 <= 86_400_000
    assert len(cast.client.inbox(cast.dritan.token)) == 20
    for entry in sent:  # effects are sent again after a rebuild
        cast.client.notify(cast.dritan_is, SERVICE, "booked", entry, words)


def test_portal_keys_are_kept_and_the_portal_cannot_change_them(cast: Cast) -> None:
    client = cast.client
    client.store_portal_keys({"checkpoint": b"\x01" * 32})
    client.store_portal_keys({"checkpoint": b"\x01" * 32, "cookie": b"\x02" * 32})
    kept = {"checkpoint": b"\x01" * 32, "cookie": b"\x02" * 32}
    assert code(client.store_portal_keys, {"cookie": b"\x03" * 32}) == "key_exists"
    assert client.portal_keys() == kept


@pytest.mark.parametrize(
    "keys",
    [
        {"other": b"1" * 32},
        {"../../pwned": b"1" * 32},
        {"x" * 100_000: b"1" * 32},
        {"": b"1" * 32},
        {"cookie": b"1" * 31},
        {"cookie": b"1" * 4096},
        {"cookie": "1" * 32},
        {"checkpoint": b"\x01" * 32, "other": b"1" * 32},
    ],
)
def test_only_the_portals_two_keys_ever_become_records(cast: Cast, keys: dict[str, bytes]) -> None:
    before = cast.client.status()["records"]
    assert code(cast.client.store_portal_keys, keys) == "bad_request"
    assert cast.client.status()["records"] == before


def test_segment_keys_are_for_named_callers_and_logged(cast: Cast) -> None:
    from kulla.journal.segment import decrypt, parse_segment, seal_segment

    public = cast.client.public_keys()["segment"]
    header, sealed = seal_segment(0, [b"payload"], [public])
    key = cast.client.segment_key(header, "reconcile")
    assert decrypt(key, header, 0, sealed[0]) == b"payload"
    assert code(cast.client.segment_key, header, "curious") == "bad_request"
    assert code(cast.client.segment_key, header[:-1], "undo") == "segment"
    other, _ = seal_segment(0, [b"payload"], [b"\x09" * 32])
    assert code(cast.client.segment_key, other, "undo") == "segment"
    assert parse_segment is not None


def test_the_demo_gives_the_second_factor_and_says_who_it_is_not(cast: Cast, country: Country) -> None:
    assert cast.client.demo_second_factor(country.running.vjosa.number).isdigit()
    assert code(cast.client.demo_second_factor, country.running.arta.number) == "no_value"


def test_the_status_names_what_the_operator_must_know(cast: Cast) -> None:
    status = cast.client.status()
    assert [copy["ok"] for copy in status["copies"]] == [True] * 3
    assert (status["root_key"], status["people"], status["demo"]) == ("file", 6, True)
