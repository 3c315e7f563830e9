"""Attacks by those who did not build it, over every call of the socket: assisted and short sessions, and nonsense."""

import inspect
import logging
import math
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_address
from typing import Any
from uuid import UUID, uuid4

import pytest

from kulla.keeper.calls import CALLS
from kulla.keeper.calls.form import IN_ASSISTED
from kulla.keeper.server import answer
from kulla.keeper.sessions import Live
from kulla.keeper.strength import CODE, PASSKEY
from kulla.keeper.tests.counter_kit import Desk, desk, set_pin

# A value of each kind that a call may want; which one is found by asking.
KINDS: list[Any] = ["x", uuid4(), b"x", 1, True, [], {}, "2026-12-01"]
DEEP: list[Any] = [1]
for _ in range(28):
    DEEP = [DEEP]
NONSENSE: list[Any] = [
    *(None, 0, -1, 2**70, -(2**63), 2**62, 1.5, math.inf, math.nan, True),
    *("", "x", "9" * 60, "ë'\"\x00\n" * 20, "\ud800", "9999-12-31", "0001-01-01", "x" * (1 << 20)),
    *(b"", b"x", b"x" * (1 << 20), b"\xff\xd8\xff" + b"x" * 500),
    *([], [1], ["x"], [None], [[["x"]]], [{}], [b""], DEEP),
    *({}, {1: 2}, {"a": DEEP}, {"0": [[math.inf, 1]]}, {"0": [[1]]}, {"0": 5}, {"0": [["1", "9"]]}),
    *({"security": ["phone", [1]]}, {"security": [{}]}, {"security": "phone"}),
    *(UUID(int=0), date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), Decimal("NaN"), Fraction(1, 3)),
    *(re.compile("x"), ip_address("192.0.2.1"), {1, 2}),
]
# Arguments that may be left out, so that no refusal names them.
OPTIONAL = (
    *(
        "contact",
        "contact_type",
        "office",
        "hours",
        "channels",
        "needs",
        "document",
        "whose",
        "before",
        "code",
    ),
    *("notes", "short", "language", "handle", "after", "sid", "since", "until", "proof"),
)
# What a short session must not change: what proves who somebody is, and who may act for them.
NOT_SHORT = {
    *("channel_ask", "channel_confirm", "channel_cancel", "paper_codes"),
    *(
        "counter_pin_set",
        "counter_pin_remove",
        "mandate_offer",
        "mandate_look",
        "mandate_accept",
        "mandate_confirm",
    ),
    *("security_confirm", "security_confirm_begin", "security_confirm_passkey", "password_change"),
    *("totp_begin", "totp_finish", "totp_remove"),
    *("passkey_new", "passkey_add", "passkey_rename", "passkey_remove", "act_as", "role_offer_answer"),
}
FITTING: dict[str, Any] = {"pin": "739184", "days": 30, "scopes": ["health"], "until": "2026-12-01"}


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("k")) as found:
        yield found


def token(counter: Desk, session: Live) -> str:
    """A token of a session."""
    return str(counter.keeper.sessions._token(session)["token"])


def arguments(counter: Desk, name: str, given: str | None) -> dict[str, Any]:
    """Arguments of the kinds that a call wants, found by its own refusals."""
    args: dict[str, Any] = {"token": given} if given else {}
    tried: dict[str, int] = {}
    for _ in range(100):
        refused = answer(counter.keeper, {"call": name, "args": args}).get("refused", {})
        found = re.match(r"The argument (\w+) ", refused.get("sentence", ""))
        if not found or found[1] == "token":
            break
        place = tried[found[1]] = tried.get(found[1], -1) + 1
        if place == len(KINDS):
            break
        args[found[1]] = KINDS[place]
    return args


def with_token(counter: Desk) -> list[str]:
    """The calls of a session."""
    found = []
    for name in CALLS:
        args = arguments(counter, name, "x")
        code = answer(counter.keeper, {"call": name, "args": args}).get("refused", {}).get("code")
        if code == "token" or "token(args)" in inspect.getsource(inspect.unwrap(CALLS[name])):
            found.append(name)
    return found


def short(counter: Desk, factor: str = CODE) -> tuple[UUID, str]:
    """Somebody on a device that is not their own."""
    person = counter.land.person(counter.land.someone())
    opened = counter.keeper.sessions.open_for(
        *(person, "citizen", None),
        network="192.0.2.7",
        device="a café",
        language="sq",
        factor=factor,
        short=True,
    )
    return person, opened["token"]


