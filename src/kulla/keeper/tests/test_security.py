"""What one signs in with: changed only by who proves it, never weaker in silence, and told on every channel."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest

from kulla.keeper.testkit import ARTA, DRITAN, ILIR, VJOSA, RunningKeeper, keeper
from kulla.keeper.testpasskey import SoftPasskey
from kulla.keeper.tests.conftest import Country
from kulla.keeper_client import Refused, Session, connect
from kulla.keeper_client.security import Assertion

WHERE = {"network": "192.0.2.7", "device": "Firefox, Linux"}
NEW = "tri dallëndyshe mbi urë"
LATER_MS = 11 * 60 * 1000


def refusal(call: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value


@pytest.fixture
def country(tmp_path: Path) -> Iterator[Country]:
    """One keeper a test: here people's credentials change."""
    with keeper(tmp_path) as running:
        client = connect(running.socket)
        yield Country(running, client)
        client.close()


def enrol(country: Country, session: Session) -> pyotp.TOTP:
    """Codes for whoever is signed in; the code of this moment is spent with it."""
    begun = country.client.totp_begin(session.token)
    totp = pyotp.TOTP(begun.secret)
    country.client.totp_finish(session.token, begun.state, totp.now())
    return totp


def add_passkey(country: Country, session: Session, **how: Any) -> SoftPasskey:
    passkey, begun = SoftPasskey(**how), country.client.passkey_new(session.token)
    country.client.passkey_add(session.token, begun.state, "key", **passkey.register(begun.options))
    return passkey


def by_passkey(country: Country, passkey: SoftPasskey) -> Session:
    begun = country.client.passkey_begin()
    return country.client.passkey_sign_in(begun.state, Assertion(**passkey.answer(begun.options)), **WHERE)


def next_code(totp: pyotp.TOTP) -> str:
    return totp.at(int(time.time()) + 30)


def subjects(country: Country, session: Session) -> list[str]:
    return [notice.subject for notice in country.client.inbox(session.token)]


def long_ago(running: RunningKeeper) -> None:
    """Start the keeper anew: what was proven in a session is forgotten, the sessions stand."""
    running.kill()
    running.start()


# The password --------------------------------------------------------------------------------------------


def test_another_password_ends_the_other_sessions_and_is_told(country: Country) -> None:
    client, here, there = country.client, country.sign_in(ARTA), country.sign_in(ARTA)
    assert client.password_change(here.token, ARTA.password, NEW) == [there.sid]
    assert refusal(lambda: client.renew(there.token)).code == "session"
    assert client.renew(here.token).sid == here.sid
    assert refusal(lambda: country.sign_in(ARTA)).code == "wrong"
    assert client.sign_in(ARTA.number, NEW, **WHERE).role == "citizen"
    assert "Fjalëkalimi juaj u ndryshua" in subjects(country, here)


def test_the_old_password_is_needed_and_guessing_it_is_slowed(country: Country) -> None:
    session = country.sign_in(ARTA)
    codes = [
        refusal(lambda: country.client.password_change(session.token, "wrong", NEW)).code for _ in range(7)
    ]
    assert codes == ["wrong"] * 5 + ["slow_down"] * 2
    assert country.sign_in(ARTA).role == "citizen", "a thief of the session does not lock the owner out"


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("k7!qPz", "short"),
        ("x" * 257, "long"),
        ("password1234", "common"),
        ("fjalekalimi", "common"),
        ("Shqipëria2024", "common"),
        ("kullakulla", "pattern"),
        ("Arta1988Hoxha", "personal"),
        ("artahoxha14051988", "personal"),
        (ARTA.number, "personal"),
        ("14.05.1988 hoxha", "personal"),
        ("hoxhaarta!!", "personal"),
        ("qwertyuiop[]", "pattern"),
        ("abababababab", "pattern"),
        ("1234567890123", "common"),
        (ARTA.password, "same"),
    ],
)
def test_guessable_passwords_are_refused(country: Country, password: str, reason: str) -> None:
    session = country.sign_in(ARTA)
    weak = refusal(lambda: country.client.password_change(session.token, ARTA.password, password))
    assert (weak.code, weak.details["reason"]) == ("weak_password", reason)
    assert password not in str(weak) + str(weak.details)


