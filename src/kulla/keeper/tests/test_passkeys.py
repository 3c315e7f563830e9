"""Passkeys: who gets in with one, and every way in which one must not."""

from collections.abc import Callable
from typing import Any

import pytest

from kulla.keeper.testkit import ARTA, DRITAN, ILIR, Member
from kulla.keeper.testpasskey import SoftPasskey
from kulla.keeper.tests.conftest import Country
from kulla.keeper_client import Refused, Session
from kulla.keeper_client.security import Assertion, Challenge

WHERE = {"network": "192.0.2.7", "device": "Firefox, Linux"}


def refusal(call: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value


def add(country: Country, session: Session, name: str = "My phone", **how: Any) -> SoftPasskey:
    """A new passkey of whoever is signed in."""
    passkey = SoftPasskey(**how)
    begun = country.client.passkey_new(session.token)
    country.client.passkey_add(session.token, begun.state, name, **passkey.register(begun.options))
    return passkey


def enter(country: Country, passkey: SoftPasskey, begun: Challenge | None = None, **more: Any) -> Session:
    begun = begun or country.client.passkey_begin()
    answer = Assertion(**{**passkey.answer(begun.options), **more})
    return country.client.passkey_sign_in(begun.state, answer, **WHERE)


@pytest.fixture(scope="module")
def passkey(country: Country) -> SoftPasskey:
    return add(country, country.sign_in(ARTA))


@pytest.fixture
def arta(country: Country, passkey: SoftPasskey) -> Session:
    """Signed in with what is strongest, so that she may change it."""
    return enter(country, passkey)


def test_signs_in_without_a_number_typed(country: Country, passkey: SoftPasskey) -> None:
    begun = country.client.passkey_begin()
    assert begun.options["allowCredentials"] == []
    assert begun.options["rpId"] == "localhost"
    session = enter(country, passkey, begun)
    assert (session.role, session.office) == ("citizen", None)
    listed = {each.sid: each for each in country.client.sessions(session.token)}
    assert listed[session.sid].factor == "passkey"


def test_signs_in_with_the_number_typed(country: Country, passkey: SoftPasskey) -> None:
    begun = country.client.passkey_begin(ARTA.number)
    assert passkey.id in [each["id"] for each in begun.options["allowCredentials"]]
    assert enter(country, passkey, begun).role == "citizen"


def test_a_typed_number_never_tells_whether_there_is_an_account(
    country: Country, passkey: SoftPasskey
) -> None:
    """Eight ids for everybody, always the same ones."""
    for typed in (ARTA.number, DRITAN.number, "J75101123A", "nonsense", "x" * 4000):
        ids = [
            [each["id"] for each in country.client.passkey_begin(typed).options["allowCredentials"]]
            for _ in range(2)
        ]
        assert ids[0] == ids[1]
        assert len(set(ids[0])) == 8
        assert {len(each) for each in ids[0]} == {32}


def test_an_answer_serves_once(country: Country, passkey: SoftPasskey) -> None:
    begun = country.client.passkey_begin()
    answer = Assertion(**passkey.answer(begun.options))
    country.client.passkey_sign_in(begun.state, answer, **WHERE)
    again = refusal(lambda: country.client.passkey_sign_in(begun.state, answer, **WHERE))
    assert again.code == "challenge"


def test_a_state_serves_only_what_it_was_made_for(
    country: Country, arta: Session, passkey: SoftPasskey
) -> None:
    dritan = country.sign_in(DRITAN)
    client = country.client
    confirm = client.security_confirm_begin(arta.token)
    answer = Assertion(**passkey.answer(confirm.options))
    assert refusal(lambda: client.passkey_sign_in(confirm.state, answer, **WHERE)).code == "challenge"
    assert (
        refusal(lambda: client.security_confirm_passkey(dritan.token, confirm.state, answer)).code
        == "challenge"
    )
    new = client.passkey_new(arta.token)
    made = SoftPasskey().register(new.options)
    assert refusal(lambda: client.passkey_add(dritan.token, new.state, "x", **made)).code == "challenge"
    for broken in ("", "x", "A" * 200, new.state[:-3]):
        assert refusal(lambda s=broken: client.passkey_sign_in(s, answer, **WHERE)).code == "challenge"


def test_a_challenge_ends_with_the_keeper_that_made_it(country: Country, passkey: SoftPasskey) -> None:
    begun = country.client.passkey_begin()
    country.running.kill()
    country.running.start()
    assert refusal(lambda: enter(country, passkey, begun)).code == "challenge"


@pytest.mark.parametrize(
    "change",
    [
        {"signature": b"x"},
        {"signature": b""},
        {"client_data": b"{}"},
        {"client_data": b"\xff"},
        {"auth_data": b""},
        {"auth_data": bytes(37)},
        {"id": b"unknown"},
        {"id": b""},
        {"handle": b"somebody else's"},
    ],
    ids=lambda change: f"{next(iter(change))}-{next(iter(change.values()))!r:.12}",
)
def test_broken_answers_are_refused_plainly(
    country: Country, passkey: SoftPasskey, change: dict[str, bytes]
) -> None:
    assert refusal(lambda: enter(country, passkey, **change)).code == "wrong"


@pytest.mark.parametrize(
    "how",
    [
        {"origin": "https://localhost.example"},
        {"origin": "http://localhost.example:8000"},
        {"origin": "http://127.0.0.1:8000"},
        {"origin": "https://localhost:8000"},
        {"rp_id": "example"},
    ],
    ids=str,
)
def test_answers_for_another_site_are_refused(
    country: Country, passkey: SoftPasskey, how: dict[str, str]
) -> None:
    elsewhere = SoftPasskey(
        id=passkey.id, key=passkey.key, counter=passkey.counter, handle=passkey.handle, **how
    )
    assert refusal(lambda: enter(country, elsewhere)).code == "wrong"


def test_a_copy_is_noticed_by_its_counter_and_told(country: Country, arta: Session) -> None:
    passkey = add(country, arta, "A key")
    copy = SoftPasskey(id=passkey.id, key=passkey.key, counter=passkey.counter, handle=passkey.handle)
    assert enter(country, passkey).role == "citizen"
    assert refusal(lambda: enter(country, copy)).code == "passkey_copied"
    assert enter(country, passkey).role == "citizen", "the owner's own goes on"


def test_one_without_a_counter_is_no_copy(country: Country, arta: Session) -> None:
    passkey = add(country, arta, "In the cloud", counts=False)
    assert [enter(country, passkey).role for _ in range(2)] == ["citizen"] * 2


def test_a_citizen_without_more_may_have_one_that_only_shows_it_is_there(country: Country) -> None:
    session = country.sign_in(DRITAN)
    passkey = add(country, session, verified=False)
    assert enter(country, passkey).role == "citizen"
    state = country.client.security_state(session.token)
    assert (state.strong, [each.verified for each in state.passkeys]) == (False, [False])


def test_with_something_stronger_it_is_not_enough(
    country: Country, passkey: SoftPasskey, arta: Session
) -> None:
    weak = add(country, arta, "Touch only", verified=False)
    assert refusal(lambda: enter(country, weak)).code == "user_verification"


def test_an_official_signs_in_by_passkey_that_checks_its_owner(country: Country) -> None:
    session = country.sign_in(ILIR)
    begun = country.client.passkey_new(session.token)
    assert begun.options["authenticatorSelection"]["userVerification"] == "required"
    weak = SoftPasskey(verified=False)
    refused = refusal(
        lambda: country.client.passkey_add(session.token, begun.state, "weak", **weak.register(begun.options))
    )
    assert refused.code == "passkey"
    passkey = add(country, session)
    signed_in = enter(country, passkey)
    assert (signed_in.role, signed_in.office) == ("receptionist", country.running.office_2)


def test_what_the_browser_is_told_about_the_person(country: Country, arta: Session) -> None:
    """The handle says nothing about the person, and is the same for all of theirs; the key must stay in the device."""
    first, second = (country.client.passkey_new(arta.token).options for _ in range(2))
    assert first["user"]["name"] == ARTA.name
    assert first["user"]["id"] == second["user"]["id"]
    assert len(first["user"]["id"]) == 32
    assert ARTA.number.encode() not in first["user"]["id"]
    assert first["challenge"] != second["challenge"]
    assert first["authenticatorSelection"]["residentKey"] == "required"
    assert first["attestation"] == "none"
    assert len(first["excludeCredentials"]) >= 1


def test_names_are_kept_sealed_changed_and_shown(country: Country, arta: Session) -> None:
    passkey = add(country, arta, "Çelësi i kuq")
    (own,) = [
        each for each in country.client.security_state(arta.token).passkeys if each.name == "Çelësi i kuq"
    ]
    country.client.passkey_rename(arta.token, own.mark, "  Çelësi   blu ")
    names = [each.name for each in country.client.security_state(arta.token).passkeys]
    assert "Çelësi blu" in names and "Çelësi i kuq" not in names
    for bad in ("", " ", "x" * 61, "a\u0000b"):
        assert (
            refusal(lambda n=bad: country.client.passkey_rename(arta.token, own.mark, n)).code == "bad_name"
        )
    disk = b"".join(path.read_bytes() for path in country.running.keeper_home.glob("re*") if path.is_file())
    for secret in ("Çelësi blu".encode(), "Çelësi i kuq".encode(), passkey.id, passkey.handle):
        assert secret not in disk
    assert passkey.id.hex() not in country.running.log()


def test_only_the_owner_changes_them(country: Country, arta: Session) -> None:
    dritan = country.sign_in(DRITAN)
    mark = country.client.security_state(arta.token).passkeys[0].mark
    for call in (
        lambda: country.client.passkey_rename(dritan.token, mark, "mine"),
        lambda: country.client.passkey_remove(dritan.token, mark),
    ):
        assert refusal(call).code == "unknown_passkey"


def test_the_same_twice_and_too_many(country: Country, passkey: SoftPasskey) -> None:
    def taken(member: Member) -> Session:
        return country.sign_in(member, network="192.0.2.8")

    session = taken(DRITAN)
    begun = country.client.passkey_new(session.token)
    known = SoftPasskey(id=passkey.id).register(begun.options)
    assert refusal(lambda: country.client.passkey_add(session.token, begun.state, "x", **known)).code == (
        "passkey_known"
    )
    while len(country.client.security_state(session.token).passkeys) < 8:
        add(country, session, verified=False)
    assert refusal(lambda: country.client.passkey_new(session.token)).code == "too_many"


def test_one_that_was_taken_away_opens_nothing(country: Country, passkey: SoftPasskey) -> None:
    session = enter(country, passkey)
    gone = add(country, session, "Lost phone")
    mark = next(
        e.mark for e in country.client.security_state(session.token).passkeys if e.name == "Lost phone"
    )
    country.client.passkey_remove(session.token, mark)
    assert refusal(lambda: enter(country, gone)).code == "wrong"


def test_they_outlive_a_restart_with_their_counters(country: Country, passkey: SoftPasskey) -> None:
    enter(country, passkey)
    copy = SoftPasskey(id=passkey.id, key=passkey.key, counter=passkey.counter - 1, handle=passkey.handle)
    country.running.kill()
    country.running.start()
    assert refusal(lambda: enter(country, copy)).code == "passkey_copied"
    assert enter(country, passkey).role == "citizen"