def test_an_assisted_session_reaches_what_is_named_and_nothing_else(counter: Desk) -> None:
    """Every call of a session, also those that are written later, with arguments that fit."""
    number, person = counter.person()
    set_pin(counter, person)
    assisted = token(counter, counter.begin(counter.visit(number), "pin", "739184"))
    calls = with_token(counter)
    assert len(calls) > 80 and calls.count("password_change") == 1
    for name in calls:
        if name in IN_ASSISTED:
            continue
        got = answer(counter.keeper, {"call": name, "args": arguments(counter, name, assisted)})
        assert got.get("refused", {}).get("code") == "assisted", name
    got = answer(counter.keeper, {"call": "end", "args": {"token": assisted, "sid": "all"}})
    assert got["refused"]["code"] == "assisted"


@pytest.mark.parametrize("name", sorted(NOT_SHORT))
def test_a_short_session_changes_nothing_that_lasts(counter: Desk, name: str) -> None:
    """Nor does what somebody left open in a café become a PIN, a passkey or a representative."""
    person, given = short(counter)
    args = arguments(counter, name, given)
    got = answer(
        counter.keeper, {"call": name, "args": args | {k: v for k, v in FITTING.items() if k in args}}
    )
    assert got.get("refused", {}).get("code") in {
        "short_session",
        "role",
        "assisted",
        "unknown_invitation",
    }, got
    assert counter.keeper.counter.mine(person)["pin"] == ""


def test_a_pin_without_a_password_asks_for_a_fresh_proof(counter: Desk) -> None:
    """Where a passkey is all, an old session must not become a PIN."""
    session = counter.land.session(counter.land.person(counter.land.someone()), factor=PASSKEY)
    keeper = counter.keeper
    keeper.committer.commit(keeper.credentials.totp_body(session.person, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"))
    weak = counter.land.session(session.person, factor="")
    call = {"call": "counter_pin_set", "args": {"password": "", "pin": "739184"}}
    call["args"] |= {"token": token(counter, weak)}  # type: ignore[operator]
    assert answer(keeper, call)["refused"]["code"] == "confirm"
    call["args"] |= {"token": token(counter, session)}  # type: ignore[operator]
    assert "ok" in answer(keeper, call)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("counter_pin_set", {"password": "", "pin": "739184"}),
        ("paper_codes", {}),
        ("channel_ask", {"channel": "phone", "value": ""}),
        ("my_settings_change", {"language": "en"}),
    ],
    ids=["pin", "papers", "channel", "settings"],
)
def test_who_has_a_session_floods_neither_telephone_nor_records(
    counter: Desk, name: str, args: dict[str, Any]
) -> None:
    """Each of these is a record for ever; most are an SMS to the owner, of which the country has so many an hour."""
    _, person = counter.person()
    given = token(counter, counter.land.session(person))
    done = [answer(counter.keeper, {"call": name, "args": {"token": given, **args}}) for _ in range(80)]
    assert sum("ok" in each for each in done) <= 60 and done[-1]["refused"]["code"] == "slow_down"
    assert "ok" in answer(counter.keeper, {"call": "counter_pin_remove", "args": {"token": given}})


def test_safety_is_never_told_into_the_void(counter: Desk) -> None:
    """A thief with a session chooses the channel that the owner does not have."""
    _, person = counter.person()
    settings = counter.keeper.my_data.settings
    settings.change(person, channels={"security": ["email"], "data": ["email"]})
    assert settings.channels(person, "counter_begun_pin") == {"phone", "email"}
    assert settings.channels(person, "question_answered") == {"email"}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_nonsense_is_refused_in_words(counter: Desk, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each argument of each call, of each kind and size, by a citizen, an administrator, a registrar and nobody."""
    land = counter.land
    if not hasattr(counter, "nobody"):
        counter.nobody = land.someone()  # type: ignore[attr-defined]
        counter.admin = land.official("admin", "state")  # type: ignore[attr-defined]
    callers: list[Live | None] = [None, land.citizen(counter.nobody)]  # type: ignore[attr-defined]
    for live in (counter.registrar, counter.clerk, counter.admin):  # type: ignore[attr-defined]
        callers.append(land.session(live.person, live.role, live.office))
    caplog.set_level(logging.ERROR, logger="kulla.keeper")
    for caller in callers:
        base = arguments(counter, name, token(counter, caller) if caller else None)
        for argument in sorted({*base, *OPTIONAL}):
            for value in NONSENSE:
                got = answer(counter.keeper, {"call": name, "args": {**base, argument: value}})
                code = got.get("refused", {}).get("code")
                assert code not in {"internal", "broken"}, (argument, repr(value)[:80])
    assert not caplog.records


def test_nonsense_for_a_call_is_refused(counter: Desk) -> None:
    """Whatever stands in the place of the name, of the arguments, or of all of it."""
    for value in NONSENSE:
        for request in (
            value,
            {"call": value},
            {"call": "status", "args": value},
            {"call": "sign_in", "args": value},
        ):
            got = answer(counter.keeper, request)
            assert "ok" in got or got["refused"]["code"] in {"bad_request", "too_long"}
