"""Signing in, against the real keeper: what is told, what is kept, what is never kept."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from kulla.identity.tests.conftest import Visitors, browser
from kulla.keeper.testkit import RunningKeeper
from kulla.registry import door

pytestmark = pytest.mark.django_db


def fill(visitor: Client, **fields: str):  # type: ignore[no-untyped-def]
    """Send the sign-in form."""
    return visitor.post("/sign-in", fields)


def hidden(page: str, name: str) -> str:
    """The value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return found[1]


def test_a_citizen_signs_in_and_out(portal: RunningKeeper) -> None:
    """Number and password, then my page; the cookie is sealed, and gone after signing out."""
    visitor = browser()
    answer = fill(visitor, identifier=portal.arta.number, password=portal.arta.password)
    assert answer["Location"] == "/my"
    cookie = answer.cookies["kulla"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/"
    assert portal.arta.number not in cookie.value
    page = visitor.get("/my")
    assert page.status_code == 200
    assert "Arta" in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    stolen = cookie.value
    answer = visitor.post("/sign-out")
    assert answer.cookies["kulla"].value == ""
    assert visitor.get("/my").status_code == 302
    thief = browser()
    thief.cookies["kulla"] = stolen
    assert thief.get("/my").status_code == 302


def test_a_number_may_be_typed_with_spaces_and_in_small_letters(portal: RunningKeeper) -> None:
    """As people copy it from the card."""
    number = portal.arta.number.lower()
    answer = fill(browser(), identifier=f" {number[:4]} {number[4:]} ", password=portal.arta.password)
    assert answer.status_code == 302


@pytest.mark.parametrize("who", ["right number", "unknown number", "nonsense"])
def test_wrong_is_always_the_same_sentence(portal: RunningKeeper, who: str) -> None:
    """Nobody learns whether an account exists; what was typed stays, the password does not."""
    number = {"right number": portal.dritan.number, "unknown number": "J55101007H", "nonsense": "<b>x"}[who]
    answer = fill(browser(), identifier=number, password="not-the-password")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The number or the password is wrong." in page
    assert "not-the-password" not in page
    assert "<title>Error:" in page
    assert answer["Cache-Control"] == "no-store"
    if who == "right number":
        assert number in page


def test_empty_fields_are_named(portal: RunningKeeper) -> None:
    """Each with a link to its field."""
    page = fill(browser(), identifier="", password="").content.decode()
    assert 'href="#id_identifier"' in page and 'href="#id_password"' in page


def test_an_official_needs_the_phone(portal: RunningKeeper) -> None:
    """The second step comes only after the right password; the page holds no readable password."""
    visitor = browser()
    first = fill(visitor, identifier=portal.luan.number, password=portal.luan.password)
    page = first.content.decode()
    assert first.status_code == 200
    assert portal.luan.password not in page and portal.luan.number not in page
    step = hidden(page, "step")
    assert fill(visitor, step=step, code="12").status_code == 422
    wrong = fill(visitor, step=step, code="000000")
    assert wrong.status_code == 422
    assert "That code is wrong" in wrong.content.decode()
    for code in (
        portal.luan.code(),
        portal.luan.fresh_code(),
    ):  # the first may have been used by another test
        answer = fill(visitor, step=hidden(wrong.content.decode(), "step"), code=code)
        if answer.status_code == 302:
            break
    assert answer["Location"] == reverse("operator")
    assert visitor.get("/operator").status_code == 200
    assert visitor.get("/my").status_code == 404


def test_a_changed_or_old_second_step_starts_anew(
    portal: RunningKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sealed in the page cannot be written by a visitor, nor used for ever."""
    visitor = browser()
    page = fill(visitor, identifier=portal.vjosa.number, password=portal.vjosa.password).content.decode()
    step = hidden(page, "step")
    middle = len(step) // 2
    changed = step[:middle] + ("A" if step[middle] != "A" else "B") + step[middle + 1 :]
    for broken in (changed, "", "x", "ë"):
        answer = fill(visitor, step=broken, code="123456")
        assert answer.status_code == 422
        assert "That took too long" in answer.content.decode()
    monkeypatch.setattr("kulla.identity.views.sign_in.STEP_S", -1)
    assert "That took too long" in fill(visitor, step=step, code=portal.vjosa.code()).content.decode()


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/my/looks", "/my/looks"),
        ("https://example.org/", "/my"),
        ("//example.org", "/my"),
        ("/\\example.org", "/my"),
        ("/sign-in?next=/my", "/my"),
        ("", "/my"),
    ],
)
def test_after_signing_in_one_stays_here(portal: RunningKeeper, wanted: str, goes: str) -> None:
    """The page that was asked for, never another site."""
    answer = fill(browser(), identifier=portal.arta.number, password=portal.arta.password, next=wanted)
    assert answer["Location"] == goes


def test_who_is_signed_in_needs_no_form(signed_in: Visitors) -> None:
    """The sign-in page leads on."""
    assert signed_in(signed_in.keeper.arta).get("/sign-in")["Location"] == "/my"


def test_a_form_that_came_too_late_is_sent_after_signing_in(portal: RunningKeeper) -> None:
    """Everything typed travels sealed through sign-in and comes back with one button."""
    visitor = browser()
    late = visitor.post("/my/sessions", {"sid": "all", "note": "Vlorë & <b>"})
    page = late.content.decode()
    assert late.status_code == 403
    carry = hidden(page, "carry")
    assert "Vlor" not in carry
    begin = visitor.post("/sign-in", {"begin": "1", "next": "/my/sessions", "carry": carry})
    kept = hidden(begin.content.decode(), "carry")
    wrong = fill(visitor, identifier=portal.arta.number, password="wrong", carry=kept)
    kept = hidden(wrong.content.decode(), "carry")
    done = fill(visitor, identifier=portal.arta.number, password=portal.arta.password, carry=kept)
    page = done.content.decode()
    assert done.status_code == 200
    assert 'action="/my/sessions"' in page
    assert 'name="note" value="Vlorë &amp; &lt;b&gt;"' in page
    assert done.cookies["kulla"].value
    assert done["Cache-Control"] == "no-store"


def test_the_keeper_away_is_a_plain_sentence(portal: RunningKeeper, settings: object) -> None:
    """Nobody signs in, what was typed stays, and public pages go on."""
    settings.KULLA_KEEPER_SOCKET = "/nonexistent/keeper.sock"  # type: ignore[attr-defined]
    door.forget()
    visitor = browser()
    answer = fill(visitor, identifier=portal.arta.number, password=portal.arta.password)
    assert answer.status_code == 503
    assert "does not answer" in answer.content.decode()
    assert portal.arta.number in answer.content.decode()
    assert visitor.get("/").status_code == 200
    assert "Away" in visitor.get("/status").content.decode()


def test_the_portal_stores_nothing_of_it(portal: RunningKeeper, signed_in: Visitors) -> None:
    """No table holds the number, the password, the name or the session."""
    visitor = signed_in(portal.arta)
    visitor.get("/my")
    token = visitor.cookies["kulla"].value
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            stored = repr(cursor.fetchall())
            for secret in (portal.arta.number, portal.arta.password, "Hoxha", token):
                assert secret not in stored, table


def test_sign_out_needs_the_form_of_our_page(portal: RunningKeeper) -> None:
    """Another site cannot sign people out."""
    assert browser(csrf=True).post("/sign-out").status_code == 403


def test_signing_in_over_a_session_ends_the_one_before(portal: RunningKeeper) -> None:
    """On a shared computer nobody stays signed in behind the next person."""
    visitor = browser()
    older = fill(visitor, identifier=portal.arta.number, password=portal.arta.password).cookies["kulla"].value
    fill(visitor, identifier=portal.dritan.number, password=portal.dritan.password)
    assert "Dritan" in visitor.get("/my").content.decode()
    left_behind = browser()
    left_behind.cookies["kulla"] = older
    assert left_behind.get("/my").status_code == 302