@pytest.mark.parametrize(
    "password",
    [
        "korrekt kalë bateri",
        "δέντρο θάλασσα ουρανός",
        "дерево море небо",
        "ë" * 3 + "k7!qPz0wç",
        "9fK2!x0pQz",
    ],
)
def test_good_passwords_of_every_alphabet_are_taken(country: Country, password: str) -> None:
    session = country.sign_in(ARTA)
    country.client.password_change(session.token, ARTA.password, password)
    assert country.client.sign_in(ARTA.number, password, **WHERE).role == "citizen"


# Codes ---------------------------------------------------------------------------------------------------


def test_codes_count_only_once_one_was_shown(country: Country) -> None:
    client, session = country.client, country.sign_in(ARTA)
    begun = client.totp_begin(session.token)
    assert "Hoxha" not in begun.uri and ARTA.number not in begun.uri
    assert country.sign_in(ARTA).role == "citizen", "nothing has changed yet"
    totp = pyotp.TOTP(begun.secret)
    wrong = f"{(int(totp.now()) + 1) % 1_000_000:06}"
    assert refusal(lambda: client.totp_finish(session.token, begun.state, wrong)).code == "second_factor"
    assert client.totp_again(session.token, begun.state).secret == begun.secret
    code = totp.now()
    client.totp_finish(session.token, begun.state, code)
    asked = refusal(lambda: country.sign_in(ARTA))
    assert (asked.code, asked.details) == ("second_factor", {"wrong_code": False})
    spent = refusal(lambda: client.sign_in(ARTA.number, ARTA.password, code, **WHERE))
    assert spent.details == {"wrong_code": True}, "the code that was shown is spent"
    assert client.sign_in(ARTA.number, ARTA.password, next_code(totp), **WHERE).role == "citizen"
    assert "Kodet e telefonit u shtuan" in subjects(country, session)


def test_a_state_of_codes_is_of_one_session(country: Country) -> None:
    client, mine, hers = country.client, country.sign_in(DRITAN), country.sign_in(ARTA)
    begun = client.totp_begin(hers.token)
    for token, state in ((mine.token, begun.state), (hers.token, "x"), (hers.token, "")):
        code = refusal(lambda t=token, s=state: client.totp_finish(t, s, "123456")).code
        assert code == "challenge"


def test_codes_are_replaced_and_removed_with_themselves_only(country: Country) -> None:
    client, session = country.client, country.sign_in(ARTA)
    totp = enrol(country, session)
    long_ago(country.running)
    for call in (
        lambda: client.totp_begin(session.token),
        lambda: client.totp_remove(session.token),
        lambda: client.password_change(session.token, ARTA.password, NEW),
        lambda: client.passkey_new(session.token),
    ):
        assert refusal(call).code == "confirm"
    assert not client.security_state(session.token).fresh
    without = refusal(lambda: client.security_confirm(session.token, ARTA.password))
    assert (without.code, without.details) == ("second_factor", {"wrong_code": False})
    assert refusal(lambda: client.security_confirm(session.token, "wrong", next_code(totp))).code == "wrong"
    client.security_confirm(session.token, ARTA.password, next_code(totp))
    assert client.security_state(session.token).fresh
    client.totp_remove(session.token)
    assert client.security_state(session.token).totp_ms is None
    assert subjects(country, session)[0] == "Kodet e telefonit u hoqën"
    assert country.sign_in(ARTA).role == "citizen"


def test_a_passkey_that_checks_its_owner_stands_for_the_codes(country: Country) -> None:
    client, session = country.client, country.sign_in(ARTA)
    enrol(country, session)
    passkey = add_passkey(country, session)
    long_ago(country.running)
    begun = client.security_confirm_begin(session.token)
    assert [each["id"] for each in begun.options["allowCredentials"]] == [passkey.id]
    client.security_confirm_passkey(session.token, begun.state, Assertion(**passkey.answer(begun.options)))
    client.totp_remove(session.token)


def test_with_a_passkey_the_password_alone_changes_nothing(country: Country) -> None:
    client, session = country.client, country.sign_in(ARTA)
    add_passkey(country, session)
    later = country.sign_in(ARTA)
    client.security_confirm(later.token, ARTA.password)
    mark = client.security_state(later.token).passkeys[0].mark
    for call in (
        lambda: client.passkey_remove(later.token, mark),
        lambda: client.password_change(later.token, ARTA.password, NEW),
        lambda: client.totp_begin(later.token),
        lambda: client.passkey_new(later.token),
    ):
        assert refusal(call).code == "confirm"


