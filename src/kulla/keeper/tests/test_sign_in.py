"""Signing in, tokens, sessions: what the right person gets and nobody else."""

import time

import pytest

from kulla.keeper.testkit import ARTA, DRITAN, LUAN, VJOSA
from kulla.keeper.tests.conftest import Country
from kulla.keeper_client import Refused, verify_token

NOW = int(time.time() * 1000)
NOBODY = "J75101123A"
WRONG = "The number or the password is wrong."


def refused(
    country: Country, identifier: str, password: str, code: str | None = None, network: str = "10.0.0.1"
) -> Refused:
    with pytest.raises(Refused) as caught:
        country.client.sign_in(identifier, password, code, network=network, device="t")
    return caught.value


def test_a_citizen_signs_in_with_number_and_password(country: Country) -> None:
    session = country.sign_in(ARTA)
    assert (session.role, session.office, session.language) == ("citizen", None, "sq")
    verified = verify_token(session.token, country.client.public_keys()["token"], NOW)
    assert verified == session


def test_a_number_may_be_typed_in_small_letters_with_blanks(country: Country) -> None:
    typed = f" {ARTA.number[:3].lower()} {ARTA.number[3:].lower()} "
    assert country.client.sign_in(typed, ARTA.password, network="192.0.2.7", device="t").role == "citizen"


@pytest.mark.parametrize("identifier", ["", "x" * 4000, "' OR 1=1", "J8", NOBODY, "\u0000", "ë" * 50])
def test_whoever_does_not_exist_is_refused_in_the_words_of_a_wrong_password(
    country: Country, identifier: str
) -> None:
    answer = refused(country, identifier, "x", network="10.0.1.1")
    assert (answer.code, str(answer), answer.details) == ("wrong", WRONG, {})


def test_a_wrong_password_has_the_same_words(country: Country) -> None:
    answer = refused(country, DRITAN.number, "x", network="10.0.2.1")
    assert (answer.code, str(answer), answer.details) == ("wrong", WRONG, {})


def test_a_child_without_a_password_cannot_sign_in(country: Country) -> None:
    assert refused(country, country.running.besa.number, "").code == "wrong"
    assert refused(country, country.running.besa.number, "x").code == "wrong"


def test_an_official_needs_the_second_factor_always_and_after_the_password(country: Country) -> None:
    assert refused(country, LUAN.number, "wrong", LUAN.code()).code == "wrong"
    asked = refused(country, LUAN.number, LUAN.password)
    assert (asked.code, asked.details) == ("second_factor", {"wrong_code": False})
    bad = refused(country, LUAN.number, LUAN.password, "000000")
    assert (bad.code, bad.details) == ("second_factor", {"wrong_code": True})
    assert country.sign_in(LUAN).role == "operator"


def test_a_code_works_once(country: Country) -> None:
    code = VJOSA.code()
    session = country.client.sign_in(VJOSA.number, VJOSA.password, code, network="192.0.2.9", device="t")
    assert (session.role, session.office) == ("receptionist", country.running.office_1)
    again = refused(country, VJOSA.number, VJOSA.password, code)
    assert (again.code, again.details["wrong_code"]) == ("second_factor", True)
    older = refused(country, VJOSA.number, VJOSA.password, VJOSA.fresh_code(-1))
    assert older.code == "second_factor", "an older code than the last one used is spent too"


def test_guessing_is_slowed_but_the_owner_elsewhere_is_not_locked_out(country: Country) -> None:
    country.client.sign_in(DRITAN.number, DRITAN.password, network="192.0.2.50", device="at home")
    codes = [refused(country, DRITAN.number, f"guess {n}", network="203.0.113.9").code for n in range(7)]
    assert codes[:5] == ["wrong"] * 5
    slowed = refused(country, DRITAN.number, DRITAN.password, network="203.0.113.200")  # the same /24
    assert slowed.code == "slow_down"
    assert 1 <= slowed.details["retry_after_s"] <= 31
    assert country.client.sign_in(DRITAN.number, DRITAN.password, network="192.0.2.51", device="at home")


