"""The family's pages in both languages: what they show, what they refuse, and that nothing typed is lost."""

import re
from datetime import date, timedelta

import pytest

from kulla.identity.families.tests.conftest import SignIn, Visitor
from kulla.keeper.families.tests.conftest import AGRON, ARTA, BESA, DRITAN, GENT, MIRA, REGISTRAR, SECOND, tie
from kulla.keeper.testkit import VJOSA, RunningKeeper
from kulla.registry import door

LATER = date.today() + timedelta(days=40)  # noqa: DTZ011 - any day of next month will do
UNTIL = {"until_0": LATER.day, "until_1": LATER.month, "until_2": LATER.year}
# Not preceded or followed by more: a part of a UUID made of digits would look the same.
CODE = re.compile(r"(?<![\w-])[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}(?![\w-])")
DECISION = {"court": "Gjykata e Tiranës", "number": "12-2026-88", "day_0": 3, "day_1": 11, "day_2": 2026}


def offer(who: Visitor, *scopes: str) -> tuple[str, str]:
    """(address, code) of a new offer."""
    address = who.post("/my/family/representative", scopes=scopes or ("health",), **UNTIL)
    found = CODE.search(who.get(address))
    assert found
    return address, found[0]


@pytest.mark.parametrize("language", ["en", "sq"])
def test_a_representative_is_appointed_by_two_people(signed_in: SignIn, language: str) -> None:
    arta, mira = signed_in(ARTA, language), signed_in(MIRA, language)
    address, code = offer(arta)
    shown = mira.post("/my/family/represent", 200, code=code.lower())
    assert ARTA.name in shown
    assert MIRA.name not in arta.get("/my/family")
    assert mira.post("/my/family/represent", code=code, do="accept") == "/my/family?done=accepted"
    assert ARTA.name in mira.get("/my/family?done=accepted")
    assert MIRA.name in arta.get(address)
    arta.post(address, do="confirm")
    assert MIRA.name in arta.get("/my/family")
    page = mira.get("/my/family")
    assert {"en": "You represent this person", "sq": "Ju e përfaqësoni"}[language] in page
    mira.post(address, do="end")
    assert ARTA.name not in mira.get("/my/family")


def test_a_wrong_code_is_told_plainly_and_stays_in_its_field(signed_in: SignIn) -> None:
    page = signed_in(DRITAN).post("/my/family/represent", 409, code="AAAA-BBBB-CCCC")
    assert "There is no offer with this code" in page
    assert 'value="AAAA-BBBB-CCCC"' in page
    assert "Enter the code" in signed_in(DRITAN).post("/my/family/represent", 422, code="")


def test_an_offer_says_what_is_missing_and_keeps_the_rest(signed_in: SignIn) -> None:
    arta = signed_in(ARTA)
    page = arta.post("/my/family/representative", 422, scopes=["money"], until_0=31, until_1=2, until_2=2027)
    assert "There is no such day in the calendar" in page
    assert re.search(r'value="money" checked', page)
    page = arta.post("/my/family/representative", 409, scopes=["money"], until_0=1, until_1=2, until_2=2099)
    assert "at most three years ahead" in page
    assert 'value="2099"' in page


def test_others_offers_do_not_exist(signed_in: SignIn) -> None:
    arta, dritan = signed_in(ARTA), signed_in(DRITAN)
    address, _ = offer(arta)
    assert dritan.client.get(address).status_code == 404
    assert dritan.client.post(address, {"do": "end"}).status_code == 404
    arta.post(address, do="end")
    assert arta.client.get(address).status_code == 404


def test_a_parent_without_custody_reads_that_there_is_a_child_and_nothing_else(
    signed_in: SignIn, portal: RunningKeeper
) -> None:
    with portal.administered() as admin:
        tie(admin, AGRON, BESA, custody=False)
    page = signed_in(AGRON).get("/my/family")
    assert "1 child is recorded as yours. A court has given custody to somebody else" in page
    assert BESA.name not in page
    assert BESA.name not in signed_in(AGRON).get("/my")
    page = signed_in(AGRON, "sq").get("/my/family")
    assert "1 fëmijë është regjistruar si i juaji" in page
    page = signed_in(ARTA).get("/my/family")
    assert BESA.name in page
    assert AGRON.name not in page


def test_the_counter_is_for_officials_and_the_courts_papers_for_registrars(signed_in: SignIn) -> None:
    assert signed_in(ARTA).client.get("/counter/family/").status_code == 404
    clerk = signed_in(VJOSA)
    page = clerk.get("/counter/family/")
    assert "/counter/family/heirs" in page
    assert "/counter/family/guardian" not in page
    assert clerk.client.get("/counter/family/guardian").status_code == 404
    assert "/counter/family/guardian" in signed_in(REGISTRAR).get("/counter/family/")


def test_a_guardian_is_asked_for_and_decided_by_another(signed_in: SignIn, portal: RunningKeeper) -> None:
    registrar = signed_in(REGISTRAR, "sq")
    fields = {
        **{"guardian_type": "number", "guardian": MIRA.number, "ward_type": "number", "ward": BESA.number},
        **{"custody": "yes", "scopes": ["school"], "limits": "", "said": ""},
        **DECISION,
    }
    wrong = {**fields, "ward": "J00000000X", "number": ""}
    page = registrar.post("/counter/family/guardian", 422, **wrong)
    assert f'value="{MIRA.number}"' in page
    page = registrar.post("/counter/family/guardian", 409, **{**fields, "ward": GENT.number})
    assert "Gjykata e Tiranës" in page
    assert "18 vjeç" in page
    assert registrar.post("/counter/family/guardian", **fields) == "/counter/family/?asked"
    assert "pret një zyrtar të dytë" in registrar.get("/counter/family/?asked")
    mira = signed_in(MIRA)
    assert BESA.name not in mira.get("/my/family")
    token = door.keeper()
    second = signed_in(SECOND)
    [asked] = _open(second, token)
    token.approval_answer(_token(second), asked.id, yes=True)
    page = mira.get("/my/family")
    assert BESA.name in page
    assert "School" in page
    named = {name: fields[name] for name in ("guardian_type", "guardian", "ward_type", "ward")}
    registrar.post("/counter/family/guardian/end", **named, **DECISION)
    [asked] = _open(second, token)
    token.approval_answer(_token(second), asked.id, yes=True)
    assert BESA.name not in mira.get("/my/family")


def _token(who: Visitor) -> str:
    from kulla.registry import cookie

    return cookie.open_sealed(who.client.cookies["kulla"].value) or ""


def _open(who: Visitor, keeper: object) -> list[object]:
    return keeper.approvals_open(_token(who))  # type: ignore[attr-defined,no-any-return]


def test_an_heir_is_asked_for_at_the_counter(signed_in: SignIn) -> None:
    clerk = signed_in(VJOSA)
    fields = {
        **{"dead_type": "number", "dead": GENT.number, "heir_type": "number", "heir": DRITAN.number},
        **{"document": "letërnjoftim", "certificate": "T-7/2026", "scopes": ["money"]},
        **UNTIL,
    }
    page = clerk.post("/counter/family/heirs", 409, **{**fields, "dead": MIRA.number})
    assert "does not say that this person has died" in page
    assert 'value="T-7/2026"' in page
    assert clerk.post("/counter/family/heirs", **fields) == "/counter/family/?asked"