# Officials -----------------------------------------------------------------------------------------------


def test_officials_are_never_without_a_second_factor(country: Country) -> None:
    client, session = country.client, country.sign_in(ILIR)
    assert client.security_state(session.token).official
    assert refusal(lambda: client.totp_remove(session.token)).code == "last_factor"
    passkey = add_passkey(country, session)
    client.totp_remove(session.token)
    mark = client.security_state(session.token).passkeys[0].mark
    assert refusal(lambda: client.passkey_remove(session.token, mark)).code == "last_factor"
    # The password alone does not even make a citizen's session of it
    assert refusal(lambda: client.sign_in(ILIR.number, ILIR.password, **WHERE)).code == "passkey_needed"
    assert by_passkey(country, passkey).role == "receptionist"


def test_a_role_is_chosen_and_the_session_before_ends(country: Country) -> None:
    client, official = country.client, country.sign_in(VJOSA)
    roles = {(each.role, each.office): each.current for each in client.my_roles(official.token)}
    office = country.running.office_1
    assert roles == {("receptionist", office): True, ("citizen", None): False}
    citizen = client.act_as(official.token, "citizen", None, **WHERE)
    assert (citizen.role, citizen.office) == ("citizen", None)
    assert refusal(lambda: client.renew(official.token)).code == "session"
    assert client.enter(citizen.token, "identity").person is not None
    back = client.act_as(citizen.token, "receptionist", office, **WHERE)
    assert (back.role, back.office) == ("receptionist", office)
    listed = client.sessions(back.token)
    assert [(each.role, each.factor) for each in listed] == [("receptionist", "password+code")]


@pytest.mark.parametrize("role", ["registrar", "operator", "admin", "", "x"])
def test_nobody_takes_a_role_that_is_not_theirs(country: Country, role: str) -> None:
    office = country.running.office_1
    for session, where in ((country.sign_in(ARTA), office), (country.sign_in(ARTA), None)):
        assert (
            refusal(lambda s=session, o=where: country.client.act_as(s.token, role, o, **WHERE)).code
            == "role"
        )
        assert country.client.renew(session.token).sid == session.sid
    vjosa = country.sign_in(VJOSA)
    other = country.running.office_2
    assert refusal(lambda: country.client.act_as(vjosa.token, "receptionist", other, **WHERE)).code == "role"


# Not my phone --------------------------------------------------------------------------------------------


def test_a_short_session_is_short_and_changes_nothing(country: Country) -> None:
    client = country.client
    session = client.sign_in(ARTA.number, ARTA.password, **WHERE, short=True)
    now = int(time.time() * 1000)
    assert session.short and session.remember == []
    assert now + 9 * 60_000 < session.expires_ms <= now + 10 * 60_000 + 5000
    state = client.security_state(session.token)
    assert (state.may_change, state.fresh) == (False, False)
    for call in (
        lambda: client.security_confirm(session.token, ARTA.password),
        lambda: client.password_change(session.token, ARTA.password, NEW),
        lambda: client.totp_begin(session.token),
        lambda: client.passkey_new(session.token),
        lambda: client.act_as(session.token, "citizen", None, **WHERE),
    ):
        assert refusal(call).code == "role"
    (own,) = client.sessions(session.token)
    assert own.short


# Where one was before ------------------------------------------------------------------------------------


def test_a_sign_in_from_a_new_device_and_network_is_told(country: Country) -> None:
    client = country.client
    first = client.sign_in(ARTA.number, ARTA.password, **WHERE)
    assert subjects(country, first) == [], "the first one of all is no news"
    elsewhere = {"device": "Chrome, Android", "network": "203.0.113.5"}
    client.sign_in(ARTA.number, ARTA.password, **elsewhere, notes=first.remember)
    assert subjects(country, first) == [], "her own browser on a journey"
    client.sign_in(ARTA.number, ARTA.password, network="198.51.100.7", device="Chrome, Android")
    (notice,) = client.inbox(first.token)
    assert notice.subject == "Hyrje e re në llogarinë tuaj"
    assert "Chrome, Android" in notice.body
    client.sign_in(ARTA.number, ARTA.password, network="198.51.100.9", device="Chrome, Android")
    assert len(subjects(country, first)) == 1