def test_codes_are_guessed_slowly_and_a_right_password_alone_is_not_punished(country: Country) -> None:
    ilir = country.running.ilir
    for n in range(8):
        asked = refused(country, ilir.number, ilir.password, network=f"198.19.{n}.1")
        assert asked.details == {"wrong_code": False}
    codes = [
        refused(country, ilir.number, ilir.password, f"{n:06}", network=f"198.19.{n}.1").code
        for n in range(7)
    ]
    assert codes == ["second_factor"] * 5 + ["slow_down"] * 2


def test_guessing_at_nobody_is_slowed_in_the_same_way(country: Country) -> None:
    codes = [refused(country, NOBODY, "x", network="203.0.113.77").code for _ in range(6)]
    assert codes == ["wrong"] * 5 + ["slow_down"]


@pytest.mark.parametrize("token", ["", "x", "AA", "A" * 4000, "é", "AbCd" * 60])
def test_what_is_no_token_is_refused(country: Country, token: str) -> None:
    for call in (
        lambda: country.client.renew(token),
        lambda: country.client.enter(token, "appointments"),
        lambda: country.client.sessions(token),
        lambda: country.client.looked_at_me(token),
        lambda: country.client.open(token, [], "x"),
    ):
        with pytest.raises(Refused) as caught:
            call()
        assert caught.value.code == "token"
    with pytest.raises(Refused):
        verify_token(token, country.client.public_keys()["token"], NOW)


def test_a_changed_or_old_token_is_refused(country: Country) -> None:
    session, key = country.sign_in(ARTA), country.client.public_keys()["token"]
    changed = session.token[:-2] + ("A" if session.token[-2] != "A" else "B") + session.token[-1]
    with pytest.raises(Refused) as caught:
        verify_token(changed, key, NOW)
    assert caught.value.code == "token"
    with pytest.raises(Refused) as caught:
        verify_token(session.token, key, session.expires_ms)
    assert caught.value.code == "token_expired"
    with pytest.raises(Refused):
        verify_token(session.token, bytes(32), NOW)


def test_an_attestation_is_no_token(country: Country) -> None:
    from kulla.journal.wire import to_text

    attestation = country.client.enter(country.sign_in(ARTA).token, "appointments").attestation
    with pytest.raises(Refused) as caught:
        country.client.renew(to_text(attestation))
    assert caught.value.code == "token"


def test_sessions_are_listed_and_end_at_once(country: Country) -> None:
    client = country.client
    here, there = (
        country.sign_in(ARTA, device="phone"),
        country.sign_in(ARTA, network="2001:db8:1:2::3", device="work"),
    )
    mark, _ = client.revoked(0)
    listed = {each.sid: each for each in client.sessions(here.token)}
    assert listed[here.sid].current
    assert not listed[there.sid].current
    assert listed[there.sid].network == "2001:db8:1::/48", "addresses are kept truncated"
    assert listed[here.sid].network == "192.0.2.0/24"
    assert client.end(here.token, there.sid) == [there.sid]
    assert client.revoked(mark)[1] == [there.sid]
    with pytest.raises(Refused) as caught:
        client.renew(there.token)
    assert caught.value.code == "session"
    assert there.sid not in {each.sid for each in client.sessions(here.token)}
    assert client.renew(here.token).sid == here.sid
    client.end(here.token)
    with pytest.raises(Refused):
        client.enter(here.token, "appointments")


def test_nobody_ends_a_strangers_session(country: Country) -> None:
    mine, theirs = country.sign_in(DRITAN, network="192.0.2.51"), country.sign_in(ARTA)
    with pytest.raises(Refused) as caught:
        country.client.end(mine.token, theirs.sid)
    assert caught.value.code == "session"
    assert country.client.renew(theirs.token).sid == theirs.sid
    country.client.end(mine.token, "all")
    assert country.client.renew(theirs.token).sid == theirs.sid


def test_ends_and_sessions_outlive_a_restart(country: Country) -> None:
    client = country.client
    ended, stays = country.sign_in(ARTA), country.sign_in(ARTA)
    client.end(ended.token)
    country.running.kill()
    country.running.start()
    assert client.renew(stays.token).sid == stays.sid
    assert ended.sid in client.revoked(0)[1]
    with pytest.raises(Refused):
        client.renew(ended.token)
