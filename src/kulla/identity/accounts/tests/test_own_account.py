"""Recovery, "this was not me" and the own channels over HTTP."""

import re

import pytest

from kulla.identity.accounts.tests.conftest import (
    FROZEN,
    LOST,
    MOVES,
    Visitor,
    code_of,
    link_of,
    sent,
    visitor,
)
from kulla.keeper.testkit import Member, RunningKeeper
from kulla.registry import door

pytestmark = pytest.mark.django_db
NOBODY = "J55101007H"


def signed_in(who: Member, language: str = "en") -> Visitor:
    """A browser in which somebody is signed in."""
    me = visitor(language)
    me.post("/sign-in", identifier=who.number, password=who.password)
    assert me.status == 200, me.text
    return me


def test_recovery_codes_are_shown_once_and_bring_the_password_back(portal: RunningKeeper) -> None:
    """Made on the own page, used on the page of those who cannot get in."""
    me = signed_in(LOST).get("/my/account/codes").post("/my/account/codes")
    codes = re.findall(r"(?<![\w-])[0-9A-Z]{5}-[0-9A-Z]{5}(?![\w-])", me.text)
    assert len(codes) == 10
    assert "10 codes are left" in me.get("/my/account").text
    assert not re.search(r"(?<![\w-])[0-9A-Z]{5}-[0-9A-Z]{5}(?![\w-])", me.get("/my/account/codes").text)
    lost = visitor().get("/recover").post("/recover", identifier=LOST.number, lost="password")
    assert LOST.number not in lost.text
    lost.post("/recover/prove")
    assert lost.status == 422 and "or a recovery code" in lost.text
    lost.post("/recover/prove", paper_code="00000-00000")
    assert lost.status == 422 and "does not fit together" in lost.text and "00000-00000" in lost.text
    lost.post("/recover/prove", paper_code=codes[0])
    assert "Choose a password" in lost.text
    lost.post("/activate/password", password="tri-gota-dhe-nje-lis", again="tri-gota-dhe-nje-lis")
    assert lost.status == 200 and "signed in" in lost.text
    assert "9 codes are left" in lost.get("/my/account").text
    assert visitor().get("/my").text.count("identifier")  # nobody else is


def test_recovery_answers_everybody_alike(portal: RunningKeeper) -> None:
    """Unknown, without account, with account: the same page."""
    pages = set()
    for number in (NOBODY, portal.besa.number, portal.vjosa.number, "x"):
        one = visitor().get("/recover").post("/recover", identifier=number, lost="factor")
        pages.add(re.sub(r'value="[^"]*"', "", one.text))
        one.post("/recover/prove", phone_code="123456", password="nothing")
        assert one.status == 422 and "nothing" not in one.text
        pages.add(re.sub(r'value="[^"]*"', "", one.text))
    assert len(pages) == 2


def test_a_scanner_that_opens_the_link_freezes_nobody(portal: RunningKeeper) -> None:
    """GET and HEAD show; the button acts; afterwards sign-in says what it always says."""
    me = signed_in(FROZEN)
    me.get("/my/account/phone").post("/my/account/phone", value="+39 320 5550000")
    me.post("/my/account/phone", code=code_of(FROZEN, "code_channel"))
    assert "counts after 72 hours" in me.text and "+393205550000" in me.text
    link = link_of(FROZEN, "phone_change_waits")
    for _ in range(3):
        scanner = visitor()
        scanner.get(link)
        assert scanner.status == 200 and "freeze the account" in scanner.text
        assert scanner.client.head(link).status_code == 200
    assert me.get("/my/account").status == 200
    other = visitor("sq").get(link).post(link)
    assert other.status == 200
    assert "frozen" in visitor().get(link).text
    assert me.get("/my/account").status == 403 or "identifier" in me.text  # signed out
    again = visitor().post("/sign-in", identifier=FROZEN.number, password=FROZEN.password)
    assert again.status == 422 and "The number or the password is wrong." in again.text
    assert visitor().get("/not-me/zzzzz-zzzzz-zzzzz-zzzzz").status == 404


def test_a_change_of_the_address_waits_and_can_be_stopped(portal: RunningKeeper) -> None:
    """What was typed stays on a refusal; a wrong code can be typed again."""
    me = signed_in(MOVES)
    me.get("/my/account/email").post("/my/account/email", value="manjola@")
    assert me.status == 422 and 'value="manjola@"' in me.text
    me.post("/my/account/email", value="manjola@example.al")
    assert "m…@example.al" in me.text
    me.post("/my/account/email", code="12")
    assert me.status == 422 and "six digits" in me.text
    me.post("/my/account/email", code=code_of(MOVES, "code_channel"))
    assert "manjola@example.al" in me.text
    change = re.search(r'name="id" value="([^"]+)"', me.text)
    assert change
    me.post("/my/account/cancel", id="nonsense")
    assert "manjola@example.al" in me.text
    me.post("/my/account/cancel", id=change[1])
    assert "The change was stopped" in me.text and "manjola@example.al" not in me.text
    assert "channel_cancelled" in {each.kind for each in sent(MOVES)}
    assert me.get("/my/account/fax").status == 404


def test_nothing_personal_is_in_an_address_or_in_a_table(portal: RunningKeeper) -> None:
    """Numbers and codes travel in forms; what waits in a page is sealed."""
    one = visitor().get("/recover").post("/recover", identifier=LOST.number, lost="password")
    assert LOST.number not in one.text and one.where == ""
    assert LOST.number not in one.post("/recover/prove", phone_code="12 34 56").text


def test_the_keeper_away_is_a_plain_sentence(portal: RunningKeeper, settings: object) -> None:
    """What was typed stays."""
    settings.KULLA_KEEPER_SOCKET = "/nonexistent/keeper.sock"  # type: ignore[attr-defined]
    door.forget()
    for page, fields in (("/activate", {}), ("/recover", {"lost": "password"})):
        me = visitor().post(page, identifier=LOST.number, **fields)
        assert me.status == 503 and "does not answer" in me.text and LOST.number in me.text