def test_sessions_say_where_in_words(country: Country) -> None:
    client = country.client
    places = country.running.keeper_home / "places.csv"
    lines = [
        "prefix,place_sq,place_en",
        "198.51.0.0/16,Korçë,Korça",
        "198.51.100.0/24,Tiranë,Tirana",
        "x,y,z",
    ]
    places.write_text("\n".join(lines), encoding="utf-8")
    country.running.stop()
    country.running.start()
    here = client.sign_in(ARTA.number, ARTA.password, **WHERE)
    same = client.sign_in(ARTA.number, ARTA.password, **WHERE)
    new = client.sign_in(ARTA.number, ARTA.password, network="198.51.100.9", device="t")
    known = client.sign_in(ARTA.number, ARTA.password, network="198.51.100.9", device="t")
    found = {each.sid: (each.known, each.place.get("en", "")) for each in client.sessions(here.token)}
    assert found == {
        here.sid: ("same", ""),
        same.sid: ("same", ""),
        new.sid: ("new", "Tirana"),
        known.sid: ("known", "Tirana"),
    }
    assert "places.csv: line 4" in country.running.log()


def test_all_other_sessions_end_together(country: Country) -> None:
    client = country.client
    here, *others = [country.sign_in(ARTA) for _ in range(3)]
    assert set(client.end(here.token, "others")) == {each.sid for each in others}
    assert client.end(here.token, "others") == []
    assert client.renew(here.token).sid == here.sid


# Guessing ------------------------------------------------------------------------------------------------


def test_strangers_on_the_same_network_do_not_slow_the_owners_browser(country: Country) -> None:
    client = country.client
    own = client.sign_in(ARTA.number, ARTA.password, **WHERE)
    codes = [refusal(lambda: client.sign_in(ARTA.number, "guess", **WHERE)).code for _ in range(7)]
    assert codes[-1] == "slow_down"
    assert refusal(lambda: client.sign_in(ARTA.number, ARTA.password, **WHERE)).code == "slow_down"
    assert client.sign_in(ARTA.number, ARTA.password, **WHERE, notes=own.remember).role == "citizen"
    # Of somebody else, changed, or from another country it does nothing
    dritan = client.sign_in(DRITAN.number, DRITAN.password, **WHERE)
    for notes in (dritan.remember, ["x"], [own.remember[0][:-2] + "AA"], [own.remember[0] * 2]):
        refused = refusal(lambda n=notes: client.sign_in(ARTA.number, ARTA.password, **WHERE, notes=n))
        assert refused.code == "slow_down"


def test_a_browser_with_a_note_guesses_slowly_too(country: Country) -> None:
    client = country.client
    notes = client.sign_in(ARTA.number, ARTA.password, **WHERE).remember
    codes = [refusal(lambda: client.sign_in(ARTA.number, "x", **WHERE, notes=notes)).code for _ in range(6)]
    assert codes == ["wrong"] * 5 + ["slow_down"]


def test_a_browser_keeps_the_notes_of_several_people(country: Country) -> None:
    client = country.client
    notes = client.sign_in(ARTA.number, ARTA.password, **WHERE).remember
    notes = client.sign_in(DRITAN.number, DRITAN.password, **WHERE, notes=notes).remember
    assert len(notes) == 2
    notes = client.sign_in(DRITAN.number, DRITAN.password, **WHERE, notes=notes).remember
    assert len(notes) == 2, "one for each"
    assert ARTA.number not in str(notes) and all(len(note) < 300 for note in notes)


def test_in_a_storm_unknown_places_wait_and_known_ones_do_not(tmp_path: Path) -> None:
    with keeper(tmp_path, failures_per_minute=20) as running:
        client = connect(running.socket)
        own = client.sign_in(ARTA.number, ARTA.password, **WHERE)
        codes = []
        for number in range(80):  # many accounts from many networks: no single counter notices
            typed = f"J7510{number:04}A"
            codes.append(
                refusal(
                    lambda t=typed, n=number: client.sign_in(t, "x", network=f"10.1.{n}.1", device="t")
                ).code
            )
        assert codes[:20] == ["wrong"] * 20
        assert "slow_down" in codes[25:]
        assert "sign_in_storm" in client.status()["alarms"]
        assert client.sign_in(ARTA.number, ARTA.password, **WHERE).role == "citizen", (
            "from where she was before"
        )
        abroad = {"network": "203.0.113.5", "device": "t"}
        assert client.sign_in(ARTA.number, ARTA.password, **abroad, notes=own.remember).role == "citizen"
        client.close()
